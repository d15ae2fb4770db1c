//! The control files in `loop/`: a start, a stop, and the lock, which is there for those who look at it as the origin
//! did.

use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Store};
use serde::{Deserialize, Serialize};

use super::machine::{Control, Listed, LockRead, Wrote};
use super::mark::wrote;
use crate::sweep::lists::{Folder, find};

/// The largest lock that is read, in bytes: ours are far smaller.
const LOCK_LIMIT: u64 = 1024;

/// What a lock of ours says: the stop that it stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Lock {
    stop: Time,
}

/// Reads them off the list of `loop/`, as it was at `now`.
pub(super) fn of(folder: &Folder, now: Time) -> Control {
    let there = |key: &Key| find(folder, key.as_str().strip_prefix("loop/").expect("it is in loop/"));
    let listed = there(&Key::loop_lock());
    Control {
        now,
        start: there(&Key::loop_start()).map(|start| start.at),
        stop: there(&Key::loop_stop()).map(|stop| stop.at),
        lock: listed.map(|lock| Listed { at: lock.at, etag: lock.etag.to_string() }),
        mark: there(&Key::mark()).map(|mark| mark.etag.to_string()),
    }
}

/// Reads the lock; none if it was removed meanwhile. One that says nothing of ours was put by hand.
pub(super) fn read_lock(store: &Store) -> Result<Option<LockRead>, String> {
    match store.get(&Key::loop_lock(), LOCK_LIMIT) {
        Ok(lock) => {
            let ours = lock.body.and_then(|body| serde_json::from_slice::<Lock>(&body).ok());
            Ok(Some(LockRead { etag: lock.etag, stop: ours.map(|ours| ours.stop) }))
        }
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Puts a missing lock that stands for a stop; `now` gives the store's time.
pub(super) fn put_lock(store: &Store, stop: Time, now: impl Fn() -> Time) -> Result<Wrote, String> {
    let body = serde_json::to_vec(&Lock { stop }).expect("a lock is plain data");
    let put = store.put(&Key::loop_lock(), "application/json", &body, &Metadata::new(), &Condition::IfAbsent);
    let came = wrote(put, now);
    if let Err(why) = &came {
        log::warn!("{why}");
    }
    came
}

/// Removes just this lock. One that stays has no effect, and the next start removes it: no guarantee rests on it.
pub(super) fn remove_lock(store: &Store, etag: String) {
    if let Err(error) = store.delete(&Key::loop_lock(), &Condition::IfMatch(etag))
        && !(error.is_precondition() || error.is_conflict() || error.is_missing() || error.is_in_doubt())
    {
        log::warn!("{error}");
    }
}
