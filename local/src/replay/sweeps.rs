//! The sweeps over a history, one each `TICK_S` as in the loop's schedule, with one channel that takes everything.

use std::iter::Peekable;
use std::time::Duration;
use std::vec;

use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::status::{Limits, Muted, State, Status};
use pulse_echo_lambda::outbox::attempt::due;
use pulse_echo_lambda::outbox::audience::Audiences;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome};
use pulse_echo_lambda::outbox::settle::settle;
use pulse_echo_lambda::outbox::{give_words, words_wanted};
use pulse_echo_lambda::round::Round;
use pulse_echo_lambda::rules::Rules;

use super::list::{Event, List};
use super::row::What;
use super::store::{ETAG, Objects};
use super::summary::{Summary, Tally};

/// The name of the one channel.
const CHANNEL: &str = "replay";

/// The sweeps, one after the other. A sweep that would tell nothing and change nothing is left out, so a quiet year
/// costs no more than a quiet hour.
pub struct Sweeps {
    rules: Rules,
    limits: Limits,
    channels: Audiences,
    objects: Vec<Objects>,
    events: Peekable<vec::IntoIter<Event>>,
    status: Status,
    history: History,
    /// The time of the last sweep, even if it was left out.
    swept: Option<Time>,
    from: Time,
    until: Time,
    tally: Tally,
    ids: u64,
}

impl Sweeps {
    /// Sweeps over this list. Each pulse in it has the promises of `pulse`.
    pub fn new(list: List, pulse: &Pulse, rules: &Rules) -> Self {
        let List { checks, events, from, until } = list;
        Self {
            rules: rules.clone(),
            limits: Limits::of(pulse, ETAG.into()),
            channels: [CHANNEL.to_owned()].into(),
            objects: checks.into_iter().map(Objects::none_of).collect(),
            events: events.into_iter().peekable(),
            status: Status::new(from),
            history: History::new(from),
            swept: None,
            from,
            until,
            tally: Tally::default(),
            ids: 0,
        }
    }

    /// How much of the history is done, in percent.
    pub fn percent(&self) -> u64 {
        let done = self.swept.map_or(Duration::ZERO, |swept| self.from.age(swept));
        (100 * done.as_secs()).checked_div(self.from.age(self.until).as_secs()).unwrap_or(100).min(100)
    }

    /// The status after the sweeps so far.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The history after the sweeps so far, as the loop would have it.
    pub fn history(&self) -> History {
        let mut history = self.history.clone();
        let is_gone = |id: &CheckId| self.status.checks.get(id).is_none_or(|record| record.state == State::Gone);
        history.bound(is_gone, self.swept.unwrap_or(self.from), self.rules.history_size);
        history
    }

    /// The summary of the sweeps so far.
    pub fn summary(&self) -> Summary {
        self.tally.summary(&self.status, self.from, self.until)
    }

    /// The time of the next sweep, and what it tells. The first sweep is at the history's first second, and the last is
    /// not before its end.
    fn next_at(&mut self) -> Option<Time> {
        let Some(swept) = self.swept else { return Some(self.from) };
        if swept >= self.until {
            return None;
        }
        // The sweeps before the next event. At least one of them is still to come.
        let end = self.events.peek().map_or(self.until, |event| event.at);
        let before = swept.age(end).as_secs().saturating_sub(1) / self.tick_s();
        let before = before.min(self.one_way(swept));
        let quiet = if before == 0 { 0 } else { self.quiet(swept, before) };
        // As if the sweeps that change nothing had been done.
        let left_out = swept + Duration::from_secs(quiet * self.tick_s());
        self.swept = Some(left_out);
        Some(left_out + Duration::from_secs(self.tick_s()))
    }

