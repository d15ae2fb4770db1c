//! Who is told of what: which checks a channel wants to hear of, and what of them. Facts that are of no single check go
//! to all channels.

use std::collections::{BTreeMap, BTreeSet};

use pulse_echo_core::environment::Environment;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::pattern::Pattern;

/// What is told of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is down.
    Down,
    /// It is still down, for the same or for another reason.
    Reminder,
    /// It is up again.
    Up,
    /// It is gone. A new check goes to the same channels.
    Gone,
}

/// The kinds, by the words of `NAME_STATES`.
pub const KINDS: [(Kind, &str); 4] =
    [(Kind::Down, "down"), (Kind::Reminder, "reminder"), (Kind::Up, "up"), (Kind::Gone, "gone")];

/// What one channel wants to hear. The default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Patterns of which one must fit; none: any check will do.
    only: Vec<Pattern>,
    /// Patterns of which none may fit.
    except: Vec<Pattern>,
    /// The kinds that it takes; none: all of them.
    kinds: BTreeSet<Kind>,
    /// Its receiver forgets an outage that it is not reminded of. So it gets the reminders of what it was told down.
    forgets: bool,
}

/// The channels, by name, with what each wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audiences(BTreeMap<String, Audience>);

/// What no channel takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untaken {
    /// The kinds that no channel takes of any check, in the words of `NAME_STATES`.
    pub kinds: Vec<&'static str>,
    /// The other kinds of which some checks may have no taker.
    pub some: Vec<&'static str>,
}

impl Audience {
    /// Reads `NAME_ONLY` and `NAME_STATES`, where `name` is the channel's in capitals. `forgets` says whether its
    /// receiver forgets an outage that it is not reminded of. The error is one sentence with the variable, and the part
    /// of its value that cannot be used.
    pub fn read(environment: Environment, name: &str, forgets: bool) -> Result<Self, String> {
        let mut audience = Self { forgets, ..Self::default() };
        let items = |variable: &str| {
            let list = environment.get(variable).unwrap_or_default();
            let items = list.split([',', ' ', '\t', '\n']).map(str::trim).filter(|item| !item.is_empty());
            items.map(String::from).collect::<Vec<_>>()
        };
        let variable = format!("{name}_ONLY");
        for item in items(&variable) {
            let (to, pattern) = match item.strip_prefix('!') {
                Some(pattern) => (&mut audience.except, pattern),
                None => (&mut audience.only, item.as_str()),
            };
            to.push(Pattern::of_list(pattern).map_err(|why| {
                format!("{variable} has {item:?}, which is no pattern of checks such as web-*, */db or !test-*: {why}")
            })?);
        }
        let variable = format!("{name}_STATES");
        for item in items(&variable) {
            let known = KINDS.into_iter().find(|(_, word)| *word == item);
            let (kind, _) =
                known.ok_or_else(|| format!("{variable} has {item:?}: it must be some of down, reminder, up, gone"))?;
            audience.kinds.insert(kind);
        }
        Ok(audience)
    }

    fn takes_kind(&self, kind: Kind) -> bool {
        let is_listed = |kind| self.kinds.is_empty() || self.kinds.contains(&kind);
        is_listed(kind) || (self.forgets && kind == Kind::Reminder && is_listed(Kind::Down))
    }

    fn fits(&self, check: &CheckId) -> bool {
        let is_in = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.fits(check));
        (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.except)
    }

    fn takes(&self, kind: Kind, check: &CheckId) -> bool {
        self.takes_kind(kind) && self.fits(check)
    }

    fn takes_all_checks(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }
}

impl Audiences {
    /// The channels' names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// All channels: those that take what is of no single check.
    pub fn all(&self) -> BTreeSet<String> {
        self.names().cloned().collect()
    }

    /// The channels that take this of a check.
    pub fn of(&self, kind: Kind, check: &CheckId) -> BTreeSet<String> {
        self.which(|_, audience| audience.takes(kind, check))
    }

