//! The acknowledgements, which lie beside the mutes.

use std::collections::BTreeMap;
use std::mem;

use pulse_echo_core::etag::ETag;
use pulse_echo_core::mute::{Ack, SIZE_LIMIT};
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Acked, Acknowledged};
use pulse_echo_core::store::{Object, Store};
use pulse_echo_core::text::cut;

use super::{AT_ONCE, Read, Unread};
use crate::ahead::Mender;
use crate::parallel;
use crate::sweep::lists::{Folder, Found};

/// How much of a reason and of a name is kept, in characters: it stands in tables and messages.
const ROOM: (usize, usize) = (200, 64);

/// Brings the acknowledgements that are known up to those that are listed, and takes these out of the list: they are no
/// mutes. One that cannot be read acknowledges nothing until it is read, in a later sweep. Tells how many are unread.
pub(in crate::sweep) fn load_acks(
    store: &Store,
    folder: &mut Folder,
    known: &mut BTreeMap<CheckId, Acked>,
    mender: &mut Mender,
) -> usize {
    let of = |found: &Found| CheckId::of_ack(&found.rest);
    let (acks, mutes) = mem::take(&mut folder.found).into_iter().partition::<Vec<_>, _>(|found| of(found).is_some());
    folder.found = mutes;
    let listed: BTreeMap<_, _> = acks.into_iter().filter_map(|found| Some((of(&found)?, found.listed))).collect();
    known.retain(|id, _| listed.contains_key(id) || folder.cut.may_hide(id));
    let is_new = |(id, etag): &(CheckId, ETag)| known.get(id).is_none_or(|known| *etag != *known.etag);
    let new: Vec<_> = listed.into_iter().map(|(id, listed)| (id, listed.etag)).filter(is_new).collect();
    let read = parallel::map(&new, AT_ONCE, |(id, _)| store.get(&Key::ack(id), SIZE_LIMIT));
    let mut unread = Unread::default();
    for ((id, _), object) in new.into_iter().zip(read) {
        // What it said before is no longer so.
        known.remove(&id);
        if let Read::Was(object) = unread.check(object) {
            let at = mender.noted(object.last_modified);
            let acked = Acked { at, ..acked(&id, object) };
            known.insert(id, acked);
        }
    }
    unread.count
}

/// An acknowledgement as it is kept. One that cannot be understood is of no outage.
fn acked(id: &CheckId, object: Object) -> Acked {
    let Ack { outage, reason, by } = Ack::from_json(&object.body.unwrap_or_default()).unwrap_or_else(|error| {
        log::warn!("{} acknowledges nothing: {error}", Key::ack(id));
        Ack::default()
    });
    let (reason, by) = (reason.map(|reason| cut(&reason, ROOM.0)), by.map(|by| cut(&by, ROOM.1)));
    Acked { etag: object.etag, at: object.last_modified, outage, word: Acknowledged { by, reason } }
}
