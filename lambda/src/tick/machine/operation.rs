//! What the machine asks for, and what it is told.

use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::{Mark, StatusTold};
use serde::Serialize;

use crate::error::Error;
use crate::tick::decide::{Owed, Step};

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Do this, and tell the answer.
    Do(Operation),
    /// Nothing more.
    Done(Report),
}

/// One operation of the store or the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// GET the mark. Answer: [`Answer::Mark`].
    GetMark,
    /// GET `status.json`, then begin with the lists: what they say of `loop/`. A `status.json` that cannot be read
    /// must not keep the lists from being read; it fails the record. Answer: [`Answer::Control`].
    Look,
    /// LIST `loop/` alone, once more. Answer: [`Answer::Control`].
    ListControl,
    /// GET the lock. Answer: [`Answer::Lock`].
    GetLock,
    /// DELETE the lock with `If-Match`. Any answer will do.
    DeleteLock {
        /// The `ETag` of the lock that was read.
        etag: String,
    },
    /// Judge, if asked, and write `status.json`. Answer: [`Answer::Recorded`].
    Record(Record),
    /// PUT a lock of this stop with `If-None-Match: *`. Answer: [`Answer::Wrote`] or [`Answer::Failed`].
    PutLock {
        /// The stop that it stands for.
        stop: Time,
    },
    /// PUT the mark. Answer: [`Answer::Wrote`], or [`Answer::OutOfTime`] if it makes a step and there is no time left
    /// to send its tick: then nothing was written.
    PutMark {
        /// What it says.
        mark: Box<Mark>,
        /// With `If-Match` on this `ETag`; with `If-None-Match: *` if it is missing.
        etag: Option<String>,
        /// The number of the tick that is to be sent once this is taken.
        step: Option<u64>,
    },
    /// Send a tick. Answer: [`Answer::Done`] once it was surely taken, [`Answer::Failed`] to be asked again, which
    /// comes at once: who answers backs off. [`Answer::OutOfTime`] ends it.
    Send {
        /// Its number.
        tick: u64,
        /// For how long the queue keeps it back, in seconds.
        delay_s: u32,
    },
    /// Purge the queue: one try, given up after 5 s. Any answer will do.
    Purge,
    /// Send what is due over all channels, then strike off what was taken. Answer: [`Answer::Done`].
    Deliver(Deliver),
    /// Put into the history what has ended. Answer: [`Answer::Done`], also where that failed.
    File,
    /// Tell, over each channel that by the mark has not taken it yet, that `status.json` must not be used. Answer:
    /// [`Answer::Told`].
    TellUnusable,
}

/// An answer. Any operation may be answered by [`Answer::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The mark, as it was read.
    Mark(Box<MarkRead>),
    /// The control files, as they were listed.
    Control(Control),
    /// The lock, as it was read; none if it was removed meanwhile.
    Lock(Option<LockRead>),
    /// What was recorded.
    Recorded(Recorded),
    /// What became of a conditional write.
    Wrote(Wrote),
    /// Who has taken by now that `status.json` must not be used; none if nobody has who had not before.
    Told(Option<StatusTold>),
    /// It was done.
    Done,
    /// It was not done, or nobody knows.
    Failed(Error),
    /// There is no time to try, or to try again.
    OutOfTime(Error),
}

/// A mark that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRead {
    /// The mark.
    pub mark: KeptMark,
    /// The store's time.
    pub now: Time,
}

/// A mark and the version that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptMark {
    /// What it says; none if it is missing or cannot be read.
    pub mark: Option<Mark>,
    /// Its `ETag`; none if it is missing.
    pub etag: Option<String>,
}

/// The control files, all of one page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The store's time.
    pub now: Time,
    /// When `Start.lambda` was put.
    pub start: Option<Time>,
    /// When `Stop.lambda` was put.
    pub stop: Option<Time>,
    /// The lock.
    pub lock: Option<Listed>,
    /// The mark's `ETag`.
    pub mark: Option<String>,
}

impl Default for Control {
    fn default() -> Self {
        Self { now: Time::from_second(i64::MIN), start: None, stop: None, lock: None, mark: None }
    }
}

/// An object of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// When the store took it.
    pub at: Time,
    /// Its `ETag`.
    pub etag: String,
}

/// A lock that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRead {
    /// Its `ETag`.
    pub etag: String,
    /// The stop that it names; none if it was put by hand.
    pub stop: Option<Time>,
}

/// What is to be recorded in `status.json`, in one compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whether to judge all checks.
    pub sweep: bool,
    /// Since when the loop is stopped, to be told if it is news.
    pub stopped: Option<Time>,
    /// Whether a test message is asked for.
    pub test: bool,
    /// The name of the sending lease, taken in the same write if anything is due and nobody else holds one.
    pub lease: String,
}

/// What was recorded. A `status.json` that had nothing new was not written, and that counts as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The store's time by now.
    pub heard: Time,
    /// Whether another invocation has changed `status.json` meanwhile, so that nothing was recorded.
    pub is_lost: bool,
    /// Whether the lease was taken.
    pub sends: bool,
    /// Whether anything is to be put into the history.
    pub files: bool,
    /// How long the sweep took, in milliseconds.
    pub took_ms: u64,
    /// How it is with what is owed, for the mark; none if that is not known.
    pub owed: Option<Owed>,
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// It was taken.
    Taken {
        /// The store's time.
        now: Time,
    },
    /// The condition did not hold, or others changed the object at the same moment.
    Refused,
    /// No answer came, or an answer that does not tell.
    InDoubt,
}

/// What is to be delivered: all that is due, under this lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// The lease's name. Only a lease of this name is ended.
    pub lease: String,
}

/// What an invocation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Report {
    /// What it did.
    pub course: Course,
    /// Since when the loop is stopped.
    pub stopped: Option<Time>,
    /// Whether a sweep was begun but not completed.
    pub sweep_failed: bool,
    /// The step of the chain that was made, and its number.
    pub step: Option<(Step, u64)>,
    /// Whether the tick of that step was surely taken.
    pub is_sent: bool,
    /// Whether the queue was purged.
    pub is_purged: bool,
    /// Whether a test message was asked for and not recorded.
    pub is_test_lost: bool,
    /// What went wrong.
    pub errors: Vec<Error>,
}

impl Report {
    /// Whether the batch is to fail, so that the queue gives it again. A step that was made must not be made again,
    /// whatever went wrong after it; but a test message that was lost may come again with ticks that have gone by.
    pub fn fails_ticks(&self) -> bool {
        !self.errors.is_empty() && (self.step.is_none() || self.is_test_lost)
    }
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// Nothing was asked for.
    #[default]
    Nothing,
    /// Only ticks came whose numbers have gone by.
    Old,
    /// The schedule found the chain alive.
    Fresh,
    /// A whole sweep.
    Swept,
    /// No sweep, since the last one is hardly over, or none was asked for.
    TooSoon,
    /// No sweep, since the loop is stopped.
    Stopped,
    /// Another invocation has changed `status.json` meanwhile.
    Lost,
    /// The store could not be read, or the sweep failed.
    Failed,
}
