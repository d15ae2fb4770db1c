//! Certificates as people make them with openssl, and servers as openssl runs them: trusted as curl trusts them, or the
//! reason says which property is wrong.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::answers::CURL;
use super::*;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fetch/tests/certificates.sh");

const BROKEN: &str = "which is broken; sign it with RSA or ECDSA (P-256, P-384) and SHA-256";
const UNKNOWN: &str = "which is not known here; sign it with RSA or ECDSA (P-256, P-384) and SHA-256";

/// The certificates that are trusted.
const TRUSTED: [&str; 21] = [
    "good",
    "good-p256",
    "good-p384",
    "good-ed25519",
    "good-rsa4096",
    "sha384",
    "sha512",
    "uncritical",
    "for-servers",
    "chained",
    "disordered",
    // Named in the bundle themselves.
    "named-leaf",
    "self-named",
    "self-common-name",
    "self-sha512",
    "self-clients",
    // Of version 1, as `openssl x509 -req -signkey` makes it.
    "self-v1",
    "self-v1-rsa",
    // What a certificate may be used for counts only as extended key usage.
    "by-no-signer",
    "for-lists",
    "of-netscape",
];

/// The certificates that are not, and a part of the reason.
fn distrusted() -> Vec<(&'static str, String)> {
    let is = |name, why: &str| (name, why.to_string());
    let signed = |name, with: &str, end: &str| (name, format!("the certificate is signed with {with}, {end}"));
    let curve = |name, curve| signed(name, &format!("a key on the curve {curve}"), UNKNOWN);
    let no_key = "the server refused TLS: no version, cipher or key in common";
    vec![
        signed("sha1", "SHA-1", BROKEN),
        signed("md5", "MD5", BROKEN),
        signed("ecdsa-sha1", "SHA-1", BROKEN),
        signed("sha224", "SHA-224", UNKNOWN),
        signed("ecdsa-sha224", "SHA-224", UNKNOWN),
        signed("ecdsa-sha512", "ECDSA and SHA-512", UNKNOWN),
        is("pss", "signed with RSA-PSS in a form that is not known here"),
        curve("by-p521", "P-521"),
        curve("by-brainpool", "brainpool"),
        curve("by-k256", "secp256k1"),
        signed("by-ed448", "Ed448", UNKNOWN),
        is("by-short", "the certificate of the CA \"CA short\": its key is too short: RSA of 1024 bits; 2048 to 8192"),
        is("short-key", "the certificate's key is too short: RSA of 1024 bits; 2048 to 8192 are taken"),
        is("of-p521", no_key),
        is("of-brainpool", no_key),
        is("of-ed448", no_key),
        is("ca-true", "the certificate is a CA's, not a server's; make one with CA:FALSE"),
        is("critical", "the certificate has a critical extension that is not known here"),
        is("constrained", "the CA \"CA names\" may not issue certificates for this name (its name constraints)"),
        is("by-outside", "the CA \"CA outside\" may not issue certificates for this name (its name constraints)"),
        is(
            "by-client",
            "the certificate of \"CA client\" is not for servers; its extended key usage must have serverAuth",
        ),
        is(
            "by-of-sha1",
            "the certificate of \"CA of-sha1\" is signed with SHA-1, which is broken; sign it with RSA or",
        ),
        is("by-first", "the certificate of \"CA first\" is of X.509 version 1; make one of version 3"),
        is("by-strange", "the certificate of \"CA strange\" has a critical extension that is not known here"),
        is("by-next", "the certificate of \"CA next\" is not valid before 2990-01-01T00:00:00Z"),
        is("many-names", "the certificate is not for localhost, but for host1.example.com, host2.example.com"),
        is("uri-name", "it names localhost only as its common name (CN)"),
        is("rsa2040", "the certificate's key is too short: RSA of 2040 bits"),
        is("policies", "the certificate has a critical extension that is not known here; make it not critical"),
        is("self-v1-other", "it names example.com only as its common name (CN)"),
        is("for-mail", "the certificate is not for servers; its extended key usage must have serverAuth"),
        is("for-clients", "the certificate is not for servers"),
        is("other-address", "the certificate is not for localhost, but for 127.0.0.9"),
        is("other-name", "the certificate is not for localhost, but for www.example.com, example.com"),
        is("deeper", "the certificate is not for localhost, but for *.localhost"),
        is("only-mail", "it names localhost only as its common name (CN)"),
        is("only-common-name", "it names localhost only as its common name (CN), which does not count; give it"),
        is("no-name", "the certificate is not for localhost; it names no host"),
        is("version-1", "the certificate is of X.509 version 1, which has no subject alternative names; make one"),
        is("backwards", "the certificate ends before it begins"),
        is(
            "stray",
            "the certificate's issuer \"CA stranger\" is not trusted; if it is an intermediate CA, the server must",
        ),
        is("rootful", "the chain ends in the CA \"CA stranger\", which is not trusted; PROBE_CA_BUNDLE can name it"),
        is(
            "unchained",
            "the certificate's issuer \"CA middle\" is not trusted; if it is an intermediate CA, the server",
        ),
        is("gap", "the chain lacks the certificate of \"CA middle\": the server does not send it"),
        is("by-no-ca", "\"CA no-ca\" issued a certificate and is no CA; make its own with CA:TRUE"),
        is("too-long", "the chain has more CAs than one of them allows (pathlen)"),
        is("anew", "the certificate is not signed by the trusted CA that has its issuer's name"),
        is("self", "the certificate is self-signed; PROBE_CA_BUNDLE can name it as trusted"),
        is("self-no-ca", "the certificate is self-signed; PROBE_CA_BUNDLE can name it as trusted"),
        is("self-other-name", "it names example.com only as its common name (CN)"),
        is("self-short", "the certificate's key is too short: RSA of 1024 bits"),
        is("stranger", "the certificate is self-signed"),
        is("plain", "it names CA plain only as its common name (CN)"),
    ]
}

