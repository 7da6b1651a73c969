//! The memory that this process takes, as Linux counts it.

use std::fs;

use bench_harness::Outcome;

/// By how many MiB the process grows at most while `work` runs.
pub(crate) fn growth(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    // Makes the kernel forget the peak so far.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    work()?;
    let peak = status("VmHWM:")?;
    Ok(peak.saturating_sub(before) as f64 / 1024.0)
}

/// A field of `/proc/self/status` in KiB.
fn status(field: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("the kernel does not say")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
