//! What only all checks together show, sweep by sweep.

use pulse_echo_core::answer::{self, Cause};
use pulse_echo_core::status::{Acknowledged, Limits, Muted};

use super::*;
use crate::verdict::Listed;

fn at(second: i64) -> Time {
    Time::from_second(1_795_248_000 + second)
}

fn id(check: usize) -> CheckId {
    format!("h{check:02}.json").try_into().unwrap()
}

/// A check of the fleet: its newest pulse, echo and fault, by second.
#[derive(Clone, Copy, Default)]
struct Objects {
    pulse: Option<i64>,
    echo: Option<i64>,
    fault: Option<i64>,
}

impl Objects {
    fn answered(second: i64) -> Self {
        Self { pulse: Some(second), echo: Some(second + 1), fault: None }
    }

    fn failed(second: i64) -> Self {
        Self { echo: None, fault: Some(second + 1), ..Self::answered(second) }
    }

    fn unanswered(second: i64) -> Self {
        Self { pulse: Some(second), ..Self::default() }
    }

    fn observation(self) -> Observation {
        let seen = |second: i64| Listed { at: at(second), etag: format!("{second}").into() };
        // The pulse's content stays the same.
        let pulse = self.pulse.map(|second| Listed { etag: "p".into(), ..seen(second) });
        let limits = pulse.as_ref().map(|pulse| Limits {
            etag: pulse.etag.clone(),
            every_s: 600,
            limit_s: 900,
            faults_in_row: None,
        });
        let fault_read =
            self.fault.map(|second| Box::new(answer::Fault::new(Cause::Status, "it failed", at(second - 1))));
        Observation {
            pulse,
            echo: self.echo.map(at),
            fault: self.fault.map(seen),
            limits,
            fault_read,
            ..Observation::default()
        }
    }
}

/// A fleet over several sweeps, with one channel.
struct Fleet {
    checks: Vec<Objects>,
    status: Status,
    is_news: bool,
    /// The key of a check, without `pulse/`.
    host_of: fn(usize) -> String,
}

impl Fleet {
    fn of(checks: Vec<Objects>) -> Self {
        let host_of = |check| format!("h{check:02}.json");
        Self { checks, status: Status::new(at(0)), is_news: false, host_of }
    }

    fn id(&self, check: usize) -> CheckId {
        (self.host_of)(check).try_into().unwrap()
    }

    fn mute(&mut self, check: usize) {
        let mute = Muted { etag: "m".into(), at: at(0), for_s: 100_000, reason: None, listed: None };
        self.status.mutes.insert(id(check), mute);
    }

    /// Acknowledges an outage that began then, whether there is one or not.
    fn ack(&mut self, check: usize, outage: i64) {
        let word = Acknowledged { by: Some("alice@ops".into()), reason: None };
        let ack = Acked { etag: "a".into(), at: at(outage + 1), outage: Some(at(outage)), word };
        self.status.acks.insert(id(check), ack);
    }

    /// The messages of a sweep that comes one minute after the last.
    fn sweep(&mut self, second: i64) -> Vec<Fact> {
        self.sweep_after(second - 60, second)
    }

    /// The messages of a sweep whose last sweep was at `swept`.
    fn sweep_after(&mut self, swept: i64, second: i64) -> Vec<Fact> {
        let mut records = std::mem::take(&mut self.status.checks);
        let (checks, host_of) = (self.checks.iter().enumerate(), self.host_of);
        let cases = checks.filter_map(|(check, objects)| {
            let id: CheckId = host_of(check).try_into().unwrap();
            let observation = objects.observation();
            let record = records.remove(&id);
            (record.is_some() || observation.pulse.is_some()).then_some(Case { id, record, observation })
        });
        let (rules, channels) = (Rules::default(), ["hook".to_string()].into());
        let mut new_id = || "0".to_string();
        let (now, swept) = (at(second), Some(at(swept)));
        let round = Round { now, swept, rules: &rules, channels: &channels, new_id: &mut new_id };
        self.is_news = round.run(&mut self.status, cases.collect());
        std::mem::take(&mut self.status.outbox).into_iter().map(|message| message.fact).collect()
    }
}

