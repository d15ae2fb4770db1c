//! The calls of the program in a command, and in the scripts that it runs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::daemon::Dialect;
use super::in_root;
use super::job::is_sending;
use super::places;
use super::shell::{self, Call, Reading};

/// The calls in a command and in the scripts that it runs, and the scripts that will not run.
pub fn read(root: &Path, command: &str, dialect: Dialect) -> (Vec<Call>, Vec<String>) {
    let found = reading(root, command);
    let (mut calls, mut faults) = (found.calls, Vec::new());
    let run = found.scripts.iter().map(|script| (in_root(root, script), true, None));
    let read = found.read.iter().map(|script| (in_root(root, script), false, None));
    let parts = found.folders.iter().flat_map(|folder| places::parts(root, folder, dialect));
    let parts = parts.map(|(script, refused)| (script, true, Some(refused)));
    for (script, is_run, part) in run.chain(read).chain(parts) {
        let Some(text) = script_text(&script) else { continue };
        let shown = Path::new("/").join(script.strip_prefix(root).unwrap_or(&script)).display().to_string();
        // A shell itself runs a script without a first line; nobody else does.
        let is_part = part.is_some();
        let by_line = || if is_run { by_first_line(root, &text, &shown, is_part) } else { None };
        let of_script = reading(root, &text.replace("\r\n", "\n")).calls;
        match part.flatten().or_else(by_line) {
            Some(why) if of_script.iter().any(is_sending) => faults.push(format!("{shown} is not run: {why}")),
            Some(_) => {}
            None => calls.extend(of_script),
        }
    }
    (calls, faults)
}

/// Why the system does not run a script, by its first line, and what to do.
fn by_first_line(root: &Path, text: &str, shown: &str, is_part: bool) -> Option<String> {
    let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else {
        return is_part.then(|| format!("it has no interpreter: sed -i '1i #!/bin/sh' {shown}"));
    };
    if text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r')) {
        return Some(format!("its lines end as those of Windows do: sed -i 's/\\r$//' {shown}"));
    }
    let interpreter = line.split_whitespace().next().unwrap_or_default();
    let is_gone = root.join("bin").exists() && !in_root(root, interpreter).exists();
    is_gone.then(|| format!("its interpreter {interpreter} is not there: correct its first line"))
}

fn reading(root: &Path, command: &str) -> Reading {
    shell::read(command, &|how, file| {
        let path = in_root(root, file);
        if file.contains(['$', '*', '`']) || !file.starts_with('/') {
            return None;
        }
        let mode = || fs::metadata(&path).map_or(0, |metadata| metadata.mode());
        match how {
            "-e" => Some(path.exists()),
            "-f" => Some(path.is_file()),
            "-d" => Some(path.is_dir()),
            "-s" => Some(fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0)),
            "-x" => Some(mode() & 0o111 != 0),
            "-L" | "-h" => Some(path.is_symlink()),
            _ => None,
        }
    })
}

/// A script's text; `None` for another program.
fn script_text(path: &Path) -> Option<String> {
    const LIMIT: u64 = 64 * 1024;
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMIT);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten()?;
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}
