//! One invocation of the loop: what it was asked, what it finds, and what follows.
//!
//! - [`machine`]: the doing, without IO: it asks for one operation of the store or the queue at a time;
//! - [`decide`]: what one look decides, pure; [`chain`]: what a tick says, its number, and when it is due.

pub mod chain;
pub mod decide;
pub mod machine;
