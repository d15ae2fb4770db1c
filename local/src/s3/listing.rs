//! The two versions of LIST.

use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass, Owner, Timestamp,
};
use s3s::{S3Error, S3Result, s3_error};
use std::time::SystemTime;
use url::form_urlencoded;

use super::store::{Page, Query, Store, Summary, past_key, past_prefix};

/// S3's largest page.
const MAX_KEYS: i32 = 1000;

/// The owner of every object.
pub(super) fn owner() -> Owner {
    Owner { display_name: Some("local".to_owned()), id: Some("local".to_owned()) }
}

/// Encodes `key` as S3 does in listings and events: like a form, but with `/` as it is.
pub(crate) fn url_encoded(key: &str) -> String {
    form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>().replace("%2F", "/")
}

pub(super) fn version_2(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let encode = encoder(input.encoding_type.as_ref());
    let max_keys = page_size(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let from = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => from_token(token)?,
        (None, Some(key)) => past_key(key),
        (None, None) => Vec::new(),
    };
    let page = find(store, &prefix, input.delimiter.as_deref(), from, max_keys)?;
    let owner = input.fetch_owner.unwrap_or_default().then(owner);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(&prefix)),
        delimiter: input.delimiter.as_deref().map(encode),
        max_keys: Some(max_keys),
        encoding_type: input.encoding_type,
        start_after: input.start_after.as_deref().map(encode),
        continuation_token: input.continuation_token,
        key_count: Some(i32::try_from(page.objects.len() + page.prefixes.len()).unwrap_or(i32::MAX)),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_deref().map(to_token),
        contents: Some(contents(&page, encode, owner.as_ref())),
        common_prefixes: Some(common_prefixes(&page, encode)),
        ..Default::default()
    })
}

pub(super) fn version_1(store: &Store, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let encode = encoder(input.encoding_type.as_ref());
    let max_keys = page_size(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let marker = input.marker.unwrap_or_default();
    // A marker may be the common prefix that ended the previous page: it has been shown.
    let shown = input.delimiter.as_deref().is_some_and(|delimiter| {
        let rest = marker.strip_prefix(&*prefix).unwrap_or_default();
        rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len())
    });
    let from = match &*marker {
        "" => Vec::new(),
        marker if shown => past_prefix(marker),
        marker => past_key(marker),
    };
    let page = find(store, &prefix, input.delimiter.as_deref(), from, max_keys)?;
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode(&prefix)),
        delimiter: input.delimiter.as_deref().map(encode),
        marker: Some(encode(&marker)),
        max_keys: Some(max_keys),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.next.is_some()),
        // Without a delimiter, clients go on from the last key, as with S3.
        next_marker: page.next.as_ref().and(input.delimiter.as_ref()).map(|_| encode(&page.last)),
        contents: Some(contents(&page, encode, Some(&owner()))),
        common_prefixes: Some(common_prefixes(&page, encode)),
        ..Default::default()
    })
}

type Encode = fn(&str) -> String;

fn encoder(asked: Option<&EncodingType>) -> Encode {
    if asked.is_some() { url_encoded } else { str::to_owned }
}

fn page_size(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(n) if n < 0 => {
            Err(s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))
        }
        Some(n) => Ok(n.min(MAX_KEYS)),
        None => Ok(MAX_KEYS),
    }
}

fn find(store: &Store, prefix: &str, delimiter: Option<&str>, from: Vec<u8>, max_keys: i32) -> S3Result<Page> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
    let query = Query { prefix, delimiter, from, limit: usize::try_from(max_keys).unwrap_or_default() };
    store.list(&query).map_err(S3Error::internal_error)
}

fn contents(page: &Page, encode: Encode, owner: Option<&Owner>) -> Vec<Object> {
    let object = |(key, summary): &(String, Summary)| Object {
        key: Some(encode(key)),
        e_tag: Some(ETag::Strong(summary.etag.to_string())),
        last_modified: Some(Timestamp::from(SystemTime::from(summary.last_modified))),
        size: Some(summary.size.cast_signed()),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: owner.cloned(),
        ..Default::default()
    };
    page.objects.iter().map(object).collect()
}

fn common_prefixes(page: &Page, encode: Encode) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encode(prefix)) }).collect()
}

/// Tokens are opaque, S3 says. Ours is the place to go on from, in hex.
fn to_token(place: &[u8]) -> String {
    place.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn from_token(token: &str) -> S3Result<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let place: Option<Vec<u8>> = token.as_bytes().chunks(2).map(byte).collect();
    place.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
