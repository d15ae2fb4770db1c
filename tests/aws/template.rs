//! The template as JSON, and its values for given parameters.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

pub const TEXT: &str = include_str!("../../packaging/aws/template.yaml");

/// Stands for a value that is left out, as `AWS::NoValue` does.
const NO_VALUE: &str = "AWS::NoValue";

/// The template with its tags in their long form: `!Ref X` is `{"Ref": "X"}`.
pub fn whole() -> Value {
    let documents = Yaml::load_from_str(TEXT).expect("the template is YAML");
    assert_eq!(documents.len(), 1);
    to_json(&documents[0])
}

fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(to_json).collect(),
        Yaml::Mapping(pairs) => Value::Object(
            pairs.iter().map(|(key, value)| (key.as_str().unwrap().to_string(), to_json(value))).collect(),
        ),
        Yaml::Tagged(tag, value) => {
            let value = to_json(value);
            match tag.suffix.as_str() {
                "Ref" | "Condition" => json!({ &tag.suffix: value }),
                "GetAtt" => {
                    let (resource, attribute) = value.as_str().unwrap().split_once('.').unwrap();
                    json!({"Fn::GetAtt": [resource, attribute]})
                }
                name => json!({ format!("Fn::{name}"): value }),
            }
        }
        // CloudFormation refuses aliases.
        other => panic!("the template has {other:?}"),
    }
}

/// The template for parameters that differ from its defaults.
pub struct Stack {
    template: Value,
    parameters: BTreeMap<String, Value>,
}

