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
    let scripts = found.scripts.iter().map(|script| (in_root(root, script), None));
    let parts = found.folders.iter().flat_map(|folder| places::parts(root, folder, dialect));
    for (script, refused) in scripts.chain(parts) {
        let of_script = script_text(&script).map(|text| reading(root, &text).calls).unwrap_or_default();
        match refused {
            Some(why) if of_script.iter().any(is_sending) => {
                let script = Path::new("/").join(script.strip_prefix(root).unwrap_or(&script));
                faults.push(format!("{} is not run: {why}", script.display()));
            }
            Some(_) => {}
            None => calls.extend(of_script),
        }
    }
    (calls, faults)
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

/// A script's text; `None` for a program.
fn script_text(path: &Path) -> Option<String> {
    const LIMIT: u64 = 64 * 1024;
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMIT);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten()?;
    String::from_utf8(bytes).ok().filter(|text| text.starts_with("#!"))
}
