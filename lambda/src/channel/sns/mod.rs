//! An SNS topic, by the query API: e-mail, SMS and on-call services subscribe to it.

mod sign;
mod topic;

use std::collections::BTreeSet;
use std::time::Instant;

use pulse_echo::store::{Clock, Credentials, credentials_from};
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::json::event;
use super::web::{Address, Answer, Missed, PART, Web, in_parts};
use super::{Channel, Made, Means, words};
use crate::outbox::entry::{Entry, Outcome};
use topic::Topic;

/// The longest text, in bytes: an e-mail that people still read, and far below SNS's 256 KiB.
const ROOM: usize = 16_000;

/// How far our clock may be off, in seconds, before a request that was refused is signed by the clock of SNS.
const SKEW_S: u64 = 30;

struct Sns {
    web: Web,
    topic: Topic,
    endpoint: Address,
    credentials: Credentials,
    clock: Clock,
}

/// The channel that `ALERT_TOPIC_ARN` asks for, with the credentials in the environment, at `AWS_ENDPOINT_URL_SNS`,
/// `AWS_ENDPOINT_URL` or AWS's own address for the topic's region.
pub(super) fn channel(means: &Means) -> Made {
    let Some(arn) = means.value("ALERT_TOPIC_ARN") else {
        return Ok(None);
    };
    let topic: Topic = arn.parse().map_err(|why| format!("ALERT_TOPIC_ARN is {arn:?}: {why}"))?;
    let unset = |name| format!("{name} is not set: ALERT_TOPIC_ARN needs the right to publish");
    let credentials =
        credentials_from(means.lookup).and_then(|found| found.ok_or("AWS_ACCESS_KEY_ID")).map_err(unset)?;
    let endpoint = match Address::read(means.lookup, "AWS_ENDPOINT_URL_SNS")? {
        Some(endpoint) => endpoint,
        None => match Address::read(means.lookup, "AWS_ENDPOINT_URL")? {
            Some(endpoint) => endpoint,
            None => Address::parse(&topic.endpoint()).map_err(|why| format!("ALERT_TOPIC_ARN is {arn:?}: {why}"))?,
        },
    };
    Ok(Some(Box::new(Sns { web: Web::new(means.trust), topic, endpoint, credentials, clock: means.clock.clone() })))
}

impl Channel for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        in_parts(entries, PART, |part| self.publish(part, deadline))
    }
}

impl Sns {
    fn publish(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let form = self.form(entries);
        let now = (self.clock)();
        let mut answer = self.post(&form, now, deadline)?;
        if answer.status() == 403
            && let Some(date) = answer.date()
            && now.as_second().abs_diff(date.as_second()) > SKEW_S
            && let Ok(theirs) = jiff::Timestamp::from_second(date.as_second())
        {
            answer = self.post(&form, theirs, deadline)?;
        }
        if answer.status() == 200 { Ok(()) } else { Err(refusal(answer)) }
    }

    fn post(&self, form: &str, now: jiff::Timestamp, deadline: Instant) -> Result<Answer, Missed> {
        let content_type = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let signed = sign::headers(&self.endpoint, content_type, form, &self.topic.region, &self.credentials, now);
        let headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.web.post(&self.endpoint, &headers, form.as_bytes(), deadline)
    }

    /// The request's parameters.
    fn form(&self, entries: &[Entry]) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", "Publish")
            .append_pair("Version", "2010-03-31")
            .append_pair("TopicArn", &self.topic.arn)
            .append_pair("Subject", &words::subject(entries))
            .append_pair("Message", &words::message(entries, ROOM, str::to_string));
        for (number, (name, values)) in (1..).zip(attributes(entries)) {
            let field = |rest| format!("MessageAttributes.entry.{number}.{rest}");
            form.append_pair(&field("Name"), name)
                .append_pair(&field("Value.DataType"), "String.Array")
                .append_pair(&field("Value.StringValue"), &json!(values).to_string());
        }
        form.finish()
    }
}

/// What subscriptions filter by: `state` (of what concerns many or us, the event's kind), `cause` and `host`, each with
/// all values that there are in the message.
fn attributes(entries: &[Entry]) -> Vec<(&'static str, BTreeSet<String>)> {
    let events: Vec<_> = entries.iter().map(event).collect();
    let text = |event: &Map<String, Value>, name| event.get(name).and_then(Value::as_str).map(String::from);
    let all = [
        ("state", events.iter().filter_map(|event| text(event, "state").or_else(|| text(event, "kind"))).collect()),
        ("cause", events.iter().filter_map(|event| text(event, "cause")).collect()),
        ("host", events.iter().filter_map(|event| text(event, "host")).collect()),
    ];
    all.into_iter().filter(|(_, values): &(_, BTreeSet<String>)| !values.is_empty()).collect()
}

/// What SNS says when it does not publish: `<Code>` and the first line of `<Message>`, whose further lines may repeat
/// the session token.
fn refusal(mut answer: Answer) -> Missed {
    let text = answer.text().unwrap_or_default();
    let element = |name| {
        let (inside, _) = text.split_once(&format!("<{name}>"))?.1.split_once('<')?;
        inside.lines().next().map(str::trim)
    };
    match (element("Code"), element("Message")) {
        (Some(code), _) if code.starts_with("Throttl") => answer.refusal(&format!("throttled ({code})")),
        (Some(code), Some(message)) => answer.refusal(&format!("{code}: {message}")),
        (code, _) => answer.refusal(code.unwrap_or_default()),
    }
}
