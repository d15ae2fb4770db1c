//! One object: what a PUT stores, and its conditions.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::store::{self, Condition, Store};

use super::{Outcome, ensure, key, put};
use pulse_echo_testkit::store::store;

/// How many races the writers run, so that a server that sometimes lets two of them win is found out.
const RACES: usize = 20;

pub fn metadata(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/metadata"));
    let metadata = Metadata::from([("pulse-id".into(), "00ff".into()), ("agent".into(), "pulse-echo/1.0".into())]);
    store.put(&key, "text/plain", b"{}", &metadata, &Condition::Always)?;
    let got = store.get(&key, 10)?.metadata;
    ensure(metadata.iter().all(|(name, value)| got.get(name) == Some(value)), || format!("it kept only {got:?}"))?;
    put(&store, &key, b"{}", &Condition::Always)?;
    let got = store.get(&key, 10)?.metadata;
    ensure(!got.contains_key("pulse-id"), || format!("a PUT without metadata left {got:?}"))
}

pub fn etag(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/etag"));
    let first = put(&store, &key, b"1", &Condition::Always)?.etag;
    let second = put(&store, &key, b"2", &Condition::Always)?.etag;
    let got = store.get(&key, 10)?.etag;
    ensure(first != second && second == got, || format!("two PUTs answered {first:?}, {second:?}, then GET {got:?}"))
}

pub fn time(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/time"));
    put(&store, &key, b"{}", &Condition::Always)?;
    let first = store.get(&key, 10)?.last_modified;
    thread::sleep(Duration::from_millis(1_100));
    put(&store, &key, b"{}", &Condition::Always)?;
    let second = store.get(&key, 10)?.last_modified;
    ensure(first < second, || format!("put again a second later, LastModified went from {first} to {second}"))
}

pub fn odd_keys(endpoint: &str) -> Outcome {
    let store = store(endpoint);
    let mut odd = [
        "odd/a b.json",
        "odd/a+b",
        "odd/100%.json",
        "odd/100%25",
        "odd/Käse/日本.json",
        "odd/<&'\">?#",
        "odd/a;b=c@d,e",
    ]
    .map(|key| format!("pulse/{key}"));
    for text in &odd {
        put(&store, &key(text), text.as_bytes(), &Condition::Always)?;
    }
    for text in &odd {
        let body = store.get(&key(text), 100)?.body;
        ensure(body.as_deref() == Some(text.as_bytes()), || format!("{text:?} has the body {body:?}"))?;
    }
    odd.sort_unstable();
    let pages = store.list("pulse/odd/").collect::<Result<Vec<_>, _>>()?;
    let listed: Vec<_> = pages.into_iter().flat_map(|page| page.entries).map(|entry| entry.key).collect();
    ensure(listed == odd, || format!("LIST has {listed:?}"))
}

pub fn put_if_none_match(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/if-none-match"));
    put(&store, &key, b"1", &Condition::IfAbsent)?;
    refused(put(&store, &key, b"2", &Condition::IfAbsent), "a second PUT")
}

pub fn put_if_match(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/if-match"));
    let first = put(&store, &key, b"1", &Condition::Always)?.etag;
    put(&store, &key, b"2", &Condition::IfMatch(first.clone()))?;
    refused(put(&store, &key, b"3", &Condition::IfMatch(first)), "a PUT with an old ETag")
}

pub fn put_if_match_missing(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/if-match-missing"));
    let etag = "\"d41d8cd98f00b204e9800998ecf8427e\"".to_string();
    match put(&store, &key, b"1", &Condition::IfMatch(etag)) {
        Ok(_) => Err("it was taken".into()),
        Err(error) => ensure(error.is_missing(), || error.to_string()),
    }
}

pub fn delete_if_match(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/delete-if-match"));
    let first = put(&store, &key, b"1", &Condition::Always)?.etag;
    let second = put(&store, &key, b"2", &Condition::Always)?.etag;
    refused(store.delete(&key, &Condition::IfMatch(first)), "a DELETE with an old ETag")?;
    Ok(store.delete(&key, &Condition::IfMatch(second))?)
}

pub fn delete(endpoint: &str) -> Outcome {
    let (store, key) = (store(endpoint), key("pulse/delete"));
    put(&store, &key, b"1", &Condition::Always)?;
    store.delete(&key, &Condition::Always)?;
    store.delete(&key, &Condition::Always)?;
    match store.get(&key, 10) {
        Ok(object) => Err(format!("it is still there: {object:?}").into()),
        Err(error) => ensure(error.is_missing(), || error.to_string()),
    }
}

pub fn race_if_none_match(endpoint: &str) -> Outcome {
    for round in 0..RACES {
        one_wins(&store(endpoint), &key(&format!("pulse/race/absent-{round}")), &Condition::IfAbsent)?;
    }
    Ok(())
}

pub fn race_if_match(endpoint: &str) -> Outcome {
    for round in 0..RACES {
        let (store, key) = (store(endpoint), key(&format!("pulse/race/match-{round}")));
        let etag = put(&store, &key, b"first", &Condition::Always)?.etag;
        one_wins(&store, &key, &Condition::IfMatch(etag))?;
    }
    Ok(())
}

/// Eight writers at once, each on a connection of its own.
fn one_wins(store: &Store, key: &Key, condition: &Condition) -> Outcome {
    let barrier = Barrier::new(8);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let write = |writer: u8| {
            barrier.wait();
            put(store, key, &[writer], condition)
        };
        let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let wins = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let other = outcomes.into_iter().filter_map(Result::err).find(|error| !error.is_precondition());
    match (wins, other) {
        (1, None) => Ok(()),
        (0, Some(error)) => Err(error.into()),
        (0, None) => Err("none of 8 racing writers won".into()),
        (1, Some(error)) => Err(format!("of 8 racing writers, one heard: {error}").into()),
        (_, _) => Err(format!("of 8 racing writers, {wins} won").into()),
    }
}

fn refused<T>(outcome: Result<T, store::Error>, what: &str) -> Outcome {
    match outcome {
        Ok(_) => Err(format!("{what} was taken").into()),
        Err(error) => ensure(error.is_precondition(), || error.to_string()),
    }
}
