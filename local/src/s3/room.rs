//! The memory for bodies: so much for all of them together, however many come at once.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that is left. Its clones are the same.
#[derive(Clone)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Begins a body.
    pub(super) fn held(&self) -> Held {
        Held { bytes: Vec::new(), room: self.clone() }
    }

    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A body, or its beginning, in memory. Its room is free again when this is dropped.
pub(super) struct Held {
    bytes: Vec<u8>,
    room: Room,
}

impl Held {
    /// Adds what has come, if there is room for it.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        let is_room = self.room.take(bytes.len());
        if is_room {
            // Not twice as much, as a vector grows by itself.
            self.bytes.reserve_exact(bytes.len());
            self.bytes.extend_from_slice(bytes);
        }
        is_room
    }

    /// Takes all that is held.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.room.give_back(self.bytes.len());
        mem::take(&mut self.bytes)
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_share_the_room_and_each_gives_its_own_back() {
        let room = Room::of(10);
        let (mut one, mut other) = (room.held(), room.held());
        assert!(one.add(b"123456") && other.add(b"1234"));
        assert!(!one.add(b"7") && one.as_ref() == b"123456");
        assert_eq!(other.take(), b"1234");
        assert!(one.add(b"7890") && !other.add(b"1"));
        drop(one);
        assert!(other.add(b"1234567890"));
    }
}
