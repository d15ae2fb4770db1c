//! A fact in one sentence or a few: what, since when, and why; the value seen and the value expected.

use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Acknowledged, Changes, Down, Fact, Hosts, State, Still};

use super::many::{gap, of_all, on_hosts, set_back, wave};
use super::measure::{checks, command, ended, hosts, last_words, name, names, when};
use pulse_echo_core::text::line;
use pulse_echo_core::words::{duration, grouped, stopped};

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
        Fact::Gap { .. } | Fact::StatusUnusable { .. } => "NOT WATCHED",
        Fact::Stopped { .. } => "LOOP STOPPED",
        Fact::Started { .. } => "LOOP STARTED",
        Fact::StatusUnreadable { .. } | Fact::StatusMissing { .. } => "STATUS LOST",
        Fact::HistoryTrouble { .. } => "HISTORY",
        Fact::ChannelFails { .. } => "CHANNEL FAILS",
        Fact::ChannelWorks { .. } => "CHANNEL WORKS",
        Fact::Refused { .. } => "REFUSED",
        Fact::Crowded { .. } => "TOO MANY CHECKS",
        Fact::Uncrowded { .. } => "CHECKS WITHIN LIMIT",
        Fact::SetBack { .. } => "CLOCK SET BACK",
        Fact::Counted { .. } => "MANY CHANGES",
        Fact::Test => "TEST",
    }
}

/// The text after the label of a fact that a sweep noticed at `at`.
pub(super) fn sentence(fact: &Fact, at: Time, detail: Detail) -> String {
    match fact {
        Fact::Down(down) => single(down, at, false, false, detail),
        Fact::StillDown { down, changed, back, .. } => single(down, at, *changed && !back, *back, detail),
        Fact::Up { .. } => up_again(fact, at),
        Fact::New { check } => format!("{} is watched from now on.", name(check)),
        Fact::Gone { check, pulse, since, retired } => gone(check, *pulse, *since, *retired),
        Fact::ManyDown { .. } => wave(fact),
        Fact::Found { since, checks: count, hosts: of, .. } => format!(
            "none of the pulses that vanished on {} is missing any more ({} of {}): they are back, or gone for a day.",
            when(*since),
            checks(*count),
            hosts(*of)
        ),
        Fact::Vanished { checks: count, of, hosts: vanished, of_hosts, some } => format!(
            "the pulses of {} are no longer there{}: {}. If nobody deleted them on purpose, look who did. They are \
             judged by their last pulse, and gone after a day.",
            of_all(*vanished, *of_hosts, *count, *of),
            if *vanished > 0 { format!(" ({} of {})", grouped(*count), checks(*of)) } else { String::new() },
            names(*count, some)
        ),
        Fact::Unanswered { since, checks: count, hosts: of, some, .. } => format!(
            "no answer to the pulses of {}{} since {} ({}): {}. This is about us: whether what they watch works is not \
             known. Look at the log of the probe's function.",
            checks(*count),
            on_hosts(*of),
            when(*since),
            duration(since.age(at)),
            names(*count, some)
        ),
        Fact::Answered { since, until, checks: count, hosts: of } => format!(
            "no check waits for an answer any more. It lasted {}, from {} to {}, and concerned up to {}{} at once.",
            duration(since.age(*until)),
            when(*since),
            when(*until),
            checks(*count),
            on_hosts(*of)
        ),
        Fact::Gap { from, until, quiet_until, spared, some, .. } => gap((*from, *until), *quiet_until, *spared, some),
        Fact::Stopped { at } => stopped(*at),
        Fact::Started { stopped } => started(*stopped, at),
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
        Fact::HistoryTrouble { why } => format!("{}.", line(why, REASON_ROOM)),
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
                "{host} has more checks than are watched of a host (CHECKS_PER_HOST: {}); {} were seen, and there may \
                 be more. Nothing is told of the others. Delete what should not be there under pulse/{host}/, \
                 echo/{host}/ and fault/{host}/, or raise CHECKS_PER_HOST.",
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
        Fact::SetBack { ahead, by_s, checks, hosts, some } => {
            set_back((*ahead, Duration::from_secs(*by_s)), (*checks, *hosts), some)
        }
        Fact::Counted { hosts } => counted(hosts),
        Fact::Test => format!("somebody wanted to see on {} that messages arrive here. They do.", when(at)),
    }
}

