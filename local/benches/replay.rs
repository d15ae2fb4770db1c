//! How the time of a replay grows with the time that it covers: ten years of one silent check against one year, with a
//! reminder each day. A replay that swept minute by minute, or looked back at each reminder, would grow faster.
//!
//! `cargo bench -p pulse-echo-local --bench replay`

use std::time::{Duration, Instant};

use pulse_echo_core::clock::Time;
use pulse_echo_core::pulse::Pulse;
use pulse_echo_lambda::rules::Rules;
use pulse_echo_local::replay::{List, Sweeps};

const YEAR: i64 = 365 * 86_400;
const ROUNDS: usize = 5;

fn main() {
    let took = [1, 10].map(|years| {
        let mut took: Vec<_> = (0..ROUNDS).map(|_| replay(years)).collect();
        took.sort_unstable();
        println!("{years:>2} years {:8.2} ms", took[ROUNDS / 2].as_secs_f64() * 1000.0);
        took[ROUNDS / 2]
    });
    println!("10 years / 1 year: {:.1}", took[1].as_secs_f64() / took[0].as_secs_f64());
}

fn replay(years: i64) -> Duration {
    let started = Instant::now();
    let history = "time,kind,check\n0,pulse,web-1\n1,echo,web-1\n";
    let list = List::read(history.as_bytes(), Some(Time::from_second(years * YEAR))).unwrap();
    let messages = Sweeps::new(list, &Pulse::default(), &Rules::default()).count();
    assert!(messages > 360, "{messages} messages");
    started.elapsed()
}
