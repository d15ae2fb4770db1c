//! The house: which crate may depend on which, and that no two rooms of a crate depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the crates that are built into this package.
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
        // The local system alone hands in mails: the functions' zip is built of this package alone.
        assert_eq!(known.contains("lettre"), package == "pulse-echo-local", "lettre in {package}");
    }
}

/// The rooms of each crate, from below. A room may name only rooms of the lines above its own.
const LEVELS: [(&str, &[&[&str]]); 4] = [("core", CORE), ("", AGENT), ("lambda", LAMBDA), ("local", LOCAL)];

/// From below: what everything uses; formats and words; the world.
const CORE: &[&[&str]] = &[
    &["clock", "crypto", "environment", "etag", "text", "xml"],
    &["metadata", "random", "json", "name", "stderr"],
    &["answer", "job", "mark", "mute", "pattern", "vitals"],
    &["words", "http", "prometheus"],
    &["pulse", "store"],
    &["status"],
    &["history", "view"],
];

/// From below: parts of commands; what commands read and say; commands; commands made of commands.
const AGENT: &[&[&str]] = &[
    &["disk"],
    &[
        "atomic_file",
        "daily",
        "duration",
        "exit",
        "input",
        "look",
        "machine",
        "output",
        "reach",
        "splay",
        "target",
        "terminal",
    ],
    &["args", "credentials", "fleet", "goodbye", "namesake", "outcome", "panic"],
    &["history", "nagios", "settings", "verdict"],
    &["export", "operator", "pulses"],
    &["ack", "check", "doctor", "loop_control", "mute", "outages", "retire", "send", "status"],
    &["exec", "fuzzing", "init", "wait"],
    &["run"],
];

/// From below: plain data and pure rules; the world; one pass, one sweep, one invocation.
const LAMBDA: &[&[&str]] = &[
    &["connections", "deadline", "page", "parallel", "rules", "wire"],
    &["error", "expect", "ipfilter", "verdict"],
    &["ahead"],
    &["outbox"],
    &["cas", "event", "fetch", "round", "settings", "web"],
    &["aws"],
    &["channel", "probe"],
    &["fuzzing", "sweep"],
    &["tick"],
    &["telemetry"],
];

/// From below: the store and its keys; its events; the programs.
const LOCAL: &[&[&str]] = &[
    &["limits", "private", "repeats", "replay"],
    &["console", "s3", "sweeper"],
    &["events", "keys", "page", "timer"],
    &["key_command", "reload", "system"],
    &["demo", "serve"],
];

/// The folders of sources, by their module path: for each room, the rooms next to it that it names.
type Folders = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The sources of a crate.
struct Sources {
    /// Each module's path and its code, without comments and unit tests.
    modules: BTreeMap<Vec<String>, String>,
}

