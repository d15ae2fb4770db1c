//! What the store's answers tell of itself: its clock, and the region of the bucket.

use std::sync::{MutexGuard, PoisonError};

use jiff::SignedDuration;
use rusty_s3::Bucket;

use super::Store;
use super::error::{Failed, Kind, clock_is_off};
use super::place::{Place, is_region};

/// How far the clocks may differ before a refusal is put down to them.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// What requests are signed with beside the credentials.
#[derive(Clone)]
pub struct Learnt {
    /// The bucket, in its region.
    pub bucket: Bucket,
    /// What is taken off this machine's clock for signing.
    pub ahead: SignedDuration,
    /// How far this machine's clock was ahead at the newest answer with a `Date`.
    pub skew: Option<SignedDuration>,
}

impl Learnt {
    /// Nothing yet: the bucket where the settings say, and this machine's clock.
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

    /// Takes the store's clock for signing if a request signed with `used` was refused and its time was off. S3 has
    /// many ways to say so (and says `AccessDenied` for presigned URLs), so any 403 counts.
    pub(super) fn learn_clock(&self, failed: &Failed, used: &Learnt) -> bool {
        let (Kind::Refused(refusal), Some(skew)) = (&failed.kind, failed.skew) else { return false };
        if refusal.status != 403 || (skew - used.ahead).abs() <= TOLERANCE {
            return false;
        }
        let mut learnt = self.lock();
        // Requests side by side find it out together; one of them says it.
        if learnt.ahead == used.ahead {
            learnt.ahead = skew;
            log::warn!("{}: signed with the store's time instead; set the clock (NTP)", clock_is_off(skew));
        }
        true
    }

    /// Goes to the region that a refusal names. An endpoint of one's own stays; only the signature changes.
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
        // What is in there is whole at any time.
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The region that the bucket is in: the place's, unless the store has named another.
    pub fn region(&self) -> String {
        self.lock().bucket.region().into()
    }

    /// The bucket and its address, as messages name them.
    pub fn place(&self) -> String {
        let learnt = self.lock();
        format!("bucket {:?} at {}", learnt.bucket.name(), learnt.bucket.base_url())
    }
}
