//! What the page shows of the fleet: made anew only when what it is made of has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use jiff::Timestamp;
use pulse_echo_core::clock::Time;
use pulse_echo_core::mark::Mark;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::Status;
use pulse_echo_core::view::{metrics, sweep_age, worst_first};
use pulse_echo_lambda::page::Page;

use crate::s3::store::{ETag, Store};

/// The objects that it is made of, and what was made.
pub(super) struct Fleet {
    store: Arc<Store>,
    tick_s: u32,
    made: Mutex<Option<Made>>,
    /// The bodies that were asked for, so that many readers at once share them.
    raw: Mutex<HashMap<Key, (ETag, Bytes)>>,
}

/// What was made of these versions of `status.json`, `history.json` and the mark.
struct Made {
    of: [Option<ETag>; 3],
    mark: Mark,
    /// Why there is none, if so.
    page: Result<Bytes, String>,
    metrics: Result<Bytes, String>,
}

impl Fleet {
    pub(super) fn new(store: Arc<Store>, tick_s: u32) -> Self {
        Self { store, tick_s, made: Mutex::new(None), raw: Mutex::new(HashMap::new()) }
    }

    /// The page. The error is a sentence.
    pub(super) fn page(&self) -> Result<Bytes, String> {
        self.with_made(|made| made.page.clone())
    }

    /// The metrics. The error is a sentence.
    pub(super) fn metrics(&self) -> Result<Bytes, String> {
        let (metrics, mark) = self.with_made(|made| Ok((made.metrics.clone()?, made.mark.clone())))?;
        let age = sweep_age(&mark, Time::of(Timestamp::now())).text();
        Ok([&metrics[..], age.as_bytes()].concat().into())
    }

    /// An object as it is; `None` if it is not there. The error is a sentence.
    pub(super) fn object(&self, key: Key) -> Result<Option<Bytes>, String> {
        let mut raw = lock(&self.raw);
        let Some(etag) = self.etag(&key)? else { return Ok(None) };
        if let Some((_, body)) = raw.get(&key).filter(|(known, _)| *known == etag) {
            return Ok(Some(body.clone()));
        }
        let Some((etag, body)) = self.get(&key)? else { return Ok(None) };
        raw.insert(key, (etag, body.clone()));
        Ok(Some(body))
    }

    fn with_made<T>(&self, take: impl FnOnce(&Made) -> Result<T, String>) -> Result<T, String> {
        // Whoever comes meanwhile waits: to make it twice at once helps nobody.
        let mut made = lock(&self.made);
        let of = [self.etag(&Key::status())?, self.etag(&Key::history())?, self.etag(&Key::mark())?];
        if made.as_ref().is_none_or(|made| made.of != of) {
            *made = Some(self.make(of)?);
        }
        made.as_ref().map_or_else(|| Err("it was not made".to_owned()), take)
    }

    fn make(&self, of: [Option<ETag>; 3]) -> Result<Made, String> {
        let mark = self.get(&Key::mark())?.and_then(|(_, body)| Mark::from_json(&body).ok()).unwrap_or_default();
        let status = self.get(&Key::status())?.map(|(_, body)| Status::from_json(&body)).transpose();
        let status = match status.map_err(|error| error.to_string()) {
            Ok(status) => status.unwrap_or_else(|| Status::new(Time::of(Timestamp::now()))),
            Err(why) => return Ok(Made { of, mark, page: Err(why.clone()), metrics: Err(why) }),
        };
        let swept = mark.swept.filter(|swept| !swept.is_ahead(Time::of(Timestamp::now())));
        let as_of = swept.map_or(status.written, |swept| swept.max(status.written));
        let page = Page::of(&status, as_of, status.stopped.or(mark.stopped), self.tick_s);
        let past = match self.get(&Key::history())? {
            Some((_, body)) => page.past(&*body).ok(),
            None => Some(page.past_not_begun()),
        };
        let html = page.render(past.as_ref());
        let owed = status.outbox.iter().map(|message| &message.owed);
        let metrics = metrics(&worst_first(&status, as_of), owed, &mark).text();
        Ok(Made { of, mark, page: Ok(html.into()), metrics: Ok(metrics.into()) })
    }

    fn etag(&self, key: &Key) -> Result<Option<ETag>, String> {
        let head = self.store.head(key.as_str()).map_err(|error| unreadable(key, &error))?;
        Ok(head.map(|(summary, _)| summary.etag))
    }

    fn get(&self, key: &Key) -> Result<Option<(ETag, Bytes)>, String> {
        let object = self.store.get(key.as_str()).map_err(|error| unreadable(key, &error))?;
        Ok(object.map(|(summary, _, body)| (summary.etag, body)))
    }
}

fn unreadable(key: &Key, error: &redb::Error) -> String {
    log::error!("the page cannot read {key}: {error}");
    format!("{key} cannot be read; see the log")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
