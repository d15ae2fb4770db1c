//! `retire`: removes a check, or a host with all its checks, from the fleet on purpose.

use super::args::{Arguments, Retire};
use super::exit::Exit;
use super::fleet::{Fleet, doubt};
use super::look::{self, Look};
use super::operator::with_store;
use super::output::print;
use super::target::{Target, checks_of};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pulse::SIZE_LIMIT;
use pulse_echo_core::store::{Condition, Store};

/// Runs `retire`.
pub fn command(arguments: &Arguments, options: &Retire, environment: Environment) -> Exit {
    let say = |line: &str| {
        if !arguments.quiet {
            print(line);
        }
    };
    with_store(arguments, environment, |store| retire(store, &options.target, options.dry_run, say))
}

fn retire(store: &Store, target: &Target, is_dry: bool, say: impl Fn(&str)) -> Result<(), String> {
    let fleet = Fleet::read(store);
    let status = fleet.as_ref().ok().map(|fleet| &fleet.status);
    let id = target.among(status);
    // A host may have only other checks, and its mute is the mute of its default check.
    let others = status.into_iter().flat_map(|status| checks_of(&id, status)).filter(|check| **check != id);
    let mut found = 0;
    for check in std::iter::once(&id).chain(others) {
        for key in keys_of(check) {
            // A DELETE does not tell whether the object was there.
            let certain = match look::look(store, &key, SIZE_LIMIT).map_err(|error| error.to_string())? {
                Look::Missing => continue,
                Look::There(_) => "",
                Look::Denied => ", if it was there",
            };
            found += 1;
            if is_dry {
                say(&format!("would delete {key}{certain}"));
            } else {
                store.delete(&key, &Condition::Always).map_err(|error| error.to_string())?;
                say(&format!("deleted {key}{certain}"));
            }
        }
    }
    if found == 0 {
        let doubt = doubt(&id, &fleet).map_or_else(String::new, |doubt| format!("; {doubt}"));
        return Err(format!("there is nothing of {id} in bucket {}{doubt}", store.bucket_name()));
    }
    if let (Err(why), true) = (&fleet, id.default_of_host() == id) {
        return Err(format!("which other checks the host {id} has could not be looked up, so they stay: {why}"));
    }
    if !is_dry {
        say(&format!("{id} is told as gone after two sweeps; if its host still sends, it comes back as a new check"));
    }
    Ok(())
}

/// The keys of all objects of a check. The pulse comes first, since the pulse makes a check.
fn keys_of(id: &CheckId) -> [Key; 4] {
    [Key::pulse(id), Key::echo(id), Key::fault(id), Key::mute(id)]
}
