//! `host.sh`, and what a host may do with what it makes.

use crate::cloud::{Cloud, eventually, refused, said};
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] = &[
    ("host.sh makes a host's user, key and configuration, once", once),
    ("a name that IAM cannot have or tell apart is refused, with what to do instead", names),
    ("a host may write its own pulses, and read its own answers and the mark", own),
    ("a host may not touch another's, nor read what is of the fleet; web-1 is not web-10", others),
    ("a pulse that the probe could not read is refused", unreadable),
    ("a second key replaces the first, a third is refused", rotate),
    ("an operator reads all and steers, but writes no pulse", operator),
];

fn once(cloud: &Cloud) -> Outcome {
    let told = said(&cloud.script("host.sh", &["web-1"]))?;
    ensure(told.contains("/etc/pulse-echo/") && told.contains("pulse-echo run"), || told.clone())?;
    said(&cloud.script("host.sh", &["web-10"]))?;
    refused(&cloud.script("host.sh", &["web-1"]), &["has its key", "--rotate"])?;
    refused(&cloud.script("host.sh", &["STACK=other", "web-2"]), &["there is no stack other"])
}

fn names(cloud: &Cloud) -> Outcome {
    let long = "a".repeat(65);
    refused(&cloud.script("host.sh", &[&long]), &["has 65 letters", "a role of its own", "certificate"])?;
    refused(&cloud.script("host.sh", &["WEB-1"]), &["differs from WEB-1 by case alone", "a role of its own"])?;
    refused(&cloud.script("host.sh", &["localhost"]), &["every machine's name"])?;
    refused(&cloud.script("host.sh", &["../web-1"]), &["is no host's name"])?;
    refused(&cloud.script("host.sh", &[]), &["which host?"])?;
    cloud.aws(&["iam", "create-user", "--user-name", "stranger"])?;
    refused(&cloud.script("host.sh", &["stranger"]), &["not of this stack", "a role of its own"])?;
    let policy = said(&cloud.script("host.sh", &[&long, "--policy"]))?;
    ensure(policy.contains(&format!("/pulse/{long}.json")) && !policy.contains("${"), || policy.clone())
}

fn own(cloud: &Cloud) -> Outcome {
    for key in ["pulse/web-1.json", "pulse/web-1/db.json", "retire/web-1/db.json"] {
        let answer = cloud.put(Some("web-1"), key, "{}", &[("x-amz-meta-pulse-id", "1")]);
        ensure(answer.status == 200, || format!("PUT {key}: {answer:?}"))?;
    }
    for key in ["pulse/web-1.json", "echo/web-1.json", "echo/web-1/db.json"] {
        eventually(key, || (cloud.get(Some("web-1"), key).status == 200).then_some(()))?;
    }
    cloud.sweep()?;
    for key in ["loop/Update.json", "pulse/web-1.json"] {
        let answer = cloud.get(Some("web-1"), key);
        ensure(answer.status == 200, || format!("GET {key}: {answer:?}"))?;
    }
    let answer = cloud.delete(Some("web-1"), "pulse/web-1/db.json");
    ensure(answer.status == 204, || format!("DELETE: {answer:?}"))
}

fn others(cloud: &Cloud) -> Outcome {
    cloud.put(Some("web-10"), "pulse/web-10.json", "{}", &[]);
    eventually("web-10's echo", || (cloud.get(None, "echo/web-10.json").status == 200).then_some(()))?;
    let host = Some("web-1");
    let mut tried = Vec::new();
    for key in [
        "pulse/web-10.json",
        "pulse/web-10/db.json",
        "pulse/web-1x.json",
        "echo/web-1.json",
        "fault/web-1.json",
        "retire/web-10.json",
        "mute/web-1.json",
        "loop/Stop.lambda",
        "loop/Update.json",
        "status.json",
        "web-1.json",
    ] {
        tried.push((format!("PUT {key}"), cloud.put(host, key, "{}", &[])));
    }
    for key in ["pulse/web-10.json", "echo/web-10.json", "status.json", "history.json", "retire/web-1.json"] {
        tried.push((format!("GET {key}"), cloud.get(host, key)));
    }
    for key in ["pulse/web-10.json", "echo/web-1.json", "retire/web-1/db.json", "loop/Update.json"] {
        tried.push((format!("DELETE {key}"), cloud.delete(host, key)));
    }
    tried.push(("LIST".into(), cloud.list(host)));
    for (what, answer) in tried {
        ensure(answer.status == 403 && answer.body.contains("AccessDenied"), || format!("{what}: {answer:?}"))?;
    }
    Ok(())
}

fn unreadable(cloud: &Cloud) -> Outcome {
    let sse_c = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        ("x-amz-server-side-encryption-customer-key-md5", "hRasmdxgYDKV3nvbahU1MA=="),
    ];
    for headers in [
        &sse_c[..],
        &[("x-amz-server-side-encryption", "aws:kms")],
        &[("x-amz-storage-class", "GLACIER")],
        &[("x-amz-acl", "private")],
    ] {
        let answer = cloud.put(Some("web-1"), "pulse/web-1.json", "{}", headers);
        ensure(answer.status == 403, || format!("{headers:?}: {answer:?}"))?;
    }
    for headers in [("x-amz-server-side-encryption", "AES256"), ("x-amz-storage-class", "STANDARD")] {
        let answer = cloud.put(Some("web-1"), "pulse/web-1.json", "{}", &[headers]);
        ensure(answer.status == 200, || format!("{headers:?}: {answer:?}"))?;
    }
    Ok(())
}

fn rotate(cloud: &Cloud) -> Outcome {
    let first = cloud.key_of(Some("web-10"));
    let told = said(&cloud.script("host.sh", &["web-10", "--rotate"]))?;
    let old = format!("delete-access-key --user-name web-10 --access-key-id {}", first.key());
    ensure(told.contains(&old), || told.clone())?;
    ensure(cloud.key_of(Some("web-10")).key() != first.key(), || "it is the same key".into())?;
    ensure(cloud.get(Some("web-10"), "echo/web-10.json").status == 200, || "the new key is not taken".into())?;
    refused(&cloud.script("host.sh", &["web-10", "--rotate"]), &["has two keys", &old])
}

fn operator(cloud: &Cloud) -> Outcome {
    cloud.aws(&["iam", "create-user", "--user-name", "operator"])?;
    let policy = cloud.output("pulse-echo", "OperatorPolicyArn")?;
    cloud.aws(&["iam", "attach-user-policy", "--user-name", "operator", "--policy-arn", &policy])?;
    cloud.make_key("operator")?;
    let who = Some("operator");
    for key in ["mute/web-10.json", "retire/nobody.json", "loop/Update.lambda"] {
        let answer = cloud.put(who, key, "{\"for_s\": 60}", &[]);
        ensure(answer.status == 200, || format!("PUT {key}: {answer:?}"))?;
    }
    for key in ["pulse/web-1.json", "echo/web-1.json", "status.json", "loop/Update.json"] {
        ensure(cloud.put(who, key, "{}", &[]).status == 403, || format!("an operator may write {key}"))?;
        let answer = cloud.get(who, key);
        ensure(answer.status == 200, || format!("GET {key}: {answer:?}"))?;
    }
    ensure(cloud.list(who).status == 200, || "an operator may not list".into())?;
    ensure(cloud.delete(who, "loop/Update.json").status == 403, || "an operator may delete the mark".into())?;
    ensure(cloud.delete(who, "mute/web-10.json").status == 204, || "an operator may not delete a mute".into())
}
