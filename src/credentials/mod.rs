//! The credentials for the store, in the SDKs' order: the environment, AWS's shared files, the container, the EC2
//! instance.
//!
//! A source that is not set up is skipped. A source that is set up and fails ends the search: the next source could be
//! another identity.

mod container;
mod files;
pub mod ini;
mod instance;
pub mod issued;
mod keys;
mod legacy;
mod process;
mod profile;

use std::time::Instant;

use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::{Credentials, credentials_from};

pub use files::open_to_all;
pub use instance::Instance;
pub use profile::{Profile, is_true};

/// The credentials, and where they were found.
pub struct Found {
    /// The credentials.
    pub credentials: Credentials,
    /// Their source, for people.
    pub source: String,
    /// What is wrong with that source, although it serves.
    pub warning: Option<String>,
    /// The EC2 instance that issued them, if it did: it knows its region.
    pub instance: Option<Instance>,
}

/// Finds the first credentials of the chain before the deadline. The error lists in one sentence what was tried and why
/// it failed.
pub fn find(profile: &Profile, environment: Environment, trust: &Trust, deadline: Instant) -> Result<Found, String> {
    let mut tried = Vec::new();
    look(profile, environment, trust, deadline, &mut tried).map_err(|last| {
        tried.push(last);
        let none = if tried[0] == files::NOT_IN_GROUP { "" } else { "there are no credentials: " };
        format!("{none}{}", tried.join("; "))
    })
}

/// Adds to `tried` why each source that is not set up was skipped. The error says why the last source failed.
fn look(
    profile: &Profile,
    environment: Environment,
    trust: &Trust,
    deadline: Instant,
    tried: &mut Vec<String>,
) -> Result<Found, String> {
    let found = |credentials, source: &str| Found { credentials, source: source.into(), warning: None, instance: None };
    // As in AWS's own command line: a user who names a profile wants no other keys.
    if !profile.is_option {
        keys::are_whole(environment)?;
        match credentials_from(environment) {
            Ok(Some(credentials)) => {
                profile.is_there()?;
                return Ok(found(credentials, "the environment"));
            }
            Ok(None) => tried.push("AWS_ACCESS_KEY_ID is not set".into()),
            Err(missing) => return Err(format!("the environment has only half of the keys: {missing} is not set")),
        }
    }
    if let Some(found) = profile.credentials(tried, deadline)? {
        return Ok(found);
    }
    legacy::refuse(environment)?;
    match container::credentials(environment, trust, deadline)? {
        Some(credentials) => return Ok(found(credentials, "the container's service")),
        None => tried.push("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set".into()),
    }
    let instance = Instance::open(environment, trust, deadline)?;
    let (credentials, source) = (instance.credentials()?, "EC2 instance metadata".into());
    Ok(Found { credentials, source, warning: None, instance: Some(instance) })
}
