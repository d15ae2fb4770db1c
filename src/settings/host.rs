//! This host's name, and the names that are no host's own.

use std::fs;

use crate::machine::HOSTNAME_FILE;
use pulse_echo_core::name::Name;

const REMEDY: &str = "set \"host\" in the configuration, PULSE_ECHO_HOST or --host";

/// Names that every machine has for itself, with or without a domain.
const LOCAL: [&str; 6] = ["localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "localdomain"];

/// Words that the names of images are made of, before anybody gives the machine a name, and what a variable that nobody
/// has set becomes.
const OF_IMAGES: [&str; 55] = [
    "alma",
    "almalinux",
    "alpine",
    "amazonlinux",
    "arch",
    "archiso",
    "archlinux",
    "armbian",
    "bogon",
    "bookworm",
    "buildroot",
    "centos",
    "changeme",
    "clone",
    "cloudimg",
    "coreos",
    "debian",
    "dietpi",
    "fedora",
    "focal",
    "gentoo",
    "instance",
    "jammy",
    "kali",
    "livecd",
    "localhost-live",
    "nil",
    "nixos",
    "noble",
    "none",
    "null",
    "opensuse",
    "openwrt",
    "oraclelinux",
    "orangepi",
    "packer",
    "pve",
    "raspberrypi",
    "raspbian",
    "rhel",
    "rocky",
    "rockylinux",
    "template",
    "truenas",
    "ubuntu",
    "undefined",
    "unknown",
    "vagrant",
    "virtualbox",
    "vps",
    // What the local host is called.
    "localhost",
    "localhost4",
    "localhost6",
    "localdomain",
    "unassigned",
];

/// Words that are such a name alone, and beside another of them say nothing: `docker-server` may well be a host's own.
const OF_MANY: [&str; 9] = ["default", "docker", "example", "host", "hostname", "linux", "my", "server", "vm"];

/// The name that was asked for, else the machine's. The error says what is wrong, and what to do.
pub fn name(asked_for: Option<String>) -> Result<Name, String> {
    let text = match asked_for {
        Some(text) => text,
        None => fs::read_to_string(HOSTNAME_FILE)
            .map_err(|error| format!("cannot read this machine's name from {HOSTNAME_FILE}: {error}; {REMEDY}"))?,
    };
    let name: Name =
        text.trim_end().parse().map_err(|error| format!("the host's name cannot be used: {error}; {REMEDY}"))?;
    if LOCAL.contains(&first_label(&name).as_str()) {
        return Err(format!("the host's name is {name}, which every machine has; {REMEDY}"));
    }
    Ok(name)
}

/// The warning about a name that other machines are likely to have; `None` if it looks like a name of its own.
pub fn warning(name: &Name) -> Option<String> {
    let label = first_label(name);
    let is_hex = label.len() == 12 && label.bytes().all(|b| b.is_ascii_hexdigit()) && label.contains(char::is_numeric);
    let is_address = name.as_str().parse::<std::net::Ipv4Addr>().is_ok();
    // `ip-10-0-0-7`, `dhcp-10-0-0-7`.
    let of_address = label.rsplit('-').take(4).filter(|part| part.parse::<u8>().is_ok()).count() == 4;
    let why = if is_of_image(&label) {
        "as machines are called before they have a name"
    } else if is_address || of_address {
        "which is an address: another machine may get it later"
    } else if is_hex {
        "as containers are called, and each has another name"
    } else {
        return None;
    };
    Some(format!("{name}, {why}; machines of one name overwrite each other's pulses; {REMEDY}"))
}

/// The warning that the machine's name is only of now: it starts with another one.
pub fn passing(name: &Name) -> Option<String> {
    let at_start = fs::read_to_string("/etc/hostname").ok()?;
    passing_by(name.as_str(), &at_start)
}

fn passing_by(name: &str, at_start: &str) -> Option<String> {
    let first = at_start.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    (short(first) != short(name)).then(|| {
        format!(
            "{name} now, but /etc/hostname says {first}: after the next start it may send under that name, and {name} \
             falls silent; {REMEDY}"
        )
    })
}

/// Whether a label is made of nothing but the words of images, and numbers.
fn is_of_image(label: &str) -> bool {
    let words = || {
        let parts = label.split(['-', '_']).map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()));
        parts.filter(|word| !word.is_empty())
    };
    let is_of_image = |word: &str| OF_IMAGES.contains(&word);
    let is_known = |word: &str| is_of_image(word) || OF_MANY.contains(&word);
    let (count, of_images) = (words().count(), words().filter(|word| is_of_image(word)).count());
    is_of_image(label) || (words().all(is_known) && (count == 1 || of_images > 0))
}

fn first_label(name: &Name) -> String {
    name.as_str().split('.').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_its_cousins_and_what_may_not_enter_a_key_are_refused_with_the_remedy() {
        for (text, why) in [
            ("localhost", "which every machine has"),
            ("LOCALHOST.LOCALDOMAIN", "which every machine has"),
            ("localhost.example.com", "which every machine has"),
            ("localhost4", "which every machine has"),
            ("localhost6.localdomain6", "which every machine has"),
            ("ip6-localhost", "which every machine has"),
            ("ip6-loopback", "which every machine has"),
            ("localdomain", "which every machine has"),
            ("(none)", "may not enter a key"),
            ("../x", "may not enter a key"),
            ("", "empty"),
        ] {
            let error = name(Some(text.into())).unwrap_err();
            assert!(error.contains(why) && error.contains("--host"), "{text}: {error}");
        }
        for text in ["web-1\n", "localhosts", "local", "db.localhost.example"] {
            assert_eq!(name(Some(text.into())).unwrap().as_str(), text.trim_end());
        }
    }

    #[test]
    fn a_name_that_the_machine_does_not_start_with_is_warned_of() {
        for (at_start, is_warned) in
            [("web-1\n", false), ("# mine\nweb-1.example.com\n", false), ("WEB-1", false), ("", false), ("old\n", true)]
        {
            assert_eq!(passing_by("web-1", at_start).is_some(), is_warned, "{at_start:?}");
        }
    }

    #[test]
    fn the_names_of_images_addresses_and_containers_are_warned_of() {
        let warned = |text: &str| warning(&text.parse().unwrap());
        for text in [
            "ubuntu",
            "debian",
            "Debian12",
            "raspberrypi",
            "RaspberryPi.local",
            "ip-10-0-3-17",
            "127.0.0.1",
            "rocky-9",
            "ip-10-0-3-17.eu-central-1.compute.internal",
            "3f2a9c01b7de",
            "localhost-live",
            "vm",
            "template",
            "server1",
            "Ubuntu-server",
            "debian-12-template",
            "vagrant-ubuntu-focal-64",
            "instance-1",
            "localhost2",
            "null",
            "dhcp-10-0-0-3",
            "192-168-1-5",
        ] {
            let warning = warned(text).unwrap_or_else(|| panic!("{text} is taken for a host's own"));
            assert!(warning.starts_with(text) && warning.contains("--host"), "{warning}");
        }
        for text in [
            "web-1",
            "db.example.com",
            "ubuntu-build.example.com",
            "ip-phone-3-1",
            "raspi4",
            "deadbeefcafe",
            "docker-server",
            "x-9",
            "web_2",
        ] {
            assert_eq!(warned(text), None, "{text}");
        }
    }
}
