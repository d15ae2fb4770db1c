use std::sync::Arc;

use jiff::Timestamp;
use pulse_echo_testkit::server::{Server, answer};
use pulse_echo_testkit::sqs::{Fault, Sqs};
use pulse_echo_testkit::store::{ACCESS_KEY, SECRET_KEY};

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<Queue>, String> {
    let usual = [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    let lookup = |name: &str| {
        let found = variables.iter().chain(&usual).find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_string())
    };
    Queue::read(Environment::new(&lookup), &Trust::built_in(), &(Arc::new(Timestamp::now) as Clock))
}

fn queue(url: &str) -> Queue {
    read(&[("QUEUE_URL", url)]).unwrap().unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn a_message_is_sent_signed_with_its_delay_and_a_queue_is_purged_once() {
    let sqs = Sqs::new();
    let queue = queue(&sqs.url());
    queue.send("{\"tick\":7}", 60, soon()).unwrap();
    queue.send("far", 901, soon()).unwrap();
    let sent: Vec<_> = sqs.sent().into_iter().map(|message| (message.body, message.delay_s)).collect();
    assert_eq!(sent, [("{\"tick\":7}".to_string(), 60), ("far".to_string(), 900)]);
    queue.purge(soon()).unwrap();
    assert!(sqs.is_empty());
    queue.purge(soon()).unwrap();
    assert_eq!(sqs.calls(), ["SendMessage", "SendMessage", "PurgeQueue", "PurgeQueue"], "one under way counts as done");
}

#[test]
fn other_addresses_for_sqs_come_before_the_queues_own() {
    let sqs = Sqs::new();
    let own = "https://sqs.us-east-1.amazonaws.com/123456789012/ticks";
    let (all, dead) = (("AWS_ENDPOINT_URL", sqs.endpoint()), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_string()));
    for endpoints in [vec![all], vec![("AWS_ENDPOINT_URL_SQS", sqs.endpoint()), dead]] {
        let endpoints = endpoints.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<_> = [("QUEUE_URL", own)].into_iter().chain(endpoints).collect();
        read(&variables).unwrap().unwrap().send("x", 0, soon()).unwrap();
    }
    assert_eq!(sqs.sent().len(), 2);
}

#[test]
fn only_an_answer_of_sqs_is_a_sure_taking() {
    let sqs = Sqs::new();
    let queue = queue(&sqs.url());
    for (fault, taken) in [(Fault::Strange, 0), (Fault::NotDone, 0), (Fault::Lost, 1)] {
        sqs.faults(std::slice::from_ref(&fault));
        let trouble = queue.send("x", 0, soon()).unwrap_err();
        assert!(!trouble.is_final, "{trouble:?}");
        assert_eq!(sqs.sent().len(), taken, "{fault:?}");
    }
}

#[test]
fn a_refusal_names_the_remedy_and_says_whether_it_passes() {
    let sqs = Sqs::new();
    let queue = queue(&sqs.url());
    for (status, code, is_final, ends) in [
        (400, "QueueDoesNotExist", true, "QueueDoesNotExist: no; create the queue, or correct QUEUE_URL"),
        (403, "AccessDenied", true, "AccessDenied: no; the function's role must allow sqs:SendMessage on this queue"),
        (403, "ExpiredTokenException", true, "ExpiredTokenException: no; correct the credentials"),
        (400, "RequestThrottled", false, "RequestThrottled: no"),
        (429, "", false, "status 429: no"),
        (500, "InternalFailure", false, "InternalFailure: no"),
    ] {
        sqs.faults(&[Fault::Refused(status, code, "no\nx-amz-security-token:TOKEN")]);
        let trouble = queue.send("x", 0, soon()).unwrap_err();
        assert_eq!(trouble.is_final, is_final, "{trouble:?}");
        assert!(trouble.why.ends_with(ends), "{trouble:?}");
    }
}

#[test]
fn where_the_clocks_differ_it_is_signed_once_more_by_the_services_clock() {
    let refused = answer(400, "{\"__type\":\"com.amazon.coral.service#InvalidSignatureException\",\"message\":\"x\"}");
    let refused = refused.replacen("\r\n", "\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 1);
    let server = Server::answering(&[&refused, &answer(200, "{\"MessageId\":\"1\"}")]);
    let queue = queue(&format!("{}1/ticks", server.url()));
    queue.send("x", 0, soon()).unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn what_is_no_queue_of_this_functions_is_refused_at_the_start() {
    assert!(read(&[]).unwrap().is_none() && read(&[("QUEUE_URL", "")]).unwrap().is_none());
    for url in ["https://sqs.us-east-1.amazonaws.com/123456789012/a-b_c", "http://localhost:4566/000000000000/ticks"] {
        assert!(read(&[("QUEUE_URL", url)]).unwrap().is_some(), "{url}");
    }
    for (url, why) in [
        ("ticks", "it is no URL; it must begin with http:// or https://"),
        ("arn:aws:sqs:us-east-1:123456789012:ticks", "it is no URL; it must begin with http:// or https://"),
        ("https://sqs.us-east-1.amazonaws.com/ticks", "it must be a queue's URL, such as https://"),
        ("https://sqs.us-east-1.amazonaws.com/123456789012/", "it must be a queue's URL"),
        ("https://sqs.us-east-1.amazonaws.com/123456789012/ticks?Action=SendMessage", "it must be a queue's URL"),
        ("https://sqs.us-east-1.amazonaws.com/123456789012/ticks.fifo", "a FIFO queue cannot delay single messages"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/ticks", "it is in eu-west-1 and this function in us-east-1"),
        ("https://me:pw@sqs.us-east-1.amazonaws.com/1/ticks", "it has credentials in it"),
    ] {
        let error = read(&[("QUEUE_URL", url)]).map(|_| ()).unwrap_err();
        assert!(error.starts_with(&format!("QUEUE_URL cannot be used: {why}")) && !error.contains("pw"), "{error}");
    }
    let error = read(&[("QUEUE_URL", "http://localhost/1/ticks"), ("AWS_REGION", "")]).map(|_| ()).unwrap_err();
    assert_eq!(error, "AWS_REGION is not set: QUEUE_URL needs the region to sign for");
}
