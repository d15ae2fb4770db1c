//! One request to a receiver of messages or a service, within its deadline, and the meaning of its answer.

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::environment::Environment;
use pulse_echo_core::http::url::web_url;
use pulse_echo_core::http::{self, Failure, SystemResolver, Trouble, Trust, header, proxy};
use ureq::http::{Request, Response};
use ureq::unversioned::transport::Connector;
use ureq::{Agent, Body, Proxy, Timeout};
use url::Url;

use crate::wire::{LONGEST, ReadLeniently};
use pulse_echo_core::text::line;

/// Our `User-Agent`.
const USER_AGENT: &str = concat!("pulse-echo-loop/", env!("CARGO_PKG_VERSION"));

/// How long a look-up, and then a connection, may take at most. A receiver that is away is detected earlier than a slow
/// receiver, and certainly took nothing.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a receiver may take. One that hangs keeps the next sweep waiting for as long.
const POST_TIME: Duration = Duration::from_secs(15);

/// How much of an answer's body is read, in bytes.
const BODY_LIMIT: u64 = 16 * 1024;

/// A URL that may hold a secret, as Slack's do. Only its host is shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads the URL in the variable `name`, if it is set. The error names the variable, not its value.
    pub(crate) fn read(environment: Environment, name: &str) -> Result<Option<Self>, String> {
        environment
            .get(name)
            .map(|text| Self::parse(&text).map_err(|why| format!("{name} cannot be used: {why}")))
            .transpose()
    }

    /// Parses an http or https URL without credentials. The error does not show it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        web_url(text).map(Self)
    }

    /// The URL with these segments after its own path.
    pub(crate) fn below(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        Self(url)
    }

    /// The URL without the last segment of its path, and that segment, which is never empty.
    pub(crate) fn split_last(&self) -> Option<(Self, String)> {
        let mut url = self.0.clone();
        let (before, last) = url.path().trim_end_matches('/').rsplit_once('/')?;
        let (before, last) = (before.to_string(), last.to_string());
        url.set_path(&before);
        Some((Self(url), last)).filter(|(_, last)| !last.is_empty())
    }

    /// Whether it has no path of its own.
    pub(crate) fn is_bare(&self) -> bool {
        self.0.path() == "/"
    }

    /// The whole URL, for sending.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// The web, for messages and AWS's services. Each request has its own connection; redirects are not followed.
pub(crate) struct Web {
    agent: Agent,
    /// The proxy's host and port.
    proxy: Option<String>,
}

/// An answer with its body still unread.
pub(crate) struct Answer {
    from: Address,
    /// The proxy that the request went through.
    proxy: Option<String>,
    response: Response<Body>,
}

/// A failed request, and what is known of it.
#[derive(Debug)]
pub(crate) struct Missed {
    /// Whether the receiver certainly did nothing.
    pub(crate) sure: bool,
    /// Whether it would refuse the same again.
    pub(crate) for_good: bool,
    /// How long to wait before the next request (`Retry-After`).
    pub(crate) after: Option<Duration>,
    /// The reason, for the log, without secrets.
    pub(crate) why: String,
}

impl Web {
    /// The web without proxies, for AWS's services.
    pub(crate) fn new(trust: &Trust) -> Self {
        Self::through(None, trust)
    }

    /// The way to `there`: through the proxy that the variables name for it, as curl reads them. A loop of the last
    /// version read no such variables. So for this release one that cannot be used is a warning, and no proxy is used.
    pub(crate) fn to(there: &Address, trust: &Trust, environment: Environment) -> Self {
        let proxy = proxy::from_variables(&there.0, environment).unwrap_or_else(|why| {
            log::warn!("{why}; {there} is reached without a proxy. A later release will refuse to start");
            None
        });
        Self::through(proxy, trust)
    }

    fn through(proxy: Option<Proxy>, trust: &Trust) -> Self {
        // If a reused connection turned out to be closed, the request would look as if it might have arrived.
        let through = proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        let config = http::config().max_response_header_size(LONGEST);
        let config = config.proxy(proxy).user_agent(USER_AGENT).max_idle_connections(0).build();
        let connector = http::connector(trust).chain(ReadLeniently);
        Self { agent: Agent::with_parts(config, connector, SystemResolver::default()), proxy: through }
    }

