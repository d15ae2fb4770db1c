//! Mutes: of a check, a host, or a pattern.

use crate::{ago, assert_failed, assert_said, knows, mute_of, put_status};
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::mute::Mute;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{Muted, Status};
use pulse_echo_testkit::agent::Ended;
use pulse_echo_testkit::bed::Bed;
use pulse_echo_testkit::server::{Reply, Server, date};
use pulse_echo_testkit::store::id;

#[test]
fn a_host_is_muted_for_a_while_and_unmuted() {
    let bed = knows(&["web-1", "web-1/db"]);
    let muted = bed.run(&["mute", "web-1", "--for", "1h30m", "--reason", "new disks"]);
    assert_said(&muted, "muted web-1 and all checks of this host for 1h30m: nothing is told");
    assert_eq!(mute_of(&bed, "web-1"), Mute { for_s: 5_400, reason: Some("new disks".into()), by: None });

    let unmuted = bed.run(&["unmute", "web-1/db"]);
    assert_failed(&unmuted, 1, "web-1/db is still muted with its host; to end that: pulse-echo unmute web-1");
    assert_said(&bed.run(&["unmute", "web-1"]), "unmuted web-1");
    assert_eq!(bed.keys(), ["status.json"]);
    let again = bed.run(&["unmute", "web-1"]);
    assert_eq!((again.code, again.complaint()), (0, "pulse-echo: note: web-1 was not muted"));
}

#[test]
fn a_mute_says_who_put_it_as_far_as_that_is_known() {
    let bed = knows(&["web-1"]);
    for (variables, by) in [
        (&[("USER", "root"), ("SUDO_USER", "alice")][..], Some("alice")),
        (&[("LOGNAME", "bob"), ("USER", "")], Some("bob")),
        (&[], None),
    ] {
        let mut command = bed.command(&["mute", "web-1", "--for", "2h"]);
        assert_said(&Ended::of(command.envs(variables.iter().copied())), "muted web-1");
        assert_eq!(mute_of(&bed, "web-1").by.as_deref(), by);
    }
}

#[test]
fn an_id_that_fits_nothing_is_refused_with_the_nearest_unless_it_is_meant_anyway() {
    let bed = knows(&["web-1", "web-1/db"]);
    for (arguments, what) in [
        (&["mute", "wbe-1", "--for=2h"][..], "knew no check wbe-1; did you mean web-1?; --anyway does it all the same"),
        (&["mute", "web-1/bd", "--for=2h"], "knew no check web-1/bd; did you mean web-1/db?; --anyway"),
        (&["mute", "mail-*", "--for=2h"], "knew no check that mail-* fits; --anyway"),
        (&["unmute", "wbe-1"], "knew no check wbe-1; did you mean web-1?; --anyway"),
        (&["retire", "wbe-1"], "knew no check wbe-1; did you mean web-1?; --anyway"),
        (&["retire", "web-*"], "retire takes no pattern, and web-* is one"),
    ] {
        assert_failed(&bed.run(arguments), 2, what);
    }
    assert_eq!(bed.keys(), ["status.json"]);
    assert_eq!(bed.run(&["mute", "-q", "wbe-1", "--for=2h", "--anyway"]).code, 0);
    assert_eq!(mute_of(&bed, "wbe-1").for_s, 7_200);
    assert_said(&bed.run(&["unmute", "wbe-1"]), "unmuted wbe-1");
    assert_said(&bed.run(&["retire", "wbe-1", "--anyway"]), "put the note retire/wbe-1.json");

    let early = Bed::new();
    assert_failed(
        &early.run(&["mute", "web-1", "--for", "2h"]),
        1,
        "whether there is a check web-1 could not be looked up: there is no status.json",
    );
    early.put(&Key::pulse(&id("web-1")), b"{}", &Metadata::new());
    assert_said(&early.run(&["mute", "web-1", "--for", "2h"]), "muted web-1");
}

