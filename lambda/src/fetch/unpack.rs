//! Bodies that are compressed although nobody asked for it.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use pulse_echo_core::http::NotHttp;
use ureq::http::HeaderMap;

use super::read::read;
use crate::expect::{Need, READ_LIMIT};
use crate::wire::codings;

/// The beginning of a body, as people see it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether it is the whole body.
    pub(super) whole: bool,
    /// The encoding that is still on it.
    pub(super) packed: Option<String>,
}

/// What the headers say about the compression of the body; `None` if it is not compressed.
pub(super) fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("content-encoding")?;
    let codings: Vec<_> =
        codings(value.as_bytes()).filter(|coding| !matches!(coding.as_str(), "" | "identity")).collect();
    (!codings.is_empty()).then(|| codings.join(", "))
}

/// Reads the needed beginning of a body, and undoes gzip and deflate. A body that is not what its header says is read
/// as it is.
pub(super) fn read_unpacked(mut body: impl Read, encoding: Option<String>, need: Need) -> io::Result<Body> {
    let Some(encoding) = encoding.filter(|_| need != Need::Nothing) else {
        let (bytes, whole) = read(body, need)?;
        return Ok(Body { bytes, whole, packed: None });
    };
    let mut first = Vec::new();
    body.by_ref().take(2).read_to_end(&mut first)?;
    let is_zlib = matches!(first[..], [a, b] if a & 0x0f == 8 && (u16::from(a) << 8 | u16::from(b)) % 31 == 0);
    let packed = Cursor::new(first.clone()).chain(FromWire(body).take(READ_LIMIT as u64));
    let unpacked = match encoding.as_str() {
        "gzip" | "x-gzip" if first == *b"\x1f\x8b" => read(Members(Some(GzDecoder::new(BufReader::new(packed)))), need),
        "deflate" if is_zlib => read(ZlibDecoder::new(packed), need),
        // Some servers leave the frame out. Text is hardly ever deflate by chance.
        "deflate" => {
            let (raw, whole) = read(packed, Need::UpTo(READ_LIMIT))?;
            return Ok(match read(DeflateDecoder::new(raw.as_slice()), need) {
                Ok((bytes, whole)) => Body { bytes, whole, packed: None },
                Err(_) => Body { bytes: raw, whole, packed: Some(encoding) },
            });
        }
        _ => {
            let (bytes, whole) = read(packed, need)?;
            return Ok(Body { bytes, whole, packed: Some(encoding) });
        }
    };
    let (bytes, whole) = unpacked.map_err(|error| broken(error, &encoding))?;
    Ok(Body { bytes, whole, packed: None })
}

/// Unpacks the members of gzip one after the other, up to the end or to the first byte that begins none: servers pad,
/// and gunzip takes it.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.0.take() {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.0 = Some(member);
                return Ok(read);
            }
            let mut behind = member.into_inner();
            if behind.fill_buf()?.first() == Some(&0x1f) {
                self.0 = Some(GzDecoder::new(behind));
            }
        }
        Ok(0)
    }
}

/// A reader whose errors are of the kind `Other`: any other kind is then of the unpacker.
struct FromWire<R>(R);

impl<R: Read> Read for FromWire<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| io::Error::other(ureq::Error::from(error)))
    }
}

fn broken(error: io::Error, encoding: &str) -> io::Error {
    if error.kind() == ErrorKind::Other {
        return error;
    }
    let why = format!(
        "the body is compressed ({encoding}), which nobody asked for, and cannot be unpacked; switch compression off \
         for this address"
    );
    ureq::Error::Other(Box::new(NotHttp(why))).into_io()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(body: &[u8], encoding: &str, need: Need) -> io::Result<Body> {
        read_unpacked(body, Some(encoding.into()), need)
    }

    #[test]
    fn gzip_and_deflate_are_undone_and_anything_else_is_named() {
        let twice = [gzip(b"o"), gzip(b"k")].concat();
        for (body, encoding, left) in [
            (gzip(b"ok"), "gzip", None),
            (gzip(b"ok"), "x-gzip", None),
            (twice, "gzip", None),
            ([gzip(b"ok"), vec![0; 512]].concat(), "gzip", None),
            ([gzip(b"ok"), b"\n<!-- junk -->".to_vec()].concat(), "gzip", None),
            (zlib(b"ok"), "deflate", None),
            (zlib(b"ok")[2..].to_vec(), "deflate", None),
            (b"ok".to_vec(), "deflate", Some("deflate")),
            (b"ok".to_vec(), "gzip", Some("gzip")),
            (b"ok".to_vec(), "br", Some("br")),
            (b"ok".to_vec(), "gzip, br", Some("gzip, br")),
        ] {
            let body = unpacked(&body, encoding, Need::UpTo(9)).unwrap();
            let expected = Body { bytes: b"ok".into(), whole: true, packed: left.map(String::from) };
            assert_eq!(body, expected, "{encoding}");
        }
    }

    #[test]
    fn a_bomb_is_unpacked_up_to_the_limit() {
        let bomb = gzip(&vec![b'x'; 64 * READ_LIMIT]);
        let body = unpacked(&bomb, "gzip", Need::Until("y")).unwrap();
        assert_eq!((body.bytes.len(), body.whole), (READ_LIMIT, false));
        // Members without content never end.
        let empty = gzip(b"").repeat(READ_LIMIT / 10);
        assert!(unpacked(&empty, "gzip", Need::Until("y")).is_err());
    }

    #[test]
    fn what_cannot_be_unpacked_is_one_sentence() {
        let whole = gzip(b"something longer");
        let mut wrong = whole.clone();
        // Its checksum.
        wrong[whole.len() - 8] ^= 0x55;
        for body in [&whole[..whole.len() - 9], &wrong] {
            let error = unpacked(body, "gzip", Need::UpTo(99)).unwrap_err();
            let failure = pulse_echo_core::http::Failure::from(error);
            assert!(
                failure.text.contains("compressed (gzip)") && failure.text.contains("; switch compression off"),
                "{failure}"
            );
        }
    }
}
