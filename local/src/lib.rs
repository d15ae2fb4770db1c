//! The whole of pulse-echo in one process, on an embedded S3.
//!
//! - [`s3`]: the S3 server, a bucket in one file
//! - [`events`]: its events for new objects, as for AWS Lambda
//! - [`system`]: both, with the handlers that AWS would run; `timer`: the loop's schedule; [`sweeper`]: its health
//! - [`keys`]: the operator's pair and the hosts' keys; [`key_command`]: who makes them
//! - [`serve`]: a small site's server; `reload`: what it reads again; [`page`]: what may be read of it without a key
//! - [`demo`]: a guided walk; [`replay`]: what people would have been told
//! - `private`: files for their owner only; `limits`: open files; [`console`]: lines on stderr

pub mod console;
pub mod demo;
pub mod events;
pub mod key_command;
pub mod keys;
mod limits;
pub mod page;
mod private;
mod reload;
mod repeats;
pub mod replay;
pub mod s3;
pub mod serve;
pub mod sweeper;
pub mod system;
mod timer;

use std::fmt::Display;

use log::Level;

/// The program's name.
pub const NAME: &str = "pulse-echo-local";

/// Prints a line on stderr that tells of trouble.
pub fn complain(message: &dyn Display) {
    console::print(Level::Warn, message);
}

/// Prints a line on stderr that tells how it is.
pub fn announce(message: &dyn Display) {
    console::print(Level::Info, message);
}

/// Prints a line on stderr that tells why the program ends.
pub fn fail(message: &dyn Display) {
    console::print(Level::Error, message);
}
