//! Reads a body, and never more of it than is needed.

use std::io::{self, Read};

use memchr::memmem::Finder;

use crate::expect::{Need, READ_LIMIT};

/// Reads the needed beginning of a body. Also returns whether it is the whole body.
pub(super) fn read(mut body: impl Read, need: Need) -> io::Result<(Vec<u8>, bool)> {
    match need {
        Need::Nothing => Ok((Vec::new(), false)),
        Need::UpTo(limit) => {
            let mut beginning = Vec::new();
            body.by_ref().take(limit as u64).read_to_end(&mut beginning)?;
            // The end of a body of just that length shows by one more byte that does not come.
            let whole = beginning.len() < limit || limit == READ_LIMIT && body.read(&mut [0])? == 0;
            Ok((beginning, whole))
        }
        Need::Until(text) => read_until(&mut body, text.as_bytes()),
    }
}

fn read_until(body: &mut impl Read, text: &[u8]) -> io::Result<(Vec<u8>, bool)> {
    let finder = Finder::new(text);
    let mut beginning = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while beginning.len() < READ_LIMIT {
        let room = chunk.len().min(READ_LIMIT - beginning.len());
        let came = body.read(&mut chunk[..room])?;
        if came == 0 {
            return Ok((beginning, true));
        }
        // The text may begin before this chunk.
        let unsearched = (beginning.len() + 1).saturating_sub(text.len());
        beginning.extend_from_slice(&chunk[..came]);
        if finder.find(&beginning[unsearched..]).is_some() {
            break;
        }
    }
    Ok((beginning, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its bytes in pieces of this length.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }

    #[test]
    fn a_text_is_found_across_the_pieces_it_comes_in_and_nothing_after_it_is_read() {
        for piece in 1..8 {
            let mut body = Pieces(b"not yet: ready. And so on", piece);
            let (beginning, whole) = read(&mut body, Need::Until("ready")).unwrap();
            assert!(beginning.ends_with(b"ready") || beginning.len() < 14 + piece, "{piece}: {beginning:?}");
            assert!(!whole && !body.0.is_empty());
        }
    }

    #[test]
    fn an_empty_text_is_found_in_every_body() {
        assert_eq!(read(&b""[..], Need::Until("")).unwrap(), (vec![], true));
        assert!(read(&b"a"[..], Need::Until("")).is_ok());
    }

    #[test]
    fn reading_ends_at_the_limit() {
        let (beginning, whole) = read(io::repeat(b'x'), Need::Until("y")).unwrap();
        assert_eq!((beginning.len(), whole), (READ_LIMIT, false));
        assert_eq!(read(&b"abc"[..], Need::UpTo(2)).unwrap(), (b"ab".to_vec(), false));
        let all = vec![b'x'; READ_LIMIT];
        assert!(read(&all[..], Need::UpTo(READ_LIMIT)).unwrap().1);
        assert!(!read(io::repeat(b'x'), Need::UpTo(READ_LIMIT)).unwrap().1);
        assert_eq!(read(&b"abc"[..], Need::UpTo(4)).unwrap(), (b"abc".to_vec(), true));
        assert_eq!(read(io::repeat(b'x'), Need::Nothing).unwrap(), (vec![], false));
    }
}