#[test]
fn a_message_counts_the_other_checks_that_are_down_and_not_its_own() {
    let mut fleet = Fleet::of(vec![Objects::failed(0), Objects::answered(0), Objects::answered(0)]);
    let others = |told: &[Fact]| -> Vec<_> {
        told.iter().map(|fact| if let Fact::Down(down) = fact { down.others } else { panic!("{fact:?}") }).collect()
    };
    assert_eq!(others(&fleet.sweep(2)), [0]);
    fleet.checks = vec![Objects::failed(600); 3];
    assert_eq!(others(&fleet.sweep(602)), [2, 2]);
}

#[test]
fn that_many_went_down_is_the_first_word_and_said_once() {
    let mut fleet = Fleet::of(vec![Objects::answered(0); 12]);
    assert_eq!(fleet.sweep(2), []);
    fleet.checks[..10].fill(Objects::failed(600));
    let told = fleet.sweep(602);
    assert!(matches!(told[0], Fact::ManyDown { down: 10, of: 12, hosts: 10, of_hosts: 12, .. }), "{told:?}");
    assert!(told[1..].iter().all(|fact| matches!(fact, Fact::Down(_))) && told.len() == 11, "{told:?}");
    assert_eq!(fleet.sweep(662), []);
    // One more belongs to the same wave.
    fleet.checks[10] = Objects::failed(720);
    let told = fleet.sweep(722);
    assert!(matches!(told[..], [Fact::Down(_)]), "{told:?}");
    // A quarter of an hour later the wave is over, and the next is a new one.
    for second in [1_200, 1_800] {
        fleet.checks = vec![Objects::answered(second); 12];
        fleet.sweep(second + 2);
    }
    fleet.checks = vec![Objects::failed(2_400); 12];
    assert!(matches!(fleet.sweep(2_402)[0], Fact::ManyDown { down: 12, of: 12, .. }));
}

#[test]
fn of_those_that_vanish_together_the_muted_are_not_counted_and_it_is_said_once() {
    let mut fleet = Fleet::of(vec![Objects::answered(0); 3]);
    fleet.mute(1);
    fleet.sweep(2);
    fleet.checks.iter_mut().for_each(|objects| objects.pulse = None);
    assert_eq!(fleet.sweep(62), []);
    let told = fleet.sweep(122);
    assert_eq!(told, [Fact::Vanished { checks: 2, of: 3, hosts: 2, of_hosts: 3, some: vec![id(0), id(2)] }]);
    assert_eq!(fleet.sweep(182), []);
}

#[test]
fn a_gap_is_told_with_whom_it_spares_and_forgotten_when_that_is_over() {
    // One was silent before; one was due in the gap, one was not.
    let mut fleet = Fleet::of(vec![Objects::answered(0), Objects::answered(700), Objects::answered(1_000)]);
    assert_eq!(fleet.sweep(1_002).len(), 1);
    let told = fleet.sweep_after(1_002, 1_590);
    let [Fact::Gap { from, until, spared: 1, some, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*from, *until, &some[..]), (at(1_002), at(1_590), &[id(1)][..]));
    assert_eq!(fleet.status.gaps.len(), 1);
    fleet.checks[1..].fill(Objects::answered(1_600));
    assert_eq!(fleet.sweep(1_650), []);
    assert_eq!(fleet.status.gaps, [], "it spares nobody any longer");
    assert!(fleet.is_news);
}

#[test]
fn a_gap_through_which_nobody_missed_a_pulse_is_told_and_forgotten_once_all_have_sent() {
    let mut fleet = Fleet::of(vec![Objects::answered(1_000), Objects::answered(1_001)]);
    fleet.sweep(1_003);
    let told = fleet.sweep_after(1_003, 1_500);
    let gap = |from, until, quiet| Fact::Gap {
        from: at(from),
        until: at(until),
        quiet_until: Some(at(quiet)),
        spared: 0,
        hosts: 0,
        some: vec![],
    };
    assert_eq!(told, [gap(1_003, 1_500, 1_500)]);
    fleet.checks.fill(Objects::answered(1_550));
    assert_eq!(fleet.sweep_after(1_500, 1_560), []);
    assert_eq!(fleet.status.gaps, []);
}

