//! The only thread that writes.
//!
//! All changes that wait when a transaction begins go into it together (group commit): the costly part, waiting for the
//! disk, is paid once for all. With 64 clients at once that makes 9,000 PUTs a second instead of 400
//! (`benches/list.rs`, on a small virtual machine).

use std::io::{Read, Write};
use std::iter;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use redb::{ReadableTable, WriteTransaction};
use tokio::sync::oneshot;

use super::super::notification::Rule;
use super::change::{Change, Condition, Content, NewObject, Refusal};
use super::file::StoreFile;
use super::opening::State;
use super::pending::Pending;
use super::quota::Quota;
use super::tables::{Tables, json, read_event};
use super::{Clock, NEWEST, SEQUENCE, Settings, Summary};

/// The limit of one transaction: it bounds the memory, and how long its first command waits.
const MAX_BATCH: usize = 256;
/// The limit of one transaction's bodies, of which the last may go beyond it: redb holds them in memory.
const MAX_BATCH_BYTES: usize = 8 << 20;
/// The length of a large body's pieces. With what belongs to it, a piece just fits a page of 1 MiB.
const PIECE_BYTES: usize = (1 << 20) - (4 << 10);
/// How far an object may be ahead of the clock, in seconds. So much is nothing for those who read it, either.
const MAX_AHEAD_S: i64 = 60;
/// How long changes are refused without a try after a failed transaction: each failure costs opening the file anew.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Gets events, in order. The writer calls it between two transactions, so it must be quick.
pub(crate) type Listener = Box<dyn Fn(Pending) + Send>;

type Reply = oneshot::Sender<Result<(), Refusal>>;

pub(super) enum Command {
    Change(Box<NewChange>),
    Strike(u64),
    Listen(Listener),
}

impl Command {
    /// How many bytes of a body it brings.
    fn bytes(&self) -> usize {
        match self {
            Self::Change(change) => match &change.change {
                Change::Put(object) => object.body.len(),
                Change::Delete => 0,
            },
            Self::Strike(_) | Self::Listen(_) => 0,
        }
    }
}

/// A change, and where to send its reply. Dropping it replies that the file cannot be written.
pub(super) struct NewChange {
    pub(super) key: String,
    pub(super) condition: Condition,
    pub(super) change: Change,
    pub(super) reply: Reply,
}

pub(super) struct Writer {
    file: Arc<StoreFile>,
    rules: Vec<Rule>,
    clock: Clock,
    newest: i64,
    sequence: i64,
    quota: Quota,
    listener: Option<Listener>,
    /// Whether the listener must get all events in the store, not only the new events.
    is_behind: bool,
    /// Events that are dealt with, but are still in the store.
    struck: Vec<u64>,
    /// When the last transaction failed; `None` if it did not.
    failed: Option<Instant>,
}

/// The effects that may be told only once the transaction is durable.
#[derive(Default)]
struct Outcome {
    answers: Vec<(Reply, Result<(), Refusal>)>,
    events: Vec<Pending>,
}

impl Writer {
    pub(super) fn new(file: Arc<StoreFile>, settings: Settings, state: &State) -> Self {
        let Settings { rules, clock, of_host } = settings;
        Self {
            file,
            rules,
            clock,
            newest: state.newest,
            sequence: state.sequence,
            quota: Quota::of(of_host),
            listener: None,
            is_behind: false,
            struck: Vec::new(),
            failed: None,
        }
    }

