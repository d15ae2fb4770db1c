//! `status.json` in the store, changed only by compare-and-set.

use std::cell::RefCell;
use std::io::Read;
use std::time::Instant;

use pulse_echo_core::clock::Time;
use pulse_echo_core::json::Unusable;
use pulse_echo_core::metadata::Metadata;
use pulse_echo_core::name::Key;
use pulse_echo_core::status::{SIZE_LIMIT, Status};
use pulse_echo_core::store::{Condition, Store};

use crate::cas::{self, Written};
use crate::error::{Error, Kind};

/// The status as it was read.
pub(crate) struct StatusFile {
    /// What was read; none if it is missing, or could not be read.
    pub(crate) status: Option<Status>,
    /// On what the next write depends.
    pub(crate) condition: Condition,
    /// What could not be read.
    pub(crate) unreadable: Option<Unreadable>,
}

/// A status that cannot be read, copied aside.
pub(crate) struct Unreadable {
    /// The copy's key.
    pub(crate) copy: Key,
    /// What is wrong with it.
    pub(crate) why: String,
}

/// Why `status.json` was not read.
pub(crate) struct NotRead {
    pub(crate) error: Error,
    /// Its `ETag`, if it was read but must be neither used nor overwritten.
    pub(crate) etag: Option<String>,
}

impl<E: Into<Error>> From<E> for NotRead {
    fn from(error: E) -> Self {
        Self { error: error.into(), etag: None }
    }
}

impl StatusFile {
    /// Reads `status.json`, and copies one that cannot be read aside. One of a newer format, or too large, is
    /// [`Kind::StatusNewer`]: it must not be overwritten.
    pub(crate) fn read(store: &Store) -> Result<Self, NotRead> {
        let absent = || Self { status: None, condition: Condition::IfAbsent, unreadable: None };
        let read = RefCell::new(None);
        let reader = |body: &mut dyn Read| match Status::from_reader(body) {
            Ok(status) => {
                *read.borrow_mut() = Some(status);
                Ok(())
            }
            Err(error) if error.is_io() => Err(error.into()),
            // Whatever is wrong with it, it is read once more as a whole.
            Err(_) => Ok(()),
        };
        match store.read(&Key::status(), SIZE_LIMIT, &reader) {
            Ok(object) => {
                if let Some(status) = read.into_inner() {
                    let condition = Condition::IfMatch(object.etag);
                    return Ok(Self { status: Some(status), condition, unreadable: None });
                }
            }
            Err(error) if error.is_missing() => return Ok(absent()),
            Err(error) => return Err(error.into()),
        }
        let object = match store.get(&Key::status(), SIZE_LIMIT) {
            Ok(object) => object,
            Err(error) if error.is_missing() => return Ok(absent()),
            Err(error) => return Err(error.into()),
        };
        let condition = Condition::IfMatch(object.etag.clone());
        let newer = |why| NotRead { error: Error::new(Kind::StatusNewer, why), etag: Some(object.etag.clone()) };
        let too_large = || {
            let (size, limit) = (object.size, SIZE_LIMIT);
            newer(format!("status.json has {size} bytes, and {limit} are read at most: remove it, and all begins anew"))
        };
        let body = object.body.ok_or_else(too_large)?;
        match Status::from_json(&body) {
            Ok(status) => Ok(Self { status: Some(status), condition, unreadable: None }),
            Err(error @ Unusable::Newer { .. }) => Err(newer(error.to_string())),
            Err(Unusable::Unreadable { why, .. }) => {
                let copy = Key::status_bad(object.last_modified);
                store.put(&copy, "application/json", &body, &Metadata::new(), &Condition::Always)?;
                log::error!("status.json cannot be read ({why}); it is copied to {copy}, and all checks begin anew");
                Ok(Self { status: None, condition, unreadable: Some(Unreadable { copy, why }) })
            }
        }
    }
}

/// Writes the status once. One whose answer is lost and that was then replaced counts as lost: all that was written is
/// there for the next sweep, and a lease that nobody ends runs out.
pub(crate) fn write(store: &Store, status: &mut Status, condition: &Condition) -> Result<Written, String> {
    cas::write(store, &Key::status(), &status.written(), condition)
}

/// Changes the status on whatever is there by now, again until nobody else is in between, or until `deadline`. `status`
/// and `condition` are from this invocation's own write.
pub(crate) fn amend(
    store: &Store,
    mut status: Status,
    mut condition: Condition,
    deadline: Instant,
    change: impl Fn(&mut Status),
) -> Result<(), Error> {
    loop {
        change(&mut status);
        let why = match write(store, &mut status, &condition)? {
            Written::Won(_) => return Ok(()),
            Written::Lost => "others kept changing status.json".into(),
            Written::Unwritten(why) => why,
        };
        if Instant::now() >= deadline {
            return Err(format!("cannot strike off what was sent: {why}").into());
        }
        match StatusFile::read(store).map_err(|not_read| not_read.error)? {
            StatusFile { status: Some(now), condition: is, .. } => (status, condition) = (now, is),
            // Somebody has removed it, and what was owed with it.
            StatusFile { status: None, .. } => return Ok(()),
        }
    }
}

/// The store's time now, told from when it was last heard and how long that is ago: no other clock is asked.
pub(crate) fn store_time((heard, at): (Time, Instant)) -> Time {
    heard + at.elapsed()
}
