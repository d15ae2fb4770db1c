//! The library's store against the embedded S3, and what the agent says to each of S3's refusals.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::http::{self, Trust};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::{CheckId, Key};
use pulse_echo_core::store::{Condition, Credentials, Place, Store};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::store::{ACCESS_KEY, BUCKET, SECRET_KEY};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

fn key(text: &str) -> Key {
    Key::pulse(&CheckId::from_pulse_key(text).unwrap())
}

fn put(store: &Store, key: &Key, body: &[u8], condition: &Condition) -> Result<String, String> {
    let taken = store.put(key, "text/plain", body, &Metadata::new(), condition);
    taken.map(|taken| taken.etag).map_err(|error| error.to_string())
}

#[test]
fn an_object_comes_back_as_it_was_put_body_and_metadata() {
    let bed = Bed::new();
    let (store, key) = (bed.store(), key("pulse/web-1.json"));
    let metadata = Metadata::from([("pulse-id".to_string(), "00ff".to_string())]);
    let taken = store.put(&key, "application/json", b"{}\n", &metadata, &Condition::Always).unwrap();
    let object = store.get(&key, 10).unwrap();
    assert_eq!(object.body.as_deref(), Some(&b"{}\n"[..]));
    assert_eq!((object.size, &object.etag, object.metadata), (3, &taken.etag, metadata));
    assert!(taken.skew_s.unwrap().abs() < 2.0, "{taken:?}");
    assert_eq!(store.get(&key, 2).unwrap().body, None, "larger than asked for");
    store.delete(&key, &Condition::Always).unwrap();
    store.delete(&key, &Condition::Always).unwrap();
    assert!(store.get(&key, 10).unwrap_err().is_missing());
}

#[test]
fn keys_with_odd_characters_keep_their_place() {
    let bed = Bed::new();
    let mut odd =
        ["pulse/a b.json", "pulse/a+b", "pulse/100%.json", "pulse/100%25", "pulse/Käse/日本.json", "pulse/<&'\">?#"];
    for text in odd {
        put(&bed.store(), &key(text), text.as_bytes(), &Condition::Always).unwrap();
    }
    for text in odd {
        assert_eq!(bed.store().get(&key(text), 100).unwrap().body.unwrap(), text.as_bytes());
    }
    odd.sort_unstable();
    assert_eq!(bed.keys(), odd);
}

#[test]
fn of_eight_racing_writers_one_wins() {
    let bed = Bed::new();
    let key = key("pulse/race");
    let race = |round: u8, condition: Condition| {
        let barrier = Barrier::new(8);
        let wins = thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|writer: u8| {
                    let (store, key, barrier, condition) = (bed.store(), &key, &barrier, &condition);
                    scope.spawn(move || {
                        barrier.wait();
                        let taken = store.put(key, "text/plain", &[round, writer], &Metadata::new(), condition);
                        taken.map(|taken| taken.etag).map_err(|error| assert!(error.is_precondition(), "{error}")).ok()
                    })
                })
                .collect();
            writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(wins.len(), 1, "{condition:?}");
        wins.into_iter().next().unwrap()
    };
    let first = race(1, Condition::IfAbsent);
    let second = race(2, Condition::IfMatch(first.clone()));
    assert!(bed.store().delete(&key, &Condition::IfMatch(first)).unwrap_err().is_precondition());
    bed.store().delete(&key, &Condition::IfMatch(second)).unwrap();
}

#[test]
fn a_listing_of_2500_keys_comes_in_pages_and_in_order() {
    let bed = Bed::new();
    let all: Vec<_> = (0..2_500).map(|n| format!("pulse/host-{n:04}.json")).collect();
    thread::scope(|scope| {
        for part in all.chunks(320) {
            let store = bed.store();
            scope.spawn(move || {
                for text in part {
                    put(&store, &key(text), b"{}", &Condition::Always).unwrap();
                }
            });
        }
    });
    put(&bed.store(), &key("pulse/host-2499.json"), b"{\"every_s\": 60}", &Condition::Always).unwrap();
    let pages: Vec<_> = bed.store().list("pulse/").map(Result::unwrap).collect();
    assert_eq!(pages.iter().map(|page| page.entries.len()).collect::<Vec<_>>(), [1000, 1000, 500]);
    let entries: Vec<_> = pages.into_iter().flat_map(|page| page.entries).collect();
    assert_eq!(entries.iter().map(|entry| entry.key.clone()).collect::<Vec<_>>(), all);
    assert_ne!(entries[0].etag, entries[2499].etag);
    assert_eq!((entries[0].size, entries[2499].size), (2, 15));
    assert_eq!(bed.store().list("echo/").map(|page| page.unwrap().entries.len()).collect::<Vec<_>>(), [0]);
}

/// Resolves every name to 127.0.0.1: no name server here knows a bucket's name in front of the host's.
#[derive(Debug)]
struct Loopback;

impl Resolver for Loopback {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], uri.port_u16().unwrap()).into());
        Ok(addresses)
    }
}

#[test]
fn the_bucket_may_stand_in_the_hosts_name_and_a_session_token_in_the_url() {
    let bed = Bed::new();
    let place = Place {
        bucket: BUCKET.into(),
        region: "us-east-1".into(),
        endpoint: Some(format!("http://localhost:{}", bed.server.address().port())),
        path_style: Some(false),
    };
    let agent = http::agent(http::config().build(), &Trust::built_in(), Loopback);
    let deadline = Instant::now() + Duration::from_secs(20);
    let credentials = Credentials::new_with_token(ACCESS_KEY, SECRET_KEY, "a/session+token=");
    let store = Store::new(&place, credentials, agent, Arc::new(Timestamp::now), deadline).unwrap();
    // The embedded S3 has permanent keys only. What matters here is that the whole request is signed.
    let error = put(&store, &key("pulse/a"), b"{}", &Condition::Always).err();
    assert!(error.as_ref().is_none_or(|error| error.contains("InvalidToken")), "{error:?}");
}

#[test]
fn without_time_left_nothing_is_sent() {
    let bed = Bed::new();
    let error = bed.store().until(Instant::now()).get(&key("pulse/a"), 10).unwrap_err();
    assert!(error.to_string().contains("there was no time left for it"), "{error}");
}

#[test]
fn each_refusal_of_the_store_is_one_sentence_with_its_remedy() {
    let bed = Bed::new();
    bed.write("pulse.json", "{}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (name, value, answer, remedy) in [
        ("AWS_SECRET_ACCESS_KEY", "another", "HTTP 403 SignatureDoesNotMatch", "the secret access key does not belong"),
        ("AWS_ACCESS_KEY_ID", "AKIDOTHER", "HTTP 403 InvalidAccessKeyId", "correct the credentials"),
        ("PULSE_ECHO_BUCKET", "no-such-bucket", "HTTP 404 NoSuchBucket", "create the bucket first"),
        ("AWS_ENDPOINT_URL", &format!("http://{closed}"), "the connection was refused", "check the endpoint"),
        ("AWS_ENDPOINT_URL", "http://nosuch.invalid", "the name nosuch.invalid does not resolve", "check the region"),
    ] {
        let sent = Ended::of(bed.command(&["send", "--timeout-s=2"]).env(name, value));
        let complaint = sent.complaint();
        assert!(complaint.contains("cannot put pulse/web-1.json in bucket"), "{complaint}");
        assert!(complaint.contains(answer) && complaint.contains(remedy), "{complaint}");
        assert!(!complaint.contains(SECRET_KEY) && !complaint.contains("X-Amz-"), "{complaint}");
        assert_eq!(sent.code, 1, "{complaint}");
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
}
