//! What the fuzzer calls; no part of the API.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use pulse_echo_core::clock::Time;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_core::status::Status;
use serde_json::Value;

use crate::channel;
use crate::expect::{self, Redirect, Seen};
use crate::ipfilter::IpFilter;
use crate::outbox::attempt;
use crate::outbox::audience::Audiences;
use crate::probe;
use crate::round::{Case, Round};
use crate::rules::Rules;
use crate::verdict::Observation;
use crate::wire;

/// The texts that an event's records lead to: checks' ids, and why others are passed over.
pub fn event(event: &Value) -> Result<Vec<String>, String> {
    probe::ids(event).map_err(|error| error.to_string())
}

/// Why an answer with this status, body and, if it is a redirect, Location is not what the pulse expects.
pub fn judge(pulse: &Pulse, status: u16, body: &[u8], location: Option<&str>) -> Result<(), String> {
    let seen = Seen {
        host: "example.com:443".into(),
        status,
        redirect: location.map_or(Redirect::None, |location| Redirect::To(location.into())),
        body: body.into(),
        whole: true,
        packed: None,
        latency: Duration::from_millis(84),
        trusted_until: None,
    };
    let now = Time::from_rfc3339("2026-11-21T08:00:00Z").expect("it is a time");
    expect::compare(pulse, &seen, now).map_err(|miss| miss.reason)
}

/// The strict answer that ureq gets where a server sends these pieces.
pub fn strict<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, String> {
    wire::strict(pieces)
}

/// Whether a probe with these settings may go to an address of a host.
pub fn may_go(allow: &str, ports: &str, host: &str, address: SocketAddr) -> Result<(), String> {
    IpFilter::read(allow, ports)?.check(host, address)
}

/// Judges all checks of a status once more, of which nothing is in the store any longer, and gives what each of its
/// channels is then told: a subject, and a message.
pub fn sweep(status: &mut Status, now: Time) -> Vec<(String, String)> {
    let (rules, channels) = (Rules::default(), Audiences::from(["slack".to_string()]));
    let cases = std::mem::take(&mut status.checks).into_iter();
    let cases =
        cases.map(|(id, record)| Case { id, record: Some(record), observation: Observation::default() }).collect();
    let mut new_id = || "0".repeat(32);
    let round = Round { now, swept: None, rules: &rules, channels: &channels, new_id: &mut new_id };
    round.run(status, cases);
    let owing: BTreeSet<_> = status.outbox.iter().flat_map(|message| message.owed.clone()).collect();
    let attempts = owing.iter().filter_map(|channel| attempt::due(status, channel, now));
    attempts.map(|attempt| channel::shown(&attempt.entries)).collect()
}
