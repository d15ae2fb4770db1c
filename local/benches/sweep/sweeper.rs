//! The process that sweeps: the loop's handler, called on the parent's command, and its cost.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdin};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pulse_echo_core::environment::Environment;
use pulse_echo_lambda::tick::{Course, Loop};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The variable that makes this program the sweeper.
pub(crate) const CHILD: &str = "PULSE_ECHO_BENCH_SWEEPER";

/// Far more than the loop's time-out on Lambda, so that everything is measured: work beyond 40 s there is left for the
/// next sweep.
const TIME: Duration = Duration::from_secs(1_200);

/// What a sweep cost its process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) ms: u64,
    pub(crate) cpu_ms: u64,
    /// The most memory that the process used, from the sweep's start on, including its program.
    pub(crate) peak_kib: u64,
    pub(crate) unread: usize,
}

pub(crate) struct Sweeper {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Sweeper {
    pub(crate) fn start(store: &str, channels: &str, bucket: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .env_clear()
            .envs([(CHILD, "1"), ("BUCKET", bucket), ("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL_S3", store)])
            .envs([("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")])
            // For trying out other settings of the C library's memory.
            .envs(env::vars().filter(|(name, _)| name.starts_with("MALLOC_")))
            .envs([("WEBHOOK_URL", channels), ("SLACK_URL", channels)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, asks, answers }
    }

    /// Makes it sweep at this second of the store's clock.
    pub(crate) fn sweep(&mut self, second: i64) -> Cost {
        writeln!(self.asks, "{second}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the sweep failed: {line}"))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sweeps once for each line on stdin.
pub(crate) fn serve() {
    let clock = Arc::new(AtomicI64::new(0));
    let of_signing = clock.clone();
    let now = Arc::new(move || Timestamp::from_second(of_signing.load(Ordering::SeqCst)).unwrap());
    let the_loop = Loop::read(Environment::new(&|name| env::var(name).ok()), now).unwrap();
    for line in stdin().lines() {
        let second: i64 = line.unwrap().parse().unwrap();
        clock.store(second, Ordering::SeqCst);
        // The peak starts anew, at the memory in use now.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let (started, cpu_ms) = (Instant::now(), cpu_ms());
        let event = json!({"source": "aws.events"});
        let summary = the_loop.handle(&event, started + TIME).answer().unwrap();
        assert_eq!(summary.course, Course::Swept);
        let cost = Cost {
            ms: u64::try_from(started.elapsed().as_millis()).unwrap(),
            cpu_ms: self::cpu_ms() - cpu_ms,
            peak_kib: peak_kib(),
            unread: summary.unread,
        };
        println!("{}", serde_json::to_string(&cost).unwrap());
    }
}

/// The CPU time of this process on all processors.
fn cpu_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    // A tick is a hundredth of a second for all programs on Linux.
    ticks.sum::<u64>() * 10
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