#[test]
fn a_long_time_without_a_sweep_in_which_pulses_came_is_told_as_ours() {
    let mut fleet = Fleet::of(vec![Objects::answered(1_000), Objects::answered(1_001)]);
    fleet.sweep(1_003);
    fleet.checks[0] = Objects::answered(1_200);
    let told = fleet.sweep_after(1_003, 1_600);
    assert!(matches!(told[..], [Fact::Gap { quiet_until: None, spared: 0, .. }]), "{told:?}");
    // If no pulse came for long enough, the store was away until then.
    fleet.checks[0] = Objects::answered(2_000);
    let told = fleet.sweep_after(1_600, 2_500);
    assert!(matches!(told[..], [Fact::Gap { quiet_until: Some(quiet), .. }, ..] if quiet == at(2_000)), "{told:?}");
}

#[test]
fn of_a_stop_that_was_told_nothing_is_told_again_but_of_what_was_before_it() {
    let started = |stopped| Message {
        id: "s".into(),
        at: at(9_000),
        owed: ["hook".to_string()].into(),
        waits: false,
        whole: BTreeSet::new(),
        fact: Fact::Started { stopped: at(stopped) },
    };
    for (stopped, told) in [(1_100, 0), (1_303, 0), (1_304, 1)] {
        let mut fleet = Fleet::of(vec![Objects::answered(1_000)]);
        fleet.sweep(1_003);
        fleet.checks[0] = Objects::answered(8_999);
        fleet.status.outbox = vec![started(stopped)];
        let facts = fleet.sweep_after(1_003, 9_000);
        let gaps: Vec<_> = facts.iter().filter(|fact| matches!(fact, Fact::Gap { .. })).collect();
        assert_eq!(gaps.len(), told, "{stopped}: {facts:?}");
        assert!(gaps.iter().all(|gap| matches!(gap, Fact::Gap { until, .. } if *until == at(stopped))));
    }
}

#[test]
fn what_changes_is_worth_writing_and_newer_pulses_and_echoes_alone_are_not() {
    let mut fleet = Fleet::of(vec![Objects::answered(0), Objects::unanswered(0)]);
    fleet.sweep(2);
    assert!(fleet.is_news, "both are new");
    fleet.checks[0] = Objects::answered(200);
    fleet.sweep(202);
    assert!(!fleet.is_news);
    fleet.sweep(302);
    assert!(fleet.is_news, "one is unanswered");

    let mut gone = Fleet::of(vec![Objects::answered(0), Objects::answered(0), Objects::answered(0)]);
    gone.mute(0);
    gone.sweep(2);
    gone.checks[0].pulse = None;
    let news = [62, 122, 182, 122 + 86_399, 122 + 86_400, 122 + 86_460].map(|second| {
        gone.checks[1..].fill(Objects::answered(second - 1));
        gone.sweep(second);
        gone.is_news
    });
    assert_eq!(news, [true, true, false, false, true, false], "missing, gone, and a day later forgotten");
    assert_eq!(gone.status.checks.len(), 2);
}

#[test]
fn an_outage_is_told_again_though_nothing_has_changed() {
    let mut fleet = Fleet::of(vec![Objects::answered(0), Objects::answered(0)]);
    fleet.mute(1);
    fleet.sweep(2);
    assert!(matches!(fleet.sweep(902)[..], [Fact::Down(_)]));
    assert_eq!(fleet.sweep(902 + 4 * 3600 - 1), []);
    let told = fleet.sweep(902 + 4 * 3600);
    assert!(matches!(told[..], [Fact::StillDown { changed: false, .. }]), "{told:?}");
    // What nobody was told is told once it may be.
    fleet.status.mutes.clear();
    let told = fleet.sweep(902 + 4 * 3600 + 60);
    assert!(matches!(&told[..], [Fact::Down(down)] if down.check == id(1)), "{told:?}");
}

