//! `pulse-echo-local replay`: the messages that people would have got for a recorded history.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::Stdio;

use pulse_echo_testkit::local::{Ended, Running, program};
use tempfile::TempDir;

/// A night in which a database was away for 25 min, and a host for good.
const NIGHT: &str = "\
time,kind,check,cause,reason,pulse_at
2026-11-21T00:00:00Z,pulse,web-1,,,
2026-11-21T00:00:01Z,echo,web-1,,,
2026-11-21T00:05:00Z,pulse,web-1/db,,,
2026-11-21T00:05:02Z,echo,web-1/db,,,
2026-11-21T00:10:00Z,pulse,web-1,,,
2026-11-21T00:10:01Z,echo,web-1,,,
2026-11-21T00:15:00Z,pulse,web-1/db,,,
2026-11-21T00:15:03Z,fault,web-1/db,connect,\"no connection to db:5432, which refused it\",2026-11-21T00:15:00Z
2026-11-21T00:20:00Z,pulse,web-1,,,
2026-11-21T00:20:01Z,echo,web-1,,,
2026-11-21T00:25:00Z,pulse,web-1/db,,,
2026-11-21T00:25:03Z,fault,web-1/db,connect,\"no connection to db:5432, which refused it\",
2026-11-21T00:35:00Z,pulse,web-1/db,,,
2026-11-21T00:40:02Z,echo,web-1/db,,,
2026-11-21T00:45:00Z,pulse,web-1/db,,,
2026-11-21T00:45:01Z,echo,web-1/db,,,
";

const TOLD: &str = include_str!("golden/replay.txt");

/// Replays this text from stdin.
fn replay(history: impl AsRef<[u8]>, arguments: &[&str]) -> Ended {
    let mut command = program(&["replay", "-"]);
    let mut running = command.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    // It may have closed the pipe already.
    let _ = stdin.write_all(history.as_ref());
    drop(stdin);
    let output = running.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr).trim_end().into() }
}

/// The messages without the summary: how their lines begin, except for the last line of each message.
fn told(history: &str, arguments: &[&str]) -> Vec<String> {
    let ended = replay(history, arguments);
    // A busy machine takes so long that it says how far it is.
    let said: Vec<_> = ended.stderr.lines().filter(|line| !line.contains(" % replayed, at ")).collect();
    assert_eq!((ended.status.code(), said), (Some(0), Vec::new()), "{ended:?}");
    // A headline has the numbers of hosts.
    let is_headline = |line: &str| line.contains(" host: ") || line.contains(" hosts: ");
    let is_head =
        |line: &&str| line.starts_with("  ") && line.contains(": ") && !line.contains("More: ") && !is_headline(line);
    let head = |line: &str| line.trim_start().split_inclusive(' ').take(2).collect::<String>().trim_end().to_owned();
    ended.stdout.lines().filter(is_head).map(head).collect()
}

#[test]
fn each_message_is_shown_as_people_would_have_read_it_at_its_time() {
    let ended = replay(NIGHT, &[]);
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert_eq!(ended.stdout, TOLD);
}

#[test]
fn the_example_in_the_documentation_is_what_is_printed() {
    let page = include_str!("../../docs/replay.md");
    let block = |begins: &str| {
        let from = page.find(&format!("```\n{begins}")).expect("the page has it") + "```\n".len();
        page[from..].split("```").next().unwrap()
    };
    assert_eq!(replay(block("time,kind,"), &[]).stdout, block("2026-11-21T00:11:00Z\n"));
}

#[test]
fn a_history_may_be_written_in_many_ways() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("night.csv");
    fs::write(&file, NIGHT).unwrap();
    let ended = Running::of(program(&["replay"]).arg(&file)).end();
    assert_eq!(ended.stdout, TOLD, "from a file");

    let fields = |line: &str| line.splitn(4, ',').map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<_> = NIGHT.lines().skip(1).map(fields).collect();
    let fault = |rest: &str| {
        let at = |text: &str| format!(", \"pulse_at\": {text:?}");
        let pulse_at = rest.rsplit(',').next().filter(|text| !text.is_empty()).map(at).unwrap_or_default();
        format!(", \"cause\": \"connect\", \"reason\": \"no connection to db:5432, which refused it\"{pulse_at}")
    };
    let object = |row: &Vec<String>| {
        let rest = if row[1] == "fault" { fault(&row[3]) } else { String::new() };
        format!("{{\"time\": {:?}, \"kind\": {:?}, \"check\": {:?}{rest}}}\n", row[0], row[1], row[2])
    };
    assert_eq!(replay(rows.iter().map(object).collect::<String>(), &[]).stdout, TOLD, "JSON lines");

    let mut lines: Vec<_> = NIGHT.lines().skip(1).collect();
    lines.reverse();
    let header = NIGHT.lines().next().unwrap();
    let reversed = format!("\u{feff}{header}\r\n\r\n{}\r\n{}", lines.join("\r\n"), lines.join("\r\n"));
    assert_eq!(replay(reversed, &[]).stdout, TOLD, "in any order, each twice, as a list that was polled has them");

    let unix = |line: &str| match line.split_once(',') {
        Some((time, rest)) => match time.parse::<jiff::Timestamp>() {
            Ok(time) => format!("{}.5,{rest}\n", time.as_second()),
            Err(_) => format!("{line}\n"),
        },
        None => unreachable!("there is a comma"),
    };
    assert_eq!(replay(NIGHT.lines().map(unix).collect::<String>(), &[]).stdout, TOLD, "Unix seconds");
}

