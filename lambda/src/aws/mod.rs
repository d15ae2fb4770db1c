//! Signed requests to AWS's services other than S3.
//!
//! - here: a request, signed again where the clocks differ; `sign`: the signature;
//! - [`query`]: the query protocol (SNS).

pub(crate) mod query;
mod sign;

use std::time::Instant;

use jiff::Timestamp;
use pulse_echo_core::store::{Clock, Credentials};

use crate::web::{Address, Answer, Missed, Web};

/// How far our clock must be off, in seconds, before a refused request is signed again by the service's clock.
const SKEW_S: u64 = 30;

/// A service in a region, with the credentials to call it.
pub(crate) struct Service {
    pub(crate) web: Web,
    pub(crate) endpoint: Address,
    /// Its name in signatures, such as `sns`.
    pub(crate) name: &'static str,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    pub(crate) clock: Clock,
}

impl Service {
    /// Posts `body`, signed by our clock. If the service refuses that and the clocks differ, it posts once more, signed
    /// by the service's clock. Any status is an answer.
    fn post(&self, content_type: &str, body: &str, deadline: Instant) -> Result<Answer, Missed> {
        let now = (self.clock)();
        let answer = self.post_at(content_type, body, now, deadline)?;
        if answer.status() == 403
            && let Some(date) = answer.date()
            && now.as_second().abs_diff(date.as_second()) > SKEW_S
            && let Ok(theirs) = Timestamp::from_second(date.as_second())
        {
            return self.post_at(content_type, body, theirs, deadline);
        }
        Ok(answer)
    }

    fn post_at(&self, content_type: &str, body: &str, now: Timestamp, deadline: Instant) -> Result<Answer, Missed> {
        let signed = sign::headers(self, content_type, body, now);
        let headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.web.post(&self.endpoint, &headers, body.as_bytes(), deadline)
    }
}
