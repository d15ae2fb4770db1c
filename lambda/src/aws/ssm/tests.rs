use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use pulse_echo_testkit::server::Server;
use pulse_echo_testkit::ssm::{Parameter, Ssm};
use pulse_echo_testkit::store::{ACCESS_KEY, SECRET_KEY};

use super::*;

const SLACK: (&str, &str) = ("SLACK_URL", "ssm:/pulse-echo/slack-url");

fn read(variables: &[(&str, &str)]) -> Result<Secrets, String> {
    read_until(variables, Instant::now() + Duration::from_secs(20))
}

fn read_until(variables: &[(&str, &str)], deadline: Instant) -> Result<Secrets, String> {
    let usual = [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    let lookup = |name: &str| {
        let found = variables.iter().chain(&usual).find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_string())
    };
    let environment = Environment::new(&lookup);
    let settings = StoreSettings::read(environment).unwrap();
    Secrets::read_until(environment, &settings, &(Arc::new(Timestamp::now) as Clock), deadline)
}

/// The error for `SLACK_URL` whose parameter is this.
fn refused(parameter: Parameter) -> String {
    let ssm = Ssm::new(&[("/pulse-echo/slack-url", parameter)]);
    read(&[SLACK, ("AWS_ENDPOINT_URL_SSM", &ssm.endpoint())]).err().unwrap()
}

