//! What can be tuned, and why it is as it is.

use std::time::Duration;

/// How the protocols behave. The defaults suit a person's device; an always-on host wants more connections.
#[derive(Debug, Clone)]
pub struct Config {
    /// Seeds the jitter of retries. Equal seeds and inputs give equal outputs.
    pub seed: u64,
    /// Tells this run of the program from earlier ones and from other devices of the same identity. Random.
    pub instance: [u8; 16],
    /// How long the first retry of an address waits; each further one twice as long. Too low floods who is down, too high
    /// makes reunions late. 250 ms: unnoticed by people, and a dozen dials until the maximum.
    pub retry_first: Duration,
    /// The longest wait between retries. 15 s: what people wait for when a cable is plugged in again.
    pub retry_most: Duration,
    /// How long the other side may take to say hello. 10 s: slow mobile networks need a few.
    pub hello_within: Duration,
    /// How long new heads are held back, so that many quick writes are told of at once. Too low doubles the messages, too
    /// high is felt while chatting. 10 ms.
    pub gossip_delay: Duration,
    /// The same while a fetch of the replica is under way, whose every batch brings other heads. 500 ms.
    pub gossip_delay_fetching: Duration,
    /// How often heads are told again to every peer even if nothing changed, in case something got lost. 30 s.
    pub anti_entropy_every: Duration,
    /// How long a peer may take with the next part of an answer before another one is asked. 20 s.
    pub answer_within: Duration,
    /// Ops in one batch. Too low costs a durable commit each, too high makes everybody else wait for one. 1,000.
    pub batch_ops: usize,
    /// Bytes after which a batch is full over a quick link; one op may be larger. Smaller over a slow one. 512 KiB.
    pub batch_bytes: usize,
    /// Batches that are sent ahead of what the receiver has dealt with. Bounds the memory of both sides. 4.
    pub window: u64,
    /// Answers that a peer may have under way at once. 8.
    pub serves_per_peer: usize,
    /// Replicas that are fetched from one peer at once; others wait. Has to be less than what others answer at once. 4.
    pub fetches_per_peer: usize,
    /// Connections in all, of which the last quarter is for those that we dial. Of those over it, the ones that share
    /// nothing with us are closed, and others refused. 64.
    pub connections: usize,
    /// Addresses dialled at once. Too low lets those who do not answer hold up others. 16.
    pub dials: usize,
    /// Addresses remembered for one replica, beside those that the app has named. 256.
    pub addresses: usize,
    /// Heads in one message. A replica with more is told of in part until a writer has merged some. 16,384, which is also
    /// the most that others accept.
    pub heads: usize,
}

impl Config {
    /// The defaults, with randomness for jitter and for telling instances apart.
    pub fn new(seed: u64, instance: [u8; 16]) -> Self {
        Self {
            seed,
            instance,
            retry_first: Duration::from_millis(250),
            retry_most: Duration::from_secs(15),
            hello_within: Duration::from_secs(10),
            gossip_delay: Duration::from_millis(10),
            gossip_delay_fetching: Duration::from_millis(500),
            anti_entropy_every: Duration::from_secs(30),
            answer_within: Duration::from_secs(20),
            batch_ops: 1000,
            batch_bytes: 512 << 10,
            window: 4,
            serves_per_peer: 8,
            fetches_per_peer: 4,
            connections: 64,
            dials: 16,
            addresses: 256,
            heads: 16_384,
        }
    }

    /// Ops in a batch that is accepted: others may be set up more generously than we are.
    pub(crate) fn largest_batch_accepted(&self) -> usize {
        self.batch_ops.max(1000) * 16
    }
}
