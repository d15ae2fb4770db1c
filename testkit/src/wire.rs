//! The connections between a sweep and the store, and between a sweep and people, with the faults of a test.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use pulse_echo_lambda::channel::Channel;
use pulse_echo_lambda::outbox::entry::{Entry, Outcome};
use ureq::SendBody;
use ureq::http::{Request, Response, Uri};
use ureq::middleware::MiddlewareNext;

/// An action of somebody else in the middle of a sweep.
pub type Act = Box<dyn FnOnce() + Send>;

/// The connection between a sweep and the store.
#[derive(Default)]
pub struct Wire {
    /// The method, path and query of each request.
    pub log: Mutex<Vec<String>>,
    /// At which request who sweeps dies; whether that one itself still goes through, its answer lost.
    pub cut: Mutex<Option<(usize, bool)>>,
    /// The number of the request whose answer is lost.
    pub loses: Mutex<Option<usize>>,
    /// Requests whose log line contains this text fail.
    pub fails: Mutex<Option<&'static str>>,
    /// Requests whose log line contains this text get no answer, for as long as they wait.
    pub stalls: Mutex<Option<&'static str>>,
    /// Requests whose log line contains this text get S3's answer for an object that is archived.
    pub withholds: Mutex<Option<&'static str>>,
    /// Where they go: nobody takes what comes here.
    hole: OnceLock<TcpListener>,
    /// This many of the requests whose log line contains this text get S3's answer to two writes at the same moment.
    pub conflicts: Mutex<Option<(&'static str, usize)>>,
    /// An action, done once, just before the first request whose log line contains this text.
    pub before: Mutex<Option<(&'static str, Act)>>,
}

impl Wire {
    /// Passes a request on, or does what a test has asked for.
    pub(crate) fn pass(
        &self,
        mut request: Request<SendBody>,
        next: MiddlewareNext,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let line = format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        let number = {
            let mut log = self.log.lock().unwrap();
            log.push(line.clone());
            log.len()
        };
        let act = self.before.lock().unwrap().take_if(|(part, _)| line.contains(*part));
        if let Some((_, act)) = act {
            act();
        }
        let broken = || Err(ureq::Error::Io(ErrorKind::ConnectionReset.into()));
        if self.fails.lock().unwrap().is_some_and(|part| line.contains(part)) {
            return broken();
        }
        if self.stalls.lock().unwrap().is_some_and(|part| line.contains(part)) {
            *request.uri_mut() = self.hole();
            return next.handle(request);
        }
        if self.withholds.lock().unwrap().is_some_and(|part| line.contains(part)) {
            return Ok(refusal(403, "InvalidObjectState", "The operation is not valid for the object's storage class"));
        }
        if let Some((part, left @ 1..)) = &mut *self.conflicts.lock().unwrap()
            && line.contains(*part)
        {
            *left -= 1;
            return Ok(conflict());
        }
        if *self.loses.lock().unwrap() == Some(number) {
            return next.handle(request).and_then(|_| broken());
        }
        let cut = *self.cut.lock().unwrap();
        match cut {
            Some((at, goes_through)) if number == at && goes_through => {
                next.handle(request)?;
                die()
            }
            Some((at, _)) if number >= at => die(),
            _ => next.handle(request),
        }
    }

    fn hole(&self) -> Uri {
        let hole = self.hole.get_or_init(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        format!("http://{}/", hole.local_addr().unwrap()).parse().unwrap()
    }

    /// How many requests contain this text in their line since the log was last emptied.
    pub fn count(&self, part: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

/// Ends who sweeps in the middle of a request, as a process that is killed. Nothing is printed.
fn die() -> ! {
    panic::resume_unwind(Box::new("it died"))
}

/// S3's answer to a conditional request while another one changes the object; as its documentation has it.
fn conflict() -> Response<ureq::Body> {
    let message = "The conditional request cannot succeed due to a conflicting operation against this resource.";
    refusal(409, "ConditionalRequestConflict", message)
}

fn refusal(status: u16, code: &str, message: &str) -> Response<ureq::Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Response::builder().status(status).body(ureq::Body::builder().data(body)).unwrap()
}

/// A channel that records what it gets.
#[derive(Clone, Default)]
pub struct Hook {
    /// The entries that it got.
    pub told: Arc<Mutex<Vec<Entry>>>,
    /// How many attempts there were.
    pub attempts: Arc<AtomicUsize>,
    /// Its answer; `None` takes everything.
    pub answer: Arc<Mutex<Option<Outcome>>>,
}

impl Channel for Hook {
    fn name(&self) -> &'static str {
        "hook"
    }

    fn send(&self, entries: &[Entry], _: Instant) -> Outcome {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone().unwrap_or(Outcome::Taken);
        if !matches!(answer, Outcome::NotTaken { taken: 0, .. }) {
            self.told.lock().unwrap().extend_from_slice(entries);
        }
        answer
    }
}
