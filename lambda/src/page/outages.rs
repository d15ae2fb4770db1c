//! The last outages that are over.

use std::collections::HashSet;
use std::fmt::Write;

use pulse_echo_core::words::{duration, when};

use super::Page;
use super::html::{escaped, link};
use super::past::Newest;

impl Page {
    /// The section; nothing where no outage is known.
    pub(super) fn outages(&self, newest: &Newest) -> String {
        let listed: HashSet<&str> = self.listed.iter().map(|listed| listed.id.host()).collect();
        let mut rows = String::new();
        for (check, outage) in newest.iter() {
            let (host, id) = (check.host(), check.to_string());
            let name = if listed.contains(host) { link(host, &id) } else { escaped(&id) };
            let _ = write!(
                rows,
                "<tr><td>{}</td><td>{}</td><td>{name}</td><td>{}</td></tr>",
                when(outage.from),
                duration(outage.from.age(outage.until)),
                escaped(&outage.why())
            );
        }
        if rows.is_empty() {
            return String::new();
        }
        format!(
            "<section><h2>Last outages</h2><table class=\"o\"><thead><tr><th scope=\"col\">Began</th>\
             <th scope=\"col\">Lasted</th><th scope=\"col\">Check</th><th scope=\"col\">Why</th></tr></thead>\
             <tbody>{rows}</tbody></table></section>"
        )
    }
}
