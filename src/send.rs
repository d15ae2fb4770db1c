//! `send`: upload this host's pulses; with `--retire`, delete them.

use std::io::IsTerminal;
use std::time::Duration;

use log::LevelFilter;

use super::args::{Arguments, Send};
use super::exit::Exit;
use super::goodbye::{put_note, there};
use super::output::{complain, print};
use super::pulses::{self, PulseFile};
use super::settings::{Settings, Sources};
use super::{daily, machine, namesake, splay};
use pulse_echo_core::clock::{self, Time};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::job::Job;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::Sending;
use pulse_echo_core::random;
use pulse_echo_core::store::{Condition, Error, Store, Taken};

/// How many refused files are named: each has its own reason.
const REFUSALS: usize = 10;

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
        let note = Key::retire(&CheckId::new(&settings.host, None));
        let ids = pulses::ids(&settings, file, name)?;
        // The pulse of one file is retired alone.
        let note = if let (Some(_), [id]) = (file, &ids[..]) { Key::retire(id) } else { note };
        if options.dry_run {
            for key in ids.iter().map(Key::pulse) {
                print(&format!("would delete {key} in bucket {}", settings.store.bucket_name()));
            }
            print(&format!("would put the note {note}: it leaves on purpose"));
            return Ok(Exit::Ok);
        }
        return Ok(retire(&settings.store, &note, &ids, arguments.quiet).unwrap_or_else(|error| {
            complain(&error);
            Exit::Failed
        }));
    }
    let pulses = pulses::read(&settings, file, name)?;
    let every = pulses.iter().flatten().map(|file| file.pulse.every_s).min().unwrap_or_default();
    let is_due = daily::is_due(clock::now(), Duration::from_secs(every.into()));
    if !is_due && !std::io::stderr().is_terminal() && !arguments.verbose {
        // What was sent all the same need not be mailed with each run.
        log::set_max_level(LevelFilter::Error);
    }
    if let Some(warning) = &settings.warning {
        log::warn!("{warning}");
    }
    let exit = send_all(&settings.store, &pulses, arguments.quiet);
    if let Some(id) = due(&pulses).filter(|id| exit == Exit::Ok && namesake::answers_another(&settings.store, id)) {
        complain(&format_args!("another machine sends as {id}, too: {}", namesake::REMEDY));
    }
    Ok(exit)
}

/// The check of which this run, once a day, looks whether another machine sends it. The last: its own pulse has no
/// answer yet.
fn due(pulses: &[Result<PulseFile, String>]) -> Option<&CheckId> {
    let now = clock::now();
    let is_due = |file: &&PulseFile| daily::is_due(now, Duration::from_secs(file.pulse.every_s.into()));
    pulses.iter().flatten().rfind(is_due).map(|file| &file.id)
}

/// Sends the pulses, until an answer of the store settles that none can be sent. Failures of one kind are a sum.
fn send_all(store: &Store, pulses: &[Result<PulseFile, String>], is_quiet: bool) -> Exit {
    let mut refused = Vec::new();
    let mut failed: Vec<(Error, usize)> = Vec::new();
    let mut left = pulses.iter();
    while let Some(pulse) = left.next() {
        match pulse.as_ref().map(|file| send(store, file)) {
            Ok(Ok(sent)) if !is_quiet => print(&sent.to_string()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let others = if error.settles() { left.by_ref().flatten().count() } else { 0 };
                match failed.iter_mut().find(|(known, _)| known.is_like(&error)) {
                    Some((_, more)) => *more += 1 + others,
                    None => failed.push((error, others)),
                }
            }
            Err(message) => refused.push(message),
        }
    }
    for message in refused.iter().take(REFUSALS) {
        complain(message);
    }
    if let Some(more) = refused.len().checked_sub(REFUSALS).filter(|more| *more > 0) {
        complain(&format_args!("{more} more pulse files are refused"));
    }
    for (error, more) in &failed {
        match more {
            0 => complain(error),
            1 => complain(&format_args!("{error}; one more pulse was not sent for this reason")),
            more => complain(&format_args!("{error}; {more} more pulses were not sent for this reason")),
        }
    }
    match (failed.is_empty(), refused.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Usage,
        (true, true) => Exit::Ok,
    }
}

/// Says goodbye: puts the note, deletes this host's own pulses, and puts the note again, since it speaks for pulses
/// that are not newer. A host may not delete their answers.
fn retire(store: &Store, note: &Key, ids: &[CheckId], is_quiet: bool) -> Result<Exit, Error> {
    let say = |line: String| {
        if !is_quiet {
            print(&line);
        }
    };
    // Without the right to put it, the pulses are deleted all the same.
    let mut unnoted = put_note(store, note).err();
    let bucket = store.bucket_name();
    for key in ids.iter().map(Key::pulse) {
        match &there(store, std::iter::once(key.clone()))?[..] {
            [(key, certain)] => {
                store.delete(key, &Condition::Always)?;
                say(format!("deleted {key} in bucket {bucket}{certain}"));
            }
            _ => say(format!("{key} was not in bucket {bucket}")),
        }
    }
    if unnoted.is_none() {
        unnoted = put_note(store, note).err();
    }
    match unnoted {
        None => {
            say(format!("put the note {note}: it leaves on purpose"));
            Ok(Exit::Ok)
        }
        Some(error) => Err(error),
    }
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
    send_of(store, file, None)
}

/// The same with the outcome of the job whose pulse it is.
pub fn send_of(store: &Store, file: &PulseFile, job: Option<Job>) -> Result<Sent, Error> {
    let pulse_id = random::id();
    let key = Key::pulse(&file.id);
    log::debug!("put {key}: {} bytes, pulse-id {pulse_id}", file.text.len());
    let metadata = metadata(&pulse_id, job);
    let taken = store.put(&key, "application/json", &file.text, &metadata, &Condition::Always)?;
    Ok(Sent { pulse_id, taken, key, bucket: store.bucket_name().into() })
}

/// The metadata of a pulse sent now.
fn metadata(pulse_id: &str, job: Option<Job>) -> Metadata {
    Sending {
        pulse_id: Some(pulse_id.into()),
        sent_at: Some(Time::of(clock::now())),
        agent: Some(concat!("pulse-echo/", env!("CARGO_PKG_VERSION")).into()),
        instance: machine::instance(),
        vitals: machine::vitals().clone(),
        job,
    }
    .to_metadata()
}
