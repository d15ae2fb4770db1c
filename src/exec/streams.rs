//! The job's output: passed on as it comes, whatever its length; its end is kept.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::fstat;

use super::secrets;
use crate::output::complain;

/// How much of the output's end is kept, in bytes: more than is told, so that a secret is known by its beginning.
const KEPT: usize = 4 * 1024;

/// How much is passed on at once, in bytes.
const BUFFER: usize = 16 * 1024;

/// How long the output may take to its end after the job's: longer only if something else holds it.
const REST: Duration = Duration::from_millis(500);

/// The ends that the job writes into: stdout and stderr. Where there is none, it has ours.
pub type Pipes = [Option<Arc<PipeWriter>>; 2];

/// What the job writes to.
pub struct Streams {
    tail: Arc<Mutex<Tail>>,
    /// Each stream says when it has ended.
    ended: Receiver<()>,
    open: usize,
    /// Those that have not ended, and perhaps others.
    each: Vec<Weak<Stream>>,
}

/// One of the job's streams, and where it goes.
struct Stream {
    from: PipeReader,
    to: File,
    /// Who holds it reads, and writes what was read.
    turn: Mutex<()>,
}

/// The end of the output.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    /// Whether there was more before.
    is_cut: bool,
}

impl Streams {
    /// Makes the pipes for the job's stdout and stderr. A terminal is handed through.
    pub fn new() -> (Self, Pipes) {
        let (sender, ended) = mpsc::channel();
        let mut streams = Self { tail: Arc::default(), ended, open: 0, each: Vec::new() };
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let pipe = |streams: &mut Self, to: BorrowedFd| {
            (!to.is_terminal()).then(|| streams.pass_on(to, &sender)).flatten().map(Arc::new)
        };
        let first = pipe(&mut streams, stdout.as_fd());
        // One pipe for what is one file, as under cron: the order of the lines stays.
        let second =
            if is_same(stdout.as_fd(), stderr.as_fd()) { first.clone() } else { pipe(&mut streams, stderr.as_fd()) };
        (streams, [first, second])
    }

    /// A pipe whose other end is passed on; `None` if the machine has none left, and the job must do with ours.
    fn pass_on(&mut self, to: BorrowedFd, sender: &Sender<()>) -> Option<PipeWriter> {
        let to = File::from(to.try_clone_to_owned().ok()?);
        let (reader, writer) = io::pipe().ok()?;
        let (tail, sender) = (self.tail.clone(), sender.clone());
        let stream = Arc::new(Stream { from: reader, to, turn: Mutex::default() });
        self.each.push(Arc::downgrade(&stream));
        let pump = move || {
            pass_on(&stream, &tail);
            drop(stream);
            let _ = sender.send(());
        };
        thread::Builder::new().spawn(pump).ok()?;
        self.open += 1;
        Some(writer)
    }

    /// The end of what the job wrote, without secrets; `None` if it wrote nothing, or to a terminal.
    pub fn last_words(&mut self) -> Option<String> {
        let until = Instant::now() + REST;
        while self.open > 0 && self.ended.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {
            self.open -= 1;
        }
        let tail = lock(&self.tail);
        secrets::last_words(&tail.bytes, tail.is_cut)
    }

    /// Leaves what has not ended to `cat`: a process that the job has left behind may still write, and would break on a
    /// closed pipe. Where there is no `cat`, waits for the end. A signal ends us now.
    pub fn end(self) {
        let is_left = |stream: &Weak<Stream>| stream.upgrade().is_some_and(|stream| stream.leave().is_err());
        let open = self.each.iter().filter(|stream| is_left(stream)).count();
        self.ended.iter().take(open.min(self.open)).for_each(drop);
    }
}

impl Stream {
    /// Leaves it to `cat`, which ends with it.
    fn leave(&self) -> io::Result<Child> {
        let turn = lock(&self.turn);
        let cat = Command::new("cat").stdin(self.from.try_clone()?).stdout(self.to.try_clone()?).spawn()?;
        // It is never ours again.
        mem::forget(turn);
        Ok(cat)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_same(one: BorrowedFd, other: BorrowedFd) -> bool {
    let place = |fd| fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

/// Passes on what comes. If it cannot be written, the job gets a closed pipe, as it would without us.
fn pass_on(Stream { from, to, turn }: &Stream, tail: &Mutex<Tail>) {
    let (mut from, mut to) = (from, to);
    let mut buffer = vec![0; BUFFER];
    loop {
        // Nobody has the turn who waits, so that it can be left to another process. If this fails, so does `read`.
        let _ = poll(&mut [PollFd::new(from, PollFlags::IN)], None);
        let _turn = lock(turn);
        let length = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        lock(tail).push(&buffer[..length]);
        if let Err(error) = write(&mut to, &buffer[..length]) {
            if error.kind() != ErrorKind::BrokenPipe {
                complain(&format_args!("cannot write what the job says: {error}"));
            }
            return;
        }
    }
}

fn write(to: &mut &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Whoever gave us this stream does not wait on it, and it is full.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Tail {
    fn push(&mut self, new: &[u8]) {
        let new_kept = &new[new.len().saturating_sub(KEPT)..];
        let over = (self.bytes.len() + new_kept.len()).saturating_sub(KEPT);
        self.is_cut |= over > 0 || new_kept.len() < new.len();
        self.bytes.drain(..over);
        self.bytes.extend_from_slice(new_kept);
    }
}
