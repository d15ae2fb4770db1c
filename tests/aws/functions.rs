//! Probe and loop, what starts them, and what watches them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{Stack, as_text, whole};
use crate::values::walk;
use pulse_echo_lambda::telemetry::metrics::{METRICS, NAMESPACE};

#[test]
fn the_functions_have_the_time_the_contract_gives_them_and_only_the_loop_may_recurse() {
    let resources = Stack::new(&[]).resources();
    for (name, handler, timeout, recursion) in [("Probe", "probe", 90, None), ("Loop", "loop", 60, Some("Allow"))] {
        let properties = &resources[name]["Properties"];
        assert_eq!((&properties["Handler"], &properties["Timeout"]), (&json!(handler), &json!(timeout)));
        assert_eq!(properties.get("RecursiveLoop").and_then(Value::as_str), recursion);
        assert_eq!(properties["Runtime"], "provided.al2023");
        assert_eq!((&properties["Architectures"], &properties["MemorySize"]), (&json!(["arm64"]), &json!(128)));
        assert!(properties.get("ReservedConcurrentExecutions").is_none(), "{name}");
    }
    assert_eq!(Stack::with_all().resources()["Probe"]["Properties"]["ReservedConcurrentExecutions"], "50");
}

#[test]
fn their_logs_keep_metrics_and_are_not_kept_for_ever() {
    let resources = Stack::new(&[]).resources();
    for name in ["Probe", "Loop"] {
        let logging = &resources[name]["Properties"]["LoggingConfig"];
        let group = format!("{name}Log");
        let expected =
            json!({"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN", "LogGroup": group});
        assert_eq!(*logging, expected);
        assert_eq!(resources[&group]["Properties"]["RetentionInDays"], 30);
    }
}

