//! The house: which crate may know which, and that no two rooms of a crate lean on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The crates that are built into this one, by their names.
fn built_into(package: &str) -> BTreeSet<String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--package", package];
    let output = Command::new(cargo).args(arguments).current_dir(checkout()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(String::from).collect()
}

#[test]
fn the_core_knows_nobody_and_agent_and_fleet_do_not_know_each_other() {
    for (package, strangers) in [
        ("pulse-echo-core", &["pulse-echo", "pulse-echo-lambda", "pulse-echo-local", "argh", "lambda_runtime"][..]),
        (
            "pulse-echo",
            &["pulse-echo-lambda", "pulse-echo-local", "lambda_runtime", "tokio", "quick-xml", "instant-xml"],
        ),
        ("pulse-echo-lambda", &["pulse-echo", "pulse-echo-local", "argh"]),
        ("pulse-echo-local", &["pulse-echo", "argh"]),
    ] {
        let known = built_into(package);
        assert!(known.contains("pulse-echo-core"), "{package} is not the package that was meant: {known:?}");
        for stranger in strangers.iter().filter(|stranger| **stranger != package) {
            assert!(!known.contains(*stranger), "{stranger} is built into {package}");
        }
        assert!(!known.contains("pulse-echo-testkit"), "the tests' own crate is built into {package}");
    }
}

/// The rooms of one folder, and for each the rooms beside it that it names.
type Rooms = BTreeMap<String, BTreeSet<String>>;

/// Reads a folder of a crate's sources and all folders in it. `inside` is the path of modules that leads to it.
fn read(folder: &Path, inside: &[String], all: &mut BTreeMap<String, Rooms>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                read(&path, &[inside, &[name]].concat(), all);
            }
        } else if path.extension().is_some_and(|end| end == "rs") && !["tests", "main", "lib"].contains(&name.as_str())
        {
            let module = if name == "mod" { inside.to_vec() } else { [inside, &[name]].concat() };
            for named in named_in(&without_tests(&fs::read_to_string(&path).unwrap()), &module) {
                add(all, &module, &named);
            }
        }
    }
}

/// The source up to its unit tests, which stand at its end, without comments.
fn without_tests(source: &str) -> String {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that a module names, as paths from the crate's root: by `crate::a::b` and by `super::b`.
fn named_in(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        // Of `super::super::a` and `pulse_echo_core::crate::a` only the beginning counts.
        if code[..at].ends_with("::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let mut rest = &code[at..];
        let mut path: Vec<String> = if let Some(after) = rest.strip_prefix("crate::") {
            rest = after;
            Vec::new()
        } else {
            let mut path = module.to_vec();
            while let Some(after) = rest.strip_prefix("super::") {
                path.pop();
                rest = after;
            }
            path
        };
        // `{a::b, c}` names several.
        let several = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
            None => vec![rest],
        };
        let root = std::mem::take(&mut path);
        for one in several {
            let end = one.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(one.len());
            let modules = one[..end].split("::").take_while(|part| part.starts_with(|c: char| c.is_ascii_lowercase()));
            named.push(root.iter().cloned().chain(modules.map(String::from)).collect());
        }
    }
    named
}

/// Notes that one room leans on another where the two paths part: there they stand side by side.
fn add(all: &mut BTreeMap<String, Rooms>, from: &[String], to: &[String]) {
    let together = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    if let (Some(one), Some(other)) = (from.get(together), to.get(together)) {
        let rooms = all.entry(from[..together].join("/")).or_default();
        rooms.entry(one.clone()).or_default().insert(other.clone());
    }
}

/// A way from `room` back to itself.
fn circle(rooms: &Rooms, room: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![room.to_string()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in rooms.get(way.last()?).into_iter().flatten() {
            let longer = [&way[..], &[next.clone()]].concat();
            if next == room {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

fn sources(part: &str) -> PathBuf {
    checkout().join(part).join("src")
}

#[test]
fn no_rooms_lean_on_each_other_in_a_circle() {
    for (part, at_least) in [("core", 12), ("", 20), ("lambda", 10), ("local", 6)] {
        let mut all = BTreeMap::new();
        read(&sources(part), &[], &mut all);
        assert!(all[""].len() >= at_least, "only these rooms of {part:?} were found: {:?}", all[""].keys());
        for (folder, rooms) in &all {
            // A function of one's own module, such as `super::look`, has no room and leans on nothing.
            for room in rooms.keys() {
                if let Some(circle) = circle(rooms, room) {
                    panic!("{}/src/{folder}: {}", part, circle.join(" → "));
                }
            }
        }
    }
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let module = ["a".to_string(), "b".to_string()];
    let named =
        named_in("use super::c; use crate::d::{E, f}; use crate::{g::h, i}; crate::j::k(); super::super::l", &module);
    let named: Vec<_> = named.iter().map(|path| path.join("/")).collect();
    for path in ["a/c", "d", "g/h", "i", "j/k", "l"] {
        assert!(named.iter().any(|found| found == path || found.starts_with(&format!("{path}/"))), "{path}: {named:?}");
    }
    let mut all = BTreeMap::new();
    let path = |text: &str| text.split('/').map(String::from).collect::<Vec<_>>();
    for (from, to) in [("a/b", "a/c"), ("a/c/d", "a/e"), ("a/e", "a/b/f")] {
        add(&mut all, &path(from), &path(to));
    }
    assert_eq!(circle(&all["a"], "b").unwrap(), ["b", "c", "e", "b"]);
}
