//! Showing how a mutation gets on.

use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use action_core::{Cause, Done, Progress, printable};
use action_guard::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::output::note;
use crate::terminal::pace::Pace;

/// Shows events on stderr: as lines, and what can be counted as a bar if that is a terminal.
#[derive(Default)]
pub struct Follow {
    bar: Option<ProgressBar>,
    last: String,
    pace: Pace,
    /// How many times something was, or may have been, sent.
    pub intents: usize,
    /// How many of these were not answered.
    pub unanswered: usize,
    /// How many times something was said to be partly done.
    pub counted: usize,
}

impl Follow {
    /// Shows one event.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Replanned(_) => self.line("planned again: nothing that matters has changed"),
            Event::Intent { .. } => {
                self.intents += 1;
                self.line("intent recorded, sending");
            }
            Event::Accepted(accepted) => match accepted.answer.trim() {
                "" => self.line("accepted"),
                words => self.line(&format!("accepted: {}", printable(words))),
            },
            Event::Unanswered { error } => {
                self.unanswered += 1;
                let error = error.to_string();
                self.line(&format!("no answer, so looking: {}", printable(&error)));
            }
            Event::Progress(progress) => self.progress(&progress),
            Event::ProbeFailed { error } => {
                let error = error.to_string();
                self.line(&format!(
                    "could not look, will look again: {}",
                    printable(&error)
                ));
            }
            Event::Outcome(_) => self.finish(),
            _ => {}
        }
    }

    /// Leaves the terminal as it should be.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let Progress::Pending {
            summary,
            done,
            stalled,
            ..
        } = progress
        else {
            return;
        };
        let mut text = printable(summary).into_owned();
        if let Some(done) = done {
            text.push_str(self.pace.text(done, Instant::now()));
        }
        for cause in stalled {
            text.push_str(&format!("; stalled: {}", words(cause)));
        }
        self.counted += usize::from(done.is_some());
        match done {
            Some(done) if stderr().is_terminal() => self.bar(done, text),
            Some(done) => {
                let unit = printable(&done.unit);
                self.line(&format!("[{}/{} {unit}] {text}", done.done, done.total));
            }
            None => self.line(&text),
        }
    }

    fn bar(&mut self, done: &Done, text: String) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(done.total), ProgressDrawTarget::stderr());
            let style = "{bar:30} {pos}/{len} {prefix}  {elapsed}  {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_length(done.total);
        bar.set_position(done.done);
        bar.set_prefix(printable(&done.unit).into_owned());
        bar.set_message(text);
    }

    /// A line, unless it says what the last one said.
    fn line(&mut self, text: &str) {
        if self.last == text {
            return;
        }
        text.clone_into(&mut self.last);
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }
}

/// Shows how much is done of something that takes long, if stderr is a terminal.
pub(crate) fn counting(what: &'static str) -> impl FnMut(Done) + Send {
    let mut follow = Follow::default();
    move |done| {
        if stderr().is_terminal() {
            follow.bar(&done, what.to_owned());
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.finish();
    }
}

fn words(cause: &Cause) -> String {
    format!("{} ({})", printable(&cause.text), printable(&cause.code))
}
