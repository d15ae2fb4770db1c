//! `retire`: removes a check, or a host with all its checks, from the fleet on purpose.

use super::args::{Arguments, Retire};
use super::exit::{Exit, Failure};
use super::fleet::{Fleet, expect_known};
use super::goodbye::{put_note, there};
use super::operator::with_store;
use super::output::print;
use super::target::{Target, checks_of};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::pattern::Pattern;
use pulse_echo_core::status::State;
use pulse_echo_core::store::{Condition, Store};

/// Runs `retire`.
pub fn command(arguments: &Arguments, options: &Retire, environment: Environment) -> Exit {
    let say = |line: &str| {
        if !arguments.quiet {
            print(line);
        }
    };
    with_store(arguments, environment, |store| retire(store, options, &options.target, say))
}

/// Puts the note before the pulses are deleted, since a sweep may come between, and once more behind it: it speaks for
/// pulses that are not newer.
fn retire(store: &Store, options: &Retire, target: &Target, say: impl Fn(&str)) -> Result<(), Failure> {
    let fleet = Fleet::read(store);
    let status = fleet.as_ref().ok().map(|fleet| &fleet.status);
    let id = target.among(status);
    if let Some(pattern) = Pattern::of(&id) {
        return Err(Failure::usage(format!(
            "retire takes no pattern, and {pattern} is one: name the host or the check"
        )));
    }
    // A host may have only other checks, and its mute is the mute of its default check.
    let others = status.into_iter().flat_map(|status| checks_of(&id, status)).filter(|check| **check != id);
    let checks: Vec<_> = std::iter::once(&id).chain(others).collect();
    let pulses = there(store, checks.iter().map(|check| Key::pulse(check)))?;
    let answers = |check: &&CheckId| [Key::echo(check), Key::fault(check), Key::mute(check), Key::ack(check)];
    let rest = there(store, checks.iter().flat_map(answers))?;
    if pulses.is_empty() && rest.is_empty() && !options.anyway {
        expect_known(&id, &fleet, store)?;
    }
    let delete = |found: &[(Key, &str)]| -> Result<(), Failure> {
        for (key, certain) in found {
            if !options.dry_run {
                store.delete(key, &Condition::Always)?;
            }
            say(&format!("{} {key}{certain}", if options.dry_run { "would delete" } else { "deleted" }));
        }
        Ok(())
    };
    let note = Key::retire(&id);
    if options.dry_run {
        say(&format!("would put the note {note}"));
    } else {
        put_note(store, &note)?;
    }
    delete(&pulses)?;
    if !options.dry_run {
        put_note(store, &note)?;
        say(&format!("put the note {note}: it leaves on purpose"));
    }
    delete(&rest)?;
    if let (Err(why), true) = (&fleet, id.default_of_host() == id) {
        return Err(format!("which other checks the host {id} has could not be looked up, so they stay: {why}").into());
    }
    let is_told = !pulses.is_empty()
        || status.is_none_or(|status| {
            let is_there = |check: &&CheckId| status.checks.get(*check).is_some_and(|r| r.state != State::Gone);
            checks.iter().any(is_there)
        });
    if !options.dry_run && is_told {
        say(&format!("{id} is told as gone by the next sweep; if its host still sends, it comes back as a new check"));
    }
    Ok(())
}
