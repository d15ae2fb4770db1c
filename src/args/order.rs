//! How the command line is read: by `argh`, after it was put into the one form that argh knows: `--opt value`, options
//! of the whole program in front of the command.

use std::collections::VecDeque;
use std::ffi::OsString;

use argh::{ArgsInfo, CommandInfoWithArgs, EarlyExit, FlagInfo, FlagInfoKind, FromArgs};

use super::Arguments;
use super::exec::encoded;
use pulse_echo_core::text::{nearest, quoted};

/// What the arguments came to.
pub enum Parsed {
    /// Something to do.
    Arguments(Box<Arguments>),
    /// Something to show: help or version.
    Text(String),
    /// A mistake; `nagios` if it was made with a command that answers as a Nagios plugin does.
    Wrong {
        /// What is wrong, in one sentence.
        message: String,
        /// Whether exit code and output are a plugin's.
        nagios: bool,
    },
}

/// The commands that answer as Nagios plugins do.
const NAGIOS: [&str; 2] = ["check", "run"];

/// The command whose words behind `--` are a command of the operator's, and may be any bytes.
const RUNS_A_JOB: &str = "exec";

/// Reads the arguments, without the program's own name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Parsed {
    let arguments: Vec<_> = arguments.collect();
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let Ordered { global, commands, mut rest, mut wrong, version, behind } = order(&texts);
    let is = |names: &[&str]| commands.first().is_some_and(|command| names.contains(&command.as_str()));
    let (nagios, runs_a_job) = (is(&NAGIOS), is(&[RUNS_A_JOB]));
    let (own, job) = arguments.split_at(if runs_a_job { arguments.len() - behind } else { arguments.len() });
    if own.iter().any(|argument| argument.to_str().is_none()) {
        return Parsed::Wrong { message: "an argument is not UTF-8".into(), nagios };
    }
    if runs_a_job {
        rest.truncate(rest.len() - behind);
        rest.extend(job.iter().map(|word| encoded(word)));
        if job.is_empty() && !rest.contains(&"--help".into()) {
            let missing = "there is no job: write it behind --, as in pulse-echo exec --name backup -- tar -cf …";
            wrong.get_or_insert(missing.into());
        }
    }
    if version {
        return Parsed::Text(concat!("pulse-echo ", env!("CARGO_PKG_VERSION")).into());
    }
    if let Some(message) = wrong {
        return Parsed::Wrong { message, nagios };
    }
    let ordered: Vec<&str> = global.iter().chain(&commands).chain(&rest).map(String::as_str).collect();
    match Arguments::from_args(&["pulse-echo"], &ordered) {
        Ok(arguments) => Parsed::Arguments(Box::new(arguments)),
        Err(EarlyExit { output, status: Ok(()) }) => Parsed::Text(output),
        Err(EarlyExit { output, status: Err(()) }) => {
            let what = plain(output.split_whitespace().collect::<Vec<_>>().join(" "));
            Parsed::Wrong { message: format!("{}; {}", what.trim_end_matches('.'), see_help(&commands)), nagios }
        }
    }
}

/// What argh says of an option's value, in our words.
fn plain(text: String) -> String {
    if let Some((_, why)) = text.strip_prefix("Error parsing positional argument '").and_then(|r| r.split_once("': ")) {
        // What is wrong with an ID names it.
        return why.into();
    }
    let parts = text.strip_prefix("Error parsing option '").and_then(|rest| {
        let (option, rest) = rest.split_once("' with value '")?;
        let (value, why) = rest.rsplit_once("': ")?;
        Some((option, value, why))
    });
    match parts {
        Some((option, _, "duplicate values provided")) => format!("{option} is there twice"),
        Some((option, value, why)) => format!("{option} is {}: {why}", quoted(value.as_bytes(), 0, 60)),
        None => text,
    }
}

/// The arguments in argh's order.
#[derive(Debug, Default, PartialEq)]
struct Ordered {
    global: Vec<String>,
    /// The command, and the command of that command where it has some: `loop`, `show`.
    commands: Vec<String>,
    rest: Vec<String>,
    wrong: Option<String>,
    version: bool,
    /// How many arguments stand behind `--`; they are the last of `rest`.
    behind: usize,
}

