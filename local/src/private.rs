//! Files for their owner only: keys, and pulses whose URLs may hold tokens.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::Path;

/// Makes a folder, and those above it, where they are missing. An existing folder stays as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The mode of a file for its owner only.
pub(crate) const FOR_OWNER: u32 = 0o600;
/// The mode of a file for everybody to read.
pub(crate) const FOR_ALL: u32 = 0o644;

/// Writes a file of `folder`, which is made if it is missing, whole or not at all: it gets its name at the end.
/// It belongs to the folder's owner, whoever writes: what root changes, the server can still read.
///
/// The folder may be another user's, who must not lead root astray: until the end the file has a name that nobody
/// knows, and nothing that already has that name is opened.
pub(crate) fn replace(folder: &Path, name: &str, content: &str, mode: u32) -> io::Result<()> {
    make_folder(folder)?;
    let mut out = tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(folder)?;
    let (owner, ours) = (fs::metadata(folder)?, out.as_file().metadata()?);
    if owner.uid() != ours.uid() {
        fchown(out.as_file(), Some(owner.uid()), Some(owner.gid()))?;
    }
    out.as_file().set_permissions(Permissions::from_mode(mode))?;
    out.write_all(content.as_bytes())?;
    out.as_file().sync_all()?;
    out.persist(folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// An error at a file of the data folder, with the remedy.
pub(crate) fn explained(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!("{error}; do it as the owner of the folder, or as root"),
        _ => error.to_string(),
    }
}

/// Says that others than its owner may read a file, if that is so.
pub(crate) fn warn_if_open(file: &Path, warn: impl FnOnce(String)) {
    let mode = fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        let shown = file.display();
        warn(format!("{shown} holds keys, and others may read it (mode {:o}): chmod 600 {shown}", mode & 0o777));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_waits_in_the_folder_is_neither_written_through_nor_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let (data, victim) = (folder.path().join("data"), folder.path().join("victim"));
        fs::create_dir(&data).unwrap();
        fs::write(&victim, "root's own").unwrap();
        fs::set_permissions(&victim, Permissions::from_mode(0o640)).unwrap();
        for name in ["host-keys", "host-keys.new", ".host-keys.new"] {
            symlink(&victim, data.join(name)).unwrap();
        }
        replace(&data, "host-keys", "a key", FOR_OWNER).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "root's own");
        assert_eq!(fs::metadata(&victim).unwrap().permissions().mode() & 0o777, 0o640);
        let written = fs::symlink_metadata(data.join("host-keys")).unwrap();
        assert!(written.is_file() && written.permissions().mode() & 0o777 == 0o600);
        assert_eq!(fs::read_to_string(data.join("host-keys")).unwrap(), "a key");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 3, "nothing else stays");
    }

    /// Only root can see this: nobody else may give a file away.
    #[test]
    fn what_root_writes_belongs_to_the_owner_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let nobody = 65_534;
        if std::os::unix::fs::chown(folder.path(), Some(nobody), Some(nobody)).is_err() {
            return;
        }
        replace(folder.path(), "keys", "a key", FOR_OWNER).unwrap();
        assert_eq!(fs::metadata(folder.path().join("keys")).unwrap().uid(), nobody);
    }
}