/// `openssl s_server` for one connection; it ends with the test at the latest.
struct OpenSsl(Child, u16);

impl OpenSsl {
    fn serve(folder: &Path, name: &str, options: &[&str]) -> Self {
        let file = |end: &str| format!("{name}.{end}");
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-www", "-cert", &file("c")]);
        command.args(["-key", &file("k"), "-cipher", "ALL:@SECLEVEL=0"]);
        if folder.join(file("chain")).exists() {
            command.args(["-cert_chain", &file("chain")]);
        }
        command.args(options).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.parse().ok());
        thread::spawn(move || lines.for_each(drop));
        Self(child, port.unwrap_or_else(|| panic!("{name} is not served")))
    }

    fn check(&self, web: &Web) -> Checked {
        self.check_as("localhost", web)
    }

    fn check_as(&self, host: &str, web: &Web) -> Checked {
        check_within(PULSES_OWN, web, &format!("https://{host}:{}/", self.1), "")
    }

    /// What curl makes of it: its exit code is 0 where it trusts the server.
    fn is_trusted_by_curl(&self, folder: &Path) -> bool {
        let curl = ["-q", "-s", "--noproxy", "*", "--cacert", "bundle", "-m", "9", "-o", "/dev/null"];
        let url = format!("https://localhost:{}/", self.1);
        Command::new("curl").args(curl).arg(url).current_dir(folder).status().unwrap().success()
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The certificates, and a probe that trusts the bundle; `None` without openssl, which fails under CI.
fn certificates() -> Option<(TempDir, Web)> {
    if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("CI").is_none(), "openssl is not there: tests/tools.sh installs it");
        return None;
    }
    let folder = TempDir::new().unwrap();
    assert!(Command::new("bash").arg(SCRIPT).arg(folder.path()).status().unwrap().success());
    let bundle = folder.path().join("bundle");
    let web = web_with(&[("PROBE_CA_BUNDLE", bundle.to_str().unwrap())]);
    Some((folder, web))
}

