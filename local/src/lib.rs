//! The whole of pulse-echo in one process, on an embedded S3.
//!
//! - [`s3`]: the S3 server, a bucket in one file
//! - [`events`]: who is told of new objects in it, as AWS Lambda would be

pub mod events;
pub mod s3;
