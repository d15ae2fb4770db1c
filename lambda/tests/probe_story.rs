//! The probe from an S3 event to what is then in the store.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_core::answer::Cause;
use pulse_echo_lambda::error::{Error, Kind};
use pulse_echo_lambda::probe::{Probe, Summary};
use pulse_echo_testkit::server::{Server, read_body, read_head};
use pulse_echo_testkit::store::BUCKET;
use pulse_echo_testkit::tls::{Ca, https, in_days, until};
use pulse_echo_testkit::world::{Service, World, event};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

fn handle(probe: &Probe, event: &Value) -> Result<Summary, Error> {
    probe.handle(event, Instant::now() + Duration::from_secs(90))
}

/// The kind of an error and what it says.
fn error(result: Result<Summary, Error>) -> (Kind, String) {
    let error = result.unwrap_err();
    (error.kind, error.message)
}

#[test]
fn a_pulse_whose_service_answers_as_expected_gets_its_echo() {
    let (world, service) = (World::new(), Service::new());
    let id = "0123456789abcdef0123456789abcdef";
    let metadata = [("pulse-id", id), ("instance", "00ff"), ("sent-at", "2026-11-21T08:00:00Z")];
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\", \"from_a_newer_agent\": 1"), &metadata);

    let summary = handle(&world.probe(), &event(&["pulse/web-1.json"])).unwrap();
    assert_eq!(summary, Summary { echoes: vec!["web-1".into()], ..Summary::default() });
    let echo = world.echo("web-1").unwrap();
    assert_eq!(echo.pulse_id.as_deref(), Some(id));
    assert_eq!(echo.instance.as_deref(), Some("00ff"));
    assert_eq!(echo.pulse_at, world.pulse("web-1").last_modified);
    assert_eq!(echo.status, Some(200));
    assert!(echo.latency_ms.is_some());
    assert_eq!(world.fault("web-1"), None);
}

#[test]
fn where_nothing_may_be_fetched_a_pulse_with_a_url_is_left_as_it_is() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    world.put("pulse/web-2.json", "{}", &[]);
    world.put("pulse/web-3.json", "no JSON", &[]);
    let events = event(&["pulse/web-1.json", "pulse/web-2.json", "pulse/web-3.json"]);
    let summary = world.probe().handle_arrivals(&events, Instant::now() + Duration::from_secs(90)).unwrap();
    assert_eq!((summary.with_url, summary.echoes), (vec!["web-1".to_owned()], vec!["web-2".to_owned()]));
    assert_eq!(summary.faults.len(), 1);
    assert!(world.echo("web-1").is_none() && world.fault("web-1").is_none());
}

#[test]
fn an_echo_tells_how_many_days_the_services_certificate_has() {
    let world = World::new();
    let authority = Ca::new("ours");
    let bundle = NamedTempFile::new().unwrap();
    bundle.as_file().write_all(authority.pem().as_bytes()).unwrap();
    let probe = world.probe_with(&[("PROBE_CA_BUNDLE", bundle.path().to_str().unwrap())]);
    let end = in_days(20) - Duration::from_secs(60);
    let service = https(&until(end), &[&authority]);
    let url = format!("https://localhost:{}/", service.address.port());
    world.put("pulse/web-1.json", &format!("{{\"url\": \"{url}\", \"min_cert_days\": 19}}"), &[]);
    world.put("pulse/web-2.json", &format!("{{\"url\": \"{url}\", \"min_cert_days\": 20}}"), &[]);

    let summary = handle(&probe, &event(&["pulse/web-1.json", "pulse/web-2.json"])).unwrap();
    assert_eq!((summary.echoes, summary.faults.len()), (vec!["web-1".to_string()], 1));
    assert_eq!(world.echo("web-1").unwrap().cert_days, Some(19));
    let fault = world.fault("web-2").unwrap();
    assert_eq!((fault.cause, fault.expected.as_deref()), (Cause::Cert, Some("at least 20 days")));
    assert!(fault.got.unwrap().starts_with("19 days, until "), "{}", fault.reason);
}

