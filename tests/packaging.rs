//! Checks the other files of the packages against the program, so that they cannot drift.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality, SubCommandInfo};
use argh_complete::Generator;
use argh_complete::bash::Bash;
use argh_complete::fish::Fish;
use argh_complete::zsh::Zsh;
use pulse_echo::args::Arguments;
use pulse_echo_core::json::{Object, Unknown};
use pulse_echo_core::pulse::Pulse;
use pulse_echo_testkit::agent;

const MAN_PAGE: &str = include_str!("../packaging/man/pulse-echo.1");
const PULSE_PAGE: &str = include_str!("../packaging/man/pulse-echo-pulse.5");
const COPYRIGHT: &str = include_str!("../packaging/copyright");

fn packaging(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(packaging(file)).unwrap()
}

/// The flags that the program accepts and argh does not know: `args::order` converts them to argh's form.
fn help_and_version() -> [FlagInfo<'static>; 2] {
    let switch = |long, short, description| FlagInfo {
        kind: FlagInfoKind::Switch,
        optionality: Optionality::Optional,
        long,
        short: Some(short),
        description,
        hidden: false,
    };
    [switch("--help", 'h', "show the help"), switch("--version", 'V', "show the version")]
}

/// A command's flags, without argh's own `--help`.
fn flags(command: &CommandInfoWithArgs) -> impl Iterator<Item = &'static FlagInfo<'static>> {
    command.flags.iter().filter(|flag| flag.long != "--help")
}

#[test]
fn completions_are_those_of_the_program() {
    let program = with_flags_everywhere(&Arguments::get_args_info(), &[]);
    let made = [
        // The function that it calls `cmd` would stay in the user's shell.
        ("pulse-echo.bash", Bash::generate("pulse-echo", &program).replace("prev opts cmds\n", "prev opts cmds cmd\n")),
        // A value may be a file name.
        ("_pulse-echo", Zsh::generate("pulse-echo", &program).replace("': :'", "': :_files'")),
        // fish 3 has no `-x` there. A value may be a file name here, too.
        ("pulse-echo.fish", fish_with_files(&Fish::generate("pulse-echo", &program).replace("-xpc", "-opc"))),
    ];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("completions");
    fs::create_dir_all(&folder).unwrap();
    for (file, text) in &made {
        fs::write(folder.join(file), text).unwrap();
    }
    for (file, text) in made {
        let is_there = read(&format!("completions/{file}"));
        assert!(is_there == text, "{file} is not the program's: cp {}/* packaging/completions/", folder.display());
    }
}

/// The same command; it and its subcommands also take the flags of the whole program.
fn with_flags_everywhere(command: &CommandInfoWithArgs, outer: &[FlagInfo<'static>]) -> CommandInfoWithArgs {
    let copy = |flag: &FlagInfo<'static>| FlagInfo {
        kind: match flag.kind {
            FlagInfoKind::Switch => FlagInfoKind::Switch,
            FlagInfoKind::Option { arg_name } => FlagInfoKind::Option { arg_name },
        },
        optionality: Optionality::Optional,
        ..*flag
    };
    let own: Vec<_> = flags(command).map(copy).collect();
    let of_program: Vec<_> = match outer {
        [] => own.iter().map(copy).chain(help_and_version()).collect(),
        outer => outer.iter().map(copy).collect(),
    };
    let is_own = |flag: &&FlagInfo| own.iter().any(|known| known.long == flag.long);
    let all: Vec<_> = own.iter().chain(of_program.iter().filter(|flag| !is_own(flag))).map(copy).collect();
    let commands = command
        .commands
        .iter()
        .map(|inner| SubCommandInfo { name: inner.name, command: with_flags_everywhere(&inner.command, &of_program) });
    CommandInfoWithArgs {
        name: command.name,
        short: command.short,
        description: command.description,
        flags: all.leak(),
        commands: commands.collect(),
        positionals: command.positionals,
        ..CommandInfoWithArgs::default()
    }
}

/// Offers files only for the options' values: `-f` forbids them, `-F` forces them.
fn fish_with_files(text: &str) -> String {
    let line = |line: &str| {
        let is_option_with_value = line.starts_with("complete ") && line.contains(" -r -d ");
        let plain = line.replacen("' -f ", "' ", 1);
        (if is_option_with_value { plain.replacen(" -r -d ", " -r -F -d ", 1) } else { plain }) + "\n"
    };
    text.lines().map(line).chain(["complete -c pulse-echo -f\n".to_string()]).collect()
}

