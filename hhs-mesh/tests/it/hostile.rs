//! Peers that do not keep to the protocols: whatever they send, what honest stores hold stays as it is, and they have to
//! leave when it is their fault.

mod asked;
mod crowding;
mod depending;
mod random;
mod stage;
mod stalling;
mod uninvited;
