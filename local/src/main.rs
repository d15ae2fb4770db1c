//! The program `pulse-echo-local`.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use log::LevelFilter;
use pulse_echo_core::environment::Environment;
use pulse_echo_local::{console, demo, fail, key_command, replay, serve};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The whole of pulse-echo in one process, on an embedded S3: for trying out, and for small sites.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// Say what is being done
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Keep running as a small site's server; the first start prints the operator's keys as NAME=value lines
    #[command(after_long_help = serve::SETTINGS)]
    Serve(serve::Options),
    /// Give each host a key of its own, which may write and read what is that host's alone
    #[command(subcommand)]
    Key(key_command::Act),
    /// A guided walk: a real pulse to its echo, a broken service and a silent host to what people are told of it
    Demo(demo::Options),
    /// The sweep's rules over a recorded history: which messages other limits would have sent
    Replay(replay::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lookup = |name: &str| std::env::var(name).ok();
    let level = if arguments.verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    console::start(level, lookup("JOURNAL_STREAM").as_deref());
    let environment = Environment::new(&lookup);
    let done = match arguments.command {
        Command::Serve(options) => serve::serve(&options, environment).map_err(|message| (message, 1)),
        Command::Key(act) => key_command::key(&act, Timestamp::now()).map_err(|message| (message, 1)),
        Command::Demo(options) => walk(&options, environment),
        Command::Replay(options) => replay::replay(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((message, code)) => {
            fail(&message);
            ExitCode::from(code)
        }
    }
}

/// Runs the demo until a signal comes. The error has the exit code; after a signal it is the shells' code.
fn walk(options: &demo::Options, environment: Environment) -> Result<(), (String, u8)> {
    let signal = Arc::new(AtomicUsize::new(0));
    for (number, code) in [(SIGINT, 130), (SIGTERM, 143)] {
        flag::register_usize(number, signal.clone(), code)
            .map_err(|error| (format!("cannot wait for signals: {error}"), 1))?;
    }
    let code = || u8::try_from(signal.load(Ordering::SeqCst)).unwrap_or_default();
    demo::demo(options, environment, &|| code() != 0, &mut io::stdout()).map_err(|message| (message, code().max(1)))
}
