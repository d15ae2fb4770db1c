//! Bundles of CAs as people glue them together: all of their certificates are read, or what is wrong is named.

use rcgen::KeyPair;

use super::*;
use pulse_echo_core::http::bundle;
use pulse_echo_testkit::tls::{Ca, https, in_days, until};

fn trust(bundle: impl AsRef<[u8]>) -> Result<Trust, String> {
    Trust::with_pem(bundle.as_ref())
}

/// The DER of the certificate in this PEM.
fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).unwrap().into_contents()
}

#[test]
fn each_certificate_of_a_bundle_is_read_however_it_is_glued() {
    let (first, second) = (Ca::new("first"), Ca::new("second"));
    let (one, two) = (first.pem().trim().replace("\r\n", "\n"), second.pem().trim().replace("\r\n", "\n"));
    let key = KeyPair::generate().unwrap().serialize_pem();
    let named = |kind: &str| one.replace("CERTIFICATE", kind);
    let trusted =
        pem::encode(&pem::Pem::new("TRUSTED CERTIFICATE", [der(&one), b"\x30\x03\x0c\x01x".to_vec()].concat()));
    let request = key.replace("PRIVATE KEY", "CERTIFICATE REQUEST");
    let indented: String = one.lines().fold(String::new(), |text, line| text + "    " + line + "\n");
    let servers = [&first, &second].map(|ca| https(&until(in_days(90)), &[ca]));
    for bundle in [
        format!("{one}\n{two}\n"),
        // No line end between them, or anything.
        format!("{one}{two}"),
        format!("{one}\n\n# Our second CA: €\nsubject=/CN=second\n{two}\nand so on"),
        format!("{one}\n{two}").replace('\n', "\r\n"),
        format!("{one}\n{two}").replace('\n', "\r"),
        format!("\u{feff}{one}\n{two}"),
        format!("{key}{one}\n{key}{two}\n{request}"),
        format!("{one}\n{one}\n{two}\n{two}"),
        format!("{}\n{two}", named("X509 CERTIFICATE")),
        format!("{trusted}\n{two}"),
        format!("{indented}\n{two}"),
        format!("# Put your -----BEGIN CERTIFICATE----- blocks below\n{one}\n{two}"),
        format!("{old}\n{one}\n{two}", old = one.lines().fold(String::new(), |text, line| text + "# " + line + "\n")),
        format!("CA={one}\n{two}"),
        format!("\0{one}\n{two}\n\0\0"),
    ] {
        all_is_read(&bundle);
        let web = Web::new(&trust(&bundle).expect(&bundle), "a-probe/1".into(), web().filter.as_ref().clone());
        for server in &servers {
            let url = format!("https://localhost:{}/", server.port());
            assert_eq!(check_within(PULSES_OWN, &web, &url, "").verdict, Ok(()), "{bundle}");
        }
    }
    for (bundle, count) in [
        (der(&one), 1),
        ([der(&one), der(&two)].concat(), 2),
        ([der(&one), b"\r\n".to_vec()].concat(), 1),
        ([der(&one), two.clone().into()].concat(), 2),
        ([der(&one), der(&two), format!("\n{one}\n{two}").into()].concat(), 4),
    ] {
        assert_eq!(all_is_read(&bundle), count);
        trust(&bundle).unwrap();
    }
}

/// How many certificates the bundle has.
fn all_is_read(bundle: impl AsRef<[u8]>) -> usize {
    let bundle = bundle::read(bundle.as_ref()).unwrap();
    assert!(bundle.unread.is_empty(), "{:?}", bundle.unread);
    bundle.certificates.len()
}

