//! The memory for bodies: so much for all of them together, however many come at once.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::body::Bytes;
use pulse_echo_core::pulse::SIZE_LIMIT;

/// The length of a body's blocks, of which the last may be shorter. A pulse is in one. Blocks do not grow: memory that
/// grew with each piece of many bodies would be in fragments, which nobody gives back.
#[expect(clippy::cast_possible_truncation, reason = "it is 64 KiB")]
const BLOCK_BYTES: usize = SIZE_LIMIT as usize;

/// The memory that is left. Its clones are the same.
#[derive(Clone)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Begins a body of this length. It takes no room yet.
    pub(super) fn held(&self, length: usize) -> Held {
        Held { blocks: Vec::new(), to_come: length, room: self.clone() }
    }

    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
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
            let size = self.to_come.min(BLOCK_BYTES);
            if size == 0 || !self.room.take(size) {
                return None;
            }
            self.to_come -= size;
            self.blocks.push(Block { bytes: Vec::with_capacity(size), size, room: self.room.clone() });
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
        self.room.give_back(self.size);
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
        let body: Vec<u8> = (0..2 * BLOCK_BYTES + 9).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for step in [1000, BLOCK_BYTES, body.len()] {
            let mut held = room.held(body.len());
            assert!(body.chunks(step).all(|bytes| held.add(bytes).is_empty()));
            let blocks = held.take();
            assert_eq!(blocks.iter().map(Bytes::len).collect::<Vec<_>>(), [BLOCK_BYTES, BLOCK_BYTES, 9]);
            assert!(blocks.concat() == body);
        }
    }
}
