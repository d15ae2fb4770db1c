//! Who may read the files: cron's user must be able to read all of them, and nobody else a secret.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::settings::OWN_FOLDER;

/// The group that the package creates; cron's user is in it.
const PACKAGES_GROUP: &str = "pulse-echo";

/// What is wrong with a file of the package's folder that root can read and cron's user cannot.
pub fn hidden(file: &Path) -> Option<String> {
    hidden_by(file, mode(file)?)
}

fn hidden_by(file: &Path, mode: u32) -> Option<String> {
    let name = file.display();
    let is_hidden = file.starts_with(OWN_FOLDER) && mode & 0o004 == 0;
    is_hidden.then(|| format!("{name} has mode {mode:o}, so that cron's user cannot read it: chmod 644 {name}"))
}

/// What is wrong with a file that may hold a secret: everybody can read it, or cron's user cannot.
pub fn open(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?.to_ascii_lowercase();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let is_others = gid_of(PACKAGES_GROUP, &groups).is_some_and(|gid| fs::metadata(file).is_ok_and(|m| m.gid() != gid));
    open_by(file, mode(file)?, &text, is_others)
}

/// `is_others`: the package's group exists, and the file has another group.
fn open_by(file: &Path, mode: u32, text: &str, is_others: bool) -> Option<String> {
    let name = file.display();
    if mode & 0o004 != 0 && text.contains("aws_secret_access_key") {
        let what = "everybody on this machine can read the secret key in it";
        return Some(format!("{name} has mode {mode:o}: {what}: chmod o-rwx {name}"));
    }
    let is_hidden = file.starts_with(OWN_FOLDER) && mode & 0o004 == 0 && (mode & 0o040 == 0 || is_others);
    let what = if is_others { format!("is not of the group {PACKAGES_GROUP}") } else { format!("has mode {mode:o}") };
    let remedy = format!("chgrp {PACKAGES_GROUP} {name}; chmod 640 {name}");
    is_hidden.then(|| format!("{name} {what}, so that cron's user cannot read it: {remedy}"))
}

/// The id of a group in `/etc/group`: `name:password:number:members`.
fn gid_of(group: &str, groups: &str) -> Option<u32> {
    let line = groups.lines().find_map(|line| line.strip_prefix(group)?.strip_prefix(':'))?;
    line.split(':').nth(1)?.parse().ok()
}

fn mode(file: &Path) -> Option<u32> {
    Some(fs::metadata(file).ok()?.mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_user_reads_the_packages_files_and_nobody_else_the_secrets() {
        let own = |name: &str| Path::new(OWN_FOLDER).join(name);
        for (mode, is_hidden) in [(0o644, false), (0o640, true), (0o600, true)] {
            assert_eq!(hidden_by(&own("config.json"), mode).is_some(), is_hidden, "{mode:o}");
            assert_eq!(hidden_by(Path::new("/home/me/config.json"), mode), None);
        }
        let secret = "aws_secret_access_key = x";
        for (mode, is_others, text, what) in [
            (0o644, false, secret, Some("everybody")),
            (0o644, true, "credential_process = x", None),
            (0o640, false, secret, None),
            (0o640, true, secret, Some("is not of the group pulse-echo")),
            (0o600, false, secret, Some("has mode 600, so that cron's user cannot read it: chgrp pulse-echo")),
            (0o600, false, "credential_process = x", Some("cannot read it")),
        ] {
            let found = open_by(&own("credentials"), mode, text, is_others);
            assert_eq!(found.is_some(), what.is_some(), "{mode:o}: {found:?}");
            assert!(found.as_ref().is_none_or(|found| found.contains(what.unwrap())), "{found:?}");
        }
        assert_eq!(open_by(Path::new("/home/me/.aws/credentials"), 0o600, secret, true), None);
    }

    #[test]
    fn a_groups_number_is_in_etc_group() {
        let groups = "root:x:0:\npulse-echo-old:x:7:\npulse-echo:x:998:nagios\n";
        assert_eq!(gid_of("pulse-echo", groups), Some(998));
        assert_eq!(gid_of("pulse", groups), None);
    }
}
