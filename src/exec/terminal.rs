//! The terminal, if there is one: the job gets it as a shell's job does, so that Ctrl-C, Ctrl-Z and prompts are the
//! job's.

use std::fs::{File, OpenOptions};

use rustix::process::{Pid, Signal, getpgrp, kill_current_process_group, kill_process_group};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

/// The terminal that this process belongs to.
pub struct Terminal(File);

impl Terminal {
    /// The terminal; `None` where there is none, as under cron.
    pub fn open() -> Option<Self> {
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok().map(Self)
    }

    /// Whether this process group is in the foreground.
    fn is_of(&self, group: Pid) -> bool {
        tcgetpgrp(&self.0).is_ok_and(|foreground| foreground == group)
    }

    /// Hands it to the job, if it is ours.
    pub fn hand_to(&self, group: Pid) {
        if self.is_of(getpgrp()) {
            let _ = tcsetpgrp(&self.0, group);
        }
        // It may have been stopped for reading before.
        let _ = kill_process_group(group, Signal::CONT);
    }

    /// Takes it back from the job. In the background it is a shell's or another job's. That we are in the background
    /// now would stop us, but for the blocked TTOU.
    pub fn take_back(&self, group: Pid) {
        if self.is_of(group) {
            let _ = tcsetpgrp(&self.0, getpgrp());
        }
    }

    /// The job was stopped, as by Ctrl-Z: stops us, too, for the shell to see, and goes on with the job.
    pub fn stop_with(&self, group: Pid) {
        // If the terminal is ours, the job was stopped since it is not the job's.
        if !self.is_of(getpgrp()) {
            self.take_back(group);
            let _ = kill_current_process_group(Signal::STOP);
        }
        self.hand_to(group);
    }
}
