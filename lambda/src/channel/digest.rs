//! Names for receivers, made from what they are names of.

use sha2::{Digest, Sha256};

/// A name of 64 hexadecimal digits for these parts together.
pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
