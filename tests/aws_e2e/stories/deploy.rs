//! `deploy.sh`, as a person uses it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::cloud::{BUCKET, Cloud, checkout, eventually, refused, said};
use crate::{Outcome, Story, ensure};

pub const BEFORE: &[Story] = &[
    ("DRY=1 shows the table of changes and leaves nothing", dry),
    ("one command deploys, sends a pulse of its own and has its echo", first),
    ("a second run changes nothing and says so", second),
    ("DRY=1 on a stack that is there shows the table and changes nothing", dry_again),
];

pub const STORIES: &[Story] = &[
    ("a changed parameter changes what it is for and no other", changed_parameter),
    ("an address in an encrypted parameter is read at the start and is not in the function's configuration", secret),
    ("another zip goes to the functions while pulses flow, and none is lost", another_zip),
    ("a program for another processor, without its run bit, or not static is refused", wrong_zips),
    ("a change that replaces a queue is refused, and nothing is changed", replacement),
    ("what is no parameter, no stack's name, or less than a minute without a queue is refused", wrong_words),
    ("a bucket of another region or account is refused, and so is another one for the same stack", wrong_buckets),
];

fn dry(cloud: &Cloud) -> Outcome {
    let table = said(&cloud.deploy(&["BUCKET=pulses", "DRY=1"]))?;
    for words in ["AWS::Lambda::Function", "AWS::S3::Bucket", "nothing was changed"] {
        ensure(table.contains(words), || format!("no {words:?} in {table}"))?;
    }
    let query = "StackSummaries[?StackStatus != 'DELETE_COMPLETE'].StackName";
    let stacks = cloud.aws(&["cloudformation", "list-stacks", "--query", query, "--output", "text"])?;
    let buckets = cloud.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"])?;
    ensure(stacks.trim().is_empty() && matches!(buckets.trim(), "" | "None"), || format!("left: {stacks} {buckets}"))
}

fn first(cloud: &Cloud) -> Outcome {
    let start = Instant::now();
    let webhook = format!("WEBHOOK_URL={}/alerts", cloud.web.address);
    let told = said(&cloud.deploy(&["BUCKET=pulses", &webhook, "TAGS=team=ops,cost=42"]))?;
    println!("    from the command to the first echo: {:.1} s", start.elapsed().as_secs_f32());
    for words in ["has its echo", "host.sh", "pulse-echo run"] {
        ensure(told.contains(words), || format!("no {words:?} in {told}"))?;
    }
    let query = "Stacks[0].Tags[?Key == 'cost'].Value | [0]";
    let tag = cloud.aws(&[
        "cloudformation",
        "describe-stacks",
        "--stack-name",
        "pulse-echo",
        "--query",
        query,
        "--output",
        "text",
    ])?;
    ensure(tag.trim() == "42", || format!("the tag is {tag}"))?;
    // Its own pulse is no check that stays.
    ensure(cloud.get(None, "pulse/pulse-echo-deploy.json").status == 404, || "its pulse is still there".into())
}

fn second(cloud: &Cloud) -> Outcome {
    let told = said(&cloud.deploy(&[]))?;
    ensure(told.contains("nothing changes") && told.contains("has its echo"), || told.clone())
}

fn dry_again(cloud: &Cloud) -> Outcome {
    let variables = || variables_of(cloud, "LoopArn");
    let before = variables()?;
    let table = said(&cloud.deploy(&["RemindSeconds=7200", "DRY=1"]))?;
    let shows_loop = table.lines().any(|line| line.starts_with("Modify") && line.ends_with(" Loop"));
    ensure(shows_loop && table.contains("nothing was changed"), || table.clone())?;
    ensure(variables()? == before, || "the loop's variables have changed".into())?;
    let arguments = ["cloudformation", "list-change-sets", "--stack-name", "pulse-echo"];
    let query = "Summaries[?Status == 'CREATE_COMPLETE' && ExecutionStatus == 'AVAILABLE'].ChangeSetName";
    let left = cloud.aws(&[&arguments[..], &["--query", query, "--output", "text"]].concat())?;
    ensure(matches!(left.trim(), "" | "None"), || format!("a change set is left: {left}"))
}

