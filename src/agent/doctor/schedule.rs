//! Who fires `pulse-echo send`: the package brings a line for cron and a timer for systemd, of which one fires.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const CRON_FILE: &str = "etc/cron.d/pulse-echo";
const TIMER_ENABLED: &str = "etc/systemd/system/timers.target.wants/pulse-echo.timer";
const TIMER_UNITS: [&str; 2] = ["usr/lib/systemd/system/pulse-echo.timer", "lib/systemd/system/pulse-echo.timer"];
const ENABLE_TIMER: &str = "systemctl enable --now pulse-echo.timer";

/// Which one fires, on the machine whose files are in `root`. The error says why none does, and what to do.
pub fn find(root: &Path) -> Result<String, String> {
    let is_there = |file: &str| root.join(file).symlink_metadata().is_ok();
    // The cron line itself asks the same, and steps back for the timer.
    if is_there("run/systemd/system") && is_there(TIMER_ENABLED) {
        return Ok("systemd's timer pulse-echo.timer".into());
    }
    if !is_there(CRON_FILE) {
        return if TIMER_UNITS.into_iter().any(is_there) {
            Err(format!("nothing runs pulse-echo send: there is no /{CRON_FILE}, and the timer is off: {ENABLE_TIMER}"))
        } else {
            Ok("the package is not installed here; what runs pulse-echo send is not known".into())
        };
    }
    if is_ignored(root) {
        return Err(format!(
            "cron ignores /{CRON_FILE}, since others than root can write it: chown root:root /{CRON_FILE}; chmod 644 \
             /{CRON_FILE}"
        ));
    }
    if !cron_runs(root) {
        return Err(format!("/{CRON_FILE} is there, but no cron daemon runs: start cron, or {ENABLE_TIMER}"));
    }
    Ok(format!("cron, by /{CRON_FILE}"))
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
    if root.join("run/crond.pid").exists() {
        return true;
    }
    let Ok(processes) = fs::read_dir(root.join("proc")) else { return false };
    let name = |process: fs::DirEntry| fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    processes.flatten().any(|process| matches!(name(process).trim_end(), "cron" | "crond"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A machine that has these files, and a cron line of this mode.
    fn found(files: &[&str], cron_mode: u32) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "cron\n").unwrap();
        }
        if files.contains(&CRON_FILE) {
            fs::set_permissions(root.path().join(CRON_FILE), fs::Permissions::from_mode(cron_mode)).unwrap();
        }
        find(root.path())
    }

    #[test]
    fn the_timer_fires_where_it_is_enabled_and_systemd_runs() {
        let files = ["run/systemd/system/x", TIMER_ENABLED, CRON_FILE, "proc/7/comm"];
        assert_eq!(found(&files, 0o644).unwrap(), "systemd's timer pulse-echo.timer");
        assert_eq!(found(&files[1..], 0o644).unwrap(), "cron, by /etc/cron.d/pulse-echo");
    }

    #[test]
    fn cron_fires_where_it_runs() {
        for running in ["proc/7/comm", "run/crond.pid"] {
            assert_eq!(found(&[CRON_FILE, running], 0o644).unwrap(), "cron, by /etc/cron.d/pulse-echo");
        }
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
    fn a_binary_run_by_hand_is_no_error() {
        assert!(found(&[], 0).unwrap().contains("the package is not installed here"));
    }
}
