//! The door of `pulse-echo-local`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use log::LevelFilter;
use pulse_echo::stderr;
use pulse_echo_local::{NAME, complain, demo, serve};

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
    /// Keep running as a small site's server; the first start prints the keys as NAME=value lines to paste on each host
    Serve(serve::Options),
    /// A guided walk: a real pulse to its echo, a broken service to its fault, and back
    Demo {
        /// Check this address instead of a service of the demo's own
        #[arg(long)]
        url: Option<String>,
        /// With --url: the body expected there (default: any, with a status of 2xx)
        #[arg(long, requires = "url")]
        body: Option<String>,
        /// The agent's program (default: beside this one)
        #[arg(long, value_name = "FILE")]
        agent: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    stderr::log(NAME, if arguments.verbose { LevelFilter::Info } else { LevelFilter::Warn });
    let environment = |name: &str| std::env::var(name).ok();
    let done = match arguments.command {
        Command::Serve(options) => serve::serve(&options, &environment),
        Command::Demo { url, body, agent } => demo::demo(url.as_deref(), body.as_deref(), agent, &environment),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}
