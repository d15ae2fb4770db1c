//! `key`: each host's own key to a small site's store.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use pulse_echo_core::name::Name;
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::keys::hosts::{self, Entry};
use crate::keys::place::{self, Place};
use crate::s3::KeyPair;
use crate::{NAME, complain, keys, private};

/// Where the agent's files are on a host.
const ETC: &str = "/etc/pulse-echo";

/// What to do with the hosts' keys.
#[derive(Subcommand)]
pub enum Act {
    /// Make a host's key, and print what to paste on that host
    Add(New),
    /// Make a further key of a host; the old one is valid until the new one was used, at most 7 days
    Rotate(New),
    /// End all keys of a host
    Remove(Known),
    /// Show the hosts that have keys, and since when
    List(Data),
}

/// Whose key to make.
#[derive(Args)]
pub struct New {
    #[command(flatten)]
    known: Known,
    /// Write the files for /etc/pulse-echo into this folder, rather than printing lines for a shell
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The certificate of a private CA that the host is to trust, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// A host.
#[derive(Args)]
pub struct Known {
    #[command(flatten)]
    data: Data,
    /// The host's name, as its hostname says
    #[arg(value_parser = host)]
    host: Name,
}

/// The data folder.
#[derive(Args)]
pub struct Data {
    /// The server's folder, which holds the keys
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// The name of a host that can have a key of its own. The error is a sentence.
pub(crate) fn host(text: &str) -> Result<Name, String> {
    let name: Name = text.parse()?;
    let lower = text.to_ascii_lowercase();
    if lower == "localhost" || lower.starts_with("localhost.") {
        return Err("it is every machine's name: give the host a name of its own".to_owned());
    }
    Ok(name)
}

/// Does what is asked for at this time. The error is a sentence.
pub fn key(act: &Act, now: Timestamp) -> Result<(), String> {
    match act {
        Act::Add(new) => issue(new, |all, host| hosts::add(all, host, now), "config.json and credentials"),
        Act::Rotate(new) => {
            let mut unused = None;
            let rotate = |all: &mut Vec<Entry>, host: &Name| {
                unused = hosts::unused(all, host, now);
                hosts::rotate(all, host, now)
            };
            issue(new, rotate, "credentials")?;
            if let Some(made) = unused {
                complain(&format_args!(
                    "warning: the key of {} that was made at {made}, and that nobody has used yet, has ended: if it is \
                     on its way, send this one instead",
                    new.known.host
                ));
            }
            Ok(())
        }
        Act::Remove(Known { data, host }) => {
            hosts::change(&data.data, |all| hosts::remove(all, host))?;
            complain(&format_args!(
                "{host} has no key any more; its checks fall silent, unless you say: pulse-echo retire {host}"
            ));
            Ok(())
        }
        Act::List(data) => list(&data.data, now),
    }
}

/// Makes a key and hands it out. If that fails, all is as it was.
fn issue(
    new: &New,
    make: impl FnOnce(&mut Vec<Entry>, &Name) -> Result<KeyPair, String>,
    what: &str,
) -> Result<(), String> {
    let New { known: Known { data: Data { data }, host }, to, ca_file } = new;
    let place = Place::kept_in(data)?;
    let ca = ca_file.as_deref().map(read_ca).transpose()?;
    let is_first = what.starts_with("config");
    if is_first && to.is_none() && is_of_this_machine(&place.endpoint) {
        complain(&format_args!(
            "warning: {host} is told the endpoint {}, which no other machine reaches; if {host} is another machine, \
             start the server with --listen or --public-url first",
            place.endpoint
        ));
    }
    let hand_out = |pair: &KeyPair| {
        let mut files = Vec::new();
        if is_first {
            files.push(File { name: "config.json", is_secret: false, content: config(&place, host, ca.is_some()) });
        }
        if let Some(pem) = &ca {
            files.push(File { name: CA_FILE, is_secret: false, content: pem.clone() });
        }
        files.push(File { name: "credentials", is_secret: true, content: credentials(pair) });
        match to {
            Some(folder) => files.iter().try_for_each(|file| file.write(folder)),
            None => print(host, &files),
        }
    };
    hosts::change_and_tell(data, |all| make(all, host), hand_out)?;
    if let Some(folder) = to {
        let folder = folder.display();
        complain(&format_args!(
            "{folder} holds {what} of {host}; on {host} they belong in {ETC}; a running server takes the key within 2 s"
        ));
    }
    Ok(())
}

/// Whether only this machine reaches the server at an endpoint.
fn is_of_this_machine(endpoint: &str) -> bool {
    let url = endpoint.parse::<Url>().ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

const CA_FILE: &str = "ca.pem";

fn read_ca(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if text.contains("PRIVATE KEY") || !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(format!("{} is no certificate in PEM, or holds a key, which is not for hosts", path.display()));
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// A file for the host.
struct File {
    name: &'static str,
    is_secret: bool,
    content: String,
}

impl File {
    fn write(&self, folder: &Path) -> Result<(), String> {
        let mode = if self.is_secret { private::FOR_OWNER } else { private::FOR_ALL };
        private::replace(folder, self.name, &self.content, mode)
            .map_err(|error| format!("cannot write {}: {error}", folder.join(self.name).display()))
    }

    /// Lines for a shell that write it in [`ETC`].
    fn lines(&self) -> String {
        let Self { name, content, .. } = self;
        let end = "END_OF_FILE";
        if self.is_secret {
            // It never lies there for others to read, not even for a moment.
            return format!(
                "(umask 077; cat >{ETC}/{name}.new) <<'{end}'\n{content}{end}\n\
                 if getent group pulse-echo >/dev/null; then\n  chgrp pulse-echo {ETC}/{name}.new\n  \
                 chmod 640 {ETC}/{name}.new\nfi\nmv {ETC}/{name}.new {ETC}/{name}\n"
            );
        }
        format!(
            "[ ! -e {ETC}/{name} ] || cp -p {ETC}/{name} {ETC}/{name}.old\n\
             cat >{ETC}/{name} <<'{end}'\n{content}{end}\nchmod 644 {ETC}/{name}\n"
        )
    }
}

fn config(place: &Place, host: &Name, has_ca: bool) -> String {
    let Place { endpoint, bucket, region } = place.clone();
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in [("bucket", bucket), ("region", region), ("host", host.to_string()), ("endpoint", endpoint)] {
        fields.insert(name.to_owned(), value.into());
    }
    if has_ca {
        // It lies beside this file, wherever that is.
        fields.insert("ca_file".to_owned(), CA_FILE.into());
    }
    format!("{:#}\n", Value::Object(fields))
}

fn credentials(pair: &KeyPair) -> String {
    format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", pair.access_key, pair.secret_key)
}

fn print(host: &Name, files: &[File]) -> Result<(), String> {
    let mut lines = format!(
        "# For {host} alone: paste these lines there, as root, or send them: {NAME} key … | ssh root@{host} sh\n\
         set -e\nmkdir -p {ETC}\n"
    );
    lines.extend(files.iter().map(File::lines));
    let _ = writeln!(lines, "echo '{host} has its key in {ETC}/credentials; try it: pulse-echo run'");
    let mut out = io::stdout();
    let printed = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    printed.map_err(|error| format!("cannot print {host}'s key: {error}"))
}

/// Prints a line for each key, the operator's first.
fn list(data: &Path, now: Timestamp) -> Result<(), String> {
    let operator = keys::kept_in(data)?;
    let entries = hosts::read(data)?;
    if operator.is_none() && entries.is_empty() {
        return Err(place::no_server(data));
    }
    for file in [keys::file(data), hosts::file(data)] {
        private::warn_if_open(&file, |warning| complain(&warning));
    }
    let mut lines = String::new();
    if let Some(kept) = operator {
        let _ = writeln!(lines, "{:<24} {}  may do everything", "(the operator)", kept.keys.access_key);
    }
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    for Entry { key, made } in entries {
        let end = match key.until {
            None => String::new(),
            Some(until) if until <= now => ", ended".to_owned(),
            Some(until) => format!(", valid until {} or the next key's first use", minute(until)),
        };
        let _ = writeln!(lines, "{:<24} {}  made {}{end}", key.host.as_str(), key.pair.access_key, minute(made));
    }
    let mut out = io::stdout();
    let printed = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    printed.map_err(|error| format!("cannot print the keys: {error}"))
}
