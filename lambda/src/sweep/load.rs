//! What lists cannot tell: read side by side, as long as there is time; the rest is for the next sweep.

mod acks;
mod renamed;
mod turns;

use std::collections::BTreeMap;

use pulse_echo_core::answer::{Cause, Fault};
use pulse_echo_core::clock::Time;
use pulse_echo_core::etag::ETag;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::{self, Mute};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::{self, Pulse};
use pulse_echo_core::status::{FirstSeen, Limits, Message, Muted, Record, Turn};
use pulse_echo_core::store::{Error, Object, Store};

use super::lists::Folder;
use crate::ahead::Mender;
use crate::outbox::{give_words, words_wanted};
use crate::parallel;
use crate::round::Case;
use crate::verdict::Listed;
pub(super) use acks::load_acks;
use renamed::{INSTANCE, add_new_names};
use turns::in_turns;

/// How many objects are read at once.
const AT_ONCE: usize = 32;

/// How many objects that were read are held in memory at once; of each no more is kept than the verdict needs.
const IN_MEMORY: usize = 1_000;

/// The largest fault that is read, in bytes; the probe's own are far smaller.
const FAULT_LIMIT: u64 = 64 * 1024;

/// A host's last words: these of its pulse's metadata.
const WORDS: [&str; 8] =
    ["uptime-s", "load1", "mem-available-kb", "disk-free-pct", "disk-at", "sent-at", "agent", INSTANCE];

/// Brings the mutes that are known up to those that are listed. A new one that cannot be read now mutes until it is
/// read, in the next sweep: what is told cannot be taken back. One that the store refuses to give, again, mutes
/// nothing.
/// Tells how many are unread.
pub(super) fn load_mutes(
    store: &Store,
    listed: Folder,
    known: &mut BTreeMap<CheckId, Muted>,
    (now, mender): (Time, &mut Mender),
) -> usize {
    let Folder { found, cut } = listed;
    let listed: BTreeMap<CheckId, Listed> =
        found.into_iter().filter_map(|found| Some((found.rest.try_into().ok()?, found.listed))).collect();
    known.retain(|id, _| listed.contains_key(id) || cut.may_hide(id));
    let (same, new): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|(id, seen)| known.get(id).is_some_and(|known| seen.etag == *known.etag));
    // Put once more, it begins once more.
    for (id, seen) in same {
        known.entry(id).and_modify(|known| mender.mute(known, seen.at));
    }
    let unread_since = |id: &CheckId| known.get(id).filter(|known| known.etag.is_empty()).map(|known| known.at);
    let hosts: Vec<_> = new.iter().map(|(id, _)| (id.host().to_string(), unread_since(id).unwrap_or(now))).collect();
    let new = in_turns(new.into_iter().zip(&hosts).collect(), |(_, (host, since))| (host.as_str(), *since));
    let new: Vec<_> = new.into_iter().map(|(new, _)| new).collect();
    let read = parallel::map(&new, AT_ONCE, |(id, _)| store.get(&Key::mute(id), mute::SIZE_LIMIT));
    let mut unread = Unread::default();
    for ((id, seen), object) in new.into_iter().zip(read) {
        let since = known.get(&id).filter(|known| known.etag.is_empty()).map(|known| known.at);
        match unread.check(object) {
            Read::Was(object) => {
                let (listed, mut mute) = (object.last_modified, muted(&id, object));
                mender.mute(&mut mute, listed);
                known.insert(id, mute)
            }
            Read::Missing => None,
            Read::Refused if since.is_some() => {
                let mut mute = Muted { etag: seen.etag.into(), at: seen.at, for_s: 0, reason: None, listed: None };
                mender.mute(&mut mute, seen.at);
                known.insert(id, mute)
            }
            Read::Refused | Read::Failed => {
                let since = since.unwrap_or(now);
                let for_s = u32::try_from(since.age(now).as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                known.insert(id, Muted { etag: String::new(), at: since, for_s, reason: None, listed: None })
            }
        };
    }
    unread.count
}

