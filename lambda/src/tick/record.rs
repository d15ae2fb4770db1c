//! Recording what there is to tell in `status.json`, and sending what is owed under a lease.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::{Mark, StatusTold};
use pulse_echo_core::random;
use pulse_echo_core::status::{Fact, Lease, State, Status, Unfiled};
use pulse_echo_core::store::{Condition, Store};
use sha2::{Digest, Sha256};

use super::decide::Owed;
use super::machine::{Record, Recorded};
use super::report::Report;
use crate::ahead::Mender;
use crate::cas::Written;
use crate::channel::{Channel, audiences};
use crate::deadline::{HISTORY, Stages, TO_FILE, TO_RECORD, TO_REPORT, TO_STRIKE_OFF, before};
use crate::error::Error;
use crate::outbox::Teller;
use crate::outbox::attempt::{Attempt, any_due};
use crate::outbox::audience::Audiences;
use crate::outbox::entry::{Entry, What};
use crate::outbox::growth::keep_small;
use crate::outbox::many::forget_channels;
use crate::outbox::owed::{for_the_mark, oldest_due_s};
use crate::outbox::settle::{end_lease, may_send, settle};
use crate::page::Page;
use crate::rules::Rules;
use crate::sweep::deliver::{self, Sent};
use crate::sweep::history::{self, Filing, HistoryFile};
use crate::sweep::lists::Opening;
use crate::sweep::page::Writing;
use crate::sweep::status::{self, NotRead, StatusFile, Unreadable, store_time};
use crate::sweep::{Sweep, Swept};

/// How much longer a lease runs than the invocation that holds it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// A status whose only news are newer pulses and echoes is written this often.
const WRITE_EVERY: Duration = Duration::from_secs(600);

/// What the look has found: `status.json`, and the lists as far as they were read.
pub(super) type Look = (Result<StatusFile, NotRead>, Opening);

/// Records and sends for one invocation.
pub(super) struct Recorder<'a> {
    store: &'a Store,
    channels: &'a [Box<dyn Channel>],
    /// The channels' names.
    names: BTreeSet<String>,
    /// What each of them takes.
    audiences: Audiences,
    pub(super) rules: &'a Rules,
    stages: Stages,
    started: Instant,
    /// What was recorded, until it is delivered.
    recording: Option<Recording>,
    /// What is to be put into the history, until it is.
    filing: Option<Filing>,
    /// The `status.json` that must not be used, until that is told.
    unusable: Option<Unusable>,
    /// The page, while it is written.
    page: Option<Writing>,
    /// What was found, as far as it is for the report.
    pub(super) report: Report,
}

/// A status that was recorded, and on what the next write of it depends.
struct Recording {
    status: Status,
    condition: Condition,
    /// The *now* of the look.
    now: Time,
    anchor: (Time, Instant),
}

/// A `status.json` that must not be used.
struct Unusable {
    etag: String,
    why: String,
    /// The *now* of the look.
    now: Time,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(store: &'a Store, channels: &'a [Box<dyn Channel>], rules: &'a Rules, stages: Stages) -> Self {
        let audiences = audiences(channels);
        let names = audiences.all();
        let (started, report) = (Instant::now(), Report::default());
        Self {
            store,
            channels,
            names,
            audiences,
            rules,
            stages,
            started,
            recording: None,
            filing: None,
            unusable: None,
            page: None,
            report,
        }
    }

