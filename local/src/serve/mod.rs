//! `serve`: a small site's server. It runs until it is told to stop.

mod lines;
mod options;

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::keys::place::Place;
use crate::keys::{self, Kept};
use crate::page::Page;
use crate::reload::Watched;
use crate::s3::{self, Keyring, Tls};
use crate::system::System;
use crate::{announce, complain};
use lines::{say_what_it_does, say_who_needs_a_key, what_is_waited_for};
pub use options::{Options, SETTINGS};
use options::{check_public_url, places};

/// Where Linux keeps this machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Serves until SIGTERM or SIGINT. The error is a sentence.
pub fn serve(options: &Options, environment: Environment) -> Result<(), String> {
    // Registered first, so that a signal during the start is not lost.
    let mut signals =
        Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(|error| format!("cannot wait for signals: {error}"))?;
    if let Some(url) = &options.public_url {
        check_public_url(url).map_err(|why| format!("--public-url: {why}"))?;
    }
    let Options { data, listen, bucket, .. } = options;
    let kept = match keys::kept_in(data)? {
        Some(kept) => kept,
        None => Kept { keys: keys::make(), are_seen: false },
    };
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(Tls::read(certificate, key)?)),
        _ => None,
    };
    let keyring = Keyring::from(kept.keys.clone());
    let watched = Watched::begin(data.clone(), keyring.clone(), tls.clone())?;
    let places = places(options.proxy.clone());
    let settings = s3::Options { listen: *listen, tls: tls.clone(), places, ..s3::Options::new(data, bucket, keyring) };
    // Started before the keys are kept or shown: a start that fails must not show them.
    let system = System::start(settings, environment)?;
    let page = Page::start(&options.page, system.sweeper().clone(), system.objects().clone())?;
    let region = system.region().to_owned();
    let place = Place { endpoint: url_of(options, &system), bucket: bucket.clone(), region };
    place.keep_in(data)?;
    if !kept.are_seen {
        show(kept, options, &place)?;
    }
    say_what_it_does(options, &system, page.as_ref(), environment);
    tls.iter().flat_map(|tls| tls.warnings(Timestamp::now())).for_each(|warning| complain(&warning));
    if let Some(page) = &page {
        page.announce();
    }
    say_who_needs_a_key(options, &system)?;

    let (look, told) = mpsc::channel();
    let looking = thread::spawn(move || watched.run(&told));
    for signal in signals.forever() {
        if signal == SIGHUP {
            announce(&"SIGHUP: looking for new keys and a new certificate");
            let _ = look.send(());
            continue;
        }
        let name = if signal == SIGTERM { "SIGTERM" } else { "SIGINT" };
        announce(&format_args!("{name}: stopping{}", what_is_waited_for(system.under_way())));
        break;
    }
    thread::spawn(move || signals.forever().find(|signal| *signal != SIGHUP).map(|second| process::exit(128 + second)));
    drop((page, system));
    drop(look);
    let _ = looking.join();
    Ok(())
}

/// Prints the operator's lines. If that fails, the next start shows them.
fn show(unseen: Kept, options: &Options, place: &Place) -> Result<(), String> {
    keys::keep_in(&options.data, &unseen)?;
    let Place { endpoint, bucket, region } = place;
    let keys = keys::text(&unseen.keys);
    let lines = format!("{keys}AWS_ENDPOINT_URL={endpoint}\nAWS_REGION={region}\nPULSE_ECHO_BUCKET={bucket}\n");
    let mut out = io::stdout();
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => keys::keep_in(&options.data, &Kept { are_seen: true, ..unseen }),
        Err(error) => {
            complain(&format_args!("cannot print the keys: {error}; the next start prints them"));
            Ok(())
        }
    }
}

/// The URL by which hosts reach it.
fn url_of(options: &Options, system: &System) -> String {
    match &options.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None if system.address().ip().is_unspecified() => {
            let hostname = fs::read_to_string(HOSTNAME_FILE).unwrap_or_else(|_| "localhost".to_owned());
            named(&system.endpoint(), system.address(), hostname.trim())
        }
        None => system.endpoint(),
    }
}

/// This machine's name in the place of its address.
fn named(endpoint: &str, address: SocketAddr, hostname: &str) -> String {
    let scheme = endpoint.split_once(':').map_or("http", |(scheme, _)| scheme);
    format!("{scheme}://{hostname}:{}", address.port())
}
