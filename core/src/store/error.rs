//! Errors of requests to the store. One line is enough to act on.

use std::fmt::{self, Write};
use std::time::Duration;

use jiff::SignedDuration;

use super::refusal::{Refusal, Way};
use crate::http::{Failure, Trouble};
use crate::words;

/// A try that did not succeed.
pub(super) struct Failed {
    pub kind: Kind,
    pub skew: Option<SignedDuration>,
    pub retry_after: Option<Duration>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { kind: Kind::Failed(failure), skew: None, retry_after: None }
    }
}

/// A failed request to the store.
#[derive(Clone, Debug)]
pub struct Error {
    /// The operation: `put pulse/web-1.json`.
    pub(super) operation: String,
    /// The bucket: `bucket "b" at https://…`.
    pub(super) place: String,
    /// What stands between us and the store.
    pub(super) way: Box<Way>,
    /// How far this machine's clock is ahead of the store's, if the answer told.
    pub(super) skew: Option<SignedDuration>,
    /// How many times it was tried.
    pub(super) tries: u32,
    /// Whether it may have been done nevertheless.
    pub(super) in_doubt: bool,
    pub(super) kind: Kind,
}

/// How a request failed.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// There was no whole answer.
    Failed(Failure),
    /// The store refused.
    Refused(Box<Refusal>),
    /// The store's answer is not valid S3; this says what is wrong.
    Unreadable(String),
}

