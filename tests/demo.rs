//! The guided demo with the real agent.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use pulse_echo_local::demo::{Options, demo};

fn walk(url: Option<&str>, body: Option<&str>) -> Result<(), String> {
    let agent = env!("CARGO_BIN_EXE_pulse-echo").into();
    let options = Options { url: url.map(Into::into), body: body.map(Into::into), agent: Some(agent) };
    demo(&options, &|_| None, &|| false)
}

/// A service that answers this to whatever it is asked, until the test ends.
fn service(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/?a=b&c='d'", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = write!(stream, "{head}{body}");
        }
    });
    url
}

#[test]
fn it_walks_to_its_end() {
    assert_eq!(walk(None, None), Ok(()));
}

#[test]
fn an_address_of_the_users_own_is_held_against_the_body_that_they_give() {
    let answer = "it's \"ok\": $HOME `id`";
    let url = service(answer);
    assert_eq!(walk(Some(&url), None), Ok(()));
    assert_eq!(walk(Some(&url), Some(answer)), Ok(()));
    let bad = Err(format!("{url} did not answer as expected; the chain itself works"));
    assert_eq!(walk(Some(&url), Some("it's ok")), bad);
}
