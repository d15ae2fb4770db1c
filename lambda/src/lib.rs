//! The fleet's side of pulse-echo. Rooms further down never look up:
//!
//! - [`probe`]: the handler that answers a pulse with an echo or a fault; [`tick`]: the loop's handler, which has `sweep`
//!   look at all checks, and tells; `settings` (which store) and
//!   [`rules`] (the loop's settings): what they are told from outside;
//! - `event` (what came to the probe), `fetch` (the web, within limits), [`channel`] (the ways to people);
//! - pure rules: `ipfilter` (may the probe go there?), `expect` (what was seen, is it what the pulse expects?), [`round`] (one
//!   round over all checks), [`verdict`] (what a check is), [`outbox`] (what is owed), `text` (foreign text made safe and
//!   short).
//!
//! Handlers are plain blocking functions. `main.rs`, the binary `bootstrap`, is their door to Lambda's runtime.

mod aws;
mod cas;
pub mod channel;
mod deadline;
mod event;
mod expect;
mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod ipfilter;
pub mod outbox;
mod parallel;
pub mod probe;
pub mod round;
pub mod rules;
mod settings;
mod sweep;
mod text;
pub mod tick;
pub mod verdict;
mod web;

#[cfg(test)]
#[path = "../tests/support/server.rs"]
mod server;
