//! AWS's signature, version 4, for a POST with a body.

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use jiff::Timestamp;

use super::Service;

/// The headers to send with `body`: these, which are signed, too, and those of the signature. It is made for `now` and
/// counts for some minutes.
pub(super) fn headers(
    service: &Service,
    headers: &[(&str, &str)],
    body: &str,
    now: Timestamp,
) -> Vec<(String, String)> {
    let credentials = &service.credentials;
    let token = credentials.token().map(String::from);
    let identity = Identity::new(credentials.key(), credentials.secret(), token, None, "environment").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&service.region)
        .name(service.name)
        .time(now.into())
        .settings(SigningSettings::default())
        .build()
        .expect("nothing is left out");
    let body = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", service.endpoint.as_str(), headers.iter().copied(), body);
    let signed = request.and_then(|request| sign(request, &parameters.into())).expect("the address was parsed before");
    let (instructions, _) = signed.into_parts();
    let of_signature = instructions.headers().map(|(name, value)| (name.to_string(), value.to_string()));
    let own = headers.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
    own.chain(of_signature).collect()
}
