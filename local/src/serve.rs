//! `serve`: a small site's server. It runs until it is told to stop.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use clap::Args;
use ipnet::IpNet;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::url::web_url;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::keys::place::Place;
use crate::keys::{self, Kept, hosts};
use crate::page::{Page, PageOptions};
use crate::reload::Watched;
use crate::s3::{self, Keyring, Limits, Tls};
use crate::system::System;
use crate::{NAME, announce, complain, events, limits, private};

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
    /// Speak TLS, with the certificates in this file (PEM, the server's own first); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Networks of proxies in front of it, such as 10.0.0.5 or 10.0.0.0/24: connections from there are not counted
    /// against one address [default: this machine]
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    proxy: Vec<IpNet>,
    #[command(flatten)]
    page: PageOptions,
}

/// The settings that come from the environment.
pub const SETTINGS: &str = "\
Settings in the environment:
  TICK_S             seconds between two sweeps, 5 to 900 [default: 60]
  MIN_INTERVAL_S     no sweep so many seconds after another, 0 to 900 [default: 30]
  REMIND_S           seconds until an outage is told again, 60 to 2678400 [default: 14400]
  FAULTS_IN_ROW      faults in a row that are an outage, 1 to 100 [default: 1]
  SLACK_URL          an incoming webhook of Slack that gets messages
  SLACK_CHANNEL      its channel, where the webhook lets it choose [default: #medical-check]
  SLACK_USER         its sender's name, likewise [default: medic]
  WEBHOOK_URL        a URL that gets messages as JSON
  WEBHOOK_SECRET     signs what WEBHOOK_URL gets
  ALERT_TOPIC_ARN    an SNS topic that gets messages
  HEARTBEAT_URL      a URL that is fetched after each sweep
  PROBE_ALLOW        networks to which the probe may connect besides public addresses [example: 192.168.0.0/16]
  PROBE_PORTS        the only ports to which the probe may connect [example: 443, 8000-8999]
  PROBE_CA_BUNDLE    a file with CAs to trust besides the public ones
  PROBE_CONTACT      whom owners of what is fetched may ask [example: ops@example.com]";

fn network(text: &str) -> Result<IpNet, String> {
    let address = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.trim()
        .parse()
        .or_else(address)
        .map_err(|_| "it is neither an address nor a network such as 10.0.0.0/24".into())
}

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
    let settings = s3::Options { listen: *listen, tls, places, ..s3::Options::new(data, bucket, keyring) };
    // Started before the keys are kept or shown: a start that fails must not show them.
    let system = System::start(settings, environment)?;
    let page = Page::start(&options.page, system.sweeper().clone())?;
    let place =
        Place { endpoint: url_of(options, &system), bucket: bucket.clone(), region: system.region().to_owned() };
    place.keep_in(data)?;
    if !kept.are_seen {
        show(kept, options, &place)?;
    }
    say_what_it_does(options, &system, environment);
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

/// Refuses what no proxy can serve: a signature covers the whole path, so nothing may take away its beginning.
fn check_public_url(text: &str) -> Result<(), String> {
    let url = web_url(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "it has a path before the bucket ({}); clients sign the whole path, so a proxy cannot take that away: give \
             the server a name of its own",
            &url[url::Position::BeforePath..]
        ));
    }
    Ok(())
}

/// As many places as the system allows files for this process.
fn places(proxies: Vec<IpNet>) -> Limits {
    let usual = Limits { proxies, ..Limits::default() };
    // Each connection is a file; as many again are for probes, channels and the store.
    let wanted = 2 * (usual.far + usual.near) as u64;
    let allowed = limits::open_files().unwrap_or(wanted);
    if allowed >= wanted {
        return usual;
    }
    let share = |places: usize| (places as u64 * allowed / wanted).max(8).try_into().unwrap_or(places);
    let (far, near) = (share(usual.far), share(usual.near));
    complain(&format_args!(
        "it may open {allowed} files only, so there is room for {far} connections; ulimit -n {wanted} makes room for {}",
        usual.far
    ));
    Limits { far, near, ..usual }
}

/// Its first line: where it is, and what was set.
fn say_what_it_does(options: &Options, system: &System, environment: Environment) {
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
    announce(&format_args!("the operator's keys are in {}", keys::file(data).display()));
    for file in [keys::file(data), hosts::file(data)] {
        private::warn_if_open(&file, |warning| complain(&warning));
    }
    if !system.address().ip().is_loopback() && options.tls_cert.is_none() {
        complain(
            &"other machines reach it by plain HTTP: give --tls-cert and --tls-key, or have a proxy between that speaks TLS",
        );
    }
}

/// Names the hosts that still may do everything.
fn say_who_needs_a_key(options: &Options, system: &System) -> Result<(), String> {
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

/// How many hosts without a key of their own are named.
const SHOWN: usize = 20;

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
    fn a_url_with_a_path_or_without_a_scheme_is_refused() {
        for good in ["https://pulses.example.com", "http://10.0.0.1:9810/"] {
            assert_eq!(check_public_url(good), Ok(()));
        }
        for bad in ["https://example.com/pulses", "https://example.com/?a", "pulses.example.com"] {
            assert!(check_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for (text, contained) in
            [("10.0.0.5", "10.0.0.5"), ("10.0.0.0/24", "10.0.0.77"), ("2001:db8::/32", "2001:db8::1")]
        {
            assert!(network(text).unwrap().contains(&contained.parse::<IpAddr>().unwrap()), "{text}");
        }
        assert!(network("proxy.example.com").is_err());
    }

    #[test]
    fn answers_under_way_are_counted_for_whoever_waits() {
        assert_eq!(what_is_waited_for(0), "");
        assert_eq!(what_is_waited_for(2), ", waiting up to 10 s for 2 answers under way; a second signal ends it now");
    }
}
