//! Files that are written whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

/// To open without a wait for the other end.
const NONBLOCK: OFlags = OFlags::NONBLOCK;

/// The file mode: these files hold no secret, so everybody may read them, whatever the umask.
const MODE: u32 = 0o644;

/// Writes a file, and replaces any that is there. A link stays, and the file that it leads to is replaced. What is no
/// file, such as a pipe or a device, is written to.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let there = match fs::metadata(file) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_symlink() => {
            return Err(io::Error::new(error.kind(), "it is a link to a file that is not there"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return beside(file, content, |temporary| fs::rename(temporary, file));
        }
        Err(error) => return Err(error),
    };
    if there.is_file() {
        let file = fs::canonicalize(file)?;
        return beside(&file, content, |temporary| fs::rename(temporary, &file));
    }
    if there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    // A pipe that nobody reads is an error, rather than a wait.
    let opened = OpenOptions::new().write(true).custom_flags(NONBLOCK.bits().cast_signed()).open(file);
    let mut opened = opened.map_err(|error| match error.raw_os_error() {
        Some(number) if number == Errno::NXIO.raw_os_error() => {
            io::Error::new(io::ErrorKind::BrokenPipe, "it is a pipe or a socket, and nobody reads it")
        }
        _ => error,
    })?;
    fcntl_setfl(&opened, OFlags::empty())?;
    opened.write_all(content)
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
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::os::unix::fs::symlink("real", &link).unwrap();
        let error = replace(&link, b"new").unwrap_err().to_string();
        assert!(error.contains("a link to a file that is not there") && !real.exists(), "{error}");
        fs::write(&real, "old").unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink() && fs::read(&real).unwrap() == b"new");
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn what_is_no_file_is_written_to_or_refused_and_never_replaced() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = replace(&pipe, b"lost").unwrap_err().to_string();
        assert!(error.contains("nobody reads it"), "{error}");
        // More than a pipe holds.
        let long = vec![b'x'; 300_000];
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let mut read = Vec::new();
                fs::File::open(pipe).unwrap().read_to_end(&mut read).map(|_| read).unwrap()
            })
        };
        while replace(&pipe, &long).is_err() {
            std::thread::yield_now();
        }
        assert_eq!(reader.join().unwrap(), long);
        replace(Path::new("/dev/null"), b"gone").unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(replace(&socket, b"lost").is_err() && socket.exists());
        assert!(replace(folder.path(), b"lost").unwrap_err().to_string().contains("it is a folder"));
        let mut left = names(folder.path());
        left.sort_unstable();
        assert_eq!(left, ["pipe", "socket"]);
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
