//! Signed requests to AWS's services other than S3.
//!
//! - here: a request, signed once more where the clocks differ; `sign`: the signature;
//! - [`query`]: the query protocol (SNS); [`json`]: the JSON protocol, for [`sqs`] (a queue) and [`ssm`] (secrets).

mod json;
pub(crate) mod query;
mod sign;
pub(crate) mod sqs;
pub(crate) mod ssm;

use std::time::Instant;

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::{Clock, Credentials};

use crate::web::{Address, Answer, Missed, Web};

/// How far our clock must be off, in seconds, before a refused request is signed again by the service's clock.
const SKEW_S: u64 = 30;

/// The address that is set for one service, by the variable of that name, else that for all services of AWS.
pub(crate) fn endpoint(environment: Environment, of_service: &str) -> Result<Option<Address>, String> {
    match Address::read(environment, of_service)? {
        Some(endpoint) => Ok(Some(endpoint)),
        None => Address::read(environment, "AWS_ENDPOINT_URL"),
    }
}

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
    /// Posts `body` with these headers, signed by our clock, and once more by the service's clock if it refused that
    /// and the clocks differ. An answer of any status is an answer.
    fn post(&self, headers: &[(&str, &str)], body: &str, deadline: Instant) -> Result<Answer, Missed> {
        let now = (self.clock)();
        let answer = self.post_at(headers, body, now, deadline)?;
        // Services with JSON refuse a signature by a 400.
        if matches!(answer.status(), 400 | 403)
            && let Some(date) = answer.date()
            && now.as_second().abs_diff(date.as_second()) > SKEW_S
            && let Ok(theirs) = Timestamp::from_second(date.as_second())
        {
            return self.post_at(headers, body, theirs, deadline);
        }
        Ok(answer)
    }

    fn post_at(
        &self,
        headers: &[(&str, &str)],
        body: &str,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Answer, Missed> {
        let signed = sign::headers(self, headers, body, now);
        let headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.web.post(&self.endpoint, &headers, body.as_bytes(), deadline)
    }
}