#[test]
fn each_limit_changes_what_is_told() {
    let all = ["DOWN: web-1/db", "DOWN: web-1", "UP: web-1/db"];
    assert_eq!(told(NIGHT, &[]), all);
    let db = ["DOWN: web-1/db", "UP: web-1/db"];
    assert_eq!(told(NIGHT, &["--grace-s", "1200"]), db, "the host might still come");
    assert_eq!(told(NIGHT, &["--missed", "3"]), db);
    assert_eq!(told(NIGHT, &["--every-s", "1200", "--grace-s", "0"]), all);
    let late = replay(NIGHT, &["--every-s", "1200", "--grace-s", "0"]).stdout;
    assert!(
        late.contains(
            "\n2026-11-21T00:41:00Z\n  DOWN 1 host: web-1 (silent). UP 1 host: web-1/db.\n  DOWN: web-1 has been silent"
        ),
        "{late}"
    );
    let second = replay(NIGHT, &["--faults-in-row", "2"]).stdout;
    assert!(second.starts_with("2026-11-21T00:26:00Z\n  DOWN: web-1/db"), "{second}");
    assert_eq!(told(NIGHT, &["--faults-in-row", "3"]), ["DOWN: web-1"]);
    assert_eq!(told(NIGHT, &["--tick-s", "900"]), all, "the first at 00:30, when both were known");
    let until = told(NIGHT, &["--until", "2026-11-21T10:00:00Z"]);
    let reminded = told(NIGHT, &["--until", "2026-11-21T10:00:00Z", "--remind-s", "3600"]);
    assert!(until.len() < reminded.len(), "{until:?} {reminded:?}");
    assert_eq!(told(NIGHT, &["--until", "2026-11-21T00:30:00Z"]), ["DOWN: web-1/db"], "what came later is left out");
}

#[test]
fn what_cannot_be_read_is_one_sentence_with_its_line_and_nothing_is_told() {
    let csv = |line: &str| format!("time,kind,check,cause\n1795219200,pulse,web-1,\n{line}\n");
    let cases = [
        (
            String::new(),
            "there is nothing in it; it begins with a header, time,kind,check,cause,reason,pulse_at,for_s, or with a \
             JSON object",
        ),
        (
            "\n\ntime,kind,check\n".into(),
            "nothing happens in it; a line such as 2026-11-21T08:27:27Z,pulse,web-1 must follow",
        ),
        ("\ntime,kind,chekc\n".into(), "line 2: \"chekc\" is not a column; did you mean \"check\"?"),
        (
            "time;kind;check\n".into(),
            "line 1: \"time;kind;check\" is not a column; there are time, kind, check, cause, reason, \
             pulse_at, for_s, with commas between them",
        ),
        ("time,kind\n".into(), "line 1: the column check is missing; time, kind and check are needed"),
        ("time,kind,check,time\n".into(), "line 1: the column time is there twice"),
        (
            csv("1795219200,pulze,web-1,"),
            "line 3: kind: \"pulze\" must be pulse, echo, fault, delete, retire, mute or unmute",
        ),
        (csv("1795219200,mute,web-1,"), "line 3: there is no for_s"),
        (
            "{\"time\": 1, \"kind\": \"mute\", \"check\": \"a\", \"for_s\": \"soon\"}".into(),
            "line 1: for_s: there is no JSON value",
        ),
        (csv("1795219200,pulse,web-1"), "line 3: it has 3 fields, and the header 4; quote a field with a comma in it"),
        (csv("1795219200,pulse,,"), "line 3: there is no check"),
        (csv("1795219200,pulse,../x,"), "line 3: check: \"../x.json\" is no check: it has the segment \"..\""),
        (
            csv("1795219200,fault,web-1,staus"),
            "line 3: cause: the probe gives none that is \"staus\"; leave it empty if it is not known",
        ),
        (
            csv("2026-11-21 08:27:27,echo,web-1,"),
            "line 3: time: \"2026-11-21 08:27:27\" is neither RFC 3339 with a zone, such as \
             2026-11-21T08:27:27Z, nor Unix seconds",
        ),
        (
            csv("1795219200000,echo,web-1,"),
            "line 3: time: 1795219200000 is no time in this world: Unix times are in seconds",
        ),
        ("{\"time\": 1795219200, \"kind\": \"pulse\"}".into(), "line 1: there is no check"),
        ("\n{\"tiem\": 1}".into(), "line 2: \"tiem\" is not a field of a line; did you mean \"time\"?"),
        ("{\"time\": [1]}".into(), "line 1: time: it must be a text, or for a time a number"),
        ("{\"time\": 1}\n{\"time\"".into(), "line 1: there is no kind"),
    ];
    for (history, why) in cases {
        let ended = replay(&history, &[]);
        assert_eq!(ended.stderr, format!("pulse-echo-local: stdin: {why}"), "{history}");
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""), "{history}");
    }
    let ended = replay(b"time,kind,check\n1,pulse,\xff\n", &[]);
    assert_eq!(ended.stderr, "pulse-echo-local: stdin: line 2: it is no UTF-8; save the file as UTF-8");
    let ended = Running::of(&mut program(&["replay", "/nosuch.csv"])).end();
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(ended.stderr, "pulse-echo-local: cannot read /nosuch.csv: No such file or directory");
}