impl Error {
    /// Whether the object is missing. `NoSuchBucket` does not count.
    pub fn is_missing(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 404 && refusal.code == "NoSuchKey")
    }

    /// Whether the store denied the request. S3 also denies it for a missing key if the caller may not list the bucket.
    pub fn is_denied(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == "AccessDenied" && !refusal.is_about_time())
    }

    /// Whether the condition of a conditional request did not hold. A 412 after a lost
    /// answer does not count: the first try may have changed the object.
    pub fn is_precondition(&self) -> bool {
        !self.in_doubt && self.refusal().is_some_and(|refusal| refusal.status == 412)
    }

    /// Whether others changed the object at the same moment, at each try (S3's 409): nothing was done. The condition
    /// may hold or not; only another try can tell.
    pub fn is_conflict(&self) -> bool {
        !self.in_doubt && self.refusal().is_some_and(|refusal| refusal.code == "ConditionalRequestConflict")
    }

    /// Whether the store gives just this object to nobody: one that is archived, or whose reading it calls a bad
    /// request (one under a customer's key, say). What is wrong with the request or its credentials does not count.
    pub fn is_of_the_object(&self) -> bool {
        let ours = |code: &str| {
            code.contains("Token")
                || code.starts_with("Authorization")
                || matches!(code, "" | "RequestTimeout" | "IllegalLocationConstraintException")
        };
        self.refusal().is_some_and(|refusal| {
            refusal.code == "InvalidObjectState" || (refusal.status == 400 && !ours(&refusal.code))
        })
    }

    /// Whether the store refused, and would again: it was neither busy nor in trouble, and the clocks do not differ.
    pub fn is_refusal(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            matches!(refusal.status, 400..=499)
                && !matches!(refusal.status, 408 | 429)
                && refusal.code != "RequestTimeout"
                && !refusal.is_about_time()
        })
    }

    /// What the store said, such as `HTTP 403 InvalidObjectState (…)`, if it refused.
    pub fn said(&self) -> Option<String> {
        self.refusal().map(ToString::to_string)
    }

    /// Whether the store may have done it nevertheless: an answer to a PUT or a DELETE was lost, at this try or an
    /// earlier one. Only reading tells.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// How far this machine's clock was ahead of the store's, in seconds, to half a second; `None` without a `Date`.
    pub fn skew_s(&self) -> Option<f64> {
        self.skew.map(|skew| skew.as_secs_f64())
    }

    /// Whether the time was up before the answer was whole.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(&self.kind, Kind::Failed(failure) if failure.trouble == Trouble::Timeout)
    }

    fn refusal(&self) -> Option<&Refusal> {
        match &self.kind {
            Kind::Refused(refusal) => Some(refusal),
            Kind::Failed(_) | Kind::Unreadable(_) => None,
        }
    }

    /// Whether the same request about another object would fail, too: the store cannot be reached, or does not know
    /// these credentials or this bucket.
    pub fn settles(&self) -> bool {
        match &self.kind {
            Kind::Failed(_) | Kind::Unreadable(_) => true,
            Kind::Refused(refusal) => {
                refusal.is_about_time()
                    || matches!(refusal.status, 301 | 307 | 308 | 401 | 429 | 500..=599)
                    || matches!(
                        refusal.code.as_str(),
                        "NoSuchBucket"
                            | "InvalidAccessKeyId"
                            | "SignatureDoesNotMatch"
                            | "ExpiredToken"
                            | "InvalidToken"
                            | "TokenRefreshRequired"
                            | "AllAccessDisabled"
                            | "AuthorizationHeaderMalformed"
                            | "AuthorizationQueryParametersError"
                            | ""
                    )
            }
        }
    }

    /// Whether another request failed for the same reason.
    pub fn is_like(&self, other: &Self) -> bool {
        self.why() == other.why()
    }

    fn why(&self) -> String {
        match &self.kind {
            Kind::Failed(failure) => failure.to_string(),
            Kind::Unreadable(what) => format!("the answer cannot be read: {what}"),
            Kind::Refused(refusal) => refusal.to_string(),
        }
    }

    /// What to do about it, if that is known.
    pub fn remedy(&self) -> Option<String> {
        let text = match &self.kind {
            Kind::Failed(failure) => match failure.trouble {
                Trouble::Dns if failure.text.contains("proxy") => "check the proxy and this machine's name server",
                Trouble::Dns => "check the region, the endpoint and this machine's name server",
                Trouble::Connect => "check the endpoint, the proxy, the route and the firewall",
                Trouble::Tls | Trouble::Untrusted => {
                    let setting = self.way.ca_setting.unwrap_or("ca_file");
                    return Some(format!(
                        "check the endpoint and this machine's clock; a private CA goes into {setting}"
                    ));
                }
                Trouble::Timeout | Trouble::Broken => {
                    "try again; if it stays, look at the store, and at the network on the way"
                }
                Trouble::Protocol => "check that the endpoint is an S3 service",
            },
            Kind::Unreadable(_) => "check that the endpoint is an S3 service",
            Kind::Refused(refusal) if refusal.is_about_time() => return Some(self.clock_remedy()),
            Kind::Refused(refusal) if refusal.status == 412 && self.in_doubt => {
                "an earlier try may have been what changed it: look again"
            }
            Kind::Refused(refusal) => return refusal.remedy(&self.way),
        };
        Some(text.into())
    }

    fn clock_remedy(&self) -> String {
        match self.skew {
            Some(skew) if skew.abs() >= SignedDuration::from_secs(1) => {
                format!("{}: set it, and keep it set (NTP)", clock_is_off(skew))
            }
            _ => "set this machine's clock, and keep it set (NTP)".into(),
        }
    }
}

/// The clause that says how far the clock is off.
pub(super) fn clock_is_off(skew: SignedDuration) -> String {
    words::skew(skew.as_secs_f64())
}

impl Error {
    /// The cause alone, such as `HTTP 502`, and the rest of the sentence: for a line that may be cut.
    pub fn apart(&self) -> (String, String) {
        (self.why(), format!("cannot {} in {}{}", self.operation, self.place, self.around()))
    }

