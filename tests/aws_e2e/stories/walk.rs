//! From a pulse to the alert, by the functions' own program.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cloud::{BUCKET, Cloud, PATIENCE, eventually, said};
use crate::emulator::MINUTE_S;
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] = &[
    ("the agent sends a host's pulse and shows its echo", run),
    ("the schedule sweeps by itself", schedule),
    ("a bad answer becomes a fault, and the fault an alert at the webhook and on the topic", alert),
    ("the origin's test event gives an echo", origins_event),
    ("500 pulses at once give 500 echoes", many),
    ("the time from a pulse to its echo", latency),
    ("an event that fails ends in the queue of dead letters, with its error", dead_letter),
];

fn configure(cloud: &Cloud, host: &str, pulse: &str) -> Outcome {
    let folder = cloud.folder.path().join(host);
    fs::write(folder.join("pulse.json"), pulse)?;
    Ok(())
}

fn run(cloud: &Cloud) -> Outcome {
    // With what host.sh made, and nothing else.
    let told = said(&cloud.agent("web-1", &["run"]))?;
    ensure(told.starts_with("ECHO OK - web-1: the pulse arrived"), || told.clone())?;
    configure(cloud, "web-1", &json!({"url": format!("{}/ok", cloud.web.address), "body": "ok"}).to_string())?;
    let told = said(&cloud.agent("web-1", &["run", "--pulse", "pulse.json"]))?;
    ensure(told.starts_with("ECHO OK - web-1 "), || told.clone())?;
    let told = said(&cloud.agent("web-1", &["check"]))?;
    ensure(told.starts_with("ECHO OK - web-1 "), || told.clone())
}

fn schedule(cloud: &Cloud) -> Outcome {
    let before = cloud.mark("swept");
    thread::sleep(Duration::from_secs(MINUTE_S));
    eventually("a sweep that nobody asked for", || (cloud.mark("swept") != before).then_some(()))
}

fn alert(cloud: &Cloud) -> Outcome {
    // The topic's messages, by a queue that a person might subscribe.
    let queue = cloud.sqs(&["create-queue", "--queue-name", "on-call", "--query", "QueueUrl", "--output", "text"])?;
    let arn = "arn:aws:sqs:eu-central-1:000000000000:on-call";
    let topic = cloud.output("pulse-echo", "AlertTopic")?;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    }]});
    let attributes = json!({"Policy": policy.to_string()}).to_string();
    cloud.sqs(&["set-queue-attributes", "--queue-url", queue.trim(), "--attributes", &attributes])?;
    cloud.aws(&["sns", "subscribe", "--topic-arn", &topic, "--protocol", "sqs", "--notification-endpoint", arn])?;

    configure(cloud, "web-1", &json!({"url": format!("{}/bad", cloud.web.address)}).to_string())?;
    let output = cloud.agent("web-1", &["run", "--pulse", "pulse.json"]);
    let told = String::from_utf8_lossy(&output.stdout);
    ensure(output.status.code() == Some(2) && told.contains("503"), || told.to_string())?;
    let fault = cloud.get(Some("web-1"), "fault/web-1.json");
    ensure(fault.body.contains("\"cause\":\"status\"") || fault.body.contains("\"cause\": \"status\""), || fault.body)?;

    let down = |text: &String| text.contains("web-1") && text.contains("503");
    eventually("an alert at the webhook", || cloud.web.posts().iter().any(down).then_some(()))?;
    eventually("an alert on the topic", || {
        let took = cloud.sqs(&["receive-message", "--queue-url", queue.trim(), "--wait-time-seconds", "2"]).ok()?;
        down(&took).then_some(())
    })
}

