//! The fleet's side of pulse-echo. Rooms further down never look up:
//!
//! - [`probe`]: the handler that answers a pulse with an echo or a fault; [`tick`]: the loop's handler, one invocation
//!   of it, which has `sweep` look at all checks, and tells;
//! - [`event`] (what came, to either of them), `fetch` (the services, within limits), [`channel`] (the ways to people),
//!   `aws` (signed requests), `web` (the others), `wire` (how
//!   servers really answer), `cas` (an object changed by several);
//! - what people look at: [`page`];
//! - pure rules: [`round`] (one round over all checks), [`outbox`] (what is owed), [`verdict`] (what a check is),
//!   [`ahead`] (times that are still to come), `expect` (is what was seen as the pulse expects?), `ipfilter` (may the
//!   probe go there?);
//! - what they all use: `settings` (which store) and [`rules`] (the loop's settings), `connections`, `deadline`,
//!   `parallel`, [`error`]; [`telemetry`] (logs, metrics).
//!
//! Handlers are plain blocking functions. `main.rs`, the binary `bootstrap`, is their door to Lambda's runtime.

pub mod ahead;
mod aws;
mod cas;
pub mod channel;
mod connections;
mod deadline;
pub mod error;
pub mod event;
mod expect;
mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod ipfilter;
pub mod outbox;
pub mod page;
mod parallel;
pub mod probe;
pub mod round;
pub mod rules;
mod settings;
mod sweep;
pub mod telemetry;
pub mod tick;
pub mod verdict;
mod web;
mod wire;
