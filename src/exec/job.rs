//! The job itself: it is started, gets the signals that are for it, and is waited for.

use std::ffi::{CString, OsString};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg};
use nix::unistd::{self, alarm};
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};
use signal_hook::flag;

use super::streams::{Pipes, Streams};
use super::terminal::Terminal;
use crate::args::Exec;
use crate::duration;
use crate::output::complain;
use pulse_echo_core::job::{End, Job};
use pulse_echo_core::text::of_io;

/// The signals that are passed on to the job.
const PASSED_ON: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// How long a job has from TERM to KILL.
const TO_END: Duration = Duration::from_secs(10);

/// How often it is looked whether the job has ended, even if no signal says so.
const LOOK: Duration = Duration::from_secs(30);

/// The exit code after `--timeout`, as of timeout(1).
const TIMED_OUT: u8 = 124;

/// What stands for an end that the system does not tell. That does not come.
const LOST: End = End::Exit(1);

/// How a job ended.
pub struct Ended {
    /// Our own exit code.
    pub code: u8,
    /// What is told of it.
    pub job: Job,
}

/// Runs the job to its end. Its output may not have ended yet, if something else holds it, too.
pub fn run(options: &Exec) -> (Ended, Streams) {
    // Before any thread is there, since each inherits it. `before` is the job's.
    let before = signals().thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap_or_else(|_| SigSet::empty());
    // Where SIGCHLD is ignored, as some daemons leave it to what they start, the system tells nobody how a child ended.
    // A handler, which a child does not inherit, mends that.
    let _ = flag::register(Signal::SIGCHLD as i32, Arc::default());
    let started = Instant::now();
    let (mut streams, pipes) = Streams::new();
    let child = spawn(&options.command, &pipes, &before);
    // Our copies of the pipes' ends would keep them open.
    drop(pipes);
    let (end, timeout_s) = match child {
        Ok(child) => wait(child, options, started),
        Err(error) => {
            let code = if error == Errno::ENOENT { 127 } else { 126 };
            let why = format!("{}: {}", options.command[0].display(), of_io(&error.into()));
            complain(&why);
            let job = Job { end: End::Exit(code), timeout_s: None, ms: None, tail: Some(why) };
            give_back(before);
            return (Ended { code, job }, streams);
        }
    };
    alarm::cancel();
    give_back(before);
    let ms = u64::try_from(started.elapsed().as_millis()).ok();
    let code = match (timeout_s, end) {
        (Some(_), _) => TIMED_OUT,
        (None, End::Exit(code)) => code,
        (None, End::Signal(number)) => 128 + number,
    };
    let job = Job { end, timeout_s, ms, tail: streams.last_words() };
    (Ended { code, job }, streams)
}

/// Starts the job in a process group of its own, so that it can be ended with all that it starts.
///
/// By `posix_spawn`, and not by std, which would leave our signals blocked in the job.
fn spawn(words: &[OsString], pipes: &Pipes, mask: &SigSet) -> Result<Pid, Errno> {
    let c_string = |bytes: &[u8]| CString::new(bytes).map_err(|_| Errno::EINVAL);
    let mut words = words.iter().map(|word| c_string(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let pair = |(name, value): (OsString, OsString)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat());
    // Byte for byte ours.
    let environment = std::env::vars_os().map(pair).collect::<Result<Vec<_>, _>>()?;
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
    )?;
    attributes.set_pgroup(unistd::Pid::from_raw(0))?;
    attributes.set_sigmask(mask)?;
    // std ignores it in each program.
    attributes.set_sigdefault(&[Signal::SIGPIPE].into_iter().collect())?;
    let mut actions = PosixSpawnFileActions::init()?;
    for (pipe, number) in pipes.iter().zip([1, 2]) {
        if let Some(pipe) = pipe {
            actions.add_dup2(pipe.as_raw_fd(), number)?;
        }
    }
    let start = |words: &[CString]| posix_spawnp(&words[0], &actions, &attributes, words, &environment);
    let mut pid = start(&words);
    if pid == Err(Errno::ENOEXEC) {
        // A script without `#!`: a shell finds and runs it, as execvp(3) would.
        let mut shell = Vec::from([c"/bin/sh", c"-c", c"exec \"$0\" \"$@\""].map(CString::from));
        shell.append(&mut words);
        pid = start(&shell);
    }
    let pid = pid?;
    Pid::from_raw(pid.as_raw()).ok_or(Errno::EINVAL)
}

