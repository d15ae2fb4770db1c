//! Which of a check's answers counts.

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::{Record, SeenFault};

use super::{Listed, Observation};

/// The newest answer, if it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An echo of this time.
    Echo(Time),
    /// A fault of this time.
    Fault(Time),
    /// A fault that could not be read yet: it counts in the next sweep.
    Unread,
    /// None that counts.
    None,
}

/// What a sweep makes of a check's answers; the fields are those of the new record.
pub(super) struct Answers {
    pub(super) newest: Answer,
    pub(super) echo: Option<Time>,
    pub(super) fault: Option<Box<SeenFault>>,
    pub(super) unread: Option<Time>,
    pub(super) in_row: u32,
    pub(super) waiting: Option<Time>,
}

impl Answers {
    /// `pulse` is the time of the newest pulse.
    pub(super) fn of(record: Option<&Record>, observation: &Observation, pulse: Time) -> Self {
        // The newest answer seen stays: one that the bucket's lifecycle removes is not missed.
        let echo = record.and_then(|record| record.echo).max(observation.echo);
        let listed = newest_fault(record, observation);
        let content = listed.and_then(|fault| read(record, observation, fault));
        let waiting = waiting(record, echo.max(listed.map(|fault| fault.at)).max(fault_at(record)), pulse);
        let mut answers = Self {
            newest: Answer::None,
            echo,
            fault: record.and_then(|record| record.fault.clone()),
            unread: None,
            in_row: record.map_or(0, |record| record.in_row),
            waiting,
        };
        match (listed, content) {
            // Not in this sweep, but in the next one at the latest: else a fault that cannot be read is never told.
            (Some(_), None) if record.is_none_or(|record| record.unread.is_none()) => {
                answers.unread = Some(record.map_or(pulse, |record| record.pulse));
                answers.newest = Answer::Unread;
                return answers;
            }
            (Some(fault), content) => {
                let unread =
                    SeenFault { at: fault.at, etag: fault.etag.clone(), pulse_at: None, cause: None, reason: None };
                answers.take_fault(record, content.unwrap_or(unread), pulse);
            }
            (None, _) => {}
        }
        answers.find_newest(record, pulse);
        answers
    }

    /// Takes the newest fault, and counts how many distinct pulses failed in a row.
    fn take_fault(&mut self, record: Option<&Record>, fault: SeenFault, pulse: Time) {
        let last = self.fault.as_deref();
        let is_new = last.is_none_or(|last| (last.at, &last.etag) != (fault.at, &fault.etag));
        let same_pulse = last.is_some_and(|last| last.pulse_at.is_some() && last.pulse_at == fault.pulse_at);
        let echo_between = last.is_some_and(|last| self.echo > Some(last.at));
        if echo_between {
            self.in_row = 0;
        }
        if is_new && counts(fault.at, pulse, seen_pulse(record)) && !(same_pulse && self.in_row > 0) {
            self.in_row += 1;
        }
        self.fault = Some(Box::new(fault));
    }

    /// Finds the newest answer and whether it counts.
    fn find_newest(&mut self, record: Option<&Record>, pulse: Time) {
        let is_new = |at, last: Option<Time>| Some(at) != last;
        let fault = self.fault.as_deref().filter(|fault| Some(fault.at) > self.echo);
        // A slow probe of an older pulse says nothing against the echo that answers a newer one.
        let pulses = [Some(pulse), record.map(|record| record.pulse)];
        let has_echo = |at: Time| pulses.into_iter().flatten().any(|pulse| at < pulse && self.echo >= Some(pulse));
        let fault = fault.filter(|fault| !fault.pulse_at.is_some_and(has_echo));
        let (answer, at, seen) = match (fault, self.echo) {
            (Some(fault), _) => {
                let seen = seen_pulse(record).filter(|_| is_new(fault.at, fault_at(record)));
                (Answer::Fault(fault.at), fault.at, seen)
            }
            (None, Some(at)) => {
                self.in_row = 0;
                let last = record.and_then(|record| record.echo);
                (Answer::Echo(at), at, record.map(|record| record.pulse).filter(|_| is_new(at, last)))
            }
            (None, None) => return,
        };
        if counts(at, pulse, seen) {
            self.newest = answer;
        }
    }
}

/// Whether an answer belongs to the newest pulse, or to the pulse of the last sweep if that sweep had not seen the
/// answer (otherwise `seen` is `None`). Without the second rule a fleet in step with the sweeps is never judged.
fn counts(at: Time, pulse: Time, seen: Option<Time>) -> bool {
    at >= pulse || seen.is_some_and(|seen| at >= seen)
}

/// The pulse that the last sweep saw, or the one before that if the fault was there, but unread.
fn seen_pulse(record: Option<&Record>) -> Option<Time> {
    record.map(|record| record.unread.unwrap_or(record.pulse))
}

fn fault_at(record: Option<&Record>) -> Option<Time> {
    record.and_then(|record| record.fault.as_ref()).map(|fault| fault.at)
}

/// The fault in the list, if it is the newest answer; a tie is the echo.
pub(super) fn newest_fault<'a>(record: Option<&Record>, observation: &'a Observation) -> Option<&'a Listed> {
    let echo = record.and_then(|record| record.echo).max(observation.echo);
    observation.fault.as_ref().filter(|fault| Some(fault.at) > echo.max(fault_at(record).filter(|&at| at > fault.at)))
}

/// This fault in the record, if it is there; it may have counted unread.
pub(super) fn known<'a>(record: Option<&'a Record>, fault: &Listed) -> Option<&'a SeenFault> {
    record.and_then(|record| record.fault.as_deref()).filter(|last| last.etag == fault.etag)
}

/// What this fault says, if it was read now or taken before.
fn read(record: Option<&Record>, observation: &Observation, fault: &Listed) -> Option<SeenFault> {
    let (at, etag) = (fault.at, fault.etag.clone());
    match &observation.fault_read {
        Some(read) => Some(SeenFault {
            at,
            etag,
            pulse_at: Some(read.pulse_at),
            cause: Some(read.cause),
            reason: Some(read.reason.clone()),
        }),
        None => known(record, fault).map(|last| SeenFault { at, ..last.clone() }),
    }
}

/// The first pulse that went unanswered. An answer as new as it begins the count anew.
fn waiting(record: Option<&Record>, newest: Option<Time>, pulse: Time) -> Option<Time> {
    let is_answered = |pulse: Time| newest >= Some(pulse);
    let first = record.and_then(|record| record.waiting).filter(|&first| !is_answered(first));
    if is_answered(pulse) { None } else { first.or(Some(pulse)) }
}
