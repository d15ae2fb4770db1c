//! Files that are written whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file mode: these files hold no secret, so everybody may read them, whatever the umask.
const MODE: u32 = 0o644;

/// Writes a file, and replaces any that is there.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    beside(file, content, |temporary| fs::rename(temporary, file))
}

/// Writes a new file. If the file is there already, the error is `AlreadyExists`.
pub fn create(file: &Path, content: &[u8]) -> io::Result<()> {
    beside(file, content, |temporary| fs::hard_link(temporary, file))
}

/// Writes a temporary file beside `file` and moves it there by `put`. Leaves nothing else behind.
fn beside(file: &Path, content: &[u8], put: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary(file)?;
    let written = write(&temporary, content).and_then(|()| put(&temporary));
    // After a rename there is nothing to remove. The first error is the one to report.
    let _ = fs::remove_file(&temporary);
    written
}

/// The path of the temporary file: hidden and with another extension, so that nobody who reads the folder takes it for
/// the file itself.
fn temporary(file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is no file's name"))?;
    Ok(file.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id())))
}

fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(MODE).open(file)?;
    opened.set_permissions(Permissions::from_mode(MODE))?;
    opened.write_all(content)?;
    opened.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pulse.prom");
        replace(&file, b"a longer text").unwrap();
        replace(&file, b"short").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"short");
        assert_eq!(names(folder.path()), ["pulse.prom"]);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_file_that_is_there_is_not_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        create(&file, b"first").unwrap();
        assert_eq!(create(&file, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&file).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["config.json"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("folder");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("x"), "").unwrap();
        assert!(replace(&taken, b"text").is_err());
        assert_eq!(names(folder.path()), ["folder"]);
        assert!(replace(Path::new("/"), b"text").is_err());
    }
}
