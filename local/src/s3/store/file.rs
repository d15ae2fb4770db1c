//! The store's file. After an I/O error it is opened anew while readers and writers go on using it.

use std::io;
use std::sync::{PoisonError, RwLock};

use redb::{Database, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

/// Opens the file.
pub(super) type Opener = Box<dyn Fn() -> io::Result<Database> + Send + Sync>;

/// After the first I/O error redb refuses everything that follows, even once the disk has room again, until the file is
/// closed and opened again. This type does so.
pub(super) struct StoreFile {
    open: Opener,
    /// `None` while it cannot be opened. It is locked during a transaction, so that nobody closes the file meanwhile.
    db: RwLock<Option<Database>>,
}

impl StoreFile {
    /// `db` is already open; `open` opens the same file again after `db` was closed.
    pub(super) fn new(db: Database, open: Opener) -> Self {
        Self { open, db: RwLock::new(Some(db)) }
    }

    /// Calls `read` with one state of the whole store.
    pub(super) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Error>) -> Result<T, Error> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        read(&db.as_ref().ok_or(Error::DatabaseClosed)?.begin_read()?)
    }

    /// Makes what `write` does durable, unless `write` fails.
    pub(super) fn write<T>(&self, write: impl FnOnce(&WriteTransaction) -> Result<T, Error>) -> Result<T, Error> {
        if self.db.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.reopen()?;
        }
        let written = self.try_write(write);
        if let Err(Error::Io(_) | Error::PreviousIo) = written {
            // Opened at once, for the readers. If that fails, the next write tries again and reports why.
            let _ = self.reopen();
        }
        written
    }

    fn try_write<T>(&self, write: impl FnOnce(&WriteTransaction) -> Result<T, Error>) -> Result<T, Error> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let transaction = db.as_ref().ok_or(Error::DatabaseClosed)?.begin_write()?;
        let result = write(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn reopen(&self) -> Result<(), Error> {
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // Closed first: a lock prevents opening it twice.
        *db = None;
        *db = Some((self.open)().map_err(Error::Io)?);
        Ok(())
    }
}
