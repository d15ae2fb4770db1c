//! The walk over the lists and the records, all in key order, side by side.

use std::collections::BTreeMap;
use std::iter::Peekable;

use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::Record;

use super::lists::Found;
use crate::round::Case;
use crate::verdict::{Listed, Observation};
use pulse_echo_core::text::line;

/// How much of a key a line of the log shows, in bytes.
const ROOM: usize = 200;

/// All checks: who has a pulse, or a record. Answers that belong to none are passed by. Also tells how many keys in
/// `pulse/` are nobody's pulse.
pub(super) fn cases(
    pulses: Vec<Found>,
    echoes: Vec<Found>,
    faults: Vec<Found>,
    records: BTreeMap<CheckId, Record>,
) -> (Vec<Case>, usize) {
    let mut skipped = 0;
    let checked = |found: Found| match CheckId::from_pulse_key(&format!("pulse/{}", found.rest)) {
        Ok(id) => Some((id, found.listed)),
        Err(why) => {
            log::warn!("skipped the key pulse/{}: {why}", line(&found.rest, ROOM));
            skipped += 1;
            None
        }
    };
    let mut cases = Vec::with_capacity(pulses.len().max(records.len()));
    let mut pulses = pulses.into_iter().filter_map(checked).peekable();
    let mut records = records.into_iter().peekable();
    let (mut echoes, mut faults) = (echoes.into_iter().peekable(), faults.into_iter().peekable());
    while let Some(id) = first(pulses.peek(), records.peek()) {
        let pulse = pulses.next_if(|(of, _)| *of == id).map(|(_, seen)| seen);
        let record = records.next_if(|(of, _)| *of == id).map(|(_, record)| record);
        let echo = at(&mut echoes, &id).map(|seen| seen.at);
        let fault = at(&mut faults, &id);
        cases.push(Case { id, record, observation: Observation { pulse, echo, fault, ..Observation::default() } });
    }
    drop(pulses);
    (cases, skipped)
}

/// The first of two checks.
fn first<A, B>(a: Option<&(CheckId, A)>, b: Option<&(CheckId, B)>) -> Option<CheckId> {
    match (a, b) {
        (Some((a, _)), Some((b, _))) => Some(a.min(b).clone()),
        (Some((id, _)), None) | (None, Some((id, _))) => Some(id.clone()),
        (None, None) => None,
    }
}

/// The check's own object in a list, whose objects before it are passed by.
fn at(list: &mut Peekable<impl Iterator<Item = Found>>, id: &CheckId) -> Option<Listed> {
    while list.next_if(|found| found.rest.as_str() < id.as_str()).is_some() {}
    list.next_if(|found| found.rest == id.as_str()).map(|found| found.listed)
}

#[cfg(test)]
mod tests {
    use pulse_echo_core::clock::Time;

    use super::*;

    fn list(rests: &[&str]) -> Vec<Found> {
        let found = |(n, rest): (usize, &&str)| {
            let at = Time::from_second(i64::try_from(n).unwrap());
            Found { rest: (*rest).into(), listed: Listed { at, etag: "e".into() } }
        };
        rests.iter().enumerate().map(found).collect()
    }

    #[test]
    fn each_check_finds_its_own_objects_and_those_of_nobody_are_passed_by() {
        let record = |text: &str| (text.to_string().try_into().unwrap(), Record::new(Time::from_second(0)));
        let pulses = list(&["a", "b/", "web-1.json", "web.json", "web/x.json"]);
        let echoes = list(&["0", "web-1.json", "web-2.json", "web.json"]);
        let faults = list(&["a", "web/x.json", "z"]);
        let records = [record("gone.json"), record("web.json"), record("zz")].into();
        let (cases, skipped) = cases(pulses, echoes, faults, records);
        let shown = cases.iter().map(|case| {
            let observation = &case.observation;
            let has = [
                observation.pulse.is_some(),
                observation.echo.is_some(),
                observation.fault.is_some(),
                case.record.is_some(),
            ];
            let marks: String = "pefr".chars().zip(has).map(|(mark, has)| if has { mark } else { '-' }).collect();
            (case.id.as_str(), marks)
        });
        let expected = [
            ("a", "p-f-"),
            ("gone.json", "---r"),
            ("web-1.json", "pe--"),
            ("web.json", "pe-r"),
            ("web/x.json", "p-f-"),
            ("zz", "---r"),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected.map(|(id, marks)| (id, marks.to_string())));
        assert_eq!(skipped, 1);
    }
}