    /// Posts `body` with these headers, for at most [`POST_TIME`]. Any status is an answer.
    pub(crate) fn post(
        &self,
        to: &Address,
        headers: &[(&str, &str)],
        body: &[u8],
        deadline: Instant,
    ) -> Result<Answer, Missed> {
        self.send(to, Request::post(to.as_str()), headers, body, deadline.min(Instant::now() + POST_TIME))
    }

    /// Gets the URL. Any status is an answer.
    pub(crate) fn get(&self, from: &Address, deadline: Instant) -> Result<Answer, Missed> {
        self.send(from, Request::get(from.as_str()), &[], (), deadline)
    }

    fn send(
        &self,
        to: &Address,
        request: ureq::http::request::Builder,
        headers: &[(&str, &str)],
        body: impl ureq::AsSendBody,
        deadline: Instant,
    ) -> Result<Answer, Missed> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Missed::surely(format!("{to}: no time was left to send")));
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(body).map_err(|_| Missed::surely(format!("{to}: a header cannot be sent")))?;
        let connect = Some(CONNECT_LIMIT.min(left / 2));
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(Some(left)).timeout_resolve(connect).timeout_connect(connect).build();
        match self.agent.run(request) {
            Ok(response) => Ok(Answer { from: to.clone(), proxy: self.proxy.clone(), response }),
            Err(ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)) => {
                Err(Missed::surely(format!("{to}: no connection in time")))
            }
            Err(error) => Err(Missed::by(to, &error.into())),
        }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The time on the receiver's clock, from `Date`.
    pub(crate) fn date(&self) -> Option<Time> {
        header::time(self.response.headers(), "date")
    }

    /// Reads the beginning of its body.
    pub(crate) fn text(&mut self) -> Result<String, Missed> {
        let mut text = Vec::new();
        match self.response.body_mut().as_reader().take(BODY_LIMIT).read_to_end(&mut text) {
            Ok(_) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => Err(Missed::by(&self.from, &error.into())),
        }
    }

    /// The error for a status other than 2xx; `said` is the receiver's text, if that is safe to show.
    pub(crate) fn refusal(&self, said: &str) -> Missed {
        let what = match self.response.status().as_u16() {
            status @ 300..=399 => {
                format!("status {status}: a redirect is not followed; set the address that it leads to")
            }
            407 if let Some(proxy) = &self.proxy => {
                format!("the proxy {proxy} did not connect us: it wants a user and a password (HTTP 407)")
            }
            status => format!("status {status}"),
        };
        let said = if said.is_empty() { String::new() } else { format!(": {}", line(said, 200)) };
        Missed {
            // A gateway that timed out does not know what became of the request.
            sure: !matches!(self.status(), 502 | 504),
            // The others may be mended: a right, a slow client, or too many requests.
            for_good: matches!(self.status(), 400..=499) && !matches!(self.status(), 401 | 403 | 407 | 408 | 429),
            after: header::retry_after(self.response.headers()),
            why: format!("{}: {what}{said}", self.from),
        }
    }

    /// The error for an answer that this receiver never gives, so its meaning is unknown.
    pub(crate) fn strange(&self, why: &str) -> Missed {
        Missed {
            sure: false,
            for_good: false,
            after: None,
            why: format!("{}: status {}, {why}", self.from, self.status()),
        }
    }

    /// The result by the status alone.
    pub(crate) fn taken_if_2xx(&self) -> Result<(), Missed> {
        if self.is_2xx() { Ok(()) } else { Err(self.refusal("")) }
    }

    /// Whether the receiver took what it got.
    pub(crate) fn is_2xx(&self) -> bool {
        self.response.status().is_success()
    }
}

impl Missed {
    /// The failure of a request of which nothing was done.
    pub(crate) fn surely(why: String) -> Self {
        Self { sure: true, for_good: false, after: None, why }
    }

    /// The failure of a request to `to` that got no whole answer.
    pub(crate) fn by(to: &impl fmt::Display, failure: &Failure) -> Self {
        // Until TLS is up, nothing of the request has been sent.
        let sure = matches!(failure.trouble, Trouble::Dns | Trouble::Connect | Trouble::Tls | Trouble::Untrusted);
        let remedy = match failure.trouble {
            Trouble::Untrusted => "; PROBE_CA_BUNDLE can name it as trusted",
            _ => "",
        };
        Self { sure, for_good: false, after: None, why: format!("{to}: {}{remedy}", line(&failure.text, 200)) }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}
