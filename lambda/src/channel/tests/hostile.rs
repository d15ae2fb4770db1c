//! One hostile host among others: whatever it does under its own names, the outages of all others are told in time, by
//! name, on each channel; and it is not told of without end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use pulse_echo_core::answer::Fault;
use pulse_echo_core::status::{Limits, Message, Status};

use super::*;
use crate::outbox::attempt::due;
use crate::outbox::settle::settle;
use crate::outbox::{give_words, words_wanted};
use crate::round::{Case, Round};
use crate::rules::Rules;
use crate::verdict::{Listed, Observation};

/// Seconds between two sweeps.
const TICK: i64 = 60;

const DAY: i64 = 86_400;

fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

/// What goes wrong with an honest host, from when to when.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Fails,
    Silent,
}

/// A host with a pulse every ten minutes for each of its checks, all at once.
#[derive(Clone, Debug)]
struct Honest {
    checks: usize,
    offset: i64,
    trouble: Option<(Trouble, i64, i64)>,
}

impl Honest {
    /// The pulses until `now`, and whether each is answered by an echo.
    fn newest(&self, now: i64) -> Option<(i64, bool)> {
        let pulse = |n: i64| self.offset + 600 * n;
        let silent = self.trouble.filter(|(trouble, ..)| matches!(trouble, Trouble::Silent));
        let is_sent = |second: i64| !silent.is_some_and(|(_, from, until)| (from..until).contains(&second));
        let newest = (0..=(now - self.offset).div_euclid(600)).rev().map(pulse).find(|&second| is_sent(second))?;
        let fails = matches!(self.trouble, Some((Trouble::Fails, from, until)) if (from..until).contains(&newest));
        Some((newest, !fails))
    }

    /// When its outage begins; `None` if it has none that lasts for its limit and two sweeps.
    fn outage(&self) -> Option<i64> {
        let (trouble, from, until) = self.trouble?;
        let next = |second: i64| self.offset + 600 * (second - self.offset).div_euclid(600) + 600;
        let begins = match trouble {
            Trouble::Fails => next(from - 1) + 2,
            Trouble::Silent => next(from - 1) - 600 + 900,
        };
        (begins + 900 + 2 * TICK < until).then_some(begins)
    }
}

/// An object's times of a hostile host's check: whatever it liked to put, and what the probe answered.
#[derive(Clone, Copy, Default)]
struct Objects {
    pulse: Option<i64>,
    echo: Option<i64>,
    fault: Option<(i64, Cause)>,
    note: Option<i64>,
}

/// A hostile host, which does something else with each of its names in each sweep.
struct Hostile {
    seed: u64,
    /// How many names it uses at once.
    names: u64,
    /// Whether it uses new names all the time.
    rotates: bool,
    objects: BTreeMap<CheckId, Objects>,
}