#[test]
fn each_variable_that_names_a_parameter_has_its_decrypted_value() {
    let ssm = Ssm::new(&[
        ("/pulse-echo/slack-url", Parameter::secret("https://hooks.slack.com/services/T/B/s3cr3t")),
        ("/pulse-echo/webhook-secret", Parameter::secret("ssm:/not/read/again")),
        ("/Plain_1.x", Parameter::Of("String", "https://hc.example/ping/1")),
    ]);
    let secrets = read(&[
        SLACK,
        ("WEBHOOK_URL", "https://alerts.example/"),
        ("WEBHOOK_SECRET", "ssm:/pulse-echo/webhook-secret"),
        ("HEARTBEAT_URL", "ssm:/Plain_1.x"),
        ("SLACK_USER", "ssm:/a/name"),
        ("AWS_ENDPOINT_URL_SSM", &ssm.endpoint()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
    let secrets = secrets.unwrap();
    assert_eq!(secrets.get("SLACK_URL").unwrap(), "https://hooks.slack.com/services/T/B/s3cr3t");
    assert_eq!(secrets.get("WEBHOOK_SECRET").unwrap(), "ssm:/not/read/again");
    assert_eq!(secrets.get("HEARTBEAT_URL").unwrap(), "https://hc.example/ping/1");
    assert_eq!((secrets.get("WEBHOOK_URL"), secrets.get("SLACK_USER")), (None, None));
    assert_eq!(ssm.asked(), ["/pulse-echo/slack-url", "/pulse-echo/webhook-secret", "/Plain_1.x"]);
}

#[test]
fn without_such_a_variable_nobody_is_asked() {
    let ssm = Ssm::new(&[]);
    read(&[("SLACK_URL", "https://hooks.slack.com/ssm:/x"), ("AWS_ENDPOINT_URL", &ssm.endpoint())]).unwrap();
    read(&[("SLACK_URL", ""), ("AWS_ENDPOINT_URL_SSM", "no address")]).unwrap();
    assert!(ssm.asked().is_empty());
}

#[test]
fn the_address_is_that_for_ssm_or_for_all_services_or_aws_own() {
    let ssm = Ssm::new(&[("/pulse-echo/slack-url", Parameter::secret("https://hooks.slack.com/"))]);
    read(&[SLACK, ("AWS_ENDPOINT_URL", &ssm.endpoint())]).unwrap();
    assert_eq!(ssm.asked().len(), 1);
    assert_eq!(own_endpoint("eu-central-1"), "https://ssm.eu-central-1.amazonaws.com/");
    assert_eq!(own_endpoint("cn-north-1"), "https://ssm.cn-north-1.amazonaws.com.cn/");
    for (name, value) in [("AWS_ENDPOINT_URL_SSM", "ssm.local"), ("AWS_REGION", "eu central")] {
        let error = read(&[SLACK, (name, value)]).err().unwrap();
        assert!(error.starts_with(&format!("{name} cannot be used: it is no URL")), "{error}");
    }
}

#[test]
fn a_refusal_names_the_variable_the_parameter_and_the_remedy() {
    let about = "SLACK_URL cannot be read from the parameter /pulse-echo/slack-url: 127.0.0.1: status";
    let denied = "User: arn:aws:sts::1:assumed-role/loop/f is not authorized to perform: ssm:GetParameter\nTOKEN";
    for (status, document, ends) in [
        (
            400,
            json!({"__type": "ParameterNotFound"}),
            "400: ParameterNotFound; create it in the function's region, or correct its name",
        ),
        (
            400,
            json!({"__type": "AccessDeniedException", "Message": denied}),
            "400: AccessDeniedException: User: arn:aws:sts::1:assumed-role/loop/f is not authorized to perform: \
             ssm:GetParameter; the function's role must allow ssm:GetParameter on it, and kms:Decrypt if it has a key \
             of your own",
        ),
        (
            400,
            json!({"__type": "com.amazonaws.ssm#InvalidKeyId", "message": "disabled"}),
            "400: InvalidKeyId: disabled; its key cannot be used; enable it, or store the value again with another key",
        ),
        (
            400,
            json!({"__type": "ExpiredTokenException", "message": "expired"}),
            "400: ExpiredTokenException: expired; correct the credentials",
        ),
        (500, json!({"__type": "InternalServerError"}), "500: InternalServerError"),
        (503, json!(null), "503"),
    ] {
        assert_eq!(refused(Parameter::Refused(status, document)), format!("{about} {ends}"));
    }
}

#[test]
fn what_is_no_single_text_is_refused_and_not_shown() {
    let about = "SLACK_URL cannot be read from the parameter /pulse-echo/slack-url: 127.0.0.1: status 200,";
    for (parameter, why) in [
        (Parameter::Of("StringList", "s3cr3t,s3cr3t"), "it is not one text; make it a SecureString"),
        (Parameter::secret(""), "its value is empty"),
        (Parameter::Strange, "it is not an answer of SSM; check AWS_ENDPOINT_URL_SSM and AWS_ENDPOINT_URL"),
    ] {
        assert_eq!(refused(parameter), format!("{about} {why}"));
    }
}

#[test]
fn a_dead_server_and_a_silent_server_are_no_wait_without_end() {
    let about = "SLACK_URL cannot be read from the parameter /pulse-echo/slack-url: 127.0.0.1: ";
    let dead = read(&[SLACK, ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")]).err().unwrap();
    assert!(dead.starts_with(about) && dead.contains("refused"), "{dead}");

    let ssm = Ssm::new(&[("/a", Parameter::secret("s3cr3t")), ("/silent", Parameter::Silence)]);
    let variables = [
        ("SLACK_URL", "ssm:/a"),
        ("WEBHOOK_URL", "ssm:/silent"),
        ("HEARTBEAT_URL", "ssm:/a"),
        ("AWS_ENDPOINT_URL_SSM", &ssm.endpoint()),
    ];
    let silent = read_until(&variables, Instant::now() + Duration::from_millis(500)).err().unwrap();
    let about = "WEBHOOK_URL cannot be read from the parameter /silent: 127.0.0.1: ";
    assert!(silent.starts_with(about), "{silent}");
    assert_eq!(ssm.asked(), ["/a", "/silent"], "one deadline is for all of them");
    let late = read_until(&variables, Instant::now()).err().unwrap();
    assert!(late.ends_with("no time was left to send"), "{late}");
}

#[test]
fn where_the_clocks_differ_it_is_signed_once_more_by_the_services_clock() {
    let count = AtomicUsize::new(0);
    let server = Server::replying(move |_| {
        use pulse_echo_testkit::server::Reply;
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::of(400, "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}")
                .with("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            _ => Reply::of(200, "{\"Parameter\":{\"Type\":\"SecureString\",\"Value\":\"s3cr3t\"}}"),
        }
    });
    let secrets = read(&[SLACK, ("AWS_ENDPOINT_URL_SSM", &server.endpoint())]).unwrap();
    assert_eq!(secrets.get("SLACK_URL").unwrap(), "s3cr3t");
    assert!(server.heads()[1].contains("x-amz-date: 19941106T084937Z"), "{:?}", server.heads());
}

#[test]
fn a_name_that_is_no_parameters_is_refused_and_not_shown() {
    for value in ["ssm:", "ssm:/", "ssm:s3cr3t", "ssm:/a b", "ssm:/a:3", "ssm:arn:aws:ssm:us-east-1:1:parameter/a"] {
        let error = read(&[("WEBHOOK_SECRET", value)]).err().unwrap();
        let sentence = "WEBHOOK_SECRET cannot be used: ssm: must be followed by a parameter's name with its path, such \
                        as ssm:/pulse-echo/name";
        assert_eq!(error, sentence, "{value}");
    }
}

#[test]
fn a_sentence_about_a_value_names_its_parameter() {
    let secret = Secret { parameter: "/a".into(), value: "s3cr3t".into() };
    let secrets = Secrets([("SLACK_URL", secret)].into());
    let explained = secrets.explain("SLACK_URL cannot be used: it is no URL".into());
    assert_eq!(explained, "SLACK_URL cannot be used: it is no URL; the value is that of the parameter /a");
    for other in ["WEBHOOK_URL cannot be used", "SLACK_URLS cannot be used"] {
        assert_eq!(secrets.explain(other.into()), other);
    }
}
