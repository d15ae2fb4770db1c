//! The whole of pulse-echo in one process, on an embedded S3.
//!
//! - [`s3`]: the S3 server, a bucket in one file
//! - [`events`]: who is told of new objects in it, as AWS Lambda would be
//! - [`system`]: both, and the handlers that AWS would run; `timer`: what has the loop sweep
//! - [`keys`], [`serve`]: a small site's server; [`demo`]: a guided walk; [`replay`]: what people would have been told
//! - `private`: files for their owner only

pub mod demo;
pub mod events;
pub mod keys;
mod private;
pub mod replay;
pub mod s3;
pub mod serve;
pub mod system;
mod timer;

use std::fmt::Display;

/// The program's name.
pub const NAME: &str = "pulse-echo-local";

/// A line on stderr, with the program's name.
pub fn complain(message: &dyn Display) {
    pulse_echo_core::stderr::complain(NAME, message);
}
