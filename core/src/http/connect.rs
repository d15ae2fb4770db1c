//! Connects to a name that has several addresses: they race, as RFC 8305 ("Happy Eyeballs") has it. So addresses that
//! are dead cost at most a second, where one after the other they would eat the time that is left.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs};
use ureq::unversioned::transport::time::Duration as UreqDuration;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};

use super::SystemResolver;

/// How far an address is ahead of the next one, if it does not answer: what RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Within this time each address gets its turn, however many there are.
const ALL_WITHIN: Duration = Duration::from_secs(1);

/// Opens TCP connections. It connects to no other addresses than the resolver's.
#[derive(Debug, Default)]
pub struct Tcp {
    one: TcpConnector,
    lost: Arc<OnceLock<Duration>>,
}

impl Tcp {
    /// Where the time will be that the first connection lost on other addresses of its name.
    pub fn lost(&self) -> Arc<OnceLock<Duration>> {
        self.lost.clone()
    }
}

impl<In: Transport> Connector<In> for Tcp {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() || details.addrs.len() < 2 {
            return self.one.connect(details, chained);
        }
        let started = Instant::now();
        let ends = details.timeout.not_zero().and_then(|left| Instant::now().checked_add(*left));
        let winner = race(&alternating(&details.addrs), ends, |address| {
            // A loser goes on alone until its time is up: it needs all of the details for itself.
            let (uri, config, now) = (details.uri.clone(), details.config.clone(), details.current_time.clone());
            let (run_connector, register_shutdown) = (details.run_connector.clone(), details.register_shutdown.clone());
            let (timeout, request_level) = (details.timeout, details.request_level);
            move || {
                let begun = Instant::now();
                let left = ends.map_or(UreqDuration::NotHappening, |ends| ends.duration_since(Instant::now()).into());
                let details = ConnectionDetails {
                    uri: &uri,
                    addrs: only(address),
                    config: &config,
                    request_level,
                    resolver: &SystemResolver::default(),
                    now: now(),
                    timeout: NextTimeout { after: left, ..timeout },
                    current_time: now,
                    run_connector,
                    register_shutdown,
                };
                TcpConnector::default().connect(&details, None::<In>).map(|connection| (connection, begun))
            }
        });
        let (connection, begun) = winner.unwrap_or(Err(Error::Timeout(details.timeout.reason)))?;
        self.lost.get_or_init(|| begun.duration_since(started));
        Ok(connection)
    }
}

fn only(address: SocketAddr) -> ResolvedSocketAddrs {
    let mut one = ArrayVec::from_fn(|_| address);
    one.push(address);
    one
}

/// The addresses in their order, but a family's address never follows another of it while the other family has one.
pub(super) fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first_family = |address: &SocketAddr| addresses.first().is_some_and(|a| a.is_ipv6() == address.is_ipv6());
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().copied().partition(is_first_family);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::with_capacity(addresses.len());
    while all.len() < addresses.len() {
        all.extend(first.next());
        all.extend(second.next());
    }
    all
}

