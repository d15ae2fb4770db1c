use proptest::prelude::*;

use super::*;

/// Pieces of what servers send, in any order.
fn parts() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n",
        "http/1.0  404\n",
        "Content-Length: 5\r\n",
        "Content-Length: 99999999999999999999\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Location : /a\x01b\r\n",
        " folded\r\n",
        "no colon\r\n",
        "\r\n",
        "\n",
        "5;x\r\n",
        "hello",
        "0\r\n",
    ];
    let part = prop_oneof![
        proptest::sample::select(known.to_vec()).prop_map(|part| part.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..5),
    ];
    proptest::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn how_an_answer_is_cut_into_pieces_changes_nothing(
        begin in prop_oneof![
            Just(""),
            Just("HTTP/1.1 200 OK\r\n"),
            Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ],
        rest in parts(),
        piece in 1_usize..9,
    ) {
        let answer = [begin.as_bytes(), &rest].concat();
        let whole = strict([answer.as_slice()]);
        prop_assert_eq!(whole.is_ok(), strict(answer.chunks(piece)).is_ok());
        if let Ok(strictly) = whole {
            prop_assert_eq!(&strictly, &strict(answer.chunks(piece)).unwrap());
            // What ureq gets begins with a strict head, or is nothing yet.
            prop_assert!(strictly.is_empty() || strictly.starts_with(b"HTTP/1.1 "));
        }
    }
}

#[test]
fn a_head_that_is_given_on_has_only_what_is_read_once_and_without_control_characters() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: /a\x07b\r\nlocation: /c\r\nX: y\r\nDate: now\r\n\r\nbody";
    let strictly = strict([answer.as_slice()]).unwrap();
    let expected = "HTTP/1.1 302 X\r\nconnection: close\r\nlocation: /ab\r\ndate: now\r\n\r\nbody";
    assert_eq!(String::from_utf8(strictly).unwrap(), expected);
}