    /// How long the invocation has taken, in milliseconds.
    pub(super) fn took_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Sweeps, if that is asked for, tells of the loop itself, and writes `status.json` if there is anything new.
    /// `mark` is as it was read.
    pub(super) fn record(&mut self, record: &Record, look: Look, mark: Option<&Mark>) -> Result<Recorded, Error> {
        let (file, opening) = look;
        let StatusFile { status, mut condition, unreadable } = match file {
            Ok(file) => file,
            Err(NotRead { error, etag }) => {
                self.unusable = etag.map(|etag| Unusable { etag, why: error.message.clone(), now: opening.now });
                return Err(error);
            }
        };
        let (now, anchor) = (opening.now, opening.anchor);
        let is_new = status.is_none();
        let mut status = status.unwrap_or_else(|| Status::new(now));
        let mut mender = Mender::new(now);
        mender.status(&mut status);
        let swept_before = mark.and_then(|mark| mark.swept).map(|swept| mender.noted(swept));
        let swept_before = swept_before.max((!is_new).then_some(status.written));
        let lost = swept_before.filter(|_| is_new && unreadable.is_none());
        let mut changed = is_new || mender.furthest.is_some();

        changed |= forget_channels(&mut status, |channel| self.names.contains(channel));
        changed |= self.tell_of_us(&mut status, now, record, unreadable, lost);
        if record.sweep {
            let (store, size) = (self.store, self.rules.history_size);
            let waits = status.unfiled.as_ref().is_some_and(Unfiled::waits);
            let (swept, history) = thread::scope(|scope| {
                let history = waits.then(|| scope.spawn(move || Self::read_history(store, size)));
                // To a status that begins anew every check is new, but to nobody else.
                let tells_new = !(is_new && swept_before.is_some());
                let swept = self.sweep(&mut status, opening, (swept_before, tells_new), mender);
                (swept, history.and_then(|history| history.join().ok()?))
            });
            changed |= swept?;
            changed |= self.strike_off(&mut status, history, now);
            changed |= status.written.age(now) >= WRITE_EVERY;
        }
        if may_send(&status, now) {
            keep_small(&mut status, now, &mut random::id);
        }
        self.report.told = status.outbox.iter().filter(|message| message.at == now).count();

        let sends = self.take_lease(&mut status, now, anchor, &record.lease);
        if changed || sends {
            if record.sweep {
                status.written = now;
            }
            match status::write(&self.store.until(self.stages.until(TO_RECORD)), &mut status, &condition)? {
                Written::Won(next) => {
                    condition = next;
                    self.begin_page(&status, now);
                }
                Written::Lost => {
                    let (heard, took_ms) = (store_time(anchor), self.took_ms());
                    return Ok(Recorded { heard, is_lost: true, sends: false, files: false, took_ms, owed: None });
                }
                Written::Unwritten(why) => return Err(why.into()),
            }
        }
        let owed = Some(self.owed(&status, now, record.sweep, mark));
        self.filing = self.filing(&status, now);
        let files = self.filing.is_some();
        self.recording = Some(Recording { status, condition, now, anchor });
        Ok(Recorded { heard: store_time(anchor), is_lost: false, sends, files, took_ms: self.took_ms(), owed })
    }

    /// Tells what concerns ourselves: a stop or a start, a status that could not be read or is `lost` since that sweep,
    /// a channel in trouble, a test. Whether anything has changed by that.
    fn tell_of_us(
        &self,
        status: &mut Status,
        now: Time,
        record: &Record,
        unreadable: Option<Unreadable>,
        lost: Option<Time>,
    ) -> bool {
        let mut new_id = random::id;
        let (rules, channels) = (self.rules, &self.audiences);
        let mut teller = Teller { now, rules, channels, new_id: &mut new_id, messages: Vec::new() };
        let stopped_before = status.stopped;
        teller.tell_stopped(&mut status.stopped, record.stopped);
        if let Some(Unreadable { copy, why }) = unreadable {
            teller.tell(Fact::StatusUnreadable { copy: copy.to_string(), why });
        }
        if let Some(swept) = lost {
            teller.tell(Fact::StatusMissing { swept });
        }
        let trouble = teller.tell_trouble(status);
        if record.test {
            // Who asks for a test has mended something, and wants to know now.
            for back_off in status.channels.values_mut() {
                back_off.until = back_off.until.min(now);
            }
            teller.tell(Fact::Test);
            teller.tell_untaken(status);
        }
        let changed = trouble || stopped_before != status.stopped || !teller.messages.is_empty();
        status.outbox.append(&mut teller.messages);
        changed
    }

