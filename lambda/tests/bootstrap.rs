//! The binary as AWS Lambda starts it, against a small server of Lambda's Runtime API.

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};

use pulse_echo_testkit::runtime::Lambda;
use pulse_echo_testkit::world::{Service, World, event};
use serde_json::json;

fn bootstrap(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command.env_clear().envs(environment.iter().copied()).stderr(Stdio::piped());
    command
}

/// The function as Lambda would start it, with this handler.
fn start(lambda: &Lambda, world: &World, handler: &str) -> Running {
    let by_lambda = [
        ("AWS_LAMBDA_RUNTIME_API", lambda.address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("_HANDLER", handler),
    ];
    Running(bootstrap(&by_lambda).envs(world.environment()).spawn().unwrap())
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    /// Ends it; what it wrote.
    fn log(mut self) -> String {
        self.0.kill().unwrap();
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_event_comes_in_and_its_echo_is_in_the_store() {
    for handler in ["probe", "index.checkEcho"] {
        let (lambda, world, service) = (Lambda::new(), World::new(), Service::new());
        let running = start(&lambda, &world, handler);
        world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
        world.put("pulse/web-2.json", &service.pulse("\"body\": \"\\u001b[2J\""), &[]);

        let (kind, body) = lambda.invoke(event(&["pulse/web-1.json", "pulse/web-2.json", "pulse/%0A"]));
        assert_eq!(kind, "response");
        assert_eq!(body["echoes"], json!(["web-1"]));
        assert_eq!((&body["faults"][0]["id"], &body["faults"][0]["cause"]), (&json!("web-2"), &json!("body")));
        assert_eq!((&body["missing"], &body["skipped"]), (&json!([]), &json!(1)));
        assert!(world.echo("web-1").is_some() && world.fault("web-2").is_some());

        let log = running.log();
        assert_eq!(log.lines().count(), 3, "{log}");
        assert!(log.contains("web-1: echo, ") && log.contains("web-2: fault, body: body differs at byte 0"), "{log}");
        assert!(log.contains("skipped the key pulse/%0A: ") && !log.contains('\u{1b}'), "{log}");
    }
}

#[test]
fn what_fails_is_an_error_with_its_type_and_the_next_event_is_taken() {
    let (lambda, world) = (Lambda::new(), World::new());
    let running = start(&lambda, &world, "probe");
    let (kind, body) = lambda.invoke(json!({"key1": "value1"}));
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("UnexpectedEvent")));
    assert!(body["errorMessage"].as_str().unwrap().ends_with("but what came is an object with \"key1\""), "{body}");

    let mut foreign = event(&["pulse/web-1.json"]);
    foreign["Records"][0]["s3"]["bucket"]["name"] = json!("others");
    let (kind, body) = lambda.invoke(foreign);
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("RecordsFailed")));

    let (kind, _) = lambda.invoke(json!({"Event": "s3:TestEvent", "Bucket": "pulses"}));
    assert_eq!(kind, "response");
    let log = running.log();
    assert!(log.contains("UnexpectedEvent: ") && log.contains("RecordsFailed: "), "{log}");
}

#[test]
fn the_loop_sweeps_when_it_is_invoked() {
    let (lambda, world) = (Lambda::new(), World::new());
    let _running = start(&lambda, &world, "checkResult");
    let (kind, body) = lambda.invoke(json!({"source": "aws.events"}));
    assert_eq!((kind.as_str(), &body["course"]), ("response", &json!("swept")), "{body}");
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence() {
    let lambda = [
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&lambda[..], more].concat();
    for (environment, sentence) in [
        (vec![], "bootstrap: AWS_LAMBDA_RUNTIME_API is not set: AWS Lambda starts this program and sets it\n"),
        (
            with(&[("_HANDLER", "prob")]),
            "bootstrap: the handler \"prob\" is not known: set the function's handler to \"probe\" or \"loop\"\n",
        ),
        (
            with(&[("_HANDLER", "probe")]),
            "bootstrap: AWS_ACCESS_KEY_ID is not set: the id of the access key to the store\n",
        ),
    ] {
        let Output { status, stderr, .. } = bootstrap(&environment).output().unwrap();
        assert_eq!((status.code(), String::from_utf8(stderr).unwrap().as_str()), (Some(1), sentence));
    }
}
