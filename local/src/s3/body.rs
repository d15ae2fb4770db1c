//! Reads the body of a PUT: whole, not too large, and as its sender meant it.

use futures_util::StreamExt;
use hyper::StatusCode;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{PutObjectInput, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::store::ETag;

/// Our limit, where S3's is 5 GiB: a body is held in memory. It is enough for the status of 300,000 checks that are all
/// down.
const MAX_BODY_BYTES: usize = 256 << 20;

/// Reads the body that `input` announces. A body over the limit is refused before it is read.
pub(super) async fn read(input: &mut PutObjectInput) -> S3Result<Vec<u8>> {
    let Some(length) = input.content_length else {
        return Err(s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header."));
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(length);
    let mut stream = input.body.take().unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| broken(&e.to_string()))?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Tells these errors apart by their text, since s3s keeps their type to itself.
fn broken(error: &str) -> S3Error {
    if error.contains("Sha256Mismatch") {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        let mut error = S3Error::with_message(S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()), message);
        error.set_status_code(StatusCode::BAD_REQUEST);
        error
    } else if error.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        s3_error!(IncompleteBody)
    }
}

fn too_large() -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size ({MAX_BODY_BYTES} bytes)")
}

/// Returns the body's `ETag`, if the body is as `input` announces it.
pub(super) fn verify(input: &PutObjectInput, body: &[u8]) -> S3Result<ETag> {
    let md5 = Md5::checksum(body);
    let announced = input.content_md5.as_deref();
    if announced.is_some_and(|announced| announced != base64_simd::STANDARD.encode_to_string(md5)) {
        return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
    }
    let mut hasher = ChecksumHasher {
        crc32: input.checksum_crc32.is_some().then(Crc32::new),
        crc32c: input.checksum_crc32c.is_some().then(Crc32c::new),
        sha1: input.checksum_sha1.is_some().then(Sha1::new),
        sha256: input.checksum_sha256.is_some().then(Sha256::new),
        crc64nvme: input.checksum_crc64nvme.is_some().then(Crc64Nvme::new),
    };
    hasher.update(body);
    let found = hasher.finalize();
    let same = found.checksum_crc32 == input.checksum_crc32
        && found.checksum_crc32c == input.checksum_crc32c
        && found.checksum_sha1 == input.checksum_sha1
        && found.checksum_sha256 == input.checksum_sha256
        && found.checksum_crc64nvme == input.checksum_crc64nvme;
    if !same {
        return Err(s3_error!(BadDigest, "The checksum you specified did not match the calculated checksum."));
    }
    Ok(ETag(u128::from_be_bytes(md5)))
}
