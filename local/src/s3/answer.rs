//! Answers as AWS gives them, where s3s leaves parts out: request id, the server's date, whole error bodies.

use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use jiff::Timestamp;
use s3s::{Body, HttpResponse, S3ErrorCode};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// A refusal, with the elements that AWS adds to its error body.
#[derive(Debug)]
pub(super) struct Failure {
    code: S3ErrorCode,
    message: String,
    details: Vec<(&'static str, String)>,
}

impl Failure {
    pub(super) fn new(code: S3ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Adds an element to the error body.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.details.push((name, text.into()));
        self
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut xml = element("Code", self.code.as_str()) + &element("Message", &self.message);
        xml.extend(self.details.iter().map(|(name, text)| element(name, text)));
        let mut response = Response::new(Body::from(format!("{DECLARATION}<Error>{xml}</Error>")));
        *response.status_mut() = self.code.status_code().unwrap_or(StatusCode::BAD_REQUEST);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        response
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The request that an answer is about.
pub(super) struct About<'a> {
    pub(super) method: &'a Method,
    pub(super) request_id: &'a str,
    /// Its `Host` header.
    pub(super) host: &'a str,
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
}

/// Completes an answer of s3s or of a [`Failure`].
pub(super) async fn completed(mut response: HttpResponse, about: &About<'_>, now: Timestamp) -> HttpResponse {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() || status == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(CONTENT_LENGTH);
        let has_body = *about.method != Method::HEAD && status != StatusCode::NOT_MODIFIED;
        let body = std::mem::take(response.body_mut());
        if has_body {
            // An error's body is in memory already.
            let xml = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            *response.body_mut() = Body::from(whole_error(&xml, about));
        }
    }
    let headers = response.headers_mut();
    for (name, value) in
        [(DATE, http_date(now)), (REQUEST_ID, about.request_id.to_owned()), (EXTENDED_ID, about.request_id.to_owned())]
    {
        headers.insert(name, HeaderValue::try_from(value).expect("dates and request ids are plain ASCII"));
    }
    response
}

/// Adds the elements that AWS has and s3s does not.
fn whole_error(xml: &Bytes, about: &About<'_>) -> String {
    let xml = String::from_utf8_lossy(xml);
    let Some((start, _)) = xml.split_once("</Error>") else {
        return xml.into_owned();
    };
    let code = start.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("", |(code, _)| code);
    let mut whole = start.to_owned();
    if !start.contains("<Message>") {
        whole += &element("Message", usual_message(code));
    }
    if code == "SignatureDoesNotMatch" {
        // A proxy that replaces it is the most frequent reason, and cannot be seen from the client's side.
        let came = format!(" The Host header that came is {:?}; a proxy must keep the client's.", about.host);
        whole = whole.replace("</Message>", &format!("{}</Message>", escaped(&came)));
    }
    match code {
        "NoSuchKey" => whole += &element("Key", about.key),
        "NoSuchBucket" => whole += &element("BucketName", about.bucket),
        _ => {}
    }
    whole += &element("RequestId", about.request_id);
    whole += &element("HostId", about.request_id);
    whole + "</Error>"
}

/// AWS's text for the errors that s3s raises without text.
fn usual_message(code: &str) -> &str {
    match code {
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. \
             Check your key and signing method."
        }
        "KeyTooLongError" => "Your key is too long",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "NotImplemented" => "A header you provided implies functionality that is not implemented.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "IncompleteBody" => "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        "InternalError" => "We encountered an internal error. Please try again.",
        other => other,
    }
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As in the `Date` header.
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// As in the `ServerTime` element.
pub(super) fn xml_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
