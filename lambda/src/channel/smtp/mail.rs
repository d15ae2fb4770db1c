//! A mail as it is sent: its headers, its text, and the ids by which mail readers make threads.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue, InReplyTo, MIME_VERSION_1_0, MessageId,
    References, To,
};
use lettre::message::{Body, Mailbox, Mailboxes};

use super::super::mood::{self, Mood};
use super::super::{ROOM, digest, words};
use crate::outbox::entry::Entry;

/// How many threads a mail may stand in. Of more outages no mail reader can make sense.
const THREADS: usize = 50;

/// The longest line that needs no encoding, in bytes.
const LINE: usize = 990;

/// Renders these entries as one mail, ready for SMTP but for its dots.
pub(super) fn mail(entries: &[Entry], from: &Mailbox, to: &[Mailbox], now: SystemTime) -> Vec<u8> {
    let domain = from.email.domain();
    let threads = threads(entries, domain);
    let mut mail = Message::builder()
        .from(from.clone())
        .mailbox(To::from(to.iter().cloned().collect::<Mailboxes>()))
        .subject(words::subject(entries))
        .date(now)
        .raw_header(ids(MessageId::name(), &[own_id(entries, domain)]))
        // No machine answers it: no note that somebody is away.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    if let Some(newest) = threads.last() {
        mail = mail.raw_header(ids(InReplyTo::name(), std::slice::from_ref(newest)));
        mail = mail.raw_header(ids(References::name(), &threads));
    }
    if mood::of(entries) == Mood::Bad {
        mail = mail.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Importance"), "high".into()));
    }
    let text = words::message(entries, ROOM, str::to_string) + "\n";
    // Readable as it is, too, for programs that sort mails. The library encodes each line that is over 76 bytes.
    let body = if text.is_ascii() && text.lines().all(|line| line.len() <= LINE) {
        Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    mail.body(body).expect("a mail has a sender and recipients").formatted()
}

/// The id of a mail of just these entries.
fn own_id(entries: &[Entry], domain: &str) -> String {
    id("message", &digest::of(entries.iter().map(|entry| entry.id.as_str())), domain)
}

/// The ids of the threads of these entries, that of the newest outage last.
fn threads(entries: &[Entry], domain: &str) -> Vec<String> {
    let outage = |entry: &Entry| Some((entry.course.as_ref()?.host_since, words::check(entry)?.host().to_string()));
    let mut outages: Vec<_> = entries.iter().filter_map(outage).collect();
    outages.sort();
    outages.dedup();
    outages.truncate(THREADS);
    let thread = |(since, host): &(_, String)| id("outage", &digest::of([host, "/", &format!("{since}")]), domain);
    outages.iter().map(thread).collect()
}

fn id(kind: &str, digest: &str, domain: &str) -> String {
    format!("<{kind}.{}@{domain}>", &digest[..32])
}

/// A header of ids, one a line: an id must not be folded or encoded, however long its domain is.
fn ids(name: HeaderName, ids: &[String]) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(name, ids.join(" "), ids.join("\r\n "))
}
