//! Who is next: events that are due, in lanes of their own, and within a lane by host in turn.
//!
//! Of the events of one key only the newest waits: a handler reads what is there when it begins.
//! A slow URL holds a handler for up to a minute. So no host has more than a few handlers, some places are only for
//! hosts that have none, and what fetches nothing never waits for what does.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// What an event has to do, which says in which lane it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A pulse with a URL.
    Fetch,
    /// A pulse without a URL: to answer it takes milliseconds.
    Arrival,
    /// For the loop.
    Loop,
}

/// The lanes, with the events that wait in them.
pub(super) struct Lanes<T> {
    lanes: [Turns<T>; 3],
}

impl<T> Lanes<T> {
    /// Lanes for `handlers` handlers that fetch, `of_host` of them at most for one host.
    pub(super) fn new(handlers: usize, of_host: usize) -> Self {
        let fetch = Places { all: handlers, of_host, only_first: handlers / 4 };
        let few = handlers.min(32);
        let arrival = Places { all: few, of_host, only_first: few / 4 };
        // What the loop's files ask for, it does one after the other.
        let control = Places { all: handlers.min(4), of_host: 4, only_first: 0 };
        Self { lanes: [fetch, arrival, control].map(Turns::new) }
    }

    /// Has an event wait for its turn. Returns the number of an event that need not be handled, since a newer one of
    /// its key waits: it may be this one.
    pub(super) fn push(&mut self, lane: Lane, host: &str, key: &str, number: u64, event: T) -> Option<u64> {
        let waiting = self.lanes.iter().filter_map(|turns| turns.number(key)).max();
        if waiting.is_some_and(|waiting| waiting > number) {
            return Some(number);
        }
        for turns in &mut self.lanes {
            turns.withdraw(key);
        }
        self.lanes[lane as usize].push(host, key, number, event);
        waiting.filter(|waiting| *waiting < number)
    }

    /// Takes an event whose turn it is, with its lane and host; none if all places are taken, or nothing waits.
    pub(super) fn start(&mut self) -> Option<(Lane, String, T)> {
        [Lane::Loop, Lane::Arrival, Lane::Fetch].into_iter().find_map(|lane| {
            let (host, event) = self.lanes[lane as usize].start()?;
            Some((lane, host, event))
        })
    }

    /// Frees the place of an event that was started.
    pub(super) fn end(&mut self, lane: Lane, host: &str) {
        self.lanes[lane as usize].end(host);
    }
}

/// How many handlers a lane has.
#[derive(Clone, Copy)]
struct Places {
    all: usize,
    /// How many of them one host may have.
    of_host: usize,
    /// How many of them are kept for hosts that have none.
    only_first: usize,
}

/// One lane.
struct Turns<T> {
    places: Places,
    /// The keys of each host's events, the oldest first. No host is here without a key.
    waiting: BTreeMap<String, VecDeque<String>>,
    /// The newest event of each key in `waiting`, with its number; nothing if that waits in another lane by now.
    events: HashMap<String, Option<(u64, T)>>,
    /// The hosts in `waiting`, each once; the first is next.
    order: VecDeque<String>,
    /// How many handlers each host has now. No host is here with none.
    running: BTreeMap<String, usize>,
    all_running: usize,
}

impl<T> Turns<T> {
    fn new(places: Places) -> Self {
        let (waiting, events) = (BTreeMap::new(), HashMap::new());
        Self { places, waiting, events, order: VecDeque::new(), running: BTreeMap::new(), all_running: 0 }
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.events.get(key)?.as_ref().map(|(number, _)| *number)
    }

    /// Takes out an event. Its key keeps its turn, so that nobody fills a lane by changing to and fro between two.
    fn withdraw(&mut self, key: &str) {
        if let Some(event) = self.events.get_mut(key) {
            *event = None;
        }
    }

    fn push(&mut self, host: &str, key: &str, number: u64, event: T) {
        if self.events.insert(key.to_owned(), Some((number, event))).is_some() {
            return;
        }
        if let Some(keys) = self.waiting.get_mut(host) {
            keys.push_back(key.to_owned());
        } else {
            self.waiting.insert(host.to_owned(), VecDeque::from([key.to_owned()]));
            self.order.push_back(host.to_owned());
        }
    }

    fn start(&mut self) -> Option<(String, T)> {
        if self.all_running >= self.places.all {
            return None;
        }
        loop {
            // Only hosts with a running handler are passed over, and these are few.
            let turn = self.order.iter().position(|host| self.may_start(host))?;
            let host = self.order.remove(turn)?;
            let keys = self.waiting.get_mut(&host)?;
            let key = keys.pop_front()?;
            if keys.is_empty() {
                self.waiting.remove(&host);
            } else {
                self.order.push_back(host.clone());
            }
            if let Some((_, event)) = self.events.remove(&key).flatten() {
                *self.running.entry(host.clone()).or_default() += 1;
                self.all_running += 1;
                return Some((host, event));
            }
        }
    }

    fn may_start(&self, host: &str) -> bool {
        let Places { all, of_host, only_first } = self.places;
        self.running.get(host).is_none_or(|running| *running < of_host && self.all_running + only_first < all)
    }

