//! The rows that `--state` selects.

use crate::args::Selection;
use pulse_echo_core::view::Row;

impl Selection {
    /// Whether the selection includes this check.
    pub fn includes(self, row: &Row) -> bool {
        match self {
            Self::Down => row.record.state.is_down(),
            Self::Late => row.is_late,
            Self::Muted => row.mute.is_some(),
            Self::Is(state) => row.record.state == state,
        }
    }
}
