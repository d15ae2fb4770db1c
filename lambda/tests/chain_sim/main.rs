//! The loop's chain of ticks in a simulated world: a store, a queue, a schedule, functions and an operator, all of whom
//! do what they are allowed to at the worst moment. Each history follows from its seed alone.
//!
//! `CHAIN_SEED=n` tells one history, `CHAIN_HISTORIES=n` plays another number of them.

mod chance;
mod clock;
mod history;
mod invocation;
mod operator;
mod promises;
mod requests;
mod world;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use std::{env, thread};

use history::History;

/// How many histories are played.
const HISTORIES: u64 = 100_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}: not a number")))
}

/// Plays the history of this seed once more, and says all that happens.
fn tell(seed: u64) -> Result<(), String> {
    let mut history = History::new(seed);
    history.tells = true;
    history.play()
}

#[test]
fn no_history_breaks_a_promise() {
    if let Some(seed) = number("CHAIN_SEED") {
        return tell(seed).unwrap_or_else(|broken| panic!("history {seed}: {broken}"));
    }
    let count = number("CHAIN_HISTORIES").unwrap_or(HISTORIES);
    let (next, failed, begun) = (AtomicU64::new(0), AtomicBool::new(false), Instant::now());
    let play = || {
        let mut sums = promises::Sums::default();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                break;
            }
            let mut history = History::new(seed);
            if let Err(broken) = history.play() {
                failed.store(true, Ordering::Relaxed);
                return Err((seed, broken));
            }
            sums.add(&history.sums);
        }
        Ok(sums)
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let ends = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(play)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no history panics")).collect::<Vec<_>>()
    });
    let mut sums = promises::Sums::default();
    for end in ends {
        match end {
            Ok(part) => sums.add(&part),
            Err((seed, broken)) => {
                let _ = tell(seed);
                panic!("history {seed}: {broken}\nCHAIN_SEED={seed} plays it alone");
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{count} histories in {seconds:.1} s; {sums:?}");
    if count >= HISTORIES {
        sums.assert_that_all_happened();
    }
}

#[test]
fn a_history_follows_from_its_seed_alone() {
    for seed in 0..50 {
        let (mut one, mut other) = (History::new(seed), History::new(seed));
        assert_eq!(one.play(), other.play());
        assert_eq!(one.sums, other.sums, "{seed}");
    }
}