    /// Sweeps. Whether that is worth writing.
    fn sweep(
        &mut self,
        status: &mut Status,
        opening: Opening,
        (swept, tells_new): (Option<Time>, bool),
        mender: Mender,
    ) -> Result<bool, String> {
        let now = opening.now;
        let rules = Rules { tell_new: self.rules.tell_new && tells_new, ..self.rules.clone() };
        let sweep = Sweep { store: self.store, channels: &self.audiences, rules: &rules, stages: self.stages };
        let Swept { changed, checks, skipped, unread } = sweep.run(status, opening, swept, mender)?;
        let count = |fits: fn(State) -> bool| status.checks.values().filter(|record| fits(record.state)).count();
        let report = &mut self.report;
        (report.checks, report.skipped, report.unread) = (checks, skipped, unread);
        report.down = count(State::is_down);
        report.up = count(|state| state == State::Up);
        report.new = count(|state| state == State::New);
        let mutes = status.mutes();
        report.muted = status.checks.keys().filter(|id| mutes.cover(id, now)).count();
        Ok(changed)
    }

    /// What the history has, to strike that off. What cannot be read now is read in the next sweep.
    fn read_history(store: &Store, size: usize) -> Option<HistoryFile> {
        let read = history::read(&store.until(Instant::now() + HISTORY), size);
        read.inspect_err(|why| log::warn!("cannot read history.json: {why}")).ok()
    }

    /// Strikes off what the history has. Whether that is worth writing.
    fn strike_off(&self, status: &mut Status, found: Option<HistoryFile>, now: Time) -> bool {
        let Some((unfiled, found)) = status.unfiled.as_mut().zip(found) else { return false };
        let before = unfiled.clone();
        let trouble = history::strike_off(unfiled, found, now);
        let changed = *unfiled != before;
        let mut new_id = random::id;
        let (rules, channels) = (self.rules, &self.audiences);
        let mut teller = Teller { now, rules, channels, new_id: &mut new_id, messages: Vec::new() };
        if let Some(trouble) = trouble {
            teller.tell(trouble);
        }
        status.outbox.append(&mut teller.messages);
        changed
    }

    /// What is to be put into the history by this invocation.
    fn filing(&self, status: &Status, now: Time) -> Option<Filing> {
        let unfiled = status.unfiled.clone().filter(Unfiled::waits)?;
        let live = status.checks.iter().filter(|(_, record)| record.state != State::Gone);
        let checks = live.map(|(id, _)| id.clone()).collect();
        Some(Filing { unfiled, checks, now, size: self.rules.history_size })
    }

    /// Puts into the history what has ended, if there is time. What fails is for the next sweep.
    pub(super) fn file(&mut self) {
        let (end, filing) = (before(self.stages.deadline, TO_REPORT), self.filing.take());
        let Some(filing) = filing.filter(|_| Instant::now() < before(self.stages.deadline, TO_FILE)) else { return };
        if let Err(why) = history::file(&self.store.until(end), &filing, end) {
            log::error!("cannot put into history.json what has ended: {why}; the next sweep tries again");
        }
    }

    /// Begins to write the page, where that is asked for: once in an invocation that writes `status.json`.
    fn begin_page(&mut self, status: &Status, now: Time) {
        if self.rules.status_page {
            let page = Page::of(status, now, status.stopped, self.rules.tick_s);
            let end = before(self.stages.deadline, TO_REPORT);
            let begun = Writing::begin(self.store, page, self.rules.history_size, end);
            self.page = begun.inspect_err(|error| log::error!("cannot write the page: {error}")).ok();
        }
    }

    /// Waits for the end of the page's writing.
    pub(super) fn end_page(&mut self) {
        self.page.take().into_iter().for_each(Writing::end);
    }

