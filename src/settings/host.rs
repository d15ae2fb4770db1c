//! This host's name, and the names that are no host's own.

use std::fs;

use crate::machine::HOSTNAME_FILE;
use pulse_echo_core::name::Name;

const REMEDY: &str = "set \"host\" in the configuration, PULSE_ECHO_HOST or --host";

/// Names that every machine has for itself, with or without a domain.
const LOCAL: [&str; 6] = ["localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "localdomain"];

/// Names that images have before anybody gives the machine one, without numbers at their end.
const OF_IMAGES: [&str; 34] = [
    "almalinux",
    "alpine",
    "amazonlinux",
    "archlinux",
    "arch",
    "armbian",
    "buildroot",
    "centos",
    "debian",
    "default",
    "docker",
    "example",
    "fedora",
    "gentoo",
    "host",
    "hostname",
    "kali",
    "linux",
    "localhost-live",
    "nixos",
    "opensuse",
    "openwrt",
    "oraclelinux",
    "orangepi",
    "raspberrypi",
    "raspbian",
    "rhel",
    "rocky",
    "server",
    "template",
    "ubuntu",
    "unknown",
    "vagrant",
    "vm",
];

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
    let without_number = label.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let is_hex = label.len() == 12 && label.bytes().all(|b| b.is_ascii_hexdigit()) && label.contains(char::is_numeric);
    let is_address = name.as_str().parse::<std::net::Ipv4Addr>().is_ok();
    let of_address = label.strip_prefix("ip-").is_some_and(|rest| {
        let numbers: Vec<_> = rest.split('-').collect();
        numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok())
    });
    let why = if OF_IMAGES.contains(&label.as_str()) || OF_IMAGES.contains(&without_number) {
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
        ] {
            let warning = warned(text).unwrap_or_else(|| panic!("{text} is taken for a host's own"));
            assert!(warning.starts_with(text) && warning.contains("--host"), "{warning}");
        }
        for text in ["web-1", "db.example.com", "ubuntu-build.example.com", "ip-phone-3-1", "raspi4", "deadbeefcafe"] {
            assert_eq!(warned(text), None, "{text}");
        }
    }
}
