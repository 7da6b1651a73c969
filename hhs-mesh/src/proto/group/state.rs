//! The address book, and when to try which address.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hhs_model::{IdentityId, ReplicaId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::proto::{Config, PeerAddress};

/// The addresses in one message.
pub(crate) const MAX_ADDRESSES: usize = 32;
/// Failures in a row after which an address that only others have told of is forgotten.
const PATIENCE: u32 = 10;
/// How long somebody who has misbehaved is not dialled.
const PENALTY: Duration = Duration::from_secs(300);

/// The addresses of peers, by replica.
#[derive(Debug)]
pub struct State {
    addresses: BTreeMap<PeerAddress, Entry>,
    random: ChaCha8Rng,
}

#[derive(Debug)]
struct Entry {
    replicas: BTreeSet<ReplicaId>,
    /// Whether the app has named it, so that it is never given up.
    named: bool,
    dialling: bool,
    failures: u32,
    retry_at: Duration,
}

impl State {
    /// An empty address book.
    pub fn new(seed: u64) -> Self {
        Self { addresses: BTreeMap::new(), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Notes that a peer at an address shares a replica. True if that is news.
    pub fn add(
        &mut self,
        config: &Config,
        address: &PeerAddress,
        replica: ReplicaId,
        named: bool,
        now: Duration,
    ) -> bool {
        let known = self.addresses.values().filter(|entry| entry.replicas.contains(&replica)).count();
        if !named && known >= config.addresses {
            return false;
        }
        let fresh = || Entry { replicas: BTreeSet::new(), named, dialling: false, failures: 0, retry_at: now };
        let entry = self.addresses.entry(address.clone()).or_insert_with(fresh);
        if named {
            entry.named = true;
            entry.retry_at = entry.retry_at.min(now);
        }
        entry.replicas.insert(replica)
    }

    /// Forgets which addresses share a replica.
    pub fn remove_replica(&mut self, replica: ReplicaId) {
        self.addresses.retain(|_, entry| {
            entry.replicas.remove(&replica);
            !entry.replicas.is_empty()
        });
    }

    /// Forgets an address, as when it turns out to be our own.
    pub fn remove(&mut self, address: &PeerAddress) {
        self.addresses.remove(address);
    }

    /// The replicas that an identity is known to share by one of its addresses.
    pub fn replicas_of(&self, identity: IdentityId) -> BTreeSet<ReplicaId> {
        let of_identity = self.addresses.iter().filter(|(address, _)| address.identity == identity);
        of_identity.flat_map(|(_, entry)| entry.replicas.iter().copied()).collect()
    }

    /// The addresses to dial now: those that are due, not being dialled, and not of `connected` identities.
    pub fn due(&mut self, connected: &BTreeSet<IdentityId>, now: Duration) -> Vec<PeerAddress> {
        let mut due = Vec::new();
        for (address, entry) in &mut self.addresses {
            if !entry.dialling && entry.retry_at <= now && !connected.contains(&address.identity) {
                entry.dialling = true;
                due.push(address.clone());
            }
        }
        due
    }

    /// When an address is due next.
    pub fn next_wake(&self, connected: &BTreeSet<IdentityId>) -> Option<Duration> {
        let waiting = |(address, entry): &(&PeerAddress, &Entry)| {
            !entry.dialling && !connected.contains(&address.identity)
        };
        self.addresses.iter().filter(waiting).map(|(_, entry)| entry.retry_at).min()
    }

    /// Notes that an address answered, and who was expected there.
    pub fn succeeded(&mut self, address: &PeerAddress, now: Duration) {
        if let Some(entry) = self.addresses.get_mut(address) {
            entry.dialling = false;
            entry.failures = 0;
            entry.retry_at = now;
        }
    }

    /// Notes that an address did not answer, or that the connection to it broke early; it is tried again later, each time
    /// later still.
    pub fn failed(&mut self, config: &Config, address: &PeerAddress, now: Duration) {
        let jitter = self.random.next_u32();
        let Some(entry) = self.addresses.get_mut(address) else { return };
        entry.dialling = false;
        entry.failures = entry.failures.saturating_add(1);
        let wait = config.retry_first.saturating_mul(1 << (entry.failures - 1).min(20)).min(config.retry_most);
        // Between half and one and a half of it, so that many who lost the same peer do not come back at once.
        let wait = wait.mul_f64(0.5 + f64::from(jitter) / f64::from(u32::MAX));
        entry.retry_at = now + wait;
        if !entry.named && entry.failures >= PATIENCE {
            self.addresses.remove(address);
        }
    }

    /// Leaves somebody who has misbehaved alone for a while.
    pub fn penalise(&mut self, identity: IdentityId, now: Duration) {
        for (_, entry) in self.addresses.iter_mut().filter(|(address, _)| address.identity == identity) {
            entry.dialling = false;
            entry.retry_at = now + PENALTY;
        }
    }
}
