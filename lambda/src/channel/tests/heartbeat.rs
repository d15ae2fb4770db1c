use super::*;
use pulse_echo_testkit::server::{answer, until_closed};

fn heartbeat(url: &str) -> Heartbeat {
    with_means(&[("HEARTBEAT_URL", url)], Heartbeat::read).unwrap().unwrap()
}

#[test]
fn the_heartbeat_fetches_its_address_once() {
    let (server, told) = recording(&answer(200, "OK"));
    heartbeat(&format!("{}ping/SECRET", server.url())).beat(soon());
    assert!(told.recv().unwrap().head.starts_with("GET /ping/SECRET HTTP/1.1"));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_heartbeat_that_nobody_takes_ends_by_its_deadline_and_without_an_error() {
    let server = Server::new(|stream, _| until_closed(stream));
    let started = Instant::now();
    heartbeat(&server.url()).beat(started + Duration::from_millis(300));
    assert!((Duration::from_millis(300)..Duration::from_secs(20)).contains(&started.elapsed()));
    heartbeat("http://127.0.0.1:1/").beat(soon());
    heartbeat(&Server::answering(&[&answer(500, "")]).url()).beat(soon());
}

#[test]
fn without_its_variable_there_is_none() {
    assert!(with_means(&[("HEARTBEAT_URL", "")], Heartbeat::read).unwrap().is_none());
    let error = with_means(&[("HEARTBEAT_URL", "example.com/SECRET")], Heartbeat::read).err().unwrap();
    assert_eq!(error, "HEARTBEAT_URL cannot be used: it is no URL; it must begin with http:// or https://");
}
