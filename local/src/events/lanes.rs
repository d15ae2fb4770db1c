//! Who is next: events that are due, in lanes of their own, and within a lane by host in turn.
//!
//! A slow URL holds a handler for up to a minute. So no host has more than a few handlers, some places are only for
//! hosts that have none, and what fetches nothing never waits for what does.

use std::collections::{BTreeMap, VecDeque};

/// What an event has to do, which says in which lane it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
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
        let arrival = Places { all: handlers.min(32), of_host, only_first: 0 };
        // What the loop's files ask for, it does one after the other.
        let control = Places { all: handlers.min(4), of_host: 4, only_first: 0 };
        Self { lanes: [fetch, arrival, control].map(Turns::new) }
    }

    /// Has an event wait for its turn.
    pub(super) fn push(&mut self, lane: Lane, host: &str, event: T) {
        self.lanes[lane as usize].push(host, event);
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
    /// Each host's events, the oldest first. No host is here without an event.
    waiting: BTreeMap<String, VecDeque<T>>,
    /// The hosts in `waiting`, each once; the first is next.
    order: VecDeque<String>,
    /// How many handlers each host has now. No host is here with none.
    running: BTreeMap<String, usize>,
    all_running: usize,
}

impl<T> Turns<T> {
    fn new(places: Places) -> Self {
        let (waiting, order, running) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
        Self { places, waiting, order, running, all_running: 0 }
    }

    fn push(&mut self, host: &str, event: T) {
        if let Some(events) = self.waiting.get_mut(host) {
            events.push_back(event);
        } else {
            self.waiting.insert(host.to_owned(), VecDeque::from([event]));
            self.order.push_back(host.to_owned());
        }
    }

    fn start(&mut self) -> Option<(String, T)> {
        if self.all_running >= self.places.all {
            return None;
        }
        // Only hosts with a running handler are passed over, and these are few.
        let turn = self.order.iter().position(|host| self.may_start(host))?;
        let host = self.order.remove(turn)?;
        let events = self.waiting.get_mut(&host)?;
        let event = events.pop_front()?;
        if events.is_empty() {
            self.waiting.remove(&host);
        } else {
            self.order.push_back(host.clone());
        }
        *self.running.entry(host.clone()).or_default() += 1;
        self.all_running += 1;
        Some((host, event))
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

    #[test]
    fn hosts_take_turns_and_each_in_its_own_order() {
        let mut lanes = Lanes::new(4, 2);
        for (host, event) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("c", 6)] {
            lanes.push(Lane::Fetch, host, event);
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
        (0..256).for_each(|event| lanes.push(Lane::Fetch, "busy", event));
        assert_eq!(started(&mut lanes), vec!["busy"; 8]);
        lanes.push(Lane::Fetch, "quiet", 1000);
        assert_eq!(started(&mut lanes), ["quiet"]);
        lanes.end(Lane::Fetch, "busy");
        assert_eq!(started(&mut lanes), ["busy"]);
    }

    #[test]
    fn many_busy_hosts_leave_places_for_those_that_have_none() {
        let mut lanes = Lanes::new(16, 8);
        for event in 0..8 {
            for host in ["a", "b", "c"] {
                lanes.push(Lane::Fetch, host, event);
            }
        }
        assert_eq!(started(&mut lanes).len(), 12, "a quarter is kept");
        for host in ["d", "e", "f", "g", "h"] {
            lanes.push(Lane::Fetch, host, 0);
        }
        assert_eq!(started(&mut lanes), ["d", "e", "f", "g"]);
        lanes.end(Lane::Fetch, "a");
        assert_eq!(started(&mut lanes), ["h"], "its first comes before another's fifth");
    }

    #[test]
    fn what_fetches_nothing_waits_for_nothing_that_does() {
        let mut lanes = Lanes::new(2, 8);
        (0..8).for_each(|event| lanes.push(Lane::Fetch, &format!("host-{event}"), event));
        assert_eq!(started(&mut lanes).len(), 2);
        lanes.push(Lane::Arrival, "host-9", 9);
        lanes.push(Lane::Loop, "", 10);
        assert_eq!(lanes.start(), Some((Lane::Loop, String::new(), 10)));
        assert_eq!(lanes.start(), Some((Lane::Arrival, "host-9".to_owned(), 9)));
        assert_eq!(lanes.start(), None);
    }
}