/// Splits `--opt=value`, spells `-h` out, brings the options of the whole program to the front, and those of a command
/// behind it.
fn order(arguments: &[String]) -> Ordered {
    let program = Arguments::get_args_info();
    let mut ordered = Ordered::default();
    let mut left: VecDeque<String> = arguments.iter().cloned().collect();
    while let Some(argument) = left.pop_front() {
        let innermost = find_command(&program, &ordered.commands);
        if let Some(parts) = split_cluster(&argument, &program, innermost) {
            parts.into_iter().rev().for_each(|part| left.push_front(part));
            continue;
        }
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_string())),
            _ => (argument.as_str(), None),
        };
        let of_program = find_flag(&program, option);
        let of_command = match &ordered.commands[..] {
            [] => None,
            _ => innermost.and_then(|command| find_flag(command, option)),
        };
        match (option, of_command.or(of_program)) {
            ("-h" | "--help", _) => ordered.rest.push("--help".into()),
            ("-V" | "--version", _) => ordered.version = true,
            ("help", None) if ordered.commands.is_empty() => ordered.rest.push("--help".into()),
            ("--", _) => {
                ordered.behind = left.len();
                ordered.rest.extend(std::iter::once("--".into()).chain(left.drain(..)));
            }
            (_, Some(flag)) => {
                let place = if of_command.is_some() { &mut ordered.rest } else { &mut ordered.global };
                place.push(flag.long.into());
                match (&flag.kind, value) {
                    (FlagInfoKind::Switch, None) => {}
                    (FlagInfoKind::Switch, Some(_)) => ordered.wrong = Some(format!("{option} takes no value")),
                    (FlagInfoKind::Option { .. }, value) => match value.or_else(|| left.pop_front()) {
                        Some(value) => place.push(value),
                        None => ordered.wrong = Some(format!("{option} needs a value")),
                    },
                }
            }
            (_, None) => match innermost.filter(|command| !command.commands.is_empty() && !option.starts_with('-')) {
                None => ordered.rest.push(argument),
                Some(outer) => {
                    if !outer.commands.iter().any(|command| command.name == option) {
                        ordered.wrong = Some(unknown_command(outer, &ordered.commands, option));
                    }
                    ordered.commands.push(option.into());
                }
            },
        }
    }
    if let Some(outer) = find_command(&program, &ordered.commands)
        && !outer.commands.is_empty()
        && !ordered.rest.contains(&"--help".into())
    {
        let missing = format!("there is no command; {}", known_commands(outer, &ordered.commands));
        ordered.wrong.get_or_insert(missing);
    }
    ordered
}

/// `-qv` is `-q -v`, and `-w900` is `-w 900`; none if the argument is neither.
fn split_cluster(
    argument: &str,
    program: &CommandInfoWithArgs,
    command: Option<&CommandInfoWithArgs>,
) -> Option<[String; 2]> {
    let letters = argument.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?;
    let mut rest = letters.chars();
    let first = format!("-{}", rest.next()?);
    let rest = rest.as_str();
    let flag = command.and_then(|command| find_flag(command, &first)).or_else(|| find_flag(program, &first));
    match flag.map(|flag| &flag.kind) {
        _ if rest.is_empty() => None,
        Some(FlagInfoKind::Option { .. }) => Some([first, rest.into()]),
        Some(FlagInfoKind::Switch) => Some([first, format!("-{rest}")]),
        None if matches!(first.as_str(), "-h" | "-V") => Some([first, format!("-{rest}")]),
        None => None,
    }
}

fn find_flag<'a>(command: &'a CommandInfoWithArgs, option: &str) -> Option<&'a FlagInfo<'static>> {
    let letter = option.strip_prefix('-').filter(|letter| letter.chars().count() == 1).and_then(|l| l.chars().next());
    command.flags.iter().find(|flag| flag.long == option || (letter.is_some() && flag.short == letter))
}