/// The first success, or the last failure if no address succeeds; `None` if the time is up with nobody's answer. The
/// next address begins when those before it have failed, or have had their head start.
pub(super) fn race<T: Send + 'static, Act>(
    addresses: &[SocketAddr],
    ends: Option<Instant>,
    connect: impl Fn(SocketAddr) -> Act,
) -> Option<Result<T, Error>>
where
    Act: FnOnce() -> Result<T, Error> + Send + 'static,
{
    let head_start = HEAD_START.min(ALL_WITHIN / u32::try_from(addresses.len()).unwrap_or(u32::MAX));
    let (tell, told) = mpsc::channel();
    let mut waiting = addresses.iter();
    let (mut running, mut failure) = (0, None);
    loop {
        if let Some(address) = waiting.next() {
            let (tell, connect) = (tell.clone(), connect(*address));
            // Nobody may be listening any more.
            let racer = thread::Builder::new().spawn(move || drop(tell.send(connect())));
            match racer {
                Ok(_) => running += 1,
                Err(error) => failure = Some(Err(error.into())),
            }
        }
        let left = ends.map_or(Duration::MAX, |ends| ends.saturating_duration_since(Instant::now()));
        let is_last = waiting.as_slice().is_empty();
        if left.is_zero() || (running == 0 && is_last) {
            return failure;
        }
        match told.recv_timeout(if is_last { left } else { left.min(head_start) }) {
            Ok(Ok(connection)) => return Some(Ok(connection)),
            Ok(Err(error)) => {
                running -= 1;
                failure = Some(Err(error));
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A race between addresses that never answer (`dead`), refuse, or answer with their port.
    fn run(addresses: &[(&str, &'static str)], seconds: u64) -> (Option<Result<u16, String>>, usize) {
        let begun = Arc::new(AtomicUsize::new(0));
        let kinds: Vec<_> = addresses.iter().map(|(text, kind)| (address(text), *kind)).collect();
        let all: Vec<_> = kinds.iter().map(|(address, _)| *address).collect();
        let result = race(&all, Some(Instant::now() + Duration::from_secs(seconds)), |address| {
            let kind = kinds.iter().find(|(known, _)| *known == address).unwrap().1;
            let begun = begun.clone();
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                match kind {
                    "dead" => loop {
                        thread::park();
                    },
                    "refuses" => Err(Error::Io(std::io::ErrorKind::ConnectionRefused.into())),
                    _ => Ok(address.port()),
                }
            }
        });
        (result.map(|result| result.map_err(|error| error.to_string())), begun.load(Ordering::SeqCst))
    }

    #[test]
    fn an_address_that_answers_at_once_is_the_only_one_that_is_tried() {
        assert_eq!(run(&[("10.0.0.1:1", "answers"), ("10.0.0.2:2", "answers")], 60), (Some(Ok(1)), 1));
    }

    #[test]
    fn dead_addresses_and_such_that_refuse_are_passed_over() {
        let dead: Vec<_> = (1..16).map(|n| format!("10.0.0.{n}:9")).collect();
        let mut all: Vec<_> = dead.iter().map(|text| (text.as_str(), "dead")).collect();
        all.push(("10.0.0.99:7", "answers"));
        let started = Instant::now();
        assert_eq!(run(&all, 60), (Some(Ok(7)), 16));
        // One after the other, each with its share of the minute, they would have taken nearly all of it.
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert_eq!(run(&[("10.0.0.1:1", "refuses"), ("10.0.0.2:2", "answers")], 60).0, Some(Ok(2)));
    }

    #[test]
    fn if_none_answers_the_failure_is_told_and_without_any_the_time_is_up() {
        let (refused, begun) = run(&[("10.0.0.1:1", "refuses"), ("10.0.0.2:2", "refuses")], 60);
        assert!(refused.unwrap().unwrap_err().contains("refused") && begun == 2);
        assert_eq!(run(&[("10.0.0.1:1", "dead"), ("10.0.0.2:2", "dead")], 1), (None, 2));
        let (mixed, _) = run(&[("10.0.0.1:1", "refuses"), ("10.0.0.2:2", "dead")], 1);
        assert!(mixed.unwrap().unwrap_err().contains("refused"));
    }

    #[test]
    fn the_two_families_take_turns_in_the_resolvers_order() {
        let order = |texts: &[&str]| {
            let all: Vec<_> = texts.iter().map(|text| address(text)).collect();
            alternating(&all).iter().map(|address| address.port().to_string()).collect::<Vec<_>>().concat()
        };
        assert_eq!(order(&["[::1]:1", "[::2]:2", "[::3]:3", "1.1.1.1:4", "1.1.1.2:5"]), "14253");
        assert_eq!(order(&["1.1.1.1:1", "[::1]:2", "[::2]:3", "[::3]:4"]), "1234");
        assert_eq!(order(&["1.1.1.1:1", "1.1.1.2:2"]), "12");
    }
}
