//! Whether a text is for people: without the names and numbers that libraries give their errors.

/// What only a library or a debugger would say.
const DEBUG: [&str; 52] = [
    "(os error",
    "(os er…",
    "(os…",
    "client error (",
    "env var is not",
    "ParseIntError",
    "InvalidUri",
    "invalid uri",
    "failed to parse private key",
    "unexpected error",
    "Os {",
    "Some(",
    "Err(",
    "Other(",
    "OtherError",
    "kind:",
    "code:",
    "DnsName(",
    "IpAddress(",
    "[48, 130",
    "UnexpectedEof",
    "InvalidData",
    "InvalidCertificate",
    "InvalidMessage",
    "InvalidContentType",
    "CertificateError",
    "NotValidForName",
    "UnsupportedCert",
    "UnsupportedSignature",
    "UnsupportedCritical",
    "RequiredEku",
    "CaUsedAsEndEntity",
    "AlertReceived",
    "HandshakeFailure",
    "PeerIncompatible",
    "PeerMisbehaved",
    "http parse",
    "EOF while parsing",
    "failed to lookup",
    "Peer disconnected",
    "invalid type",
    "floating point",
    "expected value",
    "expected ident",
    "expected a string",
    "invalid international",
    "invalid IPv6",
    "invalid port number",
    "empty host",
    "address syntax",
    "Error parsing option",
    "duplicate values",
];

/// Asserts that `text` is in people's words.
#[track_caller]
pub fn assert_plain(text: &str) {
    for word in DEBUG {
        assert!(!text.contains(word), "{word:?} is a library's word: {text}");
    }
}
