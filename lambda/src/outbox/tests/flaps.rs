//! A check that flaps, and a noisy host: what is held back, and what is told all the same.

use super::*;

const MINUTE: i64 = 60;

impl Story {
    /// An outage of this many minutes, and then up. What is told at its beginning, while it lasts, and at its end.
    fn outage(&mut self, minute: i64, minutes: i64) -> String {
        self.outage_of(State::Failing, minute, minutes)
    }

    fn outage_of(&mut self, state: State, minute: i64, minutes: i64) -> String {
        let down = |since| match state {
            State::Failing => failing(since, Some(Cause::Status)),
            state => down(state, since),
        };
        let mut told = Vec::new();
        for now in minute..minute + minutes {
            told.extend(self.sweep(MINUTE * now, down(MINUTE * minute)));
        }
        told.extend(self.sweep(MINUTE * (minute + minutes), up(MINUTE * (minute + minutes))));
        told.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// What is told while it is up from minute to minute.
    fn up(&mut self, minutes: std::ops::Range<i64>) -> String {
        let told: Vec<_> =
            minutes.clone().flat_map(|now| self.sweep(MINUTE * now, up(MINUTE * minutes.start))).collect();
        told.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn flaps(&self) -> Option<&pulse_echo_core::status::Flaps> {
        self.before.as_ref()?.telling.as_ref()?.flaps.as_ref()
    }

    /// A check that begins to flap at this minute, with its third outage of a minute.
    fn flapping(minute: i64) -> Self {
        let mut story = Self::new();
        assert_eq!(story.outage(minute - 20, 1), "down up");
        assert_eq!(story.outage(minute - 10, 1), "down up");
        assert_eq!(story.outage(minute, 1), "flaps");
        story
    }
}

fn word(fact: &Fact) -> &'static str {
    match fact {
        Fact::Down(Down { flaps: true, .. }) => "flaps",
        Fact::Up { steady: Some(_), .. } => "steady",
        fact => kinds(std::slice::from_ref(fact))[0],
    }
}

#[test]
fn a_check_that_is_told_down_for_the_third_time_flaps_and_is_held_until_it_is_steady() {
    let mut story = Story::flapping(20);
    for minute in [30, 40, 50] {
        assert_eq!(story.outage(minute, 1), "", "minute {minute}");
    }
    assert_eq!(story.up(52..111), "");
    assert_eq!(story.up(111..113), "steady", "an hour after it came up for the last time");
    assert_eq!(story.flaps(), None);
    assert_eq!(story.outage(120, 1), "down up", "it begins anew");
}

#[test]
fn the_end_of_a_check_that_flapped_says_since_when_it_is_steady() {
    let mut story = Story::flapping(20);
    story.outage(30, 1);
    let told: Vec<_> = (32..100).flat_map(|minute| story.sweep(MINUTE * minute, up(MINUTE * 31))).collect();
    let [Fact::Up { since, until, steady: Some(steady), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*since, *until), (at(MINUTE * 20), at(MINUTE * 21)), "of the outage that was told");
    assert_eq!(*steady, at(MINUTE * 31));
}

#[test]
fn three_outages_over_more_than_six_pulses_time_are_no_flapping() {
    let mut story = Story::new();
    for minute in [0, 31, 61] {
        assert_eq!(story.outage(minute, 1), "down up", "minute {minute}");
    }
    let mut slow = Story::new();
    let hourly =
        |record: Record| Record { limits: record.limits.map(|limits| Limits { every_s: 3_600, ..limits }), ..record };
    let mut told = Vec::new();
    for minute in [0, 170, 360] {
        told.extend(slow.sweep(MINUTE * minute, hourly(failing(MINUTE * minute, None))));
        told.extend(slow.sweep(MINUTE * (minute + 1), hourly(up(MINUTE * (minute + 1)))));
    }
    assert_eq!(told.iter().map(word).collect::<Vec<_>>(), ["down", "up", "down", "up", "flaps"], "six hours");
}

#[test]
fn an_outage_that_lasts_for_the_limit_is_told_all_the_same_and_its_end_and_the_next_must_last_twice_as_long() {
    let mut story = Story::flapping(20);
    assert_eq!(story.outage(30, 14), "");
    assert_eq!(story.outage(50, 16), "up down up", "the end of the one before comes first");
    assert_eq!(story.flaps().unwrap().wait_s, 1_800);
    assert_eq!(story.outage(80, 29), "");
    assert_eq!(story.outage(120, 31), "down up");
    assert_eq!(story.outage(170, 59), "");
    assert_eq!(story.outage(240, 61), "down up");
    assert_eq!(story.flaps().unwrap().wait_s, 3_600, "no longer than it must be up");
}

#[test]
fn a_silence_is_told_all_the_same_once_while_it_flaps() {
    let mut story = Story::flapping(20);
    assert_eq!(story.outage_of(State::Silent, 30, 1), "up down up");
    assert_eq!(story.flaps().unwrap().wait_s, 900, "it was not told for its length");
    assert_eq!(story.outage_of(State::Silent, 40, 1), "");
    assert_eq!(story.outage_of(State::Silent, 50, 16), "down up", "but one that lasts");
    let mut story = Story::new();
    for (minute, told) in [(0, "down up"), (10, "down up"), (20, "flaps"), (30, "")] {
        assert_eq!(story.outage_of(State::Silent, minute, 1), told, "a silence was told when it began to flap");
    }
}

#[test]
fn the_outage_that_made_it_flap_is_told_up_at_once_if_it_lasted() {
    let mut story = Story::new();
    story.outage(0, 1);
    story.outage(10, 1);
    assert_eq!(story.outage(20, 16), "flaps up");
    assert_eq!(story.up(37..98), "", "nothing is held back");
    assert_eq!(story.flaps(), None);
}

#[test]
fn what_a_mute_hid_does_not_make_a_check_flap() {
    let mut story = Story { is_muted: true, ..Story::new() };
    for minute in [0, 5, 10, 15] {
        assert_eq!(story.outage(minute, 1), "");
    }
    story.is_muted = false;
    assert_eq!(story.outage(20, 1), "down up");
    assert_eq!(story.outage(25, 1), "down up");
    assert_eq!(story.outage(30, 1), "flaps");
}

#[test]
fn a_check_that_flaps_and_goes_is_told_gone_and_that_closes_what_was_told() {
    let mut story = Story::flapping(20);
    let gone = Record { state: State::Gone, since: at(MINUTE * 22), ..Record::new(at(0)) };
    let told = story.sweep(MINUTE * 22, Record { telling: story.before.as_ref().unwrap().telling.clone(), ..gone });
    assert_eq!(kinds(&told), ["up", "gone"]);
    assert_eq!(story.flaps(), None);
}

#[test]
fn a_noisy_host_is_held_as_by_a_mute_and_what_it_owes_is_told_then() {
    let mut story = Story::new();
    assert_eq!(story.outage(0, 1), "down up");
    story.is_held = true;
    assert_eq!(story.outage(100, 1), "", "begun and ended meanwhile: never told");
    story.is_held = false;
    let down = |minute: i64| failing(MINUTE * minute, Some(Cause::Status));
    assert_eq!(kinds(&story.sweep(MINUTE * 200, down(200))), ["down"]);
    story.is_held = true;
    assert_eq!(story.sweep(MINUTE * 201, up(MINUTE * 201)), []);
    assert_eq!(story.sweep(MINUTE * 202, down(202)), []);
    story.is_held = false;
    let told = story.sweep(MINUTE * 203, down(202));
    let [Fact::Up { since, .. }, Fact::Down(down)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*since, down.since), (at(MINUTE * 200), at(MINUTE * 202)), "a new outage does not replace the end");
}

#[test]
fn a_noisy_host_that_deletes_its_pulses_is_told_gone_as_soon_as_it_may_be() {
    let gone = || Record { state: State::Gone, since: at(60), ..Record::new(at(0)) };
    let mut story = Story { is_held: true, ..Story::new() };
    story.before = Some(up(0));
    assert_eq!(story.sweep(60, gone()), []);
    let telling = story.before.as_ref().unwrap().telling.clone();
    story.is_held = false;
    assert_eq!(
        story.sweep(120, Record { telling, ..gone() }),
        [Fact::Gone { check: id("web-1"), pulse: at(0), since: None, retired: false }]
    );
    assert_eq!(story.before.as_ref().unwrap().telling, None);
}
