//! EC2's instance metadata, version 2 only: first a token, then the role, its keys, and the region.

use std::time::Instant;

use ureq::Agent;
use ureq::http::Request;

use super::issued;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::{Failure, Trouble, Trust};
use pulse_echo_core::store::Credentials;

/// The address of the service on every instance.
const ENDPOINT: &str = "http://169.254.169.254";

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

const REGION: &str = "/latest/meta-data/placement/region";

/// For how many seconds the token is valid. It is used at once.
const TOKEN_LIFE_S: &str = "300";

/// The metadata service, opened with a token.
pub struct Instance {
    agent: Agent,
    endpoint: String,
    token: String,
    deadline: Instant,
}

impl Instance {
    /// Asks for a token. The error is a sentence.
    pub fn open(environment: Environment, trust: &Trust, deadline: Instant) -> Result<Self, String> {
        if environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err("EC2 instance metadata is switched off by AWS_EC2_METADATA_DISABLED".into());
        }
        let endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(ENDPOINT.into());
        let endpoint = endpoint.trim_end_matches('/').to_string();
        let agent = issued::agent(trust);
        let request = Request::put(format!("{endpoint}/latest/api/token"))
            .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIFE_S)
            // An empty body, so that a length of 0 is sent: the service requires it.
            .body(b"".as_slice());
        match issued::ask(&agent, request, deadline) {
            Ok((200, token)) => Ok(Self { agent, endpoint, token, deadline }),
            Ok((403, _)) => Err("EC2 instance metadata is switched off for this instance (HTTP 403)".into()),
            Ok((404, _)) => Err("EC2 instance metadata has no version 2 here (HTTP 404)".into()),
            Ok((status, _)) => Err(format!("EC2 instance metadata answered HTTP {status} to the request for a token")),
            Err(Failure { trouble: Trouble::Timeout, .. }) => Err("EC2 instance metadata did not answer: this is no \
                 EC2 instance, or a container, for which the hop limit must be 2"
                .into()),
            Err(failure) => Err(format!("EC2 instance metadata cannot be asked: {failure}")),
        }
    }

    /// The keys of the instance's role. The error is a sentence.
    pub fn credentials(&self) -> Result<Credentials, String> {
        let no_role = "EC2 instance metadata knows no role: attach an instance profile to this instance";
        let roles = self.get(ROLES)?.ok_or(no_role)?;
        let role = roles.lines().next().unwrap_or_default().trim();
        // IAM's own rule for names. Nothing else may enter the path.
        let is_name = !role.is_empty() && role.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b));
        if !is_name {
            return Err("EC2 instance metadata answered something that is no role's name".into());
        }
        let json = self.get(&format!("{ROLES}{role}"))?.ok_or(no_role)?;
        issued::read("the EC2 instance", &json, None)
            .map_err(|why| format!("EC2 instance metadata, asked for the role {role}, {why}"))
    }

    /// The region that the instance is in. The error is a sentence.
    pub fn region(&self) -> Result<String, String> {
        let region = self.get(REGION)?.ok_or("EC2 instance metadata does not know the region")?;
        Ok(region.trim().into())
    }

    /// Gets the text at a path; `None` if it is not there.
    fn get(&self, path: &str) -> Result<Option<String>, String> {
        let request = Request::get(format!("{}{path}", self.endpoint)).header("x-aws-ec2-metadata-token", &self.token);
        match issued::ask(&self.agent, request.body(()), self.deadline) {
            Ok((200, text)) => Ok(Some(text)),
            Ok((404, _)) => Ok(None),
            Ok((401, _)) => Err("EC2 instance metadata did not take its own token (HTTP 401)".into()),
            Ok((status, _)) => Err(format!("EC2 instance metadata answered HTTP {status}")),
            Err(failure) => Err(format!("EC2 instance metadata cannot be asked: {failure}")),
        }
    }
}
