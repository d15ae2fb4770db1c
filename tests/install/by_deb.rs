//! The package for Debian and Ubuntu.

use std::fs;

use crate::packages::{CRON_FILE, Older, cron_command, cron_file, deb, files_of_deb};
use crate::root::{Root, TIMER_ENABLED};

fn install(root: &Root, package: &str) {
    let said = root.run(&["dpkg", "--force-confdef", "--force-confold", "-i", package]);
    assert!(said.code == 0 && !said.stderr.contains("warning"), "{said:?}");
}

pub fn from_install_to_purge() {
    let root = Root::new();
    let before = root.files();
    let package = root.take(&deb("amd64"));
    root.ok(&["apt-get", "install", "--yes", &package]);
    assert_eq!(root.since(&before), files_of_deb());
    assert_eq!(root.ok(&["dpkg", "--verify", "pulse-echo"]), "");
    let user = root.ok(&["getent", "passwd", "pulse-echo"]);
    assert!(user.ends_with(":/etc/pulse-echo:/usr/sbin/nologin\n"), "{user}");
    assert!(root.ok(&["passwd", "--status", "pulse-echo"]).starts_with("pulse-echo L "), "it has no password");
    assert!(!root.has(TIMER_ENABLED), "cron is there");

    // Installed again, after the operator has given the credentials to another group, and made them readable by
    // mistake.
    root.write("etc/pulse-echo/credentials", "[default]\n");
    root.ok(&["chmod", "644", "/etc/pulse-echo/credentials"]);
    root.ok(&["chgrp", "daemon", "/etc/pulse-echo/credentials"]);
    install(&root, &package);
    root.ok(&["/var/lib/dpkg/info/pulse-echo.postinst", "configure", "0.1.0-1"]);
    assert!(root.files().contains("640 root:daemon /etc/pulse-echo/credentials"), "its group stays");
    root.ok(&["chgrp", "pulse-echo", "/etc/pulse-echo/credentials"]);
    assert_eq!(root.since(&before), files_of_deb());
    assert_eq!(root.read("etc/pulse-echo/credentials"), "[default]\n");
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo"]), user);

    root.ok(&["systemctl", "enable", "pulse-echo.timer"]);
    root.write("etc/pulse-echo/config.json", "{}");
    root.write("etc/pulse-echo/pulses.d/db.json", "{}");
    root.ok(&["dpkg", "--remove", "pulse-echo"]);
    assert!(root.has(CRON_FILE) && root.has("etc/pulse-echo/config.json") && !root.has("usr/bin/pulse-echo"));
    let line = root.run_as("pulse-echo", &["sh", "-c", &cron_command()]);
    assert_eq!((line.code, line.stdout + &line.stderr), (0, String::new()), "the line that is left is silent");

    root.ok(&["apt-get", "purge", "--yes", "pulse-echo"]);
    assert_eq!(root.since(&before), [] as [&str; 0]);
    assert_eq!(before.difference(&root.files()).collect::<Vec<_>>(), [] as [&str; 0]);
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo"]), user, "nobody else gets its number");
    root.ok(&["dpkg", "--purge", "pulse-echo"]);
}

/// Keys that were there before the package are given to its group, once.
pub fn keys_that_were_there_first() {
    let root = Root::new();
    root.ok(&["install", "-d", "-m", "755", "/etc/pulse-echo"]);
    root.write("etc/pulse-echo/credentials", "[default]\n");
    let package = root.take(&deb("amd64"));
    install(&root, &package);
    assert!(root.files().contains("640 root:pulse-echo /etc/pulse-echo/credentials"));
    root.ok(&["chown", "root:root", "/etc/pulse-echo/credentials"]);
    root.ok(&["chmod", "600", "/etc/pulse-echo/credentials"]);
    install(&root, &package);
    assert!(root.files().contains("600 root:root /etc/pulse-echo/credentials"));
}

pub fn upgrades_keep_what_was_changed() {
    let (root, older) = (Root::new(), Older::pack("deb"));
    for changed in [true, false] {
        install(&root, &root.take(&older.file()));
        let user = root.ok(&["getent", "passwd", "pulse-echo"]);
        let ours =
            [("etc/pulse-echo/config.json", "{\"bucket\": \"mine\"}"), ("etc/pulse-echo/credentials", "[default]")];
        for (file, text) in ours {
            root.write(file, text);
        }
        if changed {
            root.write(CRON_FILE, "# The operator's line.\n");
        }
        install(&root, &root.take(&deb("amd64")));
        assert_eq!(root.ok(&["dpkg-query", "-W", "-f", "${Version}", "pulse-echo"]), "0.1.0-1");
        if changed {
            assert_eq!(root.read(CRON_FILE), "# The operator's line.\n");
            assert_eq!(root.read("etc/cron.d/pulse-echo.dpkg-dist"), cron_file());
        } else {
            assert_eq!(root.read(CRON_FILE), cron_file());
        }
        for (file, text) in ours {
            assert_eq!(root.read(file), text);
        }
        assert_eq!(root.ok(&["getent", "passwd", "pulse-echo"]), user);
        root.ok(&["dpkg", "--purge", "pulse-echo"]);
        assert!(!root.has("etc/pulse-echo") && !root.has(CRON_FILE) && !root.has("etc/cron.d/pulse-echo.dpkg-dist"));
    }
}

pub fn without_cron_the_timer_fires() {
    let root = Root::new();
    let package = root.take(&deb("amd64"));
    install(&root, &package);
    root.ok(&["dpkg", "--purge", "cron"]);
    install(&root, &package);
    assert!(!root.has(TIMER_ENABLED), "it is decided at the first installation");
    root.ok(&["dpkg", "--purge", "pulse-echo"]);

    let before = root.files();
    install(&root, &package);
    let unit = fs::read_link(root.path(TIMER_ENABLED)).expect("it is enabled");
    assert!(root.has(unit.to_str().unwrap().trim_start_matches('/')));
    install(&root, &package);
    assert!(root.has(TIMER_ENABLED));

    // Off is the operator's choice, and it stays.
    root.ok(&["systemctl", "disable", "pulse-echo.timer"]);
    assert!(!root.has(TIMER_ENABLED));
    install(&root, &package);
    assert!(!root.has(TIMER_ENABLED));

    // On stays, too.
    root.ok(&["systemctl", "enable", "pulse-echo.timer"]);
    root.ok(&["dpkg", "--remove", "pulse-echo"]);
    install(&root, &package);
    assert!(root.has(TIMER_ENABLED));
    root.ok(&["dpkg", "--purge", "pulse-echo"]);
    assert!(!root.has(TIMER_ENABLED));
    assert_eq!(root.since(&before), [] as [&str; 0]);
}
