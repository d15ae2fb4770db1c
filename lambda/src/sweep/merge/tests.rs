use pulse_echo_core::clock::Time;

use super::*;

fn list(rests: &[&str]) -> Vec<Found> {
    let found = |(n, rest): (usize, &&str)| {
        let at = Time::from_second(i64::try_from(n).unwrap());
        Found { rest: (*rest).into(), listed: Listed { at, etag: "e".into() } }
    };
    rests.iter().enumerate().map(found).collect()
}

/// Lists of which nothing was left out.
fn lists(folders: [Vec<Found>; 4]) -> Lists {
    let [pulses, echoes, faults, retired] = folders.map(|found| Folder { found, ..Folder::default() });
    Lists { mutes: Folder::default(), retired, pulses, echoes, faults }
}

#[test]
fn each_check_finds_its_own_objects_and_those_of_nobody_are_passed_by() {
    let record = |text: &str| (text.to_string().try_into().unwrap(), Record::new(Time::from_second(0)));
    let pulses = list(&["a", "b/", "web-1.json", "web.json", "web/x.json"]);
    let echoes = list(&["0", "web-1.json", "web-2.json", "web.json"]);
    let faults = list(&["a", "web/x.json", "z"]);
    let records = [record("gone.json"), record("web.json"), record("zz")].into();
    let Merged { cases, skipped, .. } = merge(lists([pulses, echoes, faults, vec![]]), records, 10);
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

#[test]
fn the_newest_note_of_a_check_or_its_host_speaks_for_it() {
    let pulses = list(&["web-1.json", "web-1/a.json", "web-1/b.json", "web-2/a.json"]);
    let notes = list(&["no/one", "web-1.json", "web-1/b.json", "web-2"]);
    let Merged { cases, .. } = merge(lists([pulses, vec![], vec![], notes]), BTreeMap::new(), 10);
    let notes: Vec<_> = cases.iter().map(|case| case.observation.retired.map(Time::as_second)).collect();
    assert_eq!(notes, [Some(1), Some(1), Some(2), None]);
}
