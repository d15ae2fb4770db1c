//! A check that alternates at each pulse, among random others: it is told a few times, however long that goes on.

use super::*;

const DAY: i64 = 24 * 3600;

/// Down and up, and again, and down for the third time: then it flaps, and what is short is not told any more.
const MOST: usize = 5;

/// A check whose pulses, so many seconds apart, are answered by a fault and an echo in turn.
fn alternating(every_s: i64, first: i64, delay: i64) -> History {
    let answer = |n: i64| if n % 2 == 0 { Answer::Echo } else { Answer::Fault(Cause::Status) };
    let pulses: Vec<_> = (0..DAY / every_s).map(|n| (if n == 0 { first } else { every_s }, answer(n), delay)).collect();
    History::of(&pulses)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        // A case has a sweep for each minute of a day.
        max_shrink_iters: 20,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_check_that_alternates_at_each_pulse_is_told_five_times_a_day_at_most(
        (every_s, first, delay) in (90..840_i64, 1..600_i64, 0..20_i64),
        others in vec(any_history(), 0..3),
        steps in vec(20..=60_i64, 1..40),
        takes in vec(prop_oneof![3 => Just(None), 1 => (0..3_usize).prop_map(Some)], 1..40),
    ) {
        let histories: Vec<_> = [alternating(every_s, first, delay)].into_iter().chain(others).collect();
        let takes = takes.into_iter().chain([None]).collect();
        let weather = Weather { steps, reads: vec![true], takes, muted: None, acked: false };
        let told = run(&histories, &weather, &Rules::default());
        let of_it = |entry: &What| matches!(entry, What::Fact(Fact::Down(down)) if down.check == id(0) && down.flaps);
        // Beyond the day its last pulse gets too old, so it falls silent, which is told.
        let within = |(now, entry): &&(i64, Entry)| *now < DAY - every_s && is_of(0, entry);
        let count = told.entries.iter().filter(within).count();
        prop_assert!(count <= MOST, "{count} times with a pulse each {every_s} s: {}", told.of(0));
        prop_assert!(count > 0, "it is told at all");
        let flaps = told.entries.iter().filter(|(_, entry)| of_it(&entry.what)).count();
        prop_assert!(flaps <= 1, "that it flaps is told once: {flaps}");
    }
}
