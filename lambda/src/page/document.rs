//! The whole document, with its style and its script, and the policy that allows these two alone.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulse_echo_core::words::when;
use sha2::{Digest, Sha256};

use super::{BYTES, Page, Past};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a browser may do with the page: no more than use its own style, script and icon.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

impl Page {
    /// Renders the page. Without a past, which is so if it could not be read, it shows nothing of it.
    pub fn render(&self, past: Option<&Past>) -> String {
        let outages = past.map(|past| self.outages(&past.newest)).unwrap_or_default();
        let since = past.map(|past| format!(" Outages are known since {}.", when(past.history.since)));
        let head = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
             <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">\
             <meta name=\"robots\" content=\"noindex\"><link rel=\"icon\" href=\"data:image/svg+xml,{}\">\
             <title>{}</title><style>{STYLE}</style></head>",
            *POLICY,
            self.icon(),
            self.title(),
        );
        let foot = format!(
            "<footer><p>Times are UTC, by the store’s clock. What was muted or not watched is no downtime; 100 % means \
             not a second.{}</p></footer><script>{SCRIPT}</script></body></html>\n",
            since.unwrap_or_default()
        );
        let banner = self.banner();
        let room = BYTES.saturating_sub(head.len() + banner.len() + outages.len() + foot.len() + 2_000);
        let hosts = self.hosts(past, room);
        let (down, hosts) = (hosts.down.section(), hosts.section(past));
        [&*head, "<body>", &banner, "<main>", &down, &hosts, &outages, "</main>", &foot].concat()
    }
}
