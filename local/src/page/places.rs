//! How many connections the page has at once, and how many of one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections there may be.
const ALL: usize = 128;
/// How many of them one peer may have. This machine, where a proxy may be, has no such limit, and the last places.
const OF_PEER: usize = 16;
/// How many places are for this machine only.
const OF_THIS_MACHINE: usize = 16;

/// Who has a place.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place, free again when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Places {
    /// Takes a place for a connection of `peer`; none if it may not have one more.
    pub(super) fn take(places: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut taken = places.taken();
        let all: usize = taken.values().sum();
        let own = taken.entry(peer).or_default();
        let is_free = if peer.is_loopback() { all < ALL } else { *own < OF_PEER && all < ALL - OF_THIS_MACHINE };
        if is_free {
            *own += 1;
        } else if *own == 0 {
            taken.remove(&peer);
        }
        is_free.then(|| Place { places: places.clone(), peer })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(own) = taken.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_and_this_machine_always_has_a_place() {
        let places = Arc::new(Places::default());
        let mut kept = Vec::new();
        for peer in 1..=20 {
            let peer = IpAddr::from([10, 0, 0, peer]);
            kept.extend(std::iter::from_fn(|| Places::take(&places, peer)).take(100));
        }
        assert_eq!(kept.len(), ALL - OF_THIS_MACHINE, "16 of each peer, while there are places");
        assert!(Places::take(&places, IpAddr::from([10, 0, 0, 1])).is_none());
        let own: Vec<_> = std::iter::from_fn(|| Places::take(&places, IpAddr::from([127, 0, 0, 1]))).collect();
        assert_eq!(own.len(), OF_THIS_MACHINE);
        drop((kept, own));
        assert!(places.taken().is_empty());
        assert!(Places::take(&places, IpAddr::from([10, 0, 0, 1])).is_some());
    }
}
