//! pulse-echo: each host sends a *pulse* to S3, a Lambda answers it with an *echo* or a *fault*.
//!
//! This library holds what both sides share; rooms further down never look up:
//!
//! - plain data and pure rules: [`name`], [`clock`], [`random`], [`json`], [`pulse`], [`vitals`], [`answer`], [`mark`],
//!   [`status`], [`mute`], [`xml`];
//! - the world: [`http`] (one client: TLS, deadline), [`store`] (S3 by presigned URLs);
//! - what every program of ours says on [`stderr`];
//! - the agent's commands: `agent` (feature `agent`), whose door is `main.rs`.

#[cfg(feature = "agent")]
pub mod agent;
pub mod answer;
pub mod clock;
mod crypto;
pub mod http;
pub mod json;
pub mod mark;
pub mod mute;
pub mod name;
pub mod pulse;
pub mod random;
pub mod status;
pub mod stderr;
pub mod store;
pub mod vitals;
pub mod xml;
