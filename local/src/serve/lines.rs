//! What `serve` says of itself.

use pulse_echo_core::environment::Environment;

use super::options::Options;
use crate::keys::{self, hosts};
use crate::system::System;
use crate::{NAME, announce, complain, events, private};

/// How many hosts without a key of their own are named.
const SHOWN: usize = 20;

/// Its first line: where it is, and what was set.
pub(super) fn say_what_it_does(options: &Options, system: &System, environment: Environment) {
    let Options { data, bucket, .. } = options;
    let channels = match system.channels() {
        [] => "no channel, so nobody gets messages".to_owned(),
        names => format!("messages to {}", names.join(", ")),
    };
    let networks = environment.get("PROBE_ALLOW").map_or(String::new(), |allow| format!(" and {allow}"));
    announce(&format_args!(
        "bucket {bucket} at {}, data in {}; a sweep every {} s; {channels}; probes of public addresses{networks}",
        system.endpoint(),
        data.display(),
        system.tick().as_secs()
    ));
    announce(&format_args!("for operators, the keys are in {}", keys::file(data).display()));
    for file in [keys::file(data), hosts::file(data)] {
        private::warn_if_open(&file, |warning| complain(&warning));
    }
    if !system.address().ip().is_loopback() && options.tls_cert.is_none() {
        complain(&"other machines reach it by plain HTTP: give --tls-cert and --tls-key, or have a TLS proxy in front");
    }
}

/// Names the hosts that still may do everything.
pub(super) fn say_who_needs_a_key(options: &Options, system: &System) -> Result<(), String> {
    let hosts = system.hosts_without_own_key()?;
    let data = options.data.display();
    let known: Vec<_> = hosts::read(&options.data)?.into_iter().map(|entry| entry.key.host.to_string()).collect();
    if !hosts.is_empty() {
        complain(&format_args!(
            "{} still {} the operator's keys, which may do everything:",
            if hosts.len() == 1 { "1 host".to_owned() } else { format!("{} hosts", hosts.len()) },
            if hosts.len() == 1 { "uses" } else { "use" }
        ));
    }
    for host in hosts.iter().take(SHOWN) {
        let act = if known.contains(host) { "rotate" } else { "add" };
        complain(&format_args!("  {NAME} key {act} --data {data} {host}"));
    }
    if hosts.len() > SHOWN {
        complain(&format_args!("  … and {} more", hosts.len() - SHOWN));
    }
    Ok(())
}

pub(super) fn what_is_waited_for(under_way: usize) -> String {
    let seconds = events::Options::default().stop_grace.as_secs();
    let answers = if under_way == 1 { "answer" } else { "answers" };
    match under_way {
        0 => String::new(),
        n => format!(", waiting up to {seconds} s for {n} {answers} under way; a second signal ends it now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_under_way_are_counted_for_whoever_waits() {
        assert_eq!(what_is_waited_for(0), "");
        assert_eq!(what_is_waited_for(2), ", waiting up to 10 s for 2 answers under way; a second signal ends it now");
    }
}
