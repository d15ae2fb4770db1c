//! `mute` and `unmute`: no messages about a check, a host, or what a pattern fits, for a while.

use std::time::Duration;

use super::args::{Arguments, Mute, Unmute};
use super::duration;
use super::exit::{Exit, Failure};
use super::fleet::{Fleet, expect_known};
use super::look::{self, Look};
use super::operator::{check_reason, who, with_store};
use super::output::{complain, print};
use super::target::stands_for;
use super::terminal::Terminal;
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::{self, SIZE_LIMIT};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pattern::Pattern;
use pulse_echo_core::status::{Acked, Muted};
use pulse_echo_core::store::{Condition, Object, Store};
use pulse_echo_core::text::printable;
use pulse_echo_core::words;

/// For how long a mute that is over stays, for people to look at.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Runs `mute`.
pub fn command(arguments: &Arguments, options: &Mute, environment: Environment) -> Exit {
    match options {
        Mute { target: None, for_s: None, reason: None, list: true, .. } => {
            with_store(arguments, environment, |store| list(store, &Terminal::of_stdout(environment)))
        }
        Mute { target: Some(_), for_s: Some(for_s), reason, list: false, .. } => {
            if let Err(message) = check_reason(reason.as_deref()) {
                complain(&message);
                return Exit::Usage;
            }
            let mute = mute::Mute { for_s: *for_s, reason: reason.clone(), by: who(environment) };
            with_store(arguments, environment, |store| put(store, options, &mute, arguments.quiet))
        }
        _ => {
            complain(&"mute needs an ID and --for, such as: pulse-echo mute web-1 --for 2h; or --list alone");
            Exit::Usage
        }
    }
}

/// Runs `unmute`.
pub fn unmute(arguments: &Arguments, options: &Unmute, environment: Environment) -> Exit {
    with_store(arguments, environment, |store| delete(store, options, arguments.quiet))
}

fn put(store: &Store, options: &Mute, mute: &mute::Mute, is_quiet: bool) -> Result<(), Failure> {
    let fleet = Fleet::read(store);
    let Some(target) = &options.target else { return Ok(()) };
    let id = target.among(fleet.as_ref().ok().map(|fleet| &fleet.status));
    if !options.anyway {
        expect_known(&id, &fleet, store)?;
    }
    store.put(&Key::mute(&id), "application/json", &mute.to_json(), &Metadata::new(), &Condition::Always)?;
    if !is_quiet {
        let all = match Pattern::of(&id) {
            Some(pattern) if pattern.to_string().contains('/') => " (all checks that it fits)",
            Some(_) => " (all hosts that it fits, with all their checks)",
            None if id.default_of_host() == id => " and all checks of this host",
            None => "",
        };
        let time = duration::show(mute.for_s);
        print(&format!("muted {id}{all} for {time}: nothing is told; what is down at its end is told then"));
    }
    clear(store, &fleet, &id);
    Ok(())
}

fn delete(store: &Store, options: &Unmute, is_quiet: bool) -> Result<(), Failure> {
    let fleet = Fleet::read(store);
    let id = options.target.among(fleet.as_ref().ok().map(|fleet| &fleet.status));
    let object = match look::look(store, &Key::mute(&id), SIZE_LIMIT)? {
        Look::There(object) => Some(object),
        Look::Missing | Look::Denied => None,
    };
    if object.is_none() && !options.anyway {
        expect_known(&id, &fleet, store)?;
    }
    let was_muted = object.is_some_and(|object| object.date < muted(&object).until());
    store.delete(&Key::mute(&id), &Condition::Always)?;
    let others = listed(store, &fleet);
    let other = others.iter().flat_map(|others| &others.mutes).find(|mute| mute.id != id && stands_for(&mute.id, &id));
    if let Some(Listed { id: other, .. }) = other {
        let (with, quote) = if Pattern::of(other).is_some() { ("by the pattern", "'") } else { ("with its host", "") };
        return Err(format!("{id} is still muted {with}; to end that: pulse-echo unmute {quote}{other}{quote}").into());
    }
    if was_muted && !is_quiet {
        print(&format!("unmuted {id}: what is down is told with the next sweep"));
    }
    if !was_muted {
        complain(&format_args!("note: {id} was not muted"));
    }
    clear(store, &fleet, &id);
    Ok(())
}

/// The running mutes, the first to end first.
struct Mutes {
    mutes: Vec<Listed>,
    /// Whether the store itself was asked. Else they are those that the last sweep knew.
    are_all: bool,
}

/// A running mute.
struct Listed {
    id: CheckId,
    mute: Muted,
    left: Duration,
    is_read: bool,
}