    /// The channels whose receivers forget an outage of this check that they are not reminded of.
    pub fn of_memory(&self, check: &CheckId) -> BTreeSet<String> {
        self.which(|_, audience| audience.forgets && audience.takes(Kind::Reminder, check))
    }

    /// The channels that are told how an outage ends: those that were told of it (`None`: all that there were) and take
    /// one of these kinds. A channel that never takes a beginning takes the ends of the checks that fit. One whose
    /// receiver forgets takes the end of all that it was told: else that would stay until it is forgotten.
    pub fn of_end(&self, kinds: &[Kind], check: &CheckId, told: Option<&BTreeSet<String>>) -> BTreeSet<String> {
        self.which(|name, audience| {
            let begins = audience.takes_kind(Kind::Down) || audience.takes_kind(Kind::Reminder);
            let was_told = told.is_none_or(|told| told.contains(name));
            let takes = kinds.iter().any(|kind| audience.takes_kind(*kind)) || (audience.forgets && begins);
            takes && (was_told || (!begins && audience.fits(check)))
        })
    }

    /// These channels, but `None` if they are all that there are.
    pub fn noted(&self, told: BTreeSet<String>) -> Option<BTreeSet<String>> {
        Some(told).filter(|told| !self.names().all(|name| told.contains(name)))
    }

    /// What no channel takes, as far as the settings tell. Without a channel that is nothing.
    pub fn untaken(&self) -> Untaken {
        let mut untaken = Untaken::default();
        for (kind, word) in KINDS.into_iter().filter(|_| !self.0.is_empty()) {
            let takers: Vec<_> = self.0.values().filter(|audience| audience.takes_kind(kind)).collect();
            if takers.is_empty() {
                untaken.kinds.push(word);
            } else if !takers.into_iter().any(Audience::takes_all_checks) {
                untaken.some.push(word);
            }
        }
        untaken
    }

    /// Whether nobody takes something of this check that somebody takes of others.
    pub fn lacks(&self, check: &CheckId) -> bool {
        KINDS.iter().any(|(kind, _)| {
            let mut takers = self.0.values().filter(|audience| audience.takes_kind(*kind)).peekable();
            takers.peek().is_some() && !takers.any(|audience| audience.fits(check))
        })
    }

    /// What no channel takes, in a sentence for the start; `None` if all is taken.
    pub fn warning(&self) -> Option<String> {
        let Untaken { kinds, some } = self.untaken();
        let partial = self.0.iter().filter(|(_, audience)| !audience.takes_all_checks());
        let settings: Vec<_> = partial.map(|(name, _)| format!("{}_ONLY", name.to_ascii_uppercase())).collect();
        let of_any = (!kinds.is_empty()).then(|| format!("no channel takes {} of any check", kinds.join(", ")));
        let of_some = (!some.is_empty()).then(|| {
            format!("no channel takes {} of a check that does not fit {}", some.join(", "), settings.join(" or "))
        });
        let all: Vec<_> = of_any.into_iter().chain(of_some).collect();
        (!all.is_empty()).then(|| format!("{}; pulse-echo loop test counts the checks", all.join("; ")))
    }

    fn which(&self, takes: impl Fn(&String, &Audience) -> bool) -> BTreeSet<String> {
        self.0.iter().filter(|(name, audience)| takes(name, audience)).map(|(name, _)| name.clone()).collect()
    }
}

impl FromIterator<(String, Audience)> for Audiences {
    fn from_iter<T: IntoIterator<Item = (String, Audience)>>(channels: T) -> Self {
        Self(channels.into_iter().collect())
    }
}

/// Channels that take everything.
impl<const N: usize> From<[String; N]> for Audiences {
    fn from(names: [String; N]) -> Self {
        names.into_iter().map(|name| (name, Audience::default())).collect()
    }
}

#[cfg(test)]
mod tests;
