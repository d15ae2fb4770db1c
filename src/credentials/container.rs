//! The container's credentials: ECS, EKS Pod Identity, and anything else that sets `AWS_CONTAINER_CREDENTIALS_*`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Instant;

use ureq::http::Request;
use url::{Host, Url};

use super::issued;
use crate::input;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::Credentials;

/// The address of ECS; `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` is a path there.
const ECS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));

/// The addresses of EKS.
const EKS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23))];

/// Asks the endpoint that the environment names; `None` if it names no endpoint. The error is a sentence.
pub fn credentials(environment: Environment, trust: &Trust, deadline: Instant) -> Result<Option<Credentials>, String> {
    let Some((name, url)) = address(environment) else { return Ok(None) };
    let url = url.map_err(|why| format!("{name} {why}"))?;
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => {
            let text = input::read(Path::new(&file), issued::SIZE_LIMIT).map_err(|error| {
                format!("the file {file} of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read ({error})")
            })?;
            Some(String::from_utf8_lossy(&text).trim_end().to_string())
        }
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    // Only the host: the endpoint's path and query may be secret.
    let source = format!("the container's endpoint at {}", url.host_str().unwrap_or_default());
    let request =
        token.iter().fold(Request::get(url.as_str()), |request, token| request.header("authorization", token));
    let answer = issued::ask(&issued::agent(trust), request.body(()), deadline);
    let (status, text) = answer.map_err(|failure| format!("{source} did not serve: {failure}"))?;
    if status != 200 {
        return Err(format!("{source} answered HTTP {status}{}", hint(status)));
    }
    issued::read("the container", &text, None).map(Some).map_err(|why| format!("{source} {why}"))
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": the authorization token is wrong or has expired",
        404 => ": this container has no role",
        _ => "",
    }
}

/// The variable that is set, and its address, or the end of a sentence about the variable.
fn address(environment: Environment) -> Option<(&'static str, Result<Url, String>)> {
    let (relative, full) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if let Some(path) = environment.get(relative) {
        let url = Url::parse(&format!("http://{ECS}{path}")).ok().filter(|_| path.starts_with('/'));
        return Some((relative, url.ok_or_else(|| "is not a path that begins with /".into())));
    }
    let text = environment.get(full)?;
    let Ok(url) = Url::parse(&text) else { return Some((full, Err("is not an address".into()))) };
    Some((
        full,
        if may_be_asked(&url) {
            Ok(url)
        } else {
            Err("is neither https nor on this machine, ECS or EKS: what it would answer is secret".into())
        },
    ))
}

/// The SDKs' rule: plain http is allowed only to this machine, ECS and EKS.
fn may_be_asked(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(name)) => return url.scheme() == "https" || (url.scheme() == "http" && name == "localhost"),
        None => return false,
    };
    let is_near = address.is_loopback() || address == ECS || EKS.contains(&address);
    url.scheme() == "https" || (url.scheme() == "http" && is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, value: &str) -> Result<String, String> {
        let variable = |wanted: &str| (wanted == name).then(|| value.to_string());
        address(Environment::new(&variable)).expect("it is set").1.map(String::from)
    }

    #[test]
    fn a_relative_address_is_ecss() {
        let name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        assert_eq!(asked(name, "/v2/credentials/x").unwrap(), "http://169.254.170.2/v2/credentials/x");
        for wrong in ["v2", "@evil.example/x", ".evil.example/"] {
            assert!(asked(name, wrong).unwrap_err().contains("path that begins with /"), "{wrong}");
        }
    }

    #[test]
    fn a_full_address_is_https_or_near() {
        let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        for url in [
            "https://credentials.example.com/x",
            "http://localhost:8080/x",
            "http://127.0.0.53/x",
            "http://[::1]/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert_eq!(asked(name, url).unwrap(), url);
        }
        for url in [
            "http://credentials.example.com/",
            "http://10.0.0.1/",
            "http://localhost.evil.example/",
            "ftp://127.0.0.1/",
        ] {
            assert!(asked(name, url).unwrap_err().contains("neither https nor on this machine"), "{url}");
        }
        assert!(asked(name, "nonsense").unwrap_err().contains("is not an address"));
    }
}
