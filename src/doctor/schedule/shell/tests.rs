//! What is found in commands.

use super::*;

fn reading(text: &str) -> Reading {
    read(text, &|how, file| match (how, file) {
        ("-e" | "-x" | "-d", file) => Some(file.starts_with("/there")),
        _ => None,
    })
}

fn calls(text: &str) -> Vec<String> {
    reading(text).calls.iter().map(|call| call.words.join(" ")).collect()
}

#[test]
fn the_program_is_found_where_it_is_run_and_nowhere_else() {
    let sends = "/usr/bin/pulse-echo send -q";
    for text in [
        "/usr/bin/pulse-echo send -q",
        "  /usr/bin/pulse-echo send -q >/dev/null 2>&1",
        "/usr/bin/pulse-echo send -q &>/dev/null",
        "/usr/bin/pulse-echo send -q > /dev/null 2> /tmp/x &",
        "cd /x && A=b /usr/bin/pulse-echo send -q || logger failed",
        "nice -n 10 /usr/bin/pulse-echo send -q",
        "timeout 60 nice /usr/bin/pulse-echo send -q",
        "flock -n /run/lock/x /usr/bin/pulse-echo send -q",
        "flock -n /run/lock/x -c '/usr/bin/pulse-echo send -q'",
        "sh -c \"sleep 5; /usr/bin/pulse-echo send -q\"",
        "env A=b /usr/bin/pulse-echo send -q",
        "sudo -u web /usr/bin/pulse-echo send -q",
        "sudo -u pulse-echo /usr/bin/pulse-echo send -q",
        "runuser -u pulse-echo -- /usr/bin/pulse-echo send -q",
        "su pulse-echo -s /bin/sh -c '/usr/bin/pulse-echo send -q'",
        "gosu pulse-echo /usr/bin/pulse-echo send -q",
        "(sleep 30; /usr/bin/pulse-echo 'send' \"-q\")",
        "if [ -x /x ]; then /usr/bin/pulse-echo send -q; fi",
        "exec /usr/bin/pulse-echo send -q # every ten minutes",
        "#!/bin/sh\nset -e\n/usr/bin/pulse-echo \\\n send -q\n",
    ] {
        assert_eq!(calls(text), [sends], "{text}");
    }
    for text in [
        "echo /usr/bin/pulse-echo send",
        "logger -t pulse-echo send",
        "# /usr/bin/pulse-echo send",
        "rm /tmp/pulse-echo send",
        "pulse-echo.sh send",
        "send --quiet",
    ] {
        assert_eq!(calls(text), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_test_that_keeps_it_from_being_run_is_named() {
    for (text, kept_by) in [
        ("[ -e /there ] && pulse-echo send", None),
        ("[ -e /gone ] && pulse-echo send", Some("[ -e /gone ]")),
        ("test -x /gone && pulse-echo send", Some("test -x /gone")),
        ("[ ! -e /gone ] || pulse-echo send", Some("[ ! -e /gone ]")),
        ("[ -d /there ] && [ -e /gone ] || [ ! -e /there ] || pulse-echo send", None),
        ("[ -d /there ] && [ -e /there2 ] || [ ! -e /there ] || pulse-echo send", Some("[ -e /there2 ]")),
        ("[ -d /gone ] && [ -e /there2 ] || [ ! -e /there ] || pulse-echo send", None),
        ("[ -e /gone ]; pulse-echo send", None),
        ("[ \"$A\" = b ] && pulse-echo send", None),
        ("cd / && pulse-echo send", None),
        ("true || pulse-echo send", Some("true")),
        ("[ -e /there ] || { cd / && pulse-echo send; }", Some("[ -e /there ]")),
        ("[ -e /there ] || (cd / && pulse-echo send)", Some("[ -e /there ]")),
        ("[ -e /there ] || { true; }; pulse-echo send", None),
        ("[ -e /there ] && (cd / && pulse-echo send)", None),
    ] {
        let calls = reading(text).calls;
        assert_eq!(calls.len(), 1, "{text}");
        assert_eq!(calls[0].kept_by.as_deref(), kept_by, "{text}");
    }
}

#[test]
fn what_cannot_be_tried_out_is_known_and_variables_are_kept() {
    for (text, doubt) in [
        ("pulse-echo --host \"$(hostname -f)\" send", "fills in"),
        ("pulse-echo --host `hostname` send", "fills in"),
        (". /etc/profile; pulse-echo send", "from elsewhere"),
        ("bash -lc 'pulse-echo send'", "from elsewhere"),
        ("bash --login -c 'pulse-echo send'", "from elsewhere"),
        ("sudo -u web bash -ic 'pulse-echo send'", "from elsewhere"),
        ("su web -c 'pulse-echo send'", "another user"),
    ] {
        let calls = reading(text).calls;
        assert!(calls[0].doubt.is_some_and(|found| found.contains(doubt)), "{text}: {calls:?}");
    }
    let call = &reading("export A=b; C=d env E=f pulse-echo --host 'a$b' send").calls[0];
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    assert_eq!(call.variables, [pair("A", "b"), pair("C", "d"), pair("E", "f")]);
    assert_eq!((call.doubt, call.words.join(" ").as_str()), (None, "pulse-echo --host a$b send"));
}

#[test]
fn scripts_and_folders_of_scripts_are_named() {
    let found = reading("cd / && run-parts --report /etc/cron.hourly");
    assert_eq!(found.folders, ["/etc/cron.hourly"]);
    assert_eq!(reading("test -x /gone || { cd / && run-parts /x; }").folders, ["/x"]);
    assert_eq!(reading("test -x /there || { cd / && run-parts /x; }").folders, [] as [&str; 0]);
    assert_eq!(reading("nice /usr/local/bin/pulse.sh --now").scripts, ["/usr/local/bin/pulse.sh"]);
    assert_eq!(reading("sh /usr/local/bin/pulse.sh --now").read, ["/usr/local/bin/pulse.sh"]);
}
