//! What is in the packages and the archives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::dist::{self, Processor, ensure, said, shell};
use crate::{Check, Outcome};

pub const CHECKS: &[Check] = &[
    ("deb and rpm have the same files, with the same modes, owners and content", equal),
    ("deb and rpm keep the same files as configuration", same_configuration),
    ("the tarball is what the deb installs", tarballs),
    ("the tarball for AWS has both zips, the template, the scripts and their page", aws),
    ("SHA256SUMS has every file and is right", sums),
];

/// System folders that a deb lists and an rpm does not.
const SYSTEM: &[&str] = &[
    "/etc",
    "/etc/cron.d",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/share",
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man5",
];

/// Debian's own changelog; an rpm has it in its header.
const DEBIAN_ONLY: &str = "changelog.Debian.gz";

/// The entry of each path: mode, owner and group, and a file's SHA-256.
type Listing = BTreeMap<String, Entry>;

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: String,
    owner: String,
    digest: String,
}

fn equal() -> Outcome {
    for processor in Processor::ALL {
        equal_files("pulse-echo", &processor.deb(), &processor.rpm())?;
        equal_files("pulse-echo-local", &processor.local_deb(), &processor.local_rpm())?;
    }
    Ok(())
}

fn equal_files(package: &str, deb: &Path, rpm: &Path) -> Outcome {
    let (mut deb, rpm) = (of_deb(deb)?, of_rpm(rpm)?);
    let debian_only = format!("/usr/share/doc/{package}/{DEBIAN_ONLY}");
    ensure(deb.remove(&debian_only).is_some(), || format!("no {debian_only}"))?;
    for folder in SYSTEM {
        let known = deb.remove(*folder).is_none_or(|entry| entry.mode == "drwxr-xr-x" && entry.owner == "root/root");
        ensure(known, || format!("the deb has the folder \"{folder}\" with another mode than 0755, or not root's"))?;
    }
    let paths: BTreeSet<_> = deb.keys().chain(rpm.keys()).collect();
    let differing = paths.into_iter().filter(|path| deb.get(*path) != rpm.get(*path));
    let shown = differing.map(|path| format!("{path}: deb {:?}, rpm {:?}", deb.get(path), rpm.get(path)));
    let shown: Vec<_> = shown.collect();
    ensure(shown.is_empty(), || format!("{package}: {}", shown.join("\n")))?;
    ensure(rpm.len() >= 9, || format!("there is little in it: {rpm:?}"))
}

fn aws() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let unpack = "tar -xzf \"$1\" -C \"$2\" --strip-components 1; ls -A \"$2\"";
    let listed = said(&mut shell(unpack, &[&dist::aws_tarball(), folder.path()]))?;
    let mut expected = BTreeSet::from(["LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY"].map(String::from));
    for (place, names) in [
        ("packaging/aws", &["common.sh", "deploy.sh", "host.sh", "remove.sh", "template.yaml"][..]),
        ("docs", &["aws.md"]),
    ] {
        for name in names {
            let own = dist::checkout().join(place).join(name);
            said(&mut shell("cmp \"$1\" \"$2\"", &[&own, &folder.path().join(name)]))?;
            expected.insert((*name).to_string());
        }
    }
    for processor in Processor::ALL {
        let zip = processor.lambda();
        let name = zip.file_name().unwrap();
        said(&mut shell("cmp \"$1\" \"$2\"", &[&zip, &folder.path().join(name)]))?;
        expected.insert(name.to_string_lossy().into_owned());
    }
    let found: BTreeSet<_> = listed.lines().map(ToString::to_string).collect();
    ensure(found == expected, || format!("{found:?}, expected {expected:?}"))?;
    let modes = said(&mut shell("cd \"$1\"; find . -name '*.sh' -perm -a=x -printf '%f\\n' | sort", &[folder.path()]))?;
    ensure(modes == "deploy.sh\nhost.sh\nremove.sh\n", || modes.clone())
}

