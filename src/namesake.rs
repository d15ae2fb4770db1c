//! Another machine under this host's name. Each of the two overwrites the other's pulses, so that neither is watched.

use super::look;
use super::machine;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::store::Store;

/// What to do about it.
pub const REMEDY: &str = "give one of the two another name: \"host\" in its configuration";

/// Whether the newest echo of this check answers another machine than this one. Both must be known, and the store must
/// tell.
pub fn answers_another(store: &Store, id: &CheckId) -> bool {
    let own = machine::instance();
    let echo = look::echo(store, id).ok().and_then(look::Look::there);
    is_another(own.as_deref(), echo.and_then(|echo| echo.instance).as_deref())
}

fn is_another(own: Option<&str>, of_echo: Option<&str>) -> bool {
    own.is_some() && of_echo.is_some() && own != of_echo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_machines_must_be_known() {
        for (own, of_echo, another) in [
            (Some("a"), Some("b"), true),
            (Some("a"), Some("a"), false),
            (None, Some("b"), false),
            (Some("a"), None, false),
        ] {
            assert_eq!(is_another(own, of_echo), another, "{own:?} {of_echo:?}");
        }
    }
}
