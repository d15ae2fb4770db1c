//! The top of the page: how it stands, in one line.

use pulse_echo_core::mark::stale_after;
use pulse_echo_core::words::{grouped, stopped, when};

use super::html::escaped;
use super::{HostCounts, Page};

/// A status is written at least this often while the loop sweeps.
const WRITTEN_EVERY_S: u64 = 600;

impl Page {
    /// The title, which says the state: `2 down, pulse-echo`.
    pub(super) fn title(&self) -> String {
        let HostCounts { all, down, .. } = self.hosts;
        let state = match (self.stopped, all, down) {
            (Some(_), ..) => "stopped".into(),
            (None, 0, _) => "no host".into(),
            (None, _, 0) => "all up".into(),
            (None, _, down) => format!("{} down", grouped(down)),
        };
        format!("{state}, pulse-echo")
    }

    /// Its class: `ok`, `bad`, `stop`, or none where there is nothing yet.
    fn class(&self) -> &'static str {
        match (self.stopped, self.hosts) {
            (Some(_), _) => "stop",
            (None, HostCounts { all: 0, .. }) => "none",
            (None, HostCounts { down: 0, .. }) => "ok",
            (None, _) => "bad",
        }
    }

    /// The headline.
    fn headline(&self) -> String {
        let HostCounts { all, down, muted, up } = self.hosts;
        if self.stopped.is_some() {
            return "The loop is stopped".into();
        }
        match (all, down, muted) {
            (0, ..) => "No host yet".into(),
            (1, 0, 0) if up == all => "The host is up".into(),
            (_, 0, 0) if up == all => format!("All {} hosts are up", grouped(all)),
            (_, 0, 0) => "No host is down".into(),
            (_, 0, 1) => "No host is down but 1 that is muted".into(),
            (_, 0, muted) => format!("No host is down but {} that are muted", grouped(muted)),
            (1, ..) => "The host is down".into(),
            (_, down, _) if down == all => format!("All {} hosts are down", grouped(all)),
            (_, 1, _) => format!("1 of {} hosts is down", grouped(all)),
            (_, down, _) => format!("{} of {} hosts are down", grouped(down), grouped(all)),
        }
    }

    /// The icon of the browser's tab: a disc, or a square where something is wrong.
    pub(super) fn icon(&self) -> String {
        let sign = match self.class() {
            "ok" => "<circle cx='8' cy='8' r='6' fill='%232c8a5f'/>",
            "none" => "<circle cx='8' cy='8' r='6' fill='%238a949e'/>",
            "stop" => "<path d='M2 2h12v12H2z' fill='%23b3701b'/>",
            _ => "<path d='M2 2h12v12H2z' fill='%23c3303d'/>",
        };
        let svg = format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>{sign}</svg>");
        svg.replace('<', "%3C").replace('>', "%3E").replace(' ', "%20")
    }

    pub(super) fn banner(&self) -> String {
        let limit = WRITTEN_EVERY_S + stale_after(self.tick_s).as_secs();
        let stop = self.stopped.map(|at| format!("<p>{}</p>", escaped(&capital(&stopped(at))))).unwrap_or_default();
        format!(
            "<header class=\"{}\"><p class=\"k\">pulse-echo</p><h1>{}</h1><p class=\"w\" hidden></p>{stop}<p>{}</p>\
             <p>As of <time datetime=\"{}\" data-limit=\"{limit}\">{}</time><span class=\"y\"></span></p></header>",
            self.class(),
            self.headline(),
            escaped(&capital(&self.counts)),
            self.as_of,
            when(self.as_of),
        )
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
