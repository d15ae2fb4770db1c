//! The memory for bodies: so much for all of them together, however many come at once.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use pulse_echo_core::pulse::SIZE_LIMIT;

/// The length of a body's blocks, of which the last may be shorter. A pulse is in one.
#[expect(clippy::cast_possible_truncation, reason = "it is 64 KiB")]
const BLOCK_BYTES: usize = SIZE_LIMIT as usize;
/// A rest of a body that is longer than this gets a whole block.
const SHORT_BYTES: usize = 8 << 10;

/// The memory that is left. Its clones are the same.
#[derive(Clone)]
pub(super) struct Room(Arc<Mutex<Book>>);

struct Book {
    left: usize,
    all: usize,
    /// Whole blocks that nobody has, for the next bodies. If they were freed and made anew, each by another thread, the
    /// C library would keep several times as much as the room has.
    spare: Vec<Vec<u8>>,
}

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(Mutex::new(Book { left: bytes, all: bytes, spare: Vec::new() })))
    }

    /// Begins a body of this length. It takes no room yet.
    pub(super) fn held(&self, length: usize) -> Held {
        Held { blocks: Vec::new(), to_come: length, room: self.clone() }
    }

    fn take(&self, size: usize) -> Option<Block> {
        let mut book = self.book();
        book.left = book.left.checked_sub(size)?;
        let spare = if size == BLOCK_BYTES { book.spare.pop() } else { None };
        // Spare blocks take no room from those that are held.
        let fits = book.left / BLOCK_BYTES;
        book.spare.truncate(fits);
        drop(book);
        Some(Block { bytes: spare.unwrap_or_else(|| Vec::with_capacity(size)), size, room: self.clone() })
    }

    fn give_back(&self, mut bytes: Vec<u8>, size: usize) {
        let mut book = self.book();
        book.left += size;
        if book.left == book.all {
            // A crowd is over.
            book.spare = Vec::new();
        } else if size == BLOCK_BYTES {
            bytes.clear();
            book.spare.push(bytes);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body, or its beginning, in memory.
pub(super) struct Held {
    blocks: Vec<Block>,
    /// The part of its length for which it has no block yet.
    to_come: usize,
    room: Room,
}

/// A part of a body. Its room is free again when this is dropped.
struct Block {
    bytes: Vec<u8>,
    /// How many bytes it has room for.
    size: usize,
    room: Room,
}

impl Held {
    /// Adds what has come. Returns what there is no room for.
    pub(super) fn add<'b>(&mut self, mut bytes: &'b [u8]) -> &'b [u8] {
        while !bytes.is_empty() {
            let Some(block) = self.free_block() else { break };
            let (here, rest) = bytes.split_at(bytes.len().min(block.size - block.bytes.len()));
            block.bytes.extend_from_slice(here);
            bytes = rest;
        }
        bytes
    }

    /// The block that is not full yet, or the next one if there is room for it.
    fn free_block(&mut self) -> Option<&mut Block> {
        if self.blocks.last().is_none_or(|block| block.bytes.len() == block.size) {
            let size = if self.to_come > SHORT_BYTES { BLOCK_BYTES } else { self.to_come };
            if size == 0 {
                return None;
            }
            self.blocks.push(self.room.take(size)?);
            self.to_come = self.to_come.saturating_sub(size);
        }
        self.blocks.last_mut()
    }

    /// Takes all that is held, in its blocks.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        mem::take(&mut self.blocks).into_iter().map(Bytes::from_owner).collect()
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.room.give_back(mem::take(&mut self.bytes), self.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_share_the_room_and_each_gives_its_own_back() {
        let room = Room::of(10);
        let (mut one, mut other) = (room.held(7), room.held(4));
        assert_eq!(other.add(b"1"), b"");
        assert_eq!(one.add(b"1234"), b"1234", "its block would have 7 bytes, and 6 are left");
        assert_eq!(other.add(b"234"), b"");
        assert_eq!(other.take(), [&b"1234"[..]]);
        assert_eq!(one.add(b"1234567"), b"");
        assert_eq!(other.add(b"5"), b"5", "it is longer than it said");
        let taken = one.take();
        drop(one);
        assert_eq!(room.held(4).add(b"1"), b"1", "a block counts as long as anybody has it");
        drop(taken);
        assert_eq!(room.held(10).add(b"1234567890"), b"");
    }

    #[test]
    fn a_long_body_is_in_several_blocks_however_it_comes() {
        let room = Room::of(3 * BLOCK_BYTES);
        let other = room.take(9);
        let body: Vec<u8> = (0..2 * BLOCK_BYTES + 9).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for step in [1000, BLOCK_BYTES, body.len()] {
            let mut held = room.held(body.len());
            assert!(body.chunks(step).all(|bytes| held.add(bytes).is_empty()));
            let blocks = held.take();
            assert_eq!(blocks.iter().map(Bytes::len).collect::<Vec<_>>(), [BLOCK_BYTES, BLOCK_BYTES, 9]);
            assert!(blocks.concat() == body);
            drop(blocks);
            assert_eq!(room.book().spare.len(), 2, "the next body has their memory");
        }
        drop(other);
        assert_eq!(room.book().spare.len(), 0);
    }
}