#[test]
fn a_pulse_for_an_address_that_is_not_public_gets_its_fault_and_the_service_no_request() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    handle(&world.probe_with(&[("PROBE_ALLOW", "")]), &event(&["pulse/web-1.json"])).unwrap();
    let fault = world.fault("web-1").unwrap();
    let reason = "the probe may not go to 127.0.0.1: it is a loopback address; PROBE_ALLOW=127.0.0.1/32 allows it";
    assert_eq!((fault.cause, fault.reason.as_str(), fault.status), (Cause::Blocked, reason, None));
}

#[test]
fn a_pulse_whose_service_answers_otherwise_gets_its_fault_and_the_invocation_succeeds() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1/db.json", &service.pulse("\"body\": \"up\""), &[("pulse-id", "aa")]);

    let summary = handle(&world.probe(), &event(&["pulse/web-1/db.json"])).unwrap();
    let reason = "body differs at byte 0: expected \"up\", got \"ok\"";
    let [fault] = &summary.faults[..] else { panic!("one fault: {summary:?}") };
    assert_eq!((fault.id.as_str(), fault.cause, fault.reason.as_str()), ("web-1/db", Cause::Body, reason));

    let fault = world.fault("web-1/db").unwrap();
    assert_eq!((fault.cause, fault.reason.as_str()), (Cause::Body, reason));
    assert_eq!((fault.expected.as_deref(), fault.got.as_deref()), (Some("up"), Some("ok")));
    assert_eq!((fault.status, fault.pulse_id.as_deref()), (Some(200), Some("aa")));
    assert_eq!(fault.pulse_at, world.pulse("web-1/db").last_modified);
    assert_eq!(fault.url, Some(format!("http://{}/", service.address)));
    assert_eq!(world.echo("web-1/db"), None);
}

#[test]
fn a_pulse_without_a_url_is_answered_for_having_arrived() {
    let world = World::new();
    world.put("pulse/web-1.json", "{}", &[("pulse-id", "aa")]);
    handle(&world.probe(), &event(&["pulse/web-1.json"])).unwrap();
    let echo = world.echo("web-1").unwrap();
    assert_eq!((echo.pulse_id.as_deref(), echo.status, echo.latency_ms), (Some("aa"), None, None));
}

#[test]
fn a_vital_beyond_the_limit_of_its_pulse_is_a_fault_though_all_else_is_as_expected() {
    let (world, service) = (World::new(), Service::new());
    let full = [("pulse-id", "aa"), ("disk-free-pct", "4"), ("disk-at", "/srv/my%20disk")];
    world.put("pulse/bare.json", "{\"min_disk_free_pct\": 10}", &full);
    world.put("pulse/web.json", &service.pulse("\"body\": \"ok\", \"min_disk_free_pct\": 10"), &full);
    world.put("pulse/both.json", &service.pulse("\"body\": \"no\", \"min_disk_free_pct\": 10"), &full);
    world.put("pulse/old.json", "{\"min_disk_free_pct\": 10}", &[("pulse-id", "aa")]);
    let keys = ["bare", "web", "both", "old"].map(|id| format!("pulse/{id}.json"));
    let summary = handle(&world.probe(), &event(&keys.each_ref().map(String::as_str))).unwrap();
    assert_eq!((summary.echoes, summary.faults.len()), (vec!["old".to_string()], 3), "no vital, no fault");
    let sentence = "disk 4 % free on /srv/my disk (limit 10 %)";
    for (id, status) in [("bare", None), ("web", Some(200))] {
        let fault = world.fault(id).unwrap();
        assert_eq!((fault.cause, fault.reason.as_str(), fault.status), (Cause::Vitals, sentence, status), "{id}");
        assert_eq!((fault.pulse_id.as_deref(), world.echo(id)), (Some("aa"), None));
    }
    let both = world.fault("both").unwrap();
    assert!(both.cause == Cause::Body && both.reason.ends_with(&format!("; and {sentence}")), "{both:?}");
    // It fetches nothing, so the lane of pulses without a URL judges it, too.
    world.put("pulse/lane.json", "{\"max_load1\": 8}", &[("load1", "8.01")]);
    world.probe().handle_arrivals(&event(&["pulse/lane.json"]), Instant::now() + Duration::from_secs(90)).unwrap();
    assert_eq!(world.fault("lane").unwrap().reason, "load 8.01 (limit 8)");
}

