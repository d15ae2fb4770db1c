//! The store's refusals: what S3 says, and what to do about it.

use std::fmt;

use ureq::http::HeaderMap;
use url::Url;

use crate::http::header;
use crate::http::url::without_query;
use crate::text::printable;
use crate::xml::element;

/// How much of S3's texts is kept, in characters.
const ROOM: usize = 300;

/// The store's refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    /// S3's code, such as `NoSuchKey`; empty if the answer has no S3 code.
    pub code: String,
    /// S3's sentence.
    pub message: String,
    /// The bucket's region, if the answer names it.
    pub region: Option<String>,
    /// Where a redirect leads to: scheme, host and port. The rest may hold a signature.
    pub target: Option<String>,
    /// Whether a server says that it was spoken to without TLS.
    wants_tls: bool,
    /// The `Host` with which the request arrived, if the store shows what it has signed.
    pub arrived_for: Option<String>,
}

impl Refusal {
    /// Parses S3's error document: `<Error><Code>…</Code><Message>…</Message>…</Error>`.
    pub fn new(status: u16, headers: &HeaderMap, body: &str) -> Self {
        let is_s3 = body.contains("<Error>");
        let shown = |text: String| printable(&without_signature(&text)).chars().take(ROOM).collect();
        let text = |tag| element(body, tag).filter(|_| is_s3).map(shown);
        Self {
            status,
            code: text("Code").unwrap_or_default(),
            message: text("Message").unwrap_or_default(),
            region: header::text(headers, "x-amz-bucket-region").map(String::from).or_else(|| text("Region")),
            target: header::text(headers, "location").and_then(target).filter(|_| (300..400).contains(&status)),
            // nginx, Go (MinIO) and Apache.
            wants_tls: status == 400
                && ["HTTPS port", "HTTPS server", "SSL-enabled"].iter().any(|words| body.contains(words)),
            arrived_for: element(body, "CanonicalRequest").filter(|_| is_s3).and_then(|request| {
                request.lines().find_map(|line| line.strip_prefix("host:")).map(|host| shown(host.to_string()))
            }),
        }
    }
}

/// What stands between us and the store.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The host that requests are signed for, if the endpoint is not AWS's.
    pub host: Option<String>,
    /// Whether that host begins with the bucket's name, although the bucket is in the path.
    pub is_bucket_twice: bool,
    /// The proxy of the environment.
    pub proxy: Option<String>,
    /// The setting that names a private CA, if it is another than the agent's.
    pub ca_setting: Option<&'static str>,
}

