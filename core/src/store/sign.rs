//! Presigned URLs: AWS's Signature Version 4 in the query.
//!
//! `rusty-s3` signs in the same way, and the tests hold the two side by side. Its dates, its SHA-256 and its HMAC, each
//! of which is here for other reasons, too, would be a twentieth of the agent.

use rusty_s3::{Credentials, Method};
use url::Url;

use crate::clock::Time;
use crate::crypto::{hex, hmac, sha256};

/// What of a request is signed, apart from its address.
pub(super) struct Signed<'a> {
    pub method: Method,
    /// Names begin with small letters; sorted by name.
    pub query: &'a [(&'static str, &'a str)],
    /// Names in small letters, after `host`; sorted by name.
    pub headers: &'a [(String, String)],
    /// How long the address is valid, in seconds.
    pub life_s: u64,
}

/// The address of a request, signed at this time for this region. `url` has no query of its own.
pub(super) fn presigned(mut url: Url, request: &Signed, at: Time, region: &str, credentials: &Credentials) -> Url {
    let time = at.to_string().replace(['-', ':'], "");
    let day = time.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/s3/aws4_request");

    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.into(), |port| format!("{host}:{port}"));
    let mut signed: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    // Its place is by its name.
    let place = signed.partition_point(|(name, _)| *name < "host");
    signed.insert(place, ("host", &host));
    let (mut headers, mut names) = (String::new(), String::new());
    for (name, value) in signed {
        let words: Vec<_> = value.split_whitespace().collect();
        headers.extend([name, ":", &words.join(" "), "\n"]);
        names.extend([if names.is_empty() { "" } else { ";" }, name]);
    }

    let mut query = String::new();
    let own = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &format!("{}/{scope}", credentials.key())),
        ("X-Amz-Date", &time),
        ("X-Amz-Expires", &request.life_s.to_string()),
        ("X-Amz-Security-Token", credentials.token().unwrap_or_default()),
        ("X-Amz-SignedHeaders", &names),
    ];
    // Capitals come before the small letters that the others begin with.
    for (name, value) in own.iter().filter(|(_, value)| !value.is_empty()).chain(request.query) {
        let separator = if query.is_empty() { "" } else { "&" };
        query.extend([separator, name, "="]);
        encode(value, &mut query);
    }

    let method = request.method.to_str();
    let canonical = format!("{method}\n{}\n{query}\n{headers}\n{names}\nUNSIGNED-PAYLOAD", url.path());
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
    let mut key = hmac(format!("AWS4{}", credentials.secret()).as_bytes(), day.as_bytes());
    for part in [region, "s3", "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    query.extend(["&X-Amz-Signature=", &hex(&hmac(&key, to_sign.as_bytes()))]);
    url.set_query(Some(&query));
    url
}

/// Adds a value to a query, with all but RFC 3986's unreserved characters encoded.
fn encode(value: &str, query: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            query.push('%');
            query.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_url_is_signed_as_rusty_s3_signs_it() {
        let keys = [
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            Credentials::new_with_token("AKIA", "x/+= é", "a/token+of==/many&parts"),
            Credentials::new_with_token("AKIA", "x", ""),
        ];
        let header = |name: &str, value: &str| (name.to_string(), value.to_string());
        let query = [("continuation-token", "1/+ =é&~-_.%"), ("list-type", "2"), ("prefix", "")];
        let headers = [
            header("cache-control", "no-store"),
            header("if-match", "\"d41d8c\""),
            header("x-amz-meta-agent", "  pulse-echo/0.1   (x) "),
            header("x-amz-meta-sent-at", "2026-11-21T08:27:27Z"),
        ];
        let requests = [
            Signed { method: Method::Get, query: &query, headers: &[], life_s: 300 },
            Signed { method: Method::Put, query: &[], headers: &headers, life_s: 300 },
            Signed { method: Method::Delete, query: &[], headers: &[], life_s: 300 },
        ];
        let urls = [
            "https://examplebucket.s3.amazonaws.com/test.txt",
            "http://127.0.0.1:9810/pulse-echo/pulse/web-1.json",
            "https://s3.example.com:8443/b/pulse/a%20b%2B.json",
            "http://s3.example.com:80/b/",
            "http://[::1]:9000/b/pulse/x/y.json",
        ];
        for url in urls.map(|url| Url::parse(url).unwrap()) {
            for (request, credentials) in requests.iter().flat_map(|one| keys.iter().map(move |keys| (one, keys))) {
                let at = Timestamp::from_second(1_369_353_600).unwrap();
                let theirs = rusty_s3::signing::sign(
                    &at,
                    request.method,
                    url.clone(),
                    credentials.key(),
                    credentials.secret(),
                    credentials.token(),
                    "us-east-1",
                    300,
                    request.query.iter().copied(),
                    request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())),
                );
                assert_eq!(presigned(url.clone(), request, Time::of(at), "us-east-1", credentials), theirs);
            }
        }
    }
}