impl Hostile {
    /// Any number below `below`.
    fn any(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn act(&mut self, now: i64) {
        for n in 0..self.names {
            let number = if self.rotates && self.any(4) == 0 { self.any(3) * 1_000 + n } else { n };
            // Before the others' names, and as long as a name may be.
            let name = format!("a-hostile/{number:05}{}", "\"&".repeat(200));
            let act = self.any(12);
            let cause = [Cause::Dns, Cause::Tls, Cause::Status, Cause::Connect][usize::try_from(self.any(4)).unwrap()];
            let objects = self.objects.entry(id(&name)).or_default();
            match act {
                0..3 => (objects.pulse, objects.echo) = (Some(now - 5), Some(now - 4)),
                3..6 => (objects.pulse, objects.fault) = (Some(now - 5), Some((now - 4, cause))),
                6 => objects.pulse = Some(now - 5),
                7 => objects.pulse = None,
                8 => (objects.pulse, objects.note) = (None, Some(now - 3)),
                _ => {}
            }
        }
    }
}

struct Fleet {
    honest: Vec<Honest>,
    hostile: Hostile,
    status: Status,
    rules: Rules,
    ids: u64,
}

impl Fleet {
    /// What each of two channels is told: as much as Slack takes, and as much as an e-mail has.
    fn sweep(&mut self, now: i64) -> (Vec<Entry>, [String; 2]) {
        self.hostile.act(now);
        let mut records = std::mem::take(&mut self.status.checks);
        let mut observed: BTreeMap<CheckId, Observation> = BTreeMap::new();
        for (n, host) in self.honest.iter().enumerate() {
            for check in 0..host.checks {
                let Some((pulse, is_up)) = host.newest(now) else { continue };
                let answer = (pulse + 2 <= now).then_some(pulse + 2);
                let objects = Objects {
                    pulse: Some(pulse),
                    echo: if is_up { answer } else { None },
                    fault: answer.filter(|_| !is_up).map(|second| (second, Cause::Timeout)),
                    note: None,
                };
                observed.insert(id(&format!("honest-{n}/{check}")), observation(objects));
            }
        }
        observed.extend(self.hostile.objects.iter().map(|(id, objects)| (id.clone(), observation(*objects))));
        let ids: BTreeSet<_> = observed.keys().chain(records.keys()).cloned().collect();
        let cases = ids.into_iter().filter_map(|id| {
            let (record, observation) = (records.remove(&id), observed.remove(&id).unwrap_or_default());
            (record.is_some() || observation.pulse.is_some()).then_some(Case { id, record, observation })
        });
        let cases = cases.collect();
        let channels = ["hook".to_string()].into();
        let mut new_id = || {
            self.ids += 1;
            self.ids.to_string()
        };
        let (now, swept) = (at(now), Some(at(now - TICK)));
        Round { now, swept, rules: &self.rules, channels: &channels, new_id: &mut new_id }.run(&mut self.status, cases);
        for id in words_wanted(&self.status.outbox) {
            give_words(&mut self.status.outbox, &id, &BTreeMap::new());
        }
        let Some(attempt) = due(&self.status, "hook", now) else { return (Vec::new(), Default::default()) };
        settle(&mut self.status, "hook", &attempt, &Outcome::Taken, now, "new");
        let escape = |text: &str| text.replace('&', "&amp;");
        let told =
            [words::message(&attempt.entries, 3_900, escape), words::message(&attempt.entries, 16_000, str::to_string)];
        (attempt.entries, told)
    }
}

fn observation(objects: Objects) -> Observation {
    let listed = |second: i64, etag: String| Listed { at: at(second), etag: etag.into() };
    let pulse = objects.pulse.map(|second| listed(second, "p".into()));
    let limits = pulse.is_some().then(|| Limits { etag: "p".into(), every_s: 600, limit_s: 900, faults_in_row: None });
    let read = |(second, cause): (i64, Cause)| Box::new(Fault::new(cause, format!("{cause} it is"), at(second - 1)));
    Observation {
        pulse,
        echo: objects.echo.map(at),
        fault: objects.fault.map(|(second, cause)| listed(second, format!("{second}{cause}"))),
        retired: objects.note.map(at),
        limits,
        fault_read: objects.fault.map(read),
        ..Observation::default()
    }
}

fn any_honest() -> impl Strategy<Value = Honest> {
    let trouble = (prop_oneof![Just(Trouble::Fails), Just(Trouble::Silent)], 3_000..16_000_i64, 600..8_000_i64);
    let trouble = proptest::option::weighted(0.6, trouble);
    (1..4_usize, 0..600_i64, trouble).prop_map(|(checks, offset, trouble)| Honest {
        checks,
        offset,
        trouble: trouble.map(|(kind, from, lasts)| (kind, from, from + lasts)),
    })
}

fn fleet(honest: Vec<Honest>, seed: u64, names: u64, rotates: bool) -> Fleet {
    let hostile = Hostile { seed, names, rotates, objects: BTreeMap::new() };
    Fleet { honest, hostile, status: Status::new(at(0)), rules: Rules::default(), ids: 0 }
}

#[test]
fn in_a_summary_of_one_hosts_thousands_each_other_host_is_named_on_each_channel() {
    let hostile = (0..1_500).map(|n| format!("a-hostile/{n:04}{}", "\"&".repeat(200)));
    let names = hostile.chain(["honest-1".into(), "honest-2/db".into()]);
    let mut status = Status::new(at(0));
    let owed = || ["hook".to_string()].into();
    let message = |(n, name): (usize, String)| Message::new(n.to_string(), at(60), owed(), Fact::Down(failing(&name)));
    status.outbox = names.enumerate().map(message).collect();
    let attempt = due(&status, "hook", at(120)).unwrap();
    assert!(matches!(&attempt.entries[..], [Entry { what: What::Summary(_), .. }]));
    let escape = |text: &str| text.replace('&', "&amp;");
    let told =
        [words::message(&attempt.entries, 3_900, escape), words::message(&attempt.entries, 16_000, str::to_string)];
    for text in told {
        let last = text.lines().rev().nth(1).unwrap();
        assert_eq!(last, "The hosts, those first that changed least: honest-1, honest-2, a-hostile.", "{text}");
        assert!(text.len() <= 3_900);
    }
}

fn is_about_the_hostile(entry: &Entry) -> bool {
    match &entry.what {
        What::Fact(fact) | What::Whole(fact) => fact.check().is_some_and(|check| check.host() == "a-hostile"),
        What::Summary(_) => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_one_host_does_the_outages_of_all_others_are_told_in_time_and_by_name(
        honest in proptest::collection::vec(any_honest(), 1..12), seed: u64, names in 0..20_u64, rotates: bool,
    ) {
        let mut fleet = fleet(honest, seed, names, rotates);
        let mut told: Vec<(i64, [String; 2])> = Vec::new();
        for now in (TICK..24_000).step_by(usize::try_from(TICK).unwrap()) {
            told.push((now, fleet.sweep(now).1));
        }
        for (n, host) in fleet.honest.iter().enumerate() {
            let Some(begins) = host.outage() else { continue };
            for channel in 0..2 {
                let name = format!("honest-{n}");
                let is_other = |c: char| !c.is_alphanumeric() && c != '-';
                let is_named = |text: &str| text.split(is_other).any(|word| word == name);
                let is_told = |text: &str| text.contains("DOWN") && is_named(text);
                let within = told.iter().filter(|(now, _)| (begins..=begins + 2 * TICK).contains(now));
                let is_in_time = within.into_iter().any(|(_, text)| is_told(&text[channel]));
                prop_assert!(is_in_time, "{name} at {begins}: {told:#?}");
            }
        }
    }

    #[test]
    fn one_host_has_a_line_in_at_most_240_messages_a_day(seed: u64, names in 1..6_u64, rotates: bool) {
        let mut fleet = fleet(vec![Honest { checks: 1, offset: 0, trouble: None }; 3], seed, names, rotates);
        let told = (TICK..DAY).step_by(usize::try_from(TICK).unwrap());
        let told = told.filter(|&now| fleet.sweep(now).0.iter().any(is_about_the_hostile)).count();
        prop_assert!((1..=240).contains(&told), "{told}");
        let longest = fleet.status.noise.values().map(Vec::len).max();
        prop_assert!(longest <= Some(10) && fleet.status.outbox.is_empty());
    }
}
