//! `ack`: somebody takes care of an outage, so no more reminders of it are sent.

use std::fs;

use super::args::{Ack, Arguments};
use super::exit::{Exit, Failure};
use super::fleet::Fleet;
use super::goodbye::there;
use super::machine::HOSTNAME_FILE;
use super::operator::{BY_LIMIT, check_reason, who, with_store};
use super::output::{complain, print};
use super::target::{Unknown, checks_of};
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::status::{Record, State};
use pulse_echo_core::store::{Condition, Store};
use pulse_echo_core::text;
use pulse_echo_core::words;

/// Runs `ack`.
pub fn command(arguments: &Arguments, options: &Ack, environment: Environment) -> Exit {
    if let Err(message) = check_reason(options.reason.as_deref()) {
        complain(&message);
        return Exit::Usage;
    }
    let by = options.by.as_ref().map(|by| text::line(by, BY_LIMIT)).or_else(|| user_at_host(environment));
    with_store(arguments, environment, |store| act(store, options, by, arguments.quiet))
}

/// Who gives the command, and where: `alice@ops-1`.
fn user_at_host(environment: Environment) -> Option<String> {
    let host = fs::read_to_string(HOSTNAME_FILE).unwrap_or_default();
    let parts = [who(environment), Some(text::line(host.trim(), BY_LIMIT)).filter(|host| !host.is_empty())];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join("@")).filter(|by| !by.is_empty())
}

fn act(store: &Store, options: &Ack, by: Option<String>, is_quiet: bool) -> Result<(), Failure> {
    let fleet = Fleet::read(store)?;
    let status = &fleet.status;
    let id = options.target.among(Some(status));
    if let Some(unknown) = Unknown::find(&id, status) {
        return Err(Failure::usage(unknown.to_string()));
    }
    let checks: Vec<_> = checks_of(&id, status).collect();
    let say = |line: String| {
        if !is_quiet {
            print(&line);
        }
    };
    if options.remove {
        // One that no sweep has read yet is of an outage that lasts.
        let may_be = |check: &&&CheckId| {
            outage(&status.checks[**check]).is_some() || status.acks.contains_key(&check.as_agents_put_it())
        };
        let found = there(store, checks.iter().filter(may_be).map(|check| Key::ack(check)))?;
        for (key, certain) in &found {
            store.delete(key, &Condition::Always)?;
            say(format!("deleted {key}{certain}: what is still down is told again when a reminder is due"));
        }
        if found.is_empty() {
            complain(&format_args!("note: {id} was not acknowledged"));
        }
        return Ok(());
    }
    let down: Vec<_> = checks.iter().filter_map(|check| Some((*check, outage(&status.checks[*check])?))).collect();
    if down.is_empty() {
        return Err(not_down(&id, &checks, &fleet).into());
    }
    let ack = mute::Ack { reason: options.reason.clone(), by, outage: None };
    for (check, since) in down {
        let ack = mute::Ack { outage: Some(since), ..ack.clone() };
        store.put(&Key::ack(check), "application/json", &ack.to_json(), &Metadata::new(), &Condition::Always)?;
        let lasts = words::duration(since.age(fleet.now));
        say(format!("acknowledged {check}, down for {lasts}: no more reminders; another cause and its end are told"));
    }
    Ok(())
}

/// When the outage began that lasts.
fn outage(record: &Record) -> Option<Time> {
    record.outage.as_ref().map(|outage| outage.since)
}

/// Why there is nothing to acknowledge.
fn not_down(id: &CheckId, checks: &[&CheckId], fleet: &Fleet) -> String {
    let state = |check: &CheckId| fleet.status.checks[check].state;
    let nothing = "there is no outage to acknowledge";
    if checks.iter().any(|check| state(check) == State::Unanswered) {
        return format!("{nothing}: the pulses of {id} get no answer, which is trouble of the probe; see its log");
    }
    match checks {
        [check] => format!("{nothing}: {check} is {}", state(check)),
        _ => format!("{nothing}: none of the {} checks of {id} is down", checks.len()),
    }
}
