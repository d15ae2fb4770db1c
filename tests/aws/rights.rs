//! Who may do what: each policy against the list, both ways.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::template::{ANCHOR, Stack, TEXT, as_text};
use crate::values::{texts, walk};

/// `EFFECT ACTION RESOURCE` of each statement, with what all ARNs here begin with left out.
fn rights(document: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    assert_eq!(document["Version"], "2012-10-17");
    for statement in document["Statement"].as_array().unwrap() {
        for unwanted in ["NotAction", "NotResource", "NotPrincipal"] {
            assert!(statement.get(unwanted).is_none(), "{statement}");
        }
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                let resource = resource.replace("arn:aws:s3:::pulses", "s3").replace("eu-central-1:111122223333:", "");
                let right = format!("{} {action} {}", as_text(&statement["Effect"]), resource.replace("arn:aws:", ""));
                assert!(all.insert(right.clone()), "{right} is there twice");
            }
        }
    }
    all
}

fn assert_rights(documents: &BTreeMap<String, Value>, name: &str, expected: &[&str]) {
    let document = documents.get(name).unwrap_or_else(|| panic!("there is no policy {name}"));
    let expected: BTreeSet<_> = expected.iter().map(|right| format!("Allow {right}")).collect();
    let found = rights(document);
    let missing: Vec<_> = expected.difference(&found).collect();
    let surplus: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{name} lacks {missing:#?} and has besides {surplus:#?}");
}

const PROBE: &[&str] = &[
    "s3:ListBucket s3",
    "s3:GetObject s3/pulse/*",
    "s3:PutObject s3/echo/*",
    "s3:PutObject s3/fault/*",
    "logs:CreateLogStream logs:log-group:ProbeLog:*",
    "logs:PutLogEvents logs:log-group:ProbeLog:*",
    "sqs:SendMessage sqs:DeadLetters",
];

const LOOP: &[&str] = &[
    "s3:ListBucket s3",
    "s3:GetObject s3/*",
    "s3:PutObject s3/status.json",
    "s3:PutObject s3/status-bad-*",
    "s3:PutObject s3/history.json",
    "s3:PutObject s3/history-bad-*",
    "s3:PutObject s3/status.html",
    "s3:PutObject s3/loop/Update.json",
    "s3:DeleteObject s3/loop/Update.json",
    "s3:PutObject s3/loop/Loop.lock",
    "s3:DeleteObject s3/loop/Loop.lock",
    "sns:Publish sns:Alerts",
    "logs:CreateLogStream logs:log-group:LoopLog:*",
    "logs:PutLogEvents logs:log-group:LoopLog:*",
    "sqs:SendMessage sqs:DeadLetters",
];

const LOOP_WITH_A_QUEUE: &[&str] = &[
    "sqs:SendMessage sqs:Ticks",
    "sqs:PurgeQueue sqs:Ticks",
    "sqs:ReceiveMessage sqs:Ticks",
    "sqs:DeleteMessage sqs:Ticks",
    "sqs:GetQueueAttributes sqs:Ticks",
];

const LOOP_WITH_SECRETS: &[&str] = &[
    "ssm:GetParameter ssm:parameter/pulse-echo/slack-url",
    "ssm:GetParameter ssm:parameter/pulse-echo/webhook-url",
    "ssm:GetParameter ssm:parameter/pulse-echo/webhook-secret",
    "ssm:GetParameter ssm:parameter/pulse-echo/heartbeat-url",
    "ssm:GetParameter ssm:parameter/pulse-echo/pagerduty-key",
    "ssm:GetParameter ssm:parameter/pulse-echo/alertmanager-url",
    "ssm:GetParameter ssm:parameter/pulse-echo/ntfy-url",
    "ssm:GetParameter ssm:parameter/pulse-echo/ntfy-token",
];

const IN_A_VPC: &[&str] = &[
    "ec2:DescribeNetworkInterfaces *",
    "ec2:DescribeSubnets *",
    "ec2:CreateNetworkInterface ec2:network-interface/*",
    "ec2:CreateNetworkInterface ec2:subnet/*",
    "ec2:CreateNetworkInterface ec2:security-group/*",
    "ec2:DeleteNetworkInterface ec2:network-interface/*",
    "ec2:AssignPrivateIpAddresses ec2:network-interface/*",
    "ec2:UnassignPrivateIpAddresses ec2:network-interface/*",
];

const SCHEDULE: &[&str] = &["lambda:InvokeFunction lambda:function:Loop", "sqs:SendMessage sqs:DeadLetters"];

const FLEET: &[&str] = &[
    "s3:PutObject s3/pulse/*",
    "s3:PutObject s3/retire/*",
    "s3:GetObject s3/pulse/*",
    "s3:GetObject s3/echo/*",
    "s3:GetObject s3/fault/*",
    "s3:GetObject s3/loop/Update.json",
    "s3:DeleteObject s3/pulse/*",
];

const OPERATOR: &[&str] = &[
    "s3:ListBucket s3",
    "s3:GetObject s3/*",
    "s3:PutObject s3/loop/*.lambda",
    "s3:PutObject s3/mute/*",
    "s3:PutObject s3/retire/*",
    "s3:DeleteObject s3/pulse/*",
    "s3:DeleteObject s3/echo/*",
    "s3:DeleteObject s3/fault/*",
    "s3:DeleteObject s3/mute/*",
];

/// A host's rights, its name being a variable of IAM: exactly its own keys, never `V*`.
fn of_a_host(variable: &str) -> Vec<String> {
    let mut all = vec!["s3:GetObject s3/loop/Update.json".to_string()];
    for (action, folders) in [
        ("PutObject", &["pulse", "retire"][..]),
        ("GetObject", &["pulse", "echo", "fault"]),
        ("DeleteObject", &["pulse"]),
    ] {
        for folder in folders {
            all.push(format!("s3:{action} s3/{folder}/${{{variable}}}.json"));
            all.push(format!("s3:{action} s3/{folder}/${{{variable}}}/*"));
        }
    }
    all
}

fn assert_host(documents: &BTreeMap<String, Value>, name: &str, variable: &str) {
    let expected = of_a_host(variable);
    assert_rights(documents, name, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn each_policy_grants_what_the_contract_lists_and_nothing_else() {
    let documents = Stack::new(&[]).policies();
    assert_rights(&documents, "ProbeRole", PROBE);
    assert_rights(&documents, "LoopRole", LOOP);
    assert_rights(&documents, "ScheduleRole", SCHEDULE);
    assert_host(&documents, "HostPolicy", "aws:username");
    assert_rights(&documents, "FleetPolicy", FLEET);
    assert_rights(&documents, "OperatorPolicy", OPERATOR);
    assert_rights(&documents, "AlertsPolicy", &["sns:Publish sns:Alerts"]);
    assert_eq!(rights(&documents["BucketPolicy"]), ["Deny s3:* s3", "Deny s3:* s3/*"].map(String::from).into());
    assert_eq!(documents.len(), 8, "{:?}", documents.keys());
}

#[test]
fn what_is_asked_for_adds_its_own_rights_and_nothing_else() {
    let documents = Stack::with_all().policies();
    assert_rights(&documents, "ProbeRole", &[PROBE, IN_A_VPC].concat());
    assert_rights(&documents, "LoopRole", &[LOOP, LOOP_WITH_A_QUEUE, LOOP_WITH_SECRETS, IN_A_VPC].concat());
    assert_rights(&documents, "ScheduleRole", SCHEDULE);
    assert_host(&documents, "CertificatePolicy", "aws:PrincipalTag/x509Subject/CN");
    assert_rights(&documents, "TicksPolicy", &["sqs:SendMessage sqs:Ticks"]);
    assert_eq!(documents.len(), 10, "{:?}", documents.keys());
}

#[test]
fn only_a_secret_that_names_a_parameter_gives_the_right_to_read_it() {
    for plain in ["https://hooks.slack.com/services/T/B/x", "https://example.com/ssm:/not-a-parameter"] {
        let documents = Stack::new(&[("SlackUrl", plain), ("HeartbeatUrl", plain)]).policies();
        assert_rights(&documents, "LoopRole", LOOP);
    }
    let documents = Stack::new(&[("WebhookSecret", "ssm:/a/b"), ("WebhookUrl", "https://example.com/")]).policies();
    assert_rights(&documents, "LoopRole", &[LOOP, &["ssm:GetParameter ssm:parameter/a/b"]].concat());
}

#[test]
fn nobody_is_allowed_everything_of_a_service_or_all_resources_but_where_a_vpc_takes_no_less() {
    for (name, document) in Stack::with_all().policies() {
        for statement in document["Statement"].as_array().unwrap() {
            if statement["Effect"] == "Deny" {
                continue;
            }
            for action in texts(&statement["Action"]) {
                assert!(!action.contains('*'), "{name} allows {action}");
            }
            if statement["Sid"] != "VpcDescribes" {
                assert!(!texts(&statement["Resource"]).contains(&"*".to_string()), "{name}: {statement}");
            }
        }
    }
    assert_eq!(TEXT.matches("Resource: \"*\" # VPC: AWS allows no narrower\n").count(), 2);
    assert_eq!(TEXT.matches("Resource: \"*\"").count(), 2);
}

#[test]
fn what_a_host_puts_can_be_read_by_the_probe() {
    let documents = Stack::with_all().policies();
    for name in ["HostPolicy", "CertificatePolicy", "FleetPolicy"] {
        for statement in documents[name]["Statement"].as_array().unwrap() {
            let puts = texts(&statement["Action"]).contains(&"s3:PutObject".to_string());
            let expected = json!({
                "StringEqualsIfExists": {
                    "s3:x-amz-server-side-encryption": "AES256",
                    "s3:x-amz-storage-class": "STANDARD",
                },
                "Null": {
                    "s3:x-amz-server-side-encryption-customer-algorithm": "true",
                    "s3:x-amz-acl": "true",
                },
            });
            assert_eq!(statement.get("Condition"), puts.then_some(&expected), "{name}: {statement}");
        }
    }
}

#[test]
fn no_role_is_assumed_by_whom_it_is_not_for() {
    let lambda =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let schedule = json!([{
        "Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }]);
    // Session tags are whatever the caller says, so this role is that service's alone, for one trust anchor.
    let certificate = json!([{
        "Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"ArnEquals": {"aws:SourceArn": ANCHOR}},
    }]);
    let expected = [
        ("CertificateRole", certificate),
        ("LoopRole", lambda.clone()),
        ("ProbeRole", lambda),
        ("ScheduleRole", schedule),
    ];
    let resources = Stack::with_all().resources();
    let roles: Vec<_> = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role").collect();
    assert_eq!(roles.len(), expected.len());
    for ((name, role), (expected_name, trust)) in roles.into_iter().zip(expected) {
        assert_eq!(
            (name.as_str(), &role["Properties"]["AssumeRolePolicyDocument"]["Statement"]),
            (expected_name, &trust)
        );
        assert_eq!(role["Properties"]["PermissionsBoundary"], "arn:aws:iam::111122223333:policy/boundary", "{name}");
    }
}

#[test]
fn without_a_boundary_or_a_trust_anchor_the_roles_have_none() {
    let resources = Stack::new(&[]).resources();
    assert!(resources.values().all(|resource| resource["Properties"].get("PermissionsBoundary").is_none()));
    assert!(!resources.contains_key("CertificateRole"));
}

#[test]
fn who_is_not_of_the_account_is_let_in_only_for_it() {
    let documents = Stack::with_all().policies();
    let alarms = &documents["AlertsPolicy"]["Statement"][0];
    assert_eq!(alarms["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}));
    assert_eq!(alarms["Condition"], json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}));
    let wakes = &documents["TicksPolicy"]["Statement"][0];
    assert_eq!(wakes["Principal"], json!({"Service": "sns.amazonaws.com"}));
    assert_eq!(wakes["Condition"]["ArnEquals"]["aws:SourceArn"], "arn:aws:sns:eu-central-1:111122223333:Wake");
    assert_eq!(wakes["Condition"]["StringEquals"]["aws:SourceAccount"], "111122223333");
}

#[test]
fn each_arn_has_the_form_of_its_service() {
    assert!(!TEXT.contains("arn:aws:"), "a partition is written out");
    for resource in Stack::with_all().resources().values() {
        walk(resource, &mut |value| {
            let Some(arn) = value.as_str().filter(|text| text.starts_with("arn:")) else { return };
            let parts: Vec<_> = arn.splitn(6, ':').collect();
            let [_, "aws", service, region, account, rest] = parts[..] else { panic!("{arn}") };
            let place = match service {
                "s3" => ("", ""),
                "iam" => ("", "111122223333"),
                _ => ("eu-central-1", "111122223333"),
            };
            assert_eq!((region, account), place, "{arn}");
            assert!(!rest.is_empty() && !rest.contains("//") && !rest.contains(' '), "{arn}");
        });
    }
}

/// AWS counts the letters without white space: 6,144 for a managed policy, 10,240 for what stands in a role.
#[test]
fn each_policy_fits_its_room() {
    for (name, document) in Stack::with_all().policies() {
        let room = if name.ends_with("Role") { 10_240 } else { 6_144 };
        let letters = document.to_string().len();
        assert!(letters < room / 2, "{name} has {letters} letters");
    }
}