fn up_again(fact: &Fact, at: Time) -> String {
    let Fact::Up { check, since, until, was, cause, reason, steady, still, ack } = fact else {
        return String::new();
    };
    let check = name(check);
    let still = still.as_ref().map(still_down).unwrap_or_default();
    let acked = ack.as_ref().map(acknowledged).unwrap_or_default();
    let (lasted, from) = (duration(since.age(*until)), when(*since));
    let why = was_what(*was, *cause, reason.as_deref());
    if let Some(steady) = steady {
        let (up, age) = (when(*steady), duration(steady.age(at)));
        return format!(
            "{check} does not flap any more: it has been up without a break since {up} ({age}). What was told last was \
             an outage of {lasted}, from {from}: {why}.{acked}{still}"
        );
    }
    let to = when(*until);
    format!("{check} is up again after {lasted}.{still} It was down from {from} to {to}: {why}.{acked}")
}

/// The text after the label of an outage that is told only now that `end` has ended it.
pub(super) fn whole(end: &Fact, at: Time) -> String {
    match end {
        Fact::Up { check, since, until, was, cause, reason, ack, .. } => format!(
            "{} was down from {} to {} ({}): {}. It is up again.{}",
            name(check),
            when(*since),
            when(*until),
            duration(since.age(*until)),
            was_what(*was, *cause, reason.as_deref()),
            ack.as_ref().map(acknowledged).unwrap_or_default()
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

/// Checks of one host that fell silent together: `first` stands for all of them, and `who` names them.
pub(super) fn silent_together(first: &Down, who: &str, at: Time, detail: Detail) -> String {
    // A note of the host speaks for all its checks.
    let retire = command("retire", &first.check.default_of_host());
    outage(who, first, at, "", detail, &format!("If the host left on purpose: {retire}."))
}

fn single(down: &Down, at: Time, changed: bool, back: bool, detail: Detail) -> String {
    let remedy = match down.state {
        State::Silent => format!("If on purpose: {}.", command("retire", &down.check)),
        _ => String::new(),
    };
    let news = match (changed, back) {
        (_, true) => "; it sends again, still failing",
        // In another state, it says itself what is new.
        (true, _) if down.began.is_none() => ", now for another reason",
        _ => "",
    };
    let flaps = if down.flaps { " It flaps: what is short is not told until it is steady." } else { "" };
    outage(&name(&down.check), down, at, news, detail, &remedy) + flaps
}

fn outage(who: &str, down: &Down, at: Time, news: &str, detail: Detail, remedy: &str) -> String {
    let since = down_since(down, at);
    let mut sentences = vec![ended(format!("{who} has been {} {since}{news}: {}", down.state, why_down(down, at)))];
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

/// `since 19:23 (120 s)`, and since when it is down if that was in another state: `, down since 19:22 (failing)`.
pub(super) fn down_since(down: &Down, at: Time) -> String {
    let since = |time: Time| format!("since {} ({})", when(time), duration(time.age(at)));
    match (down.state_since, down.began) {
        (Some(own), Some(began)) => format!("{}, down since {} ({began})", since(own), when(down.since)),
        (Some(own), None) if own > down.since => format!("{}, down since {}", since(own), when(down.since)),
        _ => since(down.since),
    }
}

/// Who acknowledged the outage, as a sentence after another.
pub(super) fn acknowledged(ack: &Acknowledged) -> String {
    format!(" It was {}.", line(&ack.clause(), REASON_ROOM))
}

/// What of the host is still down, as a sentence after another.
pub(super) fn still_down(still: &Still) -> String {
    format!(" Still down: {}.", names(still.checks, &still.some))
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

pub(super) fn why_failing(cause: Option<Cause>, reason: Option<&str>) -> String {
    match (reason, cause) {
        (Some(reason), _) => line(reason.trim_end_matches('.'), REASON_ROOM),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => "its fault could not be read".into(),
    }
}

pub(super) fn was_what(was: State, cause: Option<Cause>, reason: Option<&str>) -> String {
    match was {
        State::Failing => format!("failing ({})", why_failing(cause, reason)),
        other => other.to_string(),
    }
}

fn gone(check: &CheckId, pulse: Time, since: Option<Time>, retired: bool) -> String {
    let outage = since.map(|since| format!(" That ends its outage since {}.", when(since))).unwrap_or_default();
    let why = if retired { "a note says that this is on purpose" } else { "its pulse was removed, so it is retired" };
    format!("{} is not watched any more: {why}. Its last pulse came on {}.{outage}", name(check), when(pulse))
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

fn started(stopped: Time, at: Time) -> String {
    if stopped.age(at).is_zero() {
        // The store's clock was set back meanwhile.
        return format!("all is watched again. It was stopped on {}.", when(stopped));
    }
    format!("all is watched again. It was stopped for {}, from {}.", duration(stopped.age(at)), when(stopped))
}
