//! What the operator's commands share: they need the store, but not this machine's name.

use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Store;

use crate::args::Arguments;
use crate::exit::Exit;
use crate::output::complain;
use crate::settings;

/// Opens the store and runs `act` on it. The error of `act` is a sentence that says why the command failed.
pub fn with_store(
    arguments: &Arguments,
    environment: Environment,
    act: impl FnOnce(&Store) -> Result<(), String>,
) -> Exit {
    let store = settings::store(arguments, environment).map_err(|message| (message, Exit::Usage));
    match store.and_then(|store| act(&store).map_err(|message| (message, Exit::Failed))) {
        Ok(()) => Exit::Ok,
        Err((message, exit)) => {
            complain(&message);
            exit
        }
    }
}
