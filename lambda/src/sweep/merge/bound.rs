//! How many records a host may have.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::State;

use crate::round::Case;

/// Leaves each host at most `most` records. A new name takes the place of the longest gone, else it gets none. `cut`
/// are the hosts of which not all names were read. Returns the hosts with more names than that, and how many of their
/// pulses were seen.
pub(super) fn bound<'a>(
    cases: &mut Vec<Case>,
    cut: impl Iterator<Item = &'a str>,
    most: usize,
) -> BTreeMap<String, usize> {
    // A host's names are not next to each other in key order.
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &*cases {
        *names.entry(case.id.host()).or_default() += 1;
    }
    // The places of the cases of each host that has too many.
    let mut full: BTreeMap<String, Vec<usize>> =
        names.iter().filter(|(_, names)| **names > most).map(|(host, _)| ((*host).into(), Vec::new())).collect();
    drop(names);
    let mut crowded: BTreeMap<String, usize> = cut.map(|host| (host.to_string(), 0)).collect();
    if full.is_empty() && crowded.is_empty() {
        return crowded;
    }
    let mut stays = vec![true; cases.len()];
    for (place, case) in cases.iter().enumerate() {
        if case.record.is_none() && case.observation.is_hidden {
            // Whether it is answered is not known, and its record would say that it is new.
            stays[place] = false;
        } else if let Some(places) = full.get_mut(case.id.host()) {
            places.push(place);
        }
    }
    for (host, places) in full {
        let surplus = surplus(cases, places, most);
        for &place in &surplus {
            stays[place] = false;
        }
        if !surplus.iter().all(|&place| is_over(&cases[place])) {
            crowded.entry(host).or_default();
        }
    }
    if !crowded.is_empty() {
        for case in cases.iter().filter(|case| case.observation.pulse.is_some()) {
            if let Some(names) = crowded.get_mut(case.id.host()) {
                *names += 1;
            }
        }
    }
    if let Some(host) = crowded.keys().next() {
        log::warn!("hosts that have more names than are watched: {}, such as {host}", crowded.len());
    }
    let mut stays = stays.into_iter();
    cases.retain(|_| stays.next().expect("there is one for each"));
    crowded
}

/// Which of a host's cases have to go. Known checks stay first, then new ones, then those that have been gone for the
/// shortest time.
fn surplus(cases: &[Case], mut places: Vec<usize>, most: usize) -> Vec<usize> {
    // Stable: otherwise in key order.
    places.sort_by_key(|&place| rank(&cases[place]));
    places.split_off(most.min(places.len()))
}

/// Smaller ranks stay.
fn rank(case: &Case) -> (u8, Reverse<Option<Time>>) {
    let group = match &case.record {
        Some(_) if is_over(case) => 2,
        Some(_) => 0,
        None => 1,
    };
    let gone = case.record.as_ref().filter(|_| group == 2).map(|record| record.since);
    (group, Reverse(gone))
}

/// Whether a check is gone and stays so.
fn is_over(case: &Case) -> bool {
    case.observation.pulse.is_none() && case.record.as_ref().is_some_and(|record| record.state == State::Gone)
}

#[cfg(test)]
mod tests {
    use pulse_echo_core::name::CheckId;
    use pulse_echo_core::status::Record;

    use super::*;
    use crate::verdict::{Listed, Observation};

    /// A case of this name: `p` has a pulse, `r` a record, and a number is since when that record is gone.
    fn case(name: &str, marks: &str) -> Case {
        let id = CheckId::from_pulse_key(&format!("pulse/{name}")).unwrap();
        let time = |second| Time::from_second(second);
        let pulse = marks.contains('p').then(|| Listed { at: time(100), etag: "e".into() });
        let gone = marks.chars().find_map(|mark| mark.to_digit(10));
        let record = match gone {
            Some(at) => Some(Record { state: State::Gone, since: time(at.into()), ..Record::new(time(0)) }),
            None => marks.contains('r').then(|| Record::new(time(0))),
        };
        Case { id, record, observation: Observation { pulse, ..Observation::default() } }
    }

    /// What stays of these cases with two records a host, and the hosts that have too many.
    fn bounded(cases: &[(&str, &str)], cut: &[&str]) -> (Vec<String>, Vec<(String, usize)>) {
        let mut all: Vec<_> = cases.iter().map(|(name, marks)| case(name, marks)).collect();
        let crowded = bound(&mut all, cut.iter().copied(), 2);
        (all.iter().map(|case| case.id.as_str().to_string()).collect(), crowded.into_iter().collect())
    }

    #[test]
    fn a_new_name_takes_the_place_of_the_longest_gone_else_it_gets_none() {
        let stays = |cases: &[(&str, &str)]| bounded(cases, &[]);
        assert_eq!(stays(&[("web.json", "pr"), ("web/a", "pr"), ("xen.json", "p")]).0.len(), 3);
        assert_eq!(stays(&[("w/a", "1"), ("w/b", "3"), ("w/c", "p")]), (vec!["w/b".into(), "w/c".into()], vec![]));
        assert_eq!(stays(&[("w/a", "3"), ("w/b", "1"), ("w/c", "p")]), (vec!["w/a".into(), "w/c".into()], vec![]));
        let (names, crowded) = stays(&[("w/a", "p"), ("w/b", "pr"), ("w/c", "r"), ("x/a", "p")]);
        assert_eq!((names, crowded), (vec!["w/b".into(), "w/c".into(), "x/a".into()], vec![("w".into(), 2)]));
        let (names, crowded) = stays(&[("w/a", "p"), ("w/b", "p"), ("w/c", "p"), ("w/d", "1")]);
        assert_eq!((names, crowded), (vec!["w/a".into(), "w/b".into()], vec![("w".into(), 3)]));
    }

    #[test]
    fn a_hosts_names_are_counted_wherever_they_sort() {
        let (names, crowded) = bounded(&[("w", "p"), ("w-1/a", "p"), ("w.json", "p"), ("w/a", "p"), ("w0", "p")], &[]);
        assert_eq!(names, ["w", "w-1/a", "w.json", "w0"]);
        assert_eq!(crowded, [("w".to_string(), 3)]);
    }

    #[test]
    fn more_records_than_there_may_be_are_dropped_the_gone_ones_first() {
        let (names, crowded) = bounded(&[("w/a", "1"), ("w/b", "pr"), ("w/c", "r"), ("w/d", "pr")], &[]);
        assert_eq!(names, ["w/b", "w/c"]);
        assert_eq!(crowded, [("w".to_string(), 2)]);
        // One that came back is not gone.
        assert_eq!(bounded(&[("w/a", "p1"), ("w/b", "2"), ("w/c", "pr")], &[]).0, ["w/a", "w/c"]);
    }

    #[test]
    fn a_new_name_of_which_an_answer_may_be_hidden_gets_no_record_yet() {
        let mut hidden = case("w/z", "p");
        hidden.observation.is_hidden = true;
        let mut known = case("w/y", "r");
        known.observation.is_hidden = true;
        let mut all = vec![known, hidden];
        assert_eq!(bound(&mut all, ["w"].into_iter(), 2), [("w".to_string(), 2 - 1)].into());
        assert_eq!(all.len(), 1);
    }
}