    fn end(&mut self, host: &str) {
        let Some(running) = self.running.get_mut(host) else { return };
        *running -= 1;
        self.all_running -= 1;
        if *running == 0 {
            self.running.remove(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts all that may start in the lane for fetches. Returns the hosts.
    fn started(lanes: &mut Lanes<usize>) -> Vec<String> {
        std::iter::from_fn(|| lanes.start()).map(|(_, host, _)| host).collect()
    }

    /// An event of a key of its own.
    fn push(lanes: &mut Lanes<usize>, lane: Lane, host: &str, event: usize) {
        assert_eq!(lanes.push(lane, host, &format!("{host}/{event}"), event as u64, event), None);
    }

    #[test]
    fn hosts_take_turns_and_each_in_its_own_order() {
        let mut lanes = Lanes::new(4, 2);
        for (host, event) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("c", 6)] {
            push(&mut lanes, Lane::Fetch, host, event);
        }
        let mut order = Vec::new();
        while let Some((lane, host, event)) = lanes.start() {
            lanes.end(lane, &host);
            order.push((host, event));
        }
        let wanted = [("a", 1), ("b", 4), ("c", 5), ("a", 2), ("c", 6), ("a", 3)];
        assert_eq!(order, wanted.map(|(host, event)| (host.to_owned(), event)));
    }

    #[test]
    fn a_host_has_only_its_own_share_of_the_places() {
        let mut lanes = Lanes::new(16, 8);
        (0..256).for_each(|event| push(&mut lanes, Lane::Fetch, "busy", event));
        assert_eq!(started(&mut lanes), vec!["busy"; 8]);
        push(&mut lanes, Lane::Fetch, "quiet", 1000);
        assert_eq!(started(&mut lanes), ["quiet"]);
        lanes.end(Lane::Fetch, "busy");
        assert_eq!(started(&mut lanes), ["busy"]);
    }

    #[test]
    fn many_busy_hosts_leave_places_for_those_that_have_none() {
        let mut lanes = Lanes::new(16, 8);
        for event in 0..8 {
            for host in ["a", "b", "c"] {
                push(&mut lanes, Lane::Fetch, host, event);
            }
        }
        assert_eq!(started(&mut lanes).len(), 12, "a quarter is kept");
        for host in ["d", "e", "f", "g", "h"] {
            push(&mut lanes, Lane::Fetch, host, 0);
        }
        assert_eq!(started(&mut lanes), ["d", "e", "f", "g"]);
        lanes.end(Lane::Fetch, "a");
        assert_eq!(started(&mut lanes), ["h"], "its first comes before another's fifth");
    }

    #[test]
    fn what_fetches_nothing_waits_for_nothing_that_does() {
        let mut lanes = Lanes::new(2, 8);
        (0..8).for_each(|event| push(&mut lanes, Lane::Fetch, &format!("host-{event}"), event));
        assert_eq!(started(&mut lanes).len(), 2);
        push(&mut lanes, Lane::Arrival, "host-9", 9);
        push(&mut lanes, Lane::Loop, "", 10);
        assert_eq!(lanes.start(), Some((Lane::Loop, String::new(), 10)));
        assert_eq!(lanes.start(), Some((Lane::Arrival, "host-9".to_owned(), 9)));
        assert_eq!(lanes.start(), None);
    }

    #[test]
    fn of_one_key_the_newest_event_waits_and_it_has_one_turn_in_each_lane() {
        let mut lanes = Lanes::new(16, 8);
        let push = |lanes: &mut Lanes<u64>, lane, number| lanes.push(lane, "a", "a/key", number, number);
        assert_eq!(push(&mut lanes, Lane::Arrival, 1), None);
        assert_eq!(push(&mut lanes, Lane::Arrival, 2), Some(1));
        assert_eq!(push(&mut lanes, Lane::Fetch, 3), Some(2));
        assert_eq!(push(&mut lanes, Lane::Fetch, 3), None, "the same event again");
        assert_eq!(push(&mut lanes, Lane::Arrival, 2), Some(2), "an older one that is tried again");
        for number in 2..100 {
            push(&mut lanes, Lane::Arrival, number * 2);
            push(&mut lanes, Lane::Fetch, number * 2 + 1);
        }
        let turns: usize = lanes.lanes.iter().flat_map(|turns| turns.waiting.values()).map(VecDeque::len).sum();
        assert_eq!(turns, 2);
        assert_eq!(lanes.start(), Some((Lane::Fetch, "a".to_owned(), 199)));
        assert_eq!(lanes.start(), None);
        assert!(lanes.lanes.iter().all(|turns| turns.events.is_empty() && turns.waiting.is_empty()));
    }

    #[test]
    fn places_are_kept_for_arrivals_of_hosts_that_have_none_too() {
        let mut lanes = Lanes::new(384, 8);
        for event in 0..100 {
            for host in ["a", "b", "c", "d", "e"] {
                push(&mut lanes, Lane::Arrival, host, event);
            }
        }
        assert_eq!(started(&mut lanes).len(), 24);
        push(&mut lanes, Lane::Arrival, "quiet", 0);
        assert_eq!(started(&mut lanes), ["quiet"]);
    }
}
