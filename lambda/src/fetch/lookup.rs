//! Resolves names within a time limit and with a limited number of threads.

use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use pulse_echo_core::http::Unresolved;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

/// How many look-ups may run at once. A look-up that is given up keeps its thread until the system gives it up, too.
pub(super) const AT_ONCE: usize = 64;

/// A resolver that gives up the resolver beneath it after the time-out.
#[derive(Debug)]
pub(super) struct Lookup {
    beneath: Arc<dyn Resolver>,
    places: Arc<Places>,
}

impl Lookup {
    pub(super) fn new(beneath: Arc<dyn Resolver>) -> Self {
        Self { beneath, places: Arc::new(Places { free: Mutex::new(AT_ONCE), one_is_free: Condvar::new() }) }
    }

    /// Resolves the host of `uri` to at most 16 addresses.
    pub(super) fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let started = Instant::now();
        let unanswered = || {
            let host = uri.host().unwrap_or_default().into();
            Error::Other(Box::new(Unresolved { host, answer: "no answer from the name server in time".into() }))
        };
        let place = Places::take(&self.places, *timeout.after).ok_or_else(unanswered)?;
        let (tell, told) = mpsc::sync_channel(1);
        let (beneath, uri, config) = (self.beneath.clone(), uri.clone(), config.clone());
        // Without a time-out, ureq asks the system on this same thread.
        let forever = NextTimeout { after: Duration::NotHappening, ..timeout };
        thread::Builder::new().name("look-up".into()).spawn(move || {
            let _place = place;
            let _ = tell.send(beneath.resolve(&uri, &config, forever));
        })?;
        told.recv_timeout(timeout.after.saturating_sub(started.elapsed())).map_err(|_| unanswered())?
    }
}

/// The limit on threads.
#[derive(Debug)]
struct Places {
    free: Mutex<usize>,
    one_is_free: Condvar,
}

/// A place for one thread. Dropping it frees the place.
struct Place(Arc<Places>);

impl Places {
    fn take(places: &Arc<Self>, within: std::time::Duration) -> Option<Place> {
        let free = places.free.lock().expect("nobody panics while counting");
        let (mut free, waited) = places
            .one_is_free
            .wait_timeout_while(free, within, |free| *free == 0)
            .expect("nobody panics while counting");
        if waited.timed_out() {
            return None;
        }
        *free -= 1;
        Some(Place(places.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().expect("nobody panics while counting") += 1;
        self.0.one_is_free.notify_one();
    }
}
