//! A fact in one sentence or a few: what, since when, and why; the value seen and the value expected.

use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Changes, Down, Fact, Hosts, State};

use super::measure::{checks, command, last_words, name, names, when};
use pulse_echo_core::text::line;
use pulse_echo_core::words::{duration, grouped};

/// How much of a fault's sentence is shown, in bytes.
const REASON_ROOM: usize = 300;

/// How much of a name or a sentence is shown where many stand in a line, in bytes.
const SHORT_ROOM: usize = 60;

/// How much is said about an outage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All that is known.
    Full,
    /// The essentials, for one of many outages: no remedy, no last good echo.
    Brief,
}

/// The short name of a fact, with which its line begins.
pub(super) fn label(fact: &Fact) -> &'static str {
    match fact {
        Fact::Down(_) => "DOWN",
        Fact::StillDown { .. } => "STILL DOWN",
        Fact::Up { .. } => "UP",
        Fact::Gone { .. } => "GONE",
        Fact::New { .. } => "NEW",
        Fact::ManyDown { .. } => "MANY DOWN",
        Fact::Vanished { .. } => "VANISHED",
        Fact::Found { .. } => "FOUND",
        Fact::Unanswered { told: None, .. } => "PROBE IN TROUBLE",
        Fact::Unanswered { told: Some(_), .. } => "PROBE STILL IN TROUBLE",
        Fact::Answered { .. } => "PROBE ANSWERS AGAIN",
        Fact::Gap { .. } => "NOT WATCHED",
        Fact::Stopped { .. } => "LOOP STOPPED",
        Fact::Started { .. } => "LOOP STARTED",
        Fact::StatusUnreadable { .. } | Fact::StatusMissing { .. } => "STATUS LOST",
        Fact::StatusUnusable { .. } => "NOT WATCHED",
        Fact::ChannelFails { .. } => "CHANNEL FAILS",
        Fact::ChannelWorks { .. } => "CHANNEL WORKS",
        Fact::Refused { .. } => "REFUSED",
        Fact::Crowded { .. } => "TOO MANY CHECKS",
        Fact::Uncrowded { .. } => "CHECKS WITHIN LIMIT",
        Fact::Counted { .. } => "MANY CHANGES",
        Fact::Test => "TEST",
    }
}

