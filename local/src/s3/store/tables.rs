//! The tables of a transaction, and how their records are written and read.

use redb::{ReadableTable, Table, WriteTransaction};

use super::pending::Pending;
use super::{BODIES, DETAILS, LISTING, PENDING, PIECES, STATE};

/// All tables, opened for one transaction.
pub(super) struct Tables<'t> {
    pub(super) listing: Table<'t, &'static [u8], (u128, u64, i64)>,
    pub(super) details: Table<'t, &'static [u8], &'static [u8]>,
    pub(super) bodies: Table<'t, &'static [u8], &'static [u8]>,
    pub(super) pieces: Table<'t, (&'static [u8], u32), &'static [u8]>,
    pub(super) pending: Table<'t, u64, &'static [u8]>,
    pub(super) state: Table<'t, &'static str, i64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(write: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            listing: write.open_table(LISTING)?,
            details: write.open_table(DETAILS)?,
            bodies: write.open_table(BODIES)?,
            pieces: write.open_table(PIECES)?,
            pending: write.open_table(PENDING)?,
            state: write.open_table(STATE)?,
        })
    }

    /// Removes the body of this key, wherever it is.
    pub(super) fn remove_body(&mut self, key: &str) -> Result<(), redb::Error> {
        if self.bodies.remove(key.as_bytes())?.is_none() {
            self.pieces.retain_in((key.as_bytes(), 0)..=(key.as_bytes(), u32::MAX), |_, _| false)?;
        }
        Ok(())
    }

    /// The events that nobody has handled yet.
    pub(super) fn all_pending(&self) -> Result<Vec<Pending>, redb::Error> {
        let mut events = Vec::new();
        for row in self.pending.iter()? {
            let (number, record) = row?;
            events.extend(read_event(record.value()).map(|event| Pending { number: number.value(), ..event }));
        }
        Ok(events)
    }
}

/// An event; `None`, and a line in the log, if it cannot be read.
pub(super) fn read_event(record: &[u8]) -> Option<Pending> {
    serde_json::from_slice(record)
        .inspect_err(|e| log::error!("a waiting event cannot be read and is left out: {e}"))
        .ok()
}

/// A record as it is kept.
pub(super) fn json(record: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("plain records with text keys always have a JSON form")
}
