//! An invocation of the function: it runs the machine's operations on the model, until it ends, crashes or is killed.

use pulse_echo_core::clock::Time;
use pulse_echo_lambda::tick::decide::{Asked, Pace, Step};
use pulse_echo_lambda::tick::machine::{Answer, Course, Machine, Next, Operation, Report};

use crate::chance::Chance;
use crate::history::{Event, History};
use crate::operator::Act;
use crate::promises::TIME_OUT;
use crate::world::{Ms, Owed, Status};

/// Why a function was invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Put(Act),
    Schedule,
    /// Ticks; none is a nudge.
    Messages(Vec<Option<u64>>),
}

/// New random ids.
pub(crate) type Ids = Box<dyn FnMut() -> String + Send>;

/// An invocation.
pub(crate) struct Invocation {
    pub(crate) cause: Cause,
    /// The messages that it was given.
    batch: Vec<usize>,
    request: u64,
    /// How often Lambda tries the event again.
    tries: u32,
    pub(crate) deadline: Ms,
    pub(crate) pace: Pace,
    machine: Machine<Ids>,
    pub(crate) operation: Operation,
    /// Where it is within an operation of several requests.
    pub(crate) stage: Stage,
    is_alive: bool,
    /// Whether it is not sure that what it sent to people was struck off.
    pub(crate) is_unsure: bool,
    /// Its `status.json`: as it was read, then as it was written.
    pub(crate) status: StatusFile,
    /// What it has sent to people.
    pub(crate) delivered: Vec<usize>,
    /// The store's time of its look: the *now* of its sweep.
    pub(crate) looked: Time,
}

/// What an invocation knows of `status.json`.
#[derive(Default)]
pub(crate) struct StatusFile {
    pub(crate) is_read: bool,
    pub(crate) content: Status,
    pub(crate) etag: Option<u64>,
    /// What it is about to owe.
    pub(crate) news: Vec<Owed>,
    pub(crate) sends: bool,
    /// Whether it owes a test message since it was asked for one.
    pub(crate) has_test: bool,
}

/// Where an invocation is within an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    First,
    Listing,
    PuttingStatus,
    ReadingStatusBack,
    StrikingOff,
    ReadingStatusAgain,
}

/// What came of a request.
pub(crate) enum Came {
    /// The operation is answered.
    Answer(Box<Answer>),
    /// The next request of the same operation, after so long.
    Next(Stage, Ms),
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// It does not get through, and the answer does not tell.
    NotDone,
    /// It gets through, and the answer is lost.
    Done,
}

impl History {
    pub(crate) fn invoke(&mut self, cause: Cause, batch: Vec<usize>, request: u64, tries: u32) -> Result<(), String> {
        let asked = match &cause {
            Cause::Put(act) => Asked { sweep: *act != Act::Test, test: *act == Act::Test, ..Asked::default() },
            Cause::Schedule => Asked { schedule: true, ..Asked::default() },
            Cause::Messages(ticks) => Asked {
                sweep: ticks.contains(&None),
                ticks: ticks.iter().copied().flatten().collect(),
                ..Asked::default()
            },
        };
        let mut chance = Chance::new(self.chance.between(0, i64::MAX).unsigned_abs());
        let ids: Ids = Box::new(move || chance.id());
        let mut machine = Machine::new(asked, self.pace, ids);
        let Next::Do(operation) = machine.start() else { return Err("a machine begins with an operation".into()) };
        let number = self.invocations.len();
        self.tell(|| format!("#{number} (request {request}) for {cause:?}"));
        self.invocations.push(Invocation {
            cause,
            batch,
            request,
            tries,
            deadline: self.now + TIME_OUT,
            pace: self.pace,
            machine,
            operation,
            stage: Stage::First,
            is_alive: true,
            is_unsure: false,
            status: StatusFile::default(),
            delivered: Vec::new(),
            looked: self.store.time(self.now),
        });
        self.plan_request(number, 0);
        Ok(())
    }

    /// Plans when the next request of an invocation takes effect.
    fn plan_request(&mut self, number: usize, after: Ms) {
        let mut at = self.now + after + self.chance.between(5, 60);
        let is_sweep = matches!(&self.invocations[number].operation, Operation::Record(record) if record.sweep);
        if is_sweep && self.invocations[number].stage == Stage::First {
            at += if self.strikes(20) { self.chance.between(0, 38_000) } else { self.chance.between(50, 500) };
        }
        if self.strikes(self.weather.slow) {
            at += self.chance.between(0, 20_000);
            // Now and then for longer than the function lives.
            at += if self.chance.percent(10) { 40_000 } else { 0 };
        }
        if self.invocations[number].operation == Operation::Purge {
            // It is given up after that.
            at = at.min(self.now + 5_000);
        }
        // What comes later than its end finds it killed.
        at = at.min(self.invocations[number].deadline);
        if self.is_storm() {
            self.promises.fault(at);
        }
        self.plan(at, Event::Act(number));
    }

