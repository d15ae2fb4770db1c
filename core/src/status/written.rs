//! `status.json` as it is put: record by record while it is sent. As a whole, the text of a large fleet takes as much
//! memory as its records.

use std::collections::{BTreeMap, btree_map};
use std::io::{self, Read};
use std::mem;

use serde::Serialize;

use super::{Record, Status};
use crate::name::CheckId;
use crate::store::Content;

/// How the text ends that has no records: the end of the records, and of the status.
const END: &str = "}}";

/// How much is written at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The text of a status.
pub struct Written<'a> {
    /// All that comes before the records.
    head: Vec<u8>,
    records: &'a BTreeMap<CheckId, Record>,
    size: u64,
}

impl Status {
    /// The body to put. It is the same as [`to_json`](Self::to_json), but not in memory as a whole.
    pub fn written(&mut self) -> Written<'_> {
        // The records come last.
        let records = mem::take(&mut self.checks);
        let mut head = self.to_json();
        self.checks = records;
        head.truncate(head.len() - END.len());
        let mut written = Written { head, records: &self.checks, size: 0 };
        let size = io::copy(&mut written.reader(), &mut io::sink()).expect("nothing can fail here");
        written.size = size;
        written
    }
}

impl Content for Written<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(self.head.chain(Records::new(self.records)).chain(END.as_bytes()))
    }
}

/// Writes record by record.
struct Records<'a> {
    rest: btree_map::Iter<'a, CheckId, Record>,
    is_first: bool,
    piece: Vec<u8>,
    /// How much of the piece was read.
    read: usize,
}

impl<'a> Records<'a> {
    fn new(records: &'a BTreeMap<CheckId, Record>) -> Self {
        Self { rest: records.iter(), is_first: true, piece: Vec::new(), read: 0 }
    }

    /// Writes the next records.
    fn write(&mut self) -> serde_json::Result<()> {
        self.piece.clear();
        self.read = 0;
        while self.piece.len() < PIECE
            && let Some((id, record)) = self.rest.next()
        {
            if !mem::take(&mut self.is_first) {
                self.piece.push(b',');
            }
            serialize(id, &mut self.piece)?;
            self.piece.push(b':');
            serialize(record, &mut self.piece)?;
        }
        Ok(())
    }
}

fn serialize(value: &impl Serialize, into: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(into, value)
}

impl Read for Records<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            self.write()?;
        }
        let count = (&self.piece[self.read..]).read(into)?;
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::full;
    use super::*;
    use crate::clock::Time;

    fn text(written: &Written) -> String {
        let mut text = String::new();
        written.reader().read_to_string(&mut text).unwrap();
        assert_eq!(written.size(), text.len() as u64);
        text
    }

    #[test]
    fn what_is_put_record_by_record_is_the_whole_status_however_many_records_there_are() {
        let record = full().checks.into_values().next().unwrap();
        for count in [0, 1, 2, 1_000] {
            let id = |n| format!("web-{n}/käse.json").try_into().unwrap();
            let checks = (0..count).map(|n| (id(n), record.clone())).collect();
            let mut status = Status { checks, ..full() };
            let whole = String::from_utf8(status.to_json()).unwrap();
            let written = status.written();
            assert_eq!(text(&written), whole, "{count}");
            assert_eq!(text(&written), whole, "again, for another try");
        }
        assert!(text(&Status::new(Time::from_second(0)).written()).ends_with("\"outbox\":[],\"checks\":{}}"));
    }
}
