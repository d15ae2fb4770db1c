//! One round over all checks: judges each check and appends the messages. It is pure: everything that was seen, and the
//! time, are arguments.

#[cfg(test)]
mod clock_steps;
mod ended;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{
    Acked, Fact, Gap, Message, Mutes, Record, State, Status, Still, Telling, Unanswered, UnfiledOutage, Vanished,
    ack_of,
};

use crate::outbox::entry::MOST_NAMED;
use crate::outbox::many::{first_ten, hosts, shorten};
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

/// A check after its verdict. What it was told is in its record.
struct Judged {
    id: CheckId,
    after: Record,
    is_muted: bool,
    /// Whether the status is worth writing for it.
    is_news: bool,
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
        let mut teller = Teller { now, rules, channels, new_id, messages: Vec::new() };
        let count = cases.len();
        let noisy = noise::held(&mut status.noise, now);
        let told = BTreeSet::new();
        let (mutes, acks) = (status.mutes(), &status.acks);
        let mut each = Each { teller: &mut teller, mutes, acks, noisy, told, ended: Vec::new() };
        let mut judged: Vec<_> = cases.into_iter().filter_map(|case| each.judge(case, &context)).collect();
        // It stands where the cases stood, which took twice the room.
        judged.shrink_to_fit();
        let Each { told, ended, .. } = each;
        noise::note(&mut status.noise, told, now);
        // Messages about many checks come before messages about each of them.
        let mut of_checks = teller.take_messages();
        add_others_down(&mut of_checks, &judged);
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
        let (left, wave) = wave::wave(&judged.iter().map(|check| (&check.id, &check.after, check.is_muted)), now);
        teller.tell_many_down(status, (left, wave.as_ref()), of_checks.iter().any(|message| tells_down(&message.fact)));
        teller.messages.extend(of_checks);
        shorten(&mut teller.messages);

        let changed = judged.len() < count
            || noted
            || !teller.messages.is_empty()
            || head(status) != head_before
            || is_any_news(&judged);
        status.outbox.append(&mut teller.messages);
        status.checks = judged.into_iter().map(|check| (check.id, check.after)).collect();
        changed
    }
}

/// Judges and tells check by check: a large fleet has no room for what each of its checks was before.
struct Each<'a, 'b> {
    teller: &'a mut Teller<'b>,
    mutes: Mutes<'a>,
    acks: &'a BTreeMap<CheckId, Acked>,
    /// The hosts of which nothing may be told now.
    noisy: BTreeSet<String>,
    /// The hosts that are told of.
    told: BTreeSet<String>,
    /// The outages that have ended.
    ended: Vec<UnfiledOutage>,
}

impl Each<'_, '_> {
    /// Judges a check and tells its news. `None` drops it.
    fn judge(&mut self, Case { id, record, observation }: Case, context: &Context) -> Option<Judged> {
        let mut after = verdict::judge(record.as_ref(), &observation, context)?;
        self.ended.extend(ended::outage(&id, record.as_ref(), &mut after, &self.mutes, context.now));
        let is_muted = self.mutes.cover(&id, context.now);
        let before = record.as_ref();
        // So it is for nearly all checks.
        if before.is_some_and(|before| !may_be_told(&after) && !differs(before, &after)) {
            return Some(Judged { id, after, is_muted, is_news: false });
        }
        let is_held = self.noisy.contains(id.host());
        let count = self.teller.messages.len();
        let ack = ack_of(self.acks, &id, before.and_then(|before| before.outage.as_deref()));
        self.teller.tell_check(&Change { id: &id, before, is_muted, is_held, ack }, &mut after);
        if self.teller.messages.len() > count && !is_muted && !self.told.contains(id.host()) {
            self.told.insert(id.host().to_string());
        }
        self.teller.keep_few();
        let is_news = before.is_none_or(|before| differs(before, &after));
        Some(Judged { id, after, is_muted, is_news })
    }
}

/// Adds to each message that tells a check down how many other checks are, and how many other hosts.
fn add_others_down(messages: &mut [Message], judged: &[Judged]) {
    let downs = messages.iter_mut().filter_map(|message| match &mut message.fact {
        Fact::Down(down) | Fact::StillDown { down, .. } => Some(down),
        _ => None,
    });
    let mut downs = downs.peekable();
    if downs.peek().is_none() {
        return;
    }
    let is_down = || judged.iter().filter(|check| check.after.state.is_down()).map(|check| &check.id);
    let (others, other_hosts) = (is_down().count().saturating_sub(1), hosts(is_down()).saturating_sub(1));
    for down in downs {
        (down.others, down.other_hosts) = (others, other_hosts);
    }
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

/// Whether the status is worth writing for any of these checks.
fn is_any_news(judged: &[Judged]) -> bool {
    judged.iter().any(|check| check.is_news)
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
