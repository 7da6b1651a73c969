//! What a loss of power leaves of a store, tried out on a disk that is simulated under redb itself.
//!
//! A program writes to a store on a [`Disk`](disk::Disk), which logs every change. Then, for many places in that log, the
//! disk is made as it may be if the power goes there: what was flushed is on it, and of what came after any part, down to
//! single sectors. On each of them the store is opened again and compared with what was acknowledged before that place.
//! Errors of the disk are tried out in the same way while the program runs.

mod dice;
mod disk;
mod oracle;
mod programs;
mod tests;
