//! The door of `pulse-echo-local`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use log::LevelFilter;
use pulse_echo_local::{demo, serve};
use simple_logger::SimpleLogger;

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
    Serve {
        /// Folder of the objects and the keys; made if need be
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Address to listen on; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9810")]
        listen: SocketAddr,
        /// Name of the one bucket there is
        #[arg(long, default_value = "pulse-echo")]
        bucket: String,
    },
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
    let level = if arguments.verbose { LevelFilter::Info } else { LevelFilter::Warn };
    SimpleLogger::new().with_level(level).env().init().expect("there is no other logger");
    let environment = |name: &str| std::env::var(name).ok();
    let done = match arguments.command {
        Command::Serve { data, listen, bucket } => serve::serve(&data, listen, &bucket, &environment),
        Command::Demo { url, body, agent } => demo::demo(url.as_deref(), body.as_deref(), agent, &environment),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("pulse-echo-local: {message}");
            ExitCode::FAILURE
        }
    }
}
