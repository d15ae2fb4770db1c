//! Opens the store's file, and says what to do if that fails.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError};

use super::{
    BODIES, BUCKET, CREATED, Clock, DETAILS, FORMAT, LISTING, NEWEST, PENDING, PIECES, SEQUENCE, STATE, WORDS,
};

const FORMAT_VERSION: i64 = 1;
/// redb's own default is up to 1 GiB; the listing of 100,000 keys is about 10 MiB.
const CACHE_BYTES: usize = 64 << 20;
/// What helps where the file cannot be used.
const REMEDY: &str = "put a copy of it back, or move it away to begin with an empty store; the keys beside it stay";

/// Makes the file of an empty store, whole or not at all: it gets its name when it is complete. So a file that is there
/// and empty has lost its content. If another process was faster, its file stays.
pub(super) fn make(path: &Path, bucket: &str, clock: &Clock) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let cannot = |e: io::Error| explained(path, &e);
    let unfinished = tempfile::Builder::new().prefix(".objects.").tempfile_in(folder).map_err(cannot)?;
    let db = create(path, unfinished.reopen().map_err(cannot)?)?;
    State::load(&db, bucket, clock).map_err(|e| explained(path, &e))?;
    drop(db);
    match unfinished.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) => return Err(cannot(e.error)),
    }
    // Otherwise the file itself, not its content, could be gone after a power failure.
    File::open(folder)?.sync_all()
}

/// Opens the file at the start: reads all of it.
pub(super) fn open(path: &Path, bucket: &str, clock: &Clock) -> io::Result<(Database, State)> {
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Err(empty(path));
    }
    or_damaged(path, || {
        let mut db = open_file(path, File::options().read(true).write(true))?;
        check(&mut db, path)?;
        if has_no_table(&db).map_err(|e| explained(path, &e))? {
            return Err(empty(path));
        }
        let state = State::load(&db, bucket, clock).map_err(|e| explained(path, &e))?;
        Ok((db, state))
    })
}

/// Opens the file again while the store is in use.
pub(super) fn again(path: &Path) -> io::Result<Database> {
    or_damaged(path, || open_file(path, File::options().read(true).write(true)))
}

fn open_file(path: &Path, options: &OpenOptions) -> io::Result<Database> {
    create(path, options.open(path).map_err(|e| explained(path, &e))?)
}

fn create(path: &Path, file: File) -> io::Result<Database> {
    redb::Builder::new().set_cache_size(CACHE_BYTES).create_file(file).map_err(|e| cannot_open(path, e))
}

/// Reads the whole file. Otherwise a damaged body would be served as it is, and other damage would end in a panic
/// later.
fn check(db: &mut Database, path: &Path) -> io::Result<()> {
    if !db.check_integrity().map_err(|e| cannot_open(path, e))? {
        log::warn!("the object store {} was damaged and has been repaired", path.display());
    }
    Ok(())
}

thread_local! {
    /// Whether this thread's panics are told in our words.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Catches redb's panics: it panics at some kinds of damage instead of returning an error. What it would print then is
/// left out.
fn or_damaged<T>(path: &Path, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                usual(info);
            }
        }));
    });
    let was_quiet = IS_QUIET.replace(true);
    let opened = catch_unwind(AssertUnwindSafe(open));
    IS_QUIET.set(was_quiet);
    opened.unwrap_or_else(|_| Err(damaged(path)))
}

/// The store's own numbers, as they were when the file was opened.
pub(super) struct State {
    /// When the store was created, in seconds.
    pub(super) created: i64,
    /// The newest `LastModified` ever given, in seconds.
    pub(super) newest: i64,
    /// The number of the newest recorded event.
    pub(super) sequence: i64,
}

impl State {
    /// Reads the numbers of `bucket`'s store. In a new file, it makes the tables and the first numbers.
    pub(super) fn load(db: &Database, bucket: &str, clock: &Clock) -> Result<Self, Box<dyn Error>> {
        let write = db.begin_write()?;
        let foreign = write.list_tables()?.next().is_some();
        let state = {
            write.open_table(LISTING)?;
            write.open_table(DETAILS)?;
            write.open_table(BODIES)?;
            write.open_table(PIECES)?;
            write.open_table(PENDING)?;
            let mut table = write.open_table(STATE)?;
            let format = table.get(FORMAT)?.map(|n| n.value());
            match format {
                Some(FORMAT_VERSION) => {}
                Some(other) => return Err(format!("its format {other} is not ours ({FORMAT_VERSION})").into()),
                None if foreign => return Err("it is a redb file, but no object store".into()),
                None => {
                    table.insert(FORMAT, FORMAT_VERSION)?;
                    table.insert(CREATED, clock().as_second())?;
                }
            }
            let mut words = write.open_table(WORDS)?;
            let kept = words.get(BUCKET)?.map(|name| name.value().to_owned());
            match kept {
                Some(kept) if kept != bucket => {
                    return Err(
                        format!("its bucket is {kept:?}, not {bucket:?}; another needs a folder of its own").into()
                    );
                }
                Some(_) => {}
                None => drop(words.insert(BUCKET, bucket)?),
            }
            let number = |name| Ok::<_, redb::Error>(table.get(name)?.map_or(0, |n| n.value()));
            Self { created: number(CREATED)?, newest: number(NEWEST)?, sequence: number(SEQUENCE)? }
        };
        write.commit()?;
        Ok(state)
    }
}

fn cannot_open(path: &Path, error: DatabaseError) -> io::Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            let text = format!("the object store {} is in use by another process", path.display());
            io::Error::new(io::ErrorKind::ResourceBusy, text)
        }
        DatabaseError::Storage(StorageError::Corrupted(_)) => damaged(path),
        DatabaseError::Storage(StorageError::Io(e))
            if [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData].contains(&e.kind()) =>
        {
            damaged(path)
        }
        error => explained(path, &error),
    }
}

fn has_no_table(db: &Database) -> Result<bool, redb::Error> {
    Ok(db.begin_read()?.list_tables()?.next().is_none())
}

fn empty(path: &Path) -> io::Error {
    explained(path, &format_args!("it is empty, so its content is lost: {REMEDY}"))
}

fn damaged(path: &Path) -> io::Error {
    explained(path, &format_args!("it is damaged, or no object store: {REMEDY}"))
}

pub(super) fn explained(path: &Path, error: &dyn fmt::Display) -> io::Error {
    io::Error::other(format!("cannot open the object store {}: {error}", path.display()))
}
