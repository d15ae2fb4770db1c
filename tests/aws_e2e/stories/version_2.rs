//! The scripts with the oldest aws-cli 2 that they say they work with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::cloud::{Cloud, checkout, said};
use crate::{Outcome, Story, ensure};

/// A minute and more: left to `make e2e-all`.
pub const STORIES: &[Story] =
    &[("with aws-cli 2.9 a stack is deployed, changed and removed, and a host gets and loses its key", all)];

fn all(cloud: &Cloud) -> Outcome {
    let folder = program(cloud)?;
    let script = |name: &str, arguments: &[&str]| {
        let arguments = [&["STACK=version-2"], arguments].concat();
        said(&cloud.with_path(&folder, name, &arguments))
    };
    let needed = cloud.needed();
    let deploy = |arguments: &[&str]| {
        let all: Vec<_> = needed.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        script("deploy.sh", &all)
    };
    let expect = |told: String, words: &[&str]| {
        ensure(words.iter().all(|word| told.contains(word)), || format!("not all of {words:?} in {told}"))
    };
    expect(deploy(&["BUCKET=by-version-2", "DRY=1"])?, &["AWS::S3::Bucket", "nothing was changed"])?;
    expect(deploy(&["BUCKET=by-version-2", "TAGS=team=ops,cost=42"])?, &["has its echo"])?;
    expect(deploy(&[])?, &["nothing changes", "has its echo"])?;
    expect(deploy(&["DRIVER=queue", "TICK_S=30"])?, &["Modify", "has its echo"])?;
    expect(script("host.sh", &["db-1"])?, &["config.json, pulse.json and credentials"])?;
    expect(script("host.sh", &["db-1", "--policy"])?, &["/pulse/db-1.json"])?;
    said(&cloud.agent("db-1", &["send"]))?;
    expect(script("host.sh", &["db-1", "--rotate"])?, &["delete-access-key --user-name db-1"])?;
    expect(script("host.sh", &["db-1", "--remove"])?, &["no user and no key"])?;
    expect(script("remove.sh", &["--yes"])?, &["stays: the bucket by-version-2", "is gone"])?;
    // On the kept bucket, whose notifications it has to merge.
    expect(deploy(&["BUCKET=by-version-2"])?, &["the bucket by-version-2 was there", "has its echo"])?;
    expect(script("remove.sh", &["--yes", "--data", "--hosts"])?, &["is gone"])
}

/// A folder with an `aws` of that version. It has no variable for the endpoint yet.
fn program(cloud: &Cloud) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let unpacked = cloud.venv.with_file_name("aws2");
    said(&Command::new(checkout().join("tests/aws_e2e/aws2.sh")).arg(&unpacked).output()?)?;
    let folder = cloud.folder.path().join("version-2");
    fs::create_dir(&folder)?;
    let program = folder.join("aws");
    let unpacked = unpacked.join("aws");
    fs::write(
        &program,
        format!("#!/bin/sh\nexec {} --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n", unpacked.display()),
    )?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}