#[test]
fn hosts_are_muted_by_a_pattern_and_a_check_that_one_covers_is_not_unmuted_alone() {
    let bed = knows(&["web-1", "web-1/db", "web-2"]);
    assert_said(
        &bed.run(&["mute", "web-*", "--for", "30m"]),
        "muted web-* (all hosts that it fits, with all their checks) for 30m",
    );
    assert_said(&bed.run(&["mute", "*/db", "--for", "30m"]), "muted */db (all checks that it fits) for 30m");
    assert_eq!(bed.keys(), ["mute/*/db.json", "mute/web-*.json", "status.json"]);
    let unmuted = bed.run(&["unmute", "web-2"]);
    assert_failed(&unmuted, 1, "web-2 is still muted by the pattern; to end that: pulse-echo unmute 'web-*'");
    assert_said(&bed.run(&["unmute", "web-*"]), "unmuted web-*");
    assert_failed(&bed.run(&["unmute", "web-1/db"]), 1, "pulse-echo unmute '*/db'");
    assert_said(&bed.run(&["unmute", "*/db"]), "unmuted */db");
    assert_eq!(bed.keys(), ["status.json"]);
}

#[test]
fn a_reason_that_no_table_could_show_is_refused() {
    let bed = knows(&["web-1"]);
    let reason = |length: usize| bed.run(&["mute", "web-1", "--for", "2h", "--reason", &"é".repeat(length)]);
    assert_failed(&reason(0), 2, "--reason is empty: say why");
    assert_failed(&reason(201), 2, "--reason has 201 characters; at most 200 are shown");
    assert_eq!(reason(200).code, 0);
}

#[test]
fn what_has_been_over_for_a_day_is_deleted_by_the_next_mute_or_unmute_and_nothing_else() {
    let bed = knows(&["web-1"]);
    for key in ["mute/old.json", "mute/just.json", "mute/anew.json", "mute/torn.json", "mute/web-1.ack"] {
        bed.put(&Key::mute(&key.trim_start_matches("mute/").to_string().try_into().unwrap()), b"{}", &Metadata::new());
    }
    let muted = |rest: &str, over_s: i64, for_s: u32| {
        let key = rest.to_string().try_into().unwrap();
        let etag = bed.store().get(&Key::mute(&key), 0).unwrap().etag;
        (key, Muted { etag, at: ago(over_s + i64::from(for_s)), for_s, reason: None, listed: None })
    };
    let anew = (
        "anew.json".to_string().try_into().unwrap(),
        Muted { etag: "\"older\"".into(), at: ago(99_000), for_s: 60, reason: None, listed: None },
    );
    let all = [
        muted("old.json", 86_500, 60),
        muted("just.json", 86_000, 60),
        anew,
        muted("torn.json", 99_000, 0),
        muted("web-1.ack", 99_000, 60),
    ];
    put_status(&bed, &["web-1"], Status { mutes: all.into(), ..Status::new(ago(10)) });
    assert_said(&bed.run(&["mute", "web-1", "--for", "1h"]), "muted web-1");
    let left =
        ["mute/anew.json", "mute/just.json", "mute/torn.json", "mute/web-1.ack", "mute/web-1.json", "status.json"];
    assert_eq!(bed.keys(), left);
}

#[test]
fn a_mute_needs_a_check_and_an_end() {
    let bed = Bed::new();
    for (arguments, what) in [
        (&["mute"][..], "mute needs an ID and --for, such as: pulse-echo mute web-1 --for 2h; or --list alone"),
        (&["mute", "web-1"], "mute needs an ID and --for"),
        (&["mute", "web-1", "--list"], "or --list alone"),
        (&["mute", "web-1", "--for", "2"], "\"2\" is not a time such as 90s, 30m, 2h, 1d or 1h30m"),
        (&["mute", "web-1", "--for", "400d"], "it may be from 1s to 366d"),
        (&["mute", "a//b", "--for", "2h"], "\"a//b\" is no check: it has the segment \"\""),
        (&["unmute"], "see pulse-echo unmute --help"),
    ] {
        assert_failed(&bed.run(arguments), 2, what);
    }
    assert_eq!(bed.keys(), [] as [&str; 0]);
}