fn changed_parameter(cloud: &Cloud) -> Outcome {
    let table = said(&cloud.deploy(&["RemindSeconds=3600"]))?;
    // What names the loop's ARN may be in the table, too.
    let rows: Vec<_> = table.lines().filter(|line| line.contains(" AWS::")).collect();
    let of = |name| rows.iter().any(|row| row.ends_with(name));
    ensure(of(" Loop") && !of(" Probe") && rows.iter().all(|row| row.starts_with("Modify")), || table.clone())?;
    let variables = variables_of(cloud, "LoopArn")?;
    ensure(variables.contains("\"REMIND_S\": \"3600\""), || variables.clone())?;
    // What was not given stays, a secret, too.
    ensure(variables.contains(&format!("{}/alerts", cloud.web.address)), || variables.clone())
}

fn secret(cloud: &Cloud) -> Outcome {
    let url = format!("{}/alerts", cloud.web.address);
    let name = "/pulse-echo/webhook-url";
    // aws-cli 1 would fetch what begins with http:// from there.
    let input = cloud.folder.path().join("parameter.json");
    fs::write(&input, json!({"Name": name, "Value": url, "Type": "SecureString"}).to_string())?;
    cloud.aws(&["ssm", "put-parameter", "--cli-input-json", &format!("file://{}", input.display())])?;
    let outcome = alert_by_parameter(cloud, name, &url);
    // The stories after this one need a loop that starts.
    said(&cloud.deploy(&[&format!("WEBHOOK_URL={url}")]))?;
    outcome
}

fn alert_by_parameter(cloud: &Cloud, name: &str, url: &str) -> Outcome {
    said(&cloud.deploy(&[&format!("WEBHOOK_URL=ssm:{name}")]))?;
    let variables = variables_of(cloud, "LoopArn")?;
    ensure(variables.contains(&format!("ssm:{name}")) && !variables.contains(url), || variables.clone())?;
    let before = cloud.web.posts().len();
    cloud.put(None, "loop/Test.lambda", "", &[]);
    eventually("a message at the parameter's address", || (cloud.web.posts().len() > before).then_some(()))
}

fn variables_of(cloud: &Cloud, function: &str) -> Result<String, Box<dyn std::error::Error>> {
    let arn = cloud.output("pulse-echo", function)?;
    cloud.aws(&["lambda", "get-function-configuration", "--function-name", &arn, "--query", "Environment.Variables"])
}

fn another_zip(cloud: &Cloud) -> Outcome {
    // The same program under another hash: a byte after its end.
    let other = changed(cloud, "other", |program| program.push(0))?;
    while_pulses_flow(cloud, "zip", || {
        let zip = format!("ZIP={}", other.display());
        let table = said(&cloud.deploy(&[&zip]))?;
        ensure(table.contains("Probe") && table.contains("Loop"), || table.clone())
    })
}

/// Puts pulses of checks of their own, several a second, as long as `change` runs: each must get its echo.
pub fn while_pulses_flow(cloud: &Cloud, name: &str, change: impl FnOnce() -> Outcome) -> Outcome {
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let key = |folder: &str, number: usize| format!("{folder}/flow-{name}/{number}.json");
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                if cloud.put(None, &key("pulse", sent.load(Ordering::SeqCst)), "{}", &[]).status == 200 {
                    sent.fetch_add(1, Ordering::SeqCst);
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
        let outcome = change();
        over.store(true, Ordering::SeqCst);
        outcome
    })?;
    for number in 0..sent.load(Ordering::SeqCst) {
        eventually(&key("echo", number), || (cloud.get(None, &key("echo", number)).status == 200).then_some(()))?;
        cloud.delete(None, &key("pulse", number));
    }
    ensure(sent.load(Ordering::SeqCst) > 10, || format!("only {} pulses were sent", sent.load(Ordering::SeqCst)))
}

/// A zip with the program after `change`.
fn changed(
    cloud: &Cloud,
    name: &str,
    change: impl FnOnce(&mut Vec<u8>),
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let folder = cloud.folder.path().join(format!("zip-{name}"));
    fs::create_dir(&folder)?;
    said(&Command::new("unzip").arg("-q").arg(&cloud.zip).arg("-d").arg(&folder).output()?)?;
    let program = folder.join("bootstrap");
    let mut bytes = fs::read(&program)?;
    change(&mut bytes);
    fs::write(&program, bytes)?;
    zip_of(&folder)
}

fn zip_of(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let zip = folder.join("lambda.zip");
    said(&Command::new("zip").current_dir(folder).args(["-q", "lambda.zip", "bootstrap"]).output()?)?;
    Ok(zip)
}