    /// Runs until the last sender of commands is gone.
    pub(super) fn run(mut self, inbox: &Receiver<Command>) {
        while let Ok(first) = inbox.recv() {
            let mut bytes = first.bytes();
            let further = iter::from_fn(|| {
                let next = if bytes < MAX_BATCH_BYTES { inbox.try_recv().ok()? } else { return None };
                bytes += next.bytes();
                Some(next)
            });
            let batch = iter::once(first).chain(further.take(MAX_BATCH - 1));
            // Dropping a refused change answers it.
            let changes: Vec<_> = batch.filter_map(|command| self.take(command)).collect();
            if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
                continue;
            }
            let file = self.file.clone();
            match file.write(|write| self.fill(write, changes)) {
                Ok(outcome) => self.done(outcome),
                Err(error) => self.failed(&error),
            }
        }
    }

    /// Keeps what outlasts a failed transaction, and returns a change.
    fn take(&mut self, command: Command) -> Option<NewChange> {
        match command {
            Command::Change(change) => return Some(*change),
            Command::Strike(number) => self.struck.push(number),
            Command::Listen(listener) => {
                self.listener = Some(listener);
                self.is_behind = true;
            }
        }
        None
    }

    fn fill(&mut self, write: &WriteTransaction, changes: Vec<NewChange>) -> Result<Outcome, redb::Error> {
        let mut outcome = Outcome::default();
        let mut tables = Tables::open(write)?;
        for NewChange { key, condition, change, reply } in changes {
            let answer = self.change(&mut tables, &key, &condition, change, &mut outcome.events)?;
            outcome.answers.push((reply, answer));
        }
        for number in &self.struck {
            if let Some(event) = tables.pending.remove(number)?.and_then(|record| read_event(record.value())) {
                self.quota.handled(&event.key);
            }
        }
        if self.is_behind {
            // The table also holds the events of this same batch.
            outcome.events = tables.all_pending()?;
            self.quota.begin(outcome.events.iter().map(|event| &*event.key));
        }
        tables.state.insert(NEWEST, self.newest)?;
        tables.state.insert(SEQUENCE, self.sequence)?;
        Ok(outcome)
    }

    fn done(&mut self, outcome: Outcome) {
        self.struck.clear();
        self.is_behind = false;
        if self.failed.take().is_some() {
            log::warn!("the object store can be written again");
        }
        self.tell(outcome);
    }

    fn failed(&mut self, error: &redb::Error) {
        // Once for all changes that are refused until there is room again, or whatever is missing.
        if self.failed.replace(Instant::now()).is_none() {
            log::error!("the object store cannot be written, changes are refused until it can: {error}");
        }
        // The failed transaction may be in the file nevertheless, with events that the listener never got.
        self.is_behind = true;
        // So that the next batch is not judged by what was counted of this one.
        self.quota.begin(iter::empty());
    }

    fn tell(&self, outcome: Outcome) {
        for (reply, answer) in outcome.answers {
            // A client that has hung up needs no reply.
            let _ = reply.send(answer);
        }
        if let Some(listener) = &self.listener {
            outcome.events.into_iter().for_each(listener);
        }
    }

    fn change(
        &mut self,
        tables: &mut Tables<'_>,
        key: &str,
        condition: &Condition,
        change: Change,
        events: &mut Vec<Pending>,
    ) -> Result<Result<(), Refusal>, redb::Error> {
        let there = tables.listing.get(key.as_bytes())?.map(|row| Summary::from(row.value()));
        let is_there = there.is_some();
        match (condition, there) {
            (Condition::Is(_) | Condition::Before(_), None) => return Ok(Err(Refusal::NoSuchKey)),
            (Condition::Absent, Some(_)) => return Ok(Err(Refusal::Precondition)),
            (Condition::Is(etag), Some(there)) if *etag != there.etag.to_string() => {
                return Ok(Err(Refusal::Precondition));
            }
            (Condition::Before(time), Some(there)) if there.last_modified >= *time => {
                return Ok(Err(Refusal::Precondition));
            }
            _ => {}
        }
        match change {
            Change::Put(object) => {
                if !is_there {
                    if object.details.by_a_host
                        && let Some(refusal) = self.quota.refusal(&tables.listing, key)?
                    {
                        return Ok(Err(refusal));
                    }
                    self.quota.added(key);
                }
                events.extend(self.put(tables, key, object)?);
            }
            Change::Delete => {
                if is_there {
                    self.quota.removed(key);
                }
                tables.listing.remove(key.as_bytes())?;
                tables.details.remove(key.as_bytes())?;
                tables.remove_body(key)?;
            }
        }
        Ok(Ok(()))
    }

    /// Writes the object. If its key matches a rule, it also writes the event and returns it.
    fn put(&mut self, tables: &mut Tables<'_>, key: &str, object: NewObject) -> Result<Option<Pending>, redb::Error> {
        let now = (self.clock)();
        // After a clock is set back a little, a newer object must not look older. After more than that the clock says
        // it: else all new objects would have one time for hours, and nobody could tell that they are new.
        let second = now.as_second();
        self.newest = if self.newest - second > MAX_AHEAD_S { second } else { self.newest.max(second) };
        let length = object.body.len();
        let size = length as u64;
        let listed = (object.etag.0, size, self.newest);
        tables.listing.insert(key.as_bytes(), listed)?;
        tables.details.insert(key.as_bytes(), json(&object.details).as_slice())?;
        tables.remove_body(key)?;
        match object.body {
            Content::Held(blocks) => {
                let mut reserved = tables.bodies.insert_reserve(key.as_bytes(), length)?;
                let mut place = reserved.as_mut();
                blocks.iter().try_for_each(|block| place.write_all(block))?;
            }
            Content::InFile(mut file, _) => {
                let starts = (0..length).step_by(PIECE_BYTES);
                for (number, start) in (0..).zip(starts) {
                    let piece = PIECE_BYTES.min(length - start);
                    file.read_exact(tables.pieces.insert_reserve((key.as_bytes(), number), piece)?.as_mut())?;
                }
            }
        }
        let Some(&Rule { kind, .. }) = self.rules.iter().find(|rule| rule.fits(key)) else {
            return Ok(None);
        };
        self.sequence += 1;
        let event = Pending {
            number: self.sequence.cast_unsigned(),
            kind,
            key: key.to_owned(),
            size,
            etag: object.etag.to_string(),
            time_ms: now.as_millisecond(),
            has_url: object.has_url,
            origin: object.origin,
        };
        tables.pending.insert(event.number, json(&event).as_slice())?;
        self.quota.waits(key);
        Ok(Some(event))
    }
}
