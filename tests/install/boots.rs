//! Both packages where systemd runs, over a reboot.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use pulse_echo_core::metadata::Metadata;
use pulse_echo_local::s3::{KeyPair, Options, Server};
use pulse_echo_testkit::store::{ACCESS_KEY, SECRET_KEY};
use pulse_echo_testkit::tls::Ca;
use tempfile::TempDir;

use crate::machine::Machine;
use crate::packages::{Older, deb, local_deb};

/// Says whether the timer is enabled, and whether it runs.
const TIMER: &str = "systemctl is-enabled pulse-echo.timer; systemctl is-active pulse-echo.timer";

/// An old data folder, as root once made it: from before there were packages.
fn old_data() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let server = Server::start(Options {
        listen,
        ..Options::new(folder.path(), "pulse-echo", KeyPair::new(ACCESS_KEY, SECRET_KEY))
    })
    .unwrap();
    server.fill((0..300).map(|n| (format!("pulse/old-{n}.json"), b"{}".to_vec(), Metadata::new()))).unwrap();
    server.stop();
    let keys = format!("AWS_ACCESS_KEY_ID={ACCESS_KEY}\nAWS_SECRET_ACCESS_KEY={SECRET_KEY}\n");
    let file = folder.path().join("keys");
    fs::write(&file, keys).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// Two authorities, each with a certificate for this machine: `first.ca`, `first.pem`, `first.key`, `second.…`.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["first", "second"] {
        let ca = Ca::new(name);
        let (certificate, key) = ca.pem_of(&["127.0.0.1"]);
        for (end, text) in [("ca", ca.pem()), ("pem", certificate), ("key", key)] {
            fs::write(folder.path().join(format!("{name}.{end}")), text).unwrap();
        }
    }
    folder
}

