//! Small networks whose story is known, with what they may cost.

mod exact;
mod governed;
mod joining;
mod removal;
mod reunion;
mod topology;

use std::time::Duration;

/// What every honest network gets done in, faults aside.
const SOON: Duration = Duration::from_secs(10);