/// The text after the label of a fact that a sweep noticed at `at`.
pub(super) fn sentence(fact: &Fact, at: Time, detail: Detail) -> String {
    match fact {
        Fact::Down(down) => single(down, at, false, detail),
        Fact::StillDown { down, changed, .. } => single(down, at, *changed, detail),
        Fact::Up { check, since, until, was, cause, reason, .. } => format!(
            "{} has been up again since {}. It was down for {}, from {}: {}.",
            name(check),
            when(*until),
            duration(since.age(*until)),
            when(*since),
            was_what(*was, *cause, reason.as_deref())
        ),
        Fact::New { check } => format!("{} is watched from now on.", name(check)),
        Fact::Gone { check, pulse, since, .. } => gone(check, *pulse, *since),
        Fact::ManyDown { down, of, state, cause, alike, .. } => many_down(*down, *of, *state, *cause, *alike),
        Fact::Found { since, checks: count, .. } => {
            format!("none of the pulses of {} that vanished on {} is missing any more.", checks(*count), when(*since))
        }
        Fact::Vanished { checks: count, of, some, .. } => format!(
            "the pulses of {} of {} are no longer there: {}. If nobody deleted them on purpose, look who did. They are \
             judged by their last pulse, and gone after a day.",
            grouped(*count),
            checks(*of),
            names(*count, some)
        ),
        Fact::Unanswered { since, checks: count, some, .. } => format!(
            "no answer to the pulses of {} since {} ({}): {}. This is about us: whether what they watch works is not \
             known. Look at the log of the probe's function.",
            checks(*count),
            when(*since),
            duration(since.age(at)),
            names(*count, some)
        ),
        Fact::Answered { since, until, checks: count, .. } => format!(
            "no check waits for an answer any more. It lasted {}, from {} to {}, and concerned up to {} at once.",
            duration(since.age(*until)),
            when(*since),
            when(*until),
            checks(*count)
        ),
        Fact::Gap { from, until, spared, some, .. } => format!(
            "from {} to {} ({}) no pulse came and nothing was swept: the store itself was away. {} that missed a pulse \
             through it {} given time for the next one: {}.",
            when(*from),
            when(*until),
            duration(from.age(*until)),
            checks(*spared),
            if *spared == 1 { "is" } else { "are" },
            names(*spared, some)
        ),
        Fact::Stopped { at } => {
            format!("nothing has been watched since {}. To go on: `pulse-echo loop start`.", when(*at))
        }
        Fact::Started { stopped } => {
            format!("all is watched again. It was stopped for {}, from {}.", duration(stopped.age(at)), when(*stopped))
        }
        Fact::StatusUnreadable { copy, why } => format!(
            "status.json could not be read, so all checks begin anew; what is down is told once more. A copy is kept \
             as {}. What is wrong with it: {}",
            line(copy, REASON_ROOM),
            line(why, REASON_ROOM)
        ),
        Fact::StatusMissing { swept } => format!(
            "status.json is gone, though a sweep wrote it on {}, so all checks begin anew; what is down is told once \
             more. If nobody removed it on purpose, look who did.",
            when(*swept)
        ),
        Fact::StatusUnusable { why } => {
            format!("no check is judged, and nothing else is told, until this is mended: {}.", line(why, REASON_ROOM))
        }
        Fact::ChannelFails { channel, since, why } => format!(
            "{} has taken nothing of what is due to it since {} ({}): {}. What it owes is kept.",
            line(channel, REASON_ROOM),
            when(*since),
            duration(since.age(at)),
            line(why, REASON_ROOM)
        ),
        Fact::ChannelWorks { channel, since, until } => format!(
            "{} takes messages again. It took none for {}, from {}.",
            line(channel, REASON_ROOM),
            duration(since.age(*until)),
            when(*since)
        ),
        Fact::Refused { what, about, why } => format!(
            "this channel refused a message ({what}{}) again and again, so this stands in its place: {}. See \
             `pulse-echo status`.",
            about.as_ref().map(|about| format!(", {}", line(about, SHORT_ROOM))).unwrap_or_default(),
            line(why, SHORT_ROOM)
        ),
        Fact::Crowded { host, names, most } => {
            let host = line(host, REASON_ROOM);
            format!(
                "{host} has more checks than are watched of a host (CHECKS_PER_HOST: {}); {} were seen, and there may be \
                 more. Nothing is told of the others. Delete what should not be there under pulse/{host}/, echo/{host}/ \
                 and fault/{host}/, or raise CHECKS_PER_HOST.",
                grouped(*most),
                grouped(*names)
            )
        }
        Fact::Uncrowded { host, since, until } => format!(
            "{} has had no more checks than are watched since {}. It had too many for {}.",
            line(host, REASON_ROOM),
            when(*until),
            duration(since.age(*until))
        ),
        Fact::Counted { hosts } => counted(hosts),
        Fact::Test => format!("somebody wanted to see on {} that messages arrive here. They do.", when(at)),
    }
}

/// The text after the label of an outage that is told only now that `end` has ended it.
pub(super) fn whole(end: &Fact, at: Time) -> String {
    match end {
        Fact::Up { check, since, until, was, cause, reason, .. } => format!(
            "{} was down from {} to {} ({}): {}. It is up again.",
            name(check),
            when(*since),
            when(*until),
            duration(since.age(*until)),
            was_what(*was, *cause, reason.as_deref())
        ),
        Fact::Gone { check, pulse, since: Some(since), .. } => format!(
            "{} was down from {} until its pulse was removed: it is retired. Its last pulse came on {}.",
            name(check),
            when(*since),
            when(*pulse)
        ),
        other => sentence(other, at, Detail::Full),
    }
}

/// Checks of one host that fell silent together: `first` stands for all of them, and `all` are their names.
pub(super) fn silent_together(first: &Down, all: &[&CheckId], at: Time, detail: Detail) -> String {
    let host = line(first.check.host(), 128);
    let who = format!("{host} ({}: {})", checks(all.len()), names(all.len(), all.iter().copied()));
    outage(&who, first, at, false, detail, "If on purpose, for each: `pulse-echo retire ID`.")
}

fn single(down: &Down, at: Time, changed: bool, detail: Detail) -> String {
    let remedy = match down.state {
        State::Silent => format!("If on purpose: {}.", command("retire", &down.check)),
        _ => String::new(),
    };
    outage(&name(&down.check), down, at, changed, detail, &remedy)
}

