//! Which cron runs here.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The crons differ in what they read, and in what they refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's and Ubuntu's: one bad line, and the whole file is ignored.
    Debian,
    /// Fedora's, Red Hat's and SUSE's: a bad line is ignored.
    Cronie,
    /// Alpine's and small systems': it reads only the users' crontabs.
    Busybox,
}

impl Dialect {
    /// The search path of a command whose crontab sets none.
    pub fn path(self) -> &'static str {
        match self {
            Self::Debian => "/usr/bin:/bin",
            Self::Cronie => "/usr/bin:/bin:/usr/sbin:/sbin",
            Self::Busybox => "/sbin:/usr/sbin:/bin:/usr/bin",
        }
    }
}

/// The cron that runs on the machine whose files are in `root`; `None` if none runs.
pub fn running(root: &Path) -> Option<Dialect> {
    let proc = root.join("proc");
    // Without /proc there is only the file with the daemon's number. Debian's cron leaves it behind when it stops.
    if !proc.join("self").exists() && root.join("run/crond.pid").exists() {
        return Some(installed(root));
    }
    let own_root = identity(root);
    let of_process = fs::read_dir(&proc).ok()?.flatten().find_map(|process| {
        let process = process.path();
        let dialect = of_process(&process)?;
        // The cron of a container is in the host's /proc, too, and reads other files.
        let is_ours = identity(&process.join("root")).is_none_or(|other| Some(other) == own_root);
        is_ours.then_some(dialect)
    });
    // It makes timers of the crontabs when systemd starts.
    let makes_timers = "usr/lib/systemd/system-generators/systemd-crontab-generator";
    let is_by_systemd = root.join("run/systemd/system").exists() && root.join(makes_timers).exists();
    of_process.or(is_by_systemd.then_some(Dialect::Cronie))
}

/// The cron that is installed; it need not run.
pub fn installed(root: &Path) -> Dialect {
    let is_there = |program: &str| root.join("usr/sbin").join(program).exists();
    if is_there("crond") && !is_there("cron") { Dialect::Cronie } else { Dialect::Debian }
}

/// The cron that this process is.
fn of_process(process: &Path) -> Option<Dialect> {
    let name = fs::read_to_string(process.join("comm")).ok()?;
    let is_busybox = || {
        let program = fs::read_link(process.join("exe")).unwrap_or_default();
        program.file_name().is_some_and(|name| name == "busybox")
    };
    match name.trim_end() {
        "cron" => Some(Dialect::Debian),
        "crond" if is_busybox() => Some(Dialect::Busybox),
        "crond" | "cronie" => Some(Dialect::Cronie),
        "busybox" => {
            let words = fs::read_to_string(process.join("cmdline")).ok()?;
            (words.split('\0').nth(1) == Some("crond")).then_some(Dialect::Busybox)
        }
        _ => None,
    }
}

fn identity(folder: &Path) -> Option<(u64, u64)> {
    fs::metadata(folder).map(|metadata| (metadata.dev(), metadata.ino())).ok()
}
