//! A host's vitals: what it says of itself with each pulse. They are its last words when it falls silent.

use crate::metadata::{Metadata, decoded, encoded, number, present};
use crate::text::line;

/// No load is higher than this, and the number would fill the line.
const LOAD_LIMIT: f64 = 1_000_000.0;

/// A hundred years: no machine has been up for longer.
const UPTIME_LIMIT_S: u64 = 100 * 366 * 86_400;

/// A pebibyte, in KiB: no machine has more memory.
const MEMORY_LIMIT_KB: u64 = 1 << 40;

/// The longest mount point, in bytes, encoded.
const MOUNT_POINT_LIMIT: usize = 64;

/// A machine's vitals when it sent a pulse. A vital that is not available is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vitals {
    /// `uptime-s`: for how many seconds it has been up.
    pub uptime_s: Option<u64>,
    /// `load1`: how many processes ran or waited to run, on average over a minute.
    pub load1: Option<f64>,
    /// `mem-available-kb`: how much memory is available to new processes, in KiB.
    pub mem_available_kb: Option<u64>,
    /// `disk-free-pct`: how much of its fullest local file system is free for all users, in percent.
    pub disk_free_pct: Option<u8>,
    /// `disk-at`: where that file system is mounted; `None` is `/`.
    pub disk_at: Option<String>,
}

/// The limits that a pulse sets to its host's vitals. A value at the limit is within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VitalLimits {
    /// `min_disk_free_pct`: how much of each local file system must be free, in percent.
    pub min_disk_free_pct: Option<u32>,
    /// `min_mem_available_mib`: how much memory must be available to new processes, in MiB.
    pub min_mem_available_mib: Option<u32>,
    /// `max_load1`: the highest load.
    pub max_load1: Option<u32>,
}

impl Vitals {
    /// The metadata to put.
    pub fn to_metadata(&self) -> Metadata {
        present([
            ("uptime-s", self.uptime_s.map(|s| s.to_string())),
            ("load1", self.load1.map(|load| format!("{load:.2}"))),
            ("mem-available-kb", self.mem_available_kb.map(|kb| kb.to_string())),
            ("disk-free-pct", self.disk_free_pct.map(|percent| percent.to_string())),
            ("disk-at", self.disk_at.as_deref().map(|at| encoded(at, MOUNT_POINT_LIMIT))),
        ])
    }

    /// Reads metadata that anybody may have put: a value of the wrong form counts as missing.
    pub fn from_metadata(metadata: &Metadata) -> Self {
        Self {
            uptime_s: number(metadata, "uptime-s").filter(|&s| s <= UPTIME_LIMIT_S),
            load1: metadata.get("load1").and_then(|text| load(text)).filter(|load| (0.0..=LOAD_LIMIT).contains(load)),
            mem_available_kb: number(metadata, "mem-available-kb").filter(|&kb| kb <= MEMORY_LIMIT_KB),
            disk_free_pct: number(metadata, "disk-free-pct").filter(|&percent| percent <= 100),
            disk_at: metadata.get("disk-at").and_then(|value| mount_point(value)),
        }
    }
}

/// A mount point that anybody may have put, safe to show.
fn mount_point(value: &str) -> Option<String> {
    let at = Some(value).filter(|value| value.len() <= MOUNT_POINT_LIMIT).map(decoded)?;
    (at.starts_with('/') && at.len() > 1).then(|| line(&at, MOUNT_POINT_LIMIT))
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
            disk_at: Some("/srv/my disk".into()),
        };
        let metadata = vitals.to_metadata();
        assert_eq!((metadata["uptime-s"].as_str(), metadata["load1"].as_str()), ("86400", "0.42"));
        assert_eq!((metadata["mem-available-kb"].as_str(), metadata["disk-free-pct"].as_str()), ("1024", "100"));
        assert_eq!(metadata["disk-at"], "/srv/my%20disk");
        assert_eq!(Vitals::from_metadata(&metadata), vitals);
        assert_eq!(Vitals::default().to_metadata(), Metadata::new());
    }

    #[test]
    fn foreign_vitals_are_not_believed() {
        for (name, value) in [
            ("uptime-s", "-1"),
            ("uptime-s", "long"),
            ("uptime-s", "3162240001"),
            ("load1", "NaN"),
            ("load1", "inf"),
            ("load1", "-0.5"),
            ("load1", "1e9"),
            ("mem-available-kb", "\u{1b}[2J"),
            ("mem-available-kb", "1099511627777"),
            ("disk-free-pct", "101"),
            ("disk-free-pct", ""),
            ("disk-at", "/"),
            ("disk-at", "var"),
            ("disk-at", &format!("/{}", "x".repeat(64))),
        ] {
            let metadata = [(name.to_string(), value.to_string())].into();
            assert_eq!(Vitals::from_metadata(&metadata), Vitals::default(), "{name}: {value}");
        }
    }

    #[test]
    fn a_mount_point_is_cut_and_a_foreign_one_cannot_be_an_escape() {
        let at = |at: &str| Vitals { disk_at: Some(at.into()), ..Vitals::default() };
        let long = at(&format!("/{}ä", "x".repeat(60))).to_metadata();
        assert_eq!(long["disk-at"], format!("/{}", "x".repeat(60)));
        let foreign = [("disk-at".to_string(), "/a%1b%5b2J%0a%e2%80%ae".to_string())].into();
        assert_eq!(Vitals::from_metadata(&foreign), at("/a\\x1b[2J\\n\\u{202e}"));
    }
}
