//! The files that cron reads, and those that it ignores.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::daemon::Dialect;
use super::{names_in, users};

/// The package's own file.
pub const CRON_FILE: &str = "etc/cron.d/pulse-echo";

/// The endings of copies that cronie ignores.
const COPIES: [&str; 4] = ["~", ".rpmsave", ".rpmorig", ".rpmnew"];

/// A crontab.
pub struct Place {
    /// Its path for people.
    pub shown: String,
    /// Its text.
    pub text: String,
    /// Its user; `None` for a system's crontab, where each line names its user.
    pub user: Option<String>,
    /// Why cron ignores it, and what to do.
    pub refused: Option<String>,
}

impl Place {
    /// What has cron read the file again after it was changed where it lies; nothing if cron sees that by itself.
    pub fn and_read_anew(&self) -> String {
        and_read_anew(&self.shown)
    }
}

/// cron looks at the times of `/etc/crontab` and of the folder with the users' crontabs, and not at modes and owners.
fn and_read_anew(file: &str) -> String {
    match Path::new(file).parent() {
        Some(folder) if file.starts_with("/var/spool/") => format!("; touch {}", folder.display()),
        _ if file == "/etc/crontab" => format!("; touch {file}"),
        _ => String::new(),
    }
}

/// All crontabs on the machine whose files are in `root` that this user can read.
pub fn all(root: &Path, dialect: Dialect) -> Vec<Place> {
    let mut places: Vec<_> = place(root, "etc/crontab", None, dialect).into_iter().collect();
    places.extend(names_in(&root.join("etc/cron.d")).iter().filter_map(|name| {
        let file = format!("etc/cron.d/{name}");
        place(root, &file, None, dialect)
    }));
    for folder in ["var/spool/cron/crontabs", "var/spool/cron/tabs", "var/spool/cron", "etc/crontabs"] {
        places.extend(
            names_in(&root.join(folder))
                .iter()
                .filter_map(|name| place(root, &format!("{folder}/{name}"), Some(name), dialect)),
        );
    }
    places.extend(own_crontab(root));
    places
}

fn place(root: &Path, file: &str, user: Option<&String>, dialect: Dialect) -> Option<Place> {
    let path = root.join(file);
    // Tested first: to read a pipe would wait for its writer.
    let text = fs::metadata(&path).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(&path).ok())?;
    let shown = format!("/{file}");
    let refused = match user {
        None => by_name(file, dialect).or_else(|| system_file(root, file, dialect)),
        Some(user) => by_folder(root, file, dialect).or_else(|| users_file(root, file, user, dialect)),
    };
    Some(Place { shown, text: String::from_utf8_lossy(&text).into(), user: user.cloned(), refused })
}

