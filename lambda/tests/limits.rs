//! A hundred bad servers in a row, and what they leave behind. Alone in its process, whose threads and memory it
//! counts.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use pulse_echo_lambda::probe::FailedCheck;
use pulse_echo_testkit::server::{Server, read_head};
use pulse_echo_testkit::world::{World, event};

/// How much memory they may take in all, in KiB. The store and the servers are in this process, too, and take up to
/// 32 MiB on a busy machine; what is read without an end takes gigabytes.
const ROOM: u64 = 64 * 1024;

/// What a request for each of these paths is answered with: how it begins, and how it goes on without end.
const HOSTILE: [(&str, &str, &str); 8] = [
    ("/header", "HTTP/1.1 200 OK\r\nx: ", "x"),
    ("/headers", "HTTP/1.1 200 OK\r\n", "x: y\r\n"),
    ("/early", "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    ("/junk", "", "<html>"),
    ("/body", "HTTP/1.1 200 OK\r\n\r\n", "x"),
    ("/chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    ("/bomb", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", "\0"),
    ("/silent", "", ""),
];

/// Answers as the path says, fast or slowly.
fn serve(mut stream: TcpStream) {
    let head = read_head(&mut stream);
    let Some((_, begin, more)) = HOSTILE.iter().find(|(path, ..)| head.starts_with(&format!("GET {path}/"))) else {
        return;
    };
    let (times, pause) = if head.contains("/fast ") { (8192, Duration::ZERO) } else { (1, Duration::from_millis(50)) };
    let more = more.repeat(times);
    // Where there is nothing to write, only looking tells that the client is gone.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(1)));
    let _ = stream.write_all(begin.as_bytes());
    while stream.write_all(more.as_bytes()).is_ok() && stream.peek(&mut [0]).map_or(true, |came| came > 0) {
        thread::sleep(pause);
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// A line of `/proc/self/status`, in KiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn a_hundred_hostile_servers_in_a_row_leave_no_thread_and_no_memory_behind() {
    let world = World::new();
    let server = Server::new(|stream, _| serve(stream));
    let mut keys = Vec::new();
    for number in 0..100 {
        let (path, ..) = HOSTILE[number % HOSTILE.len()];
        let speed = if (number / HOSTILE.len()).is_multiple_of(2) { "fast" } else { "slow" };
        let url = format!("http://{}{path}/{speed}", server.address);
        let key = format!("pulse/web-{number}.json");
        world.put(&key, &format!("{{\"url\": \"{url}\", \"contains\": \"ok\", \"timeout_s\": 1}}"), &[]);
        keys.push(key);
    }
    let probe = world.probe();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    // One before, for what is set up only once.
    probe.handle(&event(&keys[..1]), Instant::now() + Duration::from_secs(90)).unwrap();
    let (threads_before, memory_before) = (threads(), memory("VmRSS"));

    for keys in keys.chunks(10) {
        let started = Instant::now();
        let summary = probe.handle(&event(keys), started + Duration::from_secs(90)).unwrap();
        assert_eq!(summary.faults.len(), keys.len(), "{summary:?}");
        // Each is given up by its pulse, side by side, and none by the end of the invocation.
        assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
        for FailedCheck { id, reason, .. } in summary.faults {
            assert!(reason.len() <= 256 && !reason.contains(char::is_control), "{id}: {reason}");
        }
    }
    let taken = memory("VmHWM") - memory_before;
    assert!(taken < ROOM, "{taken} KiB");
    let end = Instant::now() + Duration::from_secs(30);
    while threads() > threads_before {
        assert!(Instant::now() < end, "{} threads before, {} after", threads_before, threads());
        thread::sleep(Duration::from_millis(50));
    }
    println!("{taken} KiB at most above {memory_before}; {threads_before} threads before and after");
}
