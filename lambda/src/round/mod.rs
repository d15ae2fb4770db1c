//! One round over all checks: judges each check and appends the messages. It is pure: everything that was seen, and the
//! time, are arguments.

#[cfg(test)]
mod clock_steps;
mod ended;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{
    Fact, Gap, Message, Record, State, Status, Still, Telling, Unanswered, UnfiledOutage, Vanished,
};

use crate::outbox::many::{MOST_NAMED, first_ten, hosts, shorten};
use crate::outbox::{Change, Teller, noise};
use crate::rules::Rules;
use crate::verdict::{self, Context, Observation, many, wave};

/// A check as a sweep finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The check.
    pub id: CheckId,
    /// Its record; `None` for a new check, which has a pulse.
    pub record: Option<Record>,
    /// What the sweep sees of it.
    pub observation: Observation,
}

/// What a round depends on.
pub struct Round<'a> {
    /// The sweep's time.
    pub now: Time,
    /// The time of the last completed sweep, if it is known.
    pub swept: Option<Time>,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// The names of all channels.
    pub channels: &'a BTreeSet<String>,
    /// A new random id at each call.
    pub new_id: &'a mut dyn FnMut() -> String,
}

/// A check after its verdict.
struct Judged {
    id: CheckId,
    before: Before,
    after: Record,
    is_muted: bool,
}

/// The check's earlier record.
enum Before {
    /// The check is new.
    New,
    /// The record is the same, except for newer times of its pulse and echo, and time alone brings nothing to tell. So
    /// it is for nearly all checks, and in a large fleet a second record of each would be half of all memory.
    Same,
    /// This record.
    Was(Box<Record>),
    /// It was told what there is to tell; whether the status is worth writing for it. The record itself is of no more
    /// use, and of all checks together it would be large.
    Told(bool),
}

impl Round<'_> {
    /// Judges all checks: `cases`, in key order, replace the status's own. Returns whether the status is worth writing,
    /// that is, whether it changed by more than newer times of pulses and echoes.
    pub fn run(self, status: &mut Status, cases: Vec<Case>) -> bool {
        let Self { now, swept, rules, channels, new_id } = self;
        let head = |status: &Status| {
            let Status { gaps, unanswered, many_down, many_told, vanished, .. } = status;
            (gaps.clone(), unanswered.clone(), *many_down, many_told.clone(), vanished.clone())
        };
        let head_before = head(status);
        let pulses = cases.iter().filter_map(|case| Some(case.observation.pulse.as_ref()?.at));
        let gap = many::gap(swept, pulses, now, rules);
        status.gaps.extend(gap);
        let seen = cases.iter().map(|case| (&case.id, case.record.as_ref(), &case.observation));
        let with_many = many::vanish_with_many(seen, now);
        let context = Context { now, rules, gaps: &status.gaps, with_many };
        let Judgement { mut judged, dropped, ended } = judge_each(cases, status, &context);

        // Messages about many checks come before messages about each of them.
        let mut teller = Teller { now, rules, channels, new_id, messages: Vec::new() };
        let noisy = noise::held(&mut status.noise, now);
        let told = tell_each(&mut teller, &mut judged, &noisy);
        noise::note(&mut status.noise, told, now);
        let mut of_checks = teller.take_messages();
        add_still_down(&mut of_checks, &judged);
        tell_gap(&mut teller, swept, gap.as_ref(), stop_told(status, now), &judged);
        let dark = swept.filter(|swept| swept.age(now) > rules.away_after()).map(|from| Gap { from, until: now });
        let (noted, trouble) = ended::note(&mut status.unfiled, ended, dark, now);
        if let Some(trouble) = trouble {
            teller.tell(trouble);
        }
        status.gaps.retain(|gap| judged.iter().any(|check| many::spares(gap, &check.after, now)));
        tell_vanished(&mut teller, &mut status.vanished, &judged);
        tell_unanswered(&mut teller, &mut status.unanswered, &judged);
        let wave = wave::wave(&judged.iter().map(|check| (&check.id, &check.after, check.is_muted)), now);
        teller.tell_many_down(status, wave.as_ref(), of_checks.iter().any(|message| tells_down(&message.fact)));
        teller.messages.extend(of_checks);
        shorten(&mut teller.messages);

        let changed = dropped
            || noted
            || !teller.messages.is_empty()
            || head(status) != head_before
            || judged.iter().any(Judged::is_news);
        status.outbox.append(&mut teller.messages);
        status.checks = judged.into_iter().map(|check| (check.id, check.after)).collect();
        changed
    }
}

/// What the verdicts on all checks came to.
struct Judgement {
    judged: Vec<Judged>,
    /// Whether a record was dropped.
    dropped: bool,
    /// The outages that have ended.
    ended: Vec<UnfiledOutage>,
}

fn judge_each(cases: Vec<Case>, status: &Status, context: &Context) -> Judgement {
    let count = cases.len();
    let (mutes, mut ended) = (status.mutes(), Vec::new());
    let judge = |Case { id, record: before, observation }: Case| {
        let mut after = verdict::judge(before.as_ref(), &observation, context)?;
        ended.extend(ended::outage(&id, before.as_ref(), &mut after, &mutes, context.now));
        let is_muted = mutes.cover(&id, context.now);
        Some(Judged { id, before: Before::of(before, &after), after, is_muted })
    };
    let judged: Vec<_> = cases.into_iter().filter_map(judge).collect();
    Judgement { dropped: judged.len() < count, judged, ended }
}

