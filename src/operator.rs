//! What the operator's commands share: they need the store, but not this machine's name.

use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Store;
use pulse_echo_core::text;

use crate::args::Arguments;
use crate::exit::{Exit, Failure};
use crate::output::complain;
use crate::settings;

/// The longest reason, in characters: it stands in tables and messages.
const REASON_LIMIT: usize = 200;

/// The longest name of who did something, in bytes.
pub const BY_LIMIT: usize = 64;

/// Who gives the command, as far as that is known: who became root is of more use than root.
pub fn who(environment: Environment) -> Option<String> {
    environment.first(&["SUDO_USER", "USER", "LOGNAME"]).map(|user| text::line(&user, BY_LIMIT))
}

/// Refuses a reason that no table could show.
pub fn check_reason(reason: Option<&str>) -> Result<(), String> {
    match reason.map_or(1, |reason| reason.trim().chars().count()) {
        0 => Err("--reason is empty: say why".into()),
        1..=REASON_LIMIT => Ok(()),
        length => Err(format!("--reason has {length} characters; at most {REASON_LIMIT} are shown: shorten it")),
    }
}

/// Opens the store and runs `act` on it.
pub fn with_store<E: Into<Failure>>(
    arguments: &Arguments,
    environment: Environment,
    act: impl FnOnce(&Store) -> Result<(), E>,
) -> Exit {
    let store = settings::store(arguments, environment).map_err(Failure::usage);
    match store.and_then(|store| act(&store).map_err(E::into)) {
        Ok(()) => Exit::Ok,
        Err(Failure { message, exit }) => {
            complain(&message);
            exit
        }
    }
}
