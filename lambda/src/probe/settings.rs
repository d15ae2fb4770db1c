//! The probe's own settings.

use crate::ipfilter::IpFilter;
use crate::settings::StoreSettings;
use pulse_echo_core::environment::Environment;

/// How long `PROBE_CONTACT` may be, in bytes: services cut or refuse a long user agent.
const CONTACT_ROOM: usize = 100;

/// What the probe is told from outside.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The store; without a bucket, that of each event counts.
    pub(super) store: StoreSettings,
    /// `PROBE_CONTACT`: whom a service that is bothered by the probe may turn to; each request names it.
    pub(super) contact: Option<String>,
    /// `PROBE_ALLOW` and `PROBE_PORTS`: where the probe may go beside, and only within, what is public.
    pub(super) filter: IpFilter,
}

impl Settings {
    /// Reads the settings . The error names
    /// the variable and what it should be.
    pub(super) fn read(environment: Environment) -> Result<Self, String> {
        let or_empty = |name| environment.get(name).unwrap_or_default();
        Ok(Self {
            store: StoreSettings::read(environment)?,
            contact: environment.get("PROBE_CONTACT").map(contact).transpose()?,
            filter: IpFilter::read(&or_empty("PROBE_ALLOW"), &or_empty("PROBE_PORTS"))?,
        })
    }

    /// How the probe names itself to services: what it is, and who answers for it. Without a contact that is the
    /// bucket, whose owner AWS knows; on a store of one's own a bucket's name says nothing to strangers.
    pub(super) fn user_agent(&self) -> String {
        let name = concat!("pulse-echo-probe/", env!("CARGO_PKG_VERSION"));
        match (&self.contact, &self.store.bucket, &self.store.endpoint) {
            (Some(contact), ..) => format!("{name} (a health check; contact: {contact})"),
            (None, Some(bucket), None) => format!("{name} (a health check for the owner of the S3 bucket {bucket})"),
            _ => format!("{name} (a health check)"),
        }
    }
}

/// A text that can stand within a comment in the user agent.
fn contact(text: String) -> Result<String, String> {
    let fits = |c: char| matches!(c, ' '..='~') && !matches!(c, '(' | ')' | '\\');
    if text.len() <= CONTACT_ROOM && text.chars().all(fits) {
        return Ok(text);
    }
    Err(format!(
        "PROBE_CONTACT: {text:?} cannot be sent: it must be an address such as ops@example.com, of at most \
         {CONTACT_ROOM} printable ASCII characters without brackets and backslashes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_agent(variables: &[(&str, &str)]) -> Result<String, String> {
        let needed = [("AWS_REGION", "r"), ("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")];
        let settings = Settings::read(Environment::new(&|name| {
            let mut all = variables.iter().chain(&needed);
            all.find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_string())
        }));
        Ok(settings?.user_agent().split_once(' ').unwrap().1.into())
    }

    #[test]
    fn services_are_told_whom_to_turn_to() {
        let (bucket, endpoint) = (("BUCKET", "pulses"), ("AWS_ENDPOINT_URL", "http://s3"));
        let ops = ("PROBE_CONTACT", "ops@example.com");
        assert_eq!(user_agent(&[]).unwrap(), "(a health check)");
        assert_eq!(user_agent(&[bucket]).unwrap(), "(a health check for the owner of the S3 bucket pulses)");
        assert_eq!(user_agent(&[bucket, endpoint]).unwrap(), "(a health check)");
        assert_eq!(user_agent(&[bucket, ops]).unwrap(), "(a health check; contact: ops@example.com)");
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        let long = "x".repeat(CONTACT_ROOM + 1);
        for (name, value) in
            [("PROBE_CONTACT", "(me)"), ("PROBE_CONTACT", &*long), ("PROBE_ALLOW", "lan"), ("PROBE_PORTS", "http")]
        {
            let error = user_agent(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        }
    }
}
