use pulse_echo_core::clock::Time;

use super::*;

fn entry(key: &str) -> Entry {
    Entry { key: key.into(), etag: "e".into(), last_modified: Time::from_second(0), size: 2 }
}

/// A reader that has taken these names of pulses, and reads two of a block.
fn read(names: &[&str]) -> Reader<'static> {
    let mut reader = Reader::new("pulse/", 2);
    for name in names {
        reader.take(entry(&format!("pulse/{name}"))).unwrap();
    }
    reader
}

fn names(reader: Reader) -> Vec<String> {
    reader.into_folder().found.into_iter().map(|found| found.rest).collect()
}

fn id(name: &str) -> CheckId {
    CheckId::from_pulse_key(&format!("pulse/{name}")).unwrap()
}

#[test]
fn a_list_that_is_not_in_key_order_is_an_error() {
    let mut reader = read(&["web-1.json", "web.json"]);
    for key in ["pulse/web.json", "pulse/web-2.json", "echo/web.json"] {
        assert!(reader.take(entry(key)).is_err(), "{key}");
    }
    assert_eq!(names(reader).len(), 2);
    let mut reader = read(&["web/a", "web/b", "web/d"]);
    for key in ["pulse/web/d", "pulse/web/c"] {
        assert!(reader.take(entry(key)).is_err(), "{key}, behind one that was not read");
    }
}

#[test]
fn of_a_block_only_so_many_names_are_read_and_others_are_not_touched() {
    let all = ["web", "web-1/a", "web-1/b", "web.json", "web/a", "web/b", "web/c", "web/d/e", "web0", "xen/a", "xen/b"];
    let reader = read(&all);
    let folder = reader.into_folder();
    assert_eq!(folder.cut, Cut([("web".to_string(), "web/b".to_string())].into()));
    let hidden: Vec<_> = all.iter().filter(|name| folder.cut.may_hide(&id(name))).copied().collect();
    assert_eq!(hidden, ["web/c", "web/d/e"]);
    assert!(folder.cut.may_hide(&id("web/z")) && !folder.cut.may_hide(&id("web/aa")));
    let read: Vec<_> = folder.found.iter().map(|found| found.rest.as_str()).collect();
    assert_eq!(read, ["web", "web-1/a", "web-1/b", "web.json", "web/a", "web/b", "web0", "xen/a", "xen/b"]);
}

#[test]
fn a_page_that_ends_among_surplus_names_is_the_last_of_their_block() {
    let mut reader = read(&["web/a", "web/b"]);
    assert_eq!(reader.goes_on_behind(), None);
    reader.take(entry("pulse/web/c")).unwrap();
    assert_eq!(reader.goes_on_behind().unwrap(), "pulse/web/\u{10FFFF}");
    // The next page still is of that block.
    reader.take(entry("pulse/web/\u{10FFFF}x")).unwrap();
    let last = reader.goes_on_behind().unwrap();
    assert_eq!(last.len(), KEY);
    assert!(last.as_str() < "pulse/web0");
    reader.take(entry("pulse/web0")).unwrap();
    assert_eq!(reader.goes_on_behind(), None);
}

#[test]
fn nothing_of_a_block_is_behind_its_last_key() {
    for host in ["a", "ab", "abc", "abcd"] {
        let last = last_key(format!("pulse/{host}/"));
        assert_eq!(last.len(), KEY, "{host}");
        // Whatever its end is replaced by, of the same length.
        let start = last.floor_char_boundary(KEY - 3);
        for end in ["\u{7F}\u{7F}\u{7F}", "\u{7FF}\u{7F}", "\u{7F}\u{7FF}", "\u{FFFF}"] {
            let other = format!("{}{end}", &last[..start]);
            assert!(other.len() > KEY || other.as_str() <= last.as_str(), "{other:?}");
        }
        assert!(last < format!("pulse/{host}0"));
    }
}
