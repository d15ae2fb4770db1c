//! The tools of the stories: looked for, and installed once.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{machine, root};

/// A program, and how to install it.
pub struct Tool {
    programs: &'static [&'static str],
    packages: &'static [&'static str],
    further: fn() -> Result<(), String>,
}

const fn of_apt(programs: &'static [&'static str], packages: &'static [&'static str]) -> Tool {
    Tool { programs, packages, further: || Ok(()) }
}

/// A Debian to install packages into.
pub const DEBIAN: Tool = Tool { further: root::make, ..of_apt(&["debootstrap"], &["debootstrap"]) };
/// A Debian that boots.
pub const MACHINE: Tool = Tool {
    further: machine::make,
    ..of_apt(&["mmdebstrap", "mke2fs", "qemu-system-x86_64"], &["mmdebstrap", "e2fsprogs", "qemu-system-x86"])
};
pub const RPM: Tool = of_apt(&["rpm"], &["rpm"]);
pub const QEMU: Tool = of_apt(&["qemu-aarch64-static"], &["qemu-user-static"]);
pub const SYSTEMD: Tool = of_apt(&["systemd-analyze"], &["systemd"]);
pub const SHELLS: Tool = of_apt(&["bash", "zsh", "fish"], &["bash", "zsh", "fish"]);
pub const MAN: Tool = of_apt(&["mandoc"], &["mandoc"]);
/// Ansible, and a validator for cloud-init's schema.
pub const PYTHON: Tool = Tool { further: make_venv, ..of_apt(&["python3", "dpkg-deb"], &["python3-venv", "dpkg"]) };

impl Tool {
    /// Installs it, unless it is there. The error says why that failed.
    pub fn install(&self) -> Result<(), String> {
        let is_there = |program: &&str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).exists())
        };
        let lacking: Vec<_> = self.programs.iter().filter(|program| !is_there(program)).collect();
        if !lacking.is_empty() {
            println!("installing {lacking:?}");
            apt(&["update"])?;
            apt(&[&["install", "--yes", "--no-install-recommends"], self.packages].concat())?;
        }
        (self.further)()
    }
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    run(Command::new("apt-get").arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Runs a command. The error is the last line of its output.
pub fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing");
    Err(format!("{command:?} ended with {} and said: {last}", output.status))
}

/// The folder for installed tools, in the build directory.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e")
}

/// A program of the venv.
pub fn of_venv(program: &str) -> PathBuf {
    folder().join("install-python/bin").join(program)
}

fn make_venv() -> Result<(), String> {
    let done = folder().join("install-python/done");
    if done.exists() {
        return Ok(());
    }
    println!("installing Ansible");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder().join("install-python")))?;
    let wanted = ["ansible-core==2.15.13", "jsonschema==4.25.1", "PyYAML==6.0.3"];
    run(Command::new(of_venv("pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(wanted))?;
    std::fs::write(done, "").map_err(|error| error.to_string())
}
