//! Authorization: the checks that s3s does not make, makes less strictly than AWS, or makes by the system's clock.
//!
//! s3s judges times by the system's clock, and only its tolerance for header signatures can be set. So it is set to
//! [`ANY_SKEW`], and times are checked here, by the server's clock. The expiry of a presigned URL cannot be turned off.
//! So such requests are verified completely here (signing them again must give the same signature), and reach s3s
//! without their signature, with their [`Caller`]. s3s verifies header signatures and the signed chunks of bodies.
//!
//! What a caller may do is the business of `access`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter;

use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Method, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rusty_s3::signing::sign;
use s3s::S3ErrorCode;
use url::{Url, form_urlencoded};

use super::Clock;
use super::answer::{Failure, xml_time};
use super::keyring::{KeyPair, Keyring};
use super::rights::Owner;
use super::work::Work;

/// The tolerance for s3s's own check of the clock, see above: 136 years.
pub(super) const ANY_SKEW: u32 = u32::MAX;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a client's clock may be off.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// The longest life of a presigned URL, in seconds.
const MAX_EXPIRES: u64 = 7 * 24 * 60 * 60;
/// The characters that are not encoded in a canonical path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Who sent a request, once its signature has been verified. Nothing else puts it among a request's extensions.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) access_key: String,
    pub(super) owner: Owner,
}

/// Checks requests against the keys and their rights.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) keys: Keyring,
    pub(super) region: String,
    pub(super) clock: Clock,
    /// Of the hosts, whose signatures are verified.
    pub(super) work: Work,
}

type Query<'q> = Vec<(Cow<'q, str>, Cow<'q, str>)>;

impl Gate {
    /// Passes a request on to s3s, or refuses it with the reason. Returns the owner of the key that it names; whether
    /// it is signed with that key, s3s may still have to verify.
    pub(super) fn admit(&self, head: &mut Parts) -> Result<Owner, Failure> {
        let query = head.uri.query().unwrap_or_default().to_owned();
        let query: Query<'_> = form_urlencoded::parse(query.as_bytes()).collect();
        let presigned = query.iter().any(|(name, _)| name == "X-Amz-Algorithm" || name == "X-Amz-Signature");
        let authorization = head.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        match authorization {
            // Signature version 2, in both its forms: AWS has not accepted it for buckets made since 2020.
            _ if query.iter().any(|(name, _)| name == "Signature") => Err(unsupported_signature()),
            Some(value) if value.starts_with("AWS ") => Err(unsupported_signature()),
            Some(_) if presigned => Err(Failure::new(
                S3ErrorCode::InvalidArgument,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            )),
            Some(value) => self.check_signed(value, &head.headers),
            None if presigned => self.verify_presigned(head, query),
            None => Err(Failure::new(S3ErrorCode::AccessDenied, "Access Denied")),
        }
    }

