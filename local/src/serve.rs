//! `serve`: a small site's server. It runs until it is told to stop.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::thread;

use clap::Args;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::url::web_url;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::keys::{self, Kept};
use crate::system::System;
use crate::{complain, events};

/// Where Linux keeps this machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// What to serve, and where.
#[derive(Args)]
pub struct Options {
    /// Folder of the objects and the keys; made if need be
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9810")]
    listen: SocketAddr,
    /// The URL by which hosts reach it, if that is another: through a proxy, or by another name
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Name of the one bucket there is
    #[arg(long, default_value = "pulse-echo")]
    bucket: String,
}

/// Serves until SIGTERM or SIGINT. The error is a sentence.
pub fn serve(options: &Options, environment: Environment) -> Result<(), String> {
    // Registered first, so that a signal during the start is not lost.
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|error| format!("cannot wait for signals: {error}"))?;
    if let Some(Err(why)) = options.public_url.as_deref().map(web_url) {
        return Err(format!("--public-url: {why}"));
    }
    let Options { data, listen, bucket, .. } = options;
    let kept = match keys::kept_in(data)? {
        Some(kept) => kept,
        None => Kept { keys: keys::make(), are_seen: false },
    };
    // Started before the keys are kept or shown: a start that fails must not show them.
    let system = System::start(data, *listen, bucket, &kept.keys, environment)?;
    if !kept.are_seen {
        show(kept, options, &system)?;
    }
    complain(&format_args!("bucket {bucket} at {}, data in {}", system.endpoint(), data.display()));
    complain(&format_args!("the keys are in {}", keys::file(data).display()));
    match system.channels() {
        [] => complain(&"no channel is set, so nobody is told of an outage: set SLACK_URL, WEBHOOK_URL or another"),
        channels => complain(&format_args!("outages are told over {}", channels.join(", "))),
    }
    if !system.address().ip().is_loopback() {
        complain(&"other machines reach it by plain HTTP: have a proxy with a certificate between them and it");
    }

    if let Some(signal) = signals.forever().next() {
        let name = if signal == SIGTERM { "SIGTERM" } else { "SIGINT" };
        complain(&format_args!("{name}: stopping{}", what_is_waited_for(system.under_way())));
        thread::spawn(move || signals.forever().next().map(|second| process::exit(128 + second)));
    }
    drop(system);
    Ok(())
}

/// Prints the lines to paste on each host. If that fails, the next start shows them.
fn show(unseen: Kept, options: &Options, system: &System) -> Result<(), String> {
    keys::keep_in(&options.data, &unseen)?;
    let url = if let Some(url) = &options.public_url {
        url.trim_end_matches('/').to_owned()
    } else {
        let hostname = fs::read_to_string(HOSTNAME_FILE).unwrap_or_else(|_| "localhost".to_owned());
        hosts_url(system.address(), hostname.trim())
    };
    let keys = keys::text(&unseen.keys);
    let lines = format!("{keys}AWS_ENDPOINT_URL={url}\nAWS_REGION=us-east-1\nPULSE_ECHO_BUCKET={}\n", options.bucket);
    let mut out = io::stdout();
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => keys::keep_in(&options.data, &Kept { are_seen: true, ..unseen }),
        Err(error) => {
            complain(&format_args!("cannot print the keys: {error}; the next start prints them"));
            Ok(())
        }
    }
}

/// The URL by which hosts reach this machine: by its name, if it listens on all its addresses.
fn hosts_url(address: SocketAddr, hostname: &str) -> String {
    if address.ip().is_unspecified() {
        format!("http://{hostname}:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn what_is_waited_for(under_way: usize) -> String {
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
    fn hosts_are_given_a_name_instead_of_all_addresses() {
        for (address, url) in [
            ("0.0.0.0:9810", "http://pulses-1:9810"),
            ("[::]:9810", "http://pulses-1:9810"),
            ("127.0.0.1:9810", "http://127.0.0.1:9810"),
            ("[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            assert_eq!(hosts_url(address.parse().unwrap(), "pulses-1"), url);
        }
    }

    #[test]
    fn answers_under_way_are_counted_for_whoever_waits() {
        assert_eq!(what_is_waited_for(0), "");
        assert_eq!(what_is_waited_for(2), ", waiting up to 10 s for 2 answers under way; a second signal ends it now");
    }
}