#[test]
fn a_pulse_that_cannot_be_understood_gets_a_fault_that_says_where() {
    let world = World::new();
    let large = format!("{{\"url\": \"http://127.0.0.1:9/\", \"body\": \"{}\"}}", "x".repeat(64 * 1024));
    let wide =
        format!("{{\"url\": \"http://a/\", \"status\": \"{}\"}}", "\u{1b}".repeat(10_000).replace('\u{1b}', "\\u001b"));
    for (body, reason) in [
        ("{\"url\": \n 7}", "the pulse is invalid: url: it is the number 7, but must be a text (line 2, column 2)"),
        ("{\"url\": ", "the pulse is invalid: url: the text ends within a value (line 1, column 8)"),
        (
            "{\"url\": \"ftp://a/\"}",
            "the pulse is invalid: url: its scheme is \"ftp\"; only http and https are fetched (line 1, column 19)",
        ),
        (
            "{\"url\": \"http://a/\", \"min_cert_days\": 14}",
            "the pulse is invalid: min_cert_days: the url is http, which has no certificate; only https has (line 1, \
             column 22)",
        ),
        ("", "the pulse is invalid: it is empty; the least is {} (line 1, column 1)"),
        (&large, &format!("the pulse is invalid: it has {} bytes, at most 65536 bytes are read", large.len())),
    ] {
        world.put("pulse/web-1.json", body, &[("pulse-id", "aa")]);
        handle(&world.probe(), &event(&["pulse/web-1.json"])).unwrap();
        let fault = world.fault("web-1").unwrap();
        assert_eq!((fault.cause, fault.reason.as_str()), (Cause::InvalidPulse, reason));
        assert_eq!((fault.pulse_id.as_deref(), fault.url), (Some("aa"), None));
    }
    world.put("pulse/web-1.json", &wide, &[]);
    handle(&world.probe(), &event(&["pulse/web-1.json"])).unwrap();
    let reason = world.fault("web-1").unwrap().reason;
    assert!(reason.starts_with("the pulse is invalid: status: it is the text \"\\u{1b}"), "{reason}");
    assert!(reason.contains("or a list of them (line 1, column ") && reason.len() <= 256, "{reason}");
}

#[test]
fn a_pulse_that_is_no_longer_there_is_passed_over() {
    let world = World::new();
    let summary = handle(&world.probe(), &event(&["pulse/web-1.json"])).unwrap();
    assert_eq!(summary, Summary { missing: vec!["web-1".into()], ..Summary::default() });
}

#[test]
fn an_echo_is_dropped_if_its_pulse_was_replaced_while_a_slow_service_answered() {
    let (world, service) = (World::new(), Service::new());
    let hold = service.pulse_to_hold();
    world.put("pulse/kept.json", &hold, &[("pulse-id", "aa")]);
    world.put("pulse/replaced.json", &hold, &[("pulse-id", "aa")]);
    world.put("pulse/wrong.json", &hold.replace('}', ", \"body\": \"up\"}"), &[("pulse-id", "aa")]);
    let probe = world.probe();

    let summary = thread::scope(|scope| {
        let event = event(&["pulse/kept.json", "pulse/replaced.json", "pulse/wrong.json"]);
        let handling = scope.spawn(move || handle(&probe, &event));
        let waiting: Vec<_> = service.waiting.iter().take(3).collect();
        world.put("pulse/replaced.json", &hold, &[("pulse-id", "bb")]);
        world.put("pulse/wrong.json", &hold, &[("pulse-id", "bb")]);
        // Only a fetch of over 5 s makes the probe look again.
        thread::sleep(Duration::from_millis(5100));
        drop(waiting);
        handling.join().unwrap().unwrap()
    });
    assert_eq!((summary.echoes, summary.replaced), (vec!["kept".to_string()], vec!["replaced".to_string()]));
    assert!(world.echo("kept").is_some() && world.echo("replaced").is_none());
    // A fault is put all the same, and names the pulse that it answers.
    assert_eq!(world.fault("wrong").unwrap().pulse_id.as_deref(), Some("aa"));
}

