//! What the tests of this workspace share; nobody else depends on it.
//!
//! - [`agent`]: the agent as a process, on a host of a test's own; [`bed`]: that, beside an embedded S3
//! - [`local`]: `pulse-echo-local` as a process; [`runtime`]: Lambda's Runtime API, for the binary `bootstrap`
//! - [`world`]: a store and a probe; [`fleet`]: a store and a loop whose time a test turns; [`wire`], [`gate`]: what lies
//!   between
//! - [`server`], [`tls`], [`proxy`], [`sqs`]: what answers on this machine as a test tells it to
//! - [`signature`]: how AWS wants a request to be signed
//! - [`store`]: the library's client; [`raw_client`]: one that shows raw answers
//! - [`schema`]: whether a `status.json` is as documented; [`tally`]: what passed, what failed, what was left out

// What a test starts, it starts by name: a `Default` beside it would have no user.
#![allow(clippy::new_without_default)]

pub mod agent;
pub mod bed;
pub mod fleet;
pub mod gate;
pub mod local;
pub mod proxy;
pub mod raw_client;
pub mod runtime;
pub mod schema;
pub mod server;
pub mod signature;
pub mod sqs;
pub mod store;
pub mod tally;
pub mod tls;
pub mod wire;
pub mod world;
