//! LIST, by which the fleet's side finds its hosts.

use std::thread;

use pulse_echo_core::store::{Condition, Entry, Error, Page};

use super::{Outcome, ensure, key, put};
use pulse_echo_testkit::store::store;

pub fn pages(endpoint: &str) -> Outcome {
    let all: Vec<_> = (0..1_100).map(|n| format!("pulse/pages/host-{n:04}.json")).collect();
    thread::scope(|scope| {
        let parts = all.chunks(275).map(|part| {
            scope.spawn(move || {
                let store = store(endpoint);
                part.iter().try_for_each(|text| put(&store, &key(text), b"{}", &Condition::Always).map(drop))
            })
        });
        parts.collect::<Vec<_>>().into_iter().try_for_each(|part| part.join().unwrap())
    })?;
    let pages = list(endpoint, "pulse/pages/")?;
    let sizes: Vec<_> = pages.iter().map(|page| page.entries.len()).collect();
    ensure(sizes == [1_000, 100], || format!("1100 keys came in pages of {sizes:?}"))?;
    let listed = entries(pages).into_iter().map(|entry| entry.key);
    ensure(listed.eq(all), || "the pages' keys are not those that were put, in order".into())
}

/// In byte order: `-`, `.`, `/`.
pub fn order(endpoint: &str) -> Outcome {
    let ordered = ["pulse/order/web-1.json", "pulse/order/web.json", "pulse/order/web/db.json"];
    for text in ordered {
        put(&store(endpoint), &key(text), b"{}", &Condition::Always)?;
    }
    let listed: Vec<_> = entries(list(endpoint, "pulse/order/")?).into_iter().map(|entry| entry.key).collect();
    ensure(listed == ordered, || format!("{listed:?}"))
}

pub fn prefix(endpoint: &str) -> Outcome {
    put(&store(endpoint), &key("pulse/prefix/web-10.json"), b"{}", &Condition::Always)?;
    for (prefix, count) in [("pulse/prefix/web-1", 1), ("pulse/prefix/web-2", 0), ("nowhere/", 0)] {
        let listed = entries(list(endpoint, prefix)?);
        ensure(listed.len() == count, || format!("LIST of {prefix:?} has {listed:?}"))?;
    }
    Ok(())
}

pub fn etag(endpoint: &str) -> Outcome {
    let put = put(&store(endpoint), &key("pulse/list-etag"), b"{}", &Condition::Always)?.etag;
    let listed = entry(endpoint, "pulse/list-etag")?.etag;
    ensure(listed == put, || format!("PUT answered {put:?}, LIST has {listed:?}"))
}

pub fn time(endpoint: &str) -> Outcome {
    let key = key("pulse/list-time");
    put(&store(endpoint), &key, b"{}", &Condition::Always)?;
    let got = store(endpoint).get(&key, 10)?.last_modified;
    let listed = entry(endpoint, key.as_str())?.last_modified;
    ensure(listed == got, || format!("GET says {got}, LIST says {listed}"))
}

fn list(endpoint: &str, prefix: &str) -> Result<Vec<Page>, Error> {
    store(endpoint).list(prefix).collect()
}

fn entries(pages: Vec<Page>) -> Vec<Entry> {
    pages.into_iter().flat_map(|page| page.entries).collect()
}

fn entry(endpoint: &str, key: &str) -> Result<Entry, Box<dyn std::error::Error>> {
    let listed = entries(list(endpoint, key)?).into_iter().find(|entry| entry.key == key);
    listed.ok_or_else(|| format!("LIST does not have {key}").into())
}
