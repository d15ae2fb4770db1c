//! Who fires `pulse-echo send`: the package brings a line for cron and a timer for systemd, of which one fires.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CRON_FILE: &str = "etc/cron.d/pulse-echo";
const TIMER: &str = "pulse-echo.timer";
const TIMER_ENABLED: &str = "etc/systemd/system/timers.target.wants/pulse-echo.timer";
const TIMER_MASKED: &str = "etc/systemd/system/pulse-echo.timer";
const TIMER_UNITS: [&str; 2] = ["usr/lib/systemd/system/pulse-echo.timer", "lib/systemd/system/pulse-echo.timer"];
const ENABLE_TIMER: &str = "systemctl enable --now pulse-echo.timer";

/// Where lines of the operator's own may be: Debian's and Red Hat's places. The spool is for root to read.
const CRONTABS: [&str; 4] = ["etc/crontab", "etc/cron.d", "var/spool/cron", "var/spool/cron/crontabs"];

/// Which one fires on this machine. The error says why none does, and what to do.
pub fn find() -> Result<String, String> {
    find_in(Path::new("/"), timer_runs)
}

/// The same of the machine whose files are in `root`.
fn find_in(root: &Path, timer_runs: impl Fn() -> Option<bool>) -> Result<String, String> {
    let is_there = |file: &str| root.join(file).exists();
    // The cron line itself asks the same, and steps back for the timer.
    if is_there("run/systemd/system") && is_there(TIMER_ENABLED) {
        let instead = format!("which keeps cron from sending, too: systemctl unmask {TIMER}; systemctl start {TIMER}");
        return if fs::read_link(root.join(TIMER_MASKED)).is_ok_and(|link| link == Path::new("/dev/null")) {
            Err(format!("nothing runs pulse-echo send: the timer is enabled but masked, {instead}"))
        } else if timer_runs() == Some(false) {
            Err(format!("nothing runs pulse-echo send: the timer is enabled but does not run, {instead}"))
        } else {
            Ok(format!("systemd's timer {TIMER}"))
        };
    }
    if is_there(CRON_FILE) {
        return if is_ignored(root) {
            Err(format!(
                "cron ignores /{CRON_FILE}, since others than root can write it: chown root:root /{CRON_FILE}; chmod \
                 644 /{CRON_FILE}"
            ))
        } else if cron_runs(root) {
            Ok(format!("cron, by /{CRON_FILE}"))
        } else {
            Err(format!("/{CRON_FILE} is there, but no cron daemon runs: start cron, or {ENABLE_TIMER}"))
        };
    }
    if let Some(crontab) = crontab(root) {
        return Ok(format!(
            "cron, by {}",
            Path::new("/").join(crontab.strip_prefix(root).unwrap_or(&crontab)).display()
        ));
    }
    if TIMER_UNITS.into_iter().any(is_there) {
        return Err(format!(
            "nothing runs pulse-echo send: there is no /{CRON_FILE}, and the timer is off: {ENABLE_TIMER}"
        ));
    }
    Ok("the package is not installed here, and no crontab that can be read has pulse-echo send; a host needs a line \
        such as */10 * * * * pulse-echo send --quiet"
        .into())
}

