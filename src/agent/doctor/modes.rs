//! Who may read the files: cron's user all of them, everybody else no secret.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::agent::settings::OWN_FOLDER;

/// What is wrong with a file of the package's folder that cron's user cannot read, though root can.
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
    open_by(file, mode(file)?).filter(|_| text.contains("aws_secret_access_key"))
}

fn open_by(file: &Path, mode: u32) -> Option<String> {
    let name = file.display();
    if mode & 0o004 != 0 {
        let what = "everybody on this machine can read the secret key in it";
        return Some(format!("{name} has mode {mode:o}: {what}: chmod o-rwx {name}"));
    }
    let is_hidden = file.starts_with(OWN_FOLDER) && mode & 0o040 == 0;
    let remedy = format!("chgrp pulse-echo {name}; chmod 640 {name}");
    is_hidden.then(|| format!("{name} has mode {mode:o}, so that cron's user cannot read it: {remedy}"))
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
        for (mode, what) in [(0o644, Some("everybody")), (0o640, None), (0o600, Some("chmod 640"))] {
            let found = open_by(&own("credentials"), mode);
            assert_eq!(found.is_some(), what.is_some(), "{mode:o}");
            assert!(found.is_none_or(|found| found.contains(what.unwrap())));
        }
        assert_eq!(open_by(Path::new("/home/me/.aws/credentials"), 0o600), None);
    }
}
