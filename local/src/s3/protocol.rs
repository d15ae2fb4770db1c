//! S3's operations on the [`Store`]. For other operations, s3s answers 501 `NotImplemented`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::StatusCode;
use hyper::header::{self, HeaderMap};
use hyper::http::Extensions;
use s3s::dto::{
    Bucket, BucketLocationConstraint, DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition,
    GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput, HeadBucketInput,
    HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput, StreamingBlob,
    Timestamp, TimestampFormat,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tokio::task::block_in_place;

use super::auth::Caller;
use super::rights::Owner;
use super::room::Room;
use super::store::{Change, Condition, DEFAULT_TYPE, Details, NewObject, Origin, Refusal, Store, Summary};
use super::{body, listing};

/// S3's limit on the names and values of user metadata together, in bytes.
const MAX_METADATA_BYTES: usize = 2048;

/// The one bucket, for s3s.
pub(super) struct Api {
    pub(super) store: Arc<Store>,
    pub(super) bucket: String,
    pub(super) region: String,
    /// For the bodies that are being put.
    pub(super) room: Room,
}

impl Api {
    pub(super) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket { Ok(()) } else { Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")) }
    }

    /// The answer to a GET of an object that is not there. Who may not list the bucket is not told that.
    fn missing(&self, extensions: &Extensions) -> S3Error {
        match caller(extensions).and_then(|owner| owner.refusal_of_missing(&self.bucket)) {
            Some(refusal) => s3_error!(AccessDenied, "{refusal}"),
            None => no_such_key(),
        }
    }
}

/// The owner of the key that a request was signed with.
fn caller(extensions: &Extensions) -> Option<&Owner> {
    extensions.get::<Caller>().map(|caller| &caller.owner)
}

#[async_trait::async_trait]
impl S3 for Api {
    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let origin = req.extensions.get::<Origin>().cloned().unwrap_or_default();
        let input = &mut req.input;
        self.check_bucket(&input.bucket)?;
        refuse_empty_conditions(&req.headers)?;
        let condition = match input.if_none_match {
            None => if_match(input.if_match.take())?,
            Some(ETagCondition::Any) if input.if_match.is_none() => Condition::Absent,
            Some(_) => return Err(unsupported_condition()),
        };
        let metadata: BTreeMap<_, _> = input.metadata.take().unwrap_or_default().into_iter().collect();
        if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_METADATA_BYTES {
            return Err(s3_error!(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"));
        }
        let (body, etag) = body::read(&mut req, self.store.folder(), &self.room).await?;
        let input = req.input;
        let content_type = input.content_type.unwrap_or_else(|| DEFAULT_TYPE.to_owned());
        let by_a_host = matches!(caller(&req.extensions), Some(Owner::Host(_)));
        let details = Details { content_type, metadata, by_a_host, cache_control: input.cache_control };
        let object = NewObject { etag, details, has_url: body.has_url(), body, origin };
        self.store.change(input.key, condition, Change::Put(object)).await.map_err(refused)?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag.to_string())), ..Default::default() }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        self.check_bucket(&input.bucket)?;
        refuse_empty_conditions(&req.headers)?;
        let condition = if_match(input.if_match)?;
        self.store.change(input.key, condition, Change::Delete).await.map_err(refused)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        self.check_bucket(&input.bucket)?;
        let object = block_in_place(|| self.store.get(&input.key)).map_err(S3Error::internal_error)?;
        let (summary, details, mut body) = object.ok_or_else(|| self.missing(&req.extensions))?;
        let modified = http_time(&summary);
        Preconditions::of(&req.headers).check(&summary, &modified)?;
        let mut content_range = None;
        if let Some(range) = input.range {
            let unsatisfiable = |_| s3_error!(InvalidRange, "The requested range is not satisfiable");
            let range = range.check(summary.size).map_err(unsatisfiable)?;
            content_range = Some(format!("bytes {}-{}/{}", range.start, range.end - 1, summary.size));
            let place = |n| usize::try_from(n).unwrap_or(usize::MAX);
            body = body.slice(place(range.start)..place(range.end));
        }
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(body.len().try_into().unwrap_or(i64::MAX)),
            content_range,
            body: Some(StreamingBlob::from(Body::from(body))),
            cache_control: details.cache_control,
            content_type: Some(details.content_type),
            e_tag: Some(ETag::Strong(summary.etag.to_string())),
            last_modified: Some(modified),
            metadata: Some(details.metadata.into_iter().collect()),
            ..Default::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        self.check_bucket(&input.bucket)?;
        let object = block_in_place(|| self.store.head(&input.key)).map_err(S3Error::internal_error)?;
        let (summary, details) = object.ok_or_else(|| self.missing(&req.extensions))?;
        let modified = http_time(&summary);
        Preconditions::of(&req.headers).check(&summary, &modified)?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(summary.size.cast_signed()),
            cache_control: details.cache_control,
            content_type: Some(details.content_type),
            e_tag: Some(ETag::Strong(summary.etag.to_string())),
            last_modified: Some(modified),
            metadata: Some(details.metadata.into_iter().collect()),
            ..Default::default()
        }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_bucket(&req.input.bucket)?;
        block_in_place(|| listing::version_2(&self.store, req.input)).map(S3Response::new)
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        self.check_bucket(&req.input.bucket)?;
        block_in_place(|| listing::version_1(&self.store, req.input)).map(S3Response::new)
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = Bucket {
            bucket_region: Some(self.region.clone()),
            creation_date: Some(SystemTime::from(self.store.created()).into()),
            name: Some(self.bucket.clone()),
        };
        let buckets = Some(vec![bucket]);
        Ok(S3Response::new(ListBucketsOutput { buckets, owner: Some(listing::owner()), ..Default::default() }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(self.region.clone()), ..Default::default() }))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.check_bucket(&req.input.bucket)?;
        // S3's first region has no name in this answer.
        let region = Some(self.region.clone()).filter(|region| region != "us-east-1");
        let location_constraint = region.map(BucketLocationConstraint::from);
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }
}