fn of_deb(deb: &Path) -> Result<Listing, String> {
    let listed = said(&mut shell("dpkg-deb --fsys-tarfile \"$1\" | tar -tv", &[deb]))?;
    let digests = "dpkg-deb --fsys-tarfile \"$1\" | tar -x --to-command='echo \"$TAR_FILENAME $(sha256sum)\"'";
    listing(&listed, &said(&mut shell(digests, &[deb]))?)
}

/// Parses `tar`'s list of modes and owners, and lines of path and digest. Names are changed to an rpm's.
fn listing(listed: &str, digests: &str) -> Result<Listing, String> {
    let digests: BTreeMap<_, _> = digests.lines().filter_map(|line| line.split_once(' ')).collect();
    let entry = |line: &str| {
        let [mode, owner, _, _, _, path] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("no file and no folder: {line}"));
        };
        let digest = digests.get(path).and_then(|digest| digest.split(' ').next()).unwrap_or_default();
        // Debian's policy and Fedora's name different folders for zsh.
        let name = path.trim_start_matches('.').trim_end_matches('/');
        let name = name.replace("/zsh/vendor-completions", "/zsh/site-functions");
        // Without names, the numbers are root's.
        let owner = owner.replace("0/0", "root/root");
        Ok((name, Entry { mode: mode.into(), owner, digest: digest.into() }))
    };
    listed.lines().map(entry).collect()
}

fn of_rpm(rpm: &Path) -> Result<Listing, String> {
    const FORMAT: &str =
        r"[%{FILENAMES}\t%{FILEMODES:perms}\t%{FILEUSERNAME}/%{FILEGROUPNAME}\t%{FILEDIGESTS}%{FILELINKTOS}\n]";
    let listed = said(&mut shell(&format!("rpm -qp --queryformat '{FORMAT}' \"$1\""), &[rpm]))?;
    let entry = |line: &str| {
        let [path, mode, owner, digest] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("not understood: {line}"));
        };
        Ok((path.into(), Entry { mode: mode.into(), owner: owner.into(), digest: digest.into() }))
    };
    listed.lines().map(entry).collect()
}

fn same_configuration() -> Outcome {
    for processor in Processor::ALL {
        for (deb, rpm) in [(processor.deb(), processor.rpm()), (processor.local_deb(), processor.local_rpm())] {
            let deb = said(&mut shell("dpkg-deb --info \"$1\" conffiles | sort", &[&deb]))?;
            let rpm = said(&mut shell("rpm -qpc \"$1\" | sort", &[&rpm]))?;
            ensure(deb == rpm && !deb.is_empty(), || format!("{}: deb {deb:?}, rpm {rpm:?}", processor.name))?;
        }
    }
    Ok(())
}

fn tarballs() -> Outcome {
    for processor in Processor::ALL {
        let tarball = processor.tarball();
        let listed = said(&mut shell("tar -tvzf \"$1\"", &[&tarball]))?;
        let digests =
            said(&mut shell("tar -xzf \"$1\" --to-command='echo \"$TAR_FILENAME $(sha256sum)\"'", &[&tarball]))?;
        let folder = tarball.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz");
        let relative = |text: &str| text.replace(folder, ".");
        let mut tarball = listing(&relative(&listed), &relative(&digests))?;
        tarball.remove("").ok_or("it is not one folder")?;
        let deb = of_deb(&processor.deb())?;
        ensure(tarball == deb, || format!("{}: {tarball:?}, deb {deb:?}", processor.name))?;
    }
    Ok(())
}

fn sums() -> Outcome {
    said(&mut shell("sha256sum --check --strict --quiet SHA256SUMS", &[]))?;
    let listed = said(&mut shell("cut -c 67- SHA256SUMS | sort", &[]))?;
    let there = said(&mut shell("ls | grep -v SHA256SUMS | sort", &[]))?;
    ensure(listed == there && there.lines().count() == 16, || format!("listed:\n{listed}there:\n{there}"))
}
