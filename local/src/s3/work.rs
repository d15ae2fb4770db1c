//! The requests of each host that are at work now.
//!
//! A request that has proved its key keeps its place until it ends, which its sender may put off. So no host has many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pulse_echo_core::name::Name;

/// How many requests of one host may be at work. An agent has a few.
const OF_HOST: usize = 64;

/// All hosts' requests. Its clones are the same.
#[derive(Clone, Default)]
pub(super) struct Work(Arc<Mutex<BTreeMap<Name, usize>>>);

/// A host's request. It counts until this is dropped.
pub(super) struct Job {
    work: Work,
    host: Name,
}

impl Work {
    /// Begins a request, unless its host has too many.
    pub(super) fn begin(&self, host: &Name) -> Option<Job> {
        let mut all = self.all();
        let count = all.entry(host.clone()).or_default();
        if *count >= OF_HOST {
            return None;
        }
        *count += 1;
        Some(Job { work: self.clone(), host: host.clone() })
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Name, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let mut all = self.work.all();
        let Some(count) = all.get_mut(&self.host) else { return };
        *count -= 1;
        if *count == 0 {
            all.remove(&self.host);
        }
    }
}
