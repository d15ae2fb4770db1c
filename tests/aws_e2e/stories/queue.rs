//! `DRIVER=queue`: the loop that runs itself by ticks, and the way there and back.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::deploy::while_pulses_flow;
use crate::cloud::{Cloud, eventually, said};
use crate::{Outcome, Story, ensure};

/// A tick each 5 s, the shortest.
const TICK_S: u64 = 5;

pub const STORIES: &[Story] = &[
    ("from the schedule to the queue while pulses flow, and none is lost", to_the_queue),
    ("a start begins a chain, and each tick sends the next", ticks),
    ("a message on the topic and an Update sweep at once", at_once),
    ("a stop ends the chain", stop),
    ("a torn tick ends in the queue of dead letters", torn),
    ("from the queue back to the schedule while pulses flow, and none is lost", back),
];

fn to_the_queue(cloud: &Cloud) -> Outcome {
    while_pulses_flow(cloud, "queue", || {
        // The emulator's table leaves out what a condition adds or takes away.
        said(&cloud.deploy(&["DRIVER=queue", "TICK_S=5"])).map(drop)
    })?;
    ensure(cloud.output("pulse-echo", "TickQueue")?.starts_with("https://"), || "there is no queue".into())
}

fn tick(cloud: &Cloud) -> u64 {
    cloud.mark("tick").parse().unwrap_or_default()
}

fn ticks(cloud: &Cloud) -> Outcome {
    cloud.put(None, "loop/Start.lambda", "", &[]);
    let first = eventually("a tick", || Some(tick(cloud)).filter(|number| *number > 0))?;
    for number in first + 1..first + 4 {
        eventually(&format!("tick {number}"), || (tick(cloud) >= number).then_some(()))?;
    }
    // One chain: as many ticks as intervals, give or take one.
    let before = tick(cloud);
    thread::sleep(Duration::from_secs(4 * TICK_S));
    let went = tick(cloud) - before;
    ensure((3..=5).contains(&went), || format!("{went} ticks in 4 intervals"))
}

fn at_once(cloud: &Cloud) -> Outcome {
    // With the longest tick, so that no tick comes between.
    said(&cloud.deploy(&["TICK_S=900"]))?;
    thread::sleep(Duration::from_secs(2 * TICK_S));
    cloud.sweep()?;
    thread::sleep(Duration::from_secs(1));
    let before = cloud.mark("swept");
    let topic = cloud.output("pulse-echo", "WakeTopic")?;
    cloud.aws(&["sns", "publish", "--topic-arn", &topic, "--message", "look"])?;
    eventually("a sweep by the topic", || (cloud.mark("swept") != before).then_some(()))?;
    said(&cloud.deploy(&["TICK_S=5"]))?;
    Ok(())
}

fn stop(cloud: &Cloud) -> Outcome {
    cloud.put(None, "loop/Stop.lambda", "", &[]);
    eventually("the mark to say stopped", || (!cloud.mark("stopped").is_empty()).then_some(()))?;
    let before = tick(cloud);
    thread::sleep(Duration::from_secs(3 * TICK_S));
    ensure(tick(cloud) == before, || format!("from tick {before} to {}", tick(cloud)))?;
    thread::sleep(Duration::from_millis(1100));
    cloud.put(None, "loop/Start.lambda", "", &[]);
    eventually("the chain to go on", || (tick(cloud) > before).then_some(()))
}

fn torn(cloud: &Cloud) -> Outcome {
    let queue = cloud.output("pulse-echo", "TickQueue")?;
    // Three receives of six minutes each would be 18 minutes.
    cloud.sqs(&["set-queue-attributes", "--queue-url", &queue, "--attributes", "VisibilityTimeout=1"])?;
    cloud.sqs(&["send-message", "--queue-url", &queue, "--message-body", "{\"tick\": \"seven\", \"version\": 1}"])?;
    let dead = cloud.output("pulse-echo", "DeadLetterQueue")?;
    eventually("a dead letter", || {
        let took = cloud.sqs(&["receive-message", "--queue-url", &dead, "--wait-time-seconds", "2"]).ok()?;
        let letters: Value = serde_json::from_str(&took).ok()?;
        let bodies = letters["Messages"].as_array()?.iter();
        bodies.map(|each| each["Body"].as_str().unwrap_or_default()).any(|body| body.contains("seven")).then_some(())
    })
}

fn back(cloud: &Cloud) -> Outcome {
    while_pulses_flow(cloud, "schedule", || said(&cloud.deploy(&["DRIVER=schedule", "TICK_S=60"])).map(drop))?;
    let queue = cloud.output("pulse-echo", "TickQueue")?;
    ensure(!queue.starts_with("https://"), || format!("{queue} is still there"))?;
    let before = cloud.mark("swept");
    eventually("a sweep by the schedule", || (cloud.mark("swept") != before).then_some(()))
}
