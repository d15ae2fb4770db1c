//! The real cron, with the real line.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::root::Root;

/// A cron that runs in a root, and its log. Dropping it stops it.
pub struct Cron {
    daemon: Child,
    log: UnixDatagram,
}

impl Cron {
    /// Starts it some seconds before ten minutes are over.
    pub fn start(root: &Root) -> Self {
        Self::start_at(root, "@2026-11-21 11:59:57")
    }

    /// Starts it with a clock on which a minute passes in some seconds.
    pub fn start_fast(root: &Root) -> Self {
        Self::start_at(root, "@2026-11-21 11:59:30 x10")
    }

    fn start_at(root: &Root, clock: &str) -> Self {
        let place = root.path("dev/log");
        let _ = fs::remove_file(&place);
        let log = UnixDatagram::bind(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o666)).unwrap();
        log.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let daemon = root
            // It ends with this program, however this program ends.
            .command(&["setpriv", "--pdeathsig", "KILL", "cron", "-f", "-L", "7"])
            .env("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
            .env("FAKETIME", clock)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { daemon, log }
    }

    /// Waits until the line has run to its end. Returns cron's log of it.
    pub fn runs_the_line(&mut self) -> Vec<String> {
        self.hears("(pulse-echo) END (")
    }

    /// Waits for a line of cron's log. Returns the log up to it.
    pub fn hears(&mut self, end: &str) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(90);
        let mut told = Vec::new();
        let mut bytes = [0; 4096];
        while Instant::now() < until {
            match self.log.recv(&mut bytes) {
                Ok(length) => {
                    let line = String::from_utf8_lossy(&bytes[..length]).into_owned();
                    let is_end = line.contains(end);
                    told.extend(Some(line).filter(|line| !line.contains("pam_")));
                    if is_end {
                        return told;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(self.daemon.try_wait().unwrap().is_none(), "cron ended: {told:?}");
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("cron has not said {end:?}: {told:?}")
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Whether cron had something to mail. It also logs that where no mail program is installed.
pub fn has_mailed(told: &[String]) -> bool {
    told.iter().any(|line| line.contains(" MAIL (") || line.contains("No MTA installed, discarding output"))
}