    /// Runs a sweep over what the store holds now, and sends its messages to the channel.
    pub(super) fn sweep(&mut self, now: Time) -> Vec<Entry> {
        while let Some(event) = self.events.next_if(|event| event.at <= now) {
            self.happen(event);
        }
        // Everything is kept. The loop drops newer times of pulses and echoes until there is more to write, or ten
        // minutes have passed. That makes no difference to its next verdict.
        let mut status = std::mem::replace(&mut self.status, Status::new(now));
        self.run_round(&mut status, self.swept, now);
        if let Some(unfiled) = &mut status.unfiled {
            self.history.file(unfiled);
            self.history.strike_off(unfiled);
        }
        // A history has no last words of hosts.
        for id in words_wanted(&status.outbox) {
            give_words(&mut status.outbox, &id, &Metadata::new());
        }
        let attempt = due(&status, CHANNEL, now);
        if let Some(attempt) = &attempt {
            self.tally.count(&status.outbox);
            settle(&mut status, CHANNEL, attempt, &Outcome::Taken, now, "");
        }
        (self.status, self.swept) = (status, Some(now));
        attempt.map(|attempt| attempt.entries).unwrap_or_default()
    }

    fn happen(&mut self, event: Event) {
        let Event { at, check, what } = event;
        let id = &self.objects[check].id;
        match what {
            What::Mute(for_s) => {
                self.status
                    .mutes
                    .insert(id.clone(), Muted { etag: ETAG.into(), at, for_s, reason: None, listed: None });
            }
            What::Retire => {
                let id = id.clone();
                let of_host = *id.as_str() == *id.default_of_host().as_str();
                let fits = |other: &CheckId| *other == id || (of_host && other.host() == id.host());
                self.objects.iter_mut().filter(|objects| fits(&objects.id)).for_each(|objects| {
                    objects.put(at, What::Retire);
                });
            }
            what => self.objects[check].put(at, what),
        }
    }

    fn run_round(&mut self, status: &mut Status, swept: Option<Time>, now: Time) {
        let Self { rules, channels, objects, limits, ids, .. } = self;
        // Both are in key order.
        let mut records = std::mem::take(&mut status.checks).into_iter().peekable();
        let mut record = |id: &CheckId| Some(records.next_if(|(of, _)| of == id)?.1);
        let cases = objects.iter().filter_map(|objects| objects.case(record(&objects.id), limits)).collect();
        let mut new_id = || {
            *ids += 1;
            ids.to_string()
        };
        Round { now, swept, rules, channels, new_id: &mut new_id }.run(status, cases);
    }

    /// How many of the next sweeps at most [`Self::quiet`] can look at. A check whose pulse waits for its answer may
    /// become `unanswered` and then `silent`, and it may have been `silent` before.
    fn one_way(&self, swept: Time) -> u64 {
        let waiting = self.status.checks.values().filter(|record| record.waiting.is_some());
        let ends = waiting.map(|record| record.pulse + self.limits.limit()).filter(|&end| end >= swept);
        ends.map(|end| swept.age(end).as_secs() / self.tick_s()).min().unwrap_or(u64::MAX)
    }

    /// How many of the next sweeps, `among` at most, change nothing while nothing happens. Time alone changes each
    /// thing (a limit that passes, a reminder that falls due, a mute or a wave that is over) once and for good, so a
    /// binary search finds the first change.
    fn quiet(&mut self, swept: Time, among: u64) -> u64 {
        if self.changes(swept, 1) {
            return 0;
        }
        let (mut quiet, mut changed) = (1, among + 1);
        while quiet + 1 < changed {
            // The last sweep is tried first: mostly no sweep changes anything.
            let middle = if changed > among { among } else { u64::midpoint(quiet, changed) };
            if self.changes(swept, middle) {
                changed = middle;
            } else {
                quiet = middle;
            }
        }
        quiet
    }

    /// Whether the sweep `ticks` ticks after this one changes anything, if no sweep before it does.
    fn changes(&mut self, swept: Time, ticks: u64) -> bool {
        let at = |ticks: u64| swept + Duration::from_secs(ticks * self.tick_s());
        let (before, now) = (at(ticks - 1), at(ticks));
        let mut status = self.status.clone();
        self.run_round(&mut status, Some(before), now);
        status != self.status
    }

    fn tick_s(&self) -> u64 {
        self.rules.tick_s.into()
    }
}

impl Iterator for Sweeps {
    type Item = (Time, Vec<Entry>);

    fn next(&mut self) -> Option<Self::Item> {
        let now = self.next_at()?;
        Some((now, self.sweep(now)))
    }
}
