//! Who may read the files: the user that sends must be able to read all of them, and nobody else a secret.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::schedule::Job;
use super::schedule::users::{self, User};
use crate::credentials::open_to_all;
use crate::settings::OWN_FOLDER;

/// The user that the package creates, and its group.
const PACKAGES_USER: &str = "pulse-echo";

/// A user that must be able to read the files.
pub struct Reader {
    user: User,
    groups: Vec<u32>,
}

/// The users of the jobs; where there is no job, the package's user.
pub fn readers(jobs: &[Job]) -> Vec<Reader> {
    let root = Path::new("/");
    let mut found: Vec<User> = Vec::new();
    for job in jobs {
        if !found.contains(&job.user) {
            found.push(job.user.clone());
        }
    }
    if found.is_empty() {
        found.extend(users::find(root, PACKAGES_USER));
    }
    found.into_iter().map(|user| Reader { groups: users::groups(root, &user), user }).collect()
}

impl Reader {
    /// Whether the user has this right of the three, given as others' (4 to read, 1 to enter a folder).
    fn may(&self, metadata: &Metadata, right: u32) -> bool {
        self.may_with(metadata.uid(), metadata.gid(), metadata.mode(), right)
    }

    fn may_with(&self, uid: u32, gid: u32, mode: u32, right: u32) -> bool {
        let shift = match () {
            () if self.user.uid == 0 => return true,
            () if self.user.uid == uid => 6,
            () if self.groups.contains(&gid) => 3,
            () => 0,
        };
        mode >> shift & right != 0
    }
}

/// What is wrong with a file that one of these users cannot read.
pub fn hidden(file: &Path, readers: &[Reader]) -> Option<String> {
    // A link leads to a file with rights of its own.
    let path = fs::canonicalize(file).ok()?;
    let metadata = fs::metadata(&path).ok()?;
    let name = file.display();
    readers.iter().find_map(|reader| {
        let user = &reader.user.name;
        let mut folders: Vec<_> = path.ancestors().skip(1).collect();
        folders.reverse();
        let is_closed = |folder: &&&Path| fs::metadata(folder).is_ok_and(|metadata| !reader.may(&metadata, 1));
        if let Some(closed) = folders.iter().find(is_closed) {
            let (folder, elsewhere) = (closed.display(), elsewhere(&path));
            return Some(format!(
                "{name} is in {folder}, which is closed to {user}, who is to send it: {elsewhere}chmod o+x {folder}"
            ));
        }
        let mode = metadata.mode() & 0o7777;
        (!reader.may(&metadata, 4)).then(|| {
            format!("{name} has mode {mode:o}, so that {user} cannot read it, who is to send it: chmod 644 {name}")
        })
    })
}

/// A better place for a file, unless it is there already.
fn elsewhere(file: &Path) -> String {
    if file.starts_with(OWN_FOLDER) { String::new() } else { format!("move it to {OWN_FOLDER}, or ") }
}

/// What is wrong with a file that may hold a secret: everybody can read it, or the user that sends cannot.
pub fn open(file: &Path, readers: &[Reader]) -> Option<String> {
    let text = fs::read_to_string(file).ok()?.to_ascii_lowercase();
    let metadata = fs::metadata(file).ok()?;
    let mode = metadata.mode() & 0o7777;
    let name = file.display();
    if text.contains("aws_secret_access_key")
        && let Some(open) = open_to_all(file)
    {
        return Some(open);
    }
    // Each user has another home; this file is everybody's.
    let shut_out = readers.iter().find(|reader| file.starts_with(OWN_FOLDER) && !reader.may(&metadata, 4))?;
    let user = &shut_out.user;
    let is_of_group = shut_out.groups.contains(&metadata.gid());
    let what = if is_of_group {
        format!("has mode {mode:o}")
    } else {
        format!("is not of a group of {user}'s", user = user.name)
    };
    let group = if user.name == PACKAGES_USER { PACKAGES_USER.into() } else { format!("$(id -gn {})", user.name) };
    Some(format!("{name} {what}, so that {} cannot read it: chgrp {group} {name}; chmod 640 {name}", user.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn reader(uid: u32, groups: &[u32]) -> Reader {
        let user = User { name: "web".into(), uid, gid: groups[0], home: "/".into(), shell: String::new() };
        Reader { user, groups: groups.to_vec() }
    }

    #[test]
    fn the_first_of_owner_group_and_others_decides() {
        for (uid, gid, mode, may) in [
            (7, 1, 0o400, true),
            (7, 1, 0o044, false),
            (1, 8, 0o040, true),
            (1, 9, 0o040, true),
            (1, 9, 0o604, false),
            (1, 1, 0o604, true),
            (1, 1, 0o640, false),
        ] {
            assert_eq!(reader(7, &[8, 9]).may_with(uid, gid, mode, 4), may, "{uid} {gid} {mode:o}");
        }
        assert!(reader(0, &[0]).may_with(1, 1, 0, 4), "root may all");
    }

    #[test]
    fn a_file_that_the_sender_cannot_reach_is_named_with_what_closes_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, "{}").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let stranger = [reader(4_000_000, &[4_000_000])];
        mode(folder.path(), 0o755);
        mode(&file, 0o644);
        assert_eq!(hidden(&file, &stranger), None);
        mode(&file, 0o640);
        assert!(hidden(&file, &stranger).unwrap().contains("has mode 640, so that web cannot read it"));
        assert_eq!(hidden(&file, &[reader(0, &[0])]), None);
        mode(folder.path(), 0o750);
        let closed = hidden(&file, &stranger).unwrap();
        assert!(closed.contains("which is closed to web") && closed.contains(": move it to /etc/pulse-echo, or chmod"));
        assert_eq!(elsewhere(Path::new("/etc/pulse-echo/pulses.d/db.json")), "", "it is there already");
        assert_eq!(hidden(&file, &[]), None);
    }
}
