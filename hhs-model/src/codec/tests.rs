//! Tests of canonical bytes.

mod arbitrary;
mod encoding;
mod golden;
mod oracle;
mod properties;
mod refused;
