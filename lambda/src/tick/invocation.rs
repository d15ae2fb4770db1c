//! One invocation: sweeps unless the loop is stopped or the last sweep is hardly over, records it, keeps the mark and
//! the lock, and sends what is owed under a lease.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::random;
use pulse_echo_core::status::{Fact, Lease, State, Status};
use pulse_echo_core::store::{Condition, Store};

use super::control::Control;
use super::decide::Asked;
use super::mark;
use super::report::{Course, Report};
use crate::cas::Written;
use crate::channel::Channel;
use crate::deadline::{TO_REPORT, TO_STRIKE_OFF, before};
use crate::error::Error;
use crate::outbox::Teller;
use crate::outbox::attempt::{any_due, end_lease, may_send, settle};
use crate::outbox::many::forget_channels;
use crate::rules::Rules;
use crate::sweep::deliver::{self, Sent};
use crate::sweep::lists::Opening;
use crate::sweep::status::{self, StatusFile, Unreadable, store_time};
use crate::sweep::{Sweep, Swept};

/// How much longer a lease runs than the invocation that holds it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// A status whose only news are newer pulses and echoes is written this often.
const WRITE_EVERY: Duration = Duration::from_secs(600);

/// One invocation, and all that it goes by.
pub(super) struct Invocation<'a> {
    pub(super) store: &'a Store,
    pub(super) channels: &'a [Box<dyn Channel>],
    /// The channels' names.
    pub(super) names: BTreeSet<String>,
    pub(super) rules: &'a Rules,
    /// Its end.
    pub(super) deadline: Instant,
    pub(super) started: Instant,
}

impl Invocation<'_> {
    /// Does what was asked for; the rest is what was read first.
    pub(super) fn run(
        &self,
        asked: &Asked,
        file: StatusFile,
        opening: Opening,
        control: &Control,
        mark: mark::Kept,
    ) -> Result<Report, Error> {
        let (now, anchor) = (opening.now, opening.anchor);
        let course = match control.stopped {
            Some(_) => Course::Stopped,
            None if (asked.sweep || asked.schedule) && !self.is_too_soon(&mark.mark, now) => Course::Swept,
            None => Course::TooSoon,
        };
        let mut report = Report { course, ..Report::default() };
        let swept = mark.mark.swept.max(file.status.as_ref().map(|status| status.written));
        let mut changed = file.status.is_none();
        let mut status = file.status.unwrap_or_else(|| Status::new(now));

        changed |= forget_channels(&mut status, |channel| self.names.contains(channel));
        changed |= self.tell_of_us(&mut status, now, control, asked, file.unreadable);
        if course == Course::Swept {
            changed |= self.sweep(&mut status, opening, swept, &mut report)?;
            changed |= status.written.age(now) >= WRITE_EVERY;
        }
        report.told = status.outbox.iter().filter(|message| message.at == now).count();

        let lease = self.take_lease(&mut status, now, anchor);
        let mut condition = file.condition;
        if changed || lease.is_some() {
            if course == Course::Swept {
                status.written = now;
            }
            match status::write(self.store, &status, &condition)? {
                Written::Won(next) => condition = next,
                Written::Lost => return Ok(Report { course: Course::Lost, ..report }),
                Written::Unwritten(why) => return Err(why.into()),
            }
        }
        // A mark that cannot be written must not keep back what people are to be told; that is still an error.
        let marked = self.keep_mark(mark, now, control, course);
        control.keep_lock(self.store);
        if let Some(by) = lease {
            self.deliver(status, condition, now, anchor, &by, &mut report)?;
        }
        report.took_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        marked?;
        Ok(report)
    }

    /// Whether the last completed sweep is so near that another would tell nothing.
    fn is_too_soon(&self, mark: &Mark, now: Time) -> bool {
        let min = self.rules.min_interval();
        mark.swept.is_some_and(|swept| swept.age(now) < min && now.age(swept) < min)
    }

    fn send_until(&self) -> Instant {
        before(self.deadline, TO_STRIKE_OFF)
    }

    /// Tells what concerns ourselves: a stop or a start, a status that could not be read, a test. Whether anything has
    /// changed by that.
    fn tell_of_us(
        &self,
        status: &mut Status,
        now: Time,
        control: &Control,
        asked: &Asked,
        unreadable: Option<Unreadable>,
    ) -> bool {
        let mut new_id = random::id;
        let (rules, channels) = (self.rules, &self.names);
        let mut teller = Teller { now, rules, channels, new_id: &mut new_id, messages: Vec::new() };
        let stopped_before = status.stopped;
        teller.tell_stopped(&mut status.stopped, control.stopped);
        if let Some(Unreadable { copy, why }) = unreadable {
            teller.tell(Fact::StatusUnreadable { copy: copy.to_string(), why });
        }
        if asked.test {
            teller.tell(Fact::Test);
        }
        let changed = stopped_before != status.stopped || !teller.messages.is_empty();
        status.outbox.append(&mut teller.messages);
        changed
    }

    /// Sweeps. Whether that is worth writing.
    fn sweep(
        &self,
        status: &mut Status,
        opening: Opening,
        swept: Option<Time>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let sweep = Sweep { store: self.store, channels: &self.names, rules: self.rules, deadline: self.deadline };
        let Swept { changed, checks, skipped, unread } = sweep.run(status, opening, swept)?;
        (report.checks, report.skipped, report.unread) = (checks, skipped, unread);
        for record in status.checks.values() {
            match record.state {
                State::Up => report.up += 1,
                State::New => report.new += 1,
                state => report.down += usize::from(state.is_down()),
            }
        }
        Ok(changed)
    }

    /// Takes the right to send what is due, if nobody else has it and there is time: its name, new for each write, so
    /// that this write is told from any other; see [`crate::cas`].
    fn take_lease(&self, status: &mut Status, now: Time, anchor: (Time, Instant)) -> Option<String> {
        if Instant::now() >= self.send_until() || !may_send(status, now) || !any_due(status, now) {
            return None;
        }
        let (by, left) = (random::id(), self.deadline.saturating_duration_since(Instant::now()));
        status.lease = Some(Lease { by: by.clone(), until: store_time(anchor) + left + LEASE_MARGIN });
        Some(by)
    }

    /// Brings the mark up to date: `swept` after a whole sweep only.
    fn keep_mark(&self, mark: mark::Kept, now: Time, control: &Control, course: Course) -> Result<(), String> {
        let took_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let change = mark.change(self.store, |mark| {
            mark.version = Mark::VERSION;
            mark.tick_s = Some(self.rules.tick_s);
            mark.stopped = control.stopped;
            mark.tick = mark.tick.or(u64::try_from(now.as_second()).ok());
            if course == Course::Swept {
                mark.swept = Some(now);
                mark.took_ms = Some(took_ms);
            }
        });
        change.map(drop)
    }

    /// Sends what is due, under the lease named `by`, and strikes off what was taken.
    fn deliver(
        &self,
        status: Status,
        condition: Condition,
        now: Time,
        anchor: (Time, Instant),
        by: &str,
        report: &mut Report,
    ) -> Result<(), Error> {
        let sent = deliver::send(&status, self.channels, now, self.send_until());
        let sent_at = store_time(anchor);
        for Sent { channel, attempt, outcome } in &sent {
            report.taken.insert((*channel).into(), outcome.taken_of(attempt.entries.len()));
        }
        status::amend(self.store, status, condition, before(self.deadline, TO_REPORT), |status| {
            for Sent { channel, attempt, outcome } in &sent {
                settle(status, channel, attempt, outcome, sent_at);
            }
            end_lease(status, by);
        })
    }
}
