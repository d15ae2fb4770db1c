//! What every part of pulse-echo knows.
//!
//! A room never uses a room above it:
//!
//! - the world: [`store`] (S3 by presigned URLs), [`http`] (one client: TLS, deadline);
//! - the formats: [`pulse`], [`answer`], [`mark`], [`status`], [`history`], [`mute`], [`vitals`];
//! - what people and programs see of a fleet: [`view`], in Prometheus's format by [`prometheus`];
//! - what people read: [`words`] (times, sizes, vitals), [`text`] (strangers' text made safe), [`stderr`];
//! - what everything uses: [`name`], [`metadata`], [`json`], [`clock`], [`random`], [`crypto`], [`environment`];
//! - `etag`: an `ETag` that a sweep remembers.

pub mod answer;
pub mod clock;
pub mod crypto;
pub mod environment;
#[cfg(feature = "memory")]
pub mod etag;
pub mod history;
pub mod http;
pub mod json;
pub mod mark;
pub mod metadata;
pub mod mute;
pub mod name;
pub mod pattern;
pub mod prometheus;
pub mod pulse;
pub mod random;
pub mod status;
pub mod stderr;
pub mod store;
pub mod text;
pub mod view;
pub mod vitals;
pub mod words;
pub mod xml;
