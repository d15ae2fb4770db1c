//! The command line. `argh` reads it; before that it is put into the one form that argh knows: `--opt value`, options
//! of the whole program in front of the command.

// What looks like documentation here is the help that people read, where backticks would only be in the way.
#![allow(clippy::doc_markdown)]

use std::ffi::OsString;

use argh::{ArgsInfo, CommandInfoWithArgs, EarlyExit, FlagInfo, FlagInfoKind, FromArgs};

use crate::json::nearest;

/// pulse-echo: know that your servers are alive. Each host sends a pulse to S3; a Lambda answers it with an echo, or
/// with a fault that says what is wrong.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    note = "Settings come from the option, else from the environment, else from the configuration file, else from \
            the default. The options above go with every command.",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1 --url https://example.com/health --body ok",
    example = "pulse-echo run",
    error_code(0, "done (check, run: OK)"),
    error_code(1, "not done (check, run: WARNING)"),
    error_code(2, "wrong usage or configuration (check, run: CRITICAL)"),
    error_code(3, "check, run: UNKNOWN: could not be told, wrong usage or configuration")
)]
pub struct Arguments {
    /// configuration file (PULSE_ECHO_CONFIG; default /etc/pulse-echo/config.json); the pulses lie beside it
    #[argh(option, arg_name = "file")]
    pub config: Option<String>,
    /// bucket that is the store (PULSE_ECHO_BUCKET)
    #[argh(option)]
    pub bucket: Option<String>,
    /// name of this host (PULSE_ECHO_HOST; default: the machine's hostname)
    #[argh(option)]
    pub host: Option<String>,
    /// region of the bucket (AWS_REGION, AWS_DEFAULT_REGION, the profile's)
    #[argh(option)]
    pub region: Option<String>,
    /// address of an S3 service other than AWS's (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)
    #[argh(option, arg_name = "url")]
    pub endpoint: Option<String>,
    /// name the bucket in the path, not in the host's name (default for another service than AWS's)
    #[argh(switch)]
    pub path_style: bool,
    /// profile in the AWS credentials and config files (AWS_PROFILE; default: default)
    #[argh(option)]
    pub profile: Option<String>,
    /// PEM file with a private CA to trust beside the public ones (AWS_CA_BUNDLE)
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<String>,
    /// seconds for all requests together (default 60)
    #[argh(option, arg_name = "seconds")]
    pub timeout_s: Option<u32>,
    /// say nothing on success
    #[argh(switch, short = 'q')]
    pub quiet: bool,
    /// say what is being done
    #[argh(switch, short = 'v')]
    pub verbose: bool,
    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand)]
pub enum Command {
    /// `send`
    Send(Send),
    /// `check`
    Check(Check),
    /// `run`
    Run(Run),
    /// `init`
    Init(Init),
    /// `doctor`
    Doctor(Doctor),
}

/// Upload this host's pulses: what cron runs.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "send",
    error_code(0, "all pulses sent"),
    error_code(1, "a pulse could not be sent"),
    error_code(2, "wrong usage or configuration, or a pulse file that is refused")
)]
pub struct Send {
    /// send just this pulse file (default: pulse.json and pulses.d/*.json beside the configuration)
    #[argh(option, arg_name = "file")]
    pub pulse: Option<String>,
    /// with --pulse: the name of the check (default: the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// first wait up to so many seconds; how many is this host's own, the same each time (default 0)
    #[argh(option, arg_name = "seconds", default = "0")]
    pub splay: u32,
}

