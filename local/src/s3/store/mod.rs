//! Objects in one `redb` file: reads, and commands to the one thread that writes.

mod change;
mod expiry;
mod file;
mod list;
mod opening;
mod pending;
mod quota;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use hyper::body::Bytes;
use jiff::Timestamp;
use redb::{ReadTransaction, TableDefinition};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::Clock;
use super::notification::Rule;
use crate::private;
pub(crate) use change::{Change, Condition, Content, DEFAULT_TYPE, NewObject, Refusal};
use file::StoreFile;
pub(crate) use list::{Page, Query, past_key, past_prefix};
use opening::State;
pub(crate) use pending::{Origin, Pending};
pub(crate) use writer::Listener;
use writer::{Command, NewChange, Writer};

/// Key to (`ETag`, size, `LastModified`): everything that LIST shows. The bodies are elsewhere, so that LIST need not
/// touch them.
const LISTING: TableDefinition<&[u8], (u128, u64, i64)> = TableDefinition::new("listing");
/// Key to [`Details`] as JSON: what HEAD shows in addition.
const DETAILS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("details");
/// Key to body, but for large bodies.
const BODIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("bodies");
/// Key and number to a piece of a large body. redb holds a value in memory whole, and more than once.
const PIECES: TableDefinition<(&[u8], u32), &[u8]> = TableDefinition::new("pieces");
/// Number to [`Pending`] as JSON: the events that nobody has handled yet.
const PENDING: TableDefinition<u64, &[u8]> = TableDefinition::new("pending");
/// The store's own numbers, by name.
const STATE: TableDefinition<&str, i64> = TableDefinition::new("state");
/// The store's own words, by name.
const WORDS: TableDefinition<&str, &str> = TableDefinition::new("words");

/// Names in [`STATE`].
const FORMAT: &str = "format";
const CREATED: &str = "created";
const NEWEST: &str = "newest";
const SEQUENCE: &str = "sequence";
/// The name in [`WORDS`] under which the store's bucket is kept.
const BUCKET: &str = "bucket";

/// The MD5 of a body. It is shown as in S3, but without the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ETag(pub(crate) u128);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The part of an object that LIST shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) etag: ETag,
    /// In bytes.
    pub(crate) size: u64,
    /// In whole seconds.
    pub(crate) last_modified: Timestamp,
}

impl From<(u128, u64, i64)> for Summary {
    fn from((etag, size, seconds): (u128, u64, i64)) -> Self {
        let last_modified = Timestamp::from_second(seconds).unwrap_or_default();
        Self { etag: ETag(etag), size, last_modified }
    }
}

/// The sender's details of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) content_type: String,
    /// User metadata, names without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Whether it was put with a host's own key, and not with the operator's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) by_a_host: bool,
    /// For how long whoever reads it may keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
}

/// What a store does beside keeping objects.
pub(crate) struct Settings {
    /// The rules for events.
    pub(crate) rules: Vec<Rule>,
    pub(crate) clock: Clock,
    /// How many objects a host may have in a folder.
    pub(crate) of_host: usize,
}

/// The objects of one bucket, in one file. Calls are cheap, and each read sees one state of the whole store.
pub(crate) struct Store {
    file: Arc<StoreFile>,
    folder: PathBuf,
    newest: Timestamp,
    created: Timestamp,
    /// `None` only while being dropped: the writer ends after its last command.
    commands: Option<mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens `objects.redb` in `dir`. Both are made if the file is missing.
    ///
    /// Fails if another process has the file open, or if the file is empty or damaged, is not a store, or belongs to
    /// another bucket.
    pub(crate) fn open(dir: &Path, bucket: &str, settings: Settings) -> io::Result<Self> {
        let path = dir.join("objects.redb");
        private::make_folder(dir).map_err(|e| opening::explained(&path, &e))?;
        if !path.exists() {
            opening::make(&path, bucket, &settings.clock)?;
        }
        let (db, state) = opening::open(&path, bucket, &settings.clock)?;
        // A file that has gone meanwhile is an error, not a reason to start an empty file.
        let again = move || opening::again(&path);
        Self::begin(StoreFile::new(db, Box::new(again)), dir, &state, settings)
    }

