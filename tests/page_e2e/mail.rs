//! A check that falls, changes its cause and comes back, as a real mail server takes it and a mail reader shows it:
//! Postfix with STARTTLS and a login, and mutt, in a Debian of their own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use pulse_echo_testkit::local::{FREE_PORT, Running, operators_store, serve};
use pulse_echo_testkit::server::{Reply, Server};
use pulse_echo_testkit::tally::Tally;
use pulse_echo_testkit::tls::Ca;

use crate::alertmanager::{pulse, wait};
use crate::prometheus::Killed;

/// Where mails of the user `ops` arrive, in that Debian.
const BOX: &str = "var/mail/ops";

/// Postfix's services that take a mail and put it into a box.
const SERVICES: &str = "\
cleanup   unix      n - n - 0 cleanup
qmgr      unix      n - n 300 1 qmgr
tlsmgr    unix      - - n 1000? 1 tlsmgr
rewrite   unix      - - n - - trivial-rewrite
bounce    unix      - - n - 0 bounce
defer     unix      - - n - 0 bounce
trace     unix      - - n - 0 bounce
proxymap  unix      - - n - - proxymap
local     unix      - n n - - local
anvil     unix      - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
";

/// Runs the story of mails.
pub fn tell(tally: &mut Tally, tools: &Path) {
    tally.run("an outage is one thread in a mail reader, by STARTTLS and a login: down, still down, its end", || {
        tells_an_outage(&tools.join("debian"))
    });
}

fn tells_an_outage(debian: &Path) -> Result<(), String> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (ca, data) = (Ca::new("the site's CA"), tempfile::tempdir().unwrap());
    configure(debian, port, &ca.pem_of(&["localhost"])).map_err(|error| error.to_string())?;
    let within = |words: &[&str]| {
        let mut command = Command::new("chroot");
        command.arg(debian).args(words).stdin(Stdio::null());
        command
    };
    // It makes the folders that are missing.
    let checked = within(&["postfix", "check"]).output().map_err(|error| error.to_string())?;
    if !checked.status.success() {
        return Err(format!("postfix check says {}", String::from_utf8_lossy(&checked.stderr)));
    }
    let postfix = within(&["/usr/lib/postfix/sbin/master", "-d"]).spawn();
    let _postfix = Killed(postfix.map_err(|error| error.to_string())?);
    let bundle = data.path().join("ca.pem");
    fs::write(&bundle, ca.pem()).unwrap();

    let status = Arc::new(AtomicU16::new(500));
    let answers = status.clone();
    let service = Server::replying(move |_| Reply::of(answers.load(Ordering::SeqCst), ""));
    let url = format!("smtp://me%40mail.example.com:a%20p%40ss%2Fword@localhost:{port}?tls=required");
    let variables = [
        ("TICK_S", "5"),
        ("MIN_INTERVAL_S", "0"),
        ("PROBE_CA_BUNDLE", bundle.to_str().unwrap()),
        ("SMTP_URL", &url),
        ("SMTP_FROM", "alerts@example.com"),
        ("SMTP_TO", "ops@example.com"),
    ];
    let folder = data.path().join("store");
    let mut local = Running::of(serve(&folder, &FREE_PORT).envs(variables));
    let endpoint = local.endpoint();
    let store = operators_store(&endpoint, &folder);
    let arrives = |count: usize, what: &str| {
        wait(what, || {
            let box_of = fs::read_to_string(debian.join(BOX)).unwrap_or_default();
            match box_of.matches("\nSubject: ").count() {
                so_many if so_many == count => Ok(()),
                so_many => Err(format!("{so_many} mails; the server says {}", log(debian))),
            }
        })
    };

    pulse(&store, &service.url(), 0);
    arrives(1, "it is told down")?;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    pulse(&store, &format!("http://{closed}/"), 1);
    arrives(2, "the other cause is told")?;
    pulse(&store, "http://nosuch.invalid/", 2);
    arrives(3, "a third cause is told")?;
    status.store(200, Ordering::SeqCst);
    pulse(&store, &service.url(), 3);
    arrives(4, "its end is told")?;
    local.signal("-TERM");
    local.end();

    let mails = fs::read_to_string(debian.join(BOX)).map_err(|error| error.to_string())?;
    println!("{}", mails.split("\nFrom ").next().unwrap_or_default());
    if mails.matches("with ESMTPSA").count() != 4 {
        return Err(format!("mails came without TLS or a login: {mails}"));
    }
    let shown = index(debian)?;
    println!("{shown}");
    // The tree of one thread, with its last branch last.
    let tree = ["-->pulse-echo: DOWN web-1", "|->pulse-echo: STILL DOWN web-1", "`->pulse-echo: UP web-1"];
    let is_one = shown.matches("->").count() == 4 && shown.matches(tree[1]).count() == 2;
    if is_one && tree.iter().all(|branch| shown.contains(branch)) { Ok(()) } else { Err(format!("mutt shows {shown}")) }
}