/// A mute as it is kept. One that cannot be understood mutes nothing: it might never end.
fn muted(id: &CheckId, object: Object) -> Muted {
    let Mute { for_s, reason, .. } = Mute::from_json(&object.body.unwrap_or_default()).unwrap_or_else(|error| {
        log::warn!("{} mutes nothing: {error}", Key::mute(id));
        Mute::default()
    });
    Muted { etag: object.etag, at: object.last_modified, for_s, reason, listed: None }
}

/// Reads the faults and the pulses' limits that the verdicts need, the hosts in turns. Tells how many could not be
/// read.
pub(super) fn load_answers(store: &Store, cases: &mut [Case], now: Time) -> usize {
    let mut wants = Vec::new();
    for (place, Case { record, observation, .. }) in
        cases.iter().enumerate().filter(|(_, case)| !case.observation.is_hidden)
    {
        // Of a check the fault comes first: it is told, limits only tell when silence begins.
        wants.extend(observation.wants_fault(record.as_ref()).then_some(Want { place, is_fault: true }));
        wants.extend(observation.wants_limits(record.as_ref()).then_some(Want { place, is_fault: false }));
    }
    let since = |case: &Case| case.record.as_ref().and_then(|record| record.turn).map_or(now, |turn| turn.since);
    let wants = in_turns(wants, |want| (cases[want.place].id.host(), since(&cases[want.place])));
    let mut unread = Unread::default();
    for wants in wants.chunks(IN_MEMORY) {
        // What was read is reduced to what the verdict needs at once: a pulse may be large.
        let read = parallel::map(wants, AT_ONCE, |want| want.read(store, &cases[want.place]));
        for (want, read) in wants.iter().zip(read) {
            want.note(&mut cases[want.place], unread.check(read), now);
        }
    }
    unread.count
}

/// An object that the verdict on a check needs.
#[derive(Clone, Copy)]
struct Want {
    /// Which check.
    place: usize,
    /// Whether it is the fault, not the pulse.
    is_fault: bool,
}

/// As much of an object as the verdict needs.
enum Content {
    Fault(Box<Fault>),
    Limits(Limits),
}

impl Want {
    fn read(self, store: &Store, case: &Case) -> Result<(Listed, Content), Error> {
        let Case { id, record, .. } = case;
        let (key, limit) =
            if self.is_fault { (Key::fault(id), FAULT_LIMIT) } else { (Key::pulse(id), pulse::SIZE_LIMIT) };
        let object = store.get(&key, limit)?;
        let content = if self.is_fault {
            Content::Fault(Box::new(fault(&object)))
        } else {
            Content::Limits(limits(&object, record.as_ref()))
        };
        // It may be newer than the list.
        Ok((Listed { at: object.last_modified, etag: object.etag.into() }, content))
    }

    fn note(self, case: &mut Case, read: Read<(Listed, Content)>, now: Time) {
        let Case { record, observation, .. } = case;
        let before = record.as_ref().and_then(|record| record.turn);
        match read {
            Read::Was((seen, Content::Fault(mut fault))) => {
                let first = observation.ahead.as_ref().and_then(|ahead| ahead.fault);
                fault.pulse_at = counted(fault.pulse_at, None, now);
                observation.fault = Some(Listed { at: counted(seen.at, first, now), ..seen });
                observation.fault_read = Some(fault);
            }
            Read::Was((seen, Content::Limits(limits))) => {
                let first = observation.ahead.as_ref().and_then(|ahead| ahead.pulse);
                observation.pulse = Some(Listed { at: counted(seen.at, first, now), ..seen });
                observation.limits = Some(limits);
            }
            Read::Missing => {}
            Read::Refused if !self.is_fault && before.is_some_and(|turn| turn.refused) => {
                let etag = observation.pulse.as_ref().map(|pulse| pulse.etag.clone()).unwrap_or_default();
                observation.limits = Some(limits_without(etag, record.as_ref()));
            }
            read @ (Read::Refused | Read::Failed) => {
                let refused = !self.is_fault && matches!(read, Read::Refused);
                let turn =
                    observation.turn.get_or_insert(Turn { since: before.map_or(now, |turn| turn.since), refused });
                turn.refused |= refused;
            }
        }
    }
}

