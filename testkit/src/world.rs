//! A store, a service to watch, and the events that AWS would send.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use jiff::Timestamp;
use pulse_echo_core::answer::{Echo, Fault};
use pulse_echo_core::environment::Environment;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Clock, Condition, Object, Store};
use pulse_echo_lambda::probe::Probe;
use pulse_echo_local::s3::{KeyPair, Options, Server as S3};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plain::assert_plain;
use crate::server::{Server, answer, read_head};
use crate::store::{ACCESS_KEY, BUCKET, SECRET_KEY, id, store};

/// An embedded S3 and a client of it.
pub struct World {
    /// The embedded S3.
    pub s3: S3,
    /// A client of it.
    pub store: Store,
    _dir: TempDir,
}

impl World {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(Timestamp::now))
    }

    /// An empty store with a clock of the test's own.
    pub fn with_clock(clock: Clock) -> Self {
        let dir = TempDir::new().unwrap();
        let options = Options::new(dir.path(), BUCKET, KeyPair::new(ACCESS_KEY, SECRET_KEY));
        let s3 = S3::start(Options { clock, ..options }).unwrap();
        let store = store(&s3.endpoint());
        Self { s3, store, _dir: dir }
    }

    /// The environment of the probe.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BUCKET", BUCKET.into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
            ("AWS_SESSION_TOKEN", String::new()),
            ("AWS_ENDPOINT_URL", self.s3.endpoint()),
            // The services to watch are also on this machine.
            ("PROBE_ALLOW", "127.0.0.0/8".into()),
        ]
    }

    /// A probe of this store.
    pub fn probe(&self) -> Probe {
        self.probe_with(&[])
    }

    /// A probe whose environment has these values instead.
    pub fn probe_with(&self, changes: &[(&str, &str)]) -> Probe {
        self.probe_by(changes, Arc::new(Timestamp::now))
    }

    /// As [`Self::probe_with`], by a clock of the test's own.
    pub fn probe_by(&self, changes: &[(&str, &str)], clock: Clock) -> Probe {
        let environment: HashMap<_, _> = self.environment().into_iter().collect();
        let lookup = |name: &str| match changes.iter().find(|(changed, _)| *changed == name) {
            Some((_, value)) => Some((*value).to_string()),
            None => environment.get(name).cloned(),
        };
        Probe::read(Environment::new(&lookup), clock).unwrap()
    }

    /// Puts a pulse at a key, with this metadata.
    pub fn put(&self, key: &str, body: &str, metadata: &[(&str, &str)]) {
        let metadata: Metadata = metadata.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let key = Key::pulse(&CheckId::from_pulse_key(key).unwrap());
        self.store.put(&key, "application/json", body.as_bytes(), &metadata, &Condition::Always).unwrap();
    }

    /// A check's pulse.
    pub fn pulse(&self, id: &str) -> Object {
        self.get(Key::pulse, id).expect("the pulse is there")
    }

    /// A check's echo, if it has one.
    pub fn echo(&self, id: &str) -> Option<Echo> {
        let object = self.get(Key::echo, id)?;
        assert_eq!(object.body.unwrap(), Echo::BODY);
        Some(Echo::from_metadata(&object.metadata, object.last_modified))
    }

    /// A check's fault, if it has one.
    pub fn fault(&self, id: &str) -> Option<Fault> {
        let fault = Fault::from_json(&self.get(Key::fault, id)?.body.unwrap()).unwrap();
        assert_plain(&fault.reason);
        Some(fault)
    }

    fn get(&self, key: impl Fn(&CheckId) -> Key, check: &str) -> Option<Object> {
        match self.store.get(&key(&id(check)), 1024 * 1024) {
            Err(error) if error.is_missing() => None,
            got => Some(got.unwrap()),
        }
    }
}

/// The event that S3 sends for puts at these keys, given as S3 encodes them.
pub fn event(keys: &[&str]) -> Value {
    let record = |key: &&str| {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-21T08:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "P"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "1", "x-amz-id-2": "2"},
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "probe",
                "bucket": {"name": BUCKET, "ownerIdentity": {"principalId": "P"}, "arn": "arn:aws:s3:::pulses"},
                "object": {"key": key, "size": 1, "eTag": "0", "sequencer": "0"},
            },
        })
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

/// A web service that answers `ok`: for `/hold` once the test allows it, for any other path at once.
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// Announces each request for `/hold`, with a sender; dropping the sender lets the request go on.
    pub waiting: Receiver<Sender<()>>,
}

impl Service {
    /// Starts it.
    pub fn new() -> Self {
        let (tell, waiting) = mpsc::channel();
        let server = Server::new(move |mut stream, _| {
            if read_head(&mut stream).starts_with("GET /hold ") {
                let (go_on, told) = mpsc::channel();
                let _ = tell.send(go_on);
                let _ = told.recv();
            }
            let _ = stream.write_all(answer(200, "ok").as_bytes());
        });
        Self { address: server.address, waiting }
    }

    /// A pulse that checks this service, with these further fields.
    pub fn pulse(&self, fields: &str) -> String {
        format!("{{\"url\": \"http://{}/\", {fields}}}", self.address)
    }

    /// A pulse that checks the path that this service holds back.
    pub fn pulse_to_hold(&self) -> String {
        format!("{{\"url\": \"http://{}/hold\"}}", self.address)
    }
}
