//! `replay`: applies the sweep's rules to a recorded history, to see which messages people would have got.
//!
//! - `row`, `list`: the history as it is written, line by line;
//! - `store`: the bucket's content at each time; `sweeps`: the sweeps over it.

// The doc comments of the options are their help. Backticks would only be in the way there.
#![allow(clippy::doc_markdown)]

mod list;
mod row;
mod store;
mod summary;
mod sweeps;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::json::Unknown;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_lambda::channel::in_words;
use pulse_echo_lambda::outbox::entry::Entry;
use pulse_echo_lambda::rules::Rules;

use crate::complain;

pub use list::List;
pub use summary::Summary;
pub use sweeps::Sweeps;

/// How often a long replay reports its progress.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What to replay, and by which rules.
#[derive(Args)]
pub struct Options {
    /// The history, CSV with a header or JSON lines: time, kind (pulse, echo, fault, delete, retire, mute or unmute),
    /// check and, of a fault, cause, reason and pulse_at if they are known, of a mute for_s; "-" is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How often each host promises a pulse
    #[arg(long, value_name = "SECONDS", default_value_t = Pulse::default().every_s, value_parser = of_pulse("every_s"))]
    every_s: u32,
    /// How late a pulse may be
    #[arg(long, value_name = "SECONDS", default_value_t = Pulse::default().grace_s, value_parser = of_pulse("grace_s"))]
    grace_s: u32,
    /// How many pulses in a row must be missed for silent
    #[arg(long, value_name = "COUNT", default_value_t = Pulse::default().missed, value_parser = of_pulse("missed"))]
    missed: u32,
    /// How many distinct pulses in a row must fail (FAULTS_IN_ROW)
    #[arg(
        long, value_name = "COUNT", default_value_t = Rules::default().faults_in_row,
        value_parser = of_rules("FAULTS_IN_ROW")
    )]
    faults_in_row: u32,
    /// After how long an outage is told again (REMIND_S)
    #[arg(
        long, value_name = "SECONDS", default_value_t = Rules::default().remind_s, value_parser = of_rules("REMIND_S")
    )]
    remind_s: u32,
    /// How often the loop sweeps (TICK_S)
    #[arg(long, value_name = "SECONDS", default_value_t = Rules::default().tick_s, value_parser = of_rules("TICK_S"))]
    tick_s: u32,
    /// Where the history ends, if that is not its last line: RFC 3339 or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = row::time)]
    until: Option<Time>,
    /// Write here the history.json that the loop would have made
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

/// Parses a value of a field of the pulse, by the pulse's own rules.
fn of_pulse(field: &'static str) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
        let pulse = format!("{{\"{field}\": {number}}}");
        Pulse::parse(pulse.as_bytes(), Unknown::Refused).map_err(|error| error.message)?;
        Ok(number)
    }
}

/// Parses a value of a setting of the loop, by the loop's own rules.
fn of_rules(name: &'static str) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync {
    move |text| {
        Rules::read(Environment::new(&|asked| (asked == name).then(|| text.to_owned())))?;
        text.parse().map_err(|_| "it must be a whole number".to_owned())
    }
}

/// Replays, and prints each message with its time, and a summary. The error is a sentence and the exit code: 2 if the
/// history is wrong.
pub fn replay(options: &Options) -> Result<(), (String, u8)> {
    let list = read(options)?;
    if list.is_without_answers() {
        complain(&"there is neither an echo nor a fault in it: only an echo ends an outage, so none will end");
    }
    let pulse =
        Pulse { every_s: options.every_s, grace_s: options.grace_s, missed: options.missed, ..Pulse::default() };
    let rules = Rules {
        tick_s: options.tick_s,
        remind_s: options.remind_s,
        faults_in_row: options.faults_in_row,
        ..Rules::default()
    };
    let mut sweeps = Sweeps::new(list, &pulse, &rules);
    match print_all(&mut sweeps) {
        // A reader that has seen enough, such as `head`, closes the pipe. Then the history ends there, too.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err((format!("cannot print the messages: {error}"), 1));
        }
        _ => {}
    }
    let Some(file) = &options.history else { return Ok(()) };
    fs::write(file, sweeps.history().to_json())
        .map_err(|error| (format!("cannot write {}: {error}", file.display()), 1))
}

fn read(options: &Options) -> Result<List, (String, u8)> {
    let is_stdin = options.file.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { options.file.display().to_string() };
    let list = if is_stdin {
        List::read(io::stdin().lock(), options.until)
    } else {
        let file = File::open(&options.file).map_err(|error| (format!("cannot read {name}: {error}"), 2))?;
        List::read(BufReader::with_capacity(1 << 20, file), options.until)
    };
    list.map_err(|why| (format!("{name}: {why}"), 2))
}

fn print_all(sweeps: &mut Sweeps) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut said = Instant::now();
    while let Some((at, entries)) = sweeps.next() {
        if !entries.is_empty() {
            write!(out, "{}", shown(at, &entries))?;
        }
        if said.elapsed() >= SAY_EVERY {
            out.flush()?;
            said = Instant::now();
            complain(&format_args!("{} % replayed, at {at}", sweeps.percent()));
        }
    }
    writeln!(out, "{}", sweeps.summary())?;
    out.flush()
}

/// Renders a message under its time, as people read it, and an empty line.
fn shown(at: Time, entries: &[Entry]) -> String {
    let lines = in_words(entries);
    let lines: Vec<_> = lines.lines().map(|line| format!("  {line}")).collect();
    format!("{at}\n{}\n\n", lines.join("\n"))
}
