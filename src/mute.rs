//! `mute` and `unmute`: no messages about a check, or about a host, for a while.

use super::args::{Arguments, Mute, Unmute};
use super::duration;
use super::exit::Exit;
use super::fleet::{Fleet, doubt};
use super::look::{self, Look};
use super::operator::with_store;
use super::output::{complain, print};
use super::target::Target;
use super::terminal::Terminal;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::{self, SIZE_LIMIT};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Store};
use pulse_echo_core::text::printable;
use pulse_echo_core::words;

/// Runs `mute`.
pub fn command(arguments: &Arguments, options: &Mute, environment: Environment) -> Exit {
    match options {
        Mute { target: None, for_s: None, reason: None, list: true } => {
            with_store(arguments, environment, |store| list(store, &Terminal::of_stdout(environment)))
        }
        Mute { target: Some(target), for_s: Some(for_s), reason, list: false } => {
            let mute = mute::Mute { for_s: *for_s, reason: reason.clone() };
            with_store(arguments, environment, |store| put(store, target, &mute, arguments.quiet))
        }
        _ => {
            complain(&"mute needs an ID and --for, such as: pulse-echo mute web-1 --for 2h; or --list alone");
            Exit::Usage
        }
    }
}

/// Runs `unmute`.
pub fn unmute(arguments: &Arguments, options: &Unmute, environment: Environment) -> Exit {
    with_store(arguments, environment, |store| delete(store, &options.target, arguments.quiet))
}

fn put(store: &Store, target: &Target, mute: &mute::Mute, is_quiet: bool) -> Result<(), String> {
    let fleet = Fleet::read(store);
    let id = target.among(fleet.as_ref().ok().map(|fleet| &fleet.status));
    let put = store.put(&Key::mute(&id), "application/json", &mute.to_json(), &Metadata::new(), &Condition::Always);
    put.map_err(|error| error.to_string())?;
    if !is_quiet {
        let all = if id.default_of_host() == id { " and all checks of this host" } else { "" };
        let time = duration::show(mute.for_s);
        print(&format!("muted {id}{all} for {time}: nothing is told; what is down at its end is told then"));
    }
    if let Some(doubt) = doubt(&id, &fleet) {
        complain(&format_args!("{doubt}; it is muted all the same"));
    }
    Ok(())
}

fn delete(store: &Store, target: &Target, is_quiet: bool) -> Result<(), String> {
    let fleet = Fleet::read(store);
    let id = target.among(fleet.as_ref().ok().map(|fleet| &fleet.status));
    let was_muted = lasts(store, &id)?;
    store.delete(&Key::mute(&id), &Condition::Always).map_err(|error| error.to_string())?;
    let host = id.default_of_host();
    if host != id && lasts(store, &host)? {
        return Err(format!("{id} is still muted with its host; to end that: pulse-echo unmute {host}"));
    }
    if was_muted && !is_quiet {
        print(&format!("unmuted {id}: what is down is told with the next sweep"));
    }
    if !was_muted {
        complain(&format_args!("note: {id} was not muted"));
        if let Some(doubt) = doubt(&id, &fleet) {
            complain(&doubt);
        }
    }
    Ok(())
}

/// Whether a mute of exactly this id is still running.
fn lasts(store: &Store, id: &CheckId) -> Result<bool, String> {
    let object = match look::look(store, &Key::mute(id), SIZE_LIMIT).map_err(|error| error.to_string())? {
        Look::There(object) => object,
        Look::Missing | Look::Denied => return Ok(false),
    };
    let mute = object.body.and_then(|body| mute::Mute::from_json(&body).ok());
    Ok(mute.is_some_and(|mute| object.date < object.last_modified + mute.lasts()))
}

/// Lists the running mutes, the first to end first.
fn list(store: &Store, terminal: &Terminal) -> Result<(), String> {
    let Fleet { status, now } = Fleet::read(store).map_err(|why| {
        format!(
            "{why}; the mutes are the objects below mute/: aws s3 ls --recursive s3://{}/mute/",
            store.bucket_name()
        )
    })?;
    let mut mutes: Vec<_> = status.mutes.iter().filter(|(_, mute)| now < mute.until()).collect();
    mutes.sort_by_key(|(_, mute)| mute.until());
    let names: Vec<_> = mutes.iter().map(|(id, _)| id.to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, (_, mute)) in names.iter().zip(&mutes) {
        let (left, reason) =
            (words::duration(now.age(mute.until())), mute.reason.as_deref().unwrap_or("(no reason given)"));
        let beginning = format!("{name:<width$}  {left:>7} more, ");
        let text = format!("until {}: {}", mute.until(), printable(reason));
        print(&terminal.wrapped(&beginning, &text, width + 2));
    }
    if mutes.is_empty() {
        print("nothing is muted");
    }
    print(&terminal.wrapped("", &format!("(as of {}; a mute shows here after the next sweep)", status.written), 2));
    Ok(())
}
