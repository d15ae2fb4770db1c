//! Patterns of names, such as `web-*`: what an operator means by many checks at once.

use std::fmt;
use std::str::FromStr;

use crate::name::CheckId;

/// An id with `*` in it; `*` is any run of characters but `/`. Without `/` it fits hosts, with all their checks. With
/// `/` it fits checks. The names that agents give hold no `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that an id stands for; `None` if it has no `*`. So a mute's key names its pattern.
    pub fn of(id: &CheckId) -> Option<Self> {
        id.as_str().contains('*').then(|| Self(id.shown().into()))
    }

    /// Parses a pattern of a list of checks, which may be an id without `*`, too: a host with all its checks, or one
    /// check.
    pub fn of_list(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".into());
        }
        if let Some(sign) = text.chars().find(|c| "?[]{}!".contains(*c)) {
            return Err(format!("{sign} stands for nothing there: only * does, for any letters but /"));
        }
        if text.ends_with('/') {
            return Err("it ends in /: leave that out, or write /* for the host's checks with names".into());
        }
        CheckId::try_from(format!("{text}.json")).map(|id| Self(id.shown().into()))
    }

    /// Whether the check is meant.
    pub fn fits(&self, check: &CheckId) -> bool {
        if !self.0.contains('/') {
            return fits_segment(&self.0, check.host());
        }
        let (mut patterns, mut segments) = (self.0.split('/'), check.shown().split('/'));
        loop {
            match (patterns.next(), segments.next()) {
                (Some(pattern), Some(segment)) if fits_segment(pattern, segment) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = CheckId::try_from(format!("{text}.json"))?;
        Self::of(&id).ok_or_else(|| format!("{text:?} is no pattern: it has no *"))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a name without `/` fits. On a difference, the last `*` takes one more byte: earlier ones need not be tried.
fn fits_segment(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: &str) -> CheckId {
        key.to_string().try_into().unwrap()
    }

    #[test]
    fn without_a_slash_it_fits_hosts_with_all_their_checks() {
        let pattern: Pattern = "web-*".parse().unwrap();
        for (key, fits) in [
            ("web-1.json", true),
            ("web-1/db.json", true),
            ("web-.json", true),
            ("web-1/a/b", true),
            ("web-1", true),
            ("web.json", false),
            ("my-web-1.json", false),
            ("db/web-1.json", false),
        ] {
            assert_eq!(pattern.fits(&id(key)), fits, "{key}");
        }
        assert!("*".parse::<Pattern>().unwrap().fits(&id("a/b.json")));
    }

    #[test]
    fn signs_that_stand_for_nothing_are_refused_in_a_list() {
        for text in ["web-?", "web[1-3]", "web{1,2}", "!!x", "web_1!", "web-1/", ""] {
            assert!(Pattern::of_list(text).is_err(), "{text}");
        }
        let why = Pattern::of_list("web[1-3]").unwrap_err();
        assert_eq!(why, "[ stands for nothing there: only * does, for any letters but /");
    }

    #[test]
    fn with_a_slash_it_fits_checks_and_a_star_ends_at_a_slash() {
        for (pattern, key, fits) in [
            ("*/db", "web-1/db.json", true),
            ("*/db", "web-1/db", true),
            ("*/db", "web-1.json", false),
            ("*/db", "web-1/a/db.json", false),
            ("web-*/*", "web-1/db.json", true),
            ("web-*/*", "web-1.json", false),
            ("web-1/*b", "web-1/bdb.json", true),
            ("web-1/*b*", "web-1/dbd.json", true),
            ("web-1/d*b*d", "web-1/dbbd.json", true),
            ("web-1/d*b*d", "web-1/dbb.json", false),
            ("*/Kä*e", "h/Käse.json", true),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().fits(&id(key)), fits, "{pattern} {key}");
        }
    }

    #[test]
    fn a_pattern_is_an_id_with_a_star() {
        assert_eq!(Pattern::of(&id("web-*.json")).unwrap().to_string(), "web-*");
        assert_eq!(Pattern::of(&id("web-1.json")), None);
        assert!("web-1".parse::<Pattern>().unwrap_err().contains("it has no *"));
        assert!("*//x".parse::<Pattern>().unwrap_err().contains("the segment \"\""));
        assert!("../*".parse::<Pattern>().unwrap_err().contains("the segment \"..\""));
    }

    #[test]
    fn in_a_list_an_id_without_a_star_stands_for_itself() {
        for (pattern, key, fits) in [
            ("web-1", "web-1.json", true),
            ("web-1", "web-1/db.json", true),
            ("web-1", "web-10.json", false),
            ("web-1/db", "web-1/db.json", true),
            ("web-1/db", "web-1.json", false),
            ("web-*", "web-10.json", true),
        ] {
            assert_eq!(Pattern::of_list(pattern).unwrap().fits(&id(key)), fits, "{pattern} {key}");
        }
        assert!(Pattern::of_list("").is_err() && Pattern::of_list("a//b").is_err());
    }

    #[test]
    fn many_stars_against_a_long_name_end_soon() {
        let pattern: Pattern = format!("{}b", "a*".repeat(120)).parse().unwrap();
        assert!(!pattern.fits(&id(&"a".repeat(500))));
    }
}
