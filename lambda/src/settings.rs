//! What the handlers are told from outside.

use std::fs;
use std::time::Instant;

use pulse_echo::http::Trust;
use pulse_echo::store::{Clock, Credentials, Place, Store};
use ureq::Agent;

use crate::ipfilter::IpFilter;

/// How long `PROBE_CONTACT` may be, in bytes: services cut or refuse a long user agent.
const CONTACT_ROOM: usize = 100;

/// The settings of the handlers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `BUCKET`: the only bucket whose events count; none is that of each event.
    pub bucket: Option<String>,
    /// `AWS_REGION`: the region of the store.
    pub region: String,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`: the store's address; none is AWS's.
    pub endpoint: Option<String>,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`: the right to the store.
    pub credentials: Credentials,
    /// Mozilla's roots and the certificates in the file `PROBE_CA_BUNDLE`, trusted of services and of the store.
    pub trust: Trust,
    /// `PROBE_CONTACT`: whom a service that is bothered by the probe may turn to; each request names it.
    pub contact: Option<String>,
    /// `PROBE_ALLOW` and `PROBE_PORTS`: where the probe may go beside, and only within, what is public.
    pub(crate) filter: IpFilter,
}

impl Settings {
    /// Reads the settings by `lookup`, which gives a variable's value; an empty one is none. The error names the
    /// variable and what it should be.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = |name| lookup(name).filter(|value| !value.is_empty());
        let needed = |name, what| value(name).ok_or_else(|| format!("{name} is not set: {what}"));
        let key = needed("AWS_ACCESS_KEY_ID", "the id of the access key to the store")?;
        let secret = needed("AWS_SECRET_ACCESS_KEY", "the secret of the access key to the store")?;
        Ok(Self {
            bucket: value("BUCKET"),
            region: needed("AWS_REGION", "the region of the store, such as eu-central-1")?,
            endpoint: value("AWS_ENDPOINT_URL_S3").or_else(|| value("AWS_ENDPOINT_URL")),
            credentials: match value("AWS_SESSION_TOKEN") {
                Some(token) => Credentials::new_with_token(key, secret, token),
                None => Credentials::new(key, secret),
            },
            trust: match value("PROBE_CA_BUNDLE") {
                Some(path) => trust(&path).map_err(|error| format!("PROBE_CA_BUNDLE: {path}: {error}"))?,
                None => Trust::built_in(),
            },
            contact: value("PROBE_CONTACT").map(contact).transpose()?,
            filter: IpFilter::read(
                &value("PROBE_ALLOW").unwrap_or_default(),
                &value("PROBE_PORTS").unwrap_or_default(),
            )?,
        })
    }

    /// How the probe names itself to services: what it is, and who answers for it. Without a contact that is the bucket,
    /// whose owner AWS knows; on a store of one's own a bucket's name says nothing to strangers.
    pub(crate) fn user_agent(&self) -> String {
        let name = concat!("pulse-echo-probe/", env!("CARGO_PKG_VERSION"));
        match (&self.contact, &self.bucket, &self.endpoint) {
            (Some(contact), ..) => format!("{name} (a health check; contact: {contact})"),
            (None, Some(bucket), None) => format!("{name} (a health check for the owner of the S3 bucket {bucket})"),
            _ => format!("{name} (a health check)"),
        }
    }

    /// The store that `bucket` is, by requests of `agent` until `deadline`, signed by `clock`. The error is one sentence.
    pub(crate) fn store(&self, bucket: &str, agent: &Agent, clock: &Clock, deadline: Instant) -> Result<Store, String> {
        let (region, endpoint) = (self.region.clone(), self.endpoint.clone());
        let place = Place { bucket: bucket.into(), region, endpoint, path_style: None };
        Store::new(&place, self.credentials.clone(), agent.clone(), clock.clone(), deadline)
    }
}

/// A text that can stand within a comment in the user agent.
fn contact(text: String) -> Result<String, String> {
    let fits = |c: char| matches!(c, ' '..='~') && !matches!(c, '(' | ')' | '\\');
    if text.len() <= CONTACT_ROOM && text.chars().all(fits) {
        return Ok(text);
    }
    Err(format!(
        "PROBE_CONTACT: {text:?} cannot be sent: it must be an address such as ops@example.com, of at most {CONTACT_ROOM} \
         printable ASCII characters without brackets and backslashes"
    ))
}

fn trust(path: &str) -> Result<Trust, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    Trust::with_pem(&pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let needed = [("AWS_REGION", "r"), ("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")];
        Settings::read(&|name| {
            let mut all = variables.iter().chain(&needed);
            all.find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn an_empty_variable_is_none() {
        let settings = read(&[("BUCKET", ""), ("AWS_SESSION_TOKEN", ""), ("AWS_ENDPOINT_URL_S3", "")]).unwrap();
        assert_eq!((settings.bucket, settings.endpoint, settings.credentials.token()), (None, None, None));
    }

    #[test]
    fn the_endpoint_for_s3_comes_before_the_one_for_all() {
        let all = ("AWS_ENDPOINT_URL", "http://all");
        assert_eq!(read(&[all]).unwrap().endpoint.unwrap(), "http://all");
        assert_eq!(read(&[all, ("AWS_ENDPOINT_URL_S3", "http://s3")]).unwrap().endpoint.unwrap(), "http://s3");
    }

    #[test]
    fn what_is_missing_is_named_in_one_sentence() {
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let error = read(&[(name, "")]).unwrap_err();
            assert!(error.starts_with(&format!("{name} is not set: the ")), "{error}");
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_with_its_path() {
        let missing = read(&[("PROBE_CA_BUNDLE", "/nosuch.pem")]).unwrap_err();
        assert!(missing.starts_with("PROBE_CA_BUNDLE: /nosuch.pem: No such file"), "{missing}");
        let other = read(&[("PROBE_CA_BUNDLE", "/dev/null")]).unwrap_err();
        assert_eq!(other, "PROBE_CA_BUNDLE: /dev/null: there is no certificate in it");
    }
}
