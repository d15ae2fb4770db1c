//! What the licences of other people's code ask for is in all that is given away.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::dist::{self, Processor, ensure, said, shell};
use crate::{Check, Outcome};

pub const CHECKS: &[Check] = &[
    ("each package and archive names each crate in its program, with the text of its licence", complete),
    ("the rpm marks the licences of others as licences", marked),
    ("a crate without a text, or with a licence that is not allowed, is refused by its name", refused),
];

/// The crates that cargo links into a package, as `name version`.
fn crates(package: &str, more: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(dist::checkout()).args(["tree", "--locked", "--package", package, "--prefix", "none"]);
    tree.args(["--edges", "normal,no-proc-macro", "--format", "{p}", "--target", "x86_64-unknown-linux-musl"]);
    let listed = said(tree.args(more))?;
    let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ").replacen(" v", " ", 1);
    let crates: BTreeSet<_> = listed.lines().map(words).filter(|name| !name.starts_with("pulse-echo")).collect();
    ensure(crates.len() > 50, || format!("{package} has few crates: {crates:?}")).map(|()| crates)
}

/// The works that a text names at its beginning, and those whose licences or notices it has.
fn named(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let listed = text.split("\n=====").next().unwrap_or_default().lines().filter_map(|line| line.split_once("  "));
    let mut with_text = BTreeSet::new();
    for head in text.split("Licence or notice of: ").skip(1) {
        let head = head.split("\n=").next().unwrap_or_default().replace('\n', " ");
        with_text.extend(head.split(", ").map(String::from));
    }
    (listed.map(|(work, _)| work.trim().to_string()).collect(), with_text)
}

fn complete() -> Outcome {
    // The packages' agent has an idna_adapter without tables, see packaging/build.sh.
    let mut of_agent = crates("pulse-echo", &["--prune", "idna_adapter"])?;
    of_agent.insert("idna_adapter 1.0.0".into());
    let of_lambda = crates("pulse-echo-lambda", &[])?;
    let of_local = crates("pulse-echo-local", &[])?;
    let mut texts = vec![
        (dist::third_party(), "cat \"$1\"", &of_agent),
        (dist::aws_tarball(), "tar -xzOf \"$1\" --wildcards '*/THIRD-PARTY'", &of_lambda),
    ];
    for processor in Processor::ALL {
        let of_deb = "dpkg-deb --fsys-tarfile \"$1\" | tar -xO --wildcards './usr/share/doc/*/THIRD-PARTY.gz' | gunzip";
        texts.push((processor.deb(), of_deb, &of_agent));
        texts.push((processor.local_deb(), of_deb, &of_local));
        texts.push((processor.lambda(), "unzip -p \"$1\" THIRD-PARTY", &of_lambda));
    }
    for (file, line, crates) in texts {
        let text = said(&mut shell(line, &[&file]))?;
        let (listed, with_text) = named(&text);
        let wrong = |what: &str, works: Vec<&String>| format!("{}: {what}: {works:?}", file.display());
        let missing: Vec<_> = crates.difference(&listed).collect();
        ensure(missing.is_empty(), || wrong("not named", missing))?;
        let without: Vec<_> = listed.symmetric_difference(&with_text).collect();
        ensure(without.is_empty(), || wrong("named or with a text, but not both", without))?;
        for work in ["musl", "Rust's standard library", "LLVM's libunwind"] {
            ensure(listed.iter().any(|known| known.starts_with(work)), || wrong("not named", vec![&work.to_string()]))?;
        }
        let has_tables = |works: &BTreeSet<String>| works.iter().any(|work| work.starts_with("icu_"));
        let is_own_lock = has_tables(&listed) == has_tables(crates);
        ensure(is_own_lock, || format!("{}: the crates of another Cargo.lock", file.display()))?;
    }
    Ok(())
}

fn marked() -> Outcome {
    for processor in Processor::ALL {
        for (rpm, folder) in
            [(processor.rpm(), "/usr/share/doc/pulse-echo"), (processor.local_rpm(), "/usr/share/doc/pulse-echo-local")]
        {
            let marked = said(&mut shell("rpm -qp --licensefiles \"$1\"", &[&rpm]))?;
            ensure(marked == format!("{folder}/THIRD-PARTY.gz\n{folder}/copyright\n"), || marked.clone())?;
        }
    }
    Ok(())
}

fn refused() -> Outcome {
    let text = "Do as you like.";
    for (licence, text, why) in [
        (Some("MIT"), None, "copied 1.2.3: there is no text of its licence (MIT)"),
        (Some("GPL-3.0-only"), Some(text), "copied 1.2.3: its licence is GPL-3.0-only, which"),
        (Some("MIT AND (ISC OR MPL-2.0) AND MPL-2.0"), Some(text), "copied 1.2.3: its licence is MIT AND"),
        (None, Some(text), "copied 1.2.3: its licence is not named"),
    ] {
        let told = notices_with(licence, text).err().unwrap_or_default();
        ensure(told.contains(why), || format!("{licence:?}: {told}"))?;
    }
    for licence in ["GPL-2.0-only OR (MIT AND Apache-2.0 WITH LLVM-exception)", "Apache-2.0/GPL-3.0-only"] {
        let written = notices_with(Some(licence), Some(text))?;
        ensure(written.contains("Licence or notice of: copied 1.2.3\n") && written.contains(text), || written.clone())?;
    }
    Ok(())
}

/// What is written for a program that is made of one crate with this licence and this text of it.
fn notices_with(licence: Option<&str>, text: Option<&str>) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("program");
    let copied = folder.path().join("copied");
    let licence = licence.map(|licence| format!("license = \"{licence}\"\n")).unwrap_or_default();
    crate_in(&copied, &format!("[package]\nname = \"copied\"\nversion = \"1.2.3\"\nedition = \"2024\"\n{licence}"));
    if let Some(text) = text {
        fs::write(copied.join("LICENSE"), text).unwrap();
    }
    crate_in(
        &source,
        "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\ncopied = {path = \"../copied\"}\n",
    );
    said(Command::new(env!("CARGO")).args(["generate-lockfile", "--offline"]).current_dir(&source))?;
    let out = folder.path().join("out");
    let script = dist::checkout().join("packaging/notices.py");
    said(Command::new(script).arg("program").args([&source, &out]))?;
    fs::read_to_string(out).map_err(|error| error.to_string())
}

fn crate_in(folder: &Path, manifest: &str) {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
}
