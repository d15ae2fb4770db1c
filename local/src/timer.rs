//! The loop's schedule, which on AWS is `EventBridge`.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::sweeper::Sweeper;

/// How long a sweep may take, as on AWS.
const SWEEP_TIME: Duration = Duration::from_secs(60);

/// Sweeps each `TICK_S`. Dropping it waits for a running sweep and stops it.
pub struct Timer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// Starts the timer. The first sweep comes after one tick.
    pub fn start(sweeper: Arc<Sweeper>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("timer".to_owned()).spawn(move || {
            let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
            let mut next = Instant::now() + sweeper.tick();
            while stopped.recv_timeout(next.saturating_duration_since(Instant::now())) == Err(RecvTimeoutError::Timeout)
            {
                if let Err(error) = sweeper.handle(&schedule, Instant::now() + SWEEP_TIME) {
                    log::error!("the sweep failed: {error}");
                }
                // However long that took; ticks that went by meanwhile are not made up for.
                next = (next + sweeper.tick()).max(Instant::now());
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A sweep that panicked has already said so.
            let _ = thread.join();
        }
    }
}