/// The conditions of a GET or HEAD: its `If-…` headers.
struct Preconditions {
    matches: Option<ETagCondition>,
    none_match: Option<ETagCondition>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

impl Preconditions {
    /// The conditions of a request. s3s has already refused unreadable headers.
    fn of(headers: &HeaderMap) -> Self {
        let etag = |name| ETagCondition::parse_http_header(headers.get(name)?.as_bytes()).ok();
        let time = |name| Timestamp::parse(TimestampFormat::HttpDate, headers.get(name)?.to_str().ok()?).ok();
        Self {
            matches: etag(header::IF_MATCH),
            none_match: etag(header::IF_NONE_MATCH),
            modified_since: time(header::IF_MODIFIED_SINCE),
            unmodified_since: time(header::IF_UNMODIFIED_SINCE),
        }
    }

    /// In the order of RFC 9110, 13.2.2.
    fn check(&self, summary: &Summary, modified: &Timestamp) -> S3Result<()> {
        let same = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == summary.etag.to_string(),
        };
        let failed = match (&self.matches, &self.unmodified_since) {
            (Some(condition), _) => !same(condition),
            (None, Some(time)) => modified > time,
            (None, None) => false,
        };
        if failed {
            return Err(precondition_failed());
        }
        let known = match (&self.none_match, &self.modified_since) {
            (Some(condition), _) => same(condition),
            (None, Some(time)) => modified <= time,
            (None, None) => false,
        };
        if known { Err(s3_error!(NotModified)) } else { Ok(()) }
    }
}

/// s3s takes an empty condition for none: a script whose variable is empty would overwrite what it meant to compare.
fn refuse_empty_conditions(headers: &HeaderMap) -> S3Result<()> {
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        if headers.get_all(&name).iter().any(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Err(s3_error!(InvalidArgument, "The {name} header is empty: it must be an ETag, or *"));
        }
    }
    Ok(())
}

/// The condition of a PUT or DELETE that carries `If-Match`.
fn if_match(header: Option<ETagCondition>) -> S3Result<Condition> {
    match header {
        None => Ok(Condition::Always),
        Some(ETagCondition::ETag(etag)) => Ok(Condition::Is(etag.into_value())),
        Some(ETagCondition::Any) => Err(unsupported_condition()),
    }
}

fn refused(refusal: Refusal) -> S3Error {
    match refusal {
        Refusal::Precondition => precondition_failed(),
        Refusal::NoSuchKey => no_such_key(),
        Refusal::TooMany { folder, limit } => {
            let message = format!(
                "This host has {limit} objects under {folder}/, as many as a host may have: an operator can delete \
                 those that are no longer needed, or raise CHECKS_PER_HOST of the server"
            );
            let mut error = S3Error::with_message(S3ErrorCode::Custom("QuotaExceeded".into()), message);
            error.set_status_code(StatusCode::FORBIDDEN);
            error
        }
        Refusal::TooFast => s3_error!(SlowDown, "Please reduce your request rate."),
        Refusal::Broken => s3_error!(ServiceUnavailable, "The file of the objects cannot be written at present"),
    }
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

fn unsupported_condition() -> S3Error {
    s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented")
}

fn http_time(summary: &Summary) -> Timestamp {
    SystemTime::from(summary.last_modified).into()
}
