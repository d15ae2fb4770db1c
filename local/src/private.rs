//! Files for their owner only: keys, and pulses whose URLs may hold tokens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

/// Makes a folder, and those above it, where they are missing. An existing folder stays as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Options to write a file, which is made if it is missing. An existing file keeps its mode.
pub(crate) fn file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// Writes a file of `folder`, which is made if it is missing, whole or not at all: it gets its name at the end.
/// It belongs to the folder's owner, whoever writes: what root changes, the server can still read.
pub(crate) fn replace(folder: &Path, name: &str, content: &str) -> io::Result<()> {
    make_folder(folder)?;
    let unfinished = folder.join(format!("{name}.new"));
    let mut out = file().truncate(true).open(&unfinished)?;
    let (owner, ours) = (fs::metadata(folder)?, out.metadata()?);
    if owner.uid() != ours.uid() {
        chown(&unfinished, Some(owner.uid()), Some(owner.gid()))?;
    }
    out.write_all(content.as_bytes())?;
    out.sync_all()?;
    fs::rename(&unfinished, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Says that others than its owner may read a file, if that is so.
pub(crate) fn warn_if_open(file: &Path, warn: impl FnOnce(String)) {
    let mode = fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        let shown = file.display();
        warn(format!("{shown} holds keys, and others may read it (mode {:o}): chmod 600 {shown}", mode & 0o777));
    }
}
