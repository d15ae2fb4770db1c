//! A Nagios plugin's answer: one line with performance data, then a sentence for each outcome, and the exit code. All
//! of it is on stdout: some that call plugins read stderr, too, and before it.

use std::fmt::Write;

use pulse_echo_core::text::{cut, printable};

use crate::exit::Exit;
use crate::outcome::{Figure, Outcome, Severity, Subject, safe, worst};
use crate::output::print;

/// The plugin rules' limit: the line is shorter than this before the `|`.
const LINE_LIMIT: usize = 80;

/// The room that a text gets beside the names in it, however long the names are.
const LEAST_TEXT: usize = 40;

/// How many bytes of a plugin's output Nagios keeps, less one for the end.
const OUTPUT_LIMIT: usize = 8 * 1024 - 1;

/// How much performance data there is at most, in bytes: half of the output.
const PERFDATA_LIMIT: usize = OUTPUT_LIMIT / 2;

/// The room for the last line, which says that there is more.
const MORE_LIMIT: usize = 60;

/// Prints the outcomes as a plugin does. The exit code is for the worst outcome. With `is_quiet` nothing is printed
/// while all is well.
pub fn answer(outcomes: &[Outcome], is_quiet: bool) -> Exit {
    if !is_quiet || worst(outcomes) != Severity::Ok {
        print(&output(outcomes));
    }
    worst(outcomes).exit()
}

/// The line, and below it whatever the line leaves out, the worst first.
fn output(outcomes: &[Outcome]) -> String {
    let mut output = line(outcomes);
    let is_whole = outcomes.iter().all(|outcome| output.contains(&safe(&outcome.text)));
    let says_more =
        |outcome: &Outcome| outcome.remedy.is_some() && (outcome.severity != Severity::Ok || outcome.text.is_empty());
    if is_whole && !outcomes.iter().any(says_more) {
        return output;
    }
    let sentences: Vec<_> = by_severity(outcomes)
        .into_iter()
        .map(|outcome| (outcome.severity.word(), outcome.sentence()))
        .filter(|(_, sentence)| !sentence.is_empty())
        .collect();
    for (at, (word, sentence)) in sentences.iter().enumerate() {
        if output.len() + word.len() + sentence.len() + 3 + MORE_LIMIT > OUTPUT_LIMIT {
            let _ = write!(output, "\n… and {} more", sentences.len() - at);
            break;
        }
        let _ = write!(output, "\n{word}: {sentence}");
    }
    output
}

fn by_severity(outcomes: &[Outcome]) -> Vec<&Outcome> {
    let mut all: Vec<_> = outcomes.iter().collect();
    all.sort_by_key(|outcome| outcome.severity);
    all
}

/// Reports that the check could not be made, and why.
pub fn unknown(message: &str) -> Exit {
    answer(&[Outcome::new(Subject::Run, Severity::Unknown, message)], false)
}

/// One line for all outcomes, the worst first: `ECHO OK - text - text | perfdata`. If not all texts fit, it shows the
/// worst and counts the others. Between texts is no semicolon: Nagios makes colons of them.
pub fn line(outcomes: &[Outcome]) -> String {
    let head = format!("ECHO {} - ", worst(outcomes).word());
    let room = LINE_LIMIT - 1 - head.len();
    let by_severity: Vec<_> = by_severity(outcomes).into_iter().filter(|outcome| !outcome.text.is_empty()).collect();
    let texts: Vec<_> = by_severity.iter().map(|outcome| safe(&outcome.text)).collect();
    let mut text = texts.join(" - ");
    if let ([first, others @ ..], true) = (by_severity.as_slice(), text.chars().count() > room) {
        let others = count(others);
        let name = match &first.subject {
            Subject::Check(id) => id.to_string().chars().count(),
            Subject::Loop | Subject::Clock | Subject::Run => 0,
        };
        let room = room.saturating_sub(others.chars().count()).max(name + LEAST_TEXT);
        text = format!("{}{others}", cut(&texts[0], room));
    }
    let perfdata = all_perfdata(outcomes);
    if perfdata.is_empty() { head + &text } else { format!("{head}{text} | {}", perfdata.join(" ")) }
}

/// The figures of as many checks as there is room for, and all others.
fn all_perfdata(outcomes: &[Outcome]) -> Vec<String> {
    let (mut all, mut room) = (Vec::new(), PERFDATA_LIMIT);
    for outcome in outcomes {
        let figures: Vec<_> = outcome.figures.iter().map(|figure| perfdata(figure, &outcome.subject)).collect();
        let length = figures.iter().map(|figure| figure.len() + 1).sum();
        let is_check = matches!(outcome.subject, Subject::Check(_));
        if is_check {
            // A check's figures are all there or none: a graph with holes misleads.
            let Some(left) = room.checked_sub(length) else { continue };
            room = left;
        }
        all.extend(figures);
    }
    all
}