/// Settings for a server that takes mails through TLS from who has logged in, for a user of its own.
fn configure(debian: &Path, port: u16, (certificate, key): &(String, String)) -> std::io::Result<()> {
    let etc = debian.join("etc/postfix");
    fs::write(etc.join("certificate.pem"), certificate)?;
    fs::write(etc.join("key.pem"), key)?;
    fs::write(
        etc.join("main.cf"),
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = example.com\nalias_maps =\n\
         inet_interfaces = loopback-only\ninet_protocols = ipv4\nmaillog_file = /var/log/postfix.log\n\
         smtpd_tls_cert_file = /etc/postfix/certificate.pem\nsmtpd_tls_key_file = /etc/postfix/key.pem\n\
         smtpd_tls_security_level = encrypt\nsmtpd_tls_auth_only = yes\nsmtpd_sasl_auth_enable = yes\n\
         cyrus_sasl_config_path = /etc/postfix/sasl\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n",
    )?;
    fs::write(etc.join("master.cf"), format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}"))?;
    fs::create_dir_all(etc.join("sasl"))?;
    fs::write(
        etc.join("sasl/smtpd.conf"),
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n",
    )?;
    let passwd = fs::read_to_string(debian.join("etc/passwd"))?;
    let ops = passwd.lines().find_map(|line| line.strip_prefix("ops:x:")?.split(':').next()?.parse().ok());
    fs::write(debian.join(BOX), "")?;
    chown(debian.join(BOX), ops, None)?;
    let _ = fs::remove_file(debian.join("var/log/postfix.log"));
    Ok(())
}

fn log(debian: &Path) -> String {
    fs::read_to_string(debian.join("var/log/postfix.log")).unwrap_or_default()
}

/// The index of the box as mutt shows it, without what moves the cursor.
fn index(debian: &Path) -> Result<String, String> {
    // In the foreground: mutt would wait for ever for a terminal that belongs to the shell.
    let mutt = "stty cols 110 rows 14; TERM=vt100 exec timeout --foreground --kill-after 5 10 chroot \"$DEBIAN\" mutt \
                -n -F /dev/null -R -f /var/mail/ops -e 'set folder=/var/mail sort=threads ascii_chars=yes help=no' \
                -e 'push <refresh><exit>'";
    let mut script = Command::new("timeout");
    script.args(["--kill-after", "5", "30", "script", "-qec", mutt, "/dev/null"]);
    script.env("DEBIAN", debian).env("SHELL", "/bin/sh").stdin(Stdio::null());
    let output = script.output().map_err(|error| format!("script: {error}"))?;
    let shown = String::from_utf8_lossy(&output.stdout);
    let mut parts = shown.split('\u{1b}');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic() || c == '=' || c == '>').map_or(0, |at| at + 1);
        // Where the cursor goes to another place, a new piece begins.
        text.extend([if part[..end].ends_with('H') { "\n" } else { "" }, &part[end..]]);
    }
    Ok(text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}
