//! The bucket: who may be told of its objects, and how it keeps them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::template::Stack;
use crate::values::texts;

#[test]
fn s3_may_invoke_a_function_before_the_bucket_is_told_to_and_for_this_account_alone() {
    let resources = Stack::new(&[]).resources();
    let mut allowed = BTreeSet::new();
    let waits: BTreeSet<_> = texts(&resources["Bucket"]["DependsOn"]).into_iter().collect();
    for (name, resource) in &resources {
        let properties = &resource["Properties"];
        if resource["Type"] == "AWS::Lambda::Permission" && properties["Principal"] == "s3.amazonaws.com" {
            assert_eq!(properties["SourceAccount"], "111122223333", "{name}");
            assert_eq!(properties["SourceArn"], "arn:aws:s3:::pulses", "{name}");
            assert_eq!(properties["Action"], "lambda:InvokeFunction");
            assert!(waits.contains(name), "the bucket does not depend on {name}");
            allowed.insert(properties["FunctionName"].as_str().unwrap().to_string());
        }
    }
    assert_eq!(waits.len(), allowed.len());
    let told = &resources["Bucket"]["Properties"]["NotificationConfiguration"]["LambdaConfigurations"];
    for configuration in told.as_array().unwrap() {
        let function = configuration["Function"].as_str().unwrap().rsplit(':').next().unwrap();
        assert!(allowed.contains(function), "S3 may not invoke {function}");
    }
}

#[test]
fn pulses_go_to_the_probe_and_control_files_to_the_loop() {
    let resources = Stack::new(&[]).resources();
    let function = |name| format!("arn:aws:lambda:eu-central-1:111122223333:function:{name}");
    assert_eq!(
        resources["Bucket"]["Properties"]["NotificationConfiguration"],
        json!({"LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*", "Function": function("Probe"),
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "pulse/"}]}},
            },
            {
                "Event": "s3:ObjectCreated:*", "Function": function("Loop"),
                "Filter": {"S3Key": {"Rules": [
                    {"Name": "prefix", "Value": "loop/"}, {"Name": "suffix", "Value": ".lambda"},
                ]}},
            },
        ]})
    );
}

#[test]
fn the_bucket_is_private_without_acls_encrypted_by_s3_unversioned_and_outlives_the_stack() {
    let resources = Stack::new(&[]).resources();
    let bucket = &resources["Bucket"];
    for resource in [bucket, &resources["BucketPolicy"]] {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain");
    }
    let properties = &bucket["Properties"];
    assert_eq!(properties["OwnershipControls"], json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}));
    assert_eq!(properties["PublicAccessBlockConfiguration"].as_object().unwrap().len(), 4);
    for (what, blocked) in properties["PublicAccessBlockConfiguration"].as_object().unwrap() {
        assert_eq!(*blocked, json!(true), "{what}");
    }
    let encryption = &properties["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    assert_eq!(*encryption, json!([{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]));
    assert!(properties.get("VersioningConfiguration").is_none());
}

#[test]
fn the_bucket_is_reached_by_tls_only() {
    let statement = &Stack::new(&[]).policies()["BucketPolicy"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
}

#[test]
fn old_answers_and_notes_go_after_35_days_and_pulses_stay() {
    let resources = Stack::new(&[]).resources();
    let rules = &resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let mut cleared = BTreeSet::new();
    for rule in rules.as_array().unwrap() {
        assert_eq!((&rule["Status"], &rule["ExpirationInDays"]), (&json!("Enabled"), &json!(35)));
        cleared.insert(rule["Prefix"].as_str().unwrap());
    }
    assert_eq!(cleared, ["echo/", "fault/", "retire/"].into());
}

#[test]
fn a_bucket_that_exists_is_left_out_and_all_else_is_made() {
    let with: BTreeSet<_> = Stack::new(&[]).resources().into_keys().collect();
    let without: BTreeSet<_> = Stack::new(&[("CreateBucket", "no")]).resources().into_keys().collect();
    let left_out: Vec<_> = with.difference(&without).collect();
    assert_eq!(left_out, ["Bucket", "BucketPolicy"]);
}