/// What an object that was read counts with. It may be newer than the list, of which `first` tells.
fn counted(at: Time, first: Option<FirstSeen>, now: Time) -> Time {
    match first {
        Some(FirstSeen { listed, counts }) if listed == at => counts,
        _ if at.is_ahead(now) => now,
        _ => at,
    }
}

/// What the verdict needs of a fault. One that cannot be understood is a fault all the same.
fn fault(object: &Object) -> Fault {
    let fault = Fault::from_json(object.body.as_deref().unwrap_or_default()).unwrap_or_else(|error| {
        Fault::new(Cause::Other, format!("the fault in the store cannot be read: {error}"), object.last_modified)
    });
    Fault { expected: None, got: None, pulse_id: None, url: None, ..fault }
}

/// A pulse's limits. If the pulse cannot be understood, which the probe reports: those of the pulse before.
fn limits(object: &Object, record: Option<&Record>) -> Limits {
    match Pulse::parse(object.body.as_deref().unwrap_or_default(), Unknown::Ignored) {
        Ok(pulse) => Limits::of(&pulse, object.etag.as_str().into()),
        Err(_) => limits_without(object.etag.as_str().into(), record),
    }
}

/// The limits of the pulse with this `ETag`, of which nothing is known: those of the pulse before, else the defaults.
fn limits_without(etag: ETag, record: Option<&Record>) -> Limits {
    match record.and_then(|record| record.limits.clone()) {
        Some(before) => Limits { etag, ..before },
        None => Limits::of(&Pulse::default(), etag),
    }
}

/// Reads the last words that messages wait for, the hosts in turns; those that waited since a sweep before do so no
/// longer.
pub(super) fn load_last_words(
    store: &Store,
    outbox: &mut [Message],
    checks: &BTreeMap<CheckId, Record>,
    now: Time,
) -> usize {
    let wanted = words_wanted(outbox);
    let wanted = in_turns(wanted.iter().collect(), |id: &&CheckId| (id.host(), now));
    // No more than the pulse's head is of use. There are never many: thousands are told without.
    let read = parallel::map(&wanted, AT_ONCE, |id| store.get(&Key::pulse(id), 0));
    let (mut unread, mut words) = (Unread::default(), Vec::new());
    for (id, object) in wanted.iter().zip(read) {
        if let Read::Was(object) = unread.check(object) {
            let kept = |(name, _): &(String, String)| WORDS.contains(&name.as_str());
            words.push(((*id).clone(), object.metadata.into_iter().filter(kept).collect::<Metadata>()));
        }
    }
    add_new_names(store, checks, &mut words);
    for (id, mut words) in words {
        words.remove(INSTANCE);
        give_words(outbox, &id, &words);
    }
    for message in outbox.iter_mut().filter(|message| message.at < now) {
        message.waits = false;
    }
    unread.count
}

/// What became of a read.
enum Read<T> {
    /// It was read.
    Was(T),
    /// It is no longer there, and not missed.
    Missing,
    /// The store refused, and would again.
    Refused,
    /// The store did not answer, was in trouble, or there was no time to ask.
    Failed,
}

/// Counts what could not be read, and logs the first of it: a thousand lines would say no more.
#[derive(Default)]
struct Unread {
    count: usize,
}

impl Unread {
    fn check<T>(&mut self, read: Option<Result<T, Error>>) -> Read<T> {
        let error = match read {
            Some(Ok(object)) => return Read::Was(object),
            Some(Err(error)) if error.is_missing() => return Read::Missing,
            Some(Err(error)) => Some(error),
            None => None,
        };
        if let Some(error) = error.as_ref().filter(|_| self.count == 0) {
            log::warn!("{error}");
        }
        self.count += 1;
        if error.is_some_and(|error| error.is_refusal()) { Read::Refused } else { Read::Failed }
    }
}
