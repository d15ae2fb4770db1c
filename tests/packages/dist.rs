//! The paths of `make dist`, and how to run other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A processor, by its names.
pub struct Processor {
    /// The name in Rust, rpm and the kernel.
    pub name: &'static str,
    /// The name in readelf.
    pub machine: &'static str,
    debian: &'static str,
    aws: &'static str,
}

pub const X86: Processor =
    Processor { name: "x86_64", machine: "Advanced Micro Devices X86-64", debian: "amd64", aws: "x86_64" };
pub const ARM: Processor = Processor { name: "aarch64", machine: "AArch64", debian: "arm64", aws: "arm64" };

impl Processor {
    pub const ALL: [&Self; 2] = [&X86, &ARM];

    pub fn agent(&self) -> PathBuf {
        folder().join(format!("pulse-echo-{VERSION}-linux-{}", self.name))
    }

    pub fn deb(&self) -> PathBuf {
        folder().join(format!("pulse-echo_{VERSION}-1_{}.deb", self.debian))
    }

    pub fn rpm(&self) -> PathBuf {
        folder().join(format!("pulse-echo-{VERSION}-1.{}.rpm", self.name))
    }

    /// The local system's.
    pub fn local_deb(&self) -> PathBuf {
        folder().join(format!("pulse-echo-local_{VERSION}-1_{}.deb", self.debian))
    }

    pub fn local_rpm(&self) -> PathBuf {
        folder().join(format!("pulse-echo-local-{VERSION}-1.{}.rpm", self.name))
    }

    pub fn tarball(&self) -> PathBuf {
        folder().join(format!("pulse-echo-{VERSION}-linux-{}.tar.gz", self.name))
    }

    pub fn lambda(&self) -> PathBuf {
        folder().join(format!("pulse-echo-lambda-{VERSION}-{}.zip", self.aws))
    }
}

/// What the licences ask for of those who pass on an agent that is not in a package.
pub fn third_party() -> PathBuf {
    folder().join(format!("pulse-echo-{VERSION}-THIRD-PARTY"))
}

/// What a deployment to AWS needs.
pub fn aws_tarball() -> PathBuf {
    folder().join(format!("pulse-echo-aws-{VERSION}.tar.gz"))
}

/// The output folder of `make dist`.
pub fn folder() -> PathBuf {
    target().join("dist")
}

pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().into()
}

pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A line for bash, with paths as `$1`, `$2` …; a failure within a pipe fails the line.
pub fn shell(line: &str, paths: &[&Path]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", line, "bash"]).args(paths).env("LC_ALL", "C").current_dir(folder());
    command
}

/// The program's stdout if it succeeds; all its output if it fails.
pub fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    Err(format!("{command:?}: {}\n{stdout}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Returns an error that says what was seen, unless `holds`.
pub fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(seen()) }
}
