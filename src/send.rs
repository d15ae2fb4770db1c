//! `send`: upload this host's pulses; with `--retire`, delete them.

use std::time::Duration;

use jiff::Timestamp;

use super::args::{Arguments, Send};
use super::exit::Exit;
use super::pulses::{self, PulseFile};
use super::settings::{Settings, Sources};
use super::{Environment, complain, machine, print, splay};
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::Key;
use pulse_echo_core::pulse::{Metadata, Sending};
use pulse_echo_core::random;
use pulse_echo_core::store::{Condition, Error, Store, Taken};

/// Runs `send`.
pub fn command(arguments: &Arguments, options: &Send, environment: Environment) -> Exit {
    if options.splay > 0 {
        // The name is all that is needed; whatever else is read, is read when it is used.
        match Sources::read(arguments, environment).and_then(|sources| sources.host()) {
            Ok(host) => splay::wait(&host, options.splay),
            Err(message) => {
                complain(&message);
                return Exit::Usage;
            }
        }
    }
    if options.retire {
        return retire(arguments, options, environment);
    }
    let read = Settings::gather(arguments, environment).and_then(|settings| {
        let pulses = pulses::read(&settings, options.pulse.as_deref(), options.name.as_deref())?;
        Ok((settings, pulses))
    });
    let (settings, pulses) = match read {
        Ok(read) => read,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let (mut refused, mut failed) = (false, false);
    for pulse in pulses {
        let file = match pulse {
            Ok(file) => file,
            Err(message) => {
                complain(&message);
                refused = true;
                continue;
            }
        };
        match send(&settings.store, &file) {
            Ok(sent) if !arguments.quiet => print(&sent.to_string()),
            Ok(_) => {}
            Err(error) => {
                complain(&error);
                failed = true;
            }
        }
    }
    match (failed, refused) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Usage,
        (false, false) => Exit::Ok,
    }
}

/// Says goodbye: deletes this host's own pulses. Their answers are not a host's to delete.
fn retire(arguments: &Arguments, options: &Send, environment: Environment) -> Exit {
    let read = Settings::gather(arguments, environment).and_then(|settings| {
        let ids = pulses::ids(&settings, options.pulse.as_deref(), options.name.as_deref())?;
        Ok((settings, ids))
    });
    let (settings, ids) = match read {
        Ok(read) => read,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let mut exit = Exit::Ok;
    for key in ids.iter().map(Key::pulse) {
        match settings.store.delete(&key, &Condition::Always) {
            Ok(()) if !arguments.quiet => print(&format!("deleted {key} in bucket {}", settings.store.bucket_name())),
            Ok(()) => {}
            Err(error) => {
                complain(&error);
                exit = Exit::Failed;
            }
        }
    }
    exit
}

/// A pulse that the store has taken.
pub struct Sent {
    /// Its id, by which its answer is known.
    pub pulse_id: String,
    /// What the store's answer told.
    pub taken: Taken,
    key: Key,
    bucket: String,
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, bucket, taken, .. } = self;
        write!(f, "sent {key} to bucket {bucket} in {}", millis(taken.rtt))
    }
}

/// A duration as messages show it.
pub fn millis(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

/// Uploads a pulse under a new id.
pub fn send(store: &Store, file: &PulseFile) -> Result<Sent, Error> {
    let pulse_id = random::id();
    let key = Key::pulse(&file.id);
    log::debug!("put {key}: {} bytes, pulse-id {pulse_id}", file.text.len());
    let metadata = metadata(&pulse_id);
    let taken = store.put(&key, "application/json", &file.text, &metadata, &Condition::Always)?;
    Ok(Sent { pulse_id, taken, key, bucket: store.bucket_name().into() })
}

/// What is said of a sending, now.
fn metadata(pulse_id: &str) -> Metadata {
    Sending {
        pulse_id: Some(pulse_id.into()),
        sent_at: Some(Time::of(Timestamp::now())),
        agent: Some(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")).into()),
        instance: machine::instance(),
        vitals: machine::vitals(),
    }
    .to_metadata()
}