    fn begin(file: StoreFile, dir: &Path, state: &State, settings: Settings) -> io::Result<Self> {
        let file = Arc::new(file);
        let (commands, inbox) = mpsc::channel();
        let writer = Writer::new(file.clone(), settings, state);
        let writer = thread::Builder::new().name("s3-writer".to_owned()).spawn(move || writer.run(&inbox))?;
        Ok(Self {
            file,
            folder: dir.to_owned(),
            newest: Timestamp::from_second(state.newest).unwrap_or_default(),
            created: Timestamp::from_second(state.created).unwrap_or_default(),
            commands: Some(commands),
            writer: Some(writer),
        })
    }

    /// When the store was created, by the server's clock.
    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    /// The newest `LastModified` that it had given when it was opened.
    pub(crate) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// The folder of its file. There is room for what it is to take.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The object without its body; `None` if it is not there.
    pub(crate) fn head(&self, key: &str) -> Result<Option<(Summary, Details)>, redb::Error> {
        self.file.read(|read| head(read, key))
    }

    /// The object with its body; `None` if it is not there.
    pub(crate) fn get(&self, key: &str) -> Result<Option<(Summary, Details, Bytes)>, redb::Error> {
        self.file.read(|read| {
            let Some((summary, details)) = head(read, key)? else {
                return Ok(None);
            };
            if let Some(body) = read.open_table(BODIES)?.get(key.as_bytes())? {
                return Ok(Some((summary, details, Bytes::copy_from_slice(body.value()))));
            }
            let mut body = Vec::with_capacity(usize::try_from(summary.size).unwrap_or_default());
            for piece in read.open_table(PIECES)?.range((key.as_bytes(), 0)..=(key.as_bytes(), u32::MAX))? {
                body.extend_from_slice(piece?.1.value());
            }
            if body.len() as u64 != summary.size {
                return Err(damaged(key));
            }
            Ok(Some((summary, details, body.into())))
        })
    }

    /// One page of the listing, in key order.
    pub(crate) fn list(&self, query: &Query<'_>) -> Result<Page, redb::Error> {
        self.file.read(|read| list::page(&read.open_table(LISTING)?, query))
    }

    /// Changes one object if `condition` holds. After an `Ok` the change survives any crash.
    pub(crate) async fn change(&self, key: String, condition: Condition, change: Change) -> Result<(), Refusal> {
        // No answer: the transaction failed, and the writer has logged the reason.
        self.ask(key, condition, change).await.unwrap_or(Err(Refusal::Broken))
    }

    /// Changes many objects without a condition, and blocks until everything would survive any crash.
    pub(crate) fn change_all(&self, changes: impl Iterator<Item = (String, Change)>) -> Result<(), Refusal> {
        let answers: Vec<_> = changes.map(|(key, change)| self.ask(key, Condition::Always, change)).collect();
        answers.into_iter().try_for_each(|answer| answer.blocking_recv().unwrap_or(Err(Refusal::Broken)))
    }

    fn ask(&self, key: String, condition: Condition, change: Change) -> oneshot::Receiver<Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Change(Box::new(NewChange { key, condition, change, reply })));
        answer
    }

    /// Removes an event that is dealt with. It may come again if the process dies in the next moment.
    pub(crate) fn strike(&self, number: u64) {
        self.command(Command::Strike(number));
    }

    /// Delivers every event to `listener` from now on: first all that wait in the store, then each new event once it is
    /// durable. Only the last listener gets events.
    pub(crate) fn listen(&self, listener: Listener) {
        self.command(Command::Listen(listener));
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // A writer that died has dropped its inbox, and with it the command's reply: that is the answer.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn head(read: &ReadTransaction, key: &str) -> Result<Option<(Summary, Details)>, redb::Error> {
    let Some(row) = read.open_table(LISTING)?.get(key.as_bytes())? else {
        return Ok(None);
    };
    let details = read.open_table(DETAILS)?.get(key.as_bytes())?;
    let details = details.and_then(|json| serde_json::from_slice(json.value()).ok());
    let details = details.ok_or_else(|| damaged(key))?;
    Ok(Some((row.value().into(), details)))
}

fn damaged(key: &str) -> redb::Error {
    redb::Error::Corrupted(format!("the record of {key:?} is incomplete"))
}