impl Sources {
    fn read(part: &str) -> Self {
        let mut modules = BTreeMap::new();
        let root = checkout().join(part).join("src");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                if name == "tests" || name == "main" {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let inside = path.parent().unwrap().strip_prefix(&root).unwrap();
                    let mut module: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                    if name != "mod" && name != "lib" {
                        module.push(name);
                    }
                    modules.insert(module, code_of(&fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Self { modules }
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.modules.keys().any(|module| module.starts_with(path))
    }

    /// Which room names which, at the point where their paths part: there they are next to each other.
    fn folders(&self) -> Folders {
        let mut folders = Folders::new();
        for (module, code) in &self.modules {
            for named in named_in(code, module) {
                let named = self.resolve(named);
                let together = module.iter().zip(&named).take_while(|(one, other)| one == other).count();
                if let (Some(one), Some(other)) = (module.get(together), named.get(together)) {
                    let rooms = folders.entry(module[..together].join("/")).or_default();
                    rooms.entry(one.clone()).or_default().insert(other.clone());
                }
            }
        }
        folders
    }

    /// The module that an item's path leads to. An item that a folder's own module re-exports (`use error::Error`)
    /// counts where it is defined.
    fn resolve(&self, path: Vec<String>) -> Vec<String> {
        let mut at = Vec::new();
        for part in path {
            let next = [&at[..], std::slice::from_ref(&part)].concat();
            if self.is_module(&next) {
                at = next;
                continue;
            }
            let handed_on = self.modules.get(&at).into_iter().flat_map(|code| uses(code)).find_map(|(from, item)| {
                let from = [&at[..], std::slice::from_ref(&from)].concat();
                (item == part && self.is_module(&from)).then_some(from)
            });
            return handed_on.unwrap_or(at);
        }
        at
    }
}

/// The code without comments and unit tests.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    let mut is_test = false;
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ")) {
            is_test = lines.peek().is_some_and(|next| next.ends_with('{'));
            lines.next();
        } else if is_test {
            is_test = line != "}";
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The items that a module takes from its own children and may re-export: the child, and the item.
fn uses(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in code.split(';') {
        let Some((_, path)) = line.rsplit_once("use ") else { continue };
        let Some((child, items)) = path.split_once("::") else { continue };
        let items = items.trim_start_matches('{').trim_end_matches('}').split(',');
        found.extend(items.map(|item| (child.trim().to_string(), item.trim().to_string())));
    }
    found
}

/// The items that a module names, as paths from the crate's root: by `crate::a::B` and by `super::b`.
fn named_in(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        // In `super::super::a` only the beginning counts.
        if code[..at].ends_with("::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let mut rest = &code[at..];
        let mut root = Vec::new();
        if let Some(after) = rest.strip_prefix("crate::") {
            rest = after;
        } else {
            root = module.to_vec();
            while let Some(after) = rest.strip_prefix("super::") {
                root.pop();
                rest = after;
            }
        }
        // `{a::b, c}` names several items.
        let several = match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                assert!(!list.contains('{'), "{module:?}: a list within a list is not read here: {list}");
                list.split(',').map(str::trim).collect()
            }
            None => vec![rest],
        };
        for one in several.into_iter().filter(|one| !one.is_empty()) {
            assert!(!one.starts_with("self"), "{module:?} takes the whole crate by another name");
            let end = one.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(one.len());
            let parts = one[..end].split("::").filter(|part| !part.is_empty()).map(String::from);
            named.push(root.iter().cloned().chain(parts).collect());
        }
    }
    named
}

/// A path from `room` back to itself.
fn circle(rooms: &BTreeMap<String, BTreeSet<String>>, room: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![room.to_string()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in rooms.get(way.last()?).into_iter().flatten() {
            let longer = [&way[..], std::slice::from_ref(next)].concat();
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

#[test]
fn no_rooms_lean_on_each_other_in_a_circle() {
    for (part, _) in LEVELS {
        for (folder, rooms) in Sources::read(part).folders() {
            for room in rooms.keys() {
                if let Some(circle) = circle(&rooms, room) {
                    panic!("{part}/src/{folder}: {}", circle.join(" → "));
                }
            }
        }
    }
}

#[test]
fn a_lower_room_never_looks_up() {
    for (part, levels) in LEVELS {
        let sources = Sources::read(part);
        let level = |room: &str| {
            let at = levels.iter().position(|level| level.contains(&room));
            at.unwrap_or_else(|| panic!("the room {room} of {part:?} has no level in tests/house.rs"))
        };
        for module in sources.modules.keys().filter_map(|module| module.first()) {
            level(module);
        }
        let folders = sources.folders();
        for (room, others) in &folders[""] {
            for other in others {
                assert!(level(other) < level(room), "{part}/src: {room} looks up to {other}");
            }
        }
    }
}

#[test]
fn what_leads_to_a_circle_is_seen_however_it_is_written() {
    let module = ["a".to_string(), "b".to_string()];
    let code = "use super::c; use crate::d::{E, f}; use crate::{g::h, i}; crate::j::k(); super::super::l";
    let named: Vec<_> = named_in(code, &module).iter().map(|path| path.join("/")).collect();
    assert_eq!(named, ["d", "g/h", "i", "j/k", "a/c", "l"]);

    // `place` names `error` by the re-export of their folder's module, and `error` names `place`.
    let modules = [
        (vec!["store"], "mod error; mod place; pub use error::Error;"),
        (vec!["store", "place"], "use super::Error;"),
        (vec!["store", "error"], "use super::place::Place;"),
    ];
    let modules = modules.map(|(path, code)| (path.into_iter().map(String::from).collect(), code.to_string())).into();
    let folders = Sources { modules }.folders();
    assert!(circle(&folders["store"], "error").is_some(), "{folders:?}");

    let source = "use crate::a;\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\nuse crate::c;\n// crate::d\n";
    assert_eq!(code_of(source), "use crate::a;\nuse crate::c;\n");
}
