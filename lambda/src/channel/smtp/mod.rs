//! E-mail by SMTP: one mail for what a sweep tells, as a mail reader shows it, in the thread of its outage.
//!
//! **Ids.** A mail's Message-ID is made from the ids of its entries. So a mail that is sent again, because its answer
//! was lost, has the same one, and receivers drop it or show it once. What a later sweep adds must not change that: the
//! entries of the oldest sweep that are owed go in a mail of their own, and all others in a second one.
//!
//! **Threads.** An outage of a host has an id, too, made from the host and from the time at which the outage began.
//! Each mail about it names that id in `References`. No mail has the id itself: which mail is an outage's first is not
//! known here, and two mails must never have one id. Mail readers gather what refers to the same id, whether they have
//! it or not. A mail that tells several outages stands in the thread of each, and mail readers show these as one.
//!
//! - `server`: the settings; `mail`: the text; `session`: the conversation; `reply`: what the server says.

mod mail;
mod reply;
mod server;
mod session;

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use lettre::message::{Mailbox, Mailboxes};
use pulse_echo_core::http::Trust;
use pulse_echo_core::store::Clock;

use super::parts::in_parts;
use super::{Channel, Made, Means};
use crate::outbox::entry::{ENTRIES, Entry, Outcome};
use crate::web::Missed;
use mail::mail;
use server::Server;
use session::Refusals;

/// The variables, all of which are needed.
const VARIABLES: [&str; 3] = ["SMTP_URL", "SMTP_FROM", "SMTP_TO"];

/// The sender's name, if `SMTP_FROM` has none.
const NAME: &str = "pulse-echo";

struct Smtp {
    server: Server,
    trust: Trust,
    clock: Clock,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// Whom the server refused last, while it took others. Each is told in the log once.
    refused: Mutex<BTreeSet<String>>,
}

/// The channel for `SMTP_URL`, from `SMTP_FROM` to `SMTP_TO`.
pub(super) fn channel(means: &Means) -> Made {
    let values = VARIABLES.map(|name| means.environment.get(name));
    let [url, from, to] = match values {
        [Some(url), Some(from), Some(to)] => [url, from, to],
        [None, None, None] => return Ok(None),
        values => {
            let with = |is_set| VARIABLES.iter().zip(&values).find(|(_, value)| value.is_some() == is_set);
            let (set, unset) = (with(true).map_or("", |found| found.0), with(false).map_or("", |found| found.0));
            return Err(format!("{unset} is not set, but {set} is: e-mail needs SMTP_URL, SMTP_FROM and SMTP_TO"));
        }
    };
    let server = Server::parse(&url).map_err(|why| format!("SMTP_URL cannot be used: {why}"))?;
    let one = "it must be one address, such as pulse-echo@example.com";
    let from: Mailbox = addresses("SMTP_FROM", &from, one)?
        .try_into()
        .map(|[from]: [Mailbox; 1]| Mailbox { name: from.name.or(Some(NAME.into())), ..from })
        .map_err(|_| format!("SMTP_FROM cannot be used: {one}"))?;
    let several = "it must be an address, such as ops@example.com, or several with commas between them; a name with a \
                   comma needs quotes";
    let to = addresses("SMTP_TO", &to, several)?;
    let (trust, clock) = (means.trust.clone(), means.clock.clone());
    Ok(Some(Box::new(Smtp { server, trust, clock, from, to, refused: Mutex::default() })))
}

/// Reads a list of addresses, with names or without; `such_as` says what is wanted. All of them can be written into any
/// server's commands.
fn addresses(variable: &str, text: &str, such_as: &str) -> Result<Vec<Mailbox>, String> {
    let wrong = |why: &str| format!("{variable} cannot be used: {why}");
    let addresses: Vec<Mailbox> = text.parse::<Mailboxes>().map_err(|_| wrong(such_as))?.into_iter().collect();
    for address in &addresses {
        let email: &str = address.email.as_ref();
        if !email.is_ascii() {
            return Err(wrong(&format!(
                "{email:?} has letters that not every mail server takes: a domain can be \
                                       written with xn--, the part before the @ must be ASCII"
            )));
        }
        if address.name.as_ref().is_some_and(|name| name.contains(char::is_control)) {
            return Err(wrong(such_as));
        }
    }
    if addresses.is_empty() { Err(wrong(such_as)) } else { Ok(addresses) }
}

impl Channel for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn send(&self, entries: &[Entry], deadline: Instant) -> Outcome {
        let oldest = entries.first().map(|entry| entry.at);
        let (first, others) = entries.split_at(entries.iter().take_while(|entry| Some(entry.at) == oldest).count());
        // The text is cut, however many entries there are.
        let mails = |entries| in_parts(entries, ENTRIES, |_| 0, |part| self.mail(part, deadline));
        match mails(first) {
            Outcome::Taken => mails(others).after(first.len()),
            outcome => outcome,
        }
    }
}

impl Smtp {
    fn mail(&self, entries: &[Entry], deadline: Instant) -> Result<(), Missed> {
        let mail = mail(entries, &self.from, &self.to, SystemTime::from((self.clock)()));
        let to: Vec<_> = self.to.iter().map(|to| &to.email).collect();
        let refusals = session::send(&self.server, &self.trust, &self.from.email, &to, &mail, deadline)?;
        for (to, why) in self.unknown(&refusals) {
            log::warn!(
                "{}: it refuses {to}, who misses this mail, and takes the other recipients: {why}",
                self.server.host
            );
        }
        Ok(())
    }

    /// Whom the server refused now and not in the mail before, so that the log does not say it for each mail.
    fn unknown<'r>(&self, refusals: &'r Refusals) -> Vec<&'r (String, String)> {
        let now = refusals.iter().map(|(to, _)| to.clone()).collect();
        let mut known = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let known = mem::replace(&mut *known, now);
        refusals.iter().filter(|(to, _)| !known.contains(to)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_a_refused_recipient_once_and_again_after_a_mail_that_reached_it() {
        let server = Server::parse("smtp://localhost").unwrap();
        let trust = Trust::built_in();
        let clock: Clock = std::sync::Arc::new(jiff::Timestamp::now);
        let from = "a@example.com".parse().unwrap();
        let smtp = Smtp { server, trust, clock, from, to: Vec::new(), refused: Mutex::default() };
        let refused = |to: &[&str]| to.iter().map(|to| (to.to_string(), "550 no".to_string())).collect::<Refusals>();
        for (now, named) in [
            (&["gone@x"][..], &["gone@x"][..]),
            (&["gone@x"], &[]),
            (&["gone@x", "left@x"], &["left@x"]),
            (&[], &[]),
            (&["gone@x"], &["gone@x"]),
        ] {
            let refusals = refused(now);
            let unknown: Vec<_> = smtp.unknown(&refusals).into_iter().map(|(to, _)| to.as_str()).collect();
            assert_eq!(unknown, named);
        }
    }
}