#[test]
fn running_mutes_are_listed_and_those_that_no_sweep_has_read_say_so() {
    let bed = Bed::new();
    assert_said(&bed.run(&["mute", "--list"]), "nothing is muted");
    let put = |check: &str, mute: Mute| {
        bed.put(&Key::mute(&id(check)), &mute.to_json(), &Metadata::new());
        let object = bed.store().get(&Key::mute(&id(check)), 0).unwrap();
        (
            id(check),
            Muted { etag: object.etag, at: object.last_modified, for_s: mute.for_s, reason: mute.reason, listed: None },
        )
    };
    let mute = |for_s: u32, reason: &str| Mute { for_s, reason: Some(reason.into()), by: None };
    let over = put("web-3", mute(1, "over"));
    let known = [put("web-1", mute(7_200, "new\u{1b}[2J disks")), put("web-10/db", mute(3_600, "soon over")), over];
    put("web-*", mute(5_400, "a pattern"));
    bed.put(&Key::mute(&id("torn")), b"{", &Metadata::new());
    put_status(&bed, &[], Status { mutes: known.into(), ..Status::new(ago(10)) });
    bed.set_clock(60);
    let listed = bed.run(&["mute", "--list"]);
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("web-10/db   ") && lines[0].ends_with(": soon over"), "{listed:#?}");
    assert!(
        lines[1].starts_with("web-*      ") && lines[1].ends_with("a pattern (no sweep has read it yet)"),
        "{listed:#?}"
    );
    assert!(lines[2].starts_with("web-1      ") && lines[2].ends_with(": new[2J disks"), "{listed:#?}");
    assert_eq!(lines.len(), 3, "{listed:#?}");
}

#[test]
fn where_the_store_does_not_list_the_mutes_are_those_that_the_last_sweep_knew() {
    let muted = Muted { etag: "\"m\"".into(), at: ago(0), for_s: 7_200, reason: None, listed: None };
    let status = Status { mutes: [(id("web-1"), muted)].into(), ..Status::new(ago(10)) };
    let body = String::from_utf8(status.to_json()).unwrap();
    let server = Server::replying(move |head| {
        let is_status = head.contains("/status.json?");
        let reply =
            if is_status { Reply::of(200, &body) } else { Reply::s3_error(403, "AccessDenied", "Access Denied") };
        reply.with("date", date(0)).with("last-modified", date(0)).with("etag", "\"e\"")
    });
    let list = Ended::of(Bed::new().command(&["mute", "--list"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    assert_said(&list, ": (no reason given)\n(as of ");
    assert_said(&list, "a mute shows here after the next sweep)");
}

#[test]
fn all_pages_of_mutes_are_read() {
    let page = |keys: &[&str], token: &str| {
        let entry = |key: &&str| {
            format!(
                "<Contents><Key>mute/{key}</Key><LastModified>{}</LastModified><ETag>&quot;e&quot;</ETag></Contents>",
                ago(0)
            )
        };
        let entries: String = keys.iter().map(entry).collect();
        format!("<?xml version=\"1.0\"?>\n<ListBucketResult>{entries}{token}</ListBucketResult>")
    };
    let first =
        page(&["web-1.json", "a&amp;b.json", "../x.json"], "<NextContinuationToken>t+/=</NextContinuationToken>");
    let second = page(&["web-2.json"], "");
    let server = Server::replying(move |head| {
        let reply = match head {
            head if head.contains("continuation-token=t%2B%2F%3D") => Reply::of(200, &second),
            head if head.contains("list-type=2") => Reply::of(200, &first),
            head if head.contains("/mute/") => Reply::of(200, "{\"for_s\": 3600}"),
            _ => Reply::s3_error(404, "NoSuchKey", "x"),
        };
        reply.with("date", date(0)).with("last-modified", date(0)).with("etag", "\"e\"")
    });
    let list = Ended::of(Bed::new().command(&["mute", "--list"]).env("AWS_ENDPOINT_URL", server.endpoint()));
    let names: Vec<_> = list.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((names, list.code), (vec!["web-1", "a&b", "web-2"], 0), "{list:#?}");
}
