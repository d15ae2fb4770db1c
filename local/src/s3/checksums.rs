//! The checksums that a PUT announces, in its headers or after its body.

use hyper::header::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, PutObjectInput};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

/// Where one of them is among those of s3s.
type Place = fn(&mut Checksum) -> &mut Option<String>;

/// The checksums that S3 knows: their headers, and where they are among those of s3s.
const KNOWN: [(&str, Place); 5] = [
    ("x-amz-checksum-crc32", |sums| &mut sums.checksum_crc32),
    ("x-amz-checksum-crc32c", |sums| &mut sums.checksum_crc32c),
    ("x-amz-checksum-crc64nvme", |sums| &mut sums.checksum_crc64nvme),
    ("x-amz-checksum-sha1", |sums| &mut sums.checksum_sha1),
    ("x-amz-checksum-sha256", |sums| &mut sums.checksum_sha256),
];

/// What a PUT announces.
pub(super) struct Announced {
    sums: Checksum,
    /// The headers that are to come after the body.
    trailers: Vec<String>,
}

impl Announced {
    /// Reads a request's headers.
    pub(super) fn of(headers: &HeaderMap, input: &PutObjectInput) -> S3Result<Self> {
        let mut trailers = Vec::new();
        for header in headers.get_all("x-amz-trailer") {
            let names = header.to_str().map_err(|_| malformed_trailer())?;
            trailers.extend(names.split(',').map(|name| name.trim().to_ascii_lowercase()));
        }
        let sums = Checksum {
            checksum_crc32: input.checksum_crc32.clone(),
            checksum_crc32c: input.checksum_crc32c.clone(),
            checksum_crc64nvme: input.checksum_crc64nvme.clone(),
            checksum_sha1: input.checksum_sha1.clone(),
            checksum_sha256: input.checksum_sha256.clone(),
            ..Checksum::default()
        };
        Ok(Self { sums, trailers })
    }

    /// A hasher for these checksums.
    pub(super) fn hasher(&self) -> ChecksumHasher {
        let comes = |name: &str, sum: &Option<String>| sum.is_some() || self.trailers.iter().any(|known| known == name);
        ChecksumHasher {
            crc32: comes("x-amz-checksum-crc32", &self.sums.checksum_crc32).then(Crc32::new),
            crc32c: comes("x-amz-checksum-crc32c", &self.sums.checksum_crc32c).then(Crc32c::new),
            sha1: comes("x-amz-checksum-sha1", &self.sums.checksum_sha1).then(Sha1::new),
            sha256: comes("x-amz-checksum-sha256", &self.sums.checksum_sha256).then(Sha256::new),
            crc64nvme: comes("x-amz-checksum-crc64nvme", &self.sums.checksum_crc64nvme).then(Crc64Nvme::new),
        }
    }

    /// Compares them with what was computed, once the whole body has come.
    pub(super) fn check(mut self, computed: ChecksumHasher, trailing: Option<&TrailingHeaders>) -> S3Result<()> {
        let trailing = trailing.and_then(TrailingHeaders::take).unwrap_or_default();
        let mut computed = computed.finalize();
        for name in &self.trailers {
            let value = trailing.get(name).and_then(|value| value.to_str().ok()).ok_or_else(malformed_trailer)?;
            if let Some((_, place)) = KNOWN.iter().find(|(known, _)| known == name) {
                *place(&mut self.sums) = Some(value.to_owned());
            }
        }
        if KNOWN.iter().all(|(_, place)| place(&mut self.sums) == place(&mut computed)) {
            return Ok(());
        }
        Err(s3_error!(BadDigest, "The checksum you specified did not match the calculated checksum."))
    }
}

/// Compares the `Content-MD5` header, if there is one.
pub(super) fn check_md5(input: &PutObjectInput, md5: &[u8]) -> S3Result<()> {
    let announced = input.content_md5.as_deref();
    if announced.is_none_or(|announced| announced == base64_simd::STANDARD.encode_to_string(md5)) {
        return Ok(());
    }
    Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."))
}

fn malformed_trailer() -> S3Error {
    let code = S3ErrorCode::Custom("MalformedTrailerError".into());
    let message = "The request contained trailing data that was not well-formed or did not conform to our published \
                   schema.";
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(hyper::StatusCode::BAD_REQUEST);
    error
}
