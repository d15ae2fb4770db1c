//! What lists cannot tell: read side by side, as long as there is time; the rest is for the next sweep.

use std::collections::BTreeMap;

use pulse_echo_core::answer::{Cause, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::{self, Mute};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{self, Pulse};
use pulse_echo_core::status::{Limits, Message, Muted, Record};
use pulse_echo_core::store::{Error, Object, Store};

use super::lists::Found;
use crate::outbox::{give_words, words_wanted};
use crate::parallel;
use crate::round::Case;
use crate::verdict::Listed;

/// How many objects are read at once.
const AT_ONCE: usize = 32;

/// How many objects that were read are held in memory at once; of each no more is kept than the verdict needs.
const IN_MEMORY: usize = 1_000;

/// The largest fault that is read, in bytes; the probe's own are far smaller.
const FAULT_LIMIT: u64 = 64 * 1024;

/// A host's last words: these of its pulse's metadata.
const WORDS: [&str; 6] = ["uptime-s", "load1", "mem-available-kb", "disk-free-pct", "sent-at", "agent"];

/// Brings the mutes that are known up to those that are listed. A new one that cannot be read now mutes until it is
/// read, in the next sweep: what is told cannot be taken back. Tells how many those are.
pub(super) fn load_mutes(store: &Store, listed: Vec<Found>, known: &mut BTreeMap<CheckId, Muted>, now: Time) -> usize {
    let listed: BTreeMap<CheckId, Listed> =
        listed.into_iter().filter_map(|found| Some((found.rest.try_into().ok()?, found.listed))).collect();
    known.retain(|id, _| listed.contains_key(id));
    let (same, new): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|(id, seen)| known.get(id).is_some_and(|known| known.etag == seen.etag));
    // Put once more, it begins once more.
    for (id, seen) in same {
        known.entry(id).and_modify(|known| known.at = seen.at);
    }
    let read = parallel::map(&new, AT_ONCE, |(id, _)| store.get(&Key::mute(id), mute::SIZE_LIMIT));
    let mut unread = Unread::default();
    for ((id, _), object) in new.into_iter().zip(read) {
        let before = unread.count;
        if let Some(object) = unread.check(object) {
            known.insert(id.clone(), muted(&id, object));
        } else if unread.count > before {
            known.insert(id, Muted { etag: String::new(), at: now, for_s: 1, reason: None });
        }
    }
    unread.count
}

/// A mute as it is kept. One that cannot be understood mutes nothing: it might never end.
fn muted(id: &CheckId, object: Object) -> Muted {
    let Mute { for_s, reason } = Mute::from_json(&object.body.unwrap_or_default()).unwrap_or_else(|error| {
        log::warn!("{} mutes nothing: {error}", Key::mute(id));
        Mute::default()
    });
    Muted { etag: object.etag, at: object.last_modified, for_s, reason }
}

/// Reads the faults and the pulses' limits that the verdicts need. Tells how many could not be read.
pub(super) fn load_answers(store: &Store, cases: &mut [Case]) -> usize {
    let all = || cases.iter().enumerate();
    let faults = all().filter(|(_, case)| case.observation.wants_fault(case.record.as_ref())).map(|(n, _)| (n, true));
    let pulses = all().filter(|(_, case)| case.observation.wants_limits(case.record.as_ref())).map(|(n, _)| (n, false));
    // A fault is told; limits only tell when silence begins.
    let wants: Vec<_> = faults.chain(pulses).collect();
    let mut unread = Unread::default();
    for wants in wants.chunks(IN_MEMORY) {
        let read = parallel::map(wants, AT_ONCE, |&(n, is_fault)| match &cases[n].id {
            id if is_fault => store.get(&Key::fault(id), FAULT_LIMIT),
            id => store.get(&Key::pulse(id), pulse::SIZE_LIMIT),
        });
        for (&(n, is_fault), object) in wants.iter().zip(read) {
            let Some(object) = unread.check(object) else { continue };
            let case = &mut cases[n];
            // It may be newer than the list.
            let seen = Some(Listed { at: object.last_modified, etag: object.etag.clone() });
            if is_fault {
                case.observation.fault_read = Some(Box::new(fault(&object)));
                case.observation.fault = seen;
            } else {
                case.observation.limits = Some(limits(&object, case.record.as_ref()));
                case.observation.pulse = seen;
            }
        }
    }
    unread.count
}

/// What a fault says. One that cannot be understood is a fault all the same.
fn fault(object: &Object) -> Fault {
    Fault::from_json(object.body.as_deref().unwrap_or_default()).unwrap_or_else(|error| {
        Fault::new(Cause::Other, format!("the fault in the store cannot be read: {error}"), object.last_modified)
    })
}

/// A pulse's limits. If the pulse cannot be read, which the probe reports: the last known limits, or the defaults.
fn limits(object: &Object, record: Option<&Record>) -> Limits {
    let pulse = Pulse::parse(object.body.as_deref().unwrap_or_default(), Unknown::Ignored);
    let before = record.and_then(|record| record.limits.clone());
    match (pulse, before) {
        (Err(_), Some(before)) => Limits { etag: object.etag.clone(), ..before },
        (pulse, _) => Limits::of(&pulse.unwrap_or_default(), object.etag.clone()),
    }
}

/// Reads the last words that messages wait for; those that waited since a sweep before do so no longer.
pub(super) fn load_last_words(store: &Store, outbox: &mut [Message], now: Time) -> usize {
    let wanted: Vec<_> = words_wanted(outbox).into_iter().collect();
    // No more than the pulse's head is of use. There are never many: thousands are told without.
    let read = parallel::map(&wanted, AT_ONCE, |id| store.get(&Key::pulse(id), 0));
    let mut unread = Unread::default();
    for (id, object) in wanted.iter().zip(read) {
        if let Some(object) = unread.check(object) {
            let kept = |(name, _): &(String, String)| WORDS.contains(&name.as_str());
            give_words(outbox, id, &object.metadata.into_iter().filter(kept).collect::<Metadata>());
        }
    }
    for message in outbox.iter_mut().filter(|message| message.at < now) {
        message.waits = false;
    }
    unread.count
}

/// Counts what could not be read, and logs the first of it: a thousand lines would say no more.
#[derive(Default)]
struct Unread {
    count: usize,
}

impl Unread {
    /// The object, if it was read. One that is no longer there is not missed.
    fn check(&mut self, read: Option<Result<Object, Error>>) -> Option<Object> {
        match read {
            Some(Ok(object)) => return Some(object),
            Some(Err(error)) if error.is_missing() => return None,
            Some(Err(error)) if self.count == 0 => log::warn!("{error}"),
            Some(Err(_)) | None => {}
        }
        self.count += 1;
        None
    }
}
