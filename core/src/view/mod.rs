//! A check as people see it: the agent's table, the page and the metrics show these rows, in these words.

mod counts;
mod metrics;
mod row;

pub use counts::{count, counts};
pub use metrics::{metrics, sweep_age};
pub use row::{Newest, Row, worst_first};
