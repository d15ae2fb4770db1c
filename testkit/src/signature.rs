//! AWS's signature of version 4, from AWS's description alone.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::server::header;

/// The header `authorization` that a POST to `/` with this head and this body is to have, by the headers that it says
/// are signed. `pair` is the key's id and its secret, `place` is region and service: `us-east-1/sqs`.
pub fn authorization(head: &str, body: &[u8], pair: (&str, &str), place: &str) -> Result<String, String> {
    let given = |name: &str| header(head, name).ok_or(format!("it has no header {name}"));
    let authorization = given("authorization")?;
    let names = authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let names = names.ok_or("it does not say which headers are signed")?;
    let mut canonical = "POST\n/\n\n".to_string();
    for name in names.split(';') {
        writeln!(canonical, "{name}:{}", given(name)?).unwrap();
    }
    write!(canonical, "\n{names}\n{}", hex(&Sha256::digest(body))).unwrap();
    let time = given("x-amz-date")?;
    let scope = format!("{}/{place}/aws4_request", time.split('T').next().unwrap());
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(&canonical)));
    let secret = format!("AWS4{}", pair.1).into_bytes();
    let signature = hex(&mac(&scope.split('/').fold(secret, |key, part| mac(&key, part)), &to_sign));
    Ok(format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", pair.0))
}

fn mac(key: &[u8], data: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
