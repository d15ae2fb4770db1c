//! The loop's schedule, which on AWS is `EventBridge`.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::sweeper::Sweeper;

/// How long a sweep may take, as on AWS.
const SWEEP_TIME: Duration = Duration::from_secs(60);

/// How long a running sweep is waited for.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Sweeps each `TICK_S`. Dropping it stops it, and waits for a running sweep, though not for ever.
pub struct Timer {
    stop: Option<Sender<()>>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
    /// Until when a running sweep is waited for, once it is to stop.
    end: Option<Instant>,
}

impl Timer {
    /// Starts the timer. The first sweep comes after one tick.
    pub fn start(sweeper: Arc<Sweeper>) -> io::Result<Self> {
        let tick = sweeper.tick();
        Self::each(tick, move || {
            let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
            if let Err(error) = sweeper.handle(&schedule, Instant::now() + SWEEP_TIME) {
                log::error!("the sweep failed: {error}");
            }
        })
    }

    /// Does this once each `tick`, the first time after one.
    pub(crate) fn each(tick: Duration, sweep: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (ends, ended) = mpsc::channel::<()>();
        thread::Builder::new().name("timer".to_owned()).spawn(move || {
            let _ends = ends;
            let mut next = Instant::now() + tick;
            while stopped.recv_timeout(next.saturating_duration_since(Instant::now())) == Err(RecvTimeoutError::Timeout)
            {
                sweep();
                // However long that took; ticks that went by meanwhile are not made up for.
                next = (next + tick).max(Instant::now());
            }
        })?;
        Ok(Self { stop: Some(stop), ended, end: None })
    }

    /// Starts no more sweeps. The time for a running one to end begins now.
    pub fn stop(&mut self) {
        self.stop = None;
        self.end.get_or_insert_with(|| Instant::now() + STOP_GRACE);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
        let left = self.end.map_or(STOP_GRACE, |end| end.saturating_duration_since(Instant::now()));
        // A sweep that panicked has already said so.
        if self.ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            log::warn!("a sweep is still running and is left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_waited_for_and_one_that_does_not_end_is_left_behind() {
        for (never_ends, grace) in [(false, Duration::from_secs(60)), (true, Duration::from_millis(100))] {
            let ((begins, begun), (release, wait)) = (mpsc::channel(), mpsc::channel::<()>());
            let (ends, has_ended) = mpsc::channel();
            let mut timer = Timer::each(Duration::ZERO, move || {
                let _ = begins.send(());
                let _ = wait.recv();
                let _ = ends.send(());
            })
            .unwrap();
            begun.recv_timeout(Duration::from_secs(20)).unwrap();
            timer.stop();
            timer.end = Some(Instant::now() + grace);
            let release = Some(release).filter(|_| never_ends);
            drop(timer);
            assert_eq!(has_ended.try_recv().is_ok(), !never_ends);
            drop(release);
        }
    }
}