/// Is the newest echo fresh, and is the loop alive? For people, and a plugin for Nagios, Icinga, Sensu.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "check",
    note = "Age is that of the pulse that was answered last. With --host, any machine's check can be looked at.",
    example = "pulse-echo check",
    example = "pulse-echo check --host web-7 --name db -w 900 -c 1500",
    error_code(0, "OK: answered, and fresh"),
    error_code(1, "WARNING: older than -w, the loop stands still, another machine of this name, or the clock is off"),
    error_code(2, "CRITICAL: a fault, older than -c, or a pulse of over 5 minutes without an answer"),
    error_code(3, "UNKNOWN: no pulse, no answer yet, or could not be asked")
)]
pub struct Check {
    /// look at this check only (default: all that have a pulse here, else the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// seconds of age beyond which it is a WARNING (default: the pulse's limit, every_s × missed + grace_s)
    #[argh(option, short = 'w', arg_name = "seconds")]
    pub warning: Option<u32>,
    /// seconds of age beyond which it is CRITICAL (default: the pulse's limit + every_s)
    #[argh(option, short = 'c', arg_name = "seconds")]
    pub critical: Option<u32>,
    /// print JSON in place of the line
    #[argh(switch)]
    pub json: bool,
    /// also write metrics to this file, for the textfile collector of Prometheus's node_exporter
    #[argh(option, arg_name = "file")]
    pub prom: Option<String>,
}

/// Send, then wait for the answer to this very pulse and show it: the whole chain, once.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "run",
    error_code(0, "OK: an echo"),
    error_code(2, "CRITICAL: a fault"),
    error_code(3, "UNKNOWN: no answer in time, or could not be asked")
)]
pub struct Run {
    /// send just this pulse file (default: pulse.json and pulses.d/*.json beside the configuration)
    #[argh(option, arg_name = "file")]
    pub pulse: Option<String>,
    /// with --pulse: the name of the check (default: the host's own check)
    #[argh(option, arg_name = "check")]
    pub name: Option<String>,
    /// how many seconds to wait for the answer (default 120)
    #[argh(option, arg_name = "seconds", default = "120")]
    pub wait: u32,
}

/// Write config.json and pulse.json, then say what doctor says.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "init",
    note = "The options of the whole program that are given (--bucket, --region, --endpoint, --host …) are what is \
            written. Files that are there are never overwritten.",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1",
    example = "pulse-echo init --bucket my-pulses --region eu-central-1 --url https://example.com/health --body ok",
    error_code(0, "written, whatever doctor then says"),
    error_code(1, "not written"),
    error_code(2, "wrong usage")
)]
pub struct Init {
    /// address that the probe is to fetch (default: none, the pulse is a bare sign of life)
    #[argh(option)]
    pub url: Option<String>,
    /// with --url: exactly what the answer must be
    #[argh(option, arg_name = "text")]
    pub body: Option<String>,
    /// with --url: text that the answer must contain
    #[argh(option, arg_name = "text")]
    pub contains: Option<String>,
}

/// Walk through configuration, credentials, clock, name, connection, rights and the loop; of what is wrong say how to
/// mend it. Nothing in the store is changed.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "doctor",
    error_code(0, "all is well"),
    error_code(1, "something is wrong"),
    error_code(2, "wrong usage")
)]
pub struct Doctor {}

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

/// Reads the arguments, without the program's own name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Parsed {
    let arguments = arguments.map(OsString::into_string).collect::<Result<Vec<_>, _>>();
    let Ok(arguments) = arguments else {
        return Parsed::Wrong { message: "an argument is not UTF-8".into(), nagios: false };
    };
    let Ordered { global, command, rest, wrong, version } = order(&arguments);
    let nagios = command.as_deref().is_some_and(|command| NAGIOS.contains(&command));
    if version {
        return Parsed::Text(concat!("pulse-echo ", env!("CARGO_PKG_VERSION")).into());
    }
    if let Some(message) = wrong {
        return Parsed::Wrong { message, nagios };
    }
    let ordered: Vec<&str> = global.iter().chain(&command).chain(&rest).map(String::as_str).collect();
    match Arguments::from_args(&["pulse-echo"], &ordered) {
        Ok(arguments) => Parsed::Arguments(Box::new(arguments)),
        Err(EarlyExit { output, status: Ok(()) }) => Parsed::Text(output),
        Err(EarlyExit { output, status: Err(()) }) => {
            let see = command.map_or_else(String::new, |command| format!(" {command}"));
            let what = output.split_whitespace().collect::<Vec<_>>().join(" ");
            Parsed::Wrong { message: format!("{}; see pulse-echo{see} --help", what.trim_end_matches('.')), nagios }
        }
    }
}

