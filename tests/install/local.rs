//! The packages of `pulse-echo-local`, where systemd does not run. `boots` has them where it does.

use std::fs;
use std::path::Path;
use std::process::Command;

use pulse_echo_testkit::agent::Ended;

use crate::packages::{Older, local_deb, local_rpm};
use crate::root::Root;

/// What both packages have: mode, owner and group, path.
const FILES: [&str; 9] = [
    "644 root:root /usr/lib/systemd/system/pulse-echo-local.service",
    "644 root:root /usr/share/doc/pulse-echo-local/THIRD-PARTY.gz",
    "644 root:root /usr/share/doc/pulse-echo-local/changelog.gz",
    "644 root:root /usr/share/doc/pulse-echo-local/copyright",
    "644 root:root /usr/share/man/man1/pulse-echo-local.1.gz",
    "640 root:root /etc/pulse-echo-local/env",
    "755 root:root /etc/pulse-echo-local",
    "755 root:root /usr/bin/pulse-echo-local",
    "755 root:root /usr/share/doc/pulse-echo-local",
];
const OF_DEB: &str = "644 root:root /usr/share/doc/pulse-echo-local/changelog.Debian.gz";
const ENV: &str = "etc/pulse-echo-local/env";
const DATA: &str = "var/lib/pulse-echo-local";
const ENABLED: &str = "etc/systemd/system/multi-user.target.wants/pulse-echo-local.service";

/// The files of a package that are in a root since `before`, without the links and notes by which systemd knows that a
/// service is enabled.
fn lies(root: &Root, before: &std::collections::BTreeSet<String>) -> Vec<String> {
    let is_systemds = |file: &String| file.contains("/etc/systemd/") || file.contains("/var/lib/systemd/");
    let mut files: Vec<_> = root.since(before).into_iter().filter(|file| !is_systemds(file)).collect();
    files.sort_unstable();
    files
}

fn listed(further: &[&str]) -> Vec<String> {
    let mut files: Vec<_> = FILES.iter().chain(further).map(ToString::to_string).collect();
    files.sort_unstable();
    files
}

/// Starts the server as its user, has it print its line, and stops it.
fn serves(root: &Root) -> Ended {
    let serve = "timeout --signal=TERM 5 pulse-echo-local serve --listen 127.0.0.1:0 --data /var/lib/pulse-echo-local";
    root.run_as("pulse-echo-local", &["sh", "-c", &format!("{serve} || test $? = 124")])
}

pub fn deb_from_install_to_purge() {
    let (root, older) = (Root::new(), Older::pack_local("deb"));
    let before = root.files();
    // A data folder from before there was a package.
    root.ok(&["dpkg", "-i", &root.take(&older.file())]);
    assert_eq!(lies(&root, &before), listed(&[OF_DEB]));
    assert!(root.has(ENABLED), "Debian's services are enabled at once");
    let user = root.ok(&["getent", "passwd", "pulse-echo-local"]);
    assert!(user.ends_with(":/var/lib/pulse-echo-local:/usr/sbin/nologin\n"), "{user}");
    root.ok(&[
        "install",
        "-d",
        "-m",
        "700",
        "-o",
        "pulse-echo-local",
        "-g",
        "pulse-echo-local",
        "/var/lib/pulse-echo-local",
    ]);
    let first = serves(&root);
    assert!(first.stdout.contains("AWS_SECRET_ACCESS_KEY="), "{first:?}");
    let keys = root.read(&format!("{DATA}/keys"));

    // An upgrade keeps settings, keys, objects, user, and that the operator has switched it off.
    root.write(ENV, "SLACK_URL=https://hooks.slack.example/\n");
    root.ok(&["systemctl", "disable", "pulse-echo-local.service"]);
    let upgrade = ["dpkg", "--force-confdef", "--force-confold", "-i"];
    root.ok(&[&upgrade[..], &[&root.take(&local_deb("amd64"))]].concat());
    assert_eq!(root.ok(&["dpkg-query", "-W", "-f", "${Version}", "pulse-echo-local"]), "0.1.0-1");
    assert_eq!(root.read(ENV), "SLACK_URL=https://hooks.slack.example/\n");
    assert!(root.files().contains(&format!("640 root:root /{ENV}")) && !root.has(ENABLED));
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo-local"]), user);
    let second = serves(&root);
    assert!(second.stdout.is_empty() && second.stderr.contains("bucket pulse-echo at "), "{second:?}");
    assert_eq!(root.read(&format!("{DATA}/keys")), keys);

    root.ok(&["dpkg", "--remove", "pulse-echo-local"]);
    assert!(root.has(ENV) && root.has(&format!("{DATA}/objects.redb")) && !root.has("usr/bin/pulse-echo-local"));
    root.ok(&["dpkg", "--purge", "pulse-echo-local"]);
    assert_eq!(root.since(&before), [] as [&str; 0]);
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo-local"]), user, "nobody else gets its number");
}

pub fn rpm_from_install_to_erase() {
    let (root, older) = (Root::new(), Older::pack_local("rpm"));
    let rpm = |mode: &[&str], package: &Path| {
        let said =
            Ended::of(Command::new("rpm").arg("--root").arg(root.path("")).arg("--nodeps").args(mode).arg(package));
        assert!(said.code == 0 && !said.stderr.contains("scriptlet"), "{said:?}");
    };
    let before = root.files();
    rpm(&["-i"], &older.file());
    assert_eq!(lies(&root, &before), listed(&[]));
    root.write(ENV, "TICK_S=30\n");
    rpm(&["-U"], &local_rpm());
    assert_eq!(root.read(ENV), "TICK_S=30\n");
    root.ok(&["install", "-d", "-m", "700", "-o", "pulse-echo-local", "/var/lib/pulse-echo-local"]);
    let served = serves(&root);
    assert!(served.stdout.contains("AWS_SECRET_ACCESS_KEY="), "{served:?}");
    rpm(&["-e"], Path::new("pulse-echo-local"));
    assert!(root.has(&format!("{DATA}/objects.redb")) && !root.has("usr/bin/pulse-echo-local") && !root.has(ENABLED));
    assert_eq!(root.read(&format!("{ENV}.rpmsave")), "TICK_S=30\n");
}

pub fn systemd_takes_the_unit() {
    let root = Root::new();
    root.ok(&["dpkg", "-i", &root.take(&local_deb("amd64"))]);
    let analyze = |arguments: &[&str]| {
        let root = format!("--root={}", root.path("").display());
        Ended::of(Command::new("systemd-analyze").arg(root).args(arguments))
    };
    let verify = analyze(&["--man=no", "verify", "pulse-echo-local.service"]);
    assert_eq!((verify.code, verify.stderr.as_str()), (0, ""), "{verify:?}");
    // In tenths: up to 2.0.
    let security = analyze(&["security", "--offline=true", "--threshold=20", "pulse-echo-local.service"]);
    assert_eq!(security.code, 0, "{security:?}");
    let unit = fs::read_to_string(root.path("usr/lib/systemd/system/pulse-echo-local.service")).unwrap();
    assert!(unit.contains("\nStandardError=journal\n"), "else it goes where stdout goes, and no journal has its lines");
}