    /// The request that an invocation has sent takes effect.
    pub(crate) fn act(&mut self, number: usize) -> Result<(), String> {
        let invocation = &self.invocations[number];
        if !invocation.is_alive {
            return Ok(());
        }
        if self.now >= invocation.deadline {
            self.sums.count("killed");
            self.crash(number);
            return Ok(());
        }
        let dies = self.strikes(self.weather.crash);
        if dies && self.chance.percent(50) {
            self.crash(number);
            return Ok(());
        }
        let trouble = if self.strikes(self.weather.fail) {
            self.sums.count("in doubt");
            if self.chance.percent(50) { Trouble::Done } else { Trouble::NotDone }
        } else {
            Trouble::None
        };
        if self.tells {
            let Invocation { operation, stage, .. } = &self.invocations[number];
            self.tell(|| format!("#{number} {operation:?} {stage:?} {trouble:?}"));
        }
        let came = self.request_of(number, trouble)?;
        if dies {
            self.crash(number);
            return Ok(());
        }
        match came {
            Came::Next(stage, after) => {
                self.invocations[number].stage = stage;
                self.plan_request(number, after);
            }
            Came::Answer(answer) => self.answer(number, *answer)?,
        }
        Ok(())
    }

    fn answer(&mut self, number: usize, answer: Answer) -> Result<(), String> {
        let invocation = &mut self.invocations[number];
        let is_again = matches!((&invocation.operation, &answer), (Operation::Send { .. }, Answer::Failed(_)));
        if matches!((&invocation.operation, &answer), (Operation::Deliver(_), Answer::Failed(_))) {
            invocation.is_unsure = true;
        }
        match invocation.machine.answer(answer) {
            Next::Do(operation) => {
                if is_again {
                    self.sums.count("sent again");
                }
                let invocation = &mut self.invocations[number];
                (invocation.operation, invocation.stage) = (operation, Stage::First);
                self.plan_request(number, if is_again { 1_000 } else { 0 });
            }
            Next::Done(report) => return self.end_of(number, &report),
        }
        Ok(())
    }

    fn end_of(&mut self, number: usize, report: &Report) -> Result<(), String> {
        self.tell(|| format!("#{number} ends: {report:?}"));
        let invocation = &mut self.invocations[number];
        invocation.is_alive = false;
        if invocation.cause == Cause::Put(Act::Test) && report.errors.is_empty() && !invocation.status.has_test {
            return Err(format!("no test message is lost: {number} owes none and does not ask to be tried again"));
        }
        if let Some((step, _)) = report.step {
            self.sums.count(match step {
                Step::Begin => "begun",
                Step::Continue => "continued",
                Step::Revive => "revived",
            });
        }
        if report.course == Course::Swept && report.step.is_none() {
            self.sums.count("swept alone");
        }
        if report.sweep_failed {
            self.sums.count("sweep failed");
        }
        self.sums.count(match report.course {
            Course::Swept => "swept",
            Course::Stopped => "stopped",
            Course::Lost => "lost the race",
            Course::Old => "old tick",
            Course::Fresh => "fresh",
            Course::TooSoon => "too soon",
            Course::Failed | Course::Nothing => "failed",
        });
        if matches!(self.invocations[number].cause, Cause::Messages(_)) {
            // A message whose receipt is lost comes again.
            if !report.fails_ticks() && !self.strikes(3) {
                for message in self.invocations[number].batch.clone() {
                    self.queue.messages[message].deleted = true;
                }
            }
        } else if !report.errors.is_empty() {
            self.try_again(number);
        }
        Ok(())
    }

    fn crash(&mut self, number: usize) {
        self.tell(|| format!("#{number} dies"));
        self.sums.count("crashed");
        self.promises.fault(self.now);
        self.promises.ends_to_send(number);
        (self.invocations[number].is_alive, self.invocations[number].is_unsure) = (false, true);
        self.try_again(number);
    }

    /// Lambda tries an asynchronous event twice again, with the same request id.
    fn try_again(&mut self, number: usize) {
        let Invocation { cause, request, tries, .. } = &self.invocations[number];
        if let (Cause::Put(_) | Cause::Schedule, Some(tries)) = (cause, tries.checked_sub(1)) {
            let after = if tries == 1 { 60_000 } else { 120_000 };
            let event = Event::Invoke(cause.clone(), *request, tries);
            self.sums.count("retried");
            self.plan(self.now + after, event);
        }
    }
}
