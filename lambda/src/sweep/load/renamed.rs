//! A machine that was given another name: under the old one it falls silent, and a host that is new since then has the
//! same `instance`.

use std::collections::BTreeMap;

use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Record, State};
use pulse_echo_core::store::Store;

use super::AT_ONCE;
use crate::outbox::NOW_AS;
use crate::parallel;

/// How many new hosts are asked for their machine in a sweep. A new fleet has no old names.
const NEW_HOSTS: usize = 20;

/// The metadata of a pulse that tells machines apart.
pub(super) const INSTANCE: &str = "instance";

/// Adds to the last words of silent hosts under which name their machine sends now, if that is known. A new host that
/// cannot be read is passed over.
pub(super) fn add_new_names(store: &Store, checks: &BTreeMap<CheckId, Record>, words: &mut [(CheckId, Metadata)]) {
    let silent_since = |(id, words): &(CheckId, Metadata)| {
        let record = checks.get(id).filter(|record| record.state == State::Silent)?;
        words.contains_key(INSTANCE).then_some(record.pulse)
    };
    let Some(first) = words.iter().filter_map(silent_since).min() else { return };
    let mut new: Vec<&CheckId> = Vec::new();
    for id in checks.iter().filter(|(_, record)| is_new_since(record, first)).map(|(id, _)| id) {
        // A host's checks are side by side.
        if new.last().is_none_or(|last| last.host() != id.host()) {
            new.push(id);
        }
    }
    new.truncate(NEW_HOSTS);
    let read = parallel::map(&new, AT_ONCE, |id| store.get(&Key::pulse(id), 0));
    let machines =
        new.iter().zip(read).filter_map(|(id, object)| Some((*id, object?.ok()?.metadata.remove(INSTANCE)?)));
    let machines: Vec<_> = machines.collect();
    for entry in words {
        let (Some(since), (id, words)) = (silent_since(entry), entry) else { continue };
        let is_it = |(other, machine): &&(&CheckId, String)| {
            words.get(INSTANCE) == Some(machine) && other.host() != id.host() && is_new_since(&checks[*other], since)
        };
        if let Some((other, _)) = machines.iter().find(is_it) {
            words.insert(NOW_AS.into(), other.host().into());
        }
    }
}

/// Whether nothing is known of a check from before this time, and it is up.
fn is_new_since(record: &Record, then: Time) -> bool {
    record.state == State::Up && record.since > then && record.history.iter().all(|change| change.at > then)
}
