//! The address book, and when to try which address.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hhs_model::{IdentityId, ReplicaId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::proto::{Config, PeerAddress};

/// The addresses in one message.
pub(crate) const MAX_ADDRESSES: usize = 32;
/// Bytes of an address; longer ones are passed over.
pub(crate) const MAX_ADDRESS_BYTES: usize = 512;
/// Failures in a row after which an address that only others have told of is forgotten, or tried less often if somebody
/// was ever met there: those who met through others have to find each other again after a long cut.
const PATIENCE: u32 = 10;
/// How many times longer the longest wait is then. 20 times 15 s are 5 minutes.
const RARELY: u32 = 20;
/// How long a connection has to last for its address to count as a good one again.
const SETTLED: Duration = Duration::from_secs(5);
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
    /// Whether who was expected has ever answered there.
    proven: bool,
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
        let is_new = self.addresses.get(address).is_none_or(|entry| !entry.replicas.contains(&replica));
        if !named && is_new && !self.make_room(config, replica) {
            return false;
        }
        let (replicas, dialling, proven, failures) = (BTreeSet::new(), false, false, 0);
        let fresh = || Entry { replicas, named, proven, dialling, failures, retry_at: now };
        let entry = self.addresses.entry(address.clone()).or_insert_with(fresh);
        if named {
            entry.named = true;
            entry.retry_at = entry.retry_at.min(now);
        }
        entry.replicas.insert(replica)
    }

    /// Whether there is room for one more address of a replica that the app has not named; of those who never answered the
    /// least promising one may have to go.
    fn make_room(&mut self, config: &Config, replica: ReplicaId) -> bool {
        let learned = |entry: &Entry| !entry.named && entry.replicas.contains(&replica);
        if self.addresses.values().filter(|entry| learned(entry)).count() < config.addresses {
            return true;
        }
        let useless = |entry: &Entry| learned(entry) && !entry.proven && !entry.dialling && entry.failures > 0;
        let worst = self.addresses.iter().filter(|(_, entry)| useless(entry)).max_by_key(|(_, entry)| entry.failures);
        let worst = worst.map(|(address, _)| address.clone());
        worst.is_some_and(|address| self.addresses.remove(&address).is_some())
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

    /// The addresses to dial now, at most so many: those that are due, not being dialled, and not of `connected` identities.
    pub fn due(&mut self, connected: &BTreeSet<IdentityId>, most: usize, now: Duration) -> Vec<PeerAddress> {
        let is_due = |(address, entry): &(&PeerAddress, &mut Entry)| {
            !entry.dialling && entry.retry_at <= now && !connected.contains(&address.identity)
        };
        let due = self.addresses.iter_mut().filter(is_due).take(most);
        due.map(|(address, entry)| {
            entry.dialling = true;
            address.clone()
        })
        .collect()
    }

    /// How many addresses are being dialled.
    pub fn dialling(&self) -> usize {
        self.addresses.values().filter(|entry| entry.dialling).count()
    }

    /// When an address is due next.
    pub fn next_wake(&self, connected: &BTreeSet<IdentityId>) -> Option<Duration> {
        let waiting =
            |(address, entry): &(&PeerAddress, &Entry)| !entry.dialling && !connected.contains(&address.identity);
        self.addresses.iter().filter(waiting).map(|(_, entry)| entry.retry_at).min()
    }

    /// Notes that who was expected has answered at an address. Whether that is worth much shows when the connection ends.
    pub fn succeeded(&mut self, address: &PeerAddress, now: Duration) {
        if let Some(entry) = self.addresses.get_mut(address) {
            entry.dialling = false;
            entry.proven = true;
            entry.retry_at = now;
        }
    }

    /// Notes that an address did not answer, or that a connection to it broke which had `lasted` for so long; it is tried
    /// again later, each time later still, unless the connection was a good one.
    pub fn failed(&mut self, config: &Config, address: &PeerAddress, lasted: Duration, now: Duration) {
        let jitter = self.random.next_u32();
        let Some(entry) = self.addresses.get_mut(address) else { return };
        entry.dialling = false;
        if lasted >= SETTLED {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        let given_up = !entry.named && entry.failures >= PATIENCE;
        let most = if given_up { config.retry_most * RARELY } else { config.retry_most };
        let wait = config.retry_first.saturating_mul(1 << (entry.failures - 1).min(20)).min(most);
        // Between half and one and a half of it, so that many who lost the same peer do not come back at once.
        let wait = wait.mul_f64(0.5 + f64::from(jitter) / f64::from(u32::MAX));
        entry.retry_at = now + wait;
        if given_up && !entry.proven {
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