#[test]
fn the_man_page_has_each_command_and_flag_and_none_besides() {
    let program = Arguments::get_args_info();
    let mut shown = Vec::new();
    let options = options_in("Sh", "OPTIONS");
    compare(&mut shown, &options, flags(&program));
    compare(&mut shown, &options, help_and_version().iter());
    for SubCommandInfo { name, command } in &program.commands {
        if command.commands.is_empty() {
            compare(&mut shown, &options_in("Ss", name), flags(command));
        }
        for SubCommandInfo { name: inner, command } in &command.commands {
            compare(&mut shown, &options_in("Ss", &format!("{name} {inner}")), flags(command));
        }
    }
    let all = MAN_PAGE.matches("\n.It Fl ").count();
    assert_eq!(shown.len(), all, "the page has options that no command has; known are {shown:?}");
}

/// The options in a section of the man page, as mdoc writes them.
fn options_in(level: &str, title: &str) -> Vec<&'static str> {
    let is_title = |line: &str| line.strip_prefix(&format!(".{level} ")).is_some_and(|line| without_id(line) == title);
    let mut section = MAN_PAGE.lines().skip_while(|line| !is_title(line));
    assert!(section.next().is_some(), "the man page has no section {title:?}");
    section
        .take_while(|line| !line.starts_with(".Sh ") && !line.starts_with(".Ss "))
        .filter_map(|line| line.strip_prefix(".It "))
        .collect()
}

fn without_id(title: &str) -> &str {
    title.trim_end_matches(" Ar id").trim_end_matches(" Op")
}

fn compare<'a>(shown: &mut Vec<String>, options: &[&str], flags: impl Iterator<Item = &'a FlagInfo<'a>>) {
    for flag in flags {
        let short = flag.short.map_or_else(String::new, |short| format!("Fl {short} , "));
        let value = match flag.kind {
            FlagInfoKind::Switch => String::new(),
            FlagInfoKind::Option { arg_name } => format!(" Ar {arg_name}"),
        };
        let option = format!("{short}Fl Fl {}{value}", flag.long.trim_start_matches('-'));
        assert!(options.contains(&option.as_str()), "the man page lacks {option:?} among {options:?}");
        shown.push(option);
    }
}

#[test]
fn the_man_page_of_the_pulse_has_each_field_and_none_besides() {
    let shown: Vec<_> = PULSE_PAGE.lines().filter_map(|line| line.strip_prefix(".It Sy ")).collect();
    assert_eq!(shown, Pulse::FIELDS);
}

#[test]
fn each_example_is_taken_by_the_program_and_explained() {
    let explained = read("examples/README.md");
    for entry in fs::read_dir(packaging("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || explained.contains(&format!("\n| `{name}` | ")), "README.md lacks {name}");
        match name {
            "README.md" | "ansible.yml" | "cloud-init.yaml" => {}
            "credentials" => {
                let said = doctor(&["--bucket", "b", "--region", "r"], &path);
                assert!(said.contains("✓ credentials: from the profile default in "), "{said}");
            }
            name if name.starts_with("config") => {
                let said = doctor(&["--config", path.to_str().unwrap()], Path::new("none"));
                assert!(said.contains(&format!("✓ configuration: {}", path.display())), "{said}");
            }
            _ => drop(Pulse::parse(&fs::read(&path).unwrap(), Unknown::Refused).unwrap()),
        }
    }
}

/// The output of `doctor`. It asks only a store that does not exist.
fn doctor(options: &[&str], credentials: &Path) -> String {
    let output = Command::new(agent::program())
        .args(["doctor", "--endpoint", "http://127.0.0.1:1", "--timeout-s", "1"])
        .args(options)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_packages_changelog_has_this_version_and_their_licence_is_ours() {
    let version = concat!("- semver: ", env!("CARGO_PKG_VERSION"), "-1\n");
    let changelog = read("changelog.yaml");
    let newest = changelog.find("- semver: ").expect("it has an entry");
    assert!(changelog[newest..].starts_with(version), "packaging/changelog.yaml does not begin with {version:?}");

    let words = |text: &str| text.split_whitespace().filter(|word| *word != ".").collect::<Vec<_>>().join(" ");
    let mit = include_str!("../LICENSE-MIT").split_once("\n\n").unwrap().1.split_once("\n\n").unwrap().1;
    assert!(words(COPYRIGHT).contains(&words(mit)), "packaging/copyright has not the text of LICENSE-MIT");
    let holder = include_str!("../LICENSE-MIT").lines().find_map(|line| line.strip_prefix("Copyright (c) ")).unwrap();
    assert!(COPYRIGHT.contains(&format!("\nCopyright: {holder}\n")));
}