#[test]
fn an_acknowledgement_is_of_one_outage_of_one_check_and_void_with_it() {
    let mut fleet = Fleet::of(vec![Objects::failed(0); 2]);
    assert_eq!(fleet.sweep(2).len(), 2);
    fleet.ack(0, 1);
    fleet.checks.fill(Objects::failed(4 * 3600));
    let told = fleet.sweep(2 + 4 * 3600);
    assert!(matches!(&told[..], [.., Fact::StillDown { down, .. }] if down.check == id(1)), "{told:?}");
    assert!(!told.iter().any(|fact| fact.check() == Some(&id(0))), "{told:?}");

    fleet.checks[0] = Objects::answered(20_000);
    let told = fleet.sweep(20_002);
    let up = |fact: &&Fact| matches!(fact, Fact::Up { check, ack: Some(_), .. } if *check == id(0));
    assert_eq!(told.iter().filter(up).count(), 1, "{told:?}");
    // The next outage is another, though the object still lies there.
    fleet.checks[0] = Objects::failed(20_100);
    assert!(fleet.sweep(20_102).iter().any(|fact| matches!(fact, Fact::Down(down) if down.check == id(0))));
    fleet.checks[0] = Objects::failed(20_100 + 4 * 3600);
    let told = fleet.sweep(20_102 + 4 * 3600);
    let reminds = |fact: &&Fact| matches!(fact, Fact::StillDown { down, .. } if down.check == id(0));
    assert_eq!(told.iter().filter(reminds).count(), 1, "{told:?}");
}

#[test]
fn facts_about_ourselves_are_told_whatever_is_acknowledged() {
    let mut fleet = Fleet::of(vec![Objects::unanswered(0); 2]);
    let told = |fleet: &mut Fleet, second| {
        for check in 0..2 {
            // Whichever beginning somebody may have read.
            fleet.ack(check, 300);
            fleet.checks[check] = Objects::unanswered(second - 1);
        }
        fleet.sweep(second)
    };
    fleet.sweep(2);
    let first = told(&mut fleet, 302);
    assert!(matches!(first[..], [Fact::Unanswered { told: None, .. }]), "{first:?}");
    assert_eq!(told(&mut fleet, 362), []);
    let again = told(&mut fleet, 302 + 4 * 3600);
    assert!(again.iter().any(|fact| matches!(fact, Fact::Unanswered { told: Some(_), .. })), "{again:?}");
}

#[test]
fn the_first_check_of_a_host_that_is_up_again_says_what_of_the_host_is_still_down() {
    let mut fleet = Fleet::of(vec![Objects::failed(0); 5]);
    fleet.host_of = |check| if check < 4 { format!("web/{check}.json") } else { "zz.json".into() };
    assert_eq!(fleet.sweep(2).len(), 5);
    for check in [0, 1, 4] {
        fleet.checks[check] = Objects::answered(60);
    }
    let told = fleet.sweep(62);
    let still: Vec<_> =
        told.iter().map(|fact| if let Fact::Up { still, .. } = fact { still.clone() } else { None }).collect();
    let some = vec![fleet.id(2), fleet.id(3)];
    assert_eq!(still, [Some(pulse_echo_core::status::Still { checks: 2, some }), None, None]);
}

#[test]
fn a_host_that_is_told_of_each_minute_is_held_and_another_is_not() {
    let mut fleet = Fleet::of(vec![Objects::answered(0); 17]);
    fleet.host_of = |check| if check < 16 { format!("a/{check:02}.json") } else { "zz-db.json".into() };
    fleet.sweep(2);
    let mut sweeps = Vec::new();
    for minute in 1..60 {
        for check in 0..16 {
            let second = 60 * minute;
            let fails = (minute + i64::try_from(check).unwrap()) % 4 == 0;
            fleet.checks[check] = if fails { Objects::failed(second) } else { Objects::answered(second) };
        }
        let second = 60 * minute;
        fleet.checks[16] = if minute < 30 { Objects::answered(second) } else { Objects::failed(second) };
        let told = fleet.sweep(60 * minute + 2);
        let is_of = |host: &str| told.iter().any(|fact| fact.check().is_some_and(|check| check.host() == host));
        assert_eq!(is_of("zz-db"), minute == 30, "{told:?}");
        sweeps.extend(is_of("a").then_some(minute));
    }
    assert!(sweeps.len() <= 13, "{sweeps:?}");
    assert!(fleet.status.noise["a"].len() <= 10 && fleet.status.noise["zz-db"].len() == 1);
}