#[test]
fn a_part_that_may_be_a_certificate_and_is_not_read_is_named_beside_those_that_are() {
    let ca = Ca::new("ours");
    let pem = ca.pem().trim().replace("\r\n", "\n");
    let last = 1 + pem.lines().count();
    let end = last + pem.lines().count() - 1;
    let with = |from: &str, to: &str| format!("{pem}\n{}", pem.replace(from, to)).into_bytes();
    let line = |line: usize, text: &str| format!("line {line}, \"{text}\",");
    let begin = "begins no block; write -----BEGIN CERTIFICATE-----";
    for (bundle, why) in [
        (with("-----B", "----B"), format!("{} {begin}", line(last, "----BEGIN CERTIFICATE-----"))),
        (with("-----B", "–––––B"), format!("{} {begin}", line(last, "–––––BEGIN CERTIFICATE-----"))),
        (with("-----", "–––––"), format!("{} {begin}", line(last, "–––––BEGIN CERTIFICATE–––––"))),
        (with("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE----"), format!("line {last}, ")),
        (with("BEGIN", "begin"), format!("line {last}, ")),
        (
            format!("{pem}\n{}", pem.lines().fold(String::new(), |text, line| text + "> " + line + "\n")).into(),
            format!("{} {begin}", line(last, "> -----BEGIN CERTIFICATE-----")),
        ),
        (with("-----BEGIN CERTIFICATE-----\n", ""), line(end - 1, "-----END CERTIFICATE-----") + " has no -----BEGIN"),
        (with("CERTIFICATE", "PKCS7"), format!("the block \"PKCS7\" in line {last} cannot be read")),
        ([pem.clone().into(), b"\n".to_vec(), der(&pem)].concat(), format!("line {last} holds binary data, maybe")),
        ([der(&pem), der(&pem)[..99].to_vec()].concat(), "behind the certificates in DER, 1 in number, are 99".into()),
    ] {
        let read = bundle::read(&bundle).unwrap();
        assert_eq!((read.certificates.len(), read.unread.len()), (1, 1), "{why}: {:?}", read.unread);
        assert!(read.unread[0].starts_with(&why), "{} is not: {why}", read.unread[0]);
        assert_plain(&read.unread[0]);
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let ca = Ca::new("ours");
    let pem = ca.pem().trim().replace("\r\n", "\n");
    let lines: Vec<_> = pem.lines().collect();
    let (headless, endless) = (lines[1..].join("\n"), lines[..lines.len() - 1].join("\n"));
    let cut = [&lines[..2], &lines[lines.len() - 1..]].concat().join("\n");
    let broken = pem.replace(lines[2], "not Base64: ###");
    let last = 1 + lines.len();
    let wide: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = [vec![0xff, 0xfe], wide].concat();
    let place = |line: usize| format!("the block \"CERTIFICATE\" in line {line}");
    for (bundle, why) in [
        (b"".to_vec(), "there is no certificate in it".to_string()),
        (headless.into(), format!("line {}, \"-----END CERTIFICATE-----\", has no -----BEGIN", last - 2)),
        (
            pem.replacen("E-----", "E----", 1).into(),
            "line 1, \"-----BEGIN CERTIFICATE----\", begins no block; write -----BEGIN CERTIFICATE-----".into(),
        ),
        (format!("{endless}\n{pem}").into(), format!("{} has no line -----END CERTIFICATE-----", place(1))),
        (format!("{pem}\n{endless}").into(), format!("{} has no line -----END CERTIFICATE-----", place(last))),
        (format!("{pem}\n{cut}").into(), format!("{} is cut off or broken", place(last))),
        (format!("{pem}\n{broken}").into(), format!("{} is cut off or broken", place(last))),
        (
            pem.replace("CERTIFICATE", "PKCS7").into(),
            "the block \"PKCS7\" in line 1 cannot be read; openssl pkcs7".into(),
        ),
        (wide, "it is UTF-16; save it as UTF-8".into()),
        (
            b"\x30\x82\x01\x00\x02\x01\x03".to_vec(),
            "it is neither PEM nor a certificate in DER; openssl pkcs7 -inform DER -print_certs or openssl pkcs12"
                .into(),
        ),
        (der(&pem)[..40].to_vec(), "it is neither PEM nor a certificate in DER".into()),
    ] {
        let error = trust(&bundle).unwrap_err();
        assert!(error.starts_with(&why), "{error} is not: {why}");
        assert_plain(&error);
    }
}