pub fn from_install_over_a_reboot_to_removal() {
    let (older, data) = (Older::pack("deb"), old_data());
    let certificates = certificates();
    let mut files = vec![deb("amd64"), older.file(), local_deb("amd64")];
    files.extend(fs::read_dir(certificates.path()).unwrap().map(|entry| entry.unwrap().path()));
    let mut machine = Machine::boot(&files, data.path());

    // The server takes over the old folder, and runs as its own user behind closed doors.
    machine.ok("dpkg -i /root/pulse-echo-local_*.deb");
    machine.wait("systemctl is-active pulse-echo-local");
    // The unit is active as soon as the program runs, and an emulated machine takes a while until it serves.
    let serves = |times| format!("test $(journalctl -u pulse-echo-local | grep -c 'bucket pulse-echo at') -ge {times}");
    machine.wait(&serves(1));
    machine.ok("sed -i 's|^#OPTIONS=.*|OPTIONS=--page 127.0.0.1:9811|' /etc/pulse-echo-local/env");
    machine.ok("systemctl restart pulse-echo-local");
    let healthz = "exec 3<>/dev/tcp/127.0.0.1/9811
        printf 'GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3; cat <&3 | grep -o '^ok: .*'";
    machine.wait(healthz);
    machine.wait(&serves(2));
    let owners = machine
        .ok("stat -c '%a %U %n' /var/lib/pulse-echo-local /var/lib/pulse-echo-local/* /etc/pulse-echo-local/env");
    let wanted = "700 pulse-echo-local /var/lib/pulse-echo-local
600 pulse-echo-local /var/lib/pulse-echo-local/keys
600 pulse-echo-local /var/lib/pulse-echo-local/objects.redb
640 root /etc/pulse-echo-local/env";
    assert!(wanted.lines().all(|line| owners.contains(line)), "{owners}");
    machine.ok("systemd-analyze security --threshold=20 pulse-echo-local.service");
    let journal = machine.ok("journalctl -u pulse-echo-local -o cat --priority info");
    assert!(journal.contains("bucket pulse-echo at http://127.0.0.1:9810"), "{journal}");
    assert!(!journal.contains(SECRET_KEY) && !journal.contains("<6>"), "{journal}");
    let warnings = machine.ok("journalctl -u pulse-echo-local -o cat --priority warning");
    assert!(!warnings.contains("bucket pulse-echo at"), "a line of how it is has a level of its own: {warnings}");

    // Without cron the timer sends. An upgrade keeps it as it is, on or off.
    machine.ok("dpkg -i /root/pulse-echo_0.0.9-1_amd64.deb");
    assert_eq!(machine.ok(TIMER), "enabled\nactive");
    let keys = format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
    machine.ok(&format!("cat >/etc/pulse-echo/credentials <<'END'\n{keys}END"));
    machine.ok(
        "echo '{\"bucket\": \"pulse-echo\", \"endpoint\": \"http://127.0.0.1:9810\"}' >/etc/pulse-echo/config.json",
    );
    machine.ok("echo '{}' >/etc/pulse-echo/pulse.json");
    machine.ok("systemctl disable --now pulse-echo.timer");
    let upgrade = "dpkg --force-confdef --force-confold -i /root/pulse-echo_0.1*_amd64.deb";
    machine.ok(upgrade);
    assert_eq!(machine.run(TIMER).1, "disabled\ninactive");
    machine.ok("systemctl enable --now pulse-echo.timer");
    machine.ok(upgrade);
    assert_eq!(machine.ok(TIMER), "enabled\nactive");
    machine.ok("date -s \"$(date -d '10 min' +'%F %H:'$(date -d '10 min' +%M | sed 's/.$/9/')':55')\"");
    machine.wait("pulse-echo check --host web-731 | grep -o 'ECHO OK - web-731'");
    let doctor = machine.ok("pulse-echo doctor");
    assert!(doctor.contains("✓ schedule: systemd's timer pulse-echo.timer"), "{doctor}");

    // A host's own key counts at once, and a new certificate does, without a restart.
    let key = "pulse-echo-local key add --data /var/lib/pulse-echo-local --to /root/web-731 web-731";
    machine.ok(key);
    let by_key = "AWS_SHARED_CREDENTIALS_FILE=/root/web-731/credentials pulse-echo";
    machine.wait(&format!("{by_key} send"));
    assert_ne!(machine.run(&format!("{by_key} send --host web-2")).0, 0, "it is one host's key");
    let put = |name: &str| {
        let install = "install -m 640 -g pulse-echo-local /root/NAME.END /etc/pulse-echo-local/server.END";
        ["pem", "key"].map(|end| install.replace("NAME", name).replace("END", end)).join(" && ")
    };
    let by_tls = "pulse-echo --endpoint https://127.0.0.1:9810 send";
    machine.ok(&put("first"));
    let options = "--tls-cert /etc/pulse-echo-local/server.pem --tls-key /etc/pulse-echo-local/server.key";
    machine.ok(&format!("sed -i 's|^OPTIONS=.*|& {options}|' /etc/pulse-echo-local/env"));
    machine.ok("systemctl restart pulse-echo-local");
    machine.wait(&format!("AWS_CA_BUNDLE=/root/first.ca {by_tls}"));
    let pid = machine.ok("systemctl show -P MainPID pulse-echo-local");
    machine.ok(&format!("{} && systemctl reload pulse-echo-local", put("second")));
    machine.wait(&format!("AWS_CA_BUNDLE=/root/second.ca {by_tls}"));
    assert_eq!(machine.ok("systemctl show -P MainPID pulse-echo-local"), pid);
    machine.ok("sed -i 's| --tls-cert.*||' /etc/pulse-echo-local/env && systemctl restart pulse-echo-local");

    // Killed, it is there again, with all that it had.
    let first = machine.ok("systemctl show -P MainPID pulse-echo-local");
    machine.ok(&format!("kill -9 {first}"));
    machine.wait(&format!(
        "systemctl is-active pulse-echo-local && test $(systemctl show -P MainPID pulse-echo-local) != {first}"
    ));
    machine.wait("pulse-echo check --host web-731");
    let count = "pulse-echo status --json 2>/dev/null | grep -o 'old-[0-9]*' | sort -u | wc -l";
    machine.wait(&format!("test $({count}) = 300"));

    machine.reboot();
    machine.wait("systemctl is-active pulse-echo-local");
    assert_eq!(machine.ok(TIMER), "enabled\nactive");
    machine.wait(&format!("test $({count}) = 300"));
    // Its clock is this machine's again, behind the time that was set above: a pulse of now counts.
    machine.wait("pulse-echo run");
    machine.wait("pulse-echo doctor");

    machine.ok("dpkg -r pulse-echo");
    assert_eq!(machine.run("systemctl is-active pulse-echo.timer").1, "inactive");
    machine.ok("dpkg -r pulse-echo-local");
    assert_eq!(machine.run("systemctl is-active pulse-echo-local").1, "inactive");
    machine.ok("test -s /var/lib/pulse-echo-local/objects.redb && test -e /etc/pulse-echo-local/env");
    machine.ok("dpkg -P pulse-echo-local pulse-echo");
    machine.ok("test ! -e /var/lib/pulse-echo-local && test ! -e /etc/pulse-echo-local && test ! -e /etc/pulse-echo");
    assert_eq!(machine.run("systemctl --failed --plain --no-legend").1, "");
}
