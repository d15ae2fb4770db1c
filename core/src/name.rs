//! Checked names: a key is made of nothing else.
//!
//! A signer accepts any text as a key, even `../other-bucket/x`, and signs it into another place. So a key is made only
//! of two checked types: a [`Name`] that the agent gives, or the rest of a key that somebody put by hand and that
//! [`CheckId::from_pulse_key`] has checked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::text::{printable, prints};

/// The longest key that counts, in bytes.
const KEY_LIMIT: usize = 512;

/// How an acknowledgement's key ends.
const ACK: &str = ".ack";

/// A host's or a check's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() {
            Err("a name must not be empty".into())
        } else if text.len() > 128 {
            Err(format!("a name has at most 128 characters, this one has {}", text.chars().count()))
        } else if let Some(bad) = text.chars().find(|&c| !allowed(c)) {
            Err(format!("{text:?} may not enter a key: {bad:?} is not a letter, a digit, \".\", \"_\" or \"-\""))
        } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Err(format!("{text:?} may not enter a key: it must begin with a letter or a digit"))
        } else {
            Ok(Self(text.into()))
        }
    }
}

/// A check's id: its pulse's key without `pulse/`, such as `web-1.json` or `web-1/db.json`.
///
/// Shown without `.json`, as `HOST` or `HOST/CHECK`.
///
/// Sorted like the store's lists (`web-1.json` comes before `web.json`), and serialized as in the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckId(String);

impl CheckId {
    /// The id of a check that an agent on `host` sends: `check`, or the host's default check.
    pub fn new(host: &Name, check: Option<&Name>) -> Self {
        Self(match check {
            None => format!("{host}.json"),
            Some(check) => format!("{host}/{check}.json"),
        })
    }

    /// Parses a pulse's key, which anybody may have put.
    ///
    /// Refuses, with the reason, a key that is not in `pulse/`, ends in `/`, has an empty, `.` or `..` segment, is over
    /// 512 bytes or has a character that does not print.
    pub fn from_pulse_key(key: &str) -> Result<Self, String> {
        let rest = key.strip_prefix("pulse/").ok_or("it is not in pulse/")?;
        if key.len() > KEY_LIMIT {
            return Err(format!("it has {} bytes, over {KEY_LIMIT}", key.len()));
        }
        if rest.is_empty() || rest.ends_with('/') {
            return Err("it names a folder, not a check".into());
        }
        if let Some(bad) = rest.split('/').find(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(format!("it has the segment {bad:?}"));
        }
        if let Some(bad) = rest.chars().find(|&c| !prints(c)) {
            return Err(format!("it has the character {bad:?}, which does not print"));
        }
        Ok(Self(rest.into()))
    }

    /// The pulse's key without `pulse/`. All objects of this check have keys that end like this.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as it is shown, but for escapes: without `.json`.
    pub fn shown(&self) -> &str {
        self.0.strip_suffix(".json").unwrap_or(&self.0)
    }

    /// The check that an object in `mute/` acknowledges an outage of, by the rest of its key, as agents name the check;
    /// `None` if it is no `.ack`.
    pub fn of_ack(rest: &str) -> Option<Self> {
        rest.strip_suffix(ACK).and_then(|shown| format!("{shown}.json").try_into().ok())
    }

    /// The check as agents put it, of all that are shown like it.
    #[must_use]
    pub fn as_agents_put_it(&self) -> Self {
        Self(format!("{}.json", self.shown()))
    }

    /// The name of the check's host, as it is shown: the key up to its first `/`, without `.json`.
    pub fn host(&self) -> &str {
        // Fleets are sorted by it. Names are short, and a search for a byte finds its way faster than one for a letter.
        match self.0.bytes().position(|byte| byte == b'/') {
            Some(end) => &self.0[..end],
            None => self.0.strip_suffix(".json").unwrap_or(&self.0),
        }
    }

    /// The default check of the same host. Its mute covers all checks of the host.
    #[must_use]
    pub fn default_of_host(&self) -> Self {
        Self(format!("{}.json", self.host()))
    }
}