#[test]
fn the_records_of_an_event_are_answered_side_by_side() {
    let (world, service) = (World::new(), Service::new());
    let ids: Vec<_> = (0..40).map(|number| format!("web-{number}")).collect();
    let keys: Vec<_> = ids.iter().map(|id| format!("pulse/{id}.json")).collect();
    for key in &keys {
        world.put(key, &service.pulse_to_hold(), &[]);
    }
    let probe = world.probe();
    let summary = thread::scope(|scope| {
        let event = event(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let handling = scope.spawn(move || handle(&probe, &event));
        // Sixteen at once, and not one more, are held; then the rest.
        let waiting: Vec<_> = service.waiting.iter().take(16).collect();
        assert!(service.waiting.recv_timeout(Duration::from_millis(200)).is_err());
        drop(waiting);
        service.waiting.iter().take(24).for_each(drop);
        handling.join().unwrap().unwrap()
    });
    assert_eq!(summary.echoes, ids);
}

#[test]
fn trouble_of_our_own_fails_the_invocation_after_all_records_were_tried() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse("\"body\": \"ok\""), &[]);
    let mut event = event(&["pulse/web-0.json", "pulse/web-9.json", "pulse/web-1.json"]);
    event["Records"][0]["s3"]["bucket"]["name"] = json!("others");
    event["Records"][1]["eventVersion"] = json!("3.0");
    let (_, message) = error(handle(&world.probe(), &event));
    let (first, second) = message.split_once("; web-0: ").unwrap();
    assert!(first.contains("eventVersion"), "{first}");
    assert_eq!(second, "the event is of the bucket \"others\", but this probe's BUCKET is \"pulses\"");
    assert!(world.echo("web-1").is_some());
}

#[test]
fn a_store_that_cannot_be_read_is_an_error_that_names_each_record() {
    let world = World::new();
    let probe = world.probe_with(&[("AWS_SECRET_ACCESS_KEY", "wrong")]);
    let (kind, message) = error(handle(&probe, &event(&["pulse/web-1.json", "pulse/web-2.json"])));
    assert_eq!(kind, Kind::StoreFailed);
    for id in ["web-1", "web-2"] {
        assert!(message.contains(&format!("{id}: cannot get pulse/{id}.json in bucket \"pulses\"")), "{message}");
    }
    assert_eq!(message.matches("HTTP 403 SignatureDoesNotMatch").count(), 2, "{message}");
}

#[test]
fn an_invocation_that_ends_too_early_blames_no_service() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse_to_hold(), &[]);
    let soon = Instant::now() + Duration::from_millis(5500);
    let (kind, message) = error(world.probe().handle(&event(&["pulse/web-1.json"]), soon));
    let sentence =
        "web-1: the invocation ends before the 10 s that the pulse gives its service; give the function more time";
    assert_eq!((kind, message.as_str()), (Kind::OutOfTime, sentence));
    assert!(Instant::now() < soon);
    assert_eq!(world.fault("web-1"), None);
}

#[test]
fn without_a_bucket_of_its_own_the_probe_takes_that_of_the_event() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/web-1.json", &service.pulse("\"status\": 200"), &[]);
    let summary = handle(&world.probe_with(&[("BUCKET", "")]), &event(&["pulse/web-1.json"])).unwrap();
    assert_eq!(summary.echoes, ["web-1"]);
}

#[test]
fn keys_put_by_hand_count_and_those_that_are_nobodys_are_counted() {
    let (world, service) = (World::new(), Service::new());
    for key in ["pulse/a b+c%.json", "pulse/Käse/日本.json"] {
        world.put(key, &service.pulse("\"body\": \"ok\""), &[]);
    }
    let event = event(&[
        "pulse/a+b%2Bc%25.json",
        "pulse/K%C3%A4se/%E6%97%A5%E6%9C%AC.json",
        "pulse/",
        "pulse/%2E%2E/echo/web-1.json",
        "pulse/%FF.json",
        "pulse/%1B%5B2J.json",
    ]);
    let summary = handle(&world.probe(), &event).unwrap();
    assert_eq!((summary.echoes, summary.skipped), (vec!["a b+c%".to_string(), "Käse/日本".to_string()], 4));
    assert!(world.echo("a b+c%").is_some() && world.echo("Käse/日本").is_some());
}

