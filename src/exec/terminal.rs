//! The terminal, if there is one: the job gets it as a shell's job does, so that Ctrl-C, Ctrl-Z and prompts are the
//! job's.

use std::fs::{File, OpenOptions};

use rustix::process::{Pid, Signal, getpgrp, kill_current_process_group, kill_process_group};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

/// The terminal that we were in the foreground of.
pub struct Terminal(File);

impl Terminal {
    /// The terminal, if we are in its foreground. Cron has none.
    pub fn in_the_foreground() -> Option<Self> {
        let terminal = Self(OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?);
        terminal.is_ours().then_some(terminal)
    }

    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.0).is_ok_and(|group| group == getpgrp())
    }

    /// Hands it to the job.
    pub fn hand_to(&self, group: Pid) {
        let _ = tcsetpgrp(&self.0, group);
        // It may have been stopped for reading before.
        let _ = kill_process_group(group, Signal::CONT);
    }

    /// Takes it back. That we are in the background now would stop us, but for the blocked TTOU.
    pub fn take_back(&self) {
        let _ = tcsetpgrp(&self.0, getpgrp());
    }

    /// The job was stopped, as by Ctrl-Z: stops us, too, for the shell to see, and goes on with the job.
    pub fn stop_with(&self, group: Pid) {
        self.take_back();
        let _ = kill_current_process_group(Signal::STOP);
        if self.is_ours() {
            self.hand_to(group);
        } else {
            let _ = kill_process_group(group, Signal::CONT);
        }
    }
}