fn origins_event(cloud: &Cloud) -> Outcome {
    // As the article has it, its bucket being ours.
    let event = json!({"Records": [{
        "eventVersion": "2.0", "eventTime": "1970-01-01T00:00:00.000Z",
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "configurationId": "testConfigRule",
            "object": {
                "eTag": "0123456789abcdef0123456789abcdef", "sequencer": "0A1B2C3D4E5F678901",
                "key": "pulse/myhost.json", "size": 1024,
            },
            "bucket": {
                "arn": format!("arn:aws:s3:::{BUCKET}"), "name": BUCKET,
                "ownerIdentity": {"principalId": "EXAMPLE"},
            },
            "s3SchemaVersion": "1.0",
        },
        "responseElements": {
            "x-amz-id-2": "EXAMPLE123/5678abcdefghijklambdaisawesome/mnopqrstuvwxyzABCDEFGH",
            "x-amz-request-id": "EXAMPLE123456789",
        },
        "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "EXAMPLE"}, "eventSource": "aws:s3",
    }]});
    let pulse = json!({"url": format!("{}/ok", cloud.web.address), "body": "ok"}).to_string();
    cloud.put(None, "pulse/myhost.json", &pulse, &[]);
    eventually("myhost's echo", || (cloud.get(None, "echo/myhost.json").status == 200).then_some(()))?;
    cloud.delete(None, "echo/myhost.json");
    let file = cloud.folder.path().join("event.json");
    fs::write(&file, event.to_string())?;
    let function = cloud.output("pulse-echo", "ProbeArn")?;
    let payload = format!("fileb://{}", file.display());
    let told = cloud.aws(&["lambda", "invoke", "--function-name", &function, "--payload", &payload, "out.json"])?;
    ensure(!told.contains("FunctionError"), || told.clone())?;
    let echo = cloud.get(None, "echo/myhost.json");
    cloud.delete(None, "pulse/myhost.json");
    ensure((echo.status, echo.body.as_str()) == (200, "ok"), || format!("{echo:?}"))
}

fn many(cloud: &Cloud) -> Outcome {
    let start = Instant::now();
    let key = |folder: &str, number: usize| format!("{folder}/many/{number}.json");
    let put =
        |first: usize| (first..500).step_by(8).all(|at| cloud.put(None, &key("pulse", at), "{}", &[]).status == 200);
    let taken = thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|first| scope.spawn(move || put(first))).collect();
        all.into_iter().all(|each| each.join().unwrap())
    });
    ensure(taken, || "a pulse was not taken".into())?;
    for number in 0..500 {
        eventually(&key("echo", number), || (cloud.get(None, &key("echo", number)).status == 200).then_some(()))?;
    }
    println!("    500 echoes after {:.1} s", start.elapsed().as_secs_f32());
    (0..500).for_each(|number| drop(cloud.delete(None, &key("pulse", number))));
    Ok(())
}

fn latency(cloud: &Cloud) -> Outcome {
    let mut times = Vec::new();
    for number in 0..100 {
        let key = |folder: &str| format!("{folder}/latency/{number}.json");
        let start = Instant::now();
        cloud.put(None, &key("pulse"), "{}", &[]);
        while cloud.get(None, &key("echo")).status != 200 {
            ensure(start.elapsed() < PATIENCE, || format!("no {}", key("echo")))?;
            thread::sleep(Duration::from_millis(2));
        }
        times.push(start.elapsed());
        cloud.delete(None, &key("pulse"));
    }
    times.sort();
    println!("    PUT to echo: median {} ms, 95 % {} ms", times[50].as_millis(), times[95].as_millis());
    Ok(())
}

fn dead_letter(cloud: &Cloud) -> Outcome {
    let function = cloud.output("pulse-echo", "ProbeArn")?;
    let event = json!({"Records": [{
        "eventSource": "aws:s3", "eventVersion": "2.1", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "a-stranger"}, "object": {"key": "pulse/lost.json"}},
    }]});
    fs::write(cloud.folder.path().join("lost.json"), event.to_string())?;
    cloud.aws(&[
        "lambda",
        "invoke",
        "--function-name",
        &function,
        "--invocation-type",
        "Event",
        "--payload",
        "fileb://lost.json",
        "out.json",
    ])?;
    let queue = cloud.output("pulse-echo", "DeadLetterQueue")?;
    let letter = eventually("a dead letter", || {
        let took = cloud.sqs(&["receive-message", "--queue-url", &queue, "--wait-time-seconds", "5"]).ok()?;
        took.contains("pulse/lost.json").then_some(took)
    })?;
    ensure(letter.contains("a-stranger") && letter.contains("errorMessage"), || letter.clone())
}
