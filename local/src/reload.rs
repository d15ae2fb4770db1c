//! What a running server reads again when it changes: the hosts' keys and the certificate.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::keys::hosts::{self, Entry};
use crate::s3::tls::Change;
use crate::s3::{Keyring, Tls};
use crate::{announce, complain, console};

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(800);

/// What is looked at.
pub(crate) struct Watched {
    pub(crate) data: PathBuf,
    pub(crate) keys: Keyring,
    pub(crate) tls: Option<Arc<Tls>>,
    /// The state of the key file that is in use.
    seen: Option<Stamp>,
    /// Whether a key of the file ends later than it can, since the clock was ahead.
    ends_too_late: bool,
    /// Whether it was told that the file cannot be changed.
    has_complained: bool,
}

/// When two of them are equal, the file is the same.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: Option<SystemTime>,
}

impl Watched {
    /// Reads the hosts' keys for the first time. The error is a sentence.
    pub(crate) fn begin(data: PathBuf, keys: Keyring, tls: Option<Arc<Tls>>) -> Result<Self, String> {
        let mut watched = Self { data, keys, tls, seen: None, ends_too_late: false, has_complained: false };
        watched.seen = watched.stamp();
        let entries = hosts::read(&watched.data)?;
        watched.take(entries);
        Ok(watched)
    }

    /// Looks again and again, and at once when it is told to. Ends when nobody can tell it any more.
    pub(crate) fn run(mut self, told: &Receiver<()>) {
        while let Ok(()) | Err(RecvTimeoutError::Timeout) = told.recv_timeout(INTERVAL) {
            self.look();
            console::tell_repeats();
        }
        self.strike();
    }

    fn look(&mut self) {
        self.strike();
        let stamp = self.stamp();
        if stamp != self.seen {
            self.seen = stamp;
            match hosts::read(&self.data) {
                Ok(entries) => {
                    announce(&format_args!("the keys were read again; keys of hosts: {}", entries.len()));
                    self.take(entries);
                }
                Err(why) => complain(&format_args!("{why}; the keys stay as they were")),
            }
        }
        match self.tls.as_deref().map_or(Change::None, Tls::look) {
            Change::None => {}
            Change::Taken => {
                announce(&"the new certificate is in use");
                let warnings = self.tls.as_deref().map(|tls| tls.warnings(Timestamp::now())).unwrap_or_default();
                for warning in &warnings {
                    complain(warning);
                }
            }
            Change::Refused(why) => complain(&format_args!("{why}; the earlier certificate stays in use")),
        }
    }

    /// Takes the keys of the file into use.
    fn take(&mut self, mut entries: Vec<Entry>) {
        self.ends_too_late = hosts::shorten(&mut entries, Timestamp::now());
        self.keys.set_hosts(entries.into_iter().map(|entry| entry.key));
    }

    /// Takes the keys whose successors were used out of the file, too, and brings forward what ends too late.
    fn strike(&mut self) {
        let superseded = self.keys.superseded();
        if superseded.is_empty() && !self.ends_too_late {
            return;
        }
        let struck = hosts::change(&self.data, |all| {
            let now = Timestamp::now();
            hosts::strike(all, &superseded, now);
            hosts::shorten(all, now);
            Ok(())
        });
        match struck {
            Ok(()) => {
                self.keys.forget(&superseded);
                self.ends_too_late = false;
                self.has_complained = false;
            }
            // It is tried again at each look, and told once.
            Err(why) if !self.has_complained => {
                complain(&format_args!("{why}; until that succeeds, a restart brings the older keys back"));
                self.has_complained = true;
            }
            Err(_) => {}
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(hosts::file(&self.data)).ok()?;
        Some(Stamp { inode: metadata.ino(), size: metadata.len(), changed: metadata.modified().ok() })
    }
}
