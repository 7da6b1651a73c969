//! What the fuzz targets hold decoders to. `README.md` says how to run them.

#[cfg(feature = "mesh")]
pub mod messages;
pub mod targets;
