//! How far a long step has come, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(what: &'static str, all: u64) -> Self {
        let bar = ProgressBar::new(all).with_message(what);
        let style = ProgressStyle::with_template(
            "{bar:30} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    pub(crate) fn add(&self, done: u64) {
        self.0.inc(done);
    }

    pub(crate) fn finish(self) {
        self.0.finish_and_clear();
    }
}
