//! What the client learns from the store's answers: its clock, and the bucket's region.

use std::sync::{MutexGuard, PoisonError};

use jiff::SignedDuration;
use rusty_s3::Bucket;

use super::Store;
use super::error::{Failed, Kind, clock_is_off};
use super::place::{Place, is_region};
use super::refusal::Way;

/// How far the clocks must differ before a refusal is blamed on them.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// The largest difference that is corrected without TLS.
const CORRECTED_OVER_HTTP: SignedDuration = SignedDuration::from_hours(24);

/// What requests are signed with, apart from the credentials.
#[derive(Clone)]
pub struct Learnt {
    /// The bucket, in its region.
    pub bucket: Bucket,
    /// What is subtracted from this machine's clock for signing.
    pub ahead: SignedDuration,
    /// How far this machine's clock was ahead at the newest answer with a `Date`.
    pub skew: Option<SignedDuration>,
}

impl Learnt {
    /// Nothing learnt yet: the bucket of the settings, and this machine's clock.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, ahead: SignedDuration::ZERO, skew: None }
    }
}

impl Store {
    pub(super) fn learnt(&self) -> Learnt {
        self.lock().clone()
    }

    pub(super) fn saw_skew(&self, skew: Option<SignedDuration>) {
        let mut learnt = self.lock();
        learnt.skew = skew.or(learnt.skew);
    }

    /// Signs with the store's clock from now on, if a request signed with `used` was refused and its time was off. S3
    /// reports that in many ways (as `AccessDenied` for presigned URLs), so any 403 counts.
    pub(super) fn learn_clock(&self, failed: &Failed, used: &Learnt) -> bool {
        let (Kind::Refused(refusal), Some(skew)) = (&failed.kind, failed.skew) else { return false };
        if refusal.status != 403 || (skew - used.ahead).abs() <= TOLERANCE {
            return false;
        }
        // Anybody on the way may have written this date. What is signed for a day far ahead could be used then.
        if used.bucket.base_url().scheme() == "http" && skew.abs() > CORRECTED_OVER_HTTP {
            return false;
        }
        let mut learnt = self.lock();
        // Parallel requests find it out together; only one of them says it.
        if learnt.ahead == used.ahead {
            learnt.ahead = skew;
            log::warn!("{}: signed with the store's time instead; set the clock (NTP)", clock_is_off(skew));
        }
        true
    }

    /// Changes to the region that a refusal names. A custom endpoint stays; only the signature changes.
    pub(super) fn learn_region(&self, failed: &Failed, used: &Learnt) -> bool {
        let Kind::Refused(refusal) = &failed.kind else { return false };
        let (301 | 307 | 400, Some(region)) = (refusal.status, &refusal.region) else { return false };
        if region == used.bucket.region() || !is_region(region) {
            return false;
        }
        let Ok(bucket) = (Place { region: region.clone(), ..self.place.clone() }).bucket() else { return false };
        let mut learnt = self.lock();
        if learnt.bucket == used.bucket {
            let (name, wrong) = (bucket.name(), used.bucket.region());
            log::warn!(
                "the bucket {name} is in {region}, not in {wrong}: correct the region, which costs a request each time"
            );
            learnt.bucket = bucket;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Learnt> {
        // The value is complete at any time, so a poisoned lock is harmless.
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bucket's region: the configured one, unless the store has named another.
    pub fn region(&self) -> String {
        self.lock().bucket.region().into()
    }

    /// The bucket and its address, for messages.
    pub fn place(&self) -> String {
        let learnt = self.lock();
        format!("bucket {:?} at {}", learnt.bucket.name(), learnt.bucket.base_url())
    }

    /// What stands between us and the store.
    pub(super) fn way(&self) -> Way {
        let url = self.lock().bucket.base_url().clone();
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let begins = host.strip_prefix(&self.place.bucket).is_some_and(|rest| rest.starts_with('.'));
        Way {
            is_bucket_twice: begins && url.path() != "/",
            host: self.place.endpoint.is_some().then_some(with_port),
            proxy: self.agent.config().proxy().map(|proxy| format!("{}:{}", proxy.host(), proxy.port())),
            ca_setting: self.ca_setting,
        }
    }
}
