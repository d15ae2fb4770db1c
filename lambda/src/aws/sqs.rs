//! An SQS queue, by AWS's JSON protocol.

use std::time::{Duration, Instant};

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::http::url::web_url;
use pulse_echo_core::store::{Clock, credentials_from};
use serde_json::{Value, json};
use url::Url;

use super::{Service, endpoint, json};
use crate::web::{Address, Answer, Missed, Web};

/// The longest delay that SQS takes for a message, in seconds.
const LONGEST_DELAY_S: u32 = 900;

/// What `QUEUE_URL` is to look like.
const EXAMPLE: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/pulse-echo-ticks";

/// The queue that brings the loop its ticks.
pub struct Queue {
    service: Service,
    url: String,
}

/// Why a request to the queue was not surely done.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// One sentence, with the remedy where it is known.
    pub(crate) why: String,
    /// Whether the queue refused it for a reason that does not pass by itself.
    pub(crate) is_final: bool,
    /// How long the queue wants to be left alone.
    pub(crate) after: Duration,
}

impl Queue {
    /// The queue at `QUEUE_URL`; none if that is not set. Requests go to `AWS_ENDPOINT_URL_SQS`, else to
    /// `AWS_ENDPOINT_URL`, else to the origin of the queue's own URL, with the credentials and the region in the
    /// environment: a function takes messages only from queues of its own region. The error names the variable.
    pub fn read(environment: Environment, trust: &Trust, clock: &Clock) -> Result<Option<Self>, String> {
        let Some(url) = environment.get("QUEUE_URL") else { return Ok(None) };
        // It is not shown: somebody may have put a password into it.
        let wrong = |why: &str| format!("QUEUE_URL cannot be used: {why}");
        let parsed = queue_url(&url).map_err(|why| wrong(&why))?;
        let needs = |name: &str, what: &str| format!("{name} is not set: QUEUE_URL needs {what}");
        let credentials = credentials_from(environment).and_then(|found| found.ok_or("AWS_ACCESS_KEY_ID"));
        let credentials = credentials.map_err(|name| needs(name, "the right to send"))?;
        let region = environment.get("AWS_REGION").ok_or_else(|| needs("AWS_REGION", "the region to sign for"))?;
        if let Some(of_queue) = aws_region(&parsed).filter(|of_queue| *of_queue != region) {
            return Err(wrong(&format!(
                "it is in {of_queue} and this function in {region}; use a queue in the function's region"
            )));
        }
        let endpoint = match endpoint(environment, "AWS_ENDPOINT_URL_SQS")? {
            Some(endpoint) => endpoint,
            None => Address::parse(&format!("{}/", parsed.origin().ascii_serialization()))?,
        };
        let clock = clock.clone();
        let service = Service { web: Web::new(trust), endpoint, name: "sqs", region, credentials, clock };
        Ok(Some(Self { service, url }))
    }

    /// Sends a message that is kept back for `delay_s` seconds, at most 900: one try. `Ok` only if SQS says that it has
    /// it.
    pub(crate) fn send(&self, message: &str, delay_s: u32, deadline: Instant) -> Result<(), Trouble> {
        let delay_s = delay_s.min(LONGEST_DELAY_S);
        let body = json!({"QueueUrl": self.url, "MessageBody": message, "DelaySeconds": delay_s});
        let mut answer = self.call("SendMessage", &body, deadline)?;
        let text = answer.text().map_err(Trouble::from)?;
        match serde_json::from_str::<Value>(&text) {
            Ok(taken) if taken["MessageId"].is_string() => Ok(()),
            _ => Err(answer.strange("it is not an answer of SQS; check QUEUE_URL and AWS_ENDPOINT_URL_SQS").into()),
        }
    }

    /// Takes all messages away: one try. That another purge is under way counts as done.
    pub(crate) fn purge(&self, deadline: Instant) -> Result<(), Trouble> {
        match self.call("PurgeQueue", &json!({"QueueUrl": self.url}), deadline) {
            Err(trouble) if trouble.why.contains("PurgeQueueInProgress") => Ok(()),
            other => other.map(drop),
        }
    }

    fn call(&self, action: &str, body: &Value, deadline: Instant) -> Result<Answer, Trouble> {
        let target = format!("AmazonSQS.{action}");
        let answer = json::post(&self.service, "application/x-amz-json-1.0", &target, body, deadline)?;
        if answer.status() == 200 { Ok(answer) } else { Err(refusal(action, answer)) }
    }
}

impl From<Missed> for Trouble {
    fn from(missed: Missed) -> Self {
        Self { after: missed.after.unwrap_or_default(), is_final: false, why: missed.why }
    }
}

/// What SQS says when it refuses, such as `com.amazonaws.sqs#QueueDoesNotExist`.
fn refusal(action: &str, mut answer: Answer) -> Trouble {
    let (code, sentence) = json::refusal(&mut answer);
    let is_final = match answer.status() {
        408 | 429 => false,
        400..=499 => !["Throttl", "OverLimit", "RequestTimeout"].iter().any(|passes| code.contains(passes)),
        _ => false,
    };
    let Missed { why, after, .. } = answer.refusal(&sentence);
    let why = match remedy(action, &code) {
        Some(remedy) => format!("{why}; {remedy}"),
        None => why,
    };
    Trouble { why, is_final, after: after.unwrap_or_default() }
}

fn remedy(action: &str, code: &str) -> Option<String> {
    Some(match code {
        "QueueDoesNotExist" | "NonExistentQueue" | "InvalidAddress" => {
            "create the queue, or correct QUEUE_URL".to_string()
        }
        "AccessDenied" | "AccessDeniedException" => {
            format!("the function's role must allow sqs:{action} on this queue")
        }
        "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "correct the credentials".to_string()
        }
        _ => return None,
    })
}

/// Checks a queue's URL: where it is, and whose queue of which name.
fn queue_url(text: &str) -> Result<Url, String> {
    let url = web_url(text).map_err(|why| format!("{why}; it must be a queue's URL, such as {EXAMPLE}"))?;
    let parts: Vec<_> = url.path_segments().into_iter().flatten().collect();
    let is_name =
        |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match parts.last() {
        Some(name) if name.strip_suffix(".fifo").is_some() => {
            Err("a FIFO queue cannot delay single messages; use a standard queue".to_string())
        }
        _ if parts.len() >= 2 && parts.iter().all(is_name) && url.query().is_none() && url.fragment().is_none() => {
            Ok(url)
        }
        _ => Err(format!("it must be a queue's URL, such as {EXAMPLE}")),
    }
}

/// The region that AWS's own host names have in them; other hosts tell none.
fn aws_region(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    let rest = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let (service, region) = rest.split_once('.')?;
    Some(region).filter(|region| matches!(service, "sqs" | "sqs-fips") && !region.contains('.'))
}

#[cfg(test)]
mod tests;
