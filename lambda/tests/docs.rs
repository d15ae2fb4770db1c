//! The tables of settings in `docs/` are those that the functions read.

use pulse_echo_core::environment::Environment;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pulse_echo_lambda::error::Kind;
use pulse_echo_lambda::probe::Probe;
use pulse_echo_lambda::telemetry::Log;
use pulse_echo_lambda::telemetry::metrics::Stack;
use pulse_echo_lambda::tick::Loop;
use pulse_echo_testkit::ssm::{Parameter, Ssm};
use pulse_echo_testkit::store::{ACCESS_KEY, SECRET_KEY};

/// The pages that have the settings.
const PAGES: &str = concat!(
    include_str!("../../docs/security.md"),
    include_str!("../../docs/alerts.md"),
    include_str!("../../docs/agent.md")
);

/// What the functions read where everything is set that leads to more. The loop reads what the probe reads, too.
fn read() -> BTreeSet<String> {
    let ssm = Ssm::new(&[("/webhook-secret", Parameter::secret("secret"))]);
    let asked = Mutex::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.lock().unwrap().insert(name.to_string());
        let value = match name {
            "SLACK_URL" | "WEBHOOK_URL" | "HEARTBEAT_URL" | "ALERTMANAGER_URL" => "https://alerts.example/",
            "NTFY_URL" => "https://ntfy.sh/my-alerts",
            "PAGERDUTY_KEY" => "R0UT1NGKEY",
            "SMTP_URL" => "smtp://localhost",
            "SMTP_FROM" | "SMTP_TO" => "ops@example.com",
            "QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/123456789012/ticks",
            "ALERT_TOPIC_ARN" => "arn:aws:sns:eu-central-1:123456789012:alerts",
            "WEBHOOK_SECRET" => "ssm:/webhook-secret",
            "AWS_ENDPOINT_URL" => return Some(ssm.endpoint()),
            "AWS_REGION" => "us-east-1",
            "AWS_ACCESS_KEY_ID" => ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY" => SECRET_KEY,
            _ => return None,
        };
        Some(value.to_string())
    };
    Probe::read(Environment::new(&lookup), Arc::new(Timestamp::now)).map(drop).unwrap();
    Loop::read(Environment::new(&lookup), Arc::new(Timestamp::now)).map(drop).unwrap();
    drop(Log::read("bootstrap", Environment::new(&lookup), Arc::new(Timestamp::now)));
    Stack::read(Environment::new(&lookup)).map(drop).unwrap();
    asked.into_inner().unwrap()
}

/// The names in the first column of the tables with this head.
fn table(head: &str) -> BTreeSet<String> {
    let rows = PAGES.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap_or_else(|| panic!("{row} names no setting")).to_string()).collect()
}

#[test]
fn each_setting_that_is_read_is_in_a_table_and_no_other() {
    let tables = ["the probe's setting", "the loop's setting", "the log's setting"];
    let documented = tables.into_iter().flat_map(table).filter(|name| !name.starts_with("AWS_"));
    let documented: BTreeSet<_> = documented.collect();
    // The proxies' variables are curl's, as AWS's are AWS's.
    let is_foreign = |name: &String| name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy");
    let (foreign, own): (BTreeSet<_>, BTreeSet<_>) = read().into_iter().partition(is_foreign);
    assert_eq!(own, documented);
    for name in foreign.iter().map(|name| name.replace("all_proxy", "ALL_PROXY")) {
        assert!(PAGES.contains(&format!("`{name}`")), "no page names {name}");
    }
}

#[test]
fn each_setting_is_one_of_the_template_and_stands_in_the_help_of_serve() {
    let template = include_str!("../../packaging/aws/template.yaml");
    let variables = template.lines().filter_map(|line| line.strip_prefix("          ")?.split_once(": "));
    let variables: BTreeSet<_> = variables.map(|(name, _)| name).collect();
    let help = include_str!("../../local/src/serve/options.rs").split_once("SETTINGS: &str").unwrap().1;
    let is_other = |c: char| !c.is_ascii_uppercase() && c != '_';
    let help: BTreeSet<_> = help.split(is_other).collect();
    // What each of them has by other means, or not at all.
    let by_log = ["RUST_LOG"];
    let of_aws = ["BUCKET", "STACK", "QUEUE_URL"];
    // On AWS the SNS topic mails.
    let is_local = |name: &str| name.starts_with("SMTP_");
    for name in read() {
        if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") || by_log.contains(&name.as_str()) {
            continue;
        }
        assert_ne!(variables.contains(name.as_str()), is_local(&name), "{name} in the template");
        assert!(of_aws.contains(&name.as_str()) || help.contains(name.as_str()), "serve --help has no {name}");
    }
}

#[test]
fn the_ranges_and_defaults_of_the_rules_are_those_of_the_table() {
    use pulse_echo_lambda::rules::Rules;

    let rules = Rules::default();
    for (name, default) in [
        ("TICK_S", rules.tick_s),
        ("MIN_INTERVAL_S", rules.min_interval_s),
        ("REMIND_S", rules.remind_s),
        ("FAULTS_IN_ROW", rules.faults_in_row),
        ("CHECKS_PER_HOST", u32::try_from(rules.checks_per_host).unwrap()),
    ] {
        let error = Rules::read(Environment::new(&|asked| (asked == name).then(|| "x".into()))).unwrap_err();
        let range = error.rsplit_once("from ").unwrap().1;
        let row = format!("| `{name}` | {range} | {default} |");
        assert!(PAGES.lines().any(|line| line.starts_with(&row)), "no page has a row that begins {row:?}");
    }
}

#[test]
fn each_word_of_an_error_is_in_the_table_with_what_to_do() {
    let words = [
        Kind::UnexpectedEvent,
        Kind::BucketMismatch,
        Kind::StoreFailed,
        Kind::StatusNewer,
        Kind::QueueFailed,
        Kind::OutOfTime,
        Kind::BadSetting,
        Kind::Panicked,
    ];
    let words = words.map(|kind| kind.word().to_string());
    assert_eq!(table("`errorType`"), BTreeSet::from(words));
    for name in ["Rounds", "OwedSeconds", "ChecksDown", "Errors"] {
        assert!(table("metric").contains(name), "no row for {name}");
    }
}
