//! The bucket's content at each time of a history.

use pulse_echo_core::answer;
use pulse_echo_core::clock::Time;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{Limits, Record};
use pulse_echo_lambda::round::Case;
use pulse_echo_lambda::verdict::{Listed, Observation};

use super::row::What;

/// The `ETag` of every pulse: all have the same promises.
pub(super) const ETAG: &str = "\"replayed\"";

/// The objects of one check: the newest of each kind.
pub(super) struct Objects {
    pub(super) id: CheckId,
    pulse: Option<Time>,
    /// The newest note of `retire` that speaks for the check.
    retired: Option<Time>,
    echo: Option<Time>,
    fault: Option<(Listed, answer::Fault)>,
}

impl Objects {
    pub(super) fn none_of(id: CheckId) -> Self {
        Self { id, pulse: None, retired: None, echo: None, fault: None }
    }

    /// Puts an object at this time, which is not before the time of any object here.
    pub(super) fn put(&mut self, at: Time, what: What) {
        match what {
            What::Pulse => self.pulse = Some(at),
            What::Echo => self.echo = Some(at),
            What::Delete => self.pulse = None,
            What::Retire => (self.pulse, self.retired) = (None, Some(at)),
            What::Mute(_) => unreachable!("a mute is no object of a check"),
            What::Fault(fault) => {
                let pulse_at = fault.pulse_at.or(self.pulse).unwrap_or(at);
                // A history that was recorded by looking again and again has the same object many times.
                let etag = format!("\"{at} {pulse_at}\"");
                // As the probe would have put it, as far as is known.
                let put = answer::Fault::new(fault.cause, fault.reason, pulse_at);
                self.fault = Some((Listed { at, etag: etag.into() }, put));
            }
        }
    }

    /// The case for a sweep that knows `record`, with everything that the loop's sweep reads. `None` before the first
    /// pulse, which makes the check.
    pub(super) fn case(&self, record: Option<Record>, limits: &Limits) -> Option<Case> {
        let pulse = self.pulse.map(|at| Listed { at, etag: ETAG.into() });
        if pulse.is_none() && record.is_none() {
            return None;
        }
        let fault = self.fault.as_ref().map(|(seen, _)| seen.clone());
        let mut observation =
            Observation { pulse, echo: self.echo, fault, retired: self.retired, ..Observation::default() };
        if observation.wants_limits(record.as_ref()) {
            observation.limits = Some(limits.clone());
        }
        if observation.wants_fault(record.as_ref()) {
            observation.fault_read = self.fault.as_ref().map(|(_, fault)| Box::new(fault.clone()));
        }
        Some(Case { id: self.id.clone(), record, observation })
    }
}