impl Stack {
    pub fn new(given: &[(&str, &str)]) -> Self {
        let template = whole();
        let mut parameters: BTreeMap<_, _> = [("BucketName", "pulses"), ("CodeBucket", "code"), ("CodeKey", "a.zip")]
            .map(|(name, value)| (name.to_string(), json!(value)))
            .into();
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            if let Some(default) = parameter.get("Default") {
                parameters.insert(name.clone(), list_or_text(parameter, default.clone()));
            }
        }
        for (name, value) in given {
            parameters.insert((*name).to_string(), list_or_text(&template["Parameters"][name], json!(value)));
        }
        Self { template, parameters }
    }

    /// With everything that can be asked for.
    pub fn with_all() -> Self {
        Self::new(&[
            ("Driver", "queue"),
            ("TickSeconds", "5"),
            ("SlackUrl", "ssm:/pulse-echo/slack-url"),
            ("WebhookUrl", "ssm:/pulse-echo/webhook-url"),
            ("WebhookSecret", "ssm:/pulse-echo/webhook-secret"),
            ("HeartbeatUrl", "ssm:/pulse-echo/heartbeat-url"),
            ("PagerDutyKey", "ssm:/pulse-echo/pagerduty-key"),
            ("AlertmanagerUrl", "ssm:/pulse-echo/alertmanager-url"),
            ("NtfyUrl", "ssm:/pulse-echo/ntfy-url"),
            ("NtfyToken", "ssm:/pulse-echo/ntfy-token"),
            ("AlertEmail", "ops@example.com"),
            ("ProbeConcurrency", "50"),
            ("ProbeLayer", "arn:aws:lambda:eu-central-1:111122223333:layer:ca:1"),
            ("SubnetIds", "subnet-0123456789abcdef0"),
            ("SecurityGroupIds", "sg-0123456789abcdef0"),
            ("TrustAnchorArn", ANCHOR),
            ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/boundary"),
        ])
    }

    /// The resources that are made, by their names, with every function of the template resolved.
    pub fn resources(&self) -> BTreeMap<String, Value> {
        let all = self.template["Resources"].as_object().unwrap();
        let made = all.iter().filter(|(_, resource)| resource.get("Condition").is_none_or(|name| self.holds(name)));
        made.map(|(name, resource)| (name.clone(), self.resolve(resource))).collect()
    }

    /// The policies of the resources, by `RESOURCE` or, inside a role, `ROLE`.
    pub fn policies(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for (name, resource) in self.resources() {
            let properties = &resource["Properties"];
            if let Some(document) = properties.get("PolicyDocument") {
                found.insert(name.clone(), document.clone());
            }
            for policy in properties["Policies"].as_array().into_iter().flatten() {
                assert!(found.insert(name.clone(), policy["PolicyDocument"].clone()).is_none(), "{name} has two");
            }
        }
        found
    }

    fn holds(&self, condition: &Value) -> bool {
        self.is_true(&self.template["Conditions"][condition.as_str().unwrap()])
    }

    fn is_true(&self, condition: &Value) -> bool {
        let (function, of) = condition.as_object().unwrap().iter().next().unwrap();
        let all = || of.as_array().unwrap().iter();
        match function.as_str() {
            "Condition" => self.holds(of),
            "Fn::Equals" => as_text(&self.resolve(&of[0])) == as_text(&self.resolve(&of[1])),
            "Fn::Not" => !self.is_true(&of[0]),
            "Fn::And" => all().all(|each| self.is_true(each)),
            "Fn::Or" => all().any(|each| self.is_true(each)),
            other => panic!("a condition has {other}"),
        }
    }

    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => {
                values.iter().map(|each| self.resolve(each)).filter(|each| *each != NO_VALUE).collect()
            }
            Value::Object(pairs) if pairs.len() == 1 => {
                let (function, of) = pairs.iter().next().unwrap();
                self.call(function, of).unwrap_or_else(|| self.each(pairs))
            }
            Value::Object(pairs) => self.each(pairs),
            other => other.clone(),
        }
    }

    fn each(&self, pairs: &Map<String, Value>) -> Value {
        let resolved = pairs.iter().map(|(key, value)| (key.clone(), self.resolve(value)));
        Value::Object(resolved.filter(|(_, value)| *value != NO_VALUE).collect())
    }

    /// What a function of `CloudFormation` gives; `None` if it is no function.
    fn call(&self, function: &str, of: &Value) -> Option<Value> {
        Some(match function {
            "Ref" => self.reference(of.as_str().unwrap()),
            "Fn::GetAtt" => json!(self.attribute(of[0].as_str().unwrap(), of[1].as_str().unwrap())),
            "Fn::If" => self.resolve(if self.holds(&of[0]) { &of[1] } else { &of[2] }),
            "Fn::Sub" => json!(self.substitute(of)),
            "Fn::Join" => {
                let parts: Vec<_> = self.resolve(&of[1]).as_array().unwrap().iter().map(as_text).collect();
                json!(parts.join(of[0].as_str().unwrap()))
            }
            "Fn::Split" => as_text(&self.resolve(&of[1])).split(of[0].as_str().unwrap()).collect(),
            "Fn::Select" => self.resolve(&of[1])[usize::try_from(of[0].as_u64().unwrap()).unwrap()].clone(),
            "Fn::FindInMap" => {
                let [map, key, name] = [0, 1, 2].map(|at| as_text(&self.resolve(&of[at])));
                self.template["Mappings"][map][key][name].clone()
            }
            name if name.starts_with("Fn::") => panic!("{name} is not known here"),
            _ => return None,
        })
    }

    fn reference(&self, name: &str) -> Value {
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        json!(match name {
            NO_VALUE => NO_VALUE.to_string(),
            "AWS::Partition" => "aws".to_string(),
            "AWS::Region" => "eu-central-1".to_string(),
            "AWS::AccountId" => "111122223333".to_string(),
            "AWS::StackName" => "stack".to_string(),
            name => match self.template["Resources"][name]["Type"].as_str() {
                Some("AWS::SNS::Topic" | "AWS::IAM::ManagedPolicy") => self.attribute(name, "Arn"),
                Some("AWS::SQS::Queue") => format!("https://sqs.eu-central-1.amazonaws.com/111122223333/{name}"),
                Some(_) => name.to_string(),
                None => panic!("{name} is neither a parameter nor a resource"),
            },
        })
    }

    fn attribute(&self, resource: &str, attribute: &str) -> String {
        if attribute != "Arn" {
            return resource.to_string();
        }
        let before = match self.template["Resources"][resource]["Type"].as_str().unwrap() {
            "AWS::Lambda::Function" => "lambda:eu-central-1:111122223333:function:",
            "AWS::SQS::Queue" => "sqs:eu-central-1:111122223333:",
            "AWS::SNS::Topic" => "sns:eu-central-1:111122223333:",
            "AWS::IAM::Role" => "iam::111122223333:role/",
            "AWS::IAM::ManagedPolicy" => "iam::111122223333:policy/",
            // With the streams in it, as AWS gives it.
            "AWS::Logs::LogGroup" => return format!("arn:aws:logs:eu-central-1:111122223333:log-group:{resource}:*"),
            other => panic!("the ARN of a {other} is not known here"),
        };
        format!("arn:aws:{before}{resource}")
    }

    fn substitute(&self, of: &Value) -> String {
        let (text, own) =
            if let Some(text) = of.as_str() { (text, None) } else { (of[0].as_str().unwrap(), of.get(1)) };
        let mut parts = text.split("${");
        let mut done = parts.next().unwrap().to_string();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            match (name.strip_prefix('!'), own.and_then(|own| own.get(name))) {
                (Some(literal), _) => done.extend(["${", literal, "}"]),
                (None, Some(value)) => done.push_str(&as_text(&self.resolve(value))),
                (None, None) => done.push_str(&as_text(&self.reference(name))),
            }
            done.push_str(rest);
        }
        done
    }
}

pub const ANCHOR: &str =
    "arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/01234567-89ab-cdef-0123-456789abcdef";

fn list_or_text(parameter: &Value, value: Value) -> Value {
    if parameter["Type"] == "CommaDelimitedList" { value.as_str().unwrap().split(',').collect() } else { value }
}

/// A text as it is, anything else as `CloudFormation` writes it.
pub fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}
