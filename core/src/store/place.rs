//! Where a bucket is.

use rusty_s3::{Bucket, UrlStyle};
use url::Url;

use super::endpoint;

/// A bucket and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The address of the S3 service; `None` means AWS's for the region.
    pub endpoint: Option<String>,
    /// Whether the bucket goes into the path (`https://endpoint/bucket/`) rather than the host's name. `None` chooses:
    /// the path for a custom endpoint and for a bucket whose name would break TLS or DNS.
    pub path_style: Option<bool>,
}

impl Place {
    /// The URL that all requests to the bucket begin with. The error says what is wrong with the place.
    pub fn url(&self) -> Result<Url, String> {
        Ok(self.bucket()?.base_url().clone())
    }

    /// The bucket for the signer. The error says what is wrong with it.
    pub(super) fn bucket(&self) -> Result<Bucket, String> {
        if !is_bucket_name(&self.bucket) {
            return Err(no_bucket_name(&self.bucket));
        }
        let endpoint = match &self.endpoint {
            Some(text) => endpoint::parse(text, &self.bucket, &self.region)?,
            None => aws_endpoint(&self.region)?,
        };
        let path_style = self.path_style.unwrap_or(self.endpoint.is_some() || self.bucket.contains('.'));
        let style = if path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        Bucket::new(endpoint, style, self.bucket.clone(), self.region.clone()).map_err(|error| {
            format!("the bucket {:?} cannot be put before the endpoint's host ({error}); set path_style", self.bucket)
        })
    }
}

/// Whether a region has the form of AWS's regions, such as eu-central-1.
pub(super) fn is_region(region: &str) -> bool {
    !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// AWS's usual address for a region.
fn aws_endpoint(region: &str) -> Result<Url, String> {
    if let Some(whole) = region.strip_suffix(|c: char| c.is_ascii_lowercase())
        && is_region(whole)
        && whole.ends_with(|c: char| c.is_ascii_digit())
    {
        return Err(format!("{region:?} is a zone of the region {whole}: write {whole}"));
    }
    if !is_region(region) {
        return Err(format!("{region:?} is not a region such as eu-central-1"));
    }
    Ok(Url::parse(&endpoint::of_aws(region, false, false)).expect("the region is a label"))
}

/// Says what was written where a bucket's name is wanted.
fn no_bucket_name(text: &str) -> String {
    let bare = text.strip_prefix("s3://").or_else(|| text.strip_prefix("arn:aws:s3:::")).unwrap_or(text);
    let bare = bare.split('/').next().unwrap_or_default();
    if bare != text && is_bucket_name(bare) {
        return format!("the bucket {text:?} is more than a name: write {bare:?}");
    }
    format!("{text:?} is not a bucket's name: 3 to 63 small letters, digits, \".\" and \"-\"")
}

/// Checks S3's naming rule. It also allows the underscore and capitals of the older rule, which other stores still
/// have.
fn is_bucket_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(bucket: &str, endpoint: Option<&str>) -> Place {
        let endpoint = endpoint.map(String::from);
        Place { bucket: bucket.into(), region: "eu-central-1".into(), endpoint, path_style: None }
    }

    fn base(place: &Place) -> String {
        place.bucket().unwrap().base_url().to_string()
    }

    #[test]
    fn aws_has_the_bucket_in_the_hosts_name_unless_a_dot_would_break_tls() {
        assert_eq!(base(&place("pulses", None)), "https://pulses.s3.eu-central-1.amazonaws.com/");
        assert_eq!(base(&place("my.pulses", None)), "https://s3.eu-central-1.amazonaws.com/my.pulses/");
        let china = Place { region: "cn-north-1".into(), ..place("pulses", None) };
        assert_eq!(base(&china), "https://pulses.s3.cn-north-1.amazonaws.com.cn/");
    }

    #[test]
    fn an_endpoint_of_ones_own_has_it_in_the_path_unless_told_otherwise() {
        let own = place("pulses", Some("https://s3.example.com"));
        assert_eq!(base(&own), "https://s3.example.com/pulses/");
        let host = Place { path_style: Some(false), ..own };
        assert_eq!(base(&host), "https://pulses.s3.example.com/");
        assert_eq!(base(&place("pulses", Some("http://127.0.0.1:9810"))), "http://127.0.0.1:9810/pulses/");
    }

    #[test]
    fn what_cannot_be_a_place_is_refused_by_name() {
        let by_name = Place { path_style: Some(false), ..place("pulses", Some("http://127.0.0.1:9810")) };
        let region = Place { region: "eu central".into(), ..place("pulses", None) };
        let zone = Place { region: "eu-central-1a".into(), ..place("pulses", None) };
        for (place, why) in [
            (place("pulses\n", None), "\"pulses\\n\" is not a bucket's name"),
            (place("..", None), "\"..\" is not a bucket's name"),
            (place("a/b/c", None), "\"a/b/c\" is not a bucket's name"),
            (place("s3://pulses/x", None), "is more than a name: write \"pulses\""),
            (place("arn:aws:s3:::pulses", None), "is more than a name: write \"pulses\""),
            (place("pulses/", None), "is more than a name: write \"pulses\""),
            (place("pulses", Some("s3.example.com")), "the endpoint \"s3.example.com\" has no scheme"),
            (by_name, "set path_style"),
            (region, "\"eu central\" is not a region"),
            (zone, "is a zone of the region eu-central-1: write eu-central-1"),
        ] {
            let error = place.bucket().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