impl From<CheckId> for String {
    fn from(id: CheckId) -> Self {
        id.0
    }
}

impl TryFrom<String> for CheckId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::from_pulse_key(&format!("pulse/{text}")).map_err(|why| format!("{text:?} is no check: {why}"))
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.shown()))
    }
}

/// A key in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// `pulse/<id>.json`: what to fetch and what to expect.
    pub fn pulse(id: &CheckId) -> Self {
        Self(format!("pulse/{}", id.0))
    }

    /// `echo/<id>.json`: the newest good probe.
    pub fn echo(id: &CheckId) -> Self {
        Self(format!("echo/{}", id.0))
    }

    /// `fault/<id>.json`: why the newest bad probe failed.
    pub fn fault(id: &CheckId) -> Self {
        Self(format!("fault/{}", id.0))
    }

    /// `mute/<id>.json`: no messages about the check or, for a host, about all its checks. The id may be a pattern.
    pub fn mute(id: &CheckId) -> Self {
        Self(format!("mute/{}", id.0))
    }

    /// `mute/<id>.ack`: no reminders of one outage of the check. Checks that are shown alike share it.
    pub fn ack(id: &CheckId) -> Self {
        Self(format!("mute/{}{ACK}", id.shown()))
    }

    /// `retire/<id>.json`: a note that the check or, for a host, any of its checks left on purpose.
    pub fn retire(id: &CheckId) -> Self {
        Self(format!("retire/{}", id.0))
    }

    /// `loop/Update.json`: the mark.
    pub fn mark() -> Self {
        Self("loop/Update.json".into())
    }

    /// `loop/Start.lambda`: putting it starts the loop.
    pub fn loop_start() -> Self {
        Self("loop/Start.lambda".into())
    }

    /// `loop/Stop.lambda`: putting it stops the loop.
    pub fn loop_stop() -> Self {
        Self("loop/Stop.lambda".into())
    }

    /// `loop/Update.lambda`: putting it makes the loop sweep now.
    pub fn loop_update() -> Self {
        Self("loop/Update.lambda".into())
    }

    /// `loop/Test.lambda`: putting it sends a test message over every channel.
    pub fn loop_test() -> Self {
        Self("loop/Test.lambda".into())
    }

    /// `loop/Loop.lock`: while it is there and not older than the start, the loop is stopped.
    pub fn loop_lock() -> Self {
        Self("loop/Loop.lock".into())
    }

    /// `status.json`: every check's record and the outbox.
    pub fn status() -> Self {
        Self("status.json".into())
    }

    /// `status-bad-TIME.json`: a copy of an unreadable `status.json`, made at that time.
    pub fn status_bad(time: Time) -> Self {
        Self(format!("status-bad-{time}.json"))
    }

    /// `history.json`: the outages that are over.
    pub fn history() -> Self {
        Self("history.json".into())
    }

    /// `history-bad-TIME.json`: a copy of an unreadable `history.json`, made at that time.
    pub fn history_bad(time: Time) -> Self {
        Self(format!("history-bad-{time}.json"))
    }

    /// `status.html`: the page.
    pub fn page() -> Self {
        Self("status.html".into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_enter_a_key() {
        for name in ["a", "web-1", "10.0.0.1", "A_b.c-d", &"x".repeat(128)] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_may_not_are_refused_with_the_character() {
        for (name, why) in [
            ("", "empty"),
            ("..", "begin with"),
            ("-a", "begin with"),
            ("a/b", "'/'"),
            ("../other-bucket/x", "'/'"),
            ("a b", "' '"),
            ("käse", "'ä'"),
            ("a\n", "'\\n'"),
            (&"x".repeat(129), "129"),
        ] {
            let error = name.parse::<Name>().unwrap_err();
            assert!(error.contains(why), "{name:?}: {error}");
        }
    }

    #[test]
    fn the_answers_keys_are_the_pulses_with_its_first_folder_replaced() {
        let host: Name = "web-1".parse().unwrap();
        let id = CheckId::new(&host, Some(&"db".parse().unwrap()));
        assert_eq!(id.to_string(), "web-1/db");
        assert_eq!(Key::pulse(&id).as_str(), "pulse/web-1/db.json");
        assert_eq!(Key::echo(&id).as_str(), "echo/web-1/db.json");
        assert_eq!(Key::fault(&id).as_str(), "fault/web-1/db.json");
        assert_eq!(CheckId::from_pulse_key("pulse/web-1/db.json").unwrap(), id);
        assert_eq!(CheckId::new(&host, None).to_string(), "web-1");
    }

    #[test]
    fn a_host_has_a_default_check_and_others_beside() {
        let host = |key| CheckId::from_pulse_key(key).unwrap();
        for (key, name) in [
            ("pulse/web-1.json", "web-1"),
            ("pulse/web-1/db.json", "web-1"),
            ("pulse/web-1", "web-1"),
            ("pulse/a.json/b", "a.json"),
        ] {
            assert_eq!(host(key).host(), name);
            assert_eq!(host(key).default_of_host().as_str(), format!("{name}.json"));
        }
    }

    #[test]
    fn an_acknowledgement_belongs_to_the_check_as_it_is_shown() {
        for (key, ack) in [
            ("pulse/web-1.json", "mute/web-1.ack"),
            ("pulse/web-1/db.json", "mute/web-1/db.ack"),
            ("pulse/notes.txt", "mute/notes.txt.ack"),
        ] {
            let id = CheckId::from_pulse_key(key).unwrap();
            assert_eq!(Key::ack(&id).as_str(), ack);
            assert_eq!(CheckId::of_ack(&ack["mute/".len()..]), Some(id.as_agents_put_it()));
        }
        for rest in ["web-1.json", "web-1", ".ack/x", "a//b.ack", "../x.ack"] {
            assert_eq!(CheckId::of_ack(rest), None, "{rest}");
        }
    }

    #[test]
    fn checks_are_in_the_order_of_their_keys() {
        let mut keys = ["pulse/web.json", "pulse/web-1.json", "pulse/web/a.json", "pulse/Web.json"];
        let mut ids = keys.map(|key| CheckId::from_pulse_key(key).unwrap());
        keys.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids.map(|id| Key::pulse(&id).to_string()), keys);
    }

    #[test]
    fn a_key_put_by_hand_counts_whatever_its_name() {
        for key in
            ["pulse/a b+c%.txt", "pulse/a/b/c.json", "pulse/Käse/日本.json", "pulse/...json", "pulse/e\u{301}.json"]
        {
            let id = CheckId::from_pulse_key(key).unwrap();
            assert_eq!(Key::pulse(&id).as_str(), key);
        }
    }

    #[test]
    fn a_name_that_looks_like_another_counts_and_is_shown_for_what_it_is() {
        let id = CheckId::from_pulse_key("pulse/web-1\u{3164}.json").unwrap();
        assert_eq!((id.to_string().as_str(), id.as_str()), ("web-1\\u{3164}", "web-1\u{3164}.json"));
    }

    #[test]
    fn a_key_that_could_leave_its_place_or_the_screen_does_not() {
        for (key, why) in [
            ("echo/a.json", "not in pulse/"),
            ("pulse/", "folder"),
            ("pulse/a/", "folder"),
            ("pulse//a", "segment \"\""),
            ("pulse/./a", "segment \".\""),
            ("pulse/../echo/a", "segment \"..\""),
            ("pulse/a\u{1b}[2J", "\\u{1b}"),
            ("pulse/a\u{7f}", "\\u{7f}"),
            ("pulse/a\u{202e}b", "\\u{202e}"),
            ("pulse/a\u{a0}b", "\\u{a0}"),
            (&format!("pulse/{}", "x".repeat(507)), "513 bytes"),
        ] {
            let error = CheckId::from_pulse_key(key).unwrap_err();
            assert!(error.contains(why), "{key:?}: {error}");
        }
        assert!(CheckId::from_pulse_key(&format!("pulse/{}", "x".repeat(506))).is_ok());
    }
}