/// Tells each check's news. `held` are the hosts of which nothing may be told now. Returns the hosts that are told of.
fn tell_each(teller: &mut Teller, judged: &mut [Judged], held: &BTreeSet<String>) -> BTreeSet<String> {
    let is_down = |check: &&Judged| check.after.state.is_down();
    let (down, down_hosts) = {
        let down = || judged.iter().filter(is_down).map(|check| &check.id);
        (down().count(), hosts(down()))
    };
    let mut told = BTreeSet::new();
    for Judged { id, before, after, is_muted } in judged {
        let was = match before {
            Before::New => None,
            Before::Same | Before::Told(_) => continue,
            Before::Was(record) => Some(&**record),
        };
        let own = usize::from(after.state.is_down());
        let (others, other_hosts) = (down - own, down_hosts - own);
        let (is_muted, is_held) = (*is_muted, !held.is_empty() && held.contains(id.host()));
        let count = teller.messages.len();
        teller.tell_check(&Change { id, before: was, is_muted, is_held, others, other_hosts }, after);
        if let Some(is_news) = was.map(|was| differs(was, after)) {
            *before = Before::Told(is_news);
        }
        if teller.messages.len() > count && !is_muted && !told.contains(id.host()) {
            told.insert(id.host().to_string());
        }
        teller.keep_few();
    }
    told
}

/// Adds to the first message of each host that tells a check up what of the host is still down.
fn add_still_down(messages: &mut [Message], judged: &[Judged]) {
    let host = |message: &Message| match &message.fact {
        Fact::Up { check, .. } => Some(check.host().to_string()),
        _ => None,
    };
    let mut down: HashMap<_, _> = messages.iter().filter_map(host).map(|host| (host, Still::default())).collect();
    if down.is_empty() {
        return;
    }
    for check in judged.iter().filter(|check| check.after.state.is_down()) {
        if let Some(still) = down.get_mut(check.id.host()) {
            still.checks += 1;
            if still.some.len() < MOST_NAMED {
                still.some.push(check.id.clone());
            }
        }
    }
    for message in messages {
        if let Fact::Up { check, still, .. } = &mut message.fact {
            *still = down.remove(check.host()).filter(|still| still.checks > 0);
        }
    }
}

/// Whether a message with this fact tells a host down.
fn tells_down(fact: &Fact) -> bool {
    match fact {
        Fact::Counted { hosts } => hosts.0.values().any(|changes| changes.silent + changes.failing > 0),
        fact => matches!(fact, Fact::Down(_) | Fact::StillDown { changed: true, .. }),
    }
}

/// The beginning of a stop whose end is told in this sweep.
fn stop_told(status: &Status, now: Time) -> Option<Time> {
    let mut told = status.outbox.iter().filter(|message| message.at == now);
    told.find_map(|message| if let Fact::Started { stopped } = message.fact { Some(stopped) } else { None })
}

/// Tells that no sweep was completed for a while, but not of a stop that was told. If the store itself was away, the
/// gap says so, and which checks are spared for it.
fn tell_gap(teller: &mut Teller, swept: Option<Time>, gap: Option<&Gap>, stopped: Option<Time>, judged: &[Judged]) {
    let until = stopped.unwrap_or(teller.now);
    let Some(from) = swept.filter(|from| from.age(until) > teller.rules.away_after()) else { return };
    let is_spared = |check: &&Judged| gap.is_some_and(|gap| many::missed_through(gap, &check.after, teller.now));
    let spared: Vec<_> = judged.iter().filter(is_spared).map(|check| &check.id).collect();
    let (hosts, some) = (hosts(spared.iter().copied()), first_ten(spared.iter().copied()));
    let quiet_until = gap.map(|gap| gap.until.min(until));
    teller.tell(Fact::Gap { from, until, quiet_until, spared: spared.len(), hosts, some });
}

/// Tells of hosts that vanish together.
fn tell_vanished(teller: &mut Teller, known: &mut Option<Vanished>, judged: &[Judged]) {
    let is_missing = |check: &&Judged| check.after.missing.is_some_and(|missing| missing.with_many);
    let missing: Vec<_> = judged.iter().filter(is_missing).map(|check| (&check.id, check.is_muted)).collect();
    let all = || judged.iter().filter(|check| check.after.state != State::Gone).map(|check| &check.id);
    teller.tell_vanished(known, &missing, || (all().count(), hosts(all())));
}

/// Tells of checks whose pulses get no answer, in one message.
fn tell_unanswered(teller: &mut Teller, known: &mut Option<Unanswered>, judged: &[Judged]) {
    let unanswered = judged.iter().filter(|check| check.after.state == State::Unanswered);
    let unanswered: Vec<_> = unanswered.map(|check| (&check.id, &check.after, check.is_muted)).collect();
    teller.tell_unanswered(known, &unanswered);
}

impl Before {
    fn of(record: Option<Record>, after: &Record) -> Self {
        match record {
            None => Self::New,
            Some(record) if !may_be_told(after) && !differs(&record, after) => Self::Same,
            Some(record) => Self::Was(Box::new(record)),
        }
    }
}

impl Judged {
    /// Whether the status is worth writing for it.
    fn is_news(&self) -> bool {
        match &self.before {
            Before::New => true,
            Before::Same => false,
            Before::Was(before) => differs(before, &self.after),
            Before::Told(is_news) => *is_news,
        }
    }
}

/// Whether time alone may bring something to tell of the check.
fn may_be_told(record: &Record) -> bool {
    let waits = |telling: &Telling| telling.flaps.is_some() || telling.held.is_some();
    record.outage.is_some() || record.telling.as_deref().is_some_and(waits)
}

/// Whether more has changed than the times of the newest pulse and echo.
fn differs(before: &Record, after: &Record) -> bool {
    *before != Record { pulse: before.pulse, echo: before.echo, ..after.clone() }
}
