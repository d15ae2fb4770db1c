use super::*;

const SLACK: (&str, &str) = ("SLACK_URL", "https://hooks.slack.com/services/T0/B0/SECRET");
const WEBHOOK: (&str, &str) = ("WEBHOOK_URL", "https://alerts.example/SECRET");
const TOPIC: (&str, &str) = ("ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:alerts");
const PAGERDUTY: (&str, &str) = ("PAGERDUTY_KEY", "R0UT1NGKEY");
const ALERTMANAGER: (&str, &str) = ("ALERTMANAGER_URL", "http://alertmanager.example:9093");
const NTFY: (&str, &str) = ("NTFY_URL", "https://ntfy.sh/my-alerts");
const SMTP: (&str, &str) = ("SMTP_URL", "smtps://me:SECRET@mail.example");
const FROM: (&str, &str) = ("SMTP_FROM", "alerts@example.com");
const TO: (&str, &str) = ("SMTP_TO", "ops@example.com");
const KEY: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "SECRET");

#[test]
fn each_channel_is_there_that_the_environment_asks_for_and_no_other() {
    let names = |variables: &[(&str, &str)]| {
        channels_of(variables).unwrap().iter().map(|channel| channel.name()).collect::<Vec<_>>()
    };
    assert!(names(&[]).is_empty());
    assert!(names(&[("SLACK_URL", ""), ("WEBHOOK_URL", ""), ("ALERT_TOPIC_ARN", "")]).is_empty());
    assert_eq!(names(&[WEBHOOK]), ["webhook"]);
    assert_eq!(names(&[TOPIC, WEBHOOK, SLACK, KEY, SECRET]), ["slack", "webhook", "sns"]);
    assert_eq!(names(&[PAGERDUTY, ALERTMANAGER, NTFY]), ["pagerduty", "alertmanager", "ntfy"]);
    assert_eq!(names(&[SMTP, FROM, TO]), ["smtp"]);
}

#[test]
fn each_channel_has_its_own_list_of_checks_and_a_wrong_one_is_named() {
    for channel in ["SLACK", "WEBHOOK", "SNS", "PAGERDUTY", "ALERTMANAGER", "NTFY", "SMTP"] {
        for (setting, value, why) in [("ONLY", "web//*", "which is no pattern"), ("STATES", "dead", "must be some of")]
        {
            let name = format!("{channel}_{setting}");
            let all = [SLACK, WEBHOOK, TOPIC, KEY, SECRET, PAGERDUTY, ALERTMANAGER, NTFY, SMTP, FROM, TO];
            let all = [&all[..], &[(name.as_str(), value)]].concat();
            let said = channels_of(&all).err().unwrap();
            assert!(said.starts_with(&format!("{name} has {value:?}")) && said.contains(why), "{said}");
        }
    }
}

#[test]
fn a_wrong_value_is_one_sentence_that_names_the_variable_and_no_secret() {
    for (variables, sentence) in [
        (
            vec![("SLACK_URL", "hooks.slack.com/services/SECRET")],
            "SLACK_URL cannot be used: it is no URL; it must begin with http:// or https://",
        ),
        (
            vec![("WEBHOOK_URL", "https://me:SECRET@alerts.example/")],
            "WEBHOOK_URL cannot be used: it has credentials in it; none are sent",
        ),
        (
            vec![("ALERT_TOPIC_ARN", "alerts"), KEY, SECRET],
            "ALERT_TOPIC_ARN is \"alerts\": it must be a topic's ARN, such as \
             arn:aws:sns:eu-central-1:123456789012:alerts",
        ),
        (vec![TOPIC, SECRET], "AWS_ACCESS_KEY_ID is not set: ALERT_TOPIC_ARN needs the right to publish"),
        (vec![TOPIC, KEY], "AWS_SECRET_ACCESS_KEY is not set: ALERT_TOPIC_ARN needs the right to publish"),
        (
            vec![TOPIC, KEY, SECRET, ("AWS_ENDPOINT_URL_SNS", "sns.local")],
            "AWS_ENDPOINT_URL_SNS cannot be used: it is no URL; it must begin with http:// or https://",
        ),
    ] {
        assert_eq!(channels_of(&variables).err().unwrap(), sentence);
    }
}

