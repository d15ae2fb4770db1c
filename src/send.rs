//! `send`: upload this host's pulses; with `--retire`, delete them.

use std::time::Duration;

use jiff::Timestamp;

use super::args::{Arguments, Send};
use super::exit::Exit;
use super::output::{complain, print};
use super::pulses::{self, PulseFile};
use super::settings::{Settings, Sources};
use super::{daily, machine, namesake, splay};
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::Sending;
use pulse_echo_core::random;
use pulse_echo_core::store::{Condition, Error, Store, Taken};

/// Runs `send`.
pub fn command(arguments: &Arguments, options: &Send, environment: Environment) -> Exit {
    attempt(arguments, options, environment).unwrap_or_else(|message| {
        complain(&message);
        Exit::Usage
    })
}

/// Sends all pulses. The error is a mistake in usage or configuration that stops everything.
fn attempt(arguments: &Arguments, options: &Send, environment: Environment) -> Result<Exit, String> {
    if options.splay > 0 {
        // Only the name is needed now. Everything else is read after the wait, when it is used.
        splay::wait(&Sources::read(arguments, environment)?.host()?, options.splay);
    }
    let settings = Settings::gather(arguments, environment)?;
    let (file, name) = (options.pulse.as_deref(), options.name.as_deref());
    if options.retire {
        return Ok(retire(&settings, &pulses::ids(&settings, file, name)?, arguments.quiet));
    }
    let pulses = pulses::read(&settings, file, name)?;
    let due = due(&pulses);
    let exit = send_all(&settings, pulses, arguments.quiet);
    if let Some(id) = due.filter(|id| exit == Exit::Ok && namesake::answers_another(&settings.store, id)) {
        complain(&format_args!("another machine sends as {id}, too: {}", namesake::REMEDY));
    }
    Ok(exit)
}

/// The check of which this run, once a day, looks whether another machine sends it. The last: its own pulse has no
/// answer yet.
fn due(pulses: &[Result<PulseFile, String>]) -> Option<CheckId> {
    let now = Timestamp::now();
    let is_due = |file: &&PulseFile| daily::is_due(now, Duration::from_secs(file.pulse.every_s.into()));
    pulses.iter().flatten().rfind(is_due).map(|file| file.id.clone())
}

fn send_all(settings: &Settings, pulses: Vec<Result<PulseFile, String>>, is_quiet: bool) -> Exit {
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
            Ok(sent) if !is_quiet => print(&sent.to_string()),
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

/// Says goodbye: deletes this host's own pulses. A host may not delete their answers.
fn retire(settings: &Settings, ids: &[CheckId], is_quiet: bool) -> Exit {
    let mut exit = Exit::Ok;
    for key in ids.iter().map(Key::pulse) {
        match settings.store.delete(&key, &Condition::Always) {
            Ok(()) if !is_quiet => print(&format!("deleted {key} in bucket {}", settings.store.bucket_name())),
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
    /// Its id, which its answer repeats.
    pub pulse_id: String,
    /// The store's answer.
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

/// Shows a duration in messages.
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

/// The metadata of a pulse sent now.
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
