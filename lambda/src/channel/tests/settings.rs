use super::*;

const SLACK: (&str, &str) = ("SLACK_URL", "https://hooks.slack.com/services/T0/B0/SECRET");
const WEBHOOK: (&str, &str) = ("WEBHOOK_URL", "https://alerts.example/SECRET");
const TOPIC: (&str, &str) = ("ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:alerts");
const PAGERDUTY: (&str, &str) = ("PAGERDUTY_KEY", "R0UT1NGKEY");
const ALERTMANAGER: (&str, &str) = ("ALERTMANAGER_URL", "http://alertmanager.example:9093");
const NTFY: (&str, &str) = ("NTFY_URL", "https://ntfy.sh/my-alerts");
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
}

#[test]
fn each_channel_has_its_own_list_of_checks_and_a_wrong_one_is_named() {
    for channel in ["SLACK", "WEBHOOK", "SNS", "PAGERDUTY", "ALERTMANAGER", "NTFY"] {
        for (setting, value, why) in [("ONLY", "web//*", "which is no pattern"), ("STATES", "dead", "must be some of")]
        {
            let name = format!("{channel}_{setting}");
            let all = [SLACK, WEBHOOK, TOPIC, KEY, SECRET, PAGERDUTY, ALERTMANAGER, NTFY, (name.as_str(), value)];
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
fn an_address_shows_its_host_alone() {
    let address = crate::web::Address::parse(SLACK.1).unwrap();
    assert_eq!(
        format!("{address} {address:?} {address:#?}"),
        "hooks.slack.com Address(hooks.slack.com) Address(hooks.slack.com)"
    );
}
