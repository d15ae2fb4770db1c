//! `remove.sh`, and what is there again after the next deployment.

use crate::cloud::{Cloud, eventually, refused, said};
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] = &[
    ("nothing is taken away without a yes", asks),
    ("remove.sh takes the stack, and keeps bucket and users without rights", removed),
    ("deployed again from the tarball on the kept bucket, hosts have their rights again with their keys", again),
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
    let told = said(&cloud.deploy_from_tarball(&["BUCKET=pulses"])?)?;
    for words in ["the bucket pulses was there", "has its echo"] {
        ensure(told.contains(words), || format!("no {words:?} in {told}"))?;
    }
    let told = said(&cloud.script("host.sh", &["web-1"]))?;
    ensure(told.contains("has its rights again"), || told.clone())?;
    cloud.put(Some("web-1"), "pulse/web-1.json", "{}", &[("x-amz-meta-pulse-id", "again")]);
    eventually("its echo", || (cloud.get(Some("web-1"), "echo/web-1.json").status == 200).then_some(()))
}

fn all(cloud: &Cloud) -> Outcome {
    said(&cloud.script("remove.sh", &["--yes", "--data", "--hosts"]))?;
    let buckets = cloud.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"])?;
    ensure(!buckets.split_whitespace().any(|bucket| bucket == "pulses"), || buckets.clone())?;
    let users = cloud.aws(&["iam", "list-users", "--query", "Users[].UserName", "--output", "text"])?;
    ensure(!users.contains("web-1"), || users.clone())?;
    ensure(users.contains("stranger") && users.contains("operator"), || format!("others' users went: {users}"))
}
