//! The binary as AWS Lambda starts it, against a small server of Lambda's Runtime API.

mod answers;
mod log;
mod start;

use std::io::Read;
use std::process::{Child, Command, Stdio};

use pulse_echo_testkit::plain::assert_plain;
use pulse_echo_testkit::runtime::Lambda;
use pulse_echo_testkit::world::World;
use serde_json::{Value, json};

/// The binary with just these variables.
fn bootstrap(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command.env_clear().envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The function as Lambda would start it, with this handler.
fn start(lambda: &Lambda, world: &World, handler: &str) -> Running {
    start_with(lambda, world, handler, &[])
}

/// As [`start`], with further variables.
fn start_with(lambda: &Lambda, world: &World, handler: &str, more: &[(&str, &str)]) -> Running {
    let by_lambda = [
        ("AWS_LAMBDA_RUNTIME_API", lambda.address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("_HANDLER", handler),
    ];
    Running(bootstrap(&by_lambda).envs(world.environment()).envs(more.iter().copied()).spawn().unwrap())
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    /// Ends it; what it wrote to stderr.
    fn log(self) -> String {
        self.output().1
    }

    /// Ends it; what it wrote to stdout and to stderr.
    fn output(mut self) -> (String, String) {
        self.0.kill().unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_plain(&stdout);
        assert_plain(&stderr);
        (stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A batch of messages with these bodies, whose ids are `m-0`, `m-1` and so on.
fn batch(bodies: &[String]) -> Value {
    let message = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{number}"), "receiptHandle": "AQEB", "body": body,
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "md5OfBody": "e4e6",
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ticks",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
}
