//! Whose turn it is to be read: there may be no time for all.

use pulse_echo_core::clock::Time;

/// Orders what is to be read so that it goes round the hosts, one of each, and begins with the host that has waited
/// longest. A host with thousands of changed pulses then costs each other host one read. `of` tells the host, and since
/// when it waits.
pub(super) fn in_turns<'a, T>(wants: Vec<T>, of: impl Fn(&T) -> (&'a str, Time)) -> Vec<T> {
    let mut by_host: Vec<_> = (0..wants.len()).collect();
    by_host.sort_by_key(|&n| of(&wants[n]));
    let (mut turns, mut first): (Vec<(usize, Time, usize)>, usize) = (Vec::with_capacity(wants.len()), 0);
    for (place, &n) in by_host.iter().enumerate() {
        if of(&wants[n]).0 != of(&wants[by_host[first]]).0 {
            first = place;
        }
        turns.push((place - first, of(&wants[by_host[first]]).1, n));
    }
    turns.sort_unstable();
    let mut wants: Vec<_> = wants.into_iter().map(Some).collect();
    turns.into_iter().map(|(_, _, n)| wants[n].take().expect("each has one turn")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reads in their order, such as `a1`: of host `a`, waiting since second 1.
    fn order(wants: &[&'static str]) -> String {
        let of = |want: &&'static str| (&want[..1], Time::from_second(want[1..2].parse().unwrap()));
        in_turns(wants.to_vec(), of).join(" ")
    }

    #[test]
    fn reads_go_round_the_hosts_and_each_host_begins_with_what_waits_longest() {
        assert_eq!(order(&[]), "");
        assert_eq!(order(&["a5", "a3", "a4", "b5", "c5"]), "a3 b5 c5 a4 a5");
        assert_eq!(order(&["a5", "a5x", "a5y", "b2", "b6", "c1"]), "c1 b2 a5 b6 a5x a5y");
    }

    #[test]
    fn a_host_that_waits_longest_comes_first_wherever_its_name_sorts() {
        assert_eq!(order(&["a9", "a9x", "z1"]), "z1 a9 a9x");
        // In key order among hosts that wait equally long.
        assert_eq!(order(&["b1", "a1", "c1"]), "b1 a1 c1");
    }
}