/// The command that the words lead to, one within the other; none if one of them is unknown.
fn find_command<'a>(program: &'a CommandInfoWithArgs, words: &[String]) -> Option<&'a CommandInfoWithArgs> {
    words.iter().try_fold(program, |outer, word| {
        outer.commands.iter().find(|command| command.name == word).map(|command| &command.command)
    })
}

fn unknown_command(outer: &CommandInfoWithArgs, words: &[String], name: &str) -> String {
    let of = words.last().map_or_else(String::new, |word| format!(" of {word}"));
    match nearest(name, outer.commands.iter().map(|command| command.name)) {
        Some(near) => format!("{name:?} is not a command{of}; did you mean {near:?}?"),
        None => format!("{name:?} is not a command{of}; {}", known_commands(outer, words)),
    }
}

fn known_commands(outer: &CommandInfoWithArgs, words: &[String]) -> String {
    let names: Vec<_> = outer.commands.iter().map(|command| command.name).collect();
    format!("the commands are {}; {}", names.join(", "), see_help(words))
}

fn see_help(commands: &[String]) -> String {
    let words: Vec<_> = ["pulse-echo"].into_iter().chain(commands.iter().map(String::as_str)).collect();
    format!("see {} --help", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Loop, LoopCommand};
    use super::*;

    fn parsed(line: &str) -> Parsed {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn arguments(line: &str) -> Box<Arguments> {
        match parsed(line) {
            Parsed::Arguments(arguments) => arguments,
            Parsed::Text(text) => panic!("{line}: {text}"),
            Parsed::Wrong { message, .. } => panic!("{line}: {message}"),
        }
    }

    fn wrong(line: &str) -> (String, bool) {
        match parsed(line) {
            Parsed::Wrong { message, nagios } => (message, nagios),
            _ => panic!("{line} passed"),
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named_with_its_option() {
        for (line, why) in [
            ("--host a --host b send", "--host is there twice; "),
            ("--timeout-s x send", "--timeout-s is \"x\": expected a whole number of seconds from 1 to 3600; "),
        ] {
            let (message, _) = wrong(line);
            assert!(message.starts_with(why), "{message}");
        }
    }

    #[test]
    fn options_of_the_program_stand_before_or_behind_the_command() {
        for line in
            ["--bucket b -q send --pulse p", "send --pulse=p --bucket=b --quiet", "send -q --bucket b --pulse p"]
        {
            let arguments = arguments(line);
            assert_eq!((arguments.bucket.as_deref(), arguments.quiet), (Some("b"), true), "{line}");
            let Command::Send(send) = arguments.command else { panic!("{line}") };
            assert_eq!(send.pulse.as_deref(), Some("p"), "{line}");
        }
    }

    #[test]
    fn options_of_a_commands_command_stand_anywhere_too() {
        for line in ["loop show --json --bucket b", "--bucket=b loop --json show", "loop --bucket b show --json"] {
            let arguments = arguments(line);
            assert_eq!(arguments.bucket.as_deref(), Some("b"), "{line}");
            let Command::Loop(Loop { command: LoopCommand::Show(show) }) = arguments.command else { panic!("{line}") };
            assert!(show.json, "{line}");
        }
    }

    #[test]
    fn a_value_may_look_like_anything() {
        let arguments = arguments("run --bucket=a=b --host --quiet --wait=5");
        assert_eq!(arguments.bucket.as_deref(), Some("a=b"));
        assert_eq!((arguments.host.as_deref(), arguments.quiet), (Some("--quiet"), false));
    }

    #[test]
    fn help_and_version_are_texts_wherever_they_stand() {
        for (line, part) in [
            ("-h", "Commands:"),
            ("--help", "Commands:"),
            ("help", "Commands:"),
            ("send -h", "--pulse"),
            ("send -vh", "--pulse"),
            ("run --help", "--wait"),
            ("-V", env!("CARGO_PKG_VERSION")),
            ("send --version", "pulse-echo "),
            ("loop -h", "show"),
            ("loop show -h", "--json"),
            ("-h mute", "--reason"),
        ] {
            let Parsed::Text(text) = parsed(line) else { panic!("{line}") };
            assert!(text.contains(part), "{line}: {text}");
        }
    }

    #[test]
    fn mistakes_are_one_sentence_with_a_hint() {
        for (line, part) in [
            ("", "there is no command"),
            ("sned", "\"sned\" is not a command; did you mean \"send\"?"),
            (
                "frobnicate",
                "the commands are send, check, run, exec, init, doctor, status, outages, mute, unmute, ack, retire, \
                 loop; see",
            ),
            ("loop", "there is no command; the commands are start, stop, tick, test, show; see pulse-echo loop --help"),
            ("loop strat", "\"strat\" is not a command of loop; did you mean \"start\"?"),
            ("loop show --jsno", "see pulse-echo loop show --help"),
            ("loop start now", "now"),
            ("mute web-1 --for 2x", "is not a time such as 90s, 30m, 2h, 1d or 1h30m"),
            ("mute ../x --for 2h", "\"../x\" is no check"),
            ("status --state dwon", "\"dwon\" is not a state; did you mean \"down\"?"),
            ("send --pluse x", "--pluse"),
            ("send --quiet=1", "--quiet takes no value"),
            ("send --bucket", "--bucket needs a value"),
            ("send --timeout-s x", "--timeout-s"),
            ("send extra", "extra"),
        ] {
            let (message, nagios) = wrong(line);
            assert!(message.contains(part) && !message.contains('\n'), "{line}: {message}");
            assert!(!nagios, "{line}");
        }
    }

    #[test]
    fn a_job_is_taken_as_it_is_byte_for_byte() {
        use std::os::unix::ffi::OsStringExt;
        let mut words: Vec<_> =
            ["-q", "exec", "--name=db", "--timeout", "2h", "--", "sh", "--", "-c", "--help"].map(OsString::from).into();
        words.extend([b"\xff\x01\xe9=".to_vec(), "é".into(), Vec::new()].map(OsString::from_vec));
        let job = words[6..].to_vec();
        let Parsed::Arguments(arguments) = parse(words.into_iter()) else { panic!("it is refused") };
        let Command::Exec(exec) = arguments.command else { panic!("{arguments:?}") };
        assert_eq!((exec.name.as_str(), exec.timeout, exec.command), ("db", Some(7_200), job));
        let not_utf_8 = |words: &[&[u8]]| {
            let words = words.iter().map(|word| OsString::from_vec(word.to_vec()));
            matches!(parse(words), Parsed::Wrong { message, .. } if message.contains("not UTF-8"))
        };
        assert!(not_utf_8(&[b"exec", b"--name", b"\xff", b"--", b"true"]));
        assert!(not_utf_8(&[b"send", b"--", b"\xff"]));
    }

    #[test]
    fn a_mistake_in_the_options_of_exec_is_named() {
        for (line, part) in [
            ("exec --name db", "there is no job: write it behind --, as in pulse-echo exec --name backup -- tar"),
            ("exec --name db backup.sh", "there is no job: write it behind --"),
            ("exec -- true", "--name"),
            ("exec --name a/b -- true", "\"a/b\" may not enter a key"),
            ("exec --name db --every 1s -- true", "it may be from 15s to 32d"),
            ("exec --name db --grace 33d -- true", "it may be from 0s to 32d"),
            ("exec --name db --timeout 0s -- true", "it may be from 1s to 366d"),
            ("exec --nmae db -- true", "--nmae"),
        ] {
            let (message, nagios) = wrong(line);
            assert!(message.contains(part) && !message.contains('\n') && !nagios, "{line}: {message}");
        }
        let Parsed::Text(text) = parsed("exec --help") else { panic!("no help") };
        assert!(text.contains("--timeout"), "{text}");
    }

    #[test]
    fn a_mistake_with_check_or_run_is_answered_as_a_plugin_does() {
        assert!(wrong("run --wait soon").1);
        assert!(wrong("check -w soon").1);
    }
}