#[test]
fn what_is_wrong_with_the_settings_of_mails_is_said_with_its_remedy_and_without_the_password() {
    for (url, why) in [
        ("mail.example", "it is no URL; it must begin with smtp:// or smtps://, such as "),
        ("https://me:SECRET@mail.example", "it must begin with smtp:// or smtps://, such as "),
        ("smtps://me:SE/CRET@mail.example", "it is no URL; it must begin with smtp:// or smtps://, such as "),
        ("smtps://", "it has no host; it must begin with smtp:// or smtps://, such as "),
        ("smtps://me:SECRET@mail.example/inbox", "it has more after the host than a port and ?tls=; "),
        ("smtps://me:SE#CRET@mail.example", "it is no URL; "),
        ("smtps://me@mail.example", "it has a user and no password: write user:password@ before the host"),
        ("smtps://:SECRET@mail.example", "it has a password and no user: write user:password@ before the host"),
        ("smtps://me:SECRET%ff@mail.example", "its user or password has a byte that is no text: "),
        ("smtps://me:SECRET%00@mail.example", "its user or password has a byte that is no text: "),
        ("smtp://m\u{e4}il.example", "its host has letters that no name of a mail server has: write it with xn--"),
        ("smtp://mail.example:0", "0 is no port of a server: leave it out, "),
        (
            "smtps://me:SECRET@mail.example?tls=none",
            "smtps:// is TLS from the first byte and takes no ?tls=: leave it out",
        ),
        (
            "smtp://me:SECRET@mail.example?tls=none",
            "with ?tls=none the password would go over the network for all to read: ",
        ),
        (
            "smtp://me:SECRET@mail.example?tls=opportunistic",
            "after the ? it may have tls=required or tls=none, and nothing else",
        ),
    ] {
        let said = channels_of(&[("SMTP_URL", url), FROM, TO]).err().unwrap();
        assert!(said.starts_with(&format!("SMTP_URL cannot be used: {why}")), "{url}: {said}");
        assert!(!said.contains("SECRET") && !said.contains('\n'), "{url}: {said}");
    }
    for (name, value, why) in [
        ("SMTP_FROM", "ops", "it must be one address, such as pulse-echo@example.com"),
        ("SMTP_TO", "Ops, Berlin <ops@example.com>", "it must be an address, such as"),
        ("SMTP_FROM", "a@example.com, b@example.com", "it must be one address, such as pulse-echo@example.com"),
        ("SMTP_TO", "ops@example.com; db@example.com", "it must be an address, such as"),
        ("SMTP_TO", ",", "it must be an address, such as"),
        ("SMTP_TO", "ops@example.com\r\nBcc: x@evil.example", "it must be an address, such as"),
        ("SMTP_TO", "A\nB <ops@example.com>", "it must be an address, such as"),
        (
            "SMTP_TO",
            "ops@b\u{fc}cher.example",
            "\"ops@b\u{fc}cher.example\" has letters that not every mail server takes: ",
        ),
    ] {
        let all = [SMTP, FROM, TO].map(|(known, usual)| (known, if known == name { value } else { usual }));
        let said = channels_of(&all).err().unwrap_or_else(|| panic!("{name}={value:?} is taken"));
        assert!(said.starts_with(&format!("{name} cannot be used: {why}")), "{said}");
    }
    for (left_out, set) in [("SMTP_URL", "SMTP_FROM"), ("SMTP_FROM", "SMTP_URL"), ("SMTP_TO", "SMTP_URL")] {
        let some: Vec<_> = [SMTP, FROM, TO].into_iter().filter(|(name, _)| *name != left_out).collect();
        let said = channels_of(&some).err().unwrap();
        let why = "e-mail needs SMTP_URL, SMTP_FROM and SMTP_TO";
        assert_eq!(said, format!("{left_out} is not set, but {set} is: {why}"));
    }
    assert!(
        channels_of(&[
            SMTP,
            ("SMTP_FROM", "Site A <a@b.example>"),
            ("SMTP_TO", "\"O, P\" <ops@b.example>,x@y.example")
        ])
        .is_ok()
    );
}

#[test]
fn an_address_shows_its_host_alone() {
    let address = crate::web::Address::parse(SLACK.1).unwrap();
    assert_eq!(
        format!("{address} {address:?} {address:#?}"),
        "hooks.slack.com Address(hooks.slack.com) Address(hooks.slack.com)"
    );
}

#[test]
fn what_is_set_in_vain_is_said() {
    let in_vain = |set: &'static [(&str, &str)]| {
        let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
        super::super::in_vain(Environment::new(&lookup))
    };
    let set = &[("WEBHOOK_SECRET", "x"), ("PAGERDUTY_ONLY", "web-*"), ("NTFY_URL", "u"), ("NTFY_TOKEN", "t")];
    assert_eq!(
        in_vain(set),
        [
            "WEBHOOK_SECRET is set, but WEBHOOK_URL is not, so nothing is sent there",
            "PAGERDUTY_ONLY is set, but PAGERDUTY_KEY is not, so nothing is sent there"
        ]
    );
    assert!(in_vain(&[]).is_empty());
}
