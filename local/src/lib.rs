//! The whole of pulse-echo in one process, on an embedded S3.
//!
//! - [`s3`]: the S3 server, a bucket in one file
//! - [`events`]: who is told of new objects in it, as AWS Lambda would be
//! - [`system`]: both, and the handlers that AWS would run
//! - [`keys`], [`serve`]: a small site's server; [`demo`]: a guided walk

pub mod demo;
pub mod events;
pub mod keys;
pub mod s3;
pub mod serve;
pub mod system;
