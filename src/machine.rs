//! What the machine tells of itself: its vitals, and its identity.

use std::fs;
use std::sync::OnceLock;

use pulse_echo_core::crypto::{hex, hmac};
use pulse_echo_core::vitals::{self, Vitals};

use super::disk;

/// Where the kernel keeps the machine's name.
pub const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// The files with the machine's id, which the installation wrote. The second is D-Bus's older place.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// The machine's id is confidential (machine-id(5)). Hashed with a key of our own, it only tells machines apart.
const INSTANCE_KEY: &[u8] = b"pulse-echo instance";

/// The machine's vitals, when they were first asked for: all pulses of a run have the same.
pub fn vitals() -> &'static Vitals {
    static VITALS: OnceLock<Vitals> = OnceLock::new();
    VITALS.get_or_init(look)
}

fn look() -> Vitals {
    let disk = disk::fullest();
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    Vitals {
        uptime_s: uptime_s(&read("/proc/uptime")),
        load1: load1(&read("/proc/loadavg")),
        mem_available_kb: mem_available_kb(&read("/proc/meminfo")),
        disk_free_pct: disk.as_ref().map(|(percent, _)| *percent),
        disk_at: disk.map(|(_, at)| at).filter(|at| at != "/"),
    }
}

/// Tells this machine apart from another with the same name, in hex; `None` if the machine has no id.
pub fn instance() -> Option<String> {
    MACHINE_IDS.iter().find_map(|file| instance_of(&fs::read_to_string(file).ok()?))
}

fn instance_of(machine_id: &str) -> Option<String> {
    // In an image that has not been booted the file is empty, or says `uninitialized`.
    let id = machine_id.trim();
    let is_id = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| hex(&hmac(INSTANCE_KEY, id.as_bytes())))
}

/// `/proc/uptime`: `350735.47 234388.90`.
fn uptime_s(text: &str) -> Option<u64> {
    text.split(['.', ' ']).next()?.parse().ok()
}

/// `/proc/loadavg`: `0.20 0.18 0.12 1/80 11206`.
fn load1(text: &str) -> Option<f64> {
    vitals::load(text.split(' ').next()?)
}

/// `/proc/meminfo`: a line `MemAvailable:    8388608 kB`.
fn mem_available_kb(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read_as_proc_5_has_them() {
        assert_eq!(uptime_s("350735.47 234388.90\n"), Some(350_735));
        assert_eq!(load1("0.20 0.18 0.12 1/80 11206\n"), Some(0.2));
        let meminfo = "MemTotal:       24679172 kB\nMemFree:          123 kB\nMemAvailable:   20148548 kB\n";
        assert_eq!(mem_available_kb(meminfo), Some(20_148_548));
    }

    #[test]
    fn what_cannot_be_had_is_left_out() {
        assert_eq!((uptime_s(""), load1(""), mem_available_kb("MemTotal: 1 kB\n")), (None, None, None));
        for id in ["", "\n", "uninitialized\n"] {
            assert_eq!(instance_of(id), None, "{id:?}");
        }
    }

    #[test]
    fn this_machine_has_vitals() {
        let vitals = vitals();
        assert!(vitals.uptime_s.is_some_and(|s| s > 0) && vitals.load1.is_some(), "{vitals:?}");
        assert!(vitals.mem_available_kb.is_some_and(|kb| kb > 1024) && vitals.disk_free_pct.is_some(), "{vitals:?}");
    }

    #[test]
    fn an_instance_is_the_hmac_of_the_machines_id_and_does_not_show_it() {
        // printf 0123456789abcdef0123456789abcdef | openssl dgst -sha256 -hmac 'pulse-echo instance'
        let id = "0123456789abcdef0123456789abcdef\n";
        let expected = "6b61e9540ddba93adba488375328871f3f974a35e65b83649ffb076cbb9d016b";
        assert_eq!(instance_of(id).as_deref(), Some(expected));
    }
}
