//! The whole of pulse-echo in one process, on an embedded S3.
//!
//! - [`s3`]: the S3 server, a bucket in one file
//! - [`events`]: its events for new objects, as for AWS Lambda
//! - [`system`]: both, with the handlers that AWS would run; `timer`: the loop's schedule
//! - [`keys`]: the operator's pair and the hosts' keys; [`serve`], [`key_command`]: a small site's server and who may
//!   use it; `reload`: what a running server reads again; [`demo`]: a guided walk; [`replay`]: what people would have been told
//! - `private`: files for their owner only

pub mod demo;
pub mod events;
pub mod key_command;
pub mod keys;
mod private;
mod reload;
pub mod replay;
pub mod s3;
pub mod serve;
pub mod system;
mod timer;

use std::fmt::Display;

/// The program's name.
pub const NAME: &str = "pulse-echo-local";

/// Prints a line on stderr, with the program's name first.
pub fn complain(message: &dyn Display) {
    pulse_echo_core::stderr::complain(NAME, message);
}
