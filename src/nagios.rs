//! A Nagios plugin's answer: how bad it is, one line, performance data.
//!
//! What is found is a list of [`Outcome`]s; the worst decides. The line, `--json` and `--prom` are three ways to show the
//! same list.

use std::time::Duration;

use super::exit::Exit;
use super::{complain, print, printable};
use pulse_echo_core::name::CheckId;

/// The plugin rules: the line is shorter than this before the `|`.
const LINE_LIMIT: usize = 80;

/// What a text may have beside the names in it, however long these are.
const LEAST_TEXT: usize = 40;

/// How bad a thing is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is down, or seems so.
    Critical,
    /// Something wants looking after.
    Warning,
    /// It could not be told.
    Unknown,
    /// All is well.
    Ok,
}

impl Severity {
    /// The plugin rules' word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
        }
    }

    /// The exit code that says so.
    pub fn exit(self) -> Exit {
        match self {
            Self::Critical => Exit::Critical,
            Self::Warning => Exit::Warning,
            Self::Unknown => Exit::Unknown,
            Self::Ok => Exit::Ok,
        }
    }
}

/// What an outcome is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A check.
    Check(CheckId),
    /// The fleet's loop.
    Loop,
    /// This machine's clock.
    Clock,
    /// This run of the agent: a file that is refused, say.
    Run,
}

/// What came of looking at one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was looked at.
    pub subject: Subject,
    /// How bad it is.
    pub severity: Severity,
    /// What there is to say, one clause; empty if nothing.
    pub text: String,
    /// What to do about it, if anything is to be done.
    pub remedy: Option<String>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// One without remedy and figures.
    pub fn new(subject: Subject, severity: Severity, text: impl Into<String>) -> Self {
        Self { subject, severity, text: text.into(), remedy: None, figures: Vec::new() }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The text, then what to do about it, with nothing in it that could write to the terminal.
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(remedy) => safe(&format!("{}; {remedy}", self.text)),
            None => safe(&self.text),
        }
    }
}

/// A time that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What it is called.
    pub name: &'static str,
    /// How long it is, in seconds.
    pub seconds: f64,
    /// How many digits behind the point are known, up to 3.
    pub digits: usize,
    /// Beyond how many seconds it is a WARNING.
    pub warning: Option<f64>,
    /// Beyond how many seconds it is CRITICAL.
    pub critical: Option<f64>,
}

impl Figure {
    /// A duration, to the millisecond.
    pub fn duration(name: &'static str, duration: Duration) -> Self {
        Self { name, seconds: duration.as_secs_f64(), digits: 3, warning: None, critical: None }
    }

    /// The seconds as far as they are known.
    pub fn rounded(&self) -> f64 {
        let scale = [1.0, 10.0, 100.0, 1000.0][self.digits];
        (self.seconds * scale).round() / scale
    }

    /// As performance data: `label=value[UOM];[warn];[crit];[min]`. Limits count from 0, so which side a clock is off
    /// does not show here.
    fn perfdata(&self, subject: &Subject) -> String {
        // The label depends on nothing but the check, so that a graph goes on when another check is added.
        let check = match subject {
            Subject::Check(id) => id.to_string().split_once('/').map(|(_, check)| format!("_{check}")),
            Subject::Loop | Subject::Clock | Subject::Run => None,
        };
        let (name, check, seconds, digits) = (self.name, check.unwrap_or_default(), self.seconds.abs(), self.digits);
        let limits = match (self.warning, self.critical) {
            (Some(warning), Some(critical)) => format!(";{warning};{critical};0"),
            (Some(warning), None) => format!(";{warning}"),
            (None, _) => String::new(),
        };
        format!("{name}{check}={seconds:.digits$}s{limits}")
    }
}

/// Shows the outcomes as one line, and on stderr what to do about them; the exit code says how bad the worst is. With
/// `is_quiet` there is no line where all is well.
pub fn answer(outcomes: &[Outcome], is_quiet: bool) -> Exit {
    if !is_quiet || worst(outcomes) != Severity::Ok {
        print(&line(outcomes));
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.severity != Severity::Ok) {
        complain(&outcome.sentence());
    }
    worst(outcomes).exit()
}

/// Says that it could not be asked at all, and why.
pub fn unknown(message: &str) -> Exit {
    answer(&[Outcome::new(Subject::Run, Severity::Unknown, message)], false)
}

/// How bad the worst is.
pub fn worst(outcomes: &[Outcome]) -> Severity {
    outcomes.iter().map(|outcome| outcome.severity).min().unwrap_or(Severity::Ok)
}

