//! Files that people write, read whole up to a limit.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Reads a file of at most `limit` bytes. What is no file is refused before it is opened: to open a pipe would wait for
/// its writer.
pub fn read(file: &Path, limit: u64) -> Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut content = Vec::new();
    File::open(file)?.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is over {} KiB", limit / 1024)));
    }
    Ok(content)
}
