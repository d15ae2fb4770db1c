//! The places for connections: who may have one, and who gives his up when there are no more.
//!
//! Anybody may connect, so a newcomer never waits: if all places are taken, another connection is closed at once. Those
//! that have proved no key go first, of the peer that has most of them the oldest; then those that idle. So whoever
//! takes many places takes them from himself. An honest client needs its place for a few round trips until it has
//! proved its key; a crowd at its own address would have to take all places anew meanwhile to close it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::oneshot;

/// How many connections there may be.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of all peers but those that are near.
    pub far: usize,
    /// Of the peers that are near: this machine, and the proxies.
    pub near: usize,
    /// How many are kept for a peer that is not near, once they have proved a key.
    pub kept: usize,
    /// The addresses of proxies: each brings the connections of many clients.
    pub proxies: Vec<IpNet>,
}

impl Default for Limits {
    /// 1024, 1024, 64, and no proxies but on this machine.
    fn default() -> Self {
        Self { far: 1024, near: 1024, kept: 64, proxies: Vec::new() }
    }
}

/// All places. Its clones are the same.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<Book>>);

struct Book {
    limits: Limits,
    /// Numbers both arrivals and the ends of requests, in order.
    next: u64,
    /// By their numbers, which grow with each arrival.
    open: HashMap<u64, Open>,
    /// The connections of each peer that has any.
    peers: HashMap<Peer, Crowd>,
    /// How many are far, and how many are near.
    taken: [usize; 2],
}

/// Who connects: an address, or a network of IPv6 that one machine may have for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Peer {
    address: IpAddr,
    is_near: bool,
}

/// The connections of a peer.
#[derive(Default)]
struct Crowd {
    /// Those that have proved no key, the oldest first.
    unproved: BTreeSet<u64>,
    kept: usize,
}

struct Open {
    peer: Peer,
    is_kept: bool,
    /// When its last request ended; `None` while there is one.
    idle_since: Option<u64>,
    /// Dropped when the place is taken away.
    _closes: oneshot::Sender<()>,
}

/// A connection's place. It is given up when this is dropped.
pub(super) struct Place {
    places: Places,
    number: u64,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Self {
        let (open, peers) = (HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(Book { limits, next: 0, open, peers, taken: [0, 0] })))
    }

    /// Gives a place to a connection from this address, and what ends when the place is taken away. `None` if all
    /// others are at work with a key that they have proved.
    pub(super) fn enter(&self, address: IpAddr) -> Option<(Place, oneshot::Receiver<()>)> {
        let mut book = self.book();
        let peer = book.peer(address);
        let limit = if peer.is_near { book.limits.near } else { book.limits.far };
        if book.taken[usize::from(peer.is_near)] >= limit {
            let number = book.whom_to_close(peer)?;
            book.leave(number);
        }
        let (closes, is_closed) = oneshot::channel();
        let number = book.number();
        book.taken[usize::from(peer.is_near)] += 1;
        book.peers.entry(peer).or_default().unproved.insert(number);
        book.open.insert(number, Open { peer, is_kept: false, idle_since: None, _closes: closes });
        Some((Place { places: self.clone(), number }, is_closed))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn peer(&self, address: IpAddr) -> Peer {
        let address = address.to_canonical();
        let is_near = address.is_loopback() || self.limits.proxies.iter().any(|proxies| proxies.contains(&address));
        let address = match address {
            // A machine usually has as many addresses as it likes within the last 64 bits.
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        };
        Peer { address, is_near }
    }

    /// The connection to close for a newcomer.
    fn whom_to_close(&self, newcomer: Peer) -> Option<u64> {
        let crowds = self.peers.iter().filter(|(peer, _)| peer.is_near == newcomer.is_near);
        // The newcomer counts, too: of two who have one place each, it takes its own.
        let unproved = crowds.filter_map(|(peer, crowd)| {
            let size = crowd.unproved.len() + usize::from(*peer == newcomer);
            Some((size, Reverse(*crowd.unproved.first()?)))
        });
        if let Some((_, Reverse(oldest))) = unproved.max() {
            return Some(oldest);
        }
        let side_by_side = self.open.iter().filter(|(_, open)| open.peer.is_near == newcomer.is_near);
        let idle = side_by_side.filter_map(|(number, open)| Some((open.idle_since?, *number)));
        idle.min().map(|(_, number)| number)
    }

    fn leave(&mut self, number: u64) {
        let Some(Open { peer, is_kept, .. }) = self.open.remove(&number) else { return };
        self.taken[usize::from(peer.is_near)] -= 1;
        let crowd = self.peers.entry(peer).or_default();
        if is_kept {
            crowd.kept -= 1;
        } else {
            crowd.unproved.remove(&number);
        }
        if crowd.kept == 0 && crowd.unproved.is_empty() {
            self.peers.remove(&peer);
        }
    }
}

impl Place {
    /// A request begins.
    pub(super) fn visit(self: &Arc<Self>) -> Arc<Visit> {
        if let Some(open) = self.places.book().open.get_mut(&self.number) {
            open.idle_since = None;
        }
        Arc::new(Visit { place: self.clone(), has_proved: AtomicBool::new(false) })
    }

    fn keep(&self) {
        let mut book = self.places.book();
        let kept = book.limits.kept;
        let Book { open, peers, .. } = &mut *book;
        let Some(open) = open.get_mut(&self.number).filter(|open| !open.is_kept) else { return };
        let crowd = peers.entry(open.peer).or_default();
        if open.peer.is_near || crowd.kept < kept {
            open.is_kept = true;
            crowd.unproved.remove(&self.number);
            crowd.kept += 1;
        }
    }

