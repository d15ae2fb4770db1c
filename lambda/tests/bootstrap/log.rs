//! What the functions write to stderr and stdout.

use pulse_echo_testkit::runtime::{Invocation, Lambda};
use pulse_echo_testkit::store::MARK;
use pulse_echo_testkit::world::{Service, World, event};
use serde_json::{Value, json};

use crate::{batch, start_with};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn a_good_beat_writes_nothing_at_info_and_one_line_at_debug() {
    for (level, bytes) in [("INFO", 0), ("DEBUG", 1)] {
        for format in ["Text", "JSON"] {
            let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
            world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
            let more = [("AWS_LAMBDA_LOG_LEVEL", level), ("AWS_LAMBDA_LOG_FORMAT", format)];
            let running = start_with(&lambda, &world, "probe", &more);
            lambda.invoke(event(&["pulse/web-1.json"]));
            let (stdout, stderr) = running.output();
            assert_eq!((stdout.len(), stderr.lines().count()), (0, bytes), "{stderr}");
        }
    }
}

#[test]
fn a_line_of_json_says_which_check_of_which_request_came_to_what() {
    let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"\\u001b[2J\\n\""), &[]);
    world.put("pulse/web-2.json", &service.pulse("\"body\": \"ok\""), &[]);
    let more = [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")];
    let running = start_with(&lambda, &world, "probe", &more);
    let id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
    let came = Invocation::new(event(&["pulse/web-1.json", "pulse/web-2.json"]));
    lambda.give(Invocation { id: id.into(), ..came });
    lambda.invoke(json!({"key1\n": 1}));

    let log = running.log();
    assert!(!log.contains(MARK) && !log.contains("X-Amz-Signature"), "{log}");
    let lines = lines(&log);
    let line = |check: &str| lines.iter().find(|line| line["check"] == check).unwrap();
    let (fault, echo) = (line("web-1"), line("web-2"));
    assert_eq!(
        (&fault["level"], &fault["outcome"], &fault["requestId"]),
        (&json!("INFO"), &json!("fault"), &json!(id))
    );
    assert_eq!((&echo["level"], &echo["outcome"]), (&json!("DEBUG"), &json!("echo")));
    assert!(echo["ms"].is_u64() && fault["message"].as_str().unwrap().starts_with("web-1: fault, body: "), "{fault}");
    let timestamp = fault["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
    let error = lines.last().unwrap();
    assert_eq!((&error["level"], &error["errorType"]), (&json!("ERROR"), &json!("UnexpectedEvent")));
    assert_eq!(error["requestId"], "request-1");
}

#[test]
fn a_mistake_in_the_settings_is_a_line_of_json_too() {
    let (lambda, world) = (Lambda::new(), World::new());
    let more = [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("PROBE_PORTS", "http")];
    let running = start_with(&lambda, &world, "probe", &more);
    let (_, body) = lambda.init_error();
    let log = running.log();
    let [line] = &lines(&log)[..] else { panic!("one line: {log}") };
    assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &body["errorMessage"]));
}

#[test]
fn the_loop_alone_writes_metrics_whole_lines_on_stdout_and_only_with_a_stack() {
    for (stack, lines_of_metrics) in [("", 0), ("prod", 2)] {
        let (lambda, world) = (Lambda::new(), World::new());
        let running = start_with(&lambda, &world, "loop", &[("STACK", stack)]);
        world.put("pulse/web-1.json", "{}", &[]);
        // A sweep, one that comes too soon, and an error.
        for (event, kind) in [(json!({}), "response"), (json!({}), "response"), (json!({"source": "aws.s3"}), "error")]
        {
            assert_eq!(lambda.invoke(event).0, kind);
        }
        let (stdout, stderr) = running.output();
        let metrics = lines(&stdout);
        assert_eq!(metrics.len(), lines_of_metrics, "{stdout}");
        assert_eq!(stderr.lines().count(), 1, "the error: {stderr}");
        if let [swept, failed] = &metrics[..] {
            assert_eq!(
                (&swept["Stack"], &swept["Rounds"], &swept["ChecksDown"]),
                (&json!("prod"), &json!(1), &json!(0))
            );
            assert_eq!((&swept["OwedSeconds"], &swept["Errors"], &swept["checks"]), (&json!(0), &json!(0), &json!(1)));
            assert_eq!((failed.get("Rounds"), &failed["Errors"]), (None, &json!(1)));
        }
    }
}

#[test]
fn what_the_loop_refuses_is_an_error_in_its_metrics() {
    let (lambda, world) = (Lambda::new(), World::new());
    let running = start_with(&lambda, &world, "loop", &[("STACK", "prod")]);
    let mut foreign = event(&["loop/Update.lambda"]);
    foreign["Records"][0]["s3"]["bucket"]["name"] = json!("others");
    let (kind, body) = lambda.invoke(foreign.clone());
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("BucketMismatch")));
    let (_, body) = lambda.invoke(batch(&[r#"{"tick": "x"}"#.into(), foreign.to_string(), r#"{"tick": 7}"#.into()]));
    assert_eq!(body["batchItemFailures"], json!([{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}]), "{body}");
    let (stdout, stderr) = running.output();
    let errors: Vec<_> = lines(&stdout).iter().map(|line| line["Errors"].clone()).collect();
    assert_eq!(errors, [1, 2], "{stdout}");
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
}
