//! How bad a message is: for colours, priorities and severities.

use pulse_echo_core::status::{Changes, Fact};

use crate::outbox::entry::{Counts, Entry, What};

/// How bad a message is; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    /// Nothing to worry about: what is gone or new, or a test.
    Neutral,
    /// Something is well again.
    Good,
    /// Trouble of our own.
    Trouble,
    /// Something is down.
    Bad,
}

/// The mood of a message of these entries: that of the worst.
pub(super) fn of(entries: &[Entry]) -> Mood {
    entries.iter().map(of_entry).max().unwrap_or(Mood::Neutral)
}

/// The mood of one entry.
pub(super) fn of_entry(entry: &Entry) -> Mood {
    match &entry.what {
        What::Fact(fact) => of_fact(fact),
        What::Whole(Fact::Gone { .. }) => Mood::Neutral,
        What::Whole(_) => Mood::Good,
        What::Summary(Counts { down, still_down, up, were_down, .. }) => {
            let is_down = down.values().any(|count| count.checks > 0) || still_down.checks > 0;
            of_counts(is_down, up.checks + were_down.checks > 0)
        }
    }
}

fn of_fact(fact: &Fact) -> Mood {
    match fact {
        Fact::Down(_) | Fact::StillDown { .. } | Fact::ManyDown { .. } => Mood::Bad,
        Fact::Up { .. }
        | Fact::Found { .. }
        | Fact::Answered { .. }
        | Fact::Started { .. }
        | Fact::ChannelWorks { .. }
        | Fact::Uncrowded { .. } => Mood::Good,
        Fact::Gone { .. } | Fact::New { .. } | Fact::Test => Mood::Neutral,
        Fact::Counted { hosts } => {
            let Changes { silent, failing, still_down, up, were_down, .. } = hosts.sum();
            of_counts(silent + failing + still_down > 0, up + were_down > 0)
        }
        Fact::Vanished { .. }
        | Fact::Unanswered { .. }
        | Fact::Gap { .. }
        | Fact::Stopped { .. }
        | Fact::StatusUnreadable { .. }
        | Fact::StatusMissing { .. }
        | Fact::StatusUnusable { .. }
        | Fact::HistoryTrouble { .. }
        | Fact::ChannelFails { .. }
        | Fact::Refused { .. }
        | Fact::Crowded { .. }
        | Fact::SetBack { .. }
        | Fact::Untaken { .. } => Mood::Trouble,
    }
}

fn of_counts(is_down: bool, is_up: bool) -> Mood {
    match (is_down, is_up) {
        (true, _) => Mood::Bad,
        (false, true) => Mood::Good,
        (false, false) => Mood::Neutral,
    }
}