    fn is_kept(&self) -> bool {
        self.places.book().open.get(&self.number).is_some_and(|open| open.is_kept)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.book().leave(self.number);
    }
}

/// A request on a connection.
pub(super) struct Visit {
    place: Arc<Place>,
    has_proved: AtomicBool,
}

impl Visit {
    /// Notes that the request is signed with a key that is valid.
    pub(super) fn prove(&self) {
        self.has_proved.store(true, Ordering::Relaxed);
        self.place.keep();
    }

    /// Whether the connection may be kept after this request.
    pub(super) fn may_stay(&self) -> bool {
        self.has_proved.load(Ordering::Relaxed) && self.place.is_kept()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut book = self.place.places.book();
        let now = book.number();
        if let Some(open) = book.open.get_mut(&self.place.number) {
            open.idle_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Guest = (Arc<Place>, oneshot::Receiver<()>);

    fn places(far: usize, near: usize, kept: usize) -> Places {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Places::new(Limits { far, near, kept, proxies })
    }

    fn enter(places: &Places, address: &str) -> Option<Guest> {
        let (place, closed) = places.enter(address.parse().unwrap())?;
        Some((Arc::new(place), closed))
    }

    fn is_open(guest: &mut Guest) -> bool {
        matches!(guest.1.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest_of_whoever_has_most() {
        let places = places(4, 1, 64);
        let mut honest = enter(&places, "192.0.2.1").unwrap();
        let mut crowd: Vec<_> = (0..3).map(|_| enter(&places, "192.0.2.66").unwrap()).collect();
        let mut newcomer = enter(&places, "192.0.2.2").unwrap();
        assert!(is_open(&mut honest) && is_open(&mut newcomer));
        assert_eq!(crowd.iter_mut().map(is_open).collect::<Vec<_>>(), [false, true, true]);
        // Its own newcomers take its own places.
        crowd.push(enter(&places, "192.0.2.66").unwrap());
        assert_eq!(crowd.iter_mut().map(is_open).collect::<Vec<_>>(), [false, false, true, true]);
        assert!(is_open(&mut honest));
    }

    #[test]
    fn who_has_proved_a_key_keeps_his_place_and_gives_it_up_idle_only() {
        let places = places(2, 1, 64);
        let mut working = enter(&places, "192.0.2.1").unwrap();
        let visit = working.0.visit();
        visit.prove();
        assert!(visit.may_stay());
        let mut idle = enter(&places, "192.0.2.1").unwrap();
        idle.0.visit().prove();
        let mut newcomer = enter(&places, "192.0.2.66").unwrap();
        assert_eq!([&mut working, &mut idle, &mut newcomer].map(is_open), [true, false, true]);
        newcomer.0.visit().prove();
        let _last = newcomer.0.visit();
        assert!(enter(&places, "192.0.2.2").is_none(), "all others are at work");
    }

    #[test]
    fn a_peer_keeps_so_many_and_a_proxy_as_many_as_there_are_places() {
        let places = places(10, 10, 2);
        let stays = |address| {
            let guests: Vec<_> = (0..4).map(|_| enter(&places, address).unwrap()).collect();
            let visits: Vec<_> = guests.iter().map(|(place, _)| place.visit()).collect();
            for visit in &visits {
                visit.prove();
            }
            visits.iter().filter(|visit| visit.may_stay()).count()
        };
        for (address, kept) in [("192.0.2.1", 2), ("127.0.0.1", 4), ("::ffff:127.0.0.1", 4), ("10.1.2.3", 4)] {
            assert_eq!(stays(address), kept, "{address}");
        }
        // All have left: the next peer is not counted with them.
        assert_eq!(stays("192.0.2.1"), 2);
    }

    #[test]
    fn a_request_that_proves_nothing_ends_its_connection_though_an_earlier_one_did() {
        let places = places(2, 2, 2);
        let (place, _closed) = enter(&places, "192.0.2.1").unwrap();
        place.visit().prove();
        assert!(!place.visit().may_stay());
    }

    #[test]
    fn one_network_of_ipv6_is_one_peer_and_strangers_do_not_take_this_machines_places() {
        let places = places(2, 1, 64);
        let mut honest = enter(&places, "2001:db8:1::1").unwrap();
        let mut crowd: Vec<_> = (1..9).map(|n| enter(&places, &format!("2001:db8:66::{n}")).unwrap()).collect();
        assert!(is_open(&mut honest));
        assert_eq!(crowd.iter_mut().map(is_open).filter(|is_open| *is_open).count(), 1);
        assert!(enter(&places, "127.0.0.1").is_some());
        assert_eq!(crowd.iter_mut().map(is_open).filter(|is_open| *is_open).count(), 1);
    }

    #[test]
    fn strangers_and_this_machine_take_places_from_their_own_alone() {
        let places = places(2, 3, 64);
        let mut near: Vec<_> = (0..3).map(|_| enter(&places, "127.0.0.1").unwrap()).collect();
        let mut far = ["192.0.2.1", "192.0.2.2"].map(|address| enter(&places, address).unwrap());
        let _newcomer = enter(&places, "192.0.2.3").unwrap();
        assert!(near.iter_mut().all(is_open), "its crowd is the largest, but has no stranger's place");
        assert_eq!(far.each_mut().map(is_open), [false, true]);
        let _crowd: Vec<_> = (0..9).map(|_| enter(&places, "192.0.2.3").unwrap()).collect();
        let _newcomer = enter(&places, "127.0.0.1").unwrap();
        assert_eq!(near.iter_mut().map(is_open).collect::<Vec<_>>(), [false, true, true]);
    }
}
