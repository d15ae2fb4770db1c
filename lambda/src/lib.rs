//! The fleet's side of pulse-echo. Rooms further down never look up:
//!
//! - [`probe`]: the handler that answers a pulse with an echo or a fault; [`sweep`]: the loop's handler, which looks at all
//!   checks and tells; [`settings`] and [`rules`]: what they are told from outside;
//! - `event` (what came to the probe), `fetch` (the web, within limits), [`channel`] (the ways to people);
//! - pure rules: `bounds` (may the probe go there?), `expect` (what was seen, is it what the pulse expects?), [`round`] (one
//!   round over all checks), [`verdict`] (what a check is), [`outbox`] (what is owed), `text` (foreign text made safe and
//!   short).
//!
//! Handlers are plain blocking functions. `main.rs`, the binary `bootstrap`, is their door to Lambda's runtime.

mod bounds;
pub mod channel;
mod event;
mod expect;
mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod outbox;
pub mod probe;
pub mod round;
pub mod rules;
pub mod settings;
mod side_by_side;
pub mod sweep;
mod text;
pub mod tick;
pub mod verdict;

#[cfg(test)]
#[path = "../tests/support/server.rs"]
mod server;
