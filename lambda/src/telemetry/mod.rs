//! What the functions say of themselves: log lines on stderr, metrics on stdout.
//!
//! - here: [`Log`], lines of JSON where Lambda asks for them, else of text;
//! - [`metrics`]: lines in `CloudWatch`'s embedded metric format, from the loop alone;
//! - [`init`]: what keeps the function from starting, told to Lambda.

pub mod init;
pub mod metrics;

use std::io::Write;
use std::panic;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use log::kv::{self, Key, Value as Field, VisitSource};
use log::{Level, LevelFilter, Metadata, Record};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::stderr;
use pulse_echo_core::store::Clock;
use pulse_echo_core::text::{printable, without_numbers};
use serde_json::{Map, Value, json};

/// The log of a function.
pub struct Log {
    program: &'static str,
    /// `AWS_LAMBDA_LOG_FORMAT` is `JSON`.
    is_json: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG`, else INFO.
    level: LevelFilter,
    clock: Clock,
    /// The id of the request that is answered now; empty before the first.
    request: Mutex<String>,
}

impl Log {
    /// The log that the environment asks for. Lines of text begin with the name of `program`.
    pub fn read(program: &'static str, environment: Environment, clock: Clock) -> Self {
        let is_json =
            environment.get("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("JSON"));
        let level = environment.first(&["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"]).and_then(|level| read_level(&level));
        let level = level.unwrap_or(LevelFilter::Info);
        Self { program, is_json, level, clock, request: Mutex::default() }
    }

    /// Makes it the log of this process, and logs each panic as one line.
    ///
    /// Panics if there is another.
    pub fn start(self) -> &'static Self {
        let log: &'static Self = Box::leak(Box::new(self));
        log::set_max_level(log.level);
        log::set_logger(log).expect("there is no other logger");
        // Its first line says where, the others why.
        panic::set_hook(Box::new(|info| log::error!("{}", info.to_string().replace('\n', " "))));
        log
    }

    /// From now on lines are of the request with this id.
    pub fn begin(&self, request: &str) {
        request.clone_into(&mut self.request.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says why the program ends.
    pub fn complain(&self, why: &str) {
        if self.is_json {
            log::error!("{why}");
        } else {
            stderr::complain(self.program, &why);
        }
    }

    /// The line of JSON for a record, without its end.
    fn json(&self, record: &Record, now: Timestamp) -> String {
        let mut line = Fields(Map::new());
        line.0.insert("timestamp".into(), json!(now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()));
        line.0.insert("level".into(), json!(record.level().as_str()));
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        if !request.is_empty() {
            line.0.insert("requestId".into(), json!(printable(&request)));
        }
        line.0.insert("message".into(), json!(without_numbers(&printable(&record.args().to_string()))));
        // A field that cannot be read is left out.
        let _ = record.key_values().visit(&mut line);
        Value::Object(line.0).to_string()
    }
}

/// A level as Lambda writes it; its FATAL is nothing that we have.
fn read_level(level: &str) -> Option<LevelFilter> {
    if level.eq_ignore_ascii_case("FATAL") { Some(LevelFilter::Error) } else { level.parse().ok() }
}

/// The fields of a line.
struct Fields(Map<String, Value>);

impl<'a> VisitSource<'a> for Fields {
    fn visit_pair(&mut self, key: Key<'a>, value: Field<'a>) -> Result<(), kv::Error> {
        let text = value.to_string();
        let value = match value.to_u64() {
            Some(number) => json!(number),
            None if text == "None" => return Ok(()),
            None => json!(printable(&text)),
        };
        self.0.insert(key.as_str().into(), value);
        Ok(())
    }
}

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata) -> bool {
        // Lambda's library says once more what the handler has said, or what the panic has.
        metadata.level() <= self.level
            && stderr::may_show(metadata)
            && !(metadata.level() == Level::Error && metadata.target() == "lambda_runtime::layers::panic")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if self.is_json {
            let line = self.json(record, (self.clock)()) + "\n";
            // In one write, so that lines of several threads do not mix. A closed pipe is not an error.
            let _ = std::io::stderr().write_all(line.as_bytes());
        } else {
            stderr::line(self.program, record);
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use log::Log as _;

    use super::*;

    fn log(variables: &[(&str, &str)]) -> Log {
        let lookup = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_string())
        };
        Log::read("bootstrap", Environment::new(&lookup), Arc::new(|| Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn the_level_is_lambdas_then_rusts_then_info() {
        let (lambda, rust) = (("AWS_LAMBDA_LOG_LEVEL", "ERROR"), ("RUST_LOG", "debug"));
        assert_eq!(log(&[]).level, LevelFilter::Info);
        assert_eq!(log(&[rust]).level, LevelFilter::Debug);
        assert_eq!(log(&[rust, lambda]).level, LevelFilter::Error);
        assert_eq!(log(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]).level, LevelFilter::Error);
        assert_eq!(log(&[("AWS_LAMBDA_LOG_LEVEL", "LOUD")]).level, LevelFilter::Info);
    }

    #[test]
    fn what_libraries_say_below_a_warning_is_never_shown() {
        let log = log(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")]);
        let shows = |level, target| log.enabled(&Metadata::builder().level(level).target(target).build());
        assert!(shows(Level::Debug, "pulse_echo_lambda::probe") && shows(Level::Warn, "ureq::pool"));
        assert!(!shows(Level::Info, "ureq::pool") && !shows(Level::Debug, "aws_sigv4::http_request"));
        assert!(!shows(Level::Error, "lambda_runtime::layers::panic") && shows(Level::Error, "lambda_runtime"));
    }

    #[test]
    fn a_line_of_json_is_one_line_with_its_fields() {
        let log = log(&[("AWS_LAMBDA_LOG_FORMAT", "JSON")]);
        assert!(log.is_json);
        log.begin("8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        let fields =
            [("check", Field::from("web-1")), ("ms", Field::from(12_u64)), ("got", Field::from("a\n\u{1b}[2J"))];
        let args = format_args!("web-1: {}", "a\n\u{1b}[2J\"b");
        let record = Record::builder().level(Level::Warn).args(args).key_values(&fields).build();
        let line = log.json(&record, "2026-11-21T08:27:27.5Z".parse().unwrap());
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "timestamp": "2026-11-21T08:27:27.500Z", "level": "WARN",
                "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd", "message": "web-1: a[2J\"b",
                "check": "web-1", "ms": 12, "got": "a[2J",
            })
        );
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
