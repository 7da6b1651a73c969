//! The most memory that decoding takes for each byte.

use hhs_model::Value;
use hhs_model::codec::decode;

/// Bytes held at a time for each byte read, at worst: blocks of a megabyte, filled with what is smallest.
pub(crate) fn factor() -> f64 {
    let fillers: [&[u8]; 8] =
        [&[0x00], &[0x60], &[0x80], &[0xa0], &[0x61, 0x61], &[0x81, 0x00], &[0xa1, 0x60, 0x00], &[0x41, 0x00]];
    fillers.iter().map(|filler| taken(filler)).fold(0.0, f64::max)
}

fn taken(filler: &[u8]) -> f64 {
    let count = (1 << 20) / filler.len();
    let mut bytes = vec![0x9a];
    bytes.extend_from_slice(&(count as u32).to_be_bytes());
    bytes.extend(filler.repeat(count));
    let peak = allocation_counter::measure(|| drop(decode::<Value>(&bytes).expect("it is canonical"))).bytes_max;
    peak as f64 / bytes.len() as f64
}
