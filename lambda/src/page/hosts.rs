//! The hosts with their checks: a row for each check.

use std::collections::HashMap;
use std::fmt::Write;

use pulse_echo_core::history::{Timeline, WINDOWS, window};
use pulse_echo_core::view::Row;
use pulse_echo_core::words::grouped;

use super::down::{Down, class, line, own_name};
use super::html::{escaped, id_of, link};
use super::{Count, Listed, Page, Past, REST, Rest, bars};

/// How many checks of a host that is down are told with their sentence.
const LINES: usize = 10;

/// The parts of the page that are about single hosts.
pub(super) struct Hosts {
    pub(super) down: Down,
    rows: String,
    rest: Rest,
}

impl Page {
    /// Renders the hosts, the worst first, as long as they take at most so many bytes.
    pub(super) fn hosts(&self, past: Option<&Past>, room: usize) -> Hosts {
        let mut hosts: Vec<(&str, Vec<&Listed>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for listed in &self.listed {
            let place = *places.entry(listed.id.host()).or_insert_with(|| {
                hosts.push((listed.id.host(), Vec::new()));
                hosts.len() - 1
            });
            hosts[place].1.push(listed);
        }
        let mut parts = Hosts { down: Down::default(), rows: String::new(), rest: self.rest.clone() };
        let mut left = room.saturating_sub(REST);
        for (host, checks) in hosts {
            let (mut lines, mut rows) = (String::new(), String::new());
            let is_one = checks.len() == 1;
            if !is_one {
                let count = grouped(checks.len());
                let _ = write!(
                    rows,
                    "<tr><td></td><th scope=\"rowgroup\" colspan=\"6\">{}<span>{count} checks</span></th></tr>",
                    link(host, host)
                );
            }
            left = left.saturating_sub(rows.len() + 2 * id_of(host).len() + escaped(host).len() + 100);
            let mut told_of = 0;
            for listed in checks {
                let row = listed.row();
                told_of += usize::from(row.record.state.is_down());
                let is_told = row.record.state.is_down() && told_of <= LINES;
                let told = if is_told { line(&row, self.as_of) } else { String::new() };
                let shown = self.row(&row, is_one, past);
                if let Some(rest) = left.checked_sub(told.len() + shown.len()) {
                    left = rest;
                    lines.push_str(&told);
                    rows.push_str(&shown);
                } else {
                    left = 0;
                    parts.rest.add(&row);
                }
            }
            if rows.contains("<td class") {
                let _ = write!(parts.rows, "<tbody id=\"{}\">{rows}</tbody>", id_of(host));
            }
            if told_of > LINES {
                let _ = write!(lines, "<p class=\"m\">and {} more of its checks</p>", grouped(told_of - LINES));
            }
            if !lines.is_empty() {
                parts.down.add(host, &lines);
            }
        }
        parts
    }

    fn row(&self, row: &Row, is_one: bool, past: Option<&Past>) -> String {
        let host = row.id.host();
        let name = match (is_one, own_name(row)) {
            (true, None) => link(host, host),
            (true, Some(own)) => format!("{}/{}", link(host, host), escaped(own)),
            (false, own) => escaped(own.unwrap_or(host)),
        };
        // What is down has its sentence above.
        let text = if row.record.state.is_down() { String::new() } else { row.text(self.as_of) };
        let text = if text.is_empty() { text } else { format!("<small>{}</small>", escaped(&text)) };
        let mut html =
            format!("<tr><td class=\"{}\">{}</td><th scope=\"row\">{name}{text}</th><td>", class(row), row.word());
        let timeline = past.map(|past| Timeline::of(row.id, Some(row.record), &past.history, &past.dark));
        if let Some(timeline) = &timeline {
            html.push_str(&bars::svg(timeline, self.as_of));
        }
        html.push_str("</td>");
        for days in WINDOWS {
            let _ = match &timeline {
                Some(timeline) => {
                    let uptime = timeline.of_last(days, self.as_of);
                    let class = if uptime.down_s > 0 { " class=\"i\"" } else { "" };
                    write!(html, "<td{class}>{uptime}</td>")
                }
                None => write!(html, "<td>-</td>"),
            };
        }
        html + "</tr>"
    }
}

impl Hosts {
    /// The section; nothing where there is no host.
    pub(super) fn section(&self, past: Option<&Past>) -> String {
        if self.rows.is_empty() && self.rest.is_empty() {
            return String::new();
        }
        let head = |days| format!("<th scope=\"col\">{}</th>", window(days));
        let windows = WINDOWS.map(head).concat();
        let unknown = match past {
            None => "<p>The history could not be read, so nothing is shown of the past.</p>",
            Some(_) => "",
        };
        format!(
            "<section><div class=\"b\"><h2>Hosts</h2><p class=\"q\" hidden><label>Filter <input type=\"search\" \
             autocomplete=\"off\" spellcheck=\"false\"></label><output></output></p></div>{unknown}<table class=\"h\">\
             <thead><tr><th scope=\"col\">State</th><th scope=\"col\">Check</th><th scope=\"col\">90 days, today \
             last</th>{windows}</tr></thead>{}</table>{}{}</section>",
            self.rows,
            if past.is_some() { bars::legend() } else { String::new() },
            self.rest.html()
        )
    }
}

impl Rest {
    fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.others == 0
    }

    /// The checks that are not listed, by host.
    fn html(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut sum = self.of_others;
        self.hosts.values().for_each(|count| sum += *count);
        let Count { checks, down } = sum;
        let mut list = String::new();
        let mut shown = 0;
        for (host, Count { checks, down }) in &self.hosts {
            let down = if *down > 0 { format!(", {} down", grouped(*down)) } else { String::new() };
            let one = format!("{} ({}{down})", escaped(host), grouped(*checks));
            if list.len() + one.len() > REST - 1_000 {
                break;
            }
            let comma = if list.is_empty() { "" } else { "; " };
            let _ = write!(list, "{comma}{one}");
            shown += 1;
        }
        let hosts = self.hosts.len() + self.others;
        if shown < hosts {
            let _ = write!(list, "; and {} more hosts", grouped(hosts - shown));
        }
        let down = if down > 0 { format!(", {} of them down", grouped(down)) } else { String::new() };
        format!(
            "<details><summary>Not listed: {} checks of {} {}{down}</summary><p>{list}</p></details>",
            grouped(checks),
            grouped(hosts),
            if hosts == 1 { "host" } else { "hosts" }
        )
    }
}
