//! A host's vitals: what it says of itself with each pulse. They are its last words when it falls silent.

use crate::metadata::{Metadata, number, present};

/// No load is higher than this, and the number would fill the line.
const LOAD_LIMIT: f64 = 1_000_000.0;

/// A hundred years: no machine has been up for longer.
const UPTIME_LIMIT_S: u64 = 100 * 366 * 86_400;

/// A pebibyte, in KiB: no machine has more memory.
const MEMORY_LIMIT_KB: u64 = 1 << 40;

/// A machine's vitals when it sent a pulse. A vital that is not available is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vitals {
    /// `uptime-s`: for how many seconds it has been up.
    pub uptime_s: Option<u64>,
    /// `load1`: how many processes ran or waited to run, on average over a minute.
    pub load1: Option<f64>,
    /// `mem-available-kb`: how much memory is available to new processes, in KiB.
    pub mem_available_kb: Option<u64>,
    /// `disk-free-pct`: how much of the root file system is free for all users, in percent.
    pub disk_free_pct: Option<u8>,
}

impl Vitals {
    /// The metadata to put.
    pub fn to_metadata(&self) -> Metadata {
        present([
            ("uptime-s", self.uptime_s.map(|s| s.to_string())),
            ("load1", self.load1.map(|load| format!("{load:.2}"))),
            ("mem-available-kb", self.mem_available_kb.map(|kb| kb.to_string())),
            ("disk-free-pct", self.disk_free_pct.map(|percent| percent.to_string())),
        ])
    }

    /// Reads metadata that anybody may have put: a value of the wrong form counts as missing.
    pub fn from_metadata(metadata: &Metadata) -> Self {
        Self {
            uptime_s: number(metadata, "uptime-s").filter(|&s| s <= UPTIME_LIMIT_S),
            load1: metadata.get("load1").and_then(|text| load(text)).filter(|load| (0.0..=LOAD_LIMIT).contains(load)),
            mem_available_kb: number(metadata, "mem-available-kb").filter(|&kb| kb <= MEMORY_LIMIT_KB),
            disk_free_pct: number(metadata, "disk-free-pct").filter(|&percent| percent <= 100),
        }
    }
}

/// Parses a load as the kernel writes it, with JSON's parser, which is linked anyway. `str::parse` has 15 KB of tables.
pub fn load(text: &str) -> Option<f64> {
    serde_json::from_slice(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vitals_come_back_from_their_metadata() {
        let vitals = Vitals {
            uptime_s: Some(86_400),
            load1: Some(0.42),
            mem_available_kb: Some(1_024),
            disk_free_pct: Some(100),
        };
        let metadata = vitals.to_metadata();
        assert_eq!((metadata["uptime-s"].as_str(), metadata["load1"].as_str()), ("86400", "0.42"));
        assert_eq!((metadata["mem-available-kb"].as_str(), metadata["disk-free-pct"].as_str()), ("1024", "100"));
        assert_eq!(Vitals::from_metadata(&metadata), vitals);
        assert_eq!(Vitals::default().to_metadata(), Metadata::new());
    }

    #[test]
    fn foreign_vitals_are_not_believed() {
        for (name, value) in [
            ("uptime-s", "-1"),
            ("uptime-s", "long"),
            ("load1", "NaN"),
            ("load1", "inf"),
            ("load1", "-0.5"),
            ("load1", "1e9"),
            ("mem-available-kb", "\u{1b}[2J"),
            ("disk-free-pct", "101"),
            ("disk-free-pct", ""),
        ] {
            let metadata = [(name.to_string(), value.to_string())].into();
            assert_eq!(Vitals::from_metadata(&metadata), Vitals::default(), "{name}: {value}");
        }
    }
}
