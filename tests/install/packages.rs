//! The output of `make dist`, and an older version of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tools::{folder, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of the packages: mode, owner and group, path; and the folders that debootstrap's Debian does not have.
const FILES: &[&str] = &[
    "644 root:root /etc/cron.d/pulse-echo",
    "755 root:root /etc/pulse-echo",
    "640 root:pulse-echo /etc/pulse-echo/credentials",
    "755 root:root /etc/pulse-echo/jobs.d",
    "755 root:root /etc/pulse-echo/pulses.d",
    "755 root:root /usr/bin/pulse-echo",
    "644 root:root /usr/lib/systemd/system/pulse-echo.service",
    "644 root:root /usr/lib/systemd/system/pulse-echo.timer",
    "644 root:root /usr/share/bash-completion/completions/pulse-echo",
    "755 root:root /usr/share/doc/pulse-echo",
    "644 root:root /usr/share/doc/pulse-echo/THIRD-PARTY.gz",
    "644 root:root /usr/share/doc/pulse-echo/changelog.gz",
    "644 root:root /usr/share/doc/pulse-echo/copyright",
    "755 root:root /usr/share/doc/pulse-echo/examples",
    "644 root:root /usr/share/doc/pulse-echo/examples/README.md",
    "644 root:root /usr/share/doc/pulse-echo/examples/ansible.yml",
    "644 root:root /usr/share/doc/pulse-echo/examples/cloud-init.yaml",
    "644 root:root /usr/share/doc/pulse-echo/examples/config-own-store.json",
    "644 root:root /usr/share/doc/pulse-echo/examples/config.json",
    "644 root:root /usr/share/doc/pulse-echo/examples/credentials",
    "644 root:root /usr/share/doc/pulse-echo/examples/pulse.json",
    "644 root:root /usr/share/doc/pulse-echo/examples/sign-of-life.json",
    "644 root:root /usr/share/doc/pulse-echo/examples/website.json",
    "755 root:root /usr/share/fish",
    "755 root:root /usr/share/fish/vendor_completions.d",
    "644 root:root /usr/share/fish/vendor_completions.d/pulse-echo.fish",
    "644 root:root /usr/share/man/man1/pulse-echo.1.gz",
    "644 root:root /usr/share/man/man5/pulse-echo-config.5.gz",
    "644 root:root /usr/share/man/man5/pulse-echo-pulse.5.gz",
];

/// The files of a deb.
pub fn files_of_deb() -> Vec<String> {
    with(&[
        "644 root:root /usr/share/doc/pulse-echo/changelog.Debian.gz",
        "644 root:root /usr/share/zsh/vendor-completions/_pulse-echo",
    ])
}

/// The files of an rpm: Fedora's zsh looks in another folder.
pub fn files_of_rpm() -> Vec<String> {
    with(&["755 root:root /usr/share/zsh/site-functions", "644 root:root /usr/share/zsh/site-functions/_pulse-echo"])
}

fn with(own: &[&str]) -> Vec<String> {
    let mut files: Vec<_> = FILES.iter().chain(own).map(ToString::to_string).collect();
    files.sort_unstable();
    files
}

/// A file of `make dist`.
fn of_dist(name: &str) -> PathBuf {
    let file = folder().with_file_name("dist").join(name);
    assert!(file.exists(), "{} is not there: make dist first", file.display());
    file
}

/// The package for this machine (`amd64`) or Arm (`arm64`).
pub fn deb(arch: &str) -> PathBuf {
    of_dist(&format!("pulse-echo_{VERSION}-1_{arch}.deb"))
}

pub fn rpm() -> PathBuf {
    of_dist(&format!("pulse-echo-{VERSION}-1.x86_64.rpm"))
}

/// The package of the local system for this machine or Arm.
pub fn local_deb(arch: &str) -> PathBuf {
    of_dist(&format!("pulse-echo-local_{VERSION}-1_{arch}.deb"))
}

pub fn local_rpm() -> PathBuf {
    of_dist(&format!("pulse-echo-local-{VERSION}-1.x86_64.rpm"))
}

pub fn tarball() -> PathBuf {
    of_dist(&format!("pulse-echo-{VERSION}-linux-x86_64.tar.gz"))
}

/// An older version, with another cron line.
pub struct Older(TempDir);

/// The package's configuration file that operators may change.
pub const CRON_FILE: &str = "etc/cron.d/pulse-echo";

impl Older {
    /// Packs it as `make dist` does, as `deb` or `rpm`.
    pub fn pack(packager: &str) -> Self {
        let binary = of_dist(&format!("pulse-echo-{VERSION}-linux-x86_64"));
        Self::of("packaging/nfpm.yaml", "cron/pulse-echo", "# An older line.\n", &binary, packager)
    }

    /// The local system's, with other settings and this version's program.
    pub fn pack_local(packager: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("dpkg-deb").arg("-x").arg(local_deb("amd64")).arg(folder.path())).unwrap();
        let binary = folder.path().join("usr/bin/pulse-echo-local");
        Self::of("packaging/local/nfpm.yaml", "packaging/local/env", "# Older settings.\n", &binary, packager)
    }

    /// Packs by a list of files, with another text of the file `source`.
    fn of(list: &str, source: &str, text: &str, binary: &Path, packager: &str) -> Self {
        let older = Self(tempfile::tempdir().unwrap());
        let (other, older_list) = (older.0.path().join("other"), older.0.path().join("nfpm.yaml"));
        fs::write(&other, text).unwrap();
        let now = fs::read_to_string(checkout().join(list)).unwrap();
        let source = format!("src: {source}\n");
        assert!(now.contains(&source));
        fs::write(&older_list, now.replace(&source, &format!("src: {}\n", other.display()))).unwrap();
        let generated = older.0.path().join("generated");
        run(Command::new(checkout().join("packaging/generate.sh")).arg(&generated)).unwrap();
        fs::write(generated.join("THIRD-PARTY.gz"), "").unwrap();
        let nfpm = folder().with_file_name("dist-tools").join("bin/nfpm");
        let mut pack = Command::new(nfpm);
        pack.args(["package", "--packager", packager, "--config"]).arg(older_list).arg("--target").arg(older.0.path());
        pack.envs([("ARCH", "amd64"), ("VERSION", "0.0.9"), ("SOURCE_DATE_EPOCH", "1700000000")]);
        pack.env("BINARY", binary).env("GENERATED", generated);
        run(pack.current_dir(checkout())).unwrap();
        older
    }

    /// The path of the package.
    pub fn file(&self) -> PathBuf {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_package = |file: &PathBuf| file.extension().is_some_and(|end| end == "deb" || end == "rpm");
        files.into_iter().find(is_package).expect("it was packed")
    }
}

/// The root of the checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// This version's line for cron.
pub fn cron_file() -> String {
    fs::read_to_string(checkout().join("cron/pulse-echo")).unwrap()
}

/// The command that cron gives to the shell.
pub fn cron_command() -> String {
    let text = cron_file();
    let line = text.lines().find(|line| line.starts_with("*/10 ")).expect("it has one line that is no comment");
    line.split_once(" pulse-echo ").unwrap().1.into()
}
