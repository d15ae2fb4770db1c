//! Acknowledgements, `mute/<id>.ack`: somebody takes care of an outage, so no reminders of it are sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Acknowledged, Outage};
use crate::clock::Time;
use crate::name::CheckId;

/// An acknowledgement that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    /// The object's `ETag`, quotes included.
    pub etag: String,
    /// When the store took it.
    pub at: Time,
    /// When the outage began that it is of; `None` if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Time>,
    /// Who takes care, and why.
    #[serde(default)]
    pub word: Acknowledged,
}

impl Acked {
    /// Whether it is of this outage. With the outage it is void.
    pub fn is_of(&self, outage: &Outage) -> bool {
        self.outage == Some(outage.since)
    }
}

/// The acknowledgement of a check's outage that lasts.
pub fn ack_of<'a>(acks: &'a BTreeMap<CheckId, Acked>, check: &CheckId, outage: Option<&Outage>) -> Option<&'a Acked> {
    // Most fleets have none.
    let outage = outage.filter(|_| !acks.is_empty())?;
    acks.get(&check.as_agents_put_it()).filter(|ack| ack.is_of(outage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_of_one_outage_of_one_check() {
        let (at, id) = (Time::from_second, |key: &str| CheckId::try_from(key.to_string()).unwrap());
        let acked = |outage| Acked { etag: "a".into(), at: at(9), outage, word: Acknowledged::default() };
        let acks = [(id("web-1.json"), acked(Some(at(5)))), (id("torn.json"), acked(None))].into();
        let outage = |since| Outage { since: at(since), noticed: at(6), muted: None, told: None };
        let is_acked = |check: &str, since| ack_of(&acks, &id(check), Some(&outage(since))).is_some();
        assert!(is_acked("web-1.json", 5));
        assert!(is_acked("web-1", 5), "put by hand, and shown alike");
        assert!(!is_acked("web-1.json", 6), "the next outage");
        assert!(!is_acked("web-1/db.json", 5) && !is_acked("torn.json", 5));
        assert_eq!(ack_of(&acks, &id("web-1.json"), None), None);
    }
}