/// The running mutes: those that lie in the store, and if it does not list them, those that the last sweep knew.
fn listed(store: &Store, fleet: &Result<Fleet, String>) -> Result<Mutes, String> {
    let known = fleet.as_ref().ok().map(|fleet| &fleet.status.mutes);
    let (mut mutes, mut now) = (Vec::new(), fleet.as_ref().ok().map(|fleet| fleet.now));
    let below = match (store.below("mute/"), known) {
        (Ok(below), _) => below,
        (Err(error), None) => return Err(error.to_string()),
        (Err(_), Some(known)) => {
            let mutes = known.iter().map(|(id, mute)| (id.clone(), mute.clone(), true)).collect();
            return Ok(running(mutes, now, false));
        }
    };
    for entry in below.into_iter().filter(|entry| !is_of_another_kind(&entry.rest)) {
        let Ok(id) = CheckId::try_from(entry.rest) else { continue };
        match known.and_then(|known| known.get(&id)).filter(|mute| mute.etag == entry.etag) {
            // One that is ahead of the store's clock counts from when a sweep saw it.
            Some(mute) if mute.listed == Some(entry.at) => mutes.push((id, mute.clone(), true)),
            Some(mute) => mutes.push((id, Muted { at: entry.at, ..mute.clone() }, true)),
            None => {
                if let Ok(Look::There(object)) = look::look(store, &Key::mute(&id), SIZE_LIMIT) {
                    now = now.max(Some(object.date));
                    mutes.push((id, muted(&object), false));
                }
            }
        }
    }
    Ok(running(mutes, now, true))
}

fn running(mutes: Vec<(CheckId, Muted, bool)>, now: Option<Time>, are_all: bool) -> Mutes {
    let left = |mute: &Muted| now.map_or(Duration::ZERO, |now| now.age(mute.until()));
    let mutes = mutes.into_iter().map(|(id, mute, is_read)| Listed { id, left: left(&mute), mute, is_read });
    let mut mutes: Vec<_> = mutes.filter(|listed| !listed.left.is_zero()).collect();
    mutes.sort_by_key(|listed| listed.left);
    Mutes { mutes, are_all }
}

/// `.ack` and `.weekly` beside a mute are no mutes.
fn is_of_another_kind(rest: &str) -> bool {
    matches!(rest.rsplit_once('.'), Some((_, "ack" | "weekly")))
}

/// The mute in an object. A body that is no mute mutes nothing.
fn muted(object: &Object) -> Muted {
    let mute = object.body.as_deref().and_then(|body| mute::Mute::from_json(body).ok()).unwrap_or_default();
    Muted { etag: object.etag.clone(), at: object.last_modified, for_s: mute.for_s, reason: mute.reason, listed: None }
}

/// Deletes what has been over for a day, as far as the sweeps have read it. It is only tidied up: a failure is none of
/// the command's.
fn clear(store: &Store, fleet: &Result<Fleet, String>, but: &CheckId) {
    let Ok(fleet @ Fleet { status, now }) = fleet else { return };
    let is_over = |(id, mute): &(&CheckId, &Muted)| {
        mute.for_s > 0 && mute.until() + KEPT < *now && !is_of_another_kind(id.as_str()) && *id != but
    };
    let mutes = status.mutes.iter().filter(is_over).map(|(id, mute)| (Key::mute(id), &mute.etag));
    let void =
        status.acks.iter().filter(|(check, ack)| void_since(check, ack, fleet).is_some_and(|at| at + KEPT < *now));
    for (key, etag) in mutes.chain(void.map(|(check, ack)| (Key::ack(check), &ack.etag))) {
        // Another operator may put it anew right now.
        if let Err(error) = store.delete(&key, &Condition::IfMatch(etag.clone())) {
            log::debug!("{error}");
        }
    }
}

/// Since when the outage of an acknowledgement is surely over; `None` while it lasts.
fn void_since(check: &CheckId, ack: &Acked, fleet: &Fleet) -> Option<Time> {
    let alike = fleet.status.checks.iter().filter(|(id, _)| id.shown() == check.shown());
    let mut since = ack.at;
    for (_, record) in alike {
        match record.outage.as_deref() {
            Some(outage) if ack.is_of(outage) => return None,
            // The one before was over when this one began.
            Some(outage) => since = since.max(outage.since),
            None => since = since.max(record.since),
        }
    }
    Some(since)
}

/// Lists the running mutes.
fn list(store: &Store, terminal: &Terminal) -> Result<(), String> {
    let fleet = Fleet::read(store);
    let Mutes { mutes, are_all } = listed(store, &fleet)?;
    let names: Vec<_> = mutes.iter().map(|listed| listed.id.to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, Listed { mute, left, is_read, .. }) in names.iter().zip(&mutes) {
        let reason = mute.reason.as_deref().unwrap_or("(no reason given)");
        let unread = if *is_read { "" } else { " (no sweep has read it yet)" };
        let beginning = format!("{name:<width$}  {:>7} more, ", words::duration(*left));
        let text = format!("until {}: {}{unread}", mute.until(), printable(reason));
        print(&terminal.wrapped(&beginning, &text, width + 2));
    }
    if mutes.is_empty() {
        print("nothing is muted");
    }
    if let (false, Ok(fleet)) = (are_all, &fleet) {
        let written = fleet.status.written;
        print(&terminal.wrapped("", &format!("(as of {written}; a mute shows here after the next sweep)"), 2));
    }
    Ok(())
}
