//! The keys of a local system: made once, kept in its folder, for nobody else to read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::s3::KeyPair;

/// The file's name in the data folder.
const FILE: &str = "keys";

/// Keys that nobody has seen yet.
pub fn make() -> io::Result<KeyPair> {
    let mut random = [0; 28];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let hex = random.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    // As AWS's look: 20 characters that begin with AKIA, and 40.
    let (id, secret) = hex.split_at(16);
    Ok(KeyPair::new(format!("AKIA{id}"), secret.to_ascii_lowercase()))
}

/// The keys kept in `folder`, and whether they were made just now. The error names the file.
pub fn kept_in(folder: &Path) -> Result<(KeyPair, bool), String> {
    let file = folder.join(FILE);
    match fs::read_to_string(&file) {
        Ok(text) => match parse(&text) {
            Some(keys) => Ok((keys, false)),
            None => Err(format!("{} has no keys in it; remove it to have new ones made", file.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => match make_in(folder, &file) {
            Ok(keys) => Ok((keys, true)),
            Err(error) => Err(format!("cannot keep new keys in {}: {error}", file.display())),
        },
        Err(error) => Err(format!("cannot read the keys in {}: {error}", file.display())),
    }
}

/// Whole or not at all: the file gets its name when it is complete.
fn make_in(folder: &Path, file: &Path) -> io::Result<KeyPair> {
    let keys = make()?;
    fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!("{FILE}.new"));
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    out.write_all(text(&keys).as_bytes())?;
    out.sync_all()?;
    fs::rename(&unfinished, file)?;
    File::open(folder)?.sync_all()?;
    Ok(keys)
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
    fn keys_are_made_once_and_only_their_owner_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (first, is_new) = kept_in(&data).unwrap();
        assert!(is_new);
        assert_eq!((first.access_key.len(), first.secret_key.len()), (20, 40));
        assert_eq!(fs::metadata(data.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        let (second, is_new) = kept_in(&data).unwrap();
        assert!(!is_new);
        assert_eq!((second.access_key, second.secret_key), (first.access_key, first.secret_key));
    }

    #[test]
    fn a_file_without_keys_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "AWS_ACCESS_KEY_ID=\n").unwrap();
        let error = kept_in(folder.path()).err().unwrap();
        assert!(error.contains("keys has no keys in it; remove it"), "{error}");
    }
}
