//! The fleet's side of pulse-echo. Rooms further down never look up:
//!
//! - [`probe`]: the handler that answers a pulse with an echo or a fault; [`settings`]: what it is told from outside;
//! - `event` (what came), `fetch` (the web, within limits);
//! - `bounds` (may the probe go there?), `expect` (what was seen, is it what the pulse expects?), `text` (foreign text
//!   made safe and short).
//!
//! Handlers are plain blocking functions. `main.rs`, the binary `bootstrap`, is their door to Lambda's runtime.

mod bounds;
mod event;
mod expect;
mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod probe;
pub mod settings;
mod text;
