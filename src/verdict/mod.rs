//! What follows from what the store has: pure rules of (what was seen, limits, the store's now).

mod check;
mod loop_state;

pub use check::{Limits, judge, no_answer_remedy, odd_status, of_fault};
pub use loop_state::{judge_clock, judge_loop};
