//! Requests that must be refused, and whether the agent can say why.

use std::error::Error;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusty_s3::S3Action;
use rusty_s3::actions::GetObject;

use super::agent::Host;
use super::{Outcome, ensure};
use crate::server::{bucket, client, credentials};

pub fn wrong_secret(endpoint: &str) -> Outcome {
    says(&Host::new(endpoint, "refused").with("AWS_SECRET_ACCESS_KEY", "another"), "HTTP 403 SignatureDoesNotMatch")
}

pub fn unknown_key(endpoint: &str) -> Outcome {
    says(&Host::new(endpoint, "refused").with("AWS_ACCESS_KEY_ID", "AKIDOTHER"), "HTTP 403 InvalidAccessKeyId")
}

pub fn missing_bucket(endpoint: &str) -> Outcome {
    says(&Host::new(endpoint, "refused").with("PULSE_ECHO_BUCKET", "no-such-bucket"), "HTTP 404 NoSuchBucket")
}

/// The agent's `send` fails and says `why`.
fn says(host: &Host, why: &str) -> Outcome {
    let sent = host.run(&["send", "--pulse", "pulse.json"]);
    ensure(sent.code == 1 && sent.stderr.contains(why), || format!("{sent:?}"))
}

/// Refused for the lifetime in the URL itself, not for the difference of the clocks.
pub fn expired_url(endpoint: &str) -> Outcome {
    let two_minutes_ago = SignedDuration::from_mins(-2);
    let alive = get_signed(endpoint, two_minutes_ago, Duration::from_secs(300))?;
    ensure(alive.starts_with("404 NoSuchKey"), || format!("one that is still valid: {alive}"))?;
    let expired = get_signed(endpoint, two_minutes_ago, Duration::from_secs(60))?;
    ensure(expired == "403 AccessDenied: Request has expired", || expired)
}

/// AWS says that the presigned URL is "not yet valid". A code for differing times tells the agent as much.
pub fn url_of_tomorrow(endpoint: &str) -> Outcome {
    let answer = get_signed(endpoint, SignedDuration::from_hours(24), Duration::from_secs(300))?;
    let known = ["403 AccessDenied: Request is not yet valid", "403 RequestTimeTooSkewed"];
    ensure(known.iter().any(|known| answer.starts_with(known)), || answer)
}

/// The answer to a GET of a missing key, signed this much later than now: `STATUS CODE: MESSAGE`.
fn get_signed(endpoint: &str, later: SignedDuration, life: Duration) -> Result<String, Box<dyn Error>> {
    let (bucket, credentials) = (bucket(endpoint), credentials());
    let action = GetObject::new(&bucket, Some(&credentials), "pulse/nothing.json");
    let url = action.sign_with_time(life, &(Timestamp::now() + later));
    let mut answer = client().get(url.as_str()).call()?;
    let body = answer.body_mut().read_to_string()?;
    let text = |tag| Some(body.split_once(&format!("<{tag}>"))?.1.split_once('<')?.0);
    let (code, message) = (text("Code").unwrap_or_default(), text("Message").unwrap_or_default());
    Ok(format!("{} {code}: {message}", answer.status().as_u16()))
}
