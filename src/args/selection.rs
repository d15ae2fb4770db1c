//! Which checks `--state` wants.

use std::str::FromStr;

use pulse_echo_core::status::State;
use pulse_echo_core::text::nearest;

/// The checks of one state, or of a kind that several states have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// `failing`, `silent` or `unanswered`.
    Down,
    /// Past their interval, but not yet silent.
    Late,
    /// Of which nothing is told for a while.
    Muted,
    /// Of this recorded state.
    Is(State),
}

/// What can be asked for.
const WORDS: [(&str, Selection); 9] = [
    ("down", Selection::Down),
    ("failing", Selection::Is(State::Failing)),
    ("silent", Selection::Is(State::Silent)),
    ("unanswered", Selection::Is(State::Unanswered)),
    ("late", Selection::Late),
    ("new", Selection::Is(State::New)),
    ("up", Selection::Is(State::Up)),
    ("gone", Selection::Is(State::Gone)),
    ("muted", Selection::Muted),
];

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = WORDS.map(|(word, _)| word);
        WORDS.iter().find(|(word, _)| *word == text).map(|&(_, selection)| selection).ok_or_else(|| {
            match nearest(text, words) {
                Some(near) => format!("{text:?} is not a state; did you mean {near:?}?"),
                None => format!("{text:?} is not a state; there are {}", words.join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_can_be_asked_for_and_a_wrong_one_names_the_nearest() {
        for state in [State::New, State::Up, State::Failing, State::Silent, State::Unanswered, State::Gone] {
            assert_eq!(state.to_string().parse(), Ok(Selection::Is(state)));
        }
        assert_eq!("down".parse(), Ok(Selection::Down));
        let error = |text: &str| text.parse::<Selection>().unwrap_err();
        assert_eq!(error("slient"), "\"slient\" is not a state; did you mean \"silent\"?");
        assert!(error("CRITICAL").ends_with("there are down, failing, silent, unanswered, late, new, up, gone, muted"));
    }
}
