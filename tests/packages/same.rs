//! The same commit builds the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::dist::{self, Processor, X86, said, shell};
use crate::{Check, Outcome};

pub const CHECKS: &[Check] = &[
    ("the same programs packed once more give the same bytes", packed_again),
    (
        "the agent for x86_64, built in another place with another home and another rustc's folder, is the same",
        built_elsewhere,
    ),
];

fn packed_again() -> Outcome {
    let programs = tempfile::tempdir().unwrap();
    for processor in Processor::ALL {
        let agent = programs.path().join(format!("agent-{}", processor.name));
        fs::copy(processor.agent(), &agent).map_err(|error| error.to_string())?;
        fs::copy(dist::third_party(), agent.with_extension("notices")).map_err(|error| error.to_string())?;
        let lambda = programs.path().join(format!("lambda-{}", processor.name));
        let unpack = "unzip -qq -p \"$1\" bootstrap >\"$2\"; unzip -qq -p \"$1\" THIRD-PARTY >\"$2.notices\"";
        said(&mut shell(unpack, &[&processor.lambda(), &lambda]))?;
        let local = programs.path().join(format!("local-{}", processor.name));
        let unpack = "tar=$(mktemp); dpkg-deb --fsys-tarfile \"$1\" >\"$tar\"
            tar -xOf \"$tar\" ./usr/bin/pulse-echo-local >\"$2\"
            tar -xOf \"$tar\" ./usr/share/doc/pulse-echo-local/THIRD-PARTY.gz | gunzip >\"$2.notices\"; rm \"$tar\"";
        said(&mut shell(unpack, &[&processor.local_deb(), &local]))?;
    }
    let again = tempfile::tempdir().unwrap();
    let mut pack = Command::new(dist::checkout().join("packaging/package.sh"));
    pack.arg(programs.path()).arg(again.path()).env("TOOLS", tools());
    if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
        let commit = said(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(dist::checkout()))?;
        pack.env("SOURCE_DATE_EPOCH", commit.trim_end());
    }
    said(&mut pack)?;
    said(&mut shell("diff --recursive \"$1\" \"$2\"", &[&dist::folder(), again.path()])).map(|_| ())
}

/// Builds where everything that could leak into the output is elsewhere: the checkout, the home with cargo's crates,
/// and rustc.
fn built_elsewhere() -> Outcome {
    // Within the build directory, so that rustc's files can be linked rather than copied where disks allow.
    let elsewhere = TempDir::new_in(dist::target()).unwrap();
    let elsewhere = elsewhere.path();
    let sysroot = said(Command::new("rustc").args(["--print", "sysroot"]))?;
    let copy = r#"
        cd "$1"
        mkdir checkout home
        (cd "$2" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1/checkout")
        mkdir -p rust home/.cargo/registry
        cp -r "${CARGO_HOME:-$HOME/.cargo}/registry/"{index,cache} home/.cargo/registry
        cp -al "$3/bin" "$3/lib" rust 2>/dev/null || cp -a "$3/bin" "$3/lib" rust
    "#;
    said(&mut shell(copy, &[elsewhere, dist::checkout(), Path::new(sysroot.trim_end())]))?;
    let path = format!("{}:{}", elsewhere.join("rust/bin").display(), std::env::var("PATH").unwrap());
    let again = elsewhere.join("agent");
    let mut build = Command::new(elsewhere.join("checkout/packaging/build.sh"));
    build.args(["agent", X86.name]).arg(&again);
    build.env("PATH", path).env("HOME", elsewhere.join("home")).env("CARGO_TARGET_DIR", elsewhere.join("build"));
    for variable in ["CARGO_HOME", "CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        build.env_remove(variable);
    }
    said(build.env("TOOLS", tools()))?;
    said(&mut shell("cmp \"$1\" \"$2\"", &[&X86.agent(), &again])).map(|_| ())
}

fn tools() -> std::path::PathBuf {
    dist::target().join("dist-tools")
}