fn outage(who: &str, down: &Down, at: Time, changed: bool, detail: Detail, remedy: &str) -> String {
    let now = if changed { ", now for another reason" } else { "" };
    let (since, age) = (when(down.since), duration(down.since.age(at)));
    let mut sentences =
        vec![format!("{who} has been {} since {since} ({age}){now}: {}.", down.state, why_down(down, at))];
    sentences.extend(last_words(&down.words).map(|words| format!("Last words: {words}.")));
    if detail == Detail::Full {
        sentences.push(match down.echo {
            Some(echo) => format!("Last good echo: {}.", when(echo)),
            None => "There never was a good echo.".into(),
        });
        sentences.extend(Some(remedy.to_string()).filter(|remedy| !remedy.is_empty()));
    }
    sentences.join(" ")
}

/// The value seen and the value expected.
fn why_down(down: &Down, at: Time) -> String {
    match down.state {
        State::Silent => {
            let seen = format!("its last pulse came on {}, {} ago", when(down.pulse), duration(down.pulse.age(at)));
            match down.limit_s {
                Some(limit) => format!("{seen} (expected: within {})", duration(Duration::from_secs(limit))),
                None => seen,
            }
        }
        State::Unanswered => "our probe does not answer its pulse".into(),
        _ => why_failing(down.cause, down.reason.as_deref()),
    }
}

fn why_failing(cause: Option<Cause>, reason: Option<&str>) -> String {
    match (reason, cause) {
        (Some(reason), _) => line(reason.trim_end_matches('.'), REASON_ROOM),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => "its fault could not be read".into(),
    }
}

fn was_what(was: State, cause: Option<Cause>, reason: Option<&str>) -> String {
    match was {
        State::Failing => format!("failing ({})", why_failing(cause, reason)),
        other => other.to_string(),
    }
}

fn gone(check: &CheckId, pulse: Time, since: Option<Time>) -> String {
    let outage = since.map(|since| format!(" That ends its outage since {}.", when(since))).unwrap_or_default();
    format!(
        "{} is not watched any more: its pulse was removed, so it is retired. Its last pulse came on {}.{outage}",
        name(check),
        when(pulse)
    )
}

/// What changed on many hosts, and the first of them.
fn counted(hosts: &Hosts) -> String {
    let Changes { silent, failing, still_down, up, were_down, gone, new } = hosts.sum();
    let sums = [
        ("down and silent", silent),
        ("down and failing", failing),
        ("still down", still_down),
        ("up again", up),
        ("down and up again", were_down),
        ("gone", gone),
        ("new", new),
    ];
    let sums: Vec<_> = sums
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{kind} {}", grouped(*count as usize)))
        .collect();
    let first: Vec<_> = hosts.0.keys().take(10).map(|host| line(host, SHORT_ROOM)).collect();
    let more = match hosts.0.len() - first.len() {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    format!("checks of {} hosts: {}. The hosts: {}{more}.", grouped(hosts.0.len()), sums.join(", "), first.join(", "))
}

fn many_down(down: usize, of: usize, state: State, cause: Option<Cause>, alike: usize) -> String {
    let what = match cause {
        Some(cause) => format!("{state} ({cause})"),
        None => state.to_string(),
    };
    let likely = match (state, cause) {
        (State::Silent, _) => "the network, the power or the cron that they share",
        (State::Unanswered, _) => "our own probe",
        (_, Some(Cause::Dns)) => "the name service that they share",
        (_, Some(Cause::Tls | Cause::Cert)) => "a certificate that they share",
        (_, Some(Cause::Blocked)) => "the addresses that the probe may go to (PROBE_ALLOW)",
        (_, Some(Cause::InvalidPulse)) => "a change of the pulses themselves",
        (_, Some(Cause::Status | Cause::Body)) => "a change or a service that they share",
        (_, Some(Cause::Connect | Cause::Timeout | Cause::Latency)) => "the network or a service that they share",
        (_, Some(Cause::Other) | None) => "something that they share",
    };
    let alike = if alike == down { "all".into() } else { grouped(alike) };
    format!(
        "{} of {} went down within 15 min, {alike} of them {what}. Look for one cause first: {likely}.",
        grouped(down),
        checks(of)
    )
}
