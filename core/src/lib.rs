//! What every part of pulse-echo knows.
//!
//! Rooms further down never look up:
//!
//! - plain data and pure rules: [`name`], [`clock`], [`random`], [`json`], [`pulse`], [`vitals`], [`answer`], [`mark`],
//!   [`status`], [`mute`];
//! - the world: [`http`] (one client: TLS, deadline), [`store`] (S3 by presigned URLs);
//! - what every program of ours says on [`stderr`].

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
