//! What the tests of this workspace share. Nothing else depends on it.
//!
//! - [`agent`]: the agent as a process, on a test's own host; [`bed`]: the same, beside an embedded S3
//! - [`local`]: `pulse-echo-local` as a process; [`runtime`]: Lambda's Runtime API, for the binary `bootstrap`
//! - [`world`]: a store and a probe; [`fleet`]: a store and a loop whose time a test sets
//! - [`wire`], [`gate`]: what lies between them and the store
//! - [`server`], [`tls`], [`proxy`], [`smtp`], [`sqs`], [`ssm`]: servers on this machine that answer as a test tells
//!   them to
//! - [`plain`]: whether a text is for people
//! - [`signature`]: how AWS wants a request to be signed
//! - [`store`]: the library's client; [`raw_client`]: a client that shows raw answers
//! - [`schema`]: whether a `status.json` is as documented; [`tally`]: counts of passed, failed and left out checks

// Tests start things by name, so a `Default` would have no user.
#![allow(clippy::new_without_default)]

pub mod agent;
pub mod bed;
pub mod fleet;
pub mod gate;
pub mod local;
pub mod page_fleet;
pub mod plain;
pub mod proxy;
pub mod raw_client;
pub mod runtime;
pub mod schema;
pub mod server;
pub mod signature;
pub mod smtp;
pub mod sqs;
pub mod ssm;
pub mod store;
pub mod tally;
pub mod tls;
pub mod wire;
pub mod world;
