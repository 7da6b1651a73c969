//! Progress of long work, on standard error where that is a terminal; elsewhere nothing is shown.

use indicatif::{ProgressBar, ProgressStyle};

/// A line that says how far something has come.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For work whose end is not known.
    pub(crate) fn unbounded(what: &'static str) -> Self {
        Self::styled(ProgressBar::new_spinner(), "{spinner} {human_pos} {msg}, {elapsed}", what)
    }

    /// For work of so many steps.
    pub(crate) fn of(what: &'static str, steps: u64) -> Self {
        Self::styled(ProgressBar::new(steps), "{wide_bar} {human_pos} of {human_len} {msg}, {eta} left", what)
    }

    fn styled(bar: ProgressBar, template: &str, what: &'static str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the templates above are written right");
        Self { bar: bar.with_style(style).with_message(what) }
    }

    /// So many steps are done.
    pub(crate) fn at(&self, step: u64) {
        self.bar.set_position(step);
    }

    /// So many of so many steps are done.
    pub(crate) fn of_at(&self, steps: u64, step: u64) {
        self.bar.set_length(steps);
        self.bar.set_position(step);
    }

    /// All is done: the line goes.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
