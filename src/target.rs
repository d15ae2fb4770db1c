//! The check that an operator means.

use std::fmt;
use std::str::FromStr;

use pulse_echo_core::name::CheckId;
use pulse_echo_core::pattern::Pattern;
use pulse_echo_core::status::StatusOf;
use pulse_echo_core::text::nearest;

/// A check as an operator names it: as it is shown, without `.json`, or by the rest of its key.
#[derive(Clone, Debug)]
pub struct Target {
    /// The check, if the name is as shown.
    shown: CheckId,
    /// The check, if the name is the rest of a key.
    key: CheckId,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { key: text.to_string().try_into()?, shown: format!("{text}.json").try_into()? })
    }
}

impl Target {
    /// The check that is meant. A known check wins, if the name fits one.
    pub fn among<M>(&self, status: Option<&StatusOf<M>>) -> CheckId {
        let is_known = |id: &CheckId| status.is_some_and(|status| status.checks.contains_key(id));
        let is_as_agents_put_it = self.key.as_str().strip_suffix(".json").is_some();
        let is_key = is_known(&self.key) || is_as_agents_put_it;
        if is_key && !is_known(&self.shown) { self.key.clone() } else { self.shown.clone() }
    }
}

/// The target that an operator gives, or that of `--host`; `None` for all.
pub fn meant(target: Option<&Target>, host: Option<&str>) -> Result<Option<Target>, String> {
    match (target, host) {
        (Some(_), Some(_)) => Err("give either an ID or --host".into()),
        (Some(target), None) => Ok(Some(target.clone())),
        (None, host) => host.map(str::parse).transpose().map_err(|why| format!("--host: {why}")),
    }
}

/// Whether an id stands for a check: it is the check itself, its host's, or a pattern that fits it.
pub fn stands_for(id: &CheckId, check: &CheckId) -> bool {
    check == id
        || (id.default_of_host() == *id && check.host() == id.host())
        || Pattern::of(id).is_some_and(|pattern| pattern.fits(check))
}

/// The checks that an id stands for.
pub fn checks_of<'a, M>(id: &'a CheckId, status: &'a StatusOf<M>) -> impl Iterator<Item = &'a CheckId> {
    status.checks.keys().filter(move |check| stands_for(id, check))
}

/// The sentence for an id that stands for no known check. It names the nearest check.
pub struct Unknown<'a> {
    id: &'a CheckId,
    near: Option<String>,
}

impl<'a> Unknown<'a> {
    /// `None` if the id stands for a check.
    pub fn find<M>(id: &'a CheckId, status: &StatusOf<M>) -> Option<Self> {
        if checks_of(id, status).next().is_some() {
            return None;
        }
        let shown: Vec<_> = status.checks.keys().map(ToString::to_string).collect();
        let near = nearest(&id.to_string(), shown.iter().map(String::as_str)).map(String::from);
        Some(Self { id, near })
    }
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Pattern::of(self.id) {
            Some(pattern) => write!(f, "the last sweep knew no check that {pattern} fits")?,
            None => write!(f, "the last sweep knew no check {}", self.id)?,
        }
        match &self.near {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_echo_core::clock::Time;
    use pulse_echo_core::status::Record;

    fn status(keys: &[&str]) -> StatusOf<()> {
        let now = Time::from_second(0);
        let check = |key: &&str| (key.to_string().try_into().unwrap(), Record::new(now));
        StatusOf { checks: keys.iter().map(check).collect(), ..StatusOf::new(now) }
    }

    fn meant(text: &str, keys: &[&str]) -> String {
        text.parse::<Target>().unwrap().among(Some(&status(keys))).as_str().into()
    }

    #[test]
    fn a_check_is_named_as_it_is_shown_or_by_its_key() {
        for (text, keys, id) in [
            ("web-1", &["web-1.json"][..], "web-1.json"),
            ("web-1.json", &["web-1.json"], "web-1.json"),
            ("web-1/db", &[], "web-1/db.json"),
            // Put by hand, and shown as they are.
            ("notes.txt", &["notes.txt"], "notes.txt"),
            ("web-1", &["web-1"], "web-1"),
            ("web-1", &["web-1", "web-1.json"], "web-1.json"),
            ("a.json", &["a.json", "a.json.json"], "a.json.json"),
        ] {
            assert_eq!(meant(text, keys), id, "{text} among {keys:?}");
        }
        assert_eq!("web-1".parse::<Target>().unwrap().among::<()>(None).as_str(), "web-1.json");
    }

    #[test]
    fn what_could_leave_its_place_is_no_check() {
        for text in ["", "..", "../x", "a//b", "a/", "/a", "a\u{1b}[2J", &"x".repeat(600)] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_host_stands_for_all_its_checks_and_for_no_other_host() {
        let status = status(&["web-1.json", "web-1/db.json", "web-10.json", "web-2/db.json"]);
        let of = |key: &str| {
            let id = key.to_string().try_into().unwrap();
            checks_of(&id, &status).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of("web-1.json"), ["web-1", "web-1/db"]);
        assert_eq!(of("web-1/db.json"), ["web-1/db"]);
        assert_eq!(of("web-2.json"), ["web-2/db"]);
        assert_eq!(of("web-3.json"), [] as [&str; 0]);
    }

    #[test]
    fn an_id_that_is_not_known_is_told_with_the_nearest_one() {
        let status = status(&["web-1.json", "web-2/db.json"]);
        let unknown = |key: &str| Unknown::find(&key.to_string().try_into().unwrap(), &status).map(|it| it.to_string());
        assert_eq!(unknown("wbe-1.json").unwrap(), "the last sweep knew no check wbe-1; did you mean web-1?");
        assert_eq!(unknown("elsewhere.json").unwrap(), "the last sweep knew no check elsewhere");
        assert_eq!((unknown("web-1.json"), unknown("web-2.json")), (None, None));
    }
}
