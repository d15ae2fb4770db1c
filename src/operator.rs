//! What the operator's commands share: they need the store, but not this machine's name.

use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Store;

use crate::args::Arguments;
use crate::exit::{Exit, Failure};
use crate::output::complain;
use crate::settings;

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
