//! Whether the loop is stopped: a fact of the store, not an event.

use pulse_echo_core::clock::Time;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{Condition, Store};
use serde::{Deserialize, Serialize};

use crate::sweep::lists::{Found, find};
use crate::verdict::Listed;

/// The largest lock that is read, in bytes: ours are far smaller.
const LOCK_LIMIT: u64 = 1024;

/// How it is with the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Control {
    /// Since when it is stopped; none while it runs.
    pub(super) stopped: Option<Time>,
    lock: Option<Listed>,
}

/// What a lock of ours says: the stop that it stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Lock {
    stop: Time,
}

impl Control {
    /// Reads it off the list of `loop/`. The loop is stopped if a stop or a lock is there, and not older than the
    /// start; a lock of ours counts with the time of its stop.
    pub(super) fn of(control: &[Found], store: &Store) -> Result<Self, String> {
        let there = |key: &Key| find(control, key.as_str().strip_prefix("loop/").expect("it is in loop/"));
        let (start, stop) = (there(&Key::loop_start()), there(&Key::loop_stop()));
        let lock = there(&Key::loop_lock()).cloned();
        let counts = |at: &Time| start.is_none_or(|start| *at >= start.at);
        let stopped = match (stop.map(|stop| stop.at).filter(counts), &lock) {
            (Some(stop), _) => Some(stop),
            // Its own time decides what it says only if it is not older anyway.
            (None, Some(lock)) if counts(&lock.at) => lock_time(store)?.filter(counts),
            (None, _) => None,
        };
        Ok(Self { stopped, lock })
    }

    /// Puts a missing lock, or removes an old one, for those who look at it as the origin did. No guarantee rests on
    /// it.
    pub(super) fn keep_lock(&self, store: &Store) {
        let kept = match (self.stopped, &self.lock) {
            (Some(stop), None) => {
                let body = serde_json::to_vec(&Lock { stop }).expect("a lock is plain data");
                let put =
                    store.put(&Key::loop_lock(), "application/json", &body, &Metadata::new(), &Condition::IfAbsent);
                put.map(drop)
            }
            (None, Some(lock)) => store.delete(&Key::loop_lock(), &Condition::IfMatch(lock.etag.clone())),
            _ => return,
        };
        // Whoever was faster, or comes next, does the same.
        if let Err(error) = kept
            && !(error.is_precondition() || error.is_conflict() || error.is_in_doubt())
        {
            log::warn!("{error}");
        }
    }
}

/// The time that the lock stands for; none if it was removed meanwhile.
fn lock_time(store: &Store) -> Result<Option<Time>, String> {
    match store.get(&Key::loop_lock(), LOCK_LIMIT) {
        Ok(lock) => {
            let ours = lock.body.and_then(|body| serde_json::from_slice::<Lock>(&body).ok());
            Ok(Some(ours.map_or(lock.last_modified, |ours| ours.stop)))
        }
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}
