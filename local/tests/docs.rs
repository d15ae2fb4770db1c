//! The documentation names only commands and options of `pulse-echo-local` that it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The help text of one of its commands.
fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pulse-echo-local")).args([command, "--help"]).output().unwrap();
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
            let Some(command) = words.next().filter(|word| ["serve", "demo", "replay"].contains(word)) else {
                continue;
            };
            let help = helps.entry(command.to_owned()).or_insert_with(|| help(command));
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!("{option} ")), "{}: {command} has no {option}", page.display());
            }
        }
    }
    assert!(helps.contains_key("serve") && helps.contains_key("replay"), "only {:?} were found", helps.keys());
}