#[test]
fn certificates_of_openssl_are_trusted_as_by_curl_or_the_wrong_property_is_named() {
    let Some((folder, web)) = certificates() else { return };
    for name in TRUSTED {
        assert_eq!(OpenSsl::serve(folder.path(), name, &[]).check(&web).verdict, Ok(()), "{name}");
    }
    for name in ["self-v1", "self-v1-rsa"] {
        assert_eq!(OpenSsl::serve(folder.path(), name, &["-tls1_2"]).check(&web).verdict, Ok(()), "{name} by TLS 1.2");
    }
    for (name, why) in distrusted() {
        let checked = OpenSsl::serve(folder.path(), name, &[]).check(&web);
        assert!(checked.verdict.is_err(), "{name} is trusted");
        let (cause, reason) = miss(checked);
        assert!(cause == Cause::Tls && reason.contains(&why), "{name}: {cause}: {reason}");
    }
    for (name, options, why) in OFFERS {
        let checked = OpenSsl::serve(folder.path(), "good", options).check(&web);
        assert!(checked.verdict.is_err(), "{name} will do");
        let (_, reason) = miss(checked);
        assert!(reason.contains(why), "{name}: {reason}");
    }
    let (_, reason) = miss(OpenSsl::serve(folder.path(), "address-as-name", &[]).check_as("127.0.0.1", &web));
    let why = "the certificate names 127.0.0.1 as a DNS name; make one that gives it as IP:127.0.0.1";
    assert!(reason.ends_with(why), "{reason}");
    curl_differs_as_documented(folder.path());
}

const NO_OFFER: &str = "the server refused TLS: no version, cipher or key in common (offer ECDHE with AES-GCM, \
                        and X25519, P-256 or P-384), or it wants a certificate of its client";

/// Servers that offer what the probe does not take, and a part of the reason.
const OFFERS: [(&str, &[&str], &str); 10] = [
    ("tls1.1", &["-tls1_1"], "the server refused TLS: it does not speak TLS 1.2 or 1.3"),
    ("rsa-exchange", &["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"], NO_OFFER),
    ("rsa-cbc", &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], NO_OFFER),
    ("dhe", &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], NO_OFFER),
    ("cbc", &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"], NO_OFFER),
    ("null", &["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], NO_OFFER),
    ("p521", &["-groups", "P-521"], NO_OFFER),
    ("ffdhe", &["-groups", "ffdhe2048"], NO_OFFER),
    ("client-1.2", &["-tls1_2", "-Verify", "1", "-verify_return_error"], "it wants a certificate of its client"),
    ("client-1.3", &["-tls1_3", "-Verify", "1", "-verify_return_error"], "it wants a certificate of its client"),
];

/// The rows of the table in the documentation: names, and whether curl and the probe trust them.
fn documented() -> Vec<(&'static str, bool, bool)> {
    let rows = include_str!("../../../../docs/pulse.md").lines().filter_map(|line| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, what, curl @ ("yes" | "no"), probe @ ("yes" | "no"), why, _] = columns[..] else { return None };
        assert!(!why.is_empty(), "{what} differs without a why");
        let names = what.split('`').skip(1).step_by(2);
        Some(names.map(|name| (name, curl == "yes", probe == "yes")).collect::<Vec<_>>())
    });
    rows.flatten().collect()
}

/// What differs from curl stands in the documentation with its why, and nothing else does.
fn curl_differs_as_documented(folder: &Path) {
    let version = Command::new("curl").arg("--version").output();
    if !version.is_ok_and(|version| version.stdout.starts_with(CURL.as_bytes())) {
        return;
    }
    let documented = documented();
    let known = |name: &str| documented.iter().find(|(known, ..)| *known == name);
    let trusted = TRUSTED.iter().map(|name| (*name, *name, &[][..], true));
    let distrusted = distrusted().into_iter().map(|(name, _)| (name, name, &[][..], false));
    let offers = OFFERS.iter().map(|(name, options, _)| (*name, "good", *options, false));
    let all: Vec<_> = trusted.chain(distrusted).chain(offers).collect();
    let mut wrong = Vec::new();
    for (name, certificate, options, by_probe) in &all {
        let by_curl = OpenSsl::serve(folder, certificate, options).is_trusted_by_curl(folder);
        let row = known(name).map_or((*by_probe, *by_probe), |(_, curl, probe)| (*curl, *probe));
        if row != (by_curl, *by_probe) || (known(name).is_some() && row.0 == row.1) {
            wrong.push(format!("{name}: curl {by_curl}, probe {by_probe}"));
        }
    }
    assert!(wrong.is_empty(), "the table in docs/pulse.md says otherwise of {wrong:#?}");
    for (name, ..) in &documented {
        assert!(all.iter().any(|(there, ..)| there == name), "{name} of docs/pulse.md is not tested");
    }
}