    /// Checks a header signature, except for the signature itself.
    fn check_signed(&self, authorization: &str, headers: &HeaderMap) -> Result<Owner, Failure> {
        let malformed = |why: &str| {
            let message = format!("The authorization header is malformed; {why}");
            Failure::new(S3ErrorCode::AuthorizationHeaderMalformed, message)
        };
        let Some(fields) = authorization.strip_prefix(ALGORITHM) else {
            return Err(Failure::new(S3ErrorCode::InvalidArgument, "Unsupported Authorization Type"));
        };
        let fields: BTreeMap<&str, &str> = fields.split(',').filter_map(|field| field.trim().split_once('=')).collect();
        let field = |name| fields.get(name).copied().ok_or_else(|| malformed("a field is missing."));
        let date = headers.get("x-amz-date").and_then(|value| value.to_str().ok());
        let Some((date, time)) = date.and_then(|date| Some((date, parse_time(date)?))) else {
            let message = "AWS authentication requires a valid Date or x-amz-date header";
            return Err(Failure::new(S3ErrorCode::AccessDenied, message));
        };
        let now = (self.clock)();
        if time.duration_since(now).abs() > MAX_SKEW {
            let message = "The difference between the request time and the current time is too large.";
            return Err(Failure::new(S3ErrorCode::RequestTimeTooSkewed, message)
                .with("RequestTime", date)
                .with("ServerTime", xml_time(now))
                .with("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis().to_string()));
        }
        let token = headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
        let (_, owner) = self.check_scope(field("Credential")?, date, token, malformed)?;
        check_all_signed(headers, field("SignedHeaders")?)?;
        Ok(owner)
    }

    /// Verifies a presigned URL, and removes its signature.
    fn verify_presigned(&self, head: &mut Parts, query: Query<'_>) -> Result<Owner, Failure> {
        let malformed = |why: &str| Failure::new(S3ErrorCode::AuthorizationQueryParametersError, why);
        let (auth, rest): (Query<'_>, Query<'_>) = query.into_iter().partition(|(name, _)| is_auth(name));
        let parameter = |wanted: &str| auth.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
        let [Some(ALGORITHM), Some(credential), Some(signature), Some(date), Some(signed_headers), Some(expires)] =
            ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires"]
                .map(|name| parameter(&format!("X-Amz-{name}")))
        else {
            return Err(malformed(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ));
        };
        let time = parse_time(date)
            .ok_or_else(|| malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
        let seconds: u64 = expires.parse().map_err(|_| malformed("X-Amz-Expires should be a number"))?;
        if seconds > MAX_EXPIRES {
            return Err(malformed(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                 than 604800 seconds",
            ));
        }
        self.check_life(time, seconds)?;
        let token = parameter("X-Amz-Security-Token");
        let (pair, owner) = self.check_scope(credential, date, token, malformed)?;
        check_all_signed(&head.headers, signed_headers)?;
        let ours = self.presign(&pair, head, &rest, time, seconds, signed_headers);
        if !ours.is_some_and(|ours| same(&ours, signature)) {
            return Err(Failure::new(
                S3ErrorCode::SignatureDoesNotMatch,
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ));
        }
        head.extensions.insert(Caller { access_key: pair.access_key, owner: owner.clone() });
        let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        let target = format!("{}?{rest}", head.uri.path());
        head.uri = PathAndQuery::try_from(target)
            .map_err(|_| Failure::new(S3ErrorCode::InvalidURI, "Couldn't parse the specified URI."))?
            .into();
        Ok(owner)
    }

    fn check_life(&self, signed: Timestamp, seconds: u64) -> Result<(), Failure> {
        let now = (self.clock)();
        if signed.duration_since(now) > MAX_SKEW {
            return Err(Failure::new(S3ErrorCode::AccessDenied, "Request is not yet valid")
                .with("X-Amz-Date", xml_time(signed))
                .with("ServerTime", xml_time(now)));
        }
        let end = signed + SignedDuration::from_secs(seconds.cast_signed());
        if now > end {
            return Err(Failure::new(S3ErrorCode::AccessDenied, "Request has expired")
                .with("X-Amz-Expires", seconds.to_string())
                .with("Expires", xml_time(end))
                .with("ServerTime", xml_time(now)));
        }
        Ok(())
    }

    /// Checks that the credential names a key of ours, our region, S3 and the day of the signature, and that the token
    /// is the key's. Returns the key and its owner.
    fn check_scope(
        &self,
        credential: &str,
        date: &str,
        token: Option<&str>,
        malformed: impl Fn(&str) -> Failure,
    ) -> Result<(KeyPair, Owner), Failure> {
        let scope: Vec<&str> = credential.split('/').collect();
        let [key, day, region, "s3", "aws4_request"] = scope[..] else {
            return Err(malformed("the Credential must be KEY/YYYYMMDD/REGION/s3/aws4_request."));
        };
        if !date.starts_with(day) {
            return Err(malformed("the Credential's date is not that of the signature."));
        }
        if region != self.region {
            let why = format!("the region '{region}' is wrong; expecting '{}'", self.region);
            return Err(malformed(&why).with("Region", self.region.clone()));
        }
        // A temporary key without its token counts as unknown, like a wrong key.
        let found = self.keys.find(key, (self.clock)());
        let Some((pair, owner)) = found.filter(|(pair, _)| token.is_some() || pair.session_token.is_none()) else {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            return Err(Failure::new(S3ErrorCode::InvalidAccessKeyId, message).with("AWSAccessKeyId", key));
        };
        if token != pair.session_token.as_deref() {
            let message = "The provided token is malformed or otherwise invalid.";
            return Err(Failure::new(S3ErrorCode::InvalidToken, message));
        }
        Ok((pair, owner))
    }

    /// The signature that we would make; `None` for a request that cannot be signed.
    fn presign(
        &self,
        pair: &KeyPair,
        head: &Parts,
        query: &Query<'_>,
        time: Timestamp,
        expires: u64,
        signed: &str,
    ) -> Option<String> {
        let method = match head.method {
            Method::GET => rusty_s3::Method::Get,
            Method::HEAD => rusty_s3::Method::Head,
            Method::PUT => rusty_s3::Method::Put,
            Method::POST => rusty_s3::Method::Post,
            Method::DELETE => rusty_s3::Method::Delete,
            _ => return None,
        };
        // AWS decodes the path and encodes it anew, so the client's way of encoding does not matter.
        let path = percent_decode_str(head.uri.path()).decode_utf8().ok()?;
        let path = utf8_percent_encode(&path, PATH).to_string();
        let url = Url::parse(&format!("http://signed{path}")).ok()?;
        // `Url` resolves `..`: without this, a URL for `b` would also serve for `a/../b`.
        if url.path() != path {
            return None;
        }
        let values = |name: &str| {
            let values: Vec<_> = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            values.join(",")
        };
        let headers: BTreeMap<&str, String> = signed.split(';').map(|name| (name, values(name))).collect();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let mut query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        query.sort_unstable();
        let KeyPair { access_key, secret_key, session_token } = pair;
        let token = session_token.as_deref();
        let query = query.into_iter();
        let url = sign(&time, method, url, access_key, secret_key, token, &self.region, expires, query, headers);
        url.as_str().rsplit_once("X-Amz-Signature=").map(|(_, signature)| signature.to_owned())
    }
}

fn unsupported_signature() -> Failure {
    let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    Failure::new(S3ErrorCode::InvalidRequest, message)
}

/// Whether a query parameter belongs to the signature rather than the request.
fn is_auth(name: &str) -> bool {
    let name = name.strip_prefix("X-Amz-").unwrap_or_default();
    ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"].contains(&name)
}

/// Anybody could have added an unsigned header.
fn check_all_signed(headers: &HeaderMap, signed: &str) -> Result<(), Failure> {
    let names = headers.keys().map(header::HeaderName::as_str);
    let unsigned: Vec<&str> = names
        .filter(|name| name.starts_with("x-amz-") || *name == "host")
        .filter(|name| !signed.split(';').any(|signed| signed == *name))
        .collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(Failure::new(S3ErrorCode::AccessDenied, message).with("HeadersNotSigned", unsigned.join(", ")))
}

/// `20130524T000000Z`
fn parse_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Compares in constant time, so that the time does not tell how much is equal.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && iter::zip(a.bytes(), b.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}