/// From now on signals end us, and what we start; but for the alarm, which may be late.
fn give_back(mut before: SigSet) {
    before.add(Signal::SIGALRM);
    let _ = before.thread_set_mask();
}

/// The signals that we wait for.
fn awaited() -> SigSet {
    PASSED_ON.into_iter().chain([Signal::SIGCHLD, Signal::SIGALRM]).collect()
}

/// These, and the one that would stop us when we take the terminal back.
fn signals() -> SigSet {
    let mut signals = awaited();
    signals.add(Signal::SIGTTOU);
    signals
}

/// Waits for the job's end; also the time limit, if the job did not keep it.
fn wait(group: Pid, options: &Exec, started: Instant) -> (End, Option<u32>) {
    let terminal = Terminal::open();
    if let Some(terminal) = &terminal {
        terminal.hand_to(group);
    }
    let mut limit = Limit { seconds: options.timeout, started, kill_at: None };
    let end = loop {
        // The alarm's seconds are whole.
        let left = limit.left().min(LOOK).as_millis().div_ceil(1_000).max(1);
        alarm::set(u32::try_from(left).unwrap_or(1));
        match awaited().wait() {
            Ok(Signal::SIGCHLD | Signal::SIGALRM) | Err(_) => {}
            Ok(signal) => to_group(group, signal),
        }
        match waitpid(Some(group), WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(Some((_, status))) if status.stopped() => {
                if let Some(terminal) = &terminal {
                    terminal.stop_with(group);
                }
            }
            Ok(Some((_, status))) => break end(status),
            // Nobody else waits for it.
            Err(rustix::io::Errno::CHILD) => break LOST,
            Ok(None) | Err(_) => {}
        }
        limit.enforce(group);
    };
    if let Some(terminal) = terminal {
        terminal.take_back(group);
    }
    limit.end_the_rest(group);
    (end, limit.kill_at.and(options.timeout))
}

fn end(status: WaitStatus) -> End {
    let code = status.exit_status().map(|code| u8::try_from(code).map(End::Exit));
    let signal = || status.terminating_signal().map(|number| u8::try_from(number).map(End::Signal));
    code.or_else(signal).and_then(Result::ok).unwrap_or(LOST)
}

fn to_group(group: Pid, signal: Signal) {
    // All of them may have ended meanwhile.
    let _ = killpg(unistd::Pid::from_raw(group.as_raw_pid()), signal);
}

/// The time limit.
struct Limit {
    seconds: Option<u32>,
    started: Instant,
    /// When the job is killed that has got its TERM.
    kill_at: Option<Instant>,
}

impl Limit {
    /// How long until something is to be done.
    fn left(&self) -> Duration {
        let over = self.seconds.map(|s| self.started + Duration::from_secs(s.into()));
        self.kill_at.or(over).map_or(LOOK, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Tells the job to end, and kills it if it does not.
    fn enforce(&mut self, group: Pid) {
        let Some(seconds) = self.seconds.filter(|_| self.left().is_zero()) else { return };
        if self.kill_at.is_some() {
            to_group(group, Signal::SIGKILL);
        } else {
            let limit = duration::show(seconds);
            complain(&format_args!("the job has not ended within {limit} (--timeout): it is told to end (TERM)"));
            self.kill_at = Some(Instant::now() + TO_END);
            to_group(group, Signal::SIGTERM);
            // A stopped process gets it only when it goes on.
            to_group(group, Signal::SIGCONT);
        }
    }

    /// After a time-out, what the job started has as long as the job had.
    fn end_the_rest(&self, group: Pid) {
        let Some(kill_at) = self.kill_at else { return };
        while Instant::now() < kill_at && killpg(unistd::Pid::from_raw(group.as_raw_pid()), None).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
        to_group(group, Signal::SIGKILL);
    }
}
