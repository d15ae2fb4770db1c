//! The keys that open the store, and whom each belongs to. They may change while the server runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use pulse_echo_core::name::Name;

use super::rights::Owner;

/// The keys that a client signs with. Its `Debug` shows no secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// If set, the pair is a temporary one, and requests must carry this token.
    pub session_token: Option<String>,
}

impl KeyPair {
    /// A key pair that does not expire.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), session_token: None }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// A key of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// The host.
    pub host: Name,
    /// What it signs with.
    pub pair: KeyPair,
    /// If set, a newer key of this host has taken its place: this one is valid until then, or until the newer one is
    /// used.
    pub until: Option<Timestamp>,
}

/// All keys of a server. Its clones are the same ring.
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Ring>>);

struct Ring {
    /// The pairs that may do everything.
    operators: Vec<KeyPair>,
    /// By access key.
    hosts: BTreeMap<String, HostKey>,
    /// The access key of each host's older pair, by its newer one.
    older: BTreeMap<String, String>,
    /// Access keys whose newer key has been used.
    superseded: BTreeSet<String>,
}

impl From<KeyPair> for Keyring {
    /// A ring with the operator's pair alone.
    fn from(pair: KeyPair) -> Self {
        let (hosts, older, superseded) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self(Arc::new(RwLock::new(Ring { operators: vec![pair], hosts, older, superseded })))
    }
}

impl Keyring {
    /// Adds a pair that may do everything.
    pub fn add_operator(&self, pair: KeyPair) {
        self.write().operators.push(pair);
    }

    /// Takes these for the keys of all hosts.
    pub fn set_hosts(&self, keys: impl IntoIterator<Item = HostKey>) {
        let mut ring = self.write();
        let keys: Vec<_> = keys.into_iter().filter(|key| !ring.superseded.contains(&key.pair.access_key)).collect();
        let id = |key: &HostKey| key.pair.access_key.clone();
        let newest: BTreeMap<_, _> =
            keys.iter().filter(|key| key.until.is_none()).map(|key| (key.host.clone(), id(key))).collect();
        let older = keys.iter().filter(|key| key.until.is_some());
        ring.older = older.filter_map(|key| Some((newest.get(&key.host)?.clone(), id(key)))).collect();
        ring.hosts = keys.into_iter().map(|key| (id(&key), key)).collect();
    }

    /// The access keys that must not be used any more, since the newer key of their host has been used.
    pub fn superseded(&self) -> BTreeSet<String> {
        self.read().superseded.clone()
    }

    /// Forgets these access keys: nobody brings them back any more.
    pub fn forget(&self, superseded: &BTreeSet<String>) {
        self.write().superseded.retain(|key| !superseded.contains(key));
    }

    /// The pair with this id, and its owner; `None` if it is unknown or not valid any more.
    pub(super) fn find(&self, access_key: &str, now: Timestamp) -> Option<(KeyPair, Owner)> {
        let ring = self.read();
        if let Some(pair) = ring.operators.iter().find(|pair| pair.access_key == access_key) {
            return Some((pair.clone(), Owner::Operator));
        }
        let key = ring.hosts.get(access_key)?;
        let is_valid = key.until.is_none_or(|until| now < until);
        is_valid.then(|| (key.pair.clone(), Owner::Host(key.host.clone())))
    }

    /// Notes that a request was signed with this key. If it is the newer key of a host, the older one is not valid any
    /// more.
    pub(super) fn used(&self, access_key: &str) {
        // Few requests need to write here.
        if self.read().older.contains_key(access_key) {
            let mut ring = self.write();
            if let Some(older) = ring.older.remove(access_key) {
                ring.hosts.remove(&older);
                ring.superseded.insert(older);
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
