//! systemd's timers that run the program.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::daemon::Dialect;
use super::names_in;
use super::times::Times;

/// Where units lie, the first found counts.
const FOLDERS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// A timer that is enabled, with what its service says.
#[derive(Debug)]
pub struct Timer {
    /// Its name: `pulse-echo.timer`.
    pub name: String,
    /// Whether it, or its service, is masked: then it cannot run.
    pub is_masked: bool,
    /// When it fires.
    pub times: Times,
    /// The commands of its service.
    pub commands: Vec<String>,
    /// The service's user.
    pub user: String,
    /// The variables that the service sets.
    pub variables: Vec<(String, String)>,
}

/// The timers that are enabled, on the machine whose files are in `root`.
pub fn enabled(root: &Path) -> Vec<Timer> {
    let mut names: Vec<String> = Vec::new();
    for folder in FOLDERS {
        for wants in names_in(&root.join(folder)).iter().filter(|name| has_ending(name, "wants")) {
            let links = names_in(&root.join(folder).join(wants));
            // A link to a unit that is gone starts nothing.
            let is_unit = |name: &String| has_ending(name, "timer") && is_there(root, name);
            names.extend(links.into_iter().filter(is_unit));
        }
    }
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| timer(root, name)).collect()
}

fn timer(root: &Path, name: &str) -> Timer {
    let unit = Unit::read(root, name);
    let stem = name.trim_end_matches(".timer");
    let service = unit.last("Unit").map_or_else(|| format!("{stem}.service"), String::from);
    let service = Unit::read(root, &service);
    let mut variables: Vec<_> = service.all("Environment").iter().flat_map(|line| assignments(line)).collect();
    for file in service.all("EnvironmentFile") {
        let file = file.trim_start_matches('-').trim_start_matches('/');
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        variables.extend(text.lines().filter(|line| !line.starts_with(['#', ';'])).filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_string(), value.trim().trim_matches(['"', '\'']).to_string()))
        }));
    }
    Timer {
        name: name.into(),
        is_masked: unit.is_masked || service.is_masked,
        times: times(&unit),
        // The characters before the path say how systemd starts it.
        commands: service
            .all("ExecStart")
            .iter()
            .map(|l| l.trim_start_matches(['-', '@', ':', '+', '!']).into())
            .collect(),
        user: service.last("User").unwrap_or("root").into(),
        variables,
    }
}

/// The lines of a unit and of its further files.
struct Unit {
    is_masked: bool,
    lines: Vec<(String, String)>,
}

impl Unit {
    fn read(root: &Path, name: &str) -> Self {
        let file =
            FOLDERS.iter().map(|folder| root.join(folder).join(name)).find(|file| file.symlink_metadata().is_ok());
        let is_masked =
            file.as_ref().is_some_and(|file| fs::read_link(file).is_ok_and(|link| link == Path::new("/dev/null")));
        let mut lines = Vec::new();
        // Links within another root lead out of it, and are of no use.
        let text = file
            .and_then(|file| fs::read_to_string(file).ok())
            .or_else(|| FOLDERS.iter().find_map(|folder| fs::read_to_string(root.join(folder).join(name)).ok()));
        read_lines(&text.unwrap_or_default(), &mut lines);
        for folder in FOLDERS.iter().rev() {
            let further = root.join(folder).join(format!("{name}.d"));
            for file in names_in(&further).iter().filter(|name| has_ending(name, "conf")) {
                read_lines(&fs::read_to_string(further.join(file)).unwrap_or_default(), &mut lines);
            }
        }
        Self { is_masked, lines }
    }

    /// The values of a name; an empty value takes back those before it.
    fn all(&self, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, value) in self.lines.iter().filter(|(known, _)| known == name) {
            if value.is_empty() {
                values.clear();
            } else {
                values.push(value.as_str());
            }
        }
        values
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().copied()
    }
}

fn read_lines(text: &str, lines: &mut Vec<(String, String)>) {
    let text = text.replace("\\\n", " ");
    let pairs = text.lines().filter(|line| !line.starts_with(['#', ';'])).filter_map(|line| line.split_once('='));
    lines.extend(pairs.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())));
}

/// `A=b "C=d e"`.
fn assignments(line: &str) -> Vec<(String, String)> {
    let read = super::words::words(line);
    read.iter().filter_map(|word| word.split_once('=')).map(|(n, v)| (n.to_string(), v.to_string())).collect()
}

/// When a timer fires. One expression that is not known here makes all of it unknown.
fn times(unit: &Unit) -> Times {
    let calendars = unit.all("OnCalendar");
    if let [calendar] = calendars[..] {
        return of_calendar(calendar).unwrap_or_else(|| Times::Unknown(format!("OnCalendar={calendar}")));
    }
    let again = unit.last("OnUnitActiveSec").or_else(|| unit.last("OnUnitInactiveSec"));
    match again.and_then(span).filter(|_| calendars.is_empty()) {
        Some(every) => Times::Every(every),
        None => Times::Unknown(calendars.join(", ")),
    }
}

/// `*:0/10`, `*-*-* 0/2:05:00`, `hourly`: the expressions that are said in a crontab's fields, too.
fn of_calendar(text: &str) -> Option<Times> {
    let text = match text.trim() {
        "minutely" => "*:*",
        "hourly" => "*:0",
        "daily" => "0:0",
        text => text.trim_start_matches("*-*-*").trim(),
    };
    let parts: Vec<_> = text.split(':').collect();
    let (hour, minute) = match parts[..] {
        [hour, minute] => (hour, minute),
        [hour, minute, second] if second.parse::<u8>().is_ok() => (hour, minute),
        _ => return None,
    };
    // `0/10` is `0-59/10` in a crontab.
    let field = |text: &str, last: u8| {
        let ranges = text.split(',').map(|range| match range.split_once('/') {
            Some((from, step)) if from != "*" => format!("{from}-{last}/{step}"),
            _ => range.into(),
        });
        ranges.collect::<Vec<_>>().join(",").replace("..", "-")
    };
    Times::of_fields([&field(minute, 59), &field(hour, 23), "*", "*", "*"], Dialect::Cronie).ok()
}

/// `600`, `10min`, `1h`.
fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit_s = match unit.trim() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hr" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(unit_s)?))
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == ending)
}

fn is_there(root: &Path, unit: &str) -> bool {
    FOLDERS.iter().any(|folder| root.join(folder).join(unit).symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::times::longest_gap;
    use super::*;

    #[test]
    fn the_time_between_two_runs_of_a_timer() {
        for (lines, seconds) in [
            ("OnCalendar=*:0/10", Some(600)),
            ("OnCalendar=*-*-* *:00/5:00", Some(300)),
            ("OnCalendar=minutely", Some(60)),
            ("OnCalendar=*:5,35", Some(1800)),
            ("OnCalendar=0/2:00", Some(7200)),
            ("OnCalendar=*:0/10\nOnCalendar=\nOnCalendar=hourly", Some(3600)),
            ("OnBootSec=1min\nOnUnitActiveSec=10min", Some(600)),
            ("OnUnitActiveSec=900", Some(900)),
            ("OnCalendar=Mon..Fri *-*-* 08:00:00", None),
            ("OnCalendar=hourly\nOnCalendar=daily", None),
        ] {
            let mut unit = Unit { is_masked: false, lines: Vec::new() };
            read_lines(&format!("[Timer]\n{lines}\n"), &mut unit.lines);
            let times = times(&unit);
            assert_eq!(longest_gap([&times].into_iter()), seconds.map(Duration::from_secs), "{lines}");
        }
    }
}
