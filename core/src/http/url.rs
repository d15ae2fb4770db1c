//! URLs that may be fetched.

use url::{ParseError, Url};

/// Parses a URL that the probe would fetch: http or https, without credentials. The error never shows the URL, since it
/// may hold a password.
pub fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no URL; {}", why_no_url(text, error)))?;
    if !matches!(url.scheme(), "http" | "https") {
        // `www.example.com:8080/health` has what looks like a scheme.
        if !text.contains("://") {
            return Err(format!("it is no URL; {}", why_no_url(text, ParseError::RelativeUrlWithoutBase)));
        }
        return Err(format!("its scheme is {:?}; only http and https are fetched", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has credentials in it; none are sent".into());
    }
    // What nobody has filled in: no name has such characters, and a request for one cannot be made.
    if url.host_str().is_some_and(|host| host.contains(['$', '{', '}', '*', '"', '`'])) {
        return Err(format!("it is no URL; {}", why_no_url(text, ParseError::InvalidDomainCharacter)));
    }
    Ok(url)
}

/// Why a text is no URL, as the end of a sentence, with the remedy.
pub fn why_no_url(text: &str, error: ParseError) -> &'static str {
    match error {
        ParseError::RelativeUrlWithoutBase => "it must begin with http:// or https://",
        // The packages' agent reports this for every host that is not ASCII, see packaging/README.md.
        ParseError::IdnaError if !text.is_ascii() => "its host cannot be used; write it in ASCII (xn--…)",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => {
            "its host is not a valid name; write one such as www.example.com"
        }
        ParseError::EmptyHost => "it has no host; write one after the ://",
        ParseError::InvalidPort => "its port is no number from 1 to 65535; correct it, or leave it out",
        ParseError::InvalidIpv4Address => "its host is no IPv4 address; write four numbers from 0 to 255",
        ParseError::InvalidIpv6Address => "its host is no IPv6 address; write it such as http://[2001:db8::1]/",
        _ => "it cannot be read; write it such as https://www.example.com/health",
    }
}

/// A URL, or the beginning of one, as it may be shown: `?…` in place of its query, which may hold a secret.
pub fn without_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.into(), |(before, _)| format!("{before}?…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_says_why_and_what_to_write() {
        for (text, why) in [
            ("www.example.com", "it must begin with http:// or https://"),
            ("www.example.com:8080/health", "it must begin with http:// or https://"),
            ("http://${HOST}:80/", "its host is not a valid name; write one"),
            ("http://{{ansible_host}}/", "its host is not a valid name; write one"),
            ("http://*.example.com/", "its host is not a valid name; write one"),
            ("http://a b/", "its host is not a valid name; write one"),
            ("http://a%zz/", "its host is not a valid name"),
            ("http://xn--a/", "its host is not a valid name"),
            ("http://", "it has no host; write one"),
            ("http://[", "its host is no IPv6 address; write it such as http://[2001:db8::1]/"),
            ("http://1.2.3.444/", "its host is no IPv4 address; write four numbers"),
            ("http://a:99999/", "its port is no number from 1 to 65535"),
            ("http://\u{fffd}.example/", "its host cannot be used; write it in ASCII (xn--…)"),
        ] {
            let error = web_url(text).unwrap_err();
            assert!(error.starts_with(&format!("it is no URL; {why}")), "{text}: {error}");
        }
    }

    #[test]
    fn a_query_is_not_shown_and_all_else_is() {
        for (url, shown) in [
            ("https://a.example/x?token=s3cret#y", "https://a.example/x?…"),
            ("/login?next=%2F?a", "/login?…"),
            ("https://a.example/x?", "https://a.example/x?…"),
            ("https://a.example/x#y", "https://a.example/x#y"),
        ] {
            assert_eq!(without_query(url), shown);
        }
    }
}
