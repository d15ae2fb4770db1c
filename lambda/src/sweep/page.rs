//! Writing `status.html`, side by side with all else. It delays and fails nothing.

use std::cell::RefCell;
use std::io::{self, Read};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pulse_echo_core::name::Key;
use pulse_echo_core::store::Store;

use super::history;
use crate::page::{CONTENT_TYPE, Page, Past};

/// How long the requests for it may take. An invocation that has nothing else to do waits for it so long.
const TIME: Duration = Duration::from_secs(10);

/// The page, while it is written. Whoever has begun it waits for its end: Lambda stops what is left then.
pub(crate) struct Writing(JoinHandle<Result<(), String>>);

impl Writing {
    /// Begins to write the page, until `deadline` at most. A history of `size` bytes and more is not read.
    pub(crate) fn begin(store: &Store, page: Page, size: usize, deadline: Instant) -> io::Result<Self> {
        let store = store.until((Instant::now() + TIME).min(deadline));
        let write = move || {
            let html = page.render(read(&store, &page, size).as_ref());
            store.publish(&Key::page(), CONTENT_TYPE, html.as_bytes()).map(drop).map_err(|error| error.to_string())
        };
        Ok(Self(thread::Builder::new().name("page".into()).spawn(write)?))
    }

    /// Waits for its end. What went wrong is logged.
    pub(crate) fn end(self) {
        let why = match self.0.join() {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(_) => "it panicked".into(),
        };
        log::error!("cannot write {}: {why}; the sweep that next writes status.json tries again", Key::page());
    }
}

/// What the page shows of the history, if that can be used. It is read while it comes: as a whole, a large fleet's
/// takes more memory than all else here.
fn read(store: &Store, page: &Page, size: usize) -> Option<Past> {
    let past = RefCell::new(None);
    let reader = |body: &mut dyn Read| {
        let read = page.past(body);
        match read {
            Err(error) if error.is_io() => return Err(error.into()),
            // What is wrong with it, the sweep tells.
            read => *past.borrow_mut() = read.ok(),
        }
        Ok(())
    };
    match store.read(&Key::history(), history::limit(size), &reader) {
        Ok(_) => past.into_inner(),
        Err(error) if error.is_missing() => Some(page.past_not_begun()),
        Err(why) => {
            log::warn!("the page shows nothing of the past: cannot read history.json: {why}");
            None
        }
    }
}
