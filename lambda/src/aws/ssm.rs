//! Secrets that are kept as parameters of AWS's Systems Manager, instead of in the function's configuration.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Clock;
use serde::Deserialize;
use serde_json::json;

use super::{Service, endpoint, json};
use crate::settings::StoreSettings;
use crate::web::{Address, Answer, Missed, Web};

/// The variables whose value may be in a parameter.
const VARIABLES: [&str; 8] = [
    "SLACK_URL",
    "WEBHOOK_URL",
    "WEBHOOK_SECRET",
    "HEARTBEAT_URL",
    "PAGERDUTY_KEY",
    "ALERTMANAGER_URL",
    "NTFY_URL",
    "NTFY_TOKEN",
];

/// What such a value begins with; the rest is the parameter's name.
const PREFIX: &str = "ssm:";

/// How long all parameters together may take. Lambda gives a start 10 s.
const LIMIT: Duration = Duration::from_secs(5);

/// A variable, and the name of the parameter that has its value.
struct Reference {
    variable: &'static str,
    parameter: String,
}

/// The values of the variables that name a parameter.
#[derive(Default)]
pub(crate) struct Secrets(BTreeMap<&'static str, Secret>);

struct Secret {
    parameter: String,
    value: String,
}

/// The parts of SSM's answer that count.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    r#type: String,
    value: String,
}

/// The first variable whose value is to be read from a parameter.
pub fn first_reference(environment: Environment) -> Option<&'static str> {
    VARIABLES.into_iter().find(|name| environment.get(name).is_some_and(|value| value.starts_with(PREFIX)))
}

impl Secrets {
    /// Reads and decrypts the parameters that variables name, from `AWS_ENDPOINT_URL_SSM`, `AWS_ENDPOINT_URL` or AWS's
    /// own address for the region; without such a variable it sends nothing. The error names the variable and the
    /// parameter.
    pub(crate) fn read(environment: Environment, settings: &StoreSettings, clock: &Clock) -> Result<Self, String> {
        Self::read_until(environment, settings, clock, Instant::now() + LIMIT)
    }

    fn read_until(
        environment: Environment,
        settings: &StoreSettings,
        clock: &Clock,
        deadline: Instant,
    ) -> Result<Self, String> {
        let references = references(environment)?;
        if references.is_empty() {
            return Ok(Self::default());
        }
        let service = service(environment, settings, clock)?;
        let read = |Reference { variable, parameter }| match get(&service, &parameter, deadline) {
            Ok(value) => Ok((variable, Secret { parameter, value })),
            Err(why) => Err(format!("{variable} cannot be read from the parameter {parameter}: {why}")),
        };
        references.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The value of a variable, if a parameter has it.
    pub(crate) fn get(&self, variable: &str) -> Option<String> {
        self.0.get(variable).map(|secret| secret.value.clone())
    }

    /// Says which parameter a sentence is about that begins with a variable.
    pub(crate) fn explain(&self, why: String) -> String {
        let about = |variable: &str| why.strip_prefix(variable).is_some_and(|rest| rest.starts_with(' '));
        match self.0.iter().find(|(variable, _)| about(variable)) {
            Some((_, secret)) => format!("{why}; the value is that of the parameter {}", secret.parameter),
            None => why,
        }
    }
}

/// Which variables name which parameters. A wrong name is not shown: it may be a secret that begins with `ssm:`.
fn references(environment: Environment) -> Result<Vec<Reference>, String> {
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with('/')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
    };
    let mut references = Vec::new();
    for variable in VARIABLES {
        let value = environment.get(variable).unwrap_or_default();
        match value.strip_prefix(PREFIX) {
            Some(name) if is_name(name) => references.push(Reference { variable, parameter: name.into() }),
            Some(_) => {
                return Err(format!(
                    "{variable} cannot be used: {PREFIX} must be followed by a parameter's name with its path, such as \
                     {PREFIX}/pulse-echo/name"
                ));
            }
            None => {}
        }
    }
    Ok(references)
}

fn service(environment: Environment, settings: &StoreSettings, clock: &Clock) -> Result<Service, String> {
    let StoreSettings { region, credentials, trust, .. } = settings;
    let endpoint = match endpoint(environment, "AWS_ENDPOINT_URL_SSM")? {
        Some(endpoint) => endpoint,
        None => Address::parse(&own_endpoint(region)).map_err(|why| format!("AWS_REGION cannot be used: {why}"))?,
    };
    let (region, credentials, clock) = (region.clone(), credentials.clone(), clock.clone());
    Ok(Service { web: Web::new(trust), endpoint, name: "ssm", region, credentials, clock })
}

/// AWS's own address for a region.
fn own_endpoint(region: &str) -> String {
    let cn = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://ssm.{region}.amazonaws.com{cn}/")
}

/// The decrypted value of a parameter: one try.
fn get(service: &Service, parameter: &str, deadline: Instant) -> Result<String, Missed> {
    let body = json!({"Name": parameter, "WithDecryption": true});
    let mut answer = json::post(service, "application/x-amz-json-1.1", "AmazonSSM.GetParameter", &body, deadline)?;
    if answer.status() != 200 {
        return Err(refusal(answer));
    }
    // Parts of the answer are the secret, so an error does not show any.
    let Ok(Found { parameter }) = serde_json::from_str(&answer.text()?) else {
        return Err(answer.strange("it is not an answer of SSM; check AWS_ENDPOINT_URL_SSM and AWS_ENDPOINT_URL"));
    };
    match (parameter.r#type.as_str(), parameter.value) {
        ("SecureString" | "String", value) if value.is_empty() => Err(answer.strange("its value is empty")),
        ("SecureString" | "String", value) => Ok(value),
        _ => Err(answer.strange("it is not one text; make it a SecureString")),
    }
}

fn refusal(mut answer: Answer) -> Missed {
    let (code, sentence) = json::refusal(&mut answer);
    let mut missed = answer.refusal(&sentence);
    if let Some(remedy) = remedy(&code) {
        missed.why = format!("{}; {remedy}", missed.why);
    }
    missed
}

fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "ParameterNotFound" => "create it in the function's region, or correct its name",
        "AccessDeniedException" => {
            "the function's role must allow ssm:GetParameter on it, and kms:Decrypt if it has a key of your own"
        }
        "InvalidKeyId" => "its key cannot be used; enable it, or store the value again with another key",
        "ExpiredTokenException" | "UnrecognizedClientException" => "correct the credentials",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