fn wrong_zips(cloud: &Cloud) -> Outcome {
    let refuses = |zip: &Path, words: &[&str]| refused(&cloud.deploy(&[&format!("ZIP={}", zip.display())]), words);
    // EM_AARCH64 in the header's field for the machine.
    let arm = changed(cloud, "arm", |program| program[18] = 183)?;
    refuses(&arm, &["is not for x86_64", "ARCH="])?;
    let no_run_bit = changed(cloud, "no-run-bit", |_| ())?;
    let folder = no_run_bit.parent().unwrap();
    said(&Command::new("chmod").current_dir(folder).args(["644", "bootstrap"]).output()?)?;
    fs::remove_file(&no_run_bit)?;
    refuses(&zip_of(folder)?, &["-rw-r--r--", "chmod 755"])?;
    // The test's own program asks for a loader.
    let dynamic = changed(cloud, "dynamic", |program| *program = fs::read(std::env::current_exe().unwrap()).unwrap())?;
    refuses(&dynamic, &["is not static", "make dist"])?;
    let empty = cloud.folder.path().join("empty.zip");
    fs::write(&empty, "")?;
    refuses(&empty, &["holds no bootstrap"])?;
    refuses(Path::new("missing.zip"), &["there is no missing.zip"])
}

fn replacement(cloud: &Cloud) -> Outcome {
    // As if a newer template gave the dead letters a name.
    let scripts = cloud.folder.path().join("newer");
    fs::create_dir(&scripts)?;
    for name in ["common.sh", "deploy.sh", "template.yaml"] {
        fs::copy(checkout().join("packaging/aws").join(name), scripts.join(name))?;
    }
    let queue = "  DeadLetters:\n    Type: AWS::SQS::Queue\n    Properties:\n";
    let template = fs::read_to_string(scripts.join("template.yaml"))?;
    ensure(template.contains(queue), || "the template has changed".into())?;
    let named = template.replace(queue, &format!("{queue}      QueueName: letters\n"));
    fs::write(scripts.join("template.yaml"), named)?;
    let script = scripts.join("deploy.sh");
    let before = cloud.output("pulse-echo", "DeadLetterQueue")?;
    refused(&cloud.script(script.to_str().unwrap(), &[]), &["would replace DeadLetters", "another STACK"])?;
    let now = cloud.output("pulse-echo", "DeadLetterQueue")?;
    ensure(now == before, || format!("from {before} to {now}"))
}

fn wrong_words(cloud: &Cloud) -> Outcome {
    refused(&cloud.deploy(&["RemindSecond=1"]), &["there is no parameter RemindSecond", "RemindSeconds"])?;
    refused(&cloud.deploy(&["reminder"]), &["reminder is not NAME=VALUE"])?;
    refused(&cloud.deploy(&["STACK=-x"]), &["STACK=-x", "letters"])?;
    refused(&cloud.deploy(&["TAGS=ops"]), &["TAGS=ops"])?;
    refused(&cloud.deploy(&["STACK=other"]), &["which bucket?"])?;
    let output = cloud.deploy(&["TICK_S=5"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(!output.status.success() && told.contains("needs Driver=queue"), || format!("TICK_S=5 is taken: {told}"))
}

fn wrong_buckets(cloud: &Cloud) -> Outcome {
    refused(&cloud.deploy(&["BUCKET=others"]), &["watches the bucket pulses", "another STACK"])?;
    cloud.aws(&[
        "s3api",
        "create-bucket",
        "--bucket",
        "elsewhere",
        "--create-bucket-configuration",
        "LocationConstraint=us-west-2",
        "--region",
        "us-west-2",
    ])?;
    refused(&cloud.deploy(&["STACK=second", "BUCKET=elsewhere"]), &["is in us-west-2", "AWS_REGION=us-west-2"])?;
    // The emulator has one account: the answer of AWS, by a program of that name.
    let folder = cloud.folder.path().join("bin");
    fs::create_dir(&folder)?;
    let aws = cloud.venv.join("bin/aws");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *head-bucket*) echo 'An error occurred (403) when calling the HeadBucket operation: \
         Forbidden' >&2; exit 254 ;; esac\nexec {} \"$@\"\n",
        aws.display()
    );
    fs::write(folder.join("aws"), script)?;
    said(&Command::new("chmod").arg("755").arg(folder.join("aws")).output()?)?;
    let output = cloud.with_path(&folder, "deploy.sh", &["STACK=second", &format!("BUCKET={BUCKET}")]);
    refused(&output, &["of another account than 000000000000", "another name"])
}
