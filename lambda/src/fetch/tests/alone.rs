//! The guard in a network of its own, where nothing but the guard keeps the probe from a refused address: each that
//! this machine can have leads to a server. Nothing of it can leave the machine.

use std::env;
use std::process::Command;

use super::guard::{HOSTS, Names, blocked};
use super::*;

const SET_UP: &str = "ip link set lo up && exec \"$0\" \"$@\"";

/// `true` in a network namespace, with these arguments; `None` where none can be made, which fails under CI.
fn in_a_namespace(arguments: &[&str]) -> Option<Command> {
    let namespace = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", SET_UP]).args(arguments);
        command
    };
    if !namespace(&["true"]).output().is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("CI").is_none(), "no network namespace can be made: it takes unshare, ip and the right");
        return None;
    }
    Some(namespace(arguments))
}

#[test]
fn nothing_but_the_guard_keeps_the_probe_from_an_address() {
    let program = env::current_exe().unwrap();
    let story = ["--exact", "fetch::tests::alone::each_form_leads_to_a_server_where_it_is_allowed", "--ignored"];
    let Some(mut command) = in_a_namespace(&[&[program.to_str().unwrap()], &story[..]].concat()) else { return };
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(" 1 passed"), "{said}");
}

/// Gives this address to the machine. Returns whether it leads to the server at this port now: some addresses no
/// machine can have.
fn take(address: &str, port: u16) -> bool {
    let ip = address.parse::<IpAddr>().unwrap();
    let (net, option): (u8, &[&str]) = if ip.is_ipv6() { (128, &["nodad"]) } else { (32, &[]) };
    let mut command = Command::new("ip");
    command.args(["address", "add", &format!("{address}/{net}"), "dev", "lo"]).args(option);
    // 127.0.0.0/8 and ::1 are there already.
    let is_there = ip.is_loopback() || command.output().unwrap().status.success();
    is_there
        && TcpStream::connect((ip, port)).is_ok_and(|mut stream| {
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_ok() && stream.read(&mut [0]).is_ok_and(|bytes| bytes == 1)
        })
}

#[test]
#[ignore = "this runs in a network namespace, by another test"]
fn each_form_leads_to_a_server_where_it_is_allowed() {
    let reply = |mut stream: TcpStream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(answer(200, "ok").as_bytes());
    };
    let server = Server::on("::", reply);
    let port = server.address.port();
    let (mut forms, mut open) = (0, 0);
    for (host, address) in HOSTS {
        let is_there = take(address, port);
        let system = || -> Arc<dyn Resolver> { Arc::new(SystemResolver::default()) };
        let names = |addresses: &[&str]| -> Arc<dyn Resolver> { Names::new(&[addresses]) };
        for (host, resolver) in [
            (host, system()),
            // A name that leads there, alone and beside a public address.
            ("a.example", names(&[address])),
            ("b.example", names(&["93.184.216.34", address])),
        ] {
            let (url, before) = (format!("http://{host}:{port}/"), server.connections());
            blocked(&web_by(&[("PROBE_ALLOW", "")], resolver.clone()), &url, "");
            assert_eq!(server.connections(), before, "{url}");
            forms += 1;
            // But for the guard the probe would be there.
            if is_there && host != "b.example" {
                let web = web_by(&[("PROBE_ALLOW", "0.0.0.0/0 ::/0")], resolver);
                assert_eq!(check_within(PULSES_OWN, &web, &url, "").verdict, Ok(()), "{url}");
                open += 1;
            }
        }
    }
    assert!(forms > 200 && open > 100, "{forms} forms, {open} lead to a server");
}
