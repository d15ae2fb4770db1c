//! What `serve` says of itself.

use std::borrow::Cow;

use pulse_echo_core::environment::Environment;

use super::options::Options;
use crate::keys::{self, hosts};
use crate::page::Page;
use crate::system::System;
use crate::{NAME, announce, complain, events, key_command, private};

/// How many hosts without a key of their own are named.
const SHOWN: usize = 20;

/// Its first line: where it is, and what was set.
pub(super) fn say_what_it_does(options: &Options, system: &System, page: Option<&Page>, environment: Environment) {
    let Options { data, bucket, .. } = options;
    let channels = match system.channels() {
        [] => "no channel, so nobody gets messages".to_owned(),
        names => format!("messages to {}", names.join(", ")),
    };
    let networks = environment.get("PROBE_ALLOW").map_or(String::new(), |allow| format!(" and {allow}"));
    let page = page.map_or("no page".to_owned(), |page| format!("a page at {}", page.address()));
    announce(&format_args!(
        "bucket {bucket} at {}, data in {}; a sweep every {} s; {channels}; probes of public addresses{networks}; \
         {page}",
        system.endpoint(),
        data.display(),
        system.tick().as_secs()
    ));
    announce(&format_args!("for operators, the keys are in {}", keys::file(data).display()));
    for file in [keys::file(data), hosts::file(data)] {
        private::warn_if_open(&file, |warning| complain(&warning));
    }
    if let (Some(url), Some(_)) = (&options.public_url, &options.tls_cert)
        && !url.to_ascii_lowercase().starts_with("https:")
    {
        complain(&format_args!(
            "hosts are told --public-url {url}, which is not TLS, though --tls-cert is given: is https:// meant?"
        ));
    }
    if !system.address().ip().is_loopback() && options.tls_cert.is_none() {
        complain(&"other machines reach it by plain HTTP: give --tls-cert and --tls-key, or have a TLS proxy in front");
    }
}

/// Names the hosts that still may do everything.
pub(super) fn say_who_needs_a_key(options: &Options, system: &System) -> Result<(), String> {
    let hosts = system.hosts_without_own_key()?;
    let data = options.data.to_string_lossy();
    let data = quoted(&data);
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
        match key_command::host(host) {
            Ok(host) => complain(&format_args!("  {NAME} key {act} --data {data} {host}")),
            Err(why) => complain(&format_args!("  no key for {host:?}, {why}; set \"host\" in its config.json")),
        }
    }
    if hosts.len() > SHOWN {
        complain(&format_args!("  … and {} more", hosts.len() - SHOWN));
    }
    Ok(())
}

/// A word for a shell.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''")).into()
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
    fn words_with_spaces_and_quotes_are_one_word_for_a_shell() {
        for (word, wanted) in [
            ("/var/lib/x-1", "/var/lib/x-1"),
            ("", "''"),
            ("my data", "'my data'"),
            ("it's", "'it'\\''s'"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(quoted(word), wanted);
        }
    }

    #[test]
    fn answers_under_way_are_counted_for_whoever_waits() {
        assert_eq!(what_is_waited_for(0), "");
        assert_eq!(what_is_waited_for(2), ", waiting up to 10 s for 2 answers under way; a second signal ends it now");
    }
}
