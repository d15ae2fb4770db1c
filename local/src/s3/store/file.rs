//! The store's file: opened, and after an I/O error opened anew, under those who read and write.

use std::io;
use std::sync::{PoisonError, RwLock};

use redb::{Database, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

/// How the file is opened.
pub(super) type Opener = Box<dyn Fn() -> io::Result<Database> + Send + Sync>;

/// After the first I/O error redb refuses all that follows, even once the disk has room again, until the file is closed
/// and opened again. This does so.
pub(super) struct StoreFile {
    open: Opener,
    /// `None` while it cannot be opened. Locked for as long as a transaction lasts, so that nobody's file is closed
    /// under him.
    db: RwLock<Option<Database>>,
}

impl StoreFile {
    /// `db` is open already; `open` opens the same file again, once `db` is closed.
    pub(super) fn new(db: Database, open: Opener) -> Self {
        Self { open, db: RwLock::new(Some(db)) }
    }

    /// Gives `read` one state of the whole store.
    pub(super) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Error>) -> Result<T, Error> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        read(&db.as_ref().ok_or(Error::DatabaseClosed)?.begin_read()?)
    }

    /// Makes what `write` does durable, unless it fails.
    pub(super) fn write<T>(&self, write: impl FnOnce(&WriteTransaction) -> Result<T, Error>) -> Result<T, Error> {
        if self.db.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.reopen()?;
        }
        let written = self.try_write(write);
        if let Err(Error::Io(_) | Error::PreviousIo) = written {
            // At once, for those who read. If it fails, the next write tries again, and says why.
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
        // Closed first: it is locked against being opened twice.
        *db = None;
        *db = Some((self.open)().map_err(Error::Io)?);
        Ok(())
    }
}
