//! Credentials from a service or a program, in JSON.

use std::io::Read;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use ureq::http::Request;
use ureq::{Agent, AsSendBody};

use pulse_echo_core::clock::{self, Time};
use pulse_echo_core::http::{self, Failure, SystemResolver, Trust};
use pulse_echo_core::json;
use pulse_echo_core::store::Credentials;

/// The longest answer that is read, in bytes.
pub const SIZE_LIMIT: u64 = 64 * 1024;

/// How long a local service may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// How long each of its answers may take.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// A client for services that issue credentials to this machine only. It uses no proxy and follows no redirect, since
/// either could send a secret elsewhere.
pub fn agent(trust: &Trust) -> Agent {
    let config = http::config().timeout_connect(Some(CONNECT_TIME)).user_agent("").build();
    http::agent(config, trust, SystemResolver::default())
}

/// Asks such a service. Returns the status and the text of its answer.
pub fn ask(
    agent: &Agent,
    request: Result<Request<impl AsSendBody>, ureq::http::Error>,
    deadline: Instant,
) -> Result<(u16, String), Failure> {
    let left = deadline.saturating_duration_since(Instant::now()).min(ANSWER_TIME);
    let request = request.map_err(ureq::Error::from)?;
    let request = agent.configure_request(request).timeout_global(Some(left)).build();
    let response = agent.run(request)?;
    let status = response.status().as_u16();
    let mut text = Vec::new();
    response.into_body().into_reader().take(SIZE_LIMIT).read_to_end(&mut text)?;
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}

/// The JSON of all sources: programs say `SessionToken`, services `Token`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    version: Option<i64>,
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "Token")]
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Parses credentials that `source` issued; `version` is the version that the JSON must state, if any. The error is the
/// end of a sentence about the source. It shows nothing of the JSON, which holds a secret.
pub fn read(source: &str, json: &str, version: Option<i64>) -> Result<Credentials, String> {
    let issued: Issued = json::from_slice(json.as_bytes()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("answered no JSON with AccessKeyId and SecretAccessKey (line {line}, column {column})")
    })?;
    if version.is_some() && issued.version != version {
        return Err(format!("answered without \"Version\": {}", version.unwrap_or_default()));
    }
    if issued.access_key_id.is_empty() || issued.secret_access_key.is_empty() {
        return Err("answered with an empty AccessKeyId or SecretAccessKey".into());
    }
    if let Some(expiration) = &issued.expiration {
        warn_if_past(source, expiration, clock::now());
    }
    let (key, secret) = (issued.access_key_id, issued.secret_access_key);
    Ok(match issued.session_token.filter(|token| !token.is_empty()) {
        None => Credentials::new(key, secret),
        Some(token) => Credentials::new_with_token(key, secret, token),
    })
}

/// Warns, and goes on: our own clock may be wrong, so the store decides.
fn warn_if_past(source: &str, expiration: &str, now: Timestamp) {
    match Time::from_rfc3339(expiration) {
        Some(time) if time < Time::of(now) => {
            log::warn!("the credentials of {source} expired at {time}, by this machine's clock");
        }
        Some(_) => {}
        None => log::warn!("the credentials of {source} have an Expiration that is no time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_services_call_the_token_differently() {
        for (json, token) in [
            ("{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S\", \"SessionToken\": \"T\"}", Some("T")),
            (
                "{\"Code\": \"Success\", \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S\", \"Token\": \"T\"}",
                Some("T"),
            ),
            ("{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S\", \"Token\": \"\"}", None),
            ("{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S\", \"Expiration\": \"2001-01-01T00:00:00Z\"}", None),
        ] {
            let credentials = read("x", json, None).unwrap();
            assert_eq!((credentials.key(), credentials.secret(), credentials.token()), ("A", "S", token), "{json}");
        }
    }

    #[test]
    fn what_is_no_such_json_is_refused_without_showing_it() {
        let two = "{\"Version\": 2, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hidden\"}";
        for (json, version, why) in [
            ("hidden", None, "no JSON with AccessKeyId and SecretAccessKey (line 1, column 1)"),
            ("{\"SecretAccessKey\": \"hidden\"}", None, "no JSON with"),
            ("{\"AccessKeyId\": \"A\", \"SecretAccessKey\": [\"hidden\"]}", None, "no JSON with"),
            ("{\"AccessKeyId\": \"\", \"SecretAccessKey\": \"hidden\"}", None, "empty AccessKeyId"),
            (two, Some(1), "without \"Version\": 1"),
        ] {
            let error = read("x", json, version).unwrap_err();
            assert!(error.contains(why) && !error.contains("hidden"), "{error}");
        }
    }
}
