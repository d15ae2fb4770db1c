//! The fleet's side of pulse-echo. Rooms further down never look up:
//!
//! - [`probe`]: the handler that answers a pulse with an echo or a fault; [`settings`]: what it is told from outside;
//! - `event` (what came), `fetch` (the web, within limits);
//! - `expect` (what was seen, is it what the pulse expects?), `text` (foreign text made safe and short).
//!
//! Handlers are plain blocking functions. `main.rs`, the binary `bootstrap`, is their door to Lambda's runtime.

pub mod channel;
mod event;
mod expect;
mod fetch;
pub mod outbox;
pub mod probe;
pub mod round;
pub mod rules;
pub mod settings;
mod text;
pub mod verdict;
