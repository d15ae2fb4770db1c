//! Fleets with a past, for the page.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_echo_core::answer::Cause;
use pulse_echo_core::clock::Time;
use pulse_echo_core::history::History;
use pulse_echo_core::name::CheckId;
use pulse_echo_core::status::{
    Gap, Limits, Muted, Outage, PastOutage, Record, SeenFault, State, Status, Unfiled, UnfiledOutage,
};

/// When the fleets are looked at: 2026-11-29 07:12 UTC.
pub const NOW: Time = Time::from_second(1_795_936_320);

const DAY_S: i64 = 86_400;

/// Which hosts are down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// None.
    AllUp,
    /// Two.
    TwoDown,
    /// Most.
    ManyDown,
}

/// A fleet and its past.
pub struct PageFleet {
    /// Its status.
    pub status: Status,
    /// What is over.
    pub history: History,
}

/// The time `seconds` before [`NOW`].
pub fn ago(seconds: i64) -> Time {
    Time::from_second(NOW.as_second() - seconds)
}

/// The id of a check.
pub fn id(key: &str) -> CheckId {
    key.to_owned().try_into().expect("it is an id")
}

/// A check that has been up for long.
pub fn up() -> Record {
    let limits = Limits { etag: "\"p\"".into(), every_s: 600, limit_s: 900, faults_in_row: None };
    let first = Some(ago(200 * DAY_S));
    Record {
        state: State::Up,
        since: ago(9 * DAY_S),
        first,
        limits: Some(limits),
        echo: Some(ago(90)),
        ..Record::new(ago(95))
    }
}

/// A check that has been down for `seconds`.
pub fn down(state: State, seconds: i64, reason: &str) -> Record {
    let outage = Outage { since: ago(seconds), noticed: ago(seconds), muted: None, told: None };
    let fault = SeenFault {
        at: ago(seconds),
        etag: "\"f\"".into(),
        pulse_at: Some(ago(seconds)),
        cause: Some(Cause::Status),
        reason: Some(reason.into()),
    };
    let pulse = if state == State::Silent { ago(seconds + 900) } else { ago(95) };
    Record { state, since: ago(seconds), pulse, outage: Some(Box::new(outage)), fault: Some(Box::new(fault)), ..up() }
}

/// A fleet of about so many checks, with services that had their bad days.
pub fn fleet(checks: usize, how: How) -> PageFleet {
    let mut status = Status::new(NOW);
    let mut past = Vec::new();
    let kinds = ["web", "db", "mail", "cache", "build"];
    for number in 0..checks {
        let (host, check) = if checks > 12 && number % 10 == 9 { (number - 1, "/disk") } else { (number, "") };
        let key = format!("{}-{host:02}{check}.json", kinds[host % kinds.len()]);
        status.checks.insert(id(&key), up());
        // Each seventh had some outages: of minutes, and now and then of hours.
        for bad in 0..(number % 7 / 5 * (1 + number % 3)) {
            let (number, bad) = (i64::try_from(number).unwrap_or(0), i64::try_from(bad).unwrap_or(0));
            let from = (number * 7 + bad * 31) % 88 * DAY_S + 30_000 + number * 61 % 20_000;
            let long = if (number + bad) % 4 == 0 { 9_000 } else { 240 + number * 13 % 2_000 };
            past.push((key.clone(), from, long));
        }
    }
    let keys: Vec<_> = status.checks.keys().cloned().collect();
    let count = match how {
        How::AllUp => 0,
        How::TwoDown => 2,
        How::ManyDown => checks * 9 / 10,
    };
    for (number, key) in keys.iter().enumerate().skip(keys.len() / 4).chain(keys.iter().enumerate()).take(count) {
        let seconds = 130 + i64::try_from(number).unwrap_or(0) * 97 % 5_000;
        let record = match number % 2 {
            0 => down(State::Failing, seconds, "status 503, expected 200"),
            _ => down(State::Silent, seconds, ""),
        };
        status.checks.insert(key.clone(), record);
    }
    if how != How::AllUp && checks > 12 {
        let late = Record { pulse: ago(700), ..up() };
        status.checks.insert(keys[3].clone(), late);
        let mute =
            Muted { etag: "m".into(), at: ago(600), for_s: 7_200, reason: Some("new disks".into()), listed: None };
        status.mutes.insert(keys[5].clone(), mute);
        status.checks.insert(id("web-new.json"), Record { first: Some(ago(40)), ..Record::new(ago(40)) });
    }
    let mut history = History::new(ago(120 * DAY_S));
    past.sort_by_key(|(key, from, _)| (key.clone(), -from));
    let outages = past.into_iter().map(|(key, from, long)| {
        let (from, until) = (ago(from), ago(from - long));
        let failing = (State::Failing, Some(Cause::Status), Some("status 500, expected 200".into()));
        let (state, cause, reason) = if long % 2 == 0 { failing } else { (State::Silent, None, None) };
        UnfiledOutage {
            check: id(&key),
            first: ago(200 * DAY_S),
            outage: PastOutage { from, until, state, cause, reason, muted: false },
        }
    });
    let dark = vec![Gap { from: ago(43 * DAY_S), until: ago(41 * DAY_S) + Duration::from_secs(5_000) }];
    history.file(&Unfiled { outages: outages.collect(), dark, ..Unfiled::default() });
    PageFleet { status, history }
}

/// Names and reasons as somebody would choose them who wants more than to be shown.
pub fn hostile() -> PageFleet {
    let mut status = Status::new(NOW);
    let script = "<script>document.title='owned'</script>";
    let reasons = [
        "</title></style></script><script>document.title='owned'</script>",
        "\"><img src=x onerror=\"document.title='owned'\">",
        "' onmouseover='document.title=1' x='&lt;b&gt;&#60;i&#62;",
        "\u{202e}gnp.exe \u{2066}\u{200f}שלום עולם",
    ];
    let long = "ß".repeat(120) + &"W".repeat(240);
    let names = ["a\"b'c&d<e>.json", "c --><!-- d.json", "שלום.json", "e\u{3164}f.json", "javascript:alert(1).json"];
    for (number, name) in names.iter().enumerate() {
        status
            .checks
            .insert(id(name), down(State::Failing, 300 + i64::try_from(number).unwrap_or(0), reasons[number % 4]));
    }
    status.checks.insert(id(&script.replace('/', "_")), down(State::Failing, 200, script));
    status.checks.insert(id(&format!("{long}.json")), down(State::Failing, 100, &"x".repeat(256)));
    let mut history = History::new(ago(120 * DAY_S));
    let outages = status.checks.keys().zip(reasons.iter().cycle()).map(|(check, reason)| UnfiledOutage {
        check: check.clone(),
        first: ago(100 * DAY_S),
        outage: PastOutage {
            from: ago(5 * DAY_S),
            until: ago(4 * DAY_S),
            state: State::Failing,
            cause: Some(Cause::Body),
            reason: Some((*reason).into()),
            muted: false,
        },
    });
    history.file(&Unfiled { outages: outages.collect(), ..Unfiled::default() });
    let mute = Muted { etag: "m".into(), at: ago(60), for_s: 600, reason: Some(script.into()), listed: None };
    status.mutes = BTreeMap::from([(id(names[0]), mute)]);
    PageFleet { status, history }
}
