//! Which certificates are trusted, why others are not, and for how long.

use rcgen::SanType;
use tempfile::NamedTempFile;

use super::*;
use pulse_echo_testkit::tls::{Ca, https, in_days, redirecting, self_signed, until};

/// A probe that also trusts `authority`.
pub(super) fn web_that_trusts(authority: &Ca) -> Web {
    let bundle = NamedTempFile::new().unwrap();
    bundle.as_file().write_all(authority.pem().as_bytes()).unwrap();
    web_with(&[("PROBE_CA_BUNDLE", bundle.path().to_str().unwrap())])
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}/", server.address.port())
}

fn check_by(web: &Web, url: &str, fields: &str) -> Checked {
    check_within(Duration::from_secs(20), web, url, fields)
}

#[test]
fn a_certificate_that_is_not_trusted_is_a_fault_that_says_why() {
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    let web = web_that_trusts(&ours);
    let mut early = until(in_days(400_000));
    early.not_before = rcgen::date_time_ymd(2999, 1, 1);
    let mut other = until(in_days(90));
    other.subject_alt_names = vec![SanType::DnsName("other.example".try_into().unwrap())];
    let mut nobody = until(in_days(90));
    nobody.subject_alt_names.clear();
    let ended = in_days(-3);
    let common = "the certificate is not for localhost; it names a server only as its common name (CN), which does not \
                  count; give it a subject alternative name";
    let issuer = "the certificate's issuer \"theirs\" is not trusted; if it is an intermediate CA, the server must \
                  send its certificate, too";
    let hint = "; PROBE_CA_BUNDLE can name it as trusted";
    for (server, why) in [
        (https(&until(ended), &[&ours]), format!("the certificate expired on {}", Time::of(ended))),
        (https(&early, &[&ours]), "the certificate is not valid before 2999-01-01T00:00:00Z".into()),
        (https(&other, &[&ours]), "the certificate is not for localhost, but for other.example".into()),
        (https(&nobody, &[&ours]), common.into()),
        (https(&until(in_days(90)), &[&theirs]), format!("{issuer}{hint}")),
        (self_signed(&until(in_days(90))), format!("the certificate is self-signed{hint}")),
    ] {
        let checked = check_by(&web, &url(&server), "");
        assert_eq!((checked.status, checked.trusted_until), (None, None));
        let expected = format!("no trusted TLS connection to localhost:{}: {why}", server.address.port());
        assert_eq!(miss(checked), (Cause::Tls, expected));
        assert_eq!(server.connections(), 1, "TLS is not tried again");
    }
}

#[test]
fn how_long_a_certificate_is_trusted_is_told_and_judged() {
    let ours = Ca::new("ours");
    let web = web_that_trusts(&ours);
    // One minute more, for the time that the test takes.
    let end = in_days(14) + Duration::from_secs(60);
    let server = https(&until(end), &[&ours]);
    let checked = check_by(&web, &url(&server), "\"body\": \"ok\", \"min_cert_days\": 14");
    assert_eq!((checked.verdict, checked.trusted_until), (Ok(()), Some(Time::of(end))));

    let (cause, reason) = miss(check_by(&web, &url(&server), "\"min_cert_days\": 15"));
    let (port, end) = (server.address.port(), Time::of(end));
    let expected =
        format!("the certificate of localhost:{port} is valid until {end}, 14 days more; expected at least 15 days");
    assert_eq!((cause, reason), (Cause::Cert, expected));
}

#[test]
fn a_chain_is_trusted_until_the_first_of_its_certificates_ends() {
    let ours = Ca::new("ours");
    let web = web_that_trusts(&ours);
    let (soon, late) = (in_days(9), in_days(90));
    let between = ours.intermediate(soon);
    let server = https(&until(late), &[&between, &ours]);
    assert_eq!(check_by(&web, &url(&server), "").trusted_until, Some(Time::of(soon)));
    assert_eq!(miss(check_by(&web, &url(&server), "\"min_cert_days\": 30")).0, Cause::Cert);

    let between = ours.intermediate(late);
    let server = https(&until(soon), &[&between, &ours]);
    assert_eq!(check_by(&web, &url(&server), "").trusted_until, Some(Time::of(soon)));
}

#[test]
fn of_redirects_the_last_address_is_the_one_whose_days_count() {
    let ours = Ca::new("ours");
    let web = web_that_trusts(&ours);
    let (soon, late) = (in_days(9), in_days(90));
    let end = https(&until(late), &[&ours]);
    let start = redirecting(&until(soon), &ours, &url(&end));
    let checked = check_by(&web, &url(&start), "\"redirects\": 1, \"min_cert_days\": 30");
    assert_eq!((checked.verdict, checked.trusted_until), (Ok(()), Some(Time::of(late))));

    let plain = Server::answering(&[&answer(200, "ok")]);
    let start = redirecting(&until(late), &ours, &plain.url());
    let (cause, reason) = miss(check_by(&web, &url(&start), "\"redirects\": 1, \"min_cert_days\": 30"));
    let expected = format!(
        "{}, where the redirects end, has no certificate: it is http; expected at least 30 days",
        plain.address
    );
    assert_eq!((cause, reason), (Cause::Cert, expected));
}

#[test]
fn an_https_address_at_a_plain_server_is_a_tls_fault() {
    let server = Server::new(|mut stream, _| {
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        until_closed(stream);
    });
    let (cause, reason) = miss(check_once(&format!("https://{}/", server.address), ""));
    assert_eq!(cause, Cause::Tls, "{reason}");
}

#[test]
fn of_a_chain_the_certificate_that_has_expired_is_named() {
    let ours = Ca::new("ours");
    let ended = in_days(-1);
    let server = https(&until(in_days(90)), &[&ours.intermediate(ended), &ours]);
    let (_, reason) = miss(check_by(&web_that_trusts(&ours), &url(&server), ""));
    let why = format!("the certificate of \"intermediate\" expired on {}", Time::of(ended));
    assert!(reason.ends_with(&why), "{reason}");
}
