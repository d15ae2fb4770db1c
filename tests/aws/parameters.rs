//! What the template asks for, and the room it takes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{TEXT, as_text, whole};
use crate::values::walk;

const SECRETS: [&str; 8] = [
    "SlackUrl",
    "WebhookUrl",
    "WebhookSecret",
    "HeartbeatUrl",
    "PagerDutyKey",
    "AlertmanagerUrl",
    "NtfyUrl",
    "NtfyToken",
];

fn parameters(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    template["Parameters"].as_object().unwrap().iter()
}

#[test]
fn each_parameter_is_used_described_and_bounded() {
    let template = whole();
    let mut used = BTreeSet::new();
    for part in ["Rules", "Conditions", "Resources"] {
        walk(&template[part], &mut |value| {
            if let Some(name) = value.get("Ref").and_then(Value::as_str) {
                used.insert(name.to_string());
            }
            let text = value.get("Fn::Sub").map(|of| as_text(of.get(0).unwrap_or(of)));
            for name in text.iter().flat_map(|text| text.split("${").skip(1)) {
                used.insert(name.split('}').next().unwrap().to_string());
            }
        });
    }
    for (name, parameter) in parameters(&template) {
        assert!(used.contains(name), "{name} is not used");
        let description = parameter["Description"].as_str().unwrap_or_else(|| panic!("{name} is not described"));
        assert!(description.ends_with('.') && description.len() <= 200, "{name}: {description}");
        let bounds =
            ["AllowedValues", "AllowedPattern", "MaxLength"].iter().any(|bound| parameter.get(bound).is_some());
        assert!(bounds || ["MinValue", "MaxValue"].iter().all(|bound| parameter.get(bound).is_some()), "{name}");
    }
}

#[test]
fn each_secret_is_not_echoed_and_nothing_shows_it() {
    let template = whole();
    for (name, parameter) in parameters(&template) {
        assert_eq!(parameter.get("NoEcho") == Some(&json!(true)), SECRETS.contains(&name.as_str()), "{name}");
    }
    walk(&template["Outputs"], &mut |value| {
        let reference = value.get("Ref").and_then(Value::as_str).unwrap_or_default();
        assert!(!SECRETS.contains(&reference), "an output shows {reference}");
    });
}

#[test]
fn only_bucket_and_code_have_to_be_given() {
    let template = whole();
    let needed: Vec<_> = parameters(&template).filter(|(_, parameter)| parameter.get("Default").is_none()).collect();
    let names: BTreeSet<_> = needed.into_iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["BucketName", "CodeBucket", "CodeKey"].into());
}

#[test]
fn cloudformation_takes_it_as_it_is() {
    assert!(TEXT.len() < 51_200, "{} bytes", TEXT.len());
    let template = whole();
    assert!(template.get("Transform").is_none());
    walk(&template, &mut |value| assert!(value.get("Fn::Transform").is_none()));
    assert!(TEXT.lines().all(|line| line.len() <= 120));
}
