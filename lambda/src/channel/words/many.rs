//! Sentences about many hosts, and about times in which nothing was swept.

use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Fact, State};
use pulse_echo_core::words::{duration, grouped};

use super::measure::{checks, hosts, names, when};

/// `on 3 hosts`, where the number is known.
pub(super) fn on_hosts(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" on {}", hosts(count)) }
}

/// Of how many hosts; of how many checks in a message of a loop that knew no hosts.
pub(super) fn of_all(some: usize, of: usize, some_checks: usize, of_checks: usize) -> String {
    match some {
        0 => format!("{} of {}", grouped(some_checks), checks(of_checks)),
        some => format!("{} of {}", grouped(some), hosts(of)),
    }
}

/// What no channel takes: these kinds of any check, and something of so many checks on so many hosts.
pub(super) fn untaken(kinds: &[String], (count, of): (usize, usize), some: &[CheckId]) -> String {
    let of_any = (!kinds.is_empty()).then(|| format!("no channel takes {} of any check", kinds.join(", ")));
    let of_some = (count > 0).then(|| {
        format!("of {}{} nobody is told, or not of everything: {}", checks(count), on_hosts(of), names(count, some))
    });
    let all: Vec<_> = of_any.into_iter().chain(of_some).collect();
    format!("{}. NAME_ONLY and NAME_STATES of each channel say who is told of what.", all.join("; "))
}

/// Nothing was swept within this time.
pub(super) fn gap((from, until): (Time, Time), quiet_until: Option<Time>, spared: usize, some: &[CheckId]) -> String {
    let begins =
        format!("from {} to {} ({}) no sweep was completed", when(from), when(until), duration(from.age(until)));
    let Some(quiet) = quiet_until else {
        return format!("{begins}, though pulses came: the loop itself was away. Look at the log of its function.");
    };
    let quiet_to = if quiet < until { format!(" until {}", when(quiet)) } else { String::new() };
    let spared = match spared {
        0 => "No check missed a pulse through it.".into(),
        1 => format!("1 check that missed a pulse through it is given time for the next one: {}.", names(1, some)),
        spared => format!(
            "{} that missed a pulse through it are given time for the next one: {}.",
            checks(spared),
            names(spared, some)
        ),
    };
    format!("{begins}, and no pulse came{quiet_to}: the store itself was away. {spared}")
}

/// The store's clock was set back: what is ahead of it and by how much; how many checks and hosts have such objects.
pub(super) fn set_back((ahead, by): (Time, Duration), (count, of): (usize, usize), some: &[CheckId]) -> String {
    let begins = format!(
        "the store has times up to {}, which is {} ahead of its clock: the clock was wrong then, or is wrong now. Look \
         at it",
        when(ahead),
        duration(by)
    );
    if count == 0 {
        return format!("{begins}.");
    }
    format!(
        "{begins}. The last objects of {}{} count from now on, so what is down of them may be told late, by their \
         limit at most: {}.",
        checks(count),
        on_hosts(of),
        names(count, some)
    )
}

/// Many hosts that went down at once. A cause is named only if three quarters of them share it.
pub(super) fn wave(fact: &Fact) -> String {
    let Fact::ManyDown { down, of, hosts: count, of_hosts, state, cause, alike, alike_hosts } = fact else {
        return String::new();
    };
    let (all, shared) = if *count > 0 { (*count, *alike_hosts) } else { (*down, *alike) };
    let begins = format!("{} went down within 15 min", of_all(*count, *of_hosts, *down, *of));
    if shared * 4 < all * 3 {
        return format!("{begins}, for different reasons. Look for one cause all the same.");
    }
    let what = match cause {
        Some(cause) => format!("{state} ({cause})"),
        None => state.to_string(),
    };
    let how_many = if shared == all { "all".into() } else { grouped(shared) };
    format!("{begins}, {how_many} {what}. Look for one cause: {}.", likely(*state, *cause))
}

/// What hosts may share that are down in this way.
fn likely(state: State, cause: Option<Cause>) -> &'static str {
    match (state, cause) {
        (State::Silent, _) => "their network, power or cron",
        (State::Unanswered, _) => "our own probe",
        (_, Some(Cause::Dns)) => "their name service",
        (_, Some(Cause::Tls | Cause::Cert)) => "their certificate",
        (_, Some(Cause::Blocked)) => "where the probe may go (PROBE_ALLOW)",
        (_, Some(Cause::Job)) => "what these jobs share: a disk, a server, a change",
        (_, Some(Cause::Vitals)) => "what has grown on all of them",
        (_, Some(Cause::InvalidPulse)) => "a change of the pulses",
        (_, Some(Cause::Status | Cause::Body)) => "a change, or a service that they share",
        (_, Some(Cause::Connect | Cause::Timeout | Cause::Latency)) => "the network, or a service that they share",
        (_, Some(Cause::Other) | None) => "something that they share",
    }
}
