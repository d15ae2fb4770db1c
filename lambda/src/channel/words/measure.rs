//! Times, numbers of checks, names and last words in messages.

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::text::line;
use pulse_echo_core::vitals::Vitals;
use pulse_echo_core::words::{self, grouped};

use crate::outbox::NOW_AS;

pub(super) use pulse_echo_core::words::when;

/// How much of a name is shown, in bytes.
const NAME_ROOM: usize = 128;

/// How much of a name is shown in a list of names, in bytes.
const LISTED_ROOM: usize = 64;

/// `1 check`, `1,200 checks`.
pub(super) fn checks(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} check{plural}", grouped(count))
}

/// `1 host`, `1,200 hosts`.
pub(super) fn hosts(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} host{plural}", grouped(count))
}

/// A host's name, shortened if it is very long.
pub(super) fn named(host: &str) -> String {
    line(host, LISTED_ROOM)
}

/// A check's name, shortened if it is very long.
pub(super) fn name(id: &CheckId) -> String {
    line(&id.to_string(), NAME_ROOM)
}

/// The first names of `count` checks, and how many more there are.
pub(super) fn names<'a>(count: usize, some: impl IntoIterator<Item = &'a CheckId>) -> String {
    let some: Vec<_> = some.into_iter().map(|id| line(&id.to_string(), LISTED_ROOM)).collect();
    match count.saturating_sub(some.len()) {
        0 => some.join(", "),
        more => format!("{} and {} more", some.join(", "), grouped(more)),
    }
}

/// Ends a sentence that may end with a stranger's words.
pub(super) fn ended(sentence: String) -> String {
    if sentence.ends_with(['.', '?', '!']) { sentence } else { sentence + "." }
}

/// The shell command for `verb` on a check, quoted: anyone who can put a pulse chooses its name.
pub(super) fn command(verb: &str, id: &CheckId) -> String {
    let id = id.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    // A name with a leading dash would be an option, and quotes do not help against that.
    if id.len() > NAME_ROOM || id.starts_with('-') {
        format!("`pulse-echo {verb} ID`")
    } else if id.chars().all(is_plain) {
        format!("`pulse-echo {verb} {id}`")
    } else {
        format!("`pulse-echo {verb} '{}'`", id.replace('\'', "'\\''"))
    }
}

/// The last words of a host, such as `up 41 d, load 48`, and under which name its machine sends now; `None` if it left
/// no readable vitals and no other name is known.
pub(in crate::channel) fn last_words(metadata: &Metadata) -> Option<String> {
    let vitals = Some(words::vitals(&Vitals::from_metadata(metadata))).filter(|words| !words.is_empty());
    let renamed = metadata.get(NOW_AS).map(|host| format!("the same machine sends as {} now", named(host)));
    let all: Vec<_> = vitals.into_iter().chain(renamed).collect();
    Some(all.join("; ")).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CheckId {
        CheckId::from_pulse_key(&format!("pulse/{text}")).unwrap()
    }

    #[test]
    fn a_command_that_is_pasted_into_a_shell_runs_nothing_else() {
        for (key, text) in [
            ("web-1/db.json", "`pulse-echo status web-1/db`"),
            ("web-1/$(reboot).json", "`pulse-echo status 'web-1/$(reboot)'`"),
            ("a;reboot", "`pulse-echo status 'a;reboot'`"),
            ("a'; reboot #", "`pulse-echo status 'a'\\''; reboot #'`"),
            ("--help", "`pulse-echo status ID`"),
        ] {
            assert_eq!(command("status", &id(key)), text);
        }
        assert_eq!(command("status", &id(&"x".repeat(129))), "`pulse-echo status ID`");
    }

    #[test]
    fn last_words_are_vitals_or_nothing() {
        let words = |pairs: &[(&str, &str)]| {
            last_words(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
        };
        assert_eq!(words(&[("load1", "0.5"), ("uptime-s", "-1")]).unwrap(), "load 0.50");
        let foreign = [
            ("load1", "<!channel>"),
            ("uptime-s", "18446744073709551615"),
            ("mem-available-kb", "18446744073709551615"),
            ("disk-free-pct", "NaN"),
            ("agent", "x"),
        ];
        assert_eq!(words(&foreign), None);
        assert_eq!(words(&[("now-as", "web-7")]).unwrap(), "the same machine sends as web-7 now");
        let both = words(&[("now-as", "a\u{1b}b"), ("load1", "0.5")]).unwrap();
        assert!(both.starts_with("load 0.50; the same machine sends as ") && !both.contains('\u{1b}'), "{both}");
    }
}
