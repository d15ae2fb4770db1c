//! What is told, in this order: each story goes on from what the one before it left.

use crate::Story;

mod bucket;
mod deploy;
mod hosts;
mod lints;
mod queue;
mod removal;
mod version_2;
mod walk;

pub const ALL: &[&[Story]] = &[
    lints::STORIES,
    deploy::BEFORE,
    hosts::STORIES,
    walk::STORIES,
    deploy::STORIES,
    queue::STORIES,
    removal::STORIES,
    bucket::STORIES,
    version_2::STORIES,
];