/// The arguments in argh's order.
#[derive(Debug, Default, PartialEq)]
struct Ordered {
    global: Vec<String>,
    command: Option<String>,
    rest: Vec<String>,
    wrong: Option<String>,
    version: bool,
}

/// Splits `--opt=value`, spells `-h` out and brings the options of the whole program to the front.
fn order(arguments: &[String]) -> Ordered {
    let program = Arguments::get_args_info();
    let mut ordered = Ordered::default();
    let mut left = arguments.iter().map(String::as_str);
    while let Some(argument) = left.next() {
        let known = ordered.command.as_deref().and_then(|name| find_command(&program, name));
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ => (argument, None),
        };
        let is_flag = |flag: &&FlagInfo| flag.long == option || is_short(flag, option);
        let of_command = known.and_then(|command| command.flags.iter().find(is_flag));
        let of_program = program.flags.iter().find(is_flag);
        match (option, of_command.or(of_program)) {
            ("-h" | "--help", _) => ordered.rest.push("--help".into()),
            ("-V" | "--version", _) => ordered.version = true,
            ("--", _) => ordered.rest.extend(std::iter::once("--").chain(left.by_ref()).map(String::from)),
            (_, Some(flag)) => {
                let place = if of_command.is_some() { &mut ordered.rest } else { &mut ordered.global };
                place.push(flag.long.into());
                match (&flag.kind, value) {
                    (FlagInfoKind::Switch, None) => {}
                    (FlagInfoKind::Switch, Some(_)) => ordered.wrong = Some(format!("{option} takes no value")),
                    (FlagInfoKind::Option { .. }, value) => match value.or_else(|| left.next()) {
                        Some(value) => place.push(value.into()),
                        None => ordered.wrong = Some(format!("{option} needs a value")),
                    },
                }
            }
            (_, None) if ordered.command.is_none() && !option.starts_with('-') => {
                ordered.command = Some(option.into());
                if find_command(&program, option).is_none() {
                    ordered.wrong = Some(unknown_command(&program, option));
                }
            }
            (_, None) => ordered.rest.push(argument.into()),
        }
    }
    if ordered.command.is_none() && !ordered.rest.contains(&"--help".into()) {
        ordered.wrong.get_or_insert_with(|| format!("there is no command; {}", commands(&program)));
    }
    ordered
}

fn is_short(flag: &FlagInfo, option: &str) -> bool {
    flag.short.is_some_and(|short| option.strip_prefix('-').is_some_and(|letter| letter.chars().eq([short])))
}

fn find_command<'a>(program: &'a CommandInfoWithArgs, name: &str) -> Option<&'a CommandInfoWithArgs> {
    program.commands.iter().find(|command| command.name == name).map(|command| &command.command)
}

fn unknown_command(program: &CommandInfoWithArgs, name: &str) -> String {
    match nearest(name, program.commands.iter().map(|command| command.name)) {
        Some(near) => format!("{name:?} is not a command; did you mean {near:?}?"),
        None => format!("{name:?} is not a command; {}", commands(program)),
    }
}

fn commands(program: &CommandInfoWithArgs) -> String {
    let names: Vec<_> = program.commands.iter().map(|command| command.name).collect();
    format!("the commands are {}; see pulse-echo --help", names.join(", "))
}

#[cfg(test)]
mod tests {
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
            ("send -h", "--pulse"),
            ("run --help", "--wait"),
            ("-V", env!("CARGO_PKG_VERSION")),
            ("send --version", "pulse-echo "),
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
            ("frobnicate", "the commands are send, check, run, init, doctor"),
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
    fn a_mistake_with_check_or_run_is_answered_as_a_plugin_does() {
        assert!(wrong("run --wait soon").1);
        assert!(wrong("check -w soon").1);
    }
}
