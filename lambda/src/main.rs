//! `bootstrap`: what AWS Lambda starts. It alone reads the environment and the clock.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use log::LevelFilter;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::stderr;
use pulse_echo_lambda::probe::{Error, Probe};
use pulse_echo_lambda::tick::Loop;
use serde_json::{Value, json};

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
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            stderr::complain(NAME, &why);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    if let Some(name) = BY_LAMBDA.into_iter().find(|name| env::var_os(name).is_none()) {
        return Err(format!("{name} is not set: AWS Lambda starts this program and sets it"));
    }
    let handler = Handler::from_env()?;
    stderr::log(NAME, LevelFilter::Info);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    // One event at a time, so the handler may block.
    let service = service_fn(|event: LambdaEvent<Value>| std::future::ready(handler.handle(&event)));
    runtime.block_on(lambda_runtime::run(service)).map_err(|error| error.to_string())
}

/// The handlers, by their names in `_HANDLER`.
enum Handler {
    Probe(Box<Probe>),
    Loop(Box<Loop>),
}

impl Handler {
    fn from_env() -> Result<Self, String> {
        let name = env::var("_HANDLER").unwrap_or_default();
        // The origin's functions are known as `index.checkEcho` to Lambda.
        match name.rsplit('.').next() {
            Some("probe" | "checkEcho") => Ok(Self::Probe(Box::new(Probe::read(
                Environment::new(&|name| env::var(name).ok()),
                Arc::new(Timestamp::now),
            )?))),
            Some("loop" | "checkResult") => Ok(Self::Loop(Box::new(Loop::read(
                Environment::new(&|name| env::var(name).ok()),
                Arc::new(Timestamp::now),
            )?))),
            _ => Err(format!("the handler {name:?} is not known: set the function's handler to \"probe\" or \"loop\"")),
        }
    }

    fn handle(&self, event: &LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let deadline = instant(event.context.deadline());
        let failed = match self {
            Self::Probe(probe) => match probe.handle(&event.payload, deadline) {
                Ok(summary) => return Ok(json!(summary)),
                Err(error @ Error::Event(_)) => ("UnexpectedEvent", error.to_string()),
                Err(error @ Error::Records(_)) => ("RecordsFailed", error.to_string()),
            },
            Self::Loop(the_loop) => match the_loop.handle(&event.payload, deadline) {
                Ok(summary) => return Ok(json!(summary)),
                Err(error) => ("SweepFailed", error),
            },
        };
        let (error_type, error_message) = failed;
        log::error!("{error_type}: {error_message}");
        Err(Diagnostic { error_type: error_type.into(), error_message })
    }
}

/// The same moment on the clock that never jumps.
fn instant(time: SystemTime) -> Instant {
    Instant::now() + time.duration_since(SystemTime::now()).unwrap_or_default()
}
