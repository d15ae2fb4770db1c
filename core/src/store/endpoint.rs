//! The address of an S3 service, as people paste it. What is plainly wrong is refused before anything is sent, with
//! what to write instead.

use url::{ParseError, Url};

use crate::text::printable;

/// Domains of clouds whose buckets have hosts of their own, besides hosts that are called `s3`.
const CLOUDS: [&str; 10] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "digitaloceanspaces.com",
    "r2.cloudflarestorage.com",
    "linodeobjects.com",
    "vultrobjects.com",
    "storage.googleapis.com",
    "your-objectstorage.com",
    "aliyuncs.com",
    "exo.io",
];

/// Parses the address of the service that has `bucket`, for requests that are signed for `region`.
pub(super) fn parse(text: &str, bucket: &str, region: &str) -> Result<Url, String> {
    let url = address(text)?;
    let host = url.host_str().unwrap_or_default();
    let wrong = |what: &str| Err(format!("the endpoint {:?} {what}", printable(text.trim())));
    if under(host, "console.aws.amazon.com") || host.starts_with("console.") {
        return wrong("is a page of a console: leave it out for AWS, else write the address of the S3 service");
    }
    if under(host, "amazonaws.com") && host.contains("s3-website") {
        return wrong("is a website's, which takes no pulses: leave it out");
    }
    let rest = host.split_once('.').map(|(_, rest)| rest);
    if let Some(rest) = host.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.'))
        && is_service(rest)
    {
        return wrong(&format!(
            "has the bucket {bucket:?} before its host, where it would stand twice: write {}",
            with_host(&url, rest)
        ));
    }
    // An address of PrivateLink may begin with anything.
    if under(host, "amazonaws.com") && !under(host, "vpce.amazonaws.com") && !is_service(host) {
        return match rest.filter(|rest| is_service(rest)) {
            Some(rest) => wrong(&format!("is another bucket's, not {bucket}'s: write {}", with_host(&url, rest))),
            None => wrong("is not S3's: leave it out, or write https://s3.REGION.amazonaws.com"),
        };
    }
    match aws_region(host) {
        Some(of_host) if of_host != region => {
            wrong(&format!("is of the region {of_host}, and the region is {region}: correct one of them"))
        }
        _ if url.path() != "/" => {
            let name = url.path().trim_matches('/');
            let name = if name.is_empty() { url.path() } else { name };
            let why = if name == bucket { "the bucket is named by the setting bucket" } else { "S3 has none" };
            wrong(&format!("has a path, {:?}: {why}; write {}", printable(name), url.origin().ascii_serialization()))
        }
        _ => Ok(url),
    }
}

/// Parses the address alone: http or https, a host, maybe a port and a path.
fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    // First of all, so that a password is not shown.
    if text.contains('@') {
        return Err("the endpoint has a user or a password in it, which are not sent: remove them".into());
    }
    let wrong = |what: &str| Err(format!("the endpoint {:?} {what}", printable(text)));
    if text.is_empty() {
        return Err("the endpoint is empty: leave it out for AWS, else write the address of the S3 service".into());
    }
    if text.starts_with(['"', '\'', '<']) {
        return wrong("is in quotes, which would be a part of it: remove them");
    }
    if text.contains(char::is_whitespace) {
        return wrong("has a blank in it: write the address alone");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let bare = text.trim_start_matches("https:").trim_start_matches("http:").trim_start_matches('/');
        return wrong(&format!("has no scheme: write https://{bare}, or http://{bare} without TLS"));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {}
        "s3" | "s3a" | "s3n" => {
            return wrong("names a bucket: write its name as the bucket, and leave the endpoint out for AWS");
        }
        _ => return wrong(&format!("begins with {scheme}://: only http:// and https:// are spoken")),
    }
    let url = Url::parse(text).or_else(|error| match error {
        ParseError::InvalidPort => wrong("has no port from 1 to 65535"),
        ParseError::IdnaError if !text.is_ascii() => wrong("has a host that cannot be used: write it in ASCII (xn--…)"),
        _ => wrong("is not an address such as https://s3.example.com or http://[::1]:9000"),
    })?;
    if url.host_str().is_some_and(|host| host.contains(['$', '{', '}', '*', '\'', '"', '`', ','])) {
        return wrong("has a placeholder in its host: write the service's own");
    }
    if url.port() == Some(0) {
        return wrong("has the port 0: write the service's");
    }
    if url.query().is_some() || url.fragment().is_some() {
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        return wrong(&format!("ends in {:?}, which no S3 service has: remove it", printable(&rest[end..])));
    }
    Ok(url)
}

