//! A bucket that was there before, with notifications of others.

use std::fs;

use serde_json::{Value, json};

use crate::cloud::{BUCKET, Cloud, refused, said};
use crate::template::Stack;
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] = &[
    ("a notification that overlaps ours is named, and nothing is changed", overlap),
    ("a bucket with a stranger's notification is taken, and keeps it", taken),
    ("a second run leaves the notifications as they are", second),
    ("and keeps it when we go", gone),
    ("over http a host may neither write nor read its pulse", without_tls),
];

const TOPIC: &str = "arn:aws:sns:eu-central-1:000000000000:uploads";

fn notify(cloud: &Cloud, prefix: &str) -> Outcome {
    let configuration = json!({"TopicConfigurations": [{
        "Id": "uploads", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
    }]});
    fs::write(cloud.folder.path().join("notification.json"), configuration.to_string())?;
    cloud.aws(&[
        "s3api",
        "put-bucket-notification-configuration",
        "--bucket",
        "shared",
        "--notification-configuration",
        "file://notification.json",
    ])?;
    Ok(())
}

fn notifications(cloud: &Cloud) -> Result<Value, Box<dyn std::error::Error>> {
    let said = cloud.aws(&["s3api", "get-bucket-notification-configuration", "--bucket", "shared"])?;
    Ok(serde_json::from_str(&said).unwrap_or_default())
}

fn overlap(cloud: &Cloud) -> Outcome {
    cloud.aws(&[
        "s3api",
        "create-bucket",
        "--bucket",
        "shared",
        "--create-bucket-configuration",
        "LocationConstraint=eu-central-1",
    ])?;
    cloud.aws(&["sns", "create-topic", "--name", "uploads"])?;
    notify(cloud, "pulse/web")?;
    let before = notifications(cloud)?;
    refused(&cloud.deploy(&["STACK=second", "BUCKET=shared"]), &["\"uploads\"", "pulse/web", "overlaps"])?;
    ensure(notifications(cloud)? == before, || "the notifications were changed".into())?;
    ensure(cloud.output("second", "BucketName").is_err(), || "there is a stack".into())
}

fn taken(cloud: &Cloud) -> Outcome {
    notify(cloud, "uploads/")?;
    let told = said(&cloud.deploy(&["STACK=second", "BUCKET=shared"]))?;
    for words in ["the bucket shared was there", "put-bucket-lifecycle-configuration", "has its echo"] {
        ensure(told.contains(words), || format!("no {words:?} in {told}"))?;
    }
    held(&notifications(cloud)?)
}

fn held(now: &Value) -> Outcome {
    let topics: Vec<_> = now["TopicConfigurations"].as_array().into_iter().flatten().map(|each| &each["Id"]).collect();
    ensure(topics == ["uploads"], || now.to_string())?;
    let functions = now["LambdaFunctionConfigurations"].as_array().into_iter().flatten();
    let ids: Vec<_> = functions.map(|each| each["Id"].as_str().unwrap_or_default()).collect();
    ensure(ids == ["pulse-echo-second-pulse", "pulse-echo-second-loop"], || now.to_string())
}

fn second(cloud: &Cloud) -> Outcome {
    let told = said(&cloud.deploy(&["STACK=second"]))?;
    ensure(told.contains("nothing changes"), || told.clone())?;
    held(&notifications(cloud)?)
}

fn gone(cloud: &Cloud) -> Outcome {
    said(&cloud.script("remove.sh", &["STACK=second", "--yes"]))?;
    let now = notifications(cloud)?;
    ensure(now["TopicConfigurations"][0]["Id"] == "uploads", || now.to_string())?;
    ensure(now.get("LambdaFunctionConfigurations").is_none_or(|list| list == &json!([])), || now.to_string())
}

fn without_tls(cloud: &Cloud) -> Outcome {
    let cloud = cloud.without_tls()?;
    let region = ["--create-bucket-configuration", "LocationConstraint=eu-central-1"];
    cloud.aws(&[&["s3api", "create-bucket", "--bucket", BUCKET][..], &region].concat())?;
    // The template's own policies, without its functions. The emulator asks no policy about the account's root.
    let policies = Stack::new(&[("BucketName", BUCKET)]).policies();
    for name in ["HostPolicy", "BucketPolicy"] {
        fs::write(cloud.folder.path().join(name), policies[name].to_string())?;
    }
    let user = ["--user-name", "web-1"];
    cloud.aws(&[&["iam", "create-user"], &user[..]].concat())?;
    let policy = ["--policy-name", "host", "--policy-document", "file://HostPolicy"];
    cloud.aws(&[&["iam", "put-user-policy"], &user[..], &policy].concat())?;
    cloud.make_key("web-1")?;
    let put = || cloud.put(Some("web-1"), "pulse/web-1.json", "{}", &[]);
    let before = put();
    ensure(before.status == 200, || format!("without the bucket's policy: {before:?}"))?;
    cloud.aws(&["s3api", "put-bucket-policy", "--bucket", BUCKET, "--policy", "file://BucketPolicy"])?;
    for (what, answer) in [("PUT", put()), ("GET", cloud.get(Some("web-1"), "pulse/web-1.json"))] {
        ensure(answer.status == 403 && answer.body.contains("explicit deny"), || format!("{what}: {answer:?}"))?;
    }
    Ok(())
}
