//! `bootstrap`: what AWS Lambda starts. It alone reads the environment and the clock.

use std::env;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::store::Clock;
use pulse_echo_core::text::of_io;
use pulse_echo_lambda::error::{Error, Kind, caught};
use pulse_echo_lambda::probe::Probe;
use pulse_echo_lambda::telemetry::metrics::Stack;
use pulse_echo_lambda::telemetry::{Log, init};
use pulse_echo_lambda::tick::{Loop, Report};
use serde_json::{Value, json};
use ureq::http::uri::Authority;

/// What Lambda starts us as.
const NAME: &str = "bootstrap";

/// What Lambda always sets; its runtime's library panics without them.
const BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

fn main() -> ExitCode {
    // Mails are the local system's. The packages' program is built without them; any other acts alike.
    let lookup = |name: &str| env::var(name).ok().filter(|_| !name.starts_with("SMTP_"));
    let environment = Environment::new(&lookup);
    let log = Log::read(NAME, environment, clock()).start();
    let handler = match Handler::read(environment) {
        Ok(handler) => handler,
        Err(why) => {
            log.complain(&why);
            if let Some(runtime_api) = environment.get("AWS_LAMBDA_RUNTIME_API") {
                init::report(&runtime_api, &Error::new(Kind::BadSetting, why));
            }
            return ExitCode::FAILURE;
        }
    };
    match run(&handler, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log.complain(&why);
            ExitCode::FAILURE
        }
    }
}

fn run(handler: &Handler, log: &Log) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    // One event at a time, so the handler may block.
    let service = service_fn(|event: LambdaEvent<Value>| {
        log.begin(&event.context.request_id);
        std::future::ready(handler.handle(&event))
    });
    runtime.block_on(lambda_runtime::run(service)).map_err(|error| {
        let why = innermost(error.as_ref()).map_or_else(|| "it broke off".into(), of_io);
        format!("AWS Lambda's Runtime API does not answer: {why}")
    })
}

/// What the system said, at the end of the libraries' words for it.
fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    std::iter::successors(Some(error), |error| error.source()).filter_map(|error| error.downcast_ref()).last()
}

/// The time on the wall.
fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// The handlers, by their names in `_HANDLER`.
enum Handler {
    Probe(Box<Probe>),
    Loop(Box<Loop>, Option<Stack>),
}

impl Handler {
    /// The handler that the environment asks for. The error is one sentence that names the variable.
    fn read(environment: Environment) -> Result<Self, String> {
        if let Some(name) = BY_LAMBDA.into_iter().find(|name| environment.get(name).is_none()) {
            return Err(format!("{name} is not set: AWS Lambda starts this program and sets it"));
        }
        // The runtime's library panics at these, too.
        for (name, is_right) in [
            ("AWS_LAMBDA_RUNTIME_API", (|api| api.parse::<Authority>().is_ok()) as fn(&str) -> bool),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", |size| size.parse::<i32>().is_ok()),
        ] {
            if let Some(value) = environment.get(name).filter(|value| !is_right(value)) {
                return Err(format!("{name} is {value:?}, which AWS Lambda never sets"));
            }
        }
        let name = environment.get("_HANDLER").unwrap_or_default();
        // The origin's functions are known as `index.checkEcho` to Lambda.
        match name.rsplit('.').next() {
            Some("probe" | "checkEcho") => Ok(Self::Probe(Box::new(Probe::read(environment, clock())?))),
            Some("loop" | "checkResult") => {
                warn_of_mails();
                Ok(Self::Loop(Box::new(Loop::read(environment, clock())?), Stack::read(environment)?))
            }
            _ => Err(format!("the handler {name:?} is not known: set the function's handler to \"probe\" or \"loop\"")),
        }
    }

    fn handle(&self, event: &LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let deadline = instant(event.context.deadline());
        let answer = match self {
            Self::Probe(probe) => {
                caught(|| probe.handle(&event.payload, deadline)).flatten().map(|summary| json!(summary))
            }
            Self::Loop(the_loop, stack) => {
                let report = caught(|| the_loop.handle(&event.payload, deadline)).unwrap_or_else(Report::of);
                write_metrics(stack.as_ref(), &report, &event.context.request_id);
                report.log();
                report.answer().map(|report| json!(report))
            }
        };
        answer.map_err(|error| {
            error.log();
            Diagnostic { error_type: error.kind.word().into(), error_message: error.message }
        })
    }
}

/// Says that nobody gets the mails that somebody has set.
fn warn_of_mails() {
    if env::var_os("SMTP_URL").is_some_and(|url| !url.is_empty()) {
        log::warn!("SMTP_URL is ignored on AWS: subscribe the address to an SNS topic, and set ALERT_TOPIC_ARN");
    }
}

/// Writes the line of metrics, whole; a closed pipe is not an error.
fn write_metrics(stack: Option<&Stack>, report: &Report, request: &str) {
    if let Some(line) = stack.and_then(|stack| stack.line(report, request, Timestamp::now())) {
        let _ = std::io::stdout().write_all((line + "\n").as_bytes());
    }
}

/// The same moment on the clock that never jumps.
fn instant(time: SystemTime) -> Instant {
    Instant::now() + time.duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_word_and_the_next_event_is_taken() {
        let error = caught(|| panic!("a mistake")).map(|()| "no error").unwrap_err();
        assert_eq!(error.kind, Kind::Panicked);
        assert_eq!(caught(|| 7), Ok(7));
    }
}
