//! The mark in the store, changed only by compare-and-set.

use pulse_echo_core::mark::{Mark, SIZE_LIMIT};
use pulse_echo_core::name::Key;
use pulse_echo_core::random;
use pulse_echo_core::store::{Condition, Error, Store};

use crate::cas::{self, Written};

/// How often a change is tried again when others change the mark meanwhile.
const TRIES: u32 = 5;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The mark was written.
    Won,
    /// The mark says so already.
    Nothing,
}

/// The mark as it was read.
pub(super) struct Kept {
    /// What it says; an empty one if it is missing or cannot be read.
    pub(super) mark: Mark,
    condition: Condition,
}

impl Kept {
    /// Reads the mark. One that cannot be understood is as if it were missing.
    pub(super) fn read(store: &Store) -> Result<Self, Error> {
        match store.get(&Key::mark(), SIZE_LIMIT) {
            Ok(object) => {
                let read = object.body.as_deref().map(Mark::from_json).transpose();
                let mark = read.unwrap_or_else(|error| {
                    log::error!("{} cannot be read, and begins anew: {error}", Key::mark());
                    None
                });
                Ok(Self { mark: mark.unwrap_or_default(), condition: Condition::IfMatch(object.etag) })
            }
            Err(error) if error.is_missing() => Ok(Self::missing()),
            Err(error) => Err(error),
        }
    }

    /// There is no mark.
    pub(super) fn missing() -> Self {
        Self { mark: Mark::default(), condition: Condition::IfAbsent }
    }

    /// Writes what `change` makes of the mark, on whatever is there by now; nothing if that changes nothing. Tells
    /// which.
    pub(super) fn change(mut self, store: &Store, change: impl Fn(&mut Mark)) -> Result<Changed, String> {
        let mut why = format!("others changed it {TRIES} times meanwhile");
        for _ in 0..TRIES {
            let mut mark = self.mark.clone();
            change(&mut mark);
            if mark == self.mark {
                return Ok(Changed::Nothing);
            }
            mark.by = Some(random::id());
            match cas::write(store, &Key::mark(), &mark.to_json(), &self.condition)? {
                Written::Won(_) => return Ok(Changed::Won),
                Written::Lost => {}
                Written::Unwritten(error) => why = error,
            }
            self = Self::read(store).map_err(|error| error.to_string())?;
        }
        Err(format!("cannot change {}: {why}", Key::mark()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};

    use jiff::Timestamp;
    use pulse_echo_core::http::{self, SystemResolver, Trust};
    use pulse_echo_core::store::{Credentials, Place};

    use super::*;
    use pulse_echo_testkit::server::{Server, answer, read_body, read_head};

    /// A store that takes everything, and the marks that it is sent.
    fn store() -> (Store, mpsc::Receiver<Mark>) {
        let (tell, told) = mpsc::channel();
        let server = Server::new(move |mut stream, _| {
            let head = read_head(&mut stream);
            let body = read_body(&mut stream, &head);
            tell.send(Mark::from_json(&body).unwrap()).unwrap();
            let _ = stream.write_all(answer(200, "").as_bytes());
        });
        let place = Place {
            bucket: "pulses".into(),
            region: "eu-central-1".into(),
            endpoint: Some(server.url()),
            path_style: Some(true),
        };
        let agent =
            http::agent(http::config().max_idle_connections(0).build(), &Trust::built_in(), SystemResolver::default());
        let (until, clock) = (Instant::now() + Duration::from_secs(60), Arc::new(Timestamp::now));
        (Store::new(&place, Credentials::new("AK", "SK"), agent, clock, until).unwrap(), told)
    }

    #[test]
    fn each_write_has_a_name_of_its_own_and_what_changes_nothing_is_not_written() {
        let (store, told) = store();
        let names: Vec<_> = [(); 2]
            .map(|()| {
                let changed = Kept::missing().change(&store, |mark| mark.tick = Some(7));
                assert_eq!(changed, Ok(Changed::Won));
                told.recv().unwrap().by.unwrap()
            })
            .into();
        assert!(names.iter().all(|name| name.len() == 32) && names[0] != names[1], "{names:?}");
        assert_eq!(Kept::missing().change(&store, |mark| mark.tick = None), Ok(Changed::Nothing));
        assert!(told.try_recv().is_err(), "nothing was written");
    }
}
