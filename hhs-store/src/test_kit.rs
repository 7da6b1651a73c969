//! The conformance suite of backends (feature `test-kit`): a backend is right when [`conformance`] passes.
//!
//! A backend's author runs it in three lines, on whatever runtime the backend needs; the suite itself names none:
//!
//! ```
//! # use hhs_store::{backend::MemoryBackend, test_kit};
//! # let places = std::sync::Mutex::new(std::collections::BTreeMap::<String, MemoryBackend>::new());
//! let open = |name: String| std::future::ready(places.lock().unwrap().entry(name).or_default().clone());
//! futures::executor::block_on(test_kit::conformance(open));
//! ```
//!
//! Every check is also a function of its own, to run one alone while a backend is being written. Checks panic, with what
//! they expected and what they found, when the backend does not conform.

// Panicking is how a check says no, and every doc comment here would repeat it.
#![expect(clippy::missing_panics_doc, reason = "a check panics when the backend does not conform")]

mod fixture;

pub mod batches;
pub mod concurrency;
pub mod durability;
pub mod points;
pub mod programs;
pub mod ranges;

use crate::backend::Backend;

/// Opens the stores that the suite works with.
///
/// Every closure `Fn(String) -> impl Future<Output = impl Backend>` is one. The name stands for a place: where nothing
/// was opened under a name yet, the store there is new and empty; where something was, it is that store again, with all
/// that was committed. The suite drops a store before it opens the same name again.
pub trait Open {
    /// What it opens.
    type Backend: Backend;

    /// Opens the store called `name`, some lower-case words joined by underscores.
    fn open(&self, name: &str) -> impl Future<Output = Self::Backend>;
}

impl<F, Opening, B> Open for F
where
    F: Fn(String) -> Opening,
    Opening: Future<Output = B>,
    B: Backend,
{
    type Backend = B;

    fn open(&self, name: &str) -> impl Future<Output = B> {
        self(name.to_owned())
    }
}

/// Runs every check of the suite.
///
/// It opens some forty stores, commits a few thousand times and holds at most 200 MiB.
pub async fn conformance(open: impl Open) {
    let open = &open;

    points::a_value_is_there_from_its_put_to_its_delete(open).await;
    points::many_values_come_in_the_order_of_their_keys(open).await;
    points::empty_values_and_the_empty_key_are_entries(open).await;
    points::big_values_come_back_byte_for_byte(open).await;
    points::the_largest_key_and_value_pass_and_one_byte_more_does_not(open).await;
    points::stats_count_what_is_stored(open).await;

    batches::the_last_write_to_a_key_counts(open).await;
    batches::a_batch_with_one_bad_write_leaves_nothing(open).await;
    batches::a_guarded_batch_is_written_only_on_what_it_was_made_from(open).await;
    batches::an_empty_batch_commits(open).await;
    batches::a_batch_of_ten_thousand_writes_is_one_commit(open).await;
    batches::every_commit_is_seen_by_the_next_read(open).await;

    ranges::keys_are_ordered_bytewise_in_both_directions(open).await;
    ranges::every_kind_of_bounds_selects_what_lies_between(open).await;
    ranges::a_prefix_range_holds_its_prefix_and_nothing_else(open).await;
    ranges::a_limit_of_entries_cuts_a_page(open).await;
    ranges::a_limit_of_bytes_cuts_a_page_but_never_to_nothing(open).await;
    ranges::pages_cover_a_range_once(open).await;

    concurrency::commits_of_many_tasks_all_land(open).await;
    concurrency::batches_commit_in_the_order_of_the_calls(open).await;
    concurrency::no_read_sees_half_a_batch(open).await;
    concurrency::pages_stay_correct_while_others_write(open).await;

    durability::a_reopened_store_holds_what_was_committed(open).await;
    durability::a_dropped_commit_is_whole_or_absent(open).await;

    for seed in 0..programs::SEEDS {
        programs::a_random_program_ends_as_in_memory(open, seed).await;
    }
}