/// One line for all, the worst first: `ECHO OK - text; text | perfdata`. Where not all texts fit, the worst stands for
/// all, and of the others it says how many there are.
pub fn line(outcomes: &[Outcome]) -> String {
    let head = format!("ECHO {} - ", worst(outcomes).word());
    let room = LINE_LIMIT - 1 - head.len();
    let mut by_severity: Vec<_> = outcomes.iter().filter(|outcome| !outcome.text.is_empty()).collect();
    by_severity.sort_by_key(|outcome| outcome.severity);
    let texts: Vec<_> = by_severity.iter().map(|outcome| safe(&outcome.text)).collect();
    let mut text = texts.join("; ");
    if let ([first, others @ ..], true) = (by_severity.as_slice(), text.chars().count() > room) {
        let others = count(others);
        let name = match &first.subject {
            Subject::Check(id) => id.to_string().chars().count(),
            Subject::Loop | Subject::Clock | Subject::Run => 0,
        };
        let room = room.saturating_sub(others.chars().count()).max(name + LEAST_TEXT);
        text = format!("{}{others}", cut(&texts[0], room));
    }
    let figures = outcomes.iter().flat_map(|outcome| {
        let subject = &outcome.subject;
        outcome.figures.iter().map(move |figure| figure.perfdata(subject))
    });
    let perfdata: Vec<_> = figures.collect();
    if perfdata.is_empty() { head + &text } else { format!("{head}{text} | {}", perfdata.join(" ")) }
}

/// `; also 1 WARNING, 2 OK`
fn count(others: &[&Outcome]) -> String {
    let of_one_severity = others.chunk_by(|one, next| one.severity == next.severity);
    let counts: Vec<_> = of_one_severity.map(|some| format!("{} {}", some.len(), some[0].severity.word())).collect();
    if counts.is_empty() { String::new() } else { format!("; also {}", counts.join(", ")) }
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    let beginning: String = text.chars().take(room - 1).collect();
    format!("{}…", beginning.trim_end())
}

/// Text for the line: a probe's words may come from a stranger, so nothing in them may write to the terminal, end the
/// line or begin the performance data.
fn safe(text: &str) -> String {
    printable(&text.replace('|', "¦"))
}

/// A time as people say it, in the largest unit that has at least two digits: `212 s`, `26 min`, `30 h`, `12 d`.
pub fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..1_000 => format!("{s} s"),
        s @ 1_000..36_000 => format!("{} min", s / 60),
        s @ 36_000..864_000 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let age = Figure { digits: 0, warning: Some(900.0), critical: Some(1500.0), ..seconds("age", 212.0) };
        let outcome = Outcome {
            figures: vec![age, seconds("rtt", 0.041), seconds("probe", 0.084)],
            ..Outcome::new(check("web-1"), Severity::Ok, "web-1 answered 212 s ago in 84 ms")
        };
        let skew = Figure { digits: 1, warning: Some(60.0), ..seconds("skew", 0.3) };
        let clock = Outcome { figures: vec![skew], ..Outcome::new(Subject::Clock, Severity::Ok, "") };
        assert_eq!(
            line(&[outcome, clock]),
            "ECHO OK - web-1 answered 212 s ago in 84 ms | age=212s;900;1500;0 rtt=0.041s probe=0.084s skew=0.3s;60"
        );
    }

    fn seconds(name: &'static str, seconds: f64) -> Figure {
        Figure { seconds, ..Figure::duration(name, Duration::ZERO) }
    }

    #[test]
    fn a_label_depends_on_its_check_alone_and_a_clock_behind_is_as_far_off_as_one_ahead() {
        let db = Figure::duration("rtt", Duration::from_millis(5));
        assert_eq!(db.perfdata(&check("web-1/db")), "rtt_db=0.005s");
        assert_eq!(db.perfdata(&check("web-1")), "rtt=0.005s");
        assert_eq!(seconds("skew", -75.0).perfdata(&Subject::Clock), "skew=75.000s");
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
        assert_eq!(line(&outcomes), "ECHO CRITICAL - c: down; d: late; b: who knows; a: fine");
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
        assert_eq!(line(&outcomes), "ECHO CRITICAL - web-1/db: status 500, expected 200; also 1 WARNING, 9 OK");

        let long = [is(Severity::Critical, "web-1", &"because ".repeat(30)), is(Severity::Ok, "web-2", "")];
        let cut = line(&long);
        assert!(cut.ends_with("…; also 1 OK"), "{cut}");
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
    fn a_strangers_words_cannot_end_the_line_or_begin_the_performance_data() {
        let line = line(&[is(Severity::Critical, "a", "x | y=1\nOK\u{1b}[2J")]);
        assert_eq!(line, "ECHO CRITICAL - a: x ¦ y=1OK[2J");
    }

    #[test]
    fn times_are_said_in_two_digits_or_more() {
        for (s, text) in [
            (0, "0 s"),
            (999, "999 s"),
            (1_000, "16 min"),
            (35_999, "599 min"),
            (36_000, "10 h"),
            (863_999, "239 h"),
            (864_000, "10 d"),
        ] {
            assert_eq!(spoken(Duration::from_secs(s)), text);
        }
    }
}
