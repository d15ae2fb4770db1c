//! URLs that may be fetched.

use url::{ParseError, Url};

/// Parses a URL that the probe would fetch: http or https, without credentials. The error never shows the URL, since it
/// may hold a password.
pub fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| match error {
        ParseError::RelativeUrlWithoutBase => "it is no URL; it must begin with http:// or https://".to_string(),
        ParseError::IdnaError if text.is_ascii() => "it is no URL: its host is no name and no address".into(),
        // The packages' agent reports this for every host that is not ASCII, see packaging/README.md.
        ParseError::IdnaError => format!("it is no URL: {error}; write its host in ASCII (xn--…)"),
        error => format!("it is no URL: {error}"),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("its scheme is {:?}; only http and https are fetched", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has credentials in it; none are sent".into());
    }
    Ok(url)
}

/// A URL, or the beginning of one, as it may be shown: `?…` in place of its query, which may hold a secret.
pub fn without_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.into(), |(before, _)| format!("{before}?…"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