    /// What comes after the cause: the proxy, the tries, the remedy.
    fn around(&self) -> String {
        let mut text = String::new();
        // A proxy that did not connect us is named already.
        let is_through = match &self.kind {
            Kind::Failed(failure) => !failure.text.contains("proxy"),
            Kind::Refused(refusal) => refusal.code.is_empty(),
            Kind::Unreadable(_) => true,
        };
        if let Some(proxy) = self.way.proxy.as_ref().filter(|_| is_through) {
            let _ = write!(text, ", through the proxy {proxy}");
        }
        if self.tries > 1 {
            let _ = write!(text, ", tried {} times", self.tries);
        }
        self.remedy().map_or(text.clone(), |remedy| format!("{text}; {remedy}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} in {}: {}{}", self.operation, self.place, self.why(), self.around())
    }
}

impl std::error::Error for Error {}

/// The fuzzer's entries; not part of the API.
#[cfg(feature = "fuzzing")]
pub fn read_refusal(status: u16, body: &str) -> Error {
    let kind = Kind::Refused(Box::new(Refusal::new(status, &ureq::http::HeaderMap::new(), body)));
    let (operation, place) = (String::new(), String::new());
    Error { operation, place, way: Box::default(), skew: None, tries: 1, in_doubt: false, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str, skew_s: Option<i64>) -> Error {
        Error {
            operation: "put pulse/web-1.json".into(),
            place: "bucket \"b\" at http://127.0.0.1:9810/b/".into(),
            way: Box::default(),
            skew: skew_s.map(SignedDuration::from_secs),
            tries: 1,
            in_doubt: false,
            kind: Kind::Refused(Box::new(Refusal::new(status, &ureq::http::HeaderMap::new(), body))),
        }
    }

    #[test]
    fn a_refusal_says_what_was_asked_what_was_answered_and_what_to_do() {
        let body = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code>\
                    <Message>The specified bucket does not exist.</Message><BucketName>b</BucketName></Error>";
        assert_eq!(
            refused(404, body, None).to_string(),
            "cannot put pulse/web-1.json in bucket \"b\" at http://127.0.0.1:9810/b/: HTTP 404 NoSuchBucket (The \
             specified bucket does not exist); correct the bucket, the region or the endpoint, or create the bucket \
             first"
        );
    }

    #[test]
    fn a_wrong_clock_is_named_with_its_distance_however_the_store_says_it() {
        for (code, message) in [
            ("AccessDenied", "Request has expired"),
            ("AccessDenied", "Request is not yet valid"),
            ("RequestTimeTooSkewed", "The difference between the request time and the server's time is too large."),
        ] {
            let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let error = refused(403, &body, Some(-86_400));
            assert!(
                error
                    .to_string()
                    .ends_with("this machine's clock is 1 d behind the store's: set it, and keep it set (NTP)"),
                "{error}"
            );
            assert!(!error.is_denied(), "{error}");
        }
    }

    #[test]
    fn a_denial_names_both_of_its_reasons() {
        let error = refused(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", None);
        assert!(error.is_denied());
        assert!(error.to_string().contains("the policy of these credentials does not allow this"), "{error}");
    }

    #[test]
    fn what_is_refused_for_the_objects_sake_is_told_from_trouble_of_our_own() {
        let body = |code: &str| format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        for (status, code) in [(403, "InvalidObjectState"), (400, "InvalidRequest"), (400, "KMS.DisabledException")] {
            let error = refused(status, &body(code), None);
            assert!(error.is_of_the_object() && error.is_refusal(), "{code}");
        }
        for (status, code) in [
            (403, "AccessDenied"),
            (400, "ExpiredToken"),
            (400, "InvalidToken"),
            (400, "AuthorizationHeaderMalformed"),
            (400, "RequestTimeout"),
            (404, "NoSuchKey"),
            (503, "SlowDown"),
            (500, "InternalError"),
        ] {
            assert!(!refused(status, &body(code), None).is_of_the_object(), "{code}");
        }
        assert!(!refused(400, "<html>a proxy says no</html>", None).is_of_the_object());
        for (status, code) in [(400, "RequestTimeout"), (429, "SlowDown"), (503, "SlowDown"), (500, "InternalError")] {
            assert!(!refused(status, &body(code), None).is_refusal(), "{code}");
        }
        assert!(refused(403, &body("AccessDenied"), None).is_refusal());
    }

    #[test]
    fn an_answer_that_is_not_s3s_is_called_so() {
        let error = refused(403, "<html><Code>x</Code>proxy says no</html>", None);
        assert!(error.to_string().contains("HTTP 403; this is not an answer of S3"), "{error}");
        assert!(!error.is_denied());
    }
}