/// ` (also 1 WARNING, 2 OK)`
fn count(others: &[&Outcome]) -> String {
    let of_one_severity = others.chunk_by(|one, next| one.severity == next.severity);
    let counts: Vec<_> = of_one_severity.map(|some| format!("{} {}", some.len(), some[0].severity.word())).collect();
    if counts.is_empty() { String::new() } else { format!(" (also {})", counts.join(", ")) }
}

/// A figure as performance data: `label=value[UOM];[warn];[crit];[min]`. Limits count from 0, so this does not show on
/// which side a clock is off.
fn perfdata(figure: &Figure, subject: &Subject) -> String {
    // The label depends only on the check, so that a graph goes on when another check is added.
    let check = match subject {
        Subject::Check(id) => id.to_string().split_once('/').map(|(_, check)| format!("_{check}")),
        Subject::Loop | Subject::Clock | Subject::Run => None,
    };
    let (name, check, seconds, digits) =
        (figure.of.name(), check.unwrap_or_default(), figure.seconds.abs(), figure.digits);
    let limits = match (figure.warning, figure.critical) {
        (Some(warning), Some(critical)) => format!(";{warning};{critical};0"),
        (Some(warning), None) => format!(";{warning}"),
        (None, _) => String::new(),
    };
    let label = quoted(&format!("{name}{check}"));
    format!("{label}={seconds:.digits$}s{limits}")
}