/// The region in the host of AWS's S3, if it is there: `s3.eu-west-1.amazonaws.com`, also with `dualstack`, `fips`.
pub(super) fn aws_region(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let labels = host.strip_suffix(".amazonaws.com")?.rsplit('.').next()?;
    let region = labels.strip_prefix("s3-").unwrap_or(labels);
    // A region ends in a number; `s3`, `s3-fips`, `s3-accelerate` and `vpce` do not.
    (region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit())).then_some(region)
}

/// AWS's address for a region. China has its own domain.
pub fn of_aws(region: &str, is_fips: bool, is_dual_stack: bool) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let fips = if is_fips { "-fips" } else { "" };
    let dual_stack = if is_dual_stack { "dualstack." } else { "" };
    format!("https://s3{fips}.{dual_stack}{region}.{domain}")
}

/// Whether the address is of AWS's own S3, whose probe is in AWS.
pub fn is_aws(text: &str) -> bool {
    Url::parse(text.trim()).is_ok_and(|url| url.host_str().is_some_and(is_amazons))
}

/// The region that AWS's address names.
pub fn region_of(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    aws_region(url.host_str()?).map(String::from)
}

fn is_amazons(host: &str) -> bool {
    under(host, "amazonaws.com") || under(host, "amazonaws.com.cn")
}

/// Whether a host is a service's, rather than a bucket's.
fn is_service(host: &str) -> bool {
    let first = host.split('.').next().unwrap_or_default();
    let is_s3 = first == "s3" || (first.starts_with("s3-") && !first.starts_with("s3-website"));
    is_s3 || CLOUDS.iter().any(|cloud| under(host, cloud) && !is_amazons(host))
}

