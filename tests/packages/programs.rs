//! The programs themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::dist::{self, ARM, Processor, X86, ensure, said, shell};
use crate::{Check, Outcome};

/// In bytes.
const AGENT_AT_MOST: u64 = 1_920_000;
const DEB_AT_MOST: u64 = 950_000;
const ZIP_AT_MOST: u64 = 3_000_000;

pub const CHECKS: &[Check] = &[
    ("every program is a static PIE for its processor", static_pies),
    ("the agent has at most 1.92 MB, its deb 950 KB, a zip for Lambda 3 MB", sizes),
    ("no program tells where it was built", no_places),
    ("the agents and the local systems run and know their version", version),
    ("an address in other letters than ASCII is refused with its remedy, and taken as xn--", other_letters),
];

/// The agents, the Lambda programs and the local systems, unpacked into `folder`.
fn programs(folder: &TempDir) -> Result<Vec<(PathBuf, &'static Processor)>, String> {
    let mut programs = Vec::new();
    for processor in Processor::ALL {
        let lambda = folder.path().join(processor.name);
        let names = said(&mut shell("unzip -qq -d \"$2\" \"$1\"; ls -A \"$2\"", &[&processor.lambda(), &lambda]))?;
        ensure(names == "THIRD-PARTY\nbootstrap\n", || format!("{}: {names}", processor.lambda().display()))?;
        programs.push((processor.agent(), processor));
        programs.push((lambda.join("bootstrap"), processor));
        let local = folder.path().join(format!("local-{}", processor.name));
        said(&mut shell("dpkg-deb -x \"$1\" \"$2\"", &[&processor.local_deb(), &local]))?;
        programs.push((local.join("usr/bin/pulse-echo-local"), processor));
    }
    Ok(programs)
}

fn static_pies() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    for (program, processor) in programs(&folder)? {
        let elf = said(&mut shell("readelf --wide --file-header --segments --dynamic \"$1\"", &[&program]))?;
        let needs = ["INTERP", "(NEEDED)"].iter().any(|word| elf.contains(word));
        let is_right = elf.contains("DYN (Position-Independent Executable file)") && elf.contains(processor.machine);
        ensure(is_right && !needs, || format!("{}: {elf}", program.display()))?;
        let file = said(&mut shell("file --brief \"$1\"", &[&program]))?;
        ensure(file.contains("static-pie linked, stripped"), || format!("{}: {file}", program.display()))?;
    }
    let ldd = said(&mut shell("ldd \"$1\"", &[&X86.agent()]))?;
    ensure(ldd == "\tstatically linked\n", || ldd)
}

fn sizes() -> Outcome {
    for (path, at_most) in [
        (X86.agent(), AGENT_AT_MOST),
        (ARM.agent(), AGENT_AT_MOST),
        (X86.deb(), DEB_AT_MOST),
        (ARM.deb(), DEB_AT_MOST),
        (X86.lambda(), ZIP_AT_MOST),
        (ARM.lambda(), ZIP_AT_MOST),
    ] {
        let size = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        ensure(size <= at_most, || format!("{} has {size} bytes", path.display()))?;
    }
    Ok(())
}

fn no_places() -> Outcome {
    let sysroot = said(Command::new("rustc").args(["--print", "sysroot"]))?;
    let home = std::env::var("HOME").unwrap();
    let checkout = dist::checkout().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (program, _) in programs(&folder)? {
        let bytes = fs::read(&program).map_err(|error| error.to_string())?;
        for place in [format!("{home}/"), checkout.into(), sysroot.trim_end().into(), "/registry/src".into()] {
            let found = bytes.windows(place.len()).any(|window| window == place.as_bytes());
            ensure(!found, || format!("{place} is in {}", program.display()))?;
        }
    }
    Ok(())
}

fn version() -> Outcome {
    let mut arm = Command::new("qemu-aarch64-static");
    arm.arg(ARM.agent());
    for mut agent in [Command::new(X86.agent()), arm] {
        let version = said(agent.arg("--version"))?;
        ensure(version == concat!("pulse-echo ", env!("CARGO_PKG_VERSION"), "\n"), || version)?;
    }
    let folder = tempfile::tempdir().unwrap();
    for (program, processor) in programs(&folder)? {
        if program.ends_with("pulse-echo-local") {
            let name = if processor.name == ARM.name { "qemu-aarch64-static" } else { "env" };
            let version = said(Command::new(name).arg(&program).arg("--version"))?;
            ensure(version == concat!("pulse-echo-local ", env!("CARGO_PKG_VERSION"), "\n"), || version)?;
        }
    }
    Ok(())
}

fn other_letters() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let init = |url: &str| {
        let config = folder.path().join(url.len().to_string()).join("config.json");
        fs::create_dir_all(config.parent().unwrap()).unwrap();
        init_for(url, &config)
    };
    let refused = init("https://bücher.example/").err().unwrap_or_default();
    ensure(refused.contains("its host cannot be used; write it in ASCII (xn--…)"), || refused)?;
    init("https://xn--bcher-kva.example/")
}

fn init_for(url: &str, config: &Path) -> Outcome {
    let mut init = Command::new(X86.agent());
    init.arg("--config").arg(config).args([
        "init",
        "--bucket",
        "pulses",
        "--region",
        "eu-central-1",
        "--host",
        "web-1",
    ]);
    said(init.args(["--url", url])).map(|_| ())
}
