//! LIST, in both versions, shows what S3 shows.

use pulse_echo_testkit::raw_client::{Client, at_once, server};
use pulse_echo_testkit::store::BUCKET;
use rusty_s3::Method;

fn keys(list: &rusty_s3::actions::list_objects_v2::ListObjectsV2Response) -> Vec<String> {
    list.contents.iter().map(|object| object.key.clone()).collect()
}

fn prefixes(list: &rusty_s3::actions::list_objects_v2::ListObjectsV2Response) -> Vec<String> {
    list.common_prefixes.iter().map(|shared| shared.prefix.clone()).collect()
}

/// Puts objects without content.
fn fill(client: &Client, keys: &[&str]) {
    for key in keys {
        assert_eq!(client.put(key, b"").status, 200);
    }
}

#[test]
fn pages_of_a_thousand_follow_each_other_in_key_order() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let filler = client.clone();
    at_once(25, move |i| (0..100).for_each(|n| fill(&filler, &[&format!("echo/host-{}.json", i * 100 + n)])));
    let mut expected: Vec<_> = (0..2500).map(|n| format!("echo/host-{n}.json")).collect();
    expected.sort();

    let mut found = Vec::new();
    let mut sizes = Vec::new();
    let mut token = None;
    loop {
        let parameters: Vec<_> = token.iter().map(|token: &String| ("continuation-token", token.as_str())).collect();
        let page = client.list(&parameters);
        sizes.push(page.contents.len());
        found.extend(keys(&page));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((sizes, found), (vec![1000, 1000, 500], expected));
}

#[test]
fn an_object_is_listed_with_etag_size_and_whole_seconds() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    let put = client.put("k", b"{}");
    let modified = client.get("k").header("last-modified").to_owned();
    let list = client.list(&[]);
    assert_eq!(list.contents[0].etag.as_deref(), Some(put.header("etag")));
    assert_eq!(list.contents[0].size, Some(2));
    let listed: jiff::Timestamp = list.contents[0].last_modified.as_deref().unwrap().parse().unwrap();
    assert_eq!(listed.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(), modified);
}

#[test]
fn a_delimiter_folds_what_lies_below_it() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    fill(&client, &["a", "echo/1", "echo/2/x", "echo/2/y", "echo/3", "pulse/1", "pulse0", "z"]);
    let root = client.list(&[("delimiter", "/")]);
    assert_eq!(keys(&root), ["a", "pulse0", "z"]);
    assert_eq!(prefixes(&root), ["echo/", "pulse/"]);
    let echo = client.list(&[("delimiter", "/"), ("prefix", "echo/")]);
    assert_eq!(
        (keys(&echo), prefixes(&echo)),
        (vec!["echo/1".to_owned(), "echo/3".to_owned()], vec!["echo/2/".to_owned()])
    );
    let part = client.list(&[("prefix", "echo/2")]);
    assert_eq!(keys(&part), ["echo/2/x", "echo/2/y"]);
    assert_eq!(keys(&client.list(&[("prefix", "none/")])), [""; 0]);
    let long = client.list(&[("delimiter", "lse/")]);
    assert_eq!(prefixes(&long), ["pulse/"]);
}

#[test]
fn pages_with_a_delimiter_count_both_and_lose_nothing() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    fill(&client, &["a/1", "a/2", "b", "c/1", "c/2", "d", "e/1"]);
    let mut seen = Vec::new();
    let mut token = String::new();
    for _ in 0..3 {
        let mut parameters = vec![("delimiter", "/"), ("max-keys", "2")];
        if !token.is_empty() {
            parameters.push(("continuation-token", &token));
        }
        let page = client.list(&parameters);
        assert!(page.contents.len() + page.common_prefixes.len() <= 2);
        seen.extend(keys(&page));
        seen.extend(prefixes(&page));
        token = page.next_continuation_token.unwrap_or_default();
    }
    seen.sort();
    assert_eq!((seen, token.as_str()), (["a/", "b", "c/", "d", "e/"].map(str::to_owned).to_vec(), ""));
}

#[test]
fn start_after_and_max_keys_are_kept() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    fill(&client, &["a", "b", "b.json", "c"]);
    assert_eq!(keys(&client.list(&[("start-after", "b")])), ["b.json", "c"]);
    assert_eq!(keys(&client.list(&[("start-after", "aa")])), ["b", "b.json", "c"]);
    let two = client.list(&[("max-keys", "2")]);
    assert_eq!((keys(&two).len(), two.max_keys), (2, Some(2)));
    let none = client.list(&[("max-keys", "0")]);
    assert_eq!((keys(&none).len(), none.next_continuation_token), (0, None));
    let exact = client.list(&[("max-keys", "4")]);
    assert_eq!((keys(&exact).len(), exact.next_continuation_token), (4, None));
    assert_eq!(client.list(&[("max-keys", "5000")]).max_keys, Some(1000));
    client.list_raw(&[("max-keys", "-1")]).assert_error(400, "InvalidArgument");
    client.list_raw(&[("continuation-token", "no token")]).assert_error(400, "InvalidArgument");
}

#[test]
fn keys_are_encoded_only_if_asked_for() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    fill(&client, &["a b+c/é&<"]);
    let encoded = client.list_raw(&[]);
    assert_eq!(
        (encoded.element("Key").as_str(), encoded.element("EncodingType").as_str()),
        ("a+b%2Bc/%C3%A9%26%3C", "url")
    );
    let folded = client.list_raw(&[("delimiter", "/"), ("prefix", "a b")]);
    assert_eq!(folded.element("CommonPrefixes"), "<Prefix>a+b%2Bc/</Prefix>");
    let plain = client.presigned(Method::Get, &format!("/{BUCKET}"), &[("list-type", "2")], &[]);
    assert_eq!((plain.element("Key").as_str(), plain.element("EncodingType").as_str()), ("a b+c/é&amp;&lt;", ""));
}

#[test]
fn the_old_list_goes_on_from_a_marker() {
    let (server, _dir) = server();
    let client = Client::of(&server);
    fill(&client, &["a/1", "a/2", "b", "c/1", "d"]);
    let list = |query: &[(&str, &str)]| client.presigned(Method::Get, &format!("/{BUCKET}"), query, &[]);
    let first = list(&[("delimiter", "/"), ("max-keys", "1")]);
    assert_eq!(first.element("CommonPrefixes"), "<Prefix>a/</Prefix>");
    assert_eq!((first.element("IsTruncated").as_str(), first.element("NextMarker").as_str()), ("true", "a/"));
    let second = list(&[("delimiter", "/"), ("marker", "a/"), ("max-keys", "2")]);
    assert_eq!((second.element("Key").as_str(), second.element("NextMarker").as_str()), ("b", "c/"));
    assert_eq!(second.element("CommonPrefixes"), "<Prefix>c/</Prefix>");
    let rest = list(&[("marker", "c/1")]);
    assert_eq!((rest.element("Key").as_str(), rest.element("IsTruncated").as_str()), ("d", "false"));
}
