//! From a request to its answer.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, EXPECT, HOST, HeaderValue};
use hyper::{Method, Request};
use percent_encoding::percent_decode_str;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse, S3ErrorCode, S3Result};
use tokio::time::timeout;

use super::answer::{About, Failure, completed};
use super::auth::{ANY_SKEW, Gate};
use super::body;
use super::moving::Moving;
use super::places::Place;
use super::protocol::Api;
use super::room::Room;
use super::store::{Origin, Store};
use super::upload::Upload;
use super::work::Work;
use super::{Clock, Options};

/// How long a request may take, its body included.
const REQUEST_TIME: Duration = Duration::from_secs(120);
/// The longest XML body of an S3 operation. We support no such operation, but s3s reads the body first.
const MAX_XML_BYTES: usize = 1 << 20;

/// How much of all bodies together is held in memory; what has no room there goes to files.
const HELD_BYTES: usize = 32 << 20;

/// Answers the requests of all connections.
pub(super) struct Door {
    s3: S3Service,
    gate: Gate,
    /// See [`Options`].
    body_idle: Duration,
    domain: BaseDomain,
    clock: Clock,
    /// Counts up from a random number.
    request_id: AtomicU64,
}

impl Door {
    pub(super) fn new(options: Options, store: Arc<Store>) -> Self {
        let Options { bucket, region, base_domain, keys, clock, body_idle, .. } = options;
        let gate = Gate { keys, region: region.clone(), clock: clock.clone(), work: Work::default() };
        let domain = BaseDomain(base_domain);
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = ANY_SKEW;
        config.xml_max_body_size = MAX_XML_BYTES;
        let mut s3 = S3ServiceBuilder::new(Api { store, bucket, region, room: Room::of(HELD_BYTES) });
        s3.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        s3.set_host(domain.clone());
        s3.set_auth(gate.clone());
        s3.set_access(gate.clone());
        let request_id = AtomicU64::new(RandomState::new().hash_one(()));
        Self { s3: s3.build(), gate, body_idle, domain, clock, request_id }
    }

    /// Answers a request of a connection, which ends with it unless the request proves a key.
    pub(super) async fn answer(&self, request: Request<Incoming>, from: IpAddr, place: &Arc<Place>) -> HttpResponse {
        let visit = place.visit();
        let request_id = format!("{:016X}", self.request_id.fetch_add(1, Ordering::Relaxed));
        let (mut head, body) = request.into_parts();
        head.extensions.insert(Origin { request_id: request_id.clone(), source_ip: from.to_string() });
        head.extensions.insert(visit.clone());
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = match self.domain.bucket(&host) {
            Some(bucket) => (bucket.to_owned(), path),
            None => path.split_once('/').map_or((path.to_owned(), ""), |(bucket, key)| (bucket.to_owned(), key)),
        };
        let method = head.method.clone();
        let about = About { method: &method, request_id: &request_id, host: &host, bucket: &bucket, key };
        // Who asks first whether to send a body does not send it when he is refused.
        let (asks_first, upload) = (head.headers.contains_key(EXPECT), Upload::of(body));
        let response = match self.gate.admit(&mut head) {
            Err(failure) => failure.into_response(),
            Ok(_) if is_form(&method, &head.headers) => not_implemented(),
            Ok(owner) => {
                let body = Moving::new(upload.clone(), self.body_idle);
                let body = body::admitted(body, key, &owner, &head.headers);
                self.ask(Request::from_parts(head, body)).await
            }
        };
        let mut response = completed(response, &about, (self.clock)()).await;
        if !upload.is_read() && !asks_first {
            upload.drain().await;
        }
        if !visit.may_stay() || !upload.is_read() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The answer to a client that speaks plain HTTP where TLS is spoken.
    pub(super) async fn answer_without_tls(&self, request: Request<Incoming>) -> HttpResponse {
        let about = About { method: request.method(), request_id: "", host: "", bucket: "", key: "" };
        let message = "This port speaks TLS: begin the endpoint with https://, not http://.";
        let failure = Failure::new(S3ErrorCode::InvalidRequest, message);
        let mut response = completed(failure.into_response(), &about, (self.clock)()).await;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    async fn ask(&self, request: Request<Body>) -> HttpResponse {
        match timeout(REQUEST_TIME, self.s3.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let why: Box<dyn Error + Send + Sync> = error.into();
                log::error!("an S3 request failed: {why}");
                let message = "We encountered an internal error. Please try again.";
                Failure::new(S3ErrorCode::InternalError, message).into_response()
            }
            Err(_) => Failure::new(
                S3ErrorCode::RequestTimeout,
                "Your socket connection to the server was not read from or written to within the timeout period.",
            )
            .into_response(),
        }
    }
}

/// Whether it is a browser's upload by form. s3s would first read all of it into memory.
fn is_form(method: &Method, headers: &hyper::HeaderMap) -> bool {
    let content_type = headers.get(hyper::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|value| value.split_once('/')).map_or("", |(kind, _)| kind);
    method == Method::POST && kind.trim().eq_ignore_ascii_case("multipart")
}

fn not_implemented() -> HttpResponse {
    let message = "A header you provided implies functionality that is not implemented";
    Failure::new(S3ErrorCode::NotImplemented, message).into_response()
}

/// The base domain: a virtual-hosted address has its bucket before this name.
#[derive(Clone)]
struct BaseDomain(String);

impl BaseDomain {
    /// The bucket in a `Host` header; `None` if the address is path style.
    fn bucket<'h>(&self, host: &'h str) -> Option<&'h str> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name.strip_suffix(&self.0)?.strip_suffix('.')
    }
}

impl S3Host for BaseDomain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let plain = VirtualHost::new(&*self.0);
        Ok(match self.bucket(host) {
            Some(bucket) => plain.with_bucket(bucket),
            None => plain,
        })
    }
}