#[test]
fn a_limit_out_of_its_range_is_refused_by_the_rules_of_the_pulse_and_of_the_loop() {
    for (option, value, why) in [
        ("--every-s", "14", "from 15 to 2764800"),
        ("--missed", "0", "from 1 to 100"),
        ("--grace-s", "-1", "unexpected argument"),
        ("--tick-s", "4", "it must be a whole number from 5 to 900"),
        ("--remind-s", "soon", "it must be a whole number from 60 to 2678400"),
        ("--until", "tomorrow", "neither RFC 3339"),
    ] {
        let ended = replay(NIGHT, &[option, value]);
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""), "{option} {value}");
        assert!(ended.stderr.contains(why), "{option} {value}: {}", ended.stderr);
    }
}

#[test]
fn pulses_without_answers_are_replayed_with_a_word_of_warning() {
    let ended = replay("time,kind,check\n0,pulse,web-1\n900,pulse,web-1\n", &[]);
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.contains("neither an echo nor a fault in it"), "{}", ended.stderr);
    assert!(ended.stdout.contains("PROBE IN TROUBLE"), "{}", ended.stdout);
}

#[test]
fn ten_years_of_silence_are_a_reminder_a_day() {
    let told = told("time,kind,check\n0,pulse,web-1\n1,echo,web-1\n", &["--until", "315360000"]);
    assert_eq!(told[0], "DOWN: web-1");
    assert!((3_640..3_660).contains(&told.len()), "one a day: {}", told.len());
}

#[test]
fn a_large_wave_is_a_few_lines() {
    let mut history = String::from("time,kind,check\n");
    for number in 0..2_000 {
        writeln!(history, "0,pulse,web-{number}\n1,echo,web-{number}\n3600,pulse,web-{number}\n3601,echo,web-{number}")
            .unwrap();
    }
    let ended = replay(&history, &[]);
    assert!(ended.stdout.lines().count() < 30, "{}", ended.stdout);
    assert!(ended.stdout.contains("2,000 of 2,000 hosts went down within 15 min"), "{}", ended.stdout);
    assert!(ended.stdout.contains("2000 checks, 2000 outages, "), "{}", ended.stdout);
}

#[test]
fn whoever_does_not_listen_ends_it() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("night.csv");
    fs::write(&file, NIGHT).unwrap();
    let mut command = program(&["replay"]);
    let ended = Running::of(command.arg(&file).stdout(File::create("/dev/full").unwrap())).end();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.starts_with("pulse-echo-local: cannot print the messages: No space left"), "{ended:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Running::of(program(&["replay"]).arg(&file).stdout(writer)).end();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "as with head");
}

#[test]
fn the_history_that_the_loop_would_have_made_is_written_to_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("history.json");
    let ended = replay(NIGHT, &["--history", file.to_str().unwrap()]);
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let history = pulse_echo_core::history::History::from_json(&fs::read(file).unwrap()).unwrap();
    assert_eq!(history.since.to_string(), "2026-11-21T00:00:00Z");
    // web-1 is silent until the end, so that is not over.
    let [(check, past)] = &history.checks.iter().collect::<Vec<_>>()[..] else { panic!("{history:?}") };
    let [outage] = &past.outages[..] else { panic!("{past:?}") };
    let times = (outage.from.to_string(), outage.until.to_string());
    assert_eq!(
        (check.as_str(), times.0.as_str(), times.1.as_str()),
        ("web-1/db.json", "2026-11-21T00:15:03Z", "2026-11-21T00:40:02Z")
    );
    assert_eq!(past.since.to_string(), "2026-11-21T00:05:00Z");
    assert_eq!(outage.why(), "failing (connect): no connection to db:5432, which refused it");
    let ended = replay(NIGHT, &["--history", "/nowhere/history.json"]);
    assert!(ended.status.code() == Some(1) && ended.stderr.contains("cannot write /nowhere/history.json"), "{ended:?}");
}