    /// Takes the right to send what is due, if nobody else has it and there is time. `by` is new for each write, so
    /// that this write is told from any other; see [`crate::cas`].
    fn take_lease(&self, status: &mut Status, now: Time, anchor: (Time, Instant), by: &str) -> bool {
        if Instant::now() >= self.send_until() || !may_send(status, now) || !any_due(status, now) {
            return false;
        }
        let left = self.stages.deadline.saturating_duration_since(Instant::now());
        status.lease = Some(Lease { by: by.into(), until: store_time(anchor) + left + LEASE_MARGIN });
        true
    }

    /// What the mark is to say of what is owed. Between sweeps that is no reason to write it each time.
    fn owed(&mut self, status: &Status, now: Time, sweeps: bool, mark: Option<&Mark>) -> Owed {
        self.report.owed_s = oldest_due_s(status, now);
        let owed_s = for_the_mark(self.report.owed_s);
        let said = mark.and_then(|mark| mark.owed_s);
        let owed_s = if sweeps || owed_s.is_none() { owed_s } else { said.or(owed_s) };
        Owed { owed_s, channels: self.names.clone() }
    }

    fn send_until(&self) -> Instant {
        before(self.stages.deadline, TO_STRIKE_OFF)
    }

    /// Sends what is due, under the lease named `by`, and strikes off what was taken.
    pub(super) fn deliver(&mut self, by: &str) -> Result<(), Error> {
        let Recording { status, condition, now, anchor } = self.recording.take().expect("it was recorded");
        // Without time no channel is asked: it could not help it.
        let has_time = Instant::now() < self.send_until();
        let channels = if has_time { self.channels } else { &[] };
        let sent = deliver::send(&status, channels, now, self.send_until());
        let sent_at = store_time(anchor);
        for Sent { channel, attempt, outcome } in &sent {
            self.report.taken.insert((*channel).into(), outcome.taken_of(attempt.entries.len()));
        }
        let end = before(self.stages.deadline, TO_REPORT);
        let sent: Vec<_> = sent.into_iter().map(|sent| (sent, random::id())).collect();
        status::amend(&self.store.until(end), status, condition, end, |status| {
            for (Sent { channel, attempt, outcome }, new_id) in &sent {
                settle(status, channel, attempt, outcome, sent_at, new_id);
            }
            end_lease(status, by);
        })
    }

    /// Tells that `status.json` must not be used, over each channel that has not taken that yet by the mark. There is
    /// no outbox to keep it in. Returns who has taken it by now, if that is new.
    pub(super) fn tell_unusable(&mut self, mark: Option<&Mark>) -> Option<StatusTold> {
        let Unusable { etag, why, now } = self.unusable.take()?;
        let known = mark.and_then(|mark| mark.told.clone()).filter(|told| told.etag == etag);
        let mut told = known.unwrap_or_else(|| StatusTold { etag: etag.clone(), ..StatusTold::default() });
        let others: Vec<_> = self
            .channels
            .iter()
            .filter(|channel| !told.channels.contains(channel.name()))
            .map(|channel| &**channel)
            .collect();
        if others.is_empty() || Instant::now() >= self.send_until() {
            return None;
        }
        // The same at each attempt, and of no other.
        let id = hex(&Sha256::digest(format!("status.json {etag}"))[..16]);
        let entry = Entry { id, at: now, what: What::Fact(Fact::StatusUnusable { why }), course: None };
        let attempt = Attempt { entries: vec![entry], tells: vec![Vec::new()] };
        let sent =
            deliver::attempt_all(others.into_iter().map(|channel| (channel, attempt.clone())), self.send_until());
        let before = told.channels.len();
        for Sent { channel, outcome, .. } in &sent {
            self.report.taken.insert((*channel).into(), outcome.taken_of(1));
            if outcome.taken_of(1) == 1 {
                told.channels.insert((*channel).into());
            }
        }
        (told.channels.len() > before).then_some(told)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
