//! The documentation names only commands and options of `pulse-echo-local` that it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The help text of one of its commands, such as `serve` or `key add`.
fn help(command: &str) -> String {
    let words = command.split(' ').chain(["--help"]);
    let output = Command::new(env!("CARGO_BIN_EXE_pulse-echo-local")).args(words).output().unwrap();
    assert!(output.status.success(), "pulse-echo-local has no command {command:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_command_and_option_in_the_documentation_is_in_the_help() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).chain([root.join("README.md")]);
    let mut helps = BTreeMap::new();
    for page in pages {
        for line in fs::read_to_string(&page).unwrap().split(['\n', '`']) {
            let Some((_, rest)) = line.split_once("pulse-echo-local ") else { continue };
            let mut words = rest.split_whitespace().take_while(|word| !matches!(*word, "|" | "#" | ">"));
            // In a sentence, the word is only a name.
            let Some(command) = words.next().filter(|word| ["serve", "demo", "replay", "key"].contains(word)) else {
                continue;
            };
            let words: Vec<_> = words.collect();
            let act =
                words.first().filter(|word| command == "key" && word.starts_with(|c: char| c.is_ascii_lowercase()));
            let command = act.map_or(command.to_owned(), |act| format!("{command} {act}"));
            let help = helps.entry(command.clone()).or_insert_with(|| help(&command));
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!("{option} ")), "{}: {command} has no {option}", page.display());
            }
        }
    }
    assert!(
        ["serve", "replay", "key add", "key rotate"].iter().all(|command| helps.contains_key(*command)),
        "only {:?} were found",
        helps.keys()
    );
}

#[test]
fn the_help_names_each_setting_of_the_documentation_with_its_range() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (help, mut seen) = (help("serve"), 0);
    for page in ["docs/alerts.md", "docs/security.md"] {
        for line in fs::read_to_string(root.join(page)).unwrap().lines() {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let name = cells.get(1).and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`')).unwrap_or_default();
            let is_setting = name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            // The bucket is an option here, and there is no queue.
            if !is_setting || name == "QUEUE_URL" {
                continue;
            }
            let described = help.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
            let described = described.unwrap_or_else(|| panic!("serve --help does not name {name} of {page}"));
            let range = cells[2];
            let is_range = range.split_once(" to ").is_some_and(|(from, _)| from.parse::<u32>().is_ok());
            assert!(!is_range || described.contains(range), "{name} has the range {range}: {described}");
            seen += 1;
        }
    }
    assert!(seen >= 14, "only {seen} settings were found");
}