/// Whether cron ignores files with such names.
fn by_name(file: &str, dialect: Dialect) -> Option<String> {
    let Some(name) = file.strip_prefix("etc/cron.d/") else {
        return (dialect == Dialect::Busybox).then(|| only_users("reads no /etc/crontab"));
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_taken = match dialect {
        Dialect::Debian => name.chars().all(is_plain),
        Dialect::Cronie => !name.starts_with(['.', '#']) && !COPIES.iter().any(|copy| name.ends_with(copy)),
        Dialect::Busybox => return Some(only_users("reads no /etc/cron.d")),
    };
    // The part before the first strange character is the best guess at the name that is meant.
    let better: String = name.trim_start_matches(['.', '#']).chars().take_while(|c| is_plain(*c)).collect();
    let better = if better.is_empty() { "pulse-echo".into() } else { better };
    (!is_taken).then(|| format!("it takes no file of such a name: mv '/{file}' /etc/cron.d/{better}"))
}

fn only_users(what: &str) -> String {
    format!("busybox's crond {what}: put the line, without its user, into root's own crontab (crontab -e)")
}

/// Whether this cron looks into the folder at all.
fn by_folder(root: &Path, file: &str, dialect: Dialect) -> Option<String> {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let is_there = |folder: &str| root.join(folder).is_dir();
    let right = match dialect {
        Dialect::Cronie if is_there("var/spool/cron/tabs") => "var/spool/cron/tabs",
        Dialect::Cronie if root.join("etc/debian_version").exists() => "var/spool/cron/crontabs",
        Dialect::Cronie => "var/spool/cron",
        Dialect::Busybox if is_there("etc/crontabs") && !is_there("var/spool/cron/crontabs") => "etc/crontabs",
        Dialect::Debian | Dialect::Busybox => "var/spool/cron/crontabs",
    };
    let is_link = |one: &Path| fs::canonicalize(root.join(one)).ok() == fs::canonicalize(root.join(right)).ok();
    let is_right = folder == Path::new(right) || is_link(folder);
    (!is_right)
        .then(|| format!("it reads the users' crontabs in /{right}: install the file with crontab -u USER /{file}"))
}

/// What is wrong with owner, mode or links of a file of the system's.
fn system_file(root: &Path, file: &str, dialect: Dialect) -> Option<String> {
    let path = root.join(file);
    let (itself, target) = (fs::symlink_metadata(&path).ok()?, fs::metadata(&path).ok()?);
    let owner = fs::metadata(root).map_or(0, |metadata| metadata.uid());
    let mode = target.mode() & 0o7777;
    // cronie refuses executables, and wants its owner to be able to read it.
    let anew = and_read_anew(&format!("/{file}"));
    let is_bad_for_cronie = dialect == Dialect::Cronie && mode & 0o7533 != 0o400;
    if target.uid() != owner || itself.uid() != owner {
        Some(format!("it is not root's: chown -h root:root /{file}{}{anew}", further(&itself, &path)))
    } else if mode & 0o022 != 0 || is_bad_for_cronie {
        Some(format!("its mode is {mode:o}: chmod 644 /{file}{anew}"))
    } else if target.nlink() != 1 && dialect == Dialect::Debian {
        Some(format!("it has a second name, a hard link: cp -p /{file} /{file}_; mv /{file}_ /{file}"))
    } else {
        None
    }
}

/// The same act for what a link leads to.
fn further(itself: &fs::Metadata, path: &Path) -> String {
    match fs::canonicalize(path) {
        Ok(target) if itself.is_symlink() => format!(" {}", target.display()),
        _ => String::new(),
    }
}

/// What is wrong with a user's own crontab.
fn users_file(root: &Path, file: &str, user: &str, dialect: Dialect) -> Option<String> {
    let Some(known) = users::find(root, user) else {
        return Some(format!("there is no user {user}: install it for one who is there (crontab -u USER /{file})"));
    };
    if dialect == Dialect::Busybox {
        return None;
    }
    let metadata = fs::symlink_metadata(root.join(file)).ok()?;
    let root_user = fs::metadata(root).map_or(0, |metadata| metadata.uid());
    let mode = metadata.mode() & 0o7777;
    let anew = and_read_anew(&format!("/{file}"));
    let is_mode_bad = match dialect {
        Dialect::Debian => mode != 0o600,
        _ => mode & 0o7533 != 0o400,
    };
    if metadata.is_symlink() && dialect == Dialect::Debian {
        Some(format!("it is a link: crontab -u {user} $(readlink -f /{file})"))
    } else if metadata.uid() != known.uid && metadata.uid() != root_user {
        let owners = if user == "root" { "not root" } else { &format!("neither {user} nor root") };
        Some(format!("its owner is {owners}: chown {user} /{file}{anew}"))
    } else if is_mode_bad && !metadata.is_symlink() {
        Some(format!("its mode is {mode:o}: chmod 600 /{file}{anew}"))
    } else if metadata.nlink() != 1 {
        Some(format!("it has a second name, a hard link: crontab -u {user} -l | crontab -u {user} -"))
    } else {
        None
    }
}

/// This user's own crontab, where only the program that manages it may read it.
fn own_crontab(root: &Path) -> Option<Place> {
    if root != Path::new("/") || rustix::process::geteuid().is_root() {
        return None;
    }
    let name = users::own_name()?;
    let output = Command::new("crontab").arg("-l").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())?;
    Some(Place { shown: format!("{name}'s own crontab"), text, user: Some(name), refused: None })
}

/// The programs that `run-parts` runs in a folder: those that can be run, with names that it takes.
pub fn parts(root: &Path, folder: &str, dialect: Dialect) -> Vec<(PathBuf, Option<String>)> {
    let folder = folder.trim_matches('/');
    let names = names_in(&root.join(folder));
    let refused = |name: &str| {
        let file = format!("{folder}/{name}");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_taken = match dialect {
            Dialect::Cronie => !COPIES.iter().any(|copy| name.ends_with(copy)),
            _ => name.chars().all(is_plain),
        };
        let mode = fs::metadata(root.join(&file)).map_or(0, |metadata| metadata.mode());
        if !is_taken {
            Some(format!("run-parts takes no file of such a name: mv '/{file}' /{folder}/pulse-echo"))
        } else if mode & 0o111 == 0 {
            Some(format!("it is not executable: chmod 755 /{file}"))
        } else {
            None
        }
    };
    names.iter().map(|name| (root.join(folder).join(name), refused(name))).collect()
}