/// A label as the plugin rules want it: no `=` and no quote in it, and in quotes if it has more than a word. A key that
/// was put by hand may have any of them, and `|` and `;`, which end what some programs read.
fn quoted(label: &str) -> String {
    let label: String = label.chars().map(|c| if matches!(c, '=' | '\'' | '|' | ';') { '_' } else { c }).collect();
    let is_word = label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
    if is_word { label } else { format!("'{}'", printable(&label)) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pulse_echo_core::name::CheckId;

    use super::*;
    use crate::outcome::Measure;

    fn check(id: &str) -> Subject {
        Subject::Check(CheckId::from_pulse_key(&format!("pulse/{id}.json")).unwrap())
    }

    fn is(severity: Severity, id: &str, text: &str) -> Outcome {
        Outcome::new(check(id), severity, format!("{id}: {text}"))
    }

    fn before_perfdata(line: &str) -> usize {
        line.split(" | ").next().unwrap().chars().count()
    }

    #[test]
    fn the_line_of_the_contract() {
        let age = Figure { digits: 0, warning: Some(900.0), critical: Some(1500.0), ..seconds(Measure::Age, 212.0) };
        let outcome = Outcome {
            figures: vec![age, seconds(Measure::Rtt, 0.041), seconds(Measure::Probe, 0.084)],
            ..Outcome::new(check("web-1"), Severity::Ok, "web-1 answered 212 s ago in 84 ms")
        };
        let skew = Figure { digits: 1, warning: Some(60.0), ..seconds(Measure::Skew, 0.3) };
        let clock = Outcome { figures: vec![skew], ..Outcome::new(Subject::Clock, Severity::Ok, "") };
        assert_eq!(
            line(&[outcome, clock]),
            "ECHO OK - web-1 answered 212 s ago in 84 ms | age=212s;900;1500;0 rtt=0.041s probe=0.084s skew=0.3s;60"
        );
    }

    fn seconds(of: Measure, seconds: f64) -> Figure {
        Figure { seconds, ..Figure::duration(of, Duration::ZERO) }
    }

    #[test]
    fn a_label_depends_on_its_check_alone_and_a_clock_behind_is_as_far_off_as_one_ahead() {
        let db = Figure::duration(Measure::Rtt, Duration::from_millis(5));
        assert_eq!(perfdata(&db, &check("web-1/db")), "rtt_db=0.005s");
        assert_eq!(perfdata(&db, &check("web-1")), "rtt=0.005s");
        assert_eq!(perfdata(&seconds(Measure::Skew, -75.0), &Subject::Clock), "skew=75.000s");
    }

    #[test]
    fn a_label_of_a_key_that_was_put_by_hand_is_one_that_plugins_may_have() {
        let rtt = Figure::duration(Measure::Rtt, Duration::from_millis(5));
        for (id, label) in [
            ("web-1/my check", "'rtt_my check'"),
            ("web-1/it's=me", "rtt_it_s_me"),
            ("web-1/a|b;c", "rtt_a_b_c"),
            ("web-1/grün", "'rtt_grün'"),
            ("web-1/a/b.c_d-e", "rtt_a/b.c_d-e"),
        ] {
            assert_eq!(perfdata(&rtt, &check(id)), format!("{label}=0.005s"));
        }
    }

    #[test]
    fn the_number_of_a_systems_error_is_not_in_a_line_that_is_cut() {
        let text = "cannot write /var/lib/node_exporter/x.prom: No space left on device (os error 28)";
        let line = line(&[Outcome::new(Subject::Run, Severity::Unknown, text)]);
        assert!(line.ends_with("No space left…") || !line.contains("(os"), "{line}");
        let short = super::line(&[Outcome::new(
            Subject::Run,
            Severity::Unknown,
            "cannot write x.prom: Is a directory (os error 21)",
        )]);
        assert_eq!(short, "ECHO UNKNOWN - cannot write x.prom: Is a directory");
    }

    #[test]
    fn the_worst_comes_first_and_decides() {
        let outcomes = [
            is(Severity::Ok, "a", "fine"),
            is(Severity::Unknown, "b", "who knows"),
            is(Severity::Critical, "c", "down"),
            is(Severity::Warning, "d", "late"),
            Outcome::new(Subject::Loop, Severity::Ok, ""),
        ];
        assert_eq!(line(&outcomes), "ECHO CRITICAL - c: down - d: late - b: who knows - a: fine");
        for (end, severity) in [(1, Severity::Ok), (2, Severity::Unknown), (3, Severity::Critical)] {
            assert_eq!(worst(&outcomes[..end]), severity);
        }
        assert_eq!(worst(&[]), Severity::Ok);
    }

    #[test]
    fn where_not_all_fit_the_worst_stands_for_all_below_80_characters() {
        let mut outcomes: Vec<_> =
            (0..9).map(|n| is(Severity::Ok, &format!("web-1/{n}"), "is as it should be")).collect();
        outcomes.push(is(Severity::Critical, "web-1/db", "status 500, expected 200"));
        outcomes.push(is(Severity::Warning, "web-1/x", "late"));
        assert_eq!(line(&outcomes), "ECHO CRITICAL - web-1/db: status 500, expected 200 (also 1 WARNING, 9 OK)");

        let long = [is(Severity::Critical, "web-1", &"because ".repeat(30)), is(Severity::Ok, "web-2", "")];
        let cut = line(&long);
        assert!(cut.ends_with("… (also 1 OK)"), "{cut}");
        assert_eq!(before_perfdata(&cut), LINE_LIMIT - 1);
    }

    #[test]
    fn a_text_of_79_fits_and_one_of_80_is_cut() {
        let head = "ECHO UNKNOWN - ".len();
        for (length, is_whole) in [(79 - head, true), (80 - head, false)] {
            let text = "x".repeat(length);
            let line = line(&[Outcome::new(Subject::Run, Severity::Unknown, &text)]);
            assert_eq!((before_perfdata(&line), line.ends_with(&text)), (79, is_whole), "{line}");
        }
    }

    #[test]
    fn a_name_is_never_cut_and_leaves_room_for_what_is_said_of_it() {
        let name = "x".repeat(100);
        let line = line(&[is(Severity::Critical, &name, "status 500, expected 200")]);
        assert_eq!(line, format!("ECHO CRITICAL - {name}: status 500, expected 200"));
    }

    #[test]
    fn below_the_line_is_each_sentence_whole_if_there_is_more_to_say_than_the_line_has() {
        let down = is(Severity::Critical, "web-1/db", &"because ".repeat(30)).remedy("mend it");
        let outcomes = [is(Severity::Ok, "web-1", "fine"), down, Outcome::note("only web-1 was looked at")];
        let output = output(&outcomes);
        let lines: Vec<_> = output.lines().collect();
        assert!(lines[0].starts_with("ECHO CRITICAL - web-1/db: because") && lines.len() == 4, "{output}");
        assert_eq!(lines[1], format!("CRITICAL: web-1/db: {}; mend it", "because ".repeat(30)));
        assert_eq!(lines[2..], ["OK: web-1: fine", "OK: only web-1 was looked at"]);
        let mended =
            [is(Severity::Ok, "web-1", "fine"), is(Severity::Ok, "the loop", "none").remedy("is it deployed?")];
        assert_eq!(super::output(&mended), "ECHO OK - web-1: fine - the loop: none");
    }

    #[test]
    fn what_nagios_does_not_keep_is_not_written_and_the_clock_always_has_its_figure() {
        let of_check = |n: usize| Outcome {
            figures: vec![seconds(Measure::Age, 1.0), seconds(Measure::Rtt, 1.0), seconds(Measure::Probe, 1.0)],
            ..is(Severity::Critical, &format!("web-1/check-{n}"), "status 500").remedy("look at it")
        };
        let mut outcomes: Vec<_> = (0..300).map(of_check).collect();
        outcomes.push(Outcome {
            figures: vec![seconds(Measure::Skew, 0.5)],
            ..Outcome::new(Subject::Clock, Severity::Ok, "")
        });
        let output = output(&outcomes);
        assert!(output.len() > 6_000 && output.len() <= OUTPUT_LIMIT, "{}", output.len());
        let first = output.lines().next().unwrap();
        assert!(first.len() < 5_000 && first.ends_with(" skew=0.500s") && first.contains(" age_check-9="), "{first}");
        assert_eq!(first.matches("age_").count(), first.matches("probe_").count());
        let more = output.lines().last().unwrap();
        let listed = output.lines().count() - 2;
        assert_eq!(more, format!("… and {} more", 300 - listed));
    }

    #[test]
    fn a_strangers_words_cannot_end_the_line_or_begin_the_performance_data() {
        let line = line(&[is(Severity::Critical, "a", "x | y=1\nOK\u{1b}[2J")]);
        assert_eq!(line, "ECHO CRITICAL - a: x ¦ y=1OK[2J");
    }
}
