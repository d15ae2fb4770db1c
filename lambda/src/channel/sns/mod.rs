//! An SNS topic, by the query API: e-mail, SMS and on-call services subscribe to it.

mod topic;

use std::collections::BTreeSet;
use std::time::Instant;

use pulse_echo_core::store::credentials_from;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::json::event;
use super::parts::{PART, in_parts};
use super::{Channel, Made, Means, words};
use crate::aws::{self, Service, query};
use crate::outbox::entry::{Entry, Outcome};
use crate::web::{Address, Web};
use topic::Topic;

/// The longest text, in bytes: an e-mail that people still read, far below SNS's 256 KiB.
const ROOM: usize = 16_000;

struct Sns {
    service: Service,
    topic: Topic,
}

/// The channel for `ALERT_TOPIC_ARN`. It uses the credentials in the environment, and `AWS_ENDPOINT_URL_SNS`,
/// `AWS_ENDPOINT_URL` or AWS's own address for the topic's region.
pub(super) fn channel(means: &Means) -> Made {
    let Some(arn) = means.environment.get("ALERT_TOPIC_ARN") else {
        return Ok(None);
    };
    let topic: Topic = arn.parse().map_err(|why| format!("ALERT_TOPIC_ARN is {arn:?}: {why}"))?;
    let unset = |name| format!("{name} is not set: ALERT_TOPIC_ARN needs the right to publish");
    let credentials =
        credentials_from(means.environment).and_then(|found| found.ok_or("AWS_ACCESS_KEY_ID")).map_err(unset)?;
    let endpoint = match aws::endpoint(means.environment, "AWS_ENDPOINT_URL_SNS")? {
        Some(endpoint) => endpoint,
        None => Address::parse(&topic.endpoint()).map_err(|why| format!("ALERT_TOPIC_ARN is {arn:?}: {why}"))?,
    };
    let service = Service {
        web: Web::to(&endpoint, means.trust, means.environment),
        endpoint,
        name: "sns",
        region: topic.region.clone(),
        credentials,
        clock: means.clock.clone(),
    };
    Ok(Some(Box::new(Sns { service, topic })))
}

impl Channel for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        in_parts(entries, PART, size, |part| query::call(&self.service, &self.form(part), deadline))
    }
}

impl Sns {
    /// The parameters of the request.
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

/// How many bytes an entry adds to the attributes, at most.
fn size(entry: &Entry) -> usize {
    attributes(std::slice::from_ref(entry)).iter().map(|(_, values)| json!(values).to_string().len()).sum()
}

/// The attributes for subscription filters: `state` (for a fact about many checks or about us, the event's kind),
/// `cause` and `host`, each with all values in the message.
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