/// Whether systemd has the timer running; none if it cannot be asked.
fn timer_runs() -> Option<bool> {
    let mut systemctl = Command::new("systemctl");
    systemctl.args(["is-active", "--quiet", TIMER]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // 3 is the code for what is not active; others say that it could not be told.
    match systemctl.status().ok()?.code()? {
        0 => Some(true),
        3 => Some(false),
        _ => None,
    }
}

/// cron takes a file only of root's (who owns the root folder, too), and only if nobody else can write it.
fn is_ignored(root: &Path) -> bool {
    let owner = |file: &Path| fs::metadata(file).map(|metadata| metadata.uid()).ok();
    let file = root.join(CRON_FILE);
    let mode = fs::metadata(&file).map_or(0, |metadata| metadata.mode());
    mode & 0o022 != 0 || owner(&file) != owner(root)
}

/// Whether a process of cron's name runs, or has left its number where Debian's and Red Hat's do.
fn cron_runs(root: &Path) -> bool {
    let proc = root.join("proc");
    if let Ok(number) = fs::read_to_string(root.join("run/crond.pid")) {
        // Debian's cron leaves it behind when it is stopped.
        let runs = number.trim().parse::<u32>().is_ok_and(|number| proc.join(number.to_string()).exists());
        if runs || !proc.join("self").exists() {
            return true;
        }
    }
    let Ok(processes) = fs::read_dir(proc) else { return false };
    let name = |process: fs::DirEntry| fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    processes.flatten().any(|process| matches!(name(process).trim_end(), "cron" | "crond"))
}

/// A crontab with a line of the operator's own that sends.
fn crontab(root: &Path) -> Option<PathBuf> {
    let sends = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines()
            .any(|line| !line.trim_start().starts_with('#') && line.contains("pulse-echo") && line.contains(" send"))
    };
    CRONTABS.into_iter().find_map(|place| {
        let place = root.join(place);
        match fs::read_dir(&place) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).find(|file| file.is_file() && sends(file)),
            Err(_) => Some(place).filter(sends),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A machine that has these files.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        root
    }

    fn found(files: &[&str], cron_mode: u32) -> Result<String, String> {
        let root = machine(&files.iter().map(|&file| (file, "cron\n")).collect::<Vec<_>>());
        if files.contains(&CRON_FILE) {
            fs::set_permissions(root.path().join(CRON_FILE), fs::Permissions::from_mode(cron_mode)).unwrap();
        }
        find_in(root.path(), || None)
    }

    #[test]
    fn the_timer_fires_where_it_is_enabled_and_systemd_runs() {
        let files = ["run/systemd/system/x", TIMER_ENABLED, CRON_FILE, "proc/7/comm"];
        assert_eq!(found(&files, 0o644).unwrap(), "systemd's timer pulse-echo.timer");
        assert_eq!(found(&files[1..], 0o644).unwrap(), "cron, by /etc/cron.d/pulse-echo");
    }

    #[test]
    fn a_timer_that_is_enabled_but_does_not_run_keeps_cron_from_sending_all_the_same() {
        let root =
            machine(&[("run/systemd/system/x", ""), (TIMER_ENABLED, ""), (CRON_FILE, ""), ("run/crond.pid", "")]);
        let error = find_in(root.path(), || Some(false)).unwrap_err();
        assert!(error.contains("enabled but does not run") && error.contains("systemctl start"), "{error}");
        assert!(find_in(root.path(), || Some(true)).is_ok());
        symlink("/dev/null", root.path().join(TIMER_MASKED)).unwrap();
        let error = find_in(root.path(), || None).unwrap_err();
        assert!(error.contains("enabled but masked") && error.contains("systemctl unmask"), "{error}");
    }

    #[test]
    fn a_link_to_a_timer_that_is_gone_does_not_keep_cron_from_sending() {
        let root = machine(&[("run/systemd/system/x", ""), (CRON_FILE, ""), ("run/crond.pid", "")]);
        let link = root.path().join(TIMER_ENABLED);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink("nowhere", link).unwrap();
        assert_eq!(find_in(root.path(), || None).unwrap(), "cron, by /etc/cron.d/pulse-echo");
    }

    #[test]
    fn cron_fires_where_it_runs() {
        for running in ["proc/7/comm", "run/crond.pid"] {
            assert_eq!(found(&[CRON_FILE, running], 0o644).unwrap(), "cron, by /etc/cron.d/pulse-echo");
        }
        let with_number = |processes: &[&str]| {
            let left = [(CRON_FILE, ""), ("run/crond.pid", "4711\n"), ("proc/self/comm", "")];
            let processes = processes.iter().map(|&process| (process, ""));
            find_in(machine(&left.into_iter().chain(processes).collect::<Vec<_>>()).path(), || None)
        };
        assert_eq!(with_number(&["proc/4711/comm"]).unwrap(), "cron, by /etc/cron.d/pulse-echo");
        assert!(with_number(&[]).is_err(), "it was stopped, and left its number behind");
        let error = found(&[CRON_FILE, "proc/7/other"], 0o644).unwrap_err();
        assert!(error.contains("no cron daemon runs") && error.contains("systemctl enable"), "{error}");
    }

    #[test]
    fn a_line_that_others_can_write_is_ignored_by_cron() {
        for mode in [0o664, 0o646] {
            let error = found(&[CRON_FILE, "run/crond.pid"], mode).unwrap_err();
            assert!(error.contains("cron ignores") && error.contains("chmod 644"), "{error}");
        }
    }

    #[test]
    fn none_fires_where_the_packages_timer_is_off_and_its_cron_line_gone() {
        for unit in TIMER_UNITS {
            assert!(found(&[unit], 0).unwrap_err().contains("nothing runs pulse-echo send"));
        }
    }

    #[test]
    fn a_crontab_of_the_operators_own_is_found_and_its_comments_are_not() {
        for file in ["etc/crontab", "etc/cron.d/monitoring", "var/spool/cron/root", "var/spool/cron/crontabs/root"] {
            let root = machine(&[(file, "MAILTO=x\n*/5 * * * * root /opt/pulse-echo --quiet send\n")]);
            assert_eq!(find_in(root.path(), || None).unwrap(), format!("cron, by /{file}"));
            fs::write(root.path().join(file), " # pulse-echo send\n* * * * * pulse-echo check\n").unwrap();
            assert!(find_in(root.path(), || None).unwrap().contains("no crontab that can be read"));
        }
    }

    #[test]
    fn a_binary_run_by_hand_is_no_error() {
        assert!(found(&[], 0).unwrap().contains("the package is not installed here"));
    }
}
