//! A check that is down, with its sentence.

use std::fmt::Write;

use pulse_echo_core::clock::Time;
use pulse_echo_core::status::State;
use pulse_echo_core::view::Row;
use pulse_echo_core::words::duration;

use super::html::{age_since, escaped, link};

/// Lines of the hosts that are down.
#[derive(Default)]
pub(super) struct Down {
    html: String,
}

impl Down {
    /// Adds a host with the lines of its checks.
    pub(super) fn add(&mut self, host: &str, lines: &str) {
        let _ = write!(self.html, "<li><h3>{}</h3>{lines}</li>", link(host, host));
    }

    /// The section; nothing where no host is down.
    pub(super) fn section(&self) -> String {
        if self.html.is_empty() {
            return String::new();
        }
        format!("<section><h2>Down</h2><ul class=\"d\">{}</ul></section>", self.html)
    }
}

/// The line of a check that is down: its state, how long, its name if it is not its host's, and why.
pub(super) fn line(row: &Row, now: Time) -> String {
    let since = row.record.outage.as_ref().map_or(row.record.since, |outage| outage.since);
    let age = age_since(since, &duration(row.lasts(now)));
    let name = match own_name(row) {
        Some(name) => format!("<b>{}</b> ", escaped(name)),
        None => String::new(),
    };
    format!(
        "<p class=\"x {}\">{} for {age}</p><p class=\"m\">{name}{}</p>",
        class(row),
        row.word(),
        escaped(&row.text(now))
    )
}

/// The part of a check's id behind its host; `None` for the default check of a host.
pub(super) fn own_name<'a>(row: &'a Row) -> Option<&'a str> {
    row.id.shown().split_once('/').map(|(_, check)| check)
}

/// The class of a check's state, which gives colour and sign.
pub(super) fn class(row: &Row) -> &'static str {
    match row.record.state {
        _ if row.is_late => "l",
        State::Failing => "f",
        State::Silent => "s",
        State::Unanswered => "n",
        State::Up => "u",
        State::New => "e",
        State::Gone => "g",
    }
}