/// The test event of the system that this one comes from, as it was published.
const ORIGINS_TEST_EVENT: &str = r#"{
  "Records": [
    {
      "eventVersion": "2.0",
      "eventTime": "1970-01-01T00:00:00.000Z",
      "requestParameters": {
        "sourceIPAddress": "127.0.0.1"
      },
      "s3": {
        "configurationId": "testConfigRule",
        "object": {
          "eTag": "0123456789abcdef0123456789abcdef",
          "sequencer": "0A1B2C3D4E5F678901",
          "key": "pulse/myhost.json",
          "size": 1024
        },
        "bucket": {
          "arn": "arn:aws:s3:::作成したバケット",
          "name": "作成したバケット",
          "ownerIdentity": {
            "principalId": "EXAMPLE"
          }
        },
        "s3SchemaVersion": "1.0"
      },
      "responseElements": {
        "x-amz-id-2": "EXAMPLE123/5678abcdefghijklambdaisawesome/mnopqrstuvwxyzABCDEFGH",
        "x-amz-request-id": "EXAMPLE123456789"
      },
      "awsRegion": "ap-northeast-1",
      "eventName": "ObjectCreated:Put",
      "userIdentity": {
        "principalId": "EXAMPLE"
      },
      "eventSource": "aws:s3"
    }
  ]
}"#;

#[test]
fn the_origins_test_event_names_its_placeholder_beside_our_bucket() {
    let world = World::new();
    let event = serde_json::from_str(ORIGINS_TEST_EVENT).unwrap();
    let sentence = "myhost: the event is of the bucket \"作成したバケット\", but this probe's BUCKET is \"pulses\"";
    assert_eq!(error(handle(&world.probe(), &event)), (Kind::BucketMismatch, sentence.into()));
}

#[test]
fn the_origins_test_event_with_the_bucket_filled_in_gets_its_echo() {
    let (world, service) = (World::new(), Service::new());
    world.put("pulse/myhost.json", &service.pulse("\"body\": \"ok\""), &[]);
    let event = serde_json::from_str(&ORIGINS_TEST_EVENT.replace("作成したバケット", BUCKET)).unwrap();
    assert_eq!(handle(&world.probe(), &event).unwrap().echoes, ["myhost"]);
    assert!(world.echo("myhost").is_some());
}

/// A front of the store that answers the GET of this pulse itself, and passes all else on.
fn front(store: SocketAddr, pulse: &'static str, answers: &'static str) -> Server {
    Server::new(move |mut stream, _| {
        let head = read_head(&mut stream);
        let body = read_body(&mut stream, &head);
        if head.starts_with(&format!("GET /{BUCKET}/pulse/{pulse}?")) {
            return stream.write_all(answers.as_bytes()).unwrap();
        }
        let mut store = TcpStream::connect(store).unwrap();
        let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        store.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let _ = io::copy(&mut store, &mut stream);
    })
}

#[test]
fn a_pulse_that_the_store_withholds_is_invalid_and_spares_the_others() {
    for (answers, said) in [
        (
            "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n<Error><Code>InvalidObjectState</Code>\
             <Message>The operation is not valid for the object's storage class</Message></Error>",
            "HTTP 403 InvalidObjectState",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n<Error><Code>InvalidRequest</Code><Message>The \
             object was stored using a form of Server Side Encryption</Message></Error>",
            "HTTP 400 InvalidRequest",
        ),
    ] {
        let world = World::new();
        let front = front(world.s3.address(), "bad.json", answers);
        for name in ["bad", "good"] {
            world.put(&format!("pulse/{name}.json"), "{}", &[]);
        }
        let probe = world.probe_with(&[("AWS_ENDPOINT_URL", &format!("http://{}", front.address))]);
        let summary = handle(&probe, &event(&["pulse/bad.json", "pulse/good.json"])).unwrap();
        assert_eq!((summary.echoes, summary.faults.len()), (vec!["good".to_string()], 1));
        let fault = world.fault("bad").unwrap();
        assert_eq!((fault.cause, fault.pulse_at), (Cause::InvalidPulse, world.pulse("bad").last_modified));
        assert!(fault.reason.contains(said), "{}", fault.reason);
    }
}

#[test]
fn a_pulse_that_the_store_denies_is_trouble_of_our_own() {
    let world = World::new();
    let answers = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>";
    let front = front(world.s3.address(), "bad.json", answers);
    world.put("pulse/bad.json", "{}", &[]);
    let probe = world.probe_with(&[("AWS_ENDPOINT_URL", &format!("http://{}", front.address))]);
    assert_eq!(error(handle(&probe, &event(&["pulse/bad.json"]))).0, Kind::StoreFailed);
    assert_eq!(world.fault("bad"), None);
}
