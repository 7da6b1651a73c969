//! Moving whole things by hand: a space as one CAR file, out and in, and packs of objects for a receiver who has some.
//!
//! What the files look like is in `docs/format.md`; nothing here asks for a class.

mod car;
mod export;
mod import;
mod manifest;
mod pack;
mod verify;

pub use car::CarError;
pub use export::{ExportError, Exported};
pub use import::{ImportError, Imported};
pub use pack::{Budget, Pack};
pub use verify::{Incomplete, Verified, verify_car};
