//! `outages`: what was down, when, for how long, and why; the newest first.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use crate::args::{Arguments, Outages};
use crate::exit::Exit;
use crate::fleet::Fleet;
use crate::history;
use crate::operator::with_store;
use crate::output::{complain, print, print_json};
use crate::target::{Unknown, meant, stands_for};
use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::history::History;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::PastOutage;
use pulse_echo_core::text::printable;
use pulse_echo_core::words::duration;

/// Runs `outages`.
pub fn command(arguments: &Arguments, options: &Outages, environment: Environment) -> Exit {
    let target = match meant(options.target.as_ref(), arguments.host.as_deref()) {
        Ok(target) => target,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    with_store(arguments, environment, |store| {
        let fleet = Fleet::read(store)?;
        let history = history::read(store, &fleet)?;
        let id = target.as_ref().map(|target| target.among(Some(&fleet.status)));
        let is_known = |id: &CheckId| history.checks.keys().any(|check| stands_for(id, check));
        if let Some(id) = id.as_ref().filter(|id| !is_known(id))
            && let Some(unknown) = Unknown::find(id, &fleet.status)
        {
            return Err(unknown.to_string());
        }
        let after = options.since.map(|since_s| Time::from_second(fleet.now.as_second() - i64::from(since_s)));
        let outages = newest_first(&fleet, &history, id.as_ref(), after);
        if options.json {
            print_json(&as_json(&outages, &history, fleet.now));
        } else {
            for outage in &outages {
                print(&printable(&outage.line(fleet.now)));
            }
            print(&sum(&outages));
        }
        Ok(())
    })
}

/// An outage of a check.
struct Listed<'a> {
    check: &'a CheckId,
    /// If it lasts, until now.
    outage: PastOutage,
    lasts: bool,
}

/// The outages that lasted or ended after a time, those that last among them.
fn newest_first<'a>(
    fleet: &'a Fleet,
    history: &'a History,
    id: Option<&CheckId>,
    after: Option<Time>,
) -> Vec<Listed<'a>> {
    let over = history.checks.iter().flat_map(|(check, past)| past.outages.iter().map(move |outage| (check, outage)));
    let mut outages: Vec<_> =
        over.map(|(check, outage)| Listed { check, outage: outage.clone(), lasts: false }).collect();
    for (check, record) in &fleet.status.checks {
        if let Some(lasting) = record.outage.as_deref() {
            let reason = record.cause().and_then(|_| record.fault.as_ref()?.reason.clone());
            let (state, cause, muted) = (record.state, record.cause(), lasting.muted.is_some());
            let outage = PastOutage { from: lasting.since, until: fleet.now, state, cause, reason, muted };
            outages.push(Listed { check, outage, lasts: true });
        }
    }
    outages.retain(|listed| {
        id.is_none_or(|id| stands_for(id, listed.check)) && after.is_none_or(|after| listed.outage.until >= after)
    });
    outages.sort_by_key(|listed| Reverse(listed.outage.from));
    outages
}

impl Listed<'_> {
    fn length(&self) -> Duration {
        self.outage.from.age(self.outage.until)
    }

    /// `2026-11-21T07:18:20Z  41 min  web-1  failing (status): status 500, expected 200`
    fn line(&self, now: Time) -> String {
        let (from, why, length) = (self.outage.from, self.outage.why(), duration(self.length()));
        let lasts = if self.lasts { format!(" (not over at {now})") } else { String::new() };
        format!("{from}  {length:>10}  {}  {why}{lasts}", self.check)
    }
}

/// `3 outages, 1 h 10 min in all; 1 of them does not count: muted, or trouble of the probe`
fn sum(outages: &[Listed]) -> String {
    let counted: Vec<_> = outages.iter().filter(|listed| listed.outage.counts()).collect();
    let down: Duration = counted.iter().map(|listed| listed.length()).sum();
    let count = match outages.len() {
        1 => "1 outage".into(),
        count => format!("{count} outages"),
    };
    let others = match outages.len() - counted.len() {
        0 => String::new(),
        others => format!("; {others} of them without downtime: muted, or trouble of the probe"),
    };
    format!("{count}, down for {} in all{others}", duration(down))
}

/// `{"now": …, "since": …, "down_s": …, "outages": [{"check": …, "from": …, "until": …, …}, …]}`. What lasts has no
/// end.
fn as_json(outages: &[Listed], history: &History, now: Time) -> Value {
    let one = |listed: &Listed| {
        let PastOutage { from, until, state, cause, reason, muted } = &listed.outage;
        let until = (!listed.lasts).then_some(until);
        json!({
            "check": listed.check.to_string(),
            "from": from,
            "until": until,
            "down_s": listed.length().as_secs(),
            "state": state,
            "cause": cause,
            "reason": reason,
            "muted": muted,
            "counts": listed.outage.counts(),
        })
    };
    let down = outages.iter().filter(|listed| listed.outage.counts()).map(Listed::length);
    json!({
        "now": now,
        "since": history.since,
        "down_s": down.sum::<Duration>().as_secs(),
        "outages": outages.iter().map(one).collect::<Vec<_>>(),
    })
}