#[test]
fn what_fails_for_good_ends_in_the_one_queue_of_dead_letters() {
    let queue = "arn:aws:sqs:eu-central-1:111122223333:DeadLetters";
    let resources = Stack::with_all().resources();
    for (name, function, retries, age) in [("ProbeRetries", "Probe", 2, 3600), ("LoopRetries", "Loop", 1, 300)] {
        let expected = json!({
            "FunctionName": function, "Qualifier": "$LATEST",
            "MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age,
            "DestinationConfig": {"OnFailure": {"Destination": queue}},
        });
        assert_eq!(resources[name]["Properties"], expected);
    }
    let target = &resources["Schedule"]["Properties"]["Target"];
    assert_eq!(target["RetryPolicy"], json!({"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}));
    assert_eq!(target["DeadLetterConfig"], json!({"Arn": queue}));
    let ticks = &resources["Ticks"]["Properties"];
    assert_eq!(ticks["RedrivePolicy"], json!({"deadLetterTargetArn": queue, "maxReceiveCount": 3}));
    let queues = resources.values().filter(|resource| resource["Type"] == "AWS::SQS::Queue").count();
    assert_eq!(queues, 2, "ticks and dead letters");
}

#[test]
fn a_schedule_drives_the_loop_and_there_is_no_queue_unless_asked_for() {
    let resources = Stack::new(&[("TickSeconds", "300")]).resources();
    assert_eq!(resources["Schedule"]["Properties"]["ScheduleExpression"], "rate(5 minutes)");
    assert_eq!(resources["Loop"]["Properties"]["Environment"]["Variables"]["QUEUE_URL"], "");
    for name in ["Ticks", "TicksPolicy", "TicksToLoop", "Wake", "WakesLoop", "WakesQueue", "LoopInvokedByTopic"] {
        assert!(!resources.contains_key(name), "{name}");
    }
}

#[test]
fn a_queue_drives_the_loop_and_the_schedule_looks_each_minute() {
    let resources = Stack::new(&[("Driver", "queue"), ("TickSeconds", "300")]).resources();
    assert_eq!(resources["Schedule"]["Properties"]["ScheduleExpression"], "rate(1 minute)");
    let variables = &resources["Loop"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["QUEUE_URL"], "https://sqs.eu-central-1.amazonaws.com/111122223333/Ticks");
    assert_eq!(variables["TICK_S"], "300");
    let timeout = resources["Loop"]["Properties"]["Timeout"].as_u64().unwrap();
    assert_eq!(resources["Ticks"]["Properties"]["VisibilityTimeout"], 6 * timeout);
    let mapping = &resources["TicksToLoop"]["Properties"];
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert!(mapping["BatchSize"].as_u64().unwrap() <= 10, "more need a window");
    assert!(mapping.get("ScalingConfig").is_none());
    for (name, protocol, endpoint, after) in [
        ("WakesLoop", "lambda", "arn:aws:lambda:eu-central-1:111122223333:function:Loop", "LoopInvokedByTopic"),
        ("WakesQueue", "sqs", "arn:aws:sqs:eu-central-1:111122223333:Ticks", "TicksPolicy"),
    ] {
        let properties = &resources[name]["Properties"];
        assert_eq!((&properties["Protocol"], &properties["Endpoint"]), (&json!(protocol), &json!(endpoint)));
        assert_eq!(resources[name]["DependsOn"], after);
    }
    let topic = &resources["LoopInvokedByTopic"]["Properties"];
    assert_eq!(topic["SourceArn"], "arn:aws:sns:eu-central-1:111122223333:Wake");
    assert_eq!(topic["SourceAccount"], "111122223333");
}

#[test]
fn each_permission_to_invoke_is_for_one_source_of_this_account() {
    for (name, resource) in Stack::with_all().resources() {
        if resource["Type"] == "AWS::Lambda::Permission" {
            let properties = &resource["Properties"];
            assert_eq!(properties["SourceAccount"], "111122223333", "{name}");
            assert!(properties["SourceArn"].as_str().is_some_and(|arn| !arn.contains('*')), "{name}");
        }
    }
}

#[test]
fn rate_and_alarm_of_each_tick_are_what_division_would_give() {
    let template = whole();
    let ticks = template["Mappings"]["Tick"].as_object().unwrap();
    let allowed: BTreeSet<_> =
        template["Parameters"]["TickSeconds"]["AllowedValues"].as_array().unwrap().iter().map(as_text).collect();
    assert_eq!(allowed, ticks.keys().cloned().collect());
    for (tick, values) in ticks {
        let seconds: u64 = tick.parse().unwrap();
        let minutes = seconds.div_ceil(60);
        let rate = if minutes == 1 { "rate(1 minute)".into() } else { format!("rate({minutes} minutes)") };
        assert_eq!(
            (as_text(&values["Rate"]), as_text(&values["Minutes"])),
            (rate, 5.max(3 * seconds / 60).to_string())
        );
    }
}

#[test]
fn less_than_a_minute_is_refused_without_a_queue() {
    let template = whole();
    let rule = &template["Rules"]["LessThanAMinute"];
    assert_eq!(rule["RuleCondition"], json!({"Fn::Equals": [{"Ref": "Driver"}, "schedule"]}));
    let allowed = template["Parameters"]["TickSeconds"]["AllowedValues"].as_array().unwrap();
    let whole_minutes: Vec<_> = allowed.iter().filter(|tick| as_text(tick).parse::<u64>().unwrap() >= 60).collect();
    assert_eq!(rule["Assertions"][0]["Assert"], json!({"Fn::Contains": [whole_minutes, {"Ref": "TickSeconds"}]}));
}

fn alarms(stack: &Stack) -> Vec<(String, Value)> {
    let all = stack.resources().into_iter();
    all.filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm").collect()
}

#[test]
fn each_alarm_watches_a_metric_that_is_written_and_tells_people() {
    let all = alarms(&Stack::new(&[]));
    assert_eq!(all.len(), 3);
    for (name, alarm) in all {
        let properties = &alarm["Properties"];
        let (metric, dimensions) = (properties["MetricName"].as_str().unwrap(), &properties["Dimensions"]);
        match properties["Namespace"].as_str().unwrap() {
            NAMESPACE => {
                assert!(METRICS.contains(&metric), "{name}: {metric}");
                assert_eq!(*dimensions, json!([{"Name": "Stack", "Value": "stack"}]));
            }
            "AWS/SQS" => {
                assert_eq!(metric, "ApproximateNumberOfMessagesVisible");
                assert_eq!(*dimensions, json!([{"Name": "QueueName", "Value": "DeadLetters"}]));
            }
            other => panic!("{name} watches {other}"),
        }
        for act in ["AlarmActions", "OKActions"] {
            assert_eq!(properties[act], json!(["arn:aws:sns:eu-central-1:111122223333:Alerts"]), "{name}");
        }
        assert!(properties.get("InsufficientDataActions").is_none());
    }
}

#[test]
fn a_loop_that_writes_nothing_rings_after_three_ticks_but_not_before_it_could_write() {
    for (tick, minutes) in [("60", "5"), ("900", "45")] {
        let resources = Stack::new(&[("TickSeconds", tick)]).resources();
        let properties = &resources["NoRounds"]["Properties"];
        assert_eq!(
            (&properties["Period"], as_text(&properties["EvaluationPeriods"])),
            (&json!(60), minutes.to_string())
        );
        assert_eq!(properties["TreatMissingData"], "breaching");
        let warm_up = properties["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"].as_u64().unwrap();
        assert!(warm_up > minutes.parse().unwrap());
    }
}

#[test]
fn the_saved_queries_ask_for_what_the_probe_logs() {
    let resources = Stack::new(&[]).resources();
    let queries: Vec<_> =
        resources.values().filter(|resource| resource["Type"] == "AWS::Logs::QueryDefinition").collect();
    assert_eq!(queries.len(), 2);
    for query in queries {
        assert_eq!(query["Properties"]["LogGroupNames"], json!(["ProbeLog"]));
        assert!(query["Properties"]["Name"].as_str().unwrap().starts_with("stack/"));
    }
}

#[test]
fn only_a_given_address_gets_e_mail() {
    let mails = |stack: Stack| stack.resources().values().any(|resource| resource["Properties"]["Protocol"] == "email");
    assert!(!mails(Stack::new(&[])));
    assert!(mails(Stack::with_all()));
}

#[test]
fn what_is_made_has_no_fixed_name_so_that_an_account_may_have_many() {
    for (name, resource) in Stack::with_all().resources() {
        walk(&resource["Properties"], &mut |value| {
            let Some(properties) = value.as_object() else { return };
            for fixed in
                ["RoleName", "QueueName", "TopicName", "AlarmName", "LogGroupName", "ManagedPolicyName", "UserName"]
            {
                assert!(!properties.contains_key(fixed), "{name} has a {fixed}");
            }
        });
        // A function's name may be asked for, but not given.
        if resource["Type"] == "AWS::Lambda::Function" || resource["Type"] == "AWS::Scheduler::Schedule" {
            let properties = resource["Properties"].as_object().unwrap();
            assert!(!properties.contains_key("FunctionName") && !properties.contains_key("Name"), "{name}");
        }
    }
}
