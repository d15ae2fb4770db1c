//! `remove.sh`, and what is there again after the next deployment.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::deploy::while_pulses_flow;
use crate::cloud::{Cloud, checkout, eventually, refused, said};
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] = &[
    ("nothing is taken away without a yes", asks),
    ("remove.sh takes the stack, and keeps bucket and users without rights", removed),
    (
        "deployed again from the tarball on the kept bucket, from the last release too, hosts have their rights again",
        again,
    ),
    ("with --data and --hosts nothing is left but the code", all),
];

fn asks(cloud: &Cloud) -> Outcome {
    refused(&cloud.script("remove.sh", &[]), &["--yes"])?;
    refused(&cloud.script("remove.sh", &["STACK=other", "--yes"]), &["there is no stack other"])?;
    ensure(cloud.output("pulse-echo", "BucketName").is_ok(), || "it is gone".into())
}

fn removed(cloud: &Cloud) -> Outcome {
    let told = said(&cloud.script("remove.sh", &["--yes"]))?;
    for words in ["goes:  the stack", "stays: the bucket pulses", "stays: 2 users", "pulse-echo is gone"] {
        ensure(told.contains(words), || format!("no {words:?} in {told}"))?;
    }
    ensure(cloud.output("pulse-echo", "BucketName").is_err(), || "the stack is still there".into())?;
    ensure(cloud.get(None, "pulse/web-1.json").status == 200, || "the bucket is empty".into())?;
    let notifications = cloud.aws(&["s3api", "get-bucket-notification-configuration", "--bucket", "pulses"])?;
    ensure(!notifications.contains("Lambda"), || notifications.clone())?;
    ensure(cloud.get(Some("web-1"), "pulse/web-1.json").status == 403, || "web-1 has its rights".into())
}

fn again(cloud: &Cloud) -> Outcome {
    let deploy = || {
        let told = said(&cloud.deploy_from_tarball(&["BUCKET=pulses"])?)?;
        for words in ["the bucket pulses was there", "has its echo"] {
            ensure(told.contains(words), || format!("no {words:?} in {told}"))?;
        }
        Ok(())
    };
    if let Some(before) = last_release(cloud)? {
        said(&cloud.script(before.join("deploy.sh").to_str().unwrap(), &["BUCKET=pulses", "ProbeAllow=127.0.0.0/8"]))?;
        while_pulses_flow(cloud, "upgrade", deploy)?;
    } else {
        println!("    no release before this one: nothing to upgrade from");
        deploy()?;
    }
    let told = said(&cloud.script("host.sh", &["web-1"]))?;
    ensure(told.contains("has its rights again"), || told.clone())?;
    cloud.put(Some("web-1"), "pulse/web-1.json", "{}", &[("x-amz-meta-pulse-id", "again")]);
    eventually("its echo", || (cloud.get(Some("web-1"), "echo/web-1.json").status == 200).then_some(()))
}

/// The scripts and the template of the last release before this commit, if there is one.
fn last_release(cloud: &Cloud) -> Result<Option<PathBuf>, Box<dyn std::error::Error>> {
    let git = |arguments: &[&str]| Command::new("git").current_dir(checkout()).args(arguments).output();
    let tag = git(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD~1"])?;
    if !tag.status.success() {
        return Ok(None);
    }
    let tag = String::from_utf8(tag.stdout)?;
    let folder = cloud.folder.path().join("last-release");
    fs::create_dir(&folder)?;
    let archive = folder.join("scripts.tar");
    said(&git(&["archive", "--output", archive.to_str().unwrap(), tag.trim(), "packaging/aws"])?)?;
    said(&Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&folder).output()?)?;
    println!("    from {}", tag.trim());
    Ok(Some(folder.join("packaging/aws")))
}

fn all(cloud: &Cloud) -> Outcome {
    said(&cloud.script("remove.sh", &["--yes", "--data", "--hosts"]))?;
    let buckets = cloud.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"])?;
    ensure(!buckets.split_whitespace().any(|bucket| bucket == "pulses"), || buckets.clone())?;
    let users = cloud.aws(&["iam", "list-users", "--query", "Users[].UserName", "--output", "text"])?;
    ensure(!users.contains("web-1"), || users.clone())?;
    ensure(users.contains("stranger") && users.contains("operator"), || format!("others' users went: {users}"))
}
