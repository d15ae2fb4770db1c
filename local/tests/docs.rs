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

const MAN_PAGE: &str = include_str!("../../packaging/man/pulse-echo-local.1");

/// The long options that a help text lists, but for those of all commands.
fn options(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let options = lines.filter_map(|line| line.split_whitespace().find_map(|word| word.strip_prefix("--")));
    options.filter(|option| !["help", "verbose", "version"].contains(option))
}

#[test]
fn the_man_page_has_each_option_and_none_besides() {
    let mut known = vec!["help", "verbose", "version"].into_iter().map(String::from).collect::<Vec<_>>();
    for command in ["serve", "key add", "key rotate", "key remove", "key list", "demo", "replay"] {
        let words = command.split(' ').chain(["--help"]);
        let output = Command::new(env!("CARGO_BIN_EXE_pulse-echo-local")).args(words).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(MAN_PAGE.lines().any(|line| line.starts_with(&format!(".Ss {command}"))), "{command}");
        for option in options(&help) {
            let listed = |line: &str| line.starts_with(".It Fl ") && line.contains(&format!("Fl Fl {option}"));
            assert!(MAN_PAGE.lines().any(listed), "the man page lacks --{option} of {command}");
            known.push(option.to_owned());
        }
    }
    for line in MAN_PAGE.lines().filter(|line| line.starts_with(".It Fl ")) {
        let option = line.split("Fl Fl ").nth(1).unwrap().split(' ').next().unwrap();
        assert!(known.iter().any(|known| known == option), "no command has --{option}");
    }
}

/// The settings in a table of `docs/` whose head begins like this, with their ranges where they have one.
fn settings(page: &'static str, head: &str) -> Vec<(String, String)> {
    let rows = page.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|row| row.split(" | ").collect::<Vec<_>>());
    rows.map(|row| (row[0].trim_start_matches("| ").trim_matches('`').to_owned(), row[1].to_owned())).collect()
}

#[test]
fn the_help_names_each_setting_with_its_range_and_no_other() {
    let loops = settings(include_str!("../../docs/alerts.md"), "the loop's setting");
    let probes = settings(include_str!("../../docs/security.md"), "the probe's setting");
    // Of the function on AWS alone.
    let of_aws = ["BUCKET", "QUEUE_URL", "STACK"];
    let all: Vec<_> = loops.iter().chain(&probes).filter(|(name, _)| !of_aws.contains(&name.as_str())).collect();
    assert!(all.len() > 10, "{all:?}");
    let help = help("serve");
    let named: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' ')).collect();
    // Two settings of each channel: the lines of `NAME_ONLY` and `NAME_STATES` name them all.
    let is_of_channels = |name: &str| name.ends_with("_ONLY") || name.ends_with("_STATES");
    let words: Vec<_> = help.split([' ', ',', '\n']).filter(|word| is_of_channels(word)).collect();
    let (of_channels, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| is_of_channels(name));
    for (name, _) in &of_channels {
        assert!(words.contains(&name.as_str()), "the help lacks {name}");
    }
    for word in words.iter().filter(|word| !word.starts_with("NAME_")) {
        assert!(of_channels.iter().any(|(name, _)| name == word), "the documentation lacks {word}");
    }
    for (name, range) in &all {
        let line = named.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("the help lacks {name}"));
        assert!(!range.contains(" to ") || line.1.contains(range), "{name}: {range} is not in {:?}", line.1);
    }
    let is_capital = |byte| byte == b'_' || u8::is_ascii_uppercase(&byte);
    let is_setting = |name: &str| name.contains('_') && name.bytes().all(is_capital);
    for (name, _) in named.iter().filter(|(name, _)| is_setting(name) && !is_of_channels(name)) {
        assert!(all.iter().any(|(known, _)| known == name), "the documentation lacks {name}");
    }
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
            for option in words.iter().filter(|word| word.starts_with("--") && **word != "--help") {
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