/// A server, or a proxy before it, may repeat the URL that it was asked for: its query is a signature, and may hold a
/// token.
fn without_signature(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once('?') {
        _ if !word.to_ascii_lowercase().contains("x-amz-") => word.into(),
        Some((before, _)) => format!("{before}?…"),
        None => "…".into(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Scheme, host and port of an address; of one on the same host its path.
fn target(location: &str) -> Option<String> {
    if let Ok(url) = Url::parse(location) {
        return url.has_host().then(|| url.origin().ascii_serialization());
    }
    let path: String = without_query(location).chars().take(ROOM).collect();
    path.starts_with('/').then(|| printable(&path))
}

impl Refusal {
    /// Whether S3 says that the clocks differ: by its own code, or, for a presigned URL, as `AccessDenied`.
    pub fn is_about_time(&self) -> bool {
        self.code == "RequestTimeTooSkewed"
            || (self.code == "AccessDenied"
                && (self.message.contains("has expired") || self.message.contains("not yet valid")))
    }

    /// What to do about it, if that is known.
    pub fn remedy(&self, way: &Way) -> Option<String> {
        let text = match (self.code.as_str(), self.status) {
            ("NoSuchBucket" | "NoSuchKey", _) if way.is_bucket_twice => {
                "the bucket stands twice, in the endpoint's host and in the path: write the endpoint without it, or \
                 correct the bucket"
            }
            ("NoSuchBucket", _) => "correct the bucket, the region or the endpoint, or create the bucket first",
            ("InvalidBucketName", _) => "correct the bucket: 3 to 63 small letters, digits, \".\" and \"-\"",
            ("InvalidAccessKeyId", _) => "the store does not know this access key id: correct the credentials",
            ("SignatureDoesNotMatch", _) => return Some(self.signature_remedy(way)),
            ("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => {
                "get new temporary credentials; with permanent ones, unset AWS_SESSION_TOKEN"
            }
            ("AccessDenied" | "AllAccessDisabled", _) => {
                "the policy of these credentials does not allow this; of what is not there, a store may say so, too"
            }
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _) => {
                "the bucket is in another region: correct the region"
            }
            // The answer to a presigned URL for the wrong region.
            ("AuthorizationQueryParametersError", _) if self.message.contains("region") => "correct the region",
            ("PreconditionFailed" | "ConditionalRequestConflict", _) => {
                "somebody else changed it at the same time: look again"
            }
            // S3 has a document for its own trouble.
            ("", 429 | 500 | 502 | 503 | 504) => {
                "the store, or a proxy before it, is busy or in trouble: try again later"
            }
            ("SlowDown", _) | (_, 429 | 500 | 502 | 503 | 504) => "the store is busy or in trouble: try again later",
            (_, 300..400) => return Some(self.redirect_remedy()),
            ("", 400) if self.wants_tls => "the server wants TLS there: write the endpoint with https://",
            ("", 401) => {
                "the server wants a password, as no S3 service does: check the endpoint, and a proxy on the way"
            }
            ("", _) => "this is not an answer of S3: check the endpoint, and a proxy on the way",
            _ => return None,
        };
        Some(text.into())
    }

    fn signature_remedy(&self, way: &Way) -> String {
        let wrong_key = "the secret access key does not belong to the access key id";
        match (&way.host, &self.arrived_for) {
            (Some(host), Some(arrived)) if host != arrived => format!(
                "it was signed for the host {host} and arrived with \"Host: {arrived}\": a proxy before the store must \
                 pass on the Host header as it is"
            ),
            (Some(host), None) => format!(
                "{wrong_key}: correct it; or a proxy before the store changes the path or the Host header, which must \
                 stay {host}"
            ),
            _ => format!("{wrong_key}: correct it"),
        }
    }

    fn redirect_remedy(&self) -> String {
        match &self.target {
            Some(path) if path.starts_with('/') && !path.starts_with("//") => {
                format!("the endpoint redirects to its page {path}, as no S3 service does: check the endpoint")
            }
            Some(target) => {
                format!("the endpoint redirects to {target}: write that as the endpoint if the store is there")
            }
            None => "the endpoint redirects, and does not say where to: check it".into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, " ({})", self.message.trim_end_matches('.'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_names_its_target_without_what_could_be_secret() {
        let mut headers = HeaderMap::new();
        headers.insert("location", "https://login.example.com:8443/x?X-Amz-Signature=secret".parse().unwrap());
        for (status, is_redirect) in [(301, true), (302, true), (307, true), (308, true), (403, false)] {
            let refusal = Refusal::new(status, &headers, "<html>go</html>");
            let remedy = refusal.remedy(&Way::default()).unwrap();
            let names = remedy.contains("the endpoint redirects to https://login.example.com:8443: write that");
            assert!(names == is_redirect && !remedy.contains("secret"), "{status}: {remedy}");
        }
        for (location, words) in [
            ("/login?next=secret", "redirects to its page /login?…, as no S3 service does"),
            ("//other.example.com/x", "redirects to //other.example.com/x: write that"),
        ] {
            headers.insert("location", location.parse().unwrap());
            let remedy = Refusal::new(302, &headers, "").remedy(&Way::default()).unwrap();
            assert!(remedy.contains(words), "{location}: {remedy}");
        }
        let remedy = Refusal::new(302, &HeaderMap::new(), "").remedy(&Way::default()).unwrap();
        assert!(remedy.contains("does not say where"), "{remedy}");
    }

    #[test]
    fn a_signature_that_does_not_fit_names_the_key_and_the_host_that_a_proxy_may_have_changed() {
        let remedy = |host: Option<&str>, more: &str| {
            let body = format!("<Error><Code>SignatureDoesNotMatch</Code>{more}</Error>");
            let way = Way { host: host.map(String::from), ..Way::default() };
            Refusal::new(403, &HeaderMap::new(), &body).remedy(&way).unwrap()
        };
        let seen = "<CanonicalRequest>PUT\n/x\n\nhost:10.0.0.5:9000\n\nhost\nUNSIGNED-PAYLOAD</CanonicalRequest>";
        let changed = remedy(Some("s3.example.com"), seen);
        assert!(changed.contains("arrived with \"Host: 10.0.0.5:9000\": a proxy before the store"), "{changed}");
        let same = remedy(Some("10.0.0.5:9000"), seen);
        assert!(same.contains("does not belong") && !same.contains("proxy"), "{same}");
        let unknown = remedy(Some("s3.example.com"), "");
        assert!(unknown.contains("does not belong") && unknown.contains("must stay s3.example.com"), "{unknown}");
        assert!(!remedy(None, "").contains("proxy"));
    }

    #[test]
    fn a_server_that_wants_tls_or_a_password_is_told() {
        let remedy = |status, body| Refusal::new(status, &HeaderMap::new(), body).remedy(&Way::default()).unwrap();
        for body in [
            "<center>The plain HTTP request was sent to HTTPS port</center>",
            "Client sent an HTTP request to an HTTPS server.\n",
            "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        ] {
            assert!(remedy(400, body).contains("with https://"), "{body}");
        }
        assert!(!remedy(400, "bad").contains("https") && remedy(401, "").contains("password"));
        assert!(remedy(502, "<html>").contains("or a proxy before it"));
    }

    #[test]
    fn a_bucket_that_no_store_can_have_is_told_with_what_a_name_may_have() {
        let body = "<Error><Code>InvalidBucketName</Code></Error>";
        let remedy = Refusal::new(400, &HeaderMap::new(), body).remedy(&Way::default()).unwrap();
        assert!(remedy.starts_with("correct the bucket: 3 to 63 small letters"), "{remedy}");
    }

    #[test]
    fn an_answers_text_cannot_write_to_the_terminal() {
        let refusal = Refusal::new(
            400,
            &HeaderMap::new(),
            "<Error><Code>X</Code><Message>a\u{1b}[2Jb &lt;c&gt; &amp;lt;</Message></Error>",
        );
        assert_eq!(refusal.message, "a[2Jb <c> &lt;");
    }
}
