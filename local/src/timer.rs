//! What is done again and again: the loop's sweeps, whose schedule on AWS is `EventBridge`, and what S3 does
//! by itself.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::sweeper::Sweeper;

/// How long a sweep may take, as on AWS.
const SWEEP_TIME: Duration = Duration::from_secs(60);

/// How long work that is running is waited for.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Does its work once each tick. Dropping it stops it, and waits for work that is running, though not for ever.
pub struct Timer {
    /// What its work is, such as `a sweep`.
    name: &'static str,
    stop: Option<Sender<()>>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
    /// Until when running work is waited for, once it is to stop.
    end: Option<Instant>,
}

impl Timer {
    /// Sweeps each `TICK_S`. The first sweep comes after one tick.
    pub fn start(sweeper: Arc<Sweeper>) -> io::Result<Self> {
        let tick = sweeper.tick();
        Self::each(tick, "a sweep", move || {
            let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
            if let Err(error) = sweeper.handle(&schedule, Instant::now() + SWEEP_TIME) {
                log::error!("the sweep failed: {error}");
            }
        })
    }

    /// Does `work` once each `tick`, the first time after one; `name` says what it is, with an article.
    pub(crate) fn each(tick: Duration, name: &'static str, work: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (ends, ended) = mpsc::channel::<()>();
        thread::Builder::new().name("timer".to_owned()).spawn(move || {
            let _ends = ends;
            let mut next = Instant::now() + tick;
            while stopped.recv_timeout(next.saturating_duration_since(Instant::now())) == Err(RecvTimeoutError::Timeout)
            {
                work();
                // However long that took; ticks that went by meanwhile are not made up for.
                next = (next + tick).max(Instant::now());
            }
        })?;
        Ok(Self { name, stop: Some(stop), ended, end: None })
    }

    /// Begins no more work. The time for a running one to end begins now.
    pub fn stop(&mut self) {
        self.stop = None;
        self.end.get_or_insert_with(|| Instant::now() + STOP_GRACE);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
        let left = self.end.map_or(STOP_GRACE, |end| end.saturating_duration_since(Instant::now()));
        // Work that panicked has already said so.
        if self.ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            log::warn!("{} is still running and is left behind", self.name);
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
            let mut timer = Timer::each(Duration::ZERO, "a sweep", move || {
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
