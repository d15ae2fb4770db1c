//! What works on which server. The run checks each server against it, and `docs/compatibility.md` shows it as a table.

use crate::checks::{Outcome, agent, lists, objects, refusals};
use crate::server::Server;
use crate::server::Server::{MiniStack, Moto, Rclone, S3sFs};

/// A row: one check on each server.
pub struct Row {
    /// What it checks, in the table's words.
    pub what: &'static str,
    /// Runs the check on the server at an endpoint.
    pub check: fn(&str) -> Outcome,
    /// The servers that lack it.
    pub lacks: &'static [Lack],
}

/// A known difference of a server.
pub struct Lack {
    pub server: Server,
    /// In the table's words.
    pub word: &'static str,
    /// A part of the check's error.
    pub seen: &'static str,
    /// Whether it happens each time.
    pub always: bool,
}

impl Row {
    /// What `server` is expected to do instead, if anything.
    pub fn lack(&self, server: Server) -> Option<&'static Lack> {
        self.lacks.iter().find(|lack| lack.server == server)
    }
}

const fn row(what: &'static str, check: fn(&str) -> Outcome, lacks: &'static [Lack]) -> Row {
    Row { what, check, lacks }
}

const fn always(server: Server, word: &'static str, seen: &'static str) -> Lack {
    Lack { server, word, seen, always: true }
}

const fn seldom(server: Server, word: &'static str, seen: &'static str) -> Lack {
    Lack { server, word, seen, always: false }
}

/// The whole table; first what every host needs.
pub const TABLE: &[Row] = &[
    row("`send`", agent::send, &[]),
    row("`run`, with the probe", agent::run, &[]),
    row("metadata", objects::metadata, &[]),
    row("`ETag` in PUT and GET", objects::etag, &[]),
    row("`LastModified` is the PUT's time", objects::time, &[]),
    row("DELETE, of a missing key too", objects::delete, &[]),
    row("LIST by prefix", lists::prefix, &[]),
    row("LIST in pages of 1,000", lists::pages, &[]),
    row("LIST in the order of bytes", lists::order, &[]),
    row("LIST and GET agree on the time", lists::time, &[]),
    row(
        "`ETag` in LIST",
        lists::etag,
        &[always(S3sFs, "none", "LIST has \"\""), always(Rclone, "without its quotes", "LIST has \"99914b93")],
    ),
    row(
        "keys with odd characters",
        objects::odd_keys,
        &[always(S3sFs, "LIST decodes `%` and `+`", "LIST has [\"pulse/odd/100%.json\", \"pulse/odd/100%\"")],
    ),
    row(
        "PUT with `If-None-Match: *`",
        objects::put_if_none_match,
        &[always(Rclone, "ignored", "a second PUT was taken")],
    ),
    row(
        "… of 8 at once, one wins",
        objects::race_if_none_match,
        &[
            always(S3sFs, "several win", "of 8 racing writers, "),
            always(Rclone, "several win", "of 8 racing writers, "),
            seldom(Moto, "seldom, two win", "of 8 racing writers, "),
        ],
    ),
    row("PUT with `If-Match`", objects::put_if_match, &[always(Rclone, "ignored", "a PUT with an old ETag was taken")]),
    row(
        "… and of 8 at once, one wins",
        objects::race_if_match,
        &[
            always(S3sFs, "several win", "of 8 racing writers, "),
            always(Rclone, "several win", "of 8 racing writers, "),
            seldom(Moto, "seldom, two win", "of 8 racing writers, "),
        ],
    ),
    row(
        "… of a missing key is 404",
        objects::put_if_match_missing,
        &[always(S3sFs, "412", "HTTP 412 PreconditionFailed"), always(Rclone, "taken", "it was taken")],
    ),
    row(
        "DELETE with `If-Match`",
        objects::delete_if_match,
        &[
            always(S3sFs, "ignored", "a DELETE with an old ETag was taken"),
            always(Rclone, "ignored", "a DELETE with an old ETag was taken"),
        ],
    ),
    row(
        "missing bucket: `NoSuchBucket`",
        refusals::missing_bucket,
        &[always(S3sFs, "created", "sent pulse/refused.json to bucket no-such-bucket")],
    ),
    row(
        "wrong secret: `SignatureDoesNotMatch`",
        refusals::wrong_secret,
        &[always(Moto, "taken", "sent pulse/refused.json")],
    ),
    row(
        "unknown key id: `InvalidAccessKeyId`",
        refusals::unknown_key,
        &[always(S3sFs, "`NotSignedUp`", "HTTP 403 NotSignedUp"), always(Moto, "taken", "sent pulse/refused.json")],
    ),
    row(
        "expired URL: `AccessDenied`",
        refusals::expired_url,
        &[
            always(Rclone, "blames the clock", "400 AccessDenied: The difference between"),
            always(Moto, "taken", "404 NoSuchKey"),
        ],
    ),
    row(
        "URL of tomorrow: `AccessDenied`",
        refusals::url_of_tomorrow,
        &[
            always(Rclone, "taken", "404 NoSuchKey"),
            always(Moto, "taken", "404 NoSuchKey"),
            always(MiniStack, "taken", "404 NoSuchKey"),
        ],
    ),
];

/// The table as in `docs/compatibility.md`.
pub fn markdown() -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = std::iter::once(String::new()).chain(Server::ALL.map(Server::title)).collect();
    let rule = vec!["---".to_string(); Server::ALL.len() + 1];
    let rows = TABLE.iter().map(|row| {
        let cell = |server| row.lack(server).map_or("yes".into(), |lack| format!("no: {}", lack.word));
        line(std::iter::once(row.what.to_string()).chain(Server::ALL.map(cell)).collect())
    });
    [line(head), line(rule)].into_iter().chain(rows).collect()
}
