//! How the probe takes leave.

use std::io;

use super::*;

/// Sends these bytes, the last half of them a little later, and says how the client closed the connection.
fn leave(answer: &[u8], fields: &str) -> io::Result<()> {
    let answer = answer.to_vec();
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, _| {
        read_head(&mut stream);
        let (first, last) = answer.split_at(answer.len() / 2);
        stream.write_all(first).unwrap();
        thread::sleep(Duration::from_millis(30));
        let closed = stream.write_all(last).and_then(|()| stream.read(&mut [0]));
        // Where the client had closed it before, the end came first, and then the reset.
        let _ = tell.send(closed.and_then(|_| stream.take_error()?.map_or(Ok(()), Err)));
    });
    check(&server.url(), fields).verdict.unwrap();
    told.recv().unwrap()
}

#[test]
fn a_connection_is_not_reset_where_a_little_more_reading_ends_the_body() {
    let body = "x".repeat(40_000);
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9c40\r\n{body}\r\n0\r\n\r\n");
    for answer in [answer(200, &body), chunked] {
        for fields in ["", "\"contains\": \"xx\""] {
            // A machine that is busy may be too late with the rest.
            let closed = (0..9).map(|_| leave(answer.as_bytes(), fields)).find(Result::is_ok);
            assert!(closed.is_some(), "{fields}");
        }
    }
}

#[test]
fn of_a_body_that_is_far_from_its_end_only_a_little_is_read() {
    let (tell, told) = mpsc::channel();
    let server = Server::new(move |mut stream, _| {
        read_head(&mut stream);
        // More than the buffers of any two sockets hold, so who does not read it all makes a write fail.
        let piece = vec![b'x'; 1024 * 1024];
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").unwrap();
        let _ = tell.send((0..1024).try_for_each(|_| stream.write_all(&piece)));
    });
    check(&server.url(), "").verdict.unwrap();
    told.recv().unwrap().unwrap_err();
}

#[test]
fn taking_leave_does_not_count_as_latency_and_ends() {
    let server = Server::new(|mut stream, _| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nready, and").unwrap();
        until_closed(stream);
    });
    let started = Instant::now();
    let checked = check(&server.url(), "\"contains\": \"ready\"");
    assert_eq!(checked.verdict, Ok(()));
    let latency = Duration::from_millis(checked.latency_ms.unwrap());
    assert!(latency + Duration::from_millis(90) < started.elapsed(), "{latency:?}");
    assert!(started.elapsed() < PULSES_OWN);
}
