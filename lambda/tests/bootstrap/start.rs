//! What keeps the functions from starting.

use std::process::Output;

use pulse_echo_testkit::plain::assert_plain;
use pulse_echo_testkit::runtime::Lambda;
use pulse_echo_testkit::smtp::{MailServer, Manners};
use pulse_echo_testkit::ssm::{Parameter, Ssm};
use pulse_echo_testkit::store::{ACCESS_KEY, MARK, SECRET_KEY};
use pulse_echo_testkit::world::{World, event};
use serde_json::json;

use crate::{bootstrap, start_with};

/// What Lambda sets, with this address of its Runtime API.
fn by_lambda(api: &str) -> Vec<(&str, &str)> {
    vec![
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ]
}

/// What the store's settings need.
const STORE: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK"), ("AWS_REGION", "us-east-1")];

#[test]
fn what_keeps_it_from_starting_is_one_sentence_for_the_log_and_for_lambda() {
    let lambda = Lambda::new();
    let with = |more: &[(&'static str, &'static str)]| [&by_lambda(&lambda.address)[..], more].concat();
    let bad_stack = [&STORE[..], &[("_HANDLER", "loop"), ("BUCKET", "b"), ("STACK", "a b")]].concat();
    for (environment, sentence) in [
        (
            with(&[("_HANDLER", "prob")]),
            "the handler \"prob\" is not known: set the function's handler to \"probe\" or \"loop\"",
        ),
        (with(&[("_HANDLER", "probe")]), "AWS_ACCESS_KEY_ID is not set: the id of the access key to the store"),
        (
            with(&bad_stack),
            "STACK is \"a b\": it must be the name of the deployment, of at most 128 printable ASCII characters \
             without blanks",
        ),
    ] {
        let Output { status, stderr, stdout } = bootstrap(&environment).output().unwrap();
        let log = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), log.as_str()), (Some(1), format!("bootstrap: {sentence}\n").as_str()));
        assert_plain(&log);
        assert!(stdout.is_empty());
        let (header, body) = lambda.init_error();
        assert_eq!(header, "BadSetting");
        assert_eq!(body, json!({"errorType": "BadSetting", "errorMessage": sentence, "stackTrace": []}));
    }
}

#[test]
fn a_loop_that_is_to_mail_says_once_that_it_does_not_and_mails_nothing() {
    let (lambda, world, mails) = (Lambda::new(), World::new(), MailServer::new(Manners::default()));
    let url = format!("smtp://me:SECRET@{}", mails.address());
    let more = [("SMTP_URL", url.as_str()), ("SMTP_FROM", "a@example.com"), ("SMTP_TO", "b@example.com")];
    let running = start_with(&lambda, &world, "loop", &more);
    assert_eq!(lambda.invoke(event(&["loop/Test.lambda"])).0, "response");
    let log = running.log();
    let said: Vec<_> = log.lines().filter(|line| line.contains("SMTP_URL")).collect();
    assert!(said.len() == 1 && said[0].contains("is ignored on AWS: subscribe the address to an SNS topic"), "{log}");
    assert!(!log.contains("SECRET") && mails.server.connections() == 0, "{log}");
    let lambda = Lambda::new();
    let running = start_with(&lambda, &world, "probe", &more);
    assert_eq!(lambda.invoke(event(&["pulse/web-1.json"])).0, "response");
    assert!(!running.log().contains("SMTP_URL"), "the probe tells nobody anything");
}

#[test]
fn without_lambda_there_is_nobody_to_post_to() {
    for environment in [vec![], by_lambda("127.0.0.1:9")] {
        let Output { status, stderr, .. } = bootstrap(&environment).output().unwrap();
        let log = String::from_utf8(stderr).unwrap();
        assert!(status.code() == Some(1) && log.lines().count() == 1, "{log}");
        assert!(log.starts_with("bootstrap: "), "{log}");
    }
    let Output { stderr, .. } = bootstrap(&[]).output().unwrap();
    let sentence = "bootstrap: AWS_LAMBDA_RUNTIME_API is not set: AWS Lambda starts this program and sets it\n";
    assert_eq!(String::from_utf8(stderr).unwrap(), sentence);
}

#[test]
fn what_lambda_never_sets_and_a_runtime_that_is_not_there_are_told_without_a_librarys_words() {
    let with = |name, value| {
        let of_lambda = by_lambda("127.0.0.1:9").into_iter().filter(|(known, _)| *known != name);
        of_lambda.chain(STORE).chain([("_HANDLER", "probe"), ("BUCKET", "b"), (name, value)]).collect::<Vec<_>>()
    };
    for (environment, sentence) in [
        (with("AWS_LAMBDA_RUNTIME_API", "a b"), "AWS_LAMBDA_RUNTIME_API is \"a b\", which AWS Lambda never sets"),
        (with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128 MB"), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE is \"128 MB\", which"),
        (with("TZ", "UTC"), "AWS Lambda's Runtime API does not answer: connection refused\n"),
    ] {
        let Output { status, stderr, .. } = bootstrap(&environment).output().unwrap();
        let log = String::from_utf8(stderr).unwrap();
        assert!(status.code() == Some(1) && log.starts_with(&format!("bootstrap: {sentence}")), "{status}: {log}");
        assert_plain(&log);
    }
}

#[test]
fn a_loop_whose_secret_cannot_be_used_says_which_parameter_has_it_and_shows_no_secret() {
    let ssm = Ssm::new(&[("/pulse-echo/webhook-url", Parameter::secret("me:s3cr3t@alerts.example"))]);
    let (lambda, endpoint) = (Lambda::new(), ssm.endpoint());
    let with = |handler: &'static str, url: &'static str| {
        let own = [
            ("_HANDLER", handler),
            ("BUCKET", "b"),
            ("WEBHOOK_URL", url),
            ("AWS_ENDPOINT_URL_SSM", endpoint.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("RUST_LOG", "trace"),
        ];
        [&by_lambda(&lambda.address)[..], &own[..]].concat()
    };
    for (url, why) in [
        (
            "ssm:/pulse-echo/webhook-url",
            "WEBHOOK_URL cannot be used: it is no URL; it must begin with http:// or https://; the value is that of \
             the parameter /pulse-echo/webhook-url",
        ),
        (
            "ssm:/pulse-echo/nosuch",
            "WEBHOOK_URL cannot be read from the parameter /pulse-echo/nosuch: 127.0.0.1: status 400: \
             ParameterNotFound; create it in the function's region, or correct its name",
        ),
    ] {
        let Output { status, stderr, stdout } = bootstrap(&with("loop", url)).output().unwrap();
        let log = String::from_utf8(stderr).unwrap();
        assert!(status.code() == Some(1) && stdout.is_empty() && log.contains(why), "{log}");
        assert!(!log.contains(MARK), "{log}");
        let (header, body) = lambda.init_error();
        assert_eq!((header.as_str(), &body["errorMessage"]), ("BadSetting", &json!(why)));
    }
    assert_eq!(ssm.asked(), ["/pulse-echo/webhook-url", "/pulse-echo/nosuch"]);
}