fn under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn with_host(url: &Url, host: &str) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        parse(text, "pulses", "eu-west-1").map(String::from)
    }

    #[test]
    fn what_is_an_address_is_taken() {
        for (text, url) in [
            ("https://s3.example.com", "https://s3.example.com/"),
            (" HTTPS://S3.Example.COM/ \n", "https://s3.example.com/"),
            ("http://127.0.0.1:9810", "http://127.0.0.1:9810/"),
            ("http://[::1]:9810/", "http://[::1]:9810/"),
            ("http://minio:9000", "http://minio:9000/"),
            ("https://pulses.example.com", "https://pulses.example.com/"),
            ("https://s3.eu-west-1.amazonaws.com:443", "https://s3.eu-west-1.amazonaws.com/"),
            ("https://s3.dualstack.eu-west-1.amazonaws.com", "https://s3.dualstack.eu-west-1.amazonaws.com/"),
            ("https://s3.amazonaws.com", "https://s3.amazonaws.com/"),
            (
                "https://bucket.vpce-1-a.s3.eu-west-1.vpce.amazonaws.com",
                "https://bucket.vpce-1-a.s3.eu-west-1.vpce.amazonaws.com/",
            ),
            ("https://account.r2.cloudflarestorage.com", "https://account.r2.cloudflarestorage.com/"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(url));
        }
    }

    #[test]
    fn what_is_plainly_wrong_says_what_to_write() {
        for (text, what) in [
            ("s3.example.com", "has no scheme: write https://s3.example.com, or http://"),
            ("s3.example.com:9000", "has no scheme: write https://s3.example.com:9000"),
            ("//s3.example.com", "has no scheme: write https://s3.example.com,"),
            ("https:s3.example.com", "has no scheme"),
            ("", "is empty: leave it out for AWS"),
            (" ", "is empty"),
            ("s3://pulses", "names a bucket: write its name as the bucket"),
            ("ftp://s3.example.com", "begins with ftp://"),
            ("https://", "is not an address"),
            ("https://s3.exa mple.com", "has a blank in it"),
            ("https://s3.example.com # ours", "has a blank in it"),
            ("\"https://s3.example.com\"", "is in quotes"),
            ("https:/s3.example.com", "has no scheme: write https://s3.example.com, or"),
            ("http://${HOST}:9000", "has a placeholder in its host"),
            ("https://{{endpoint}}", "has a placeholder in its host"),
            ("https://s3.example.com//", "has a path, \"//\": S3 has none"),
            ("https://pulses.fsn1.your-objectstorage.com", "twice: write https://fsn1.your-objectstorage.com"),
            ("http://::1:9000", "such as https://s3.example.com or http://[::1]:9000"),
            ("http://localhost:99999", "has no port from 1 to 65535"),
            ("http://localhost:0", "has the port 0"),
            ("http://localhost:9000x", "has no port"),
            (
                "https://s3.example.com/pulses",
                "has a path, \"pulses\": the bucket is named by the setting bucket; write https://s3.example.com",
            ),
            ("https://s3.example.com:9/x/y", "has a path, \"x/y\": S3 has none; write https://s3.example.com:9"),
            ("https://s3.example.com/?x=1", "ends in \"?x=1\""),
            ("https://s3.example.com#x", "ends in \"#x\""),
            ("https://s3.console.aws.amazon.com/s3/buckets/pulses?region=eu-west-1", "ends in"),
            ("https://eu-west-1.console.aws.amazon.com/s3/home", "is a page of a console"),
            ("http://pulses.s3-website-eu-west-1.amazonaws.com", "is a website's"),
            ("http://pulses.s3-website.eu-west-1.amazonaws.com", "is a website's"),
            ("https://pulses.s3.eu-west-1.amazonaws.com/", "twice: write https://s3.eu-west-1.amazonaws.com"),
            ("https://pulses.s3.example.com:8443", "twice: write https://s3.example.com:8443"),
            ("https://pulses.fra1.digitaloceanspaces.com", "twice: write https://fra1.digitaloceanspaces.com"),
            ("https://other.s3.eu-west-1.amazonaws.com", "is another bucket's, not pulses's: write https://s3.eu"),
            ("https://ec2.eu-west-1.amazonaws.com", "is not S3's: leave it out"),
            ("https://s3.eu-central-1.amazonaws.com", "is of the region eu-central-1, and the region is eu-west-1"),
            ("https://s3-us-west-2.amazonaws.com", "is of the region us-west-2"),
            ("https://s3.cn-north-1.amazonaws.com.cn", "is of the region cn-north-1"),
            ("https://https://s3.example.com", "has a path"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for text in
            ["https://me:secret@s3.example.com", "https://me:secret@s3.example.com:0", "me:secret@s3.example.com"]
        {
            let error = parsed(text).unwrap_err();
            assert!(!error.contains("secret") && error.contains("password"), "{error}");
        }
    }

    #[test]
    fn awss_own_addresses_are_known_with_their_region() {
        assert!(is_aws("https://s3.eu-west-1.amazonaws.com") && !is_aws("https://s3.example.com") && !is_aws("x"));
        assert_eq!(region_of("https://s3-fips.us-gov-west-1.amazonaws.com").as_deref(), Some("us-gov-west-1"));
        for none in ["https://s3.amazonaws.com", "https://s3-accelerate.amazonaws.com", "https://s3.example.com", "x"] {
            assert_eq!(region_of(none), None, "{none}");
        }
    }
}
