//! What follows from what the store has: pure rules of (what was seen, limits, the store's now).

mod around;
mod check;

pub use around::{judge_clock, judge_loop};
pub use check::{Limits, judge, no_answer_remedy, of_fault};
