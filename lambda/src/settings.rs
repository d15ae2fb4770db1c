//! What both handlers are told from outside: which store.

use std::fs;
use std::time::Instant;

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::{Clock, Credentials, Place, Store, credentials_from};
use ureq::Agent;

use crate::error::{Error, Kind};

/// The store, and whose certificates are trusted.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// `BUCKET`: the only bucket whose events count; without it the probe takes that of each event.
    pub bucket: Option<String>,
    /// `AWS_REGION`: the region of the store.
    pub region: String,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`: the store's address; none is AWS's.
    pub endpoint: Option<String>,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`: the right to the store.
    pub credentials: Credentials,
    /// Mozilla's roots and the certificates in the file `PROBE_CA_BUNDLE`, trusted of services and of the store.
    pub trust: Trust,
}

impl StoreSettings {
    /// Reads the settings by `lookup`, which gives a variable's value; an empty value counts as unset. The error names
    /// the variable and what it should be.
    pub fn read(environment: Environment) -> Result<Self, String> {
        let credentials = credentials_from(environment).and_then(|found| found.ok_or("AWS_ACCESS_KEY_ID"));
        let credentials = credentials.map_err(|name| match name {
            "AWS_ACCESS_KEY_ID" => format!("{name} is not set: the id of the access key to the store"),
            name => format!("{name} is not set: the secret of the access key to the store"),
        })?;
        Ok(Self {
            bucket: environment.get("BUCKET"),
            region: environment
                .get("AWS_REGION")
                .ok_or("AWS_REGION is not set: the region of the store, such as eu-central-1")?,
            endpoint: environment.get("AWS_ENDPOINT_URL_S3").or_else(|| environment.get("AWS_ENDPOINT_URL")),
            credentials,
            trust: match environment.get("PROBE_CA_BUNDLE") {
                Some(path) => trust(&path).map_err(|error| format!("PROBE_CA_BUNDLE: {path}: {error}"))?,
                None => Trust::built_in(),
            },
        })
    }

    /// The store that `bucket` is, by requests of `agent` until `deadline`, signed by `clock`.
    pub(crate) fn open(&self, bucket: &str, agent: &Agent, clock: &Clock, deadline: Instant) -> Result<Store, Error> {
        let (region, endpoint) = (self.region.clone(), self.endpoint.clone());
        let place = Place { bucket: bucket.into(), region, endpoint, path_style: None };
        let store = Store::new(&place, self.credentials.clone(), agent.clone(), clock.clone(), deadline);
        store.map(|store| store.with_ca_setting("PROBE_CA_BUNDLE")).map_err(|why| Error::new(Kind::BadSetting, why))
    }
}

fn trust(path: &str) -> Result<Trust, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    Trust::with_pem(&pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<StoreSettings, String> {
        let needed = [("AWS_REGION", "r"), ("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")];
        StoreSettings::read(Environment::new(&|name| {
            let mut all = variables.iter().chain(&needed);
            all.find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_string())
        }))
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
