//! The package for Fedora, RHEL and Amazon Linux, installed by rpm into a Debian. Its scripts really run there, but no
//! Fedora is tested.

use std::path::Path;
use std::process::Command;

use crate::packages::{CRON_FILE, Older, cron_file, files_of_rpm, rpm};
use crate::root::{Root, TIMER_ENABLED};
use pulse_echo_testkit::agent::Ended;

/// Its dependencies have other names in Debian.
fn run(root: &Root, mode: &[&str], package: &Path) -> Ended {
    Ended::of(Command::new("rpm").arg("--root").arg(root.path("")).arg("--nodeps").args(mode).arg(package))
}

fn install(root: &Root, mode: &str, package: &Path) {
    let said = run(root, &[mode], package);
    assert!(said.code == 0 && !said.stderr.contains("scriptlet"), "{said:?}");
}

/// Installs the same version again.
fn again(root: &Root) {
    let said = run(root, &["-U", "--force"], &rpm());
    assert!(said.code == 0 && !said.stderr.contains("scriptlet"), "{said:?}");
}

pub fn from_install_to_erase() {
    let (root, name) = (Root::new(), Path::new("pulse-echo"));
    let before = root.files();
    install(&root, "-i", &rpm());
    assert_eq!(root.since(&before), files_of_rpm());
    let changed = run(&root, &["-V"], name);
    assert_eq!((changed.code, changed.stdout.as_str()), (0, ""));
    let user = root.ok(&["getent", "passwd", "pulse-echo"]);
    assert!(user.ends_with(":/etc/pulse-echo:/usr/sbin/nologin\n"), "{user}");
    assert!(!root.has(TIMER_ENABLED), "cron is there");

    // Installed again, after the operator has given the credentials to another group, and made them readable by
    // mistake.
    root.write("etc/pulse-echo/credentials", "[default]\n");
    root.ok(&["chmod", "644", "/etc/pulse-echo/credentials"]);
    root.ok(&["chgrp", "daemon", "/etc/pulse-echo/credentials"]);
    again(&root);
    assert!(root.files().contains("640 root:daemon /etc/pulse-echo/credentials"), "its group stays");
    root.ok(&["chgrp", "pulse-echo", "/etc/pulse-echo/credentials"]);
    assert_eq!(root.since(&before), files_of_rpm());
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo"]), user);

    // The operator's own files stay, and nothing else.
    root.write("etc/pulse-echo/config.json", "{}");
    install(&root, "-e", name);
    let left = ["640 root:pulse-echo /etc/pulse-echo/credentials", "644 root:root /etc/pulse-echo/config.json"];
    assert_eq!(root.since(&before), [&left[..], &["755 root:root /etc/pulse-echo"]].concat());

    // Without files of the operator's, nothing stays.
    root.ok(&["rm", "-r", "/etc/pulse-echo"]);
    install(&root, "-i", &rpm());
    install(&root, "-e", name);
    assert_eq!(root.since(&before), [] as [&str; 0]);
    assert_eq!(root.ok(&["getent", "passwd", "pulse-echo"]), user, "nobody else gets its number");
}

pub fn upgrades_keep_what_was_changed() {
    let (root, older) = (Root::new(), Older::pack("rpm"));
    for changed in [true, false] {
        install(&root, "-i", &older.file());
        root.write("etc/pulse-echo/config.json", "{\"bucket\": \"mine\"}");
        if changed {
            root.write(CRON_FILE, "# The operator's line.\n");
        }
        install(&root, "-U", &rpm());
        if changed {
            assert_eq!(root.read(CRON_FILE), "# The operator's line.\n");
            assert_eq!(root.read("etc/cron.d/pulse-echo.rpmnew"), cron_file());
        } else {
            assert_eq!(root.read(CRON_FILE), cron_file());
        }
        assert_eq!(root.read("etc/pulse-echo/config.json"), "{\"bucket\": \"mine\"}");
        assert!(root.has("usr/bin/pulse-echo") && root.has("etc/pulse-echo/credentials"));
        install(&root, "-e", Path::new("pulse-echo"));
        root.ok(&["rm", "-f", "/etc/cron.d/pulse-echo.rpmnew", "/etc/cron.d/pulse-echo.rpmsave"]);
    }
}

/// rpm alone would bring it back.
pub fn a_deleted_line_for_cron_stays_deleted() {
    let (root, older) = (Root::new(), Older::pack("rpm"));
    install(&root, "-i", &older.file());
    assert!(root.has(CRON_FILE));
    root.ok(&["rm", &format!("/{CRON_FILE}")]);
    install(&root, "-U", &rpm());
    assert!(root.has("usr/bin/pulse-echo") && !root.has(CRON_FILE) && !root.has("var/lib/rpm-state/pulse-echo"));
    again(&root);
    assert!(!root.has(CRON_FILE));
    // Removed for good and installed anew, it is there.
    install(&root, "-e", Path::new("pulse-echo"));
    install(&root, "-i", &rpm());
    assert!(root.has(CRON_FILE));
}

pub fn without_cron_the_timer_fires() {
    let (root, name) = (Root::without_cron(), Path::new("pulse-echo"));
    install(&root, "-i", &Older::pack("rpm").file());
    assert!(root.has(TIMER_ENABLED));

    // Off is the operator's choice, and it stays.
    root.ok(&["systemctl", "disable", "pulse-echo.timer"]);
    install(&root, "-U", &rpm());
    assert!(!root.has(TIMER_ENABLED));

    // A fresh installation decides anew.
    install(&root, "-e", name);
    install(&root, "-i", &rpm());
    assert!(root.has(TIMER_ENABLED));
    again(&root);
    assert!(root.has(TIMER_ENABLED));
    install(&root, "-e", name);
    assert!(!root.has(TIMER_ENABLED) && !root.has("etc/pulse-echo"));
}
