//! The keys of a local system, kept in its folder for its owner only.
//!
//! The operator's pair is made once, and may do everything. [`hosts`] has a key for each host, [`place`] what a host
//! needs besides.

pub mod hosts;
pub mod place;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pulse_echo_core::random;

use crate::private;
use crate::s3::KeyPair;

/// The line in the key file that says that the keys have not been shown.
const UNSEEN: &str = "# not shown yet\n";

/// Keys, and whether they have been shown.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The keys.
    pub keys: KeyPair,
    /// Whether the next start should not show them again.
    pub are_seen: bool,
}

const FILE: &str = "keys";

/// The path of the operator's key file in the data folder.
pub fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Creates new keys.
pub fn make() -> KeyPair {
    let hex = random::bytes::<28>().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    // In the form of AWS's keys: 20 characters that begin with AKIA, and 40.
    let (id, secret) = hex.split_at(16);
    KeyPair::new(format!("AKIA{id}"), secret.to_ascii_lowercase())
}

/// Reads the operator's keys in `folder`, if there are any. The error names the file.
pub fn kept_in(folder: &Path) -> Result<Option<Kept>, String> {
    let file = file(folder);
    match fs::read_to_string(&file) {
        Ok(text) => match parse(&text) {
            Some(keys) => Ok(Some(Kept { keys, are_seen: !text.contains(UNSEEN) })),
            None => Err(format!("{} has no keys in it; remove it to have new ones made", file.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read the keys in {}: {}", file.display(), private::explained(&error))),
    }
}

/// Writes the operator's keys into `folder`. The error names the file.
pub fn keep_in(folder: &Path, kept: &Kept) -> Result<(), String> {
    let content = text(&kept.keys) + if kept.are_seen { "" } else { UNSEEN };
    private::replace(folder, FILE, &content, private::FOR_OWNER)
        .map_err(|error| format!("cannot keep the keys in {}: {}", file(folder).display(), private::explained(&error)))
}

/// The keys as `NAME=value` lines.
pub fn text(keys: &KeyPair) -> String {
    format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", keys.access_key, keys.secret_key)
}

fn parse(text: &str) -> Option<KeyPair> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim);
    let pair = KeyPair::new(value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?);
    (!pair.access_key.is_empty() && !pair.secret_key.is_empty()).then_some(pair)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_kept_as_they_are_and_only_their_owner_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert!(kept_in(&data).unwrap().is_none());
        let keys = make();
        assert_eq!((keys.access_key.len(), keys.secret_key.len()), (20, 40));
        for are_seen in [false, true] {
            keep_in(&data, &Kept { keys: keys.clone(), are_seen }).unwrap();
            let kept = kept_in(&data).unwrap().unwrap();
            assert_eq!((&kept.keys.access_key, &kept.keys.secret_key), (&keys.access_key, &keys.secret_key));
            assert_eq!(kept.are_seen, are_seen);
            assert_eq!(fs::metadata(file(&data)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_without_keys_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file(folder.path()), "AWS_ACCESS_KEY_ID=\n").unwrap();
        let error = kept_in(folder.path()).err().unwrap();
        assert!(error.contains("keys has no keys in it; remove it"), "{error}");
    }
}
