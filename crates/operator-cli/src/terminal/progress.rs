//! Showing how a mutation gets on.

use std::time::Instant;

use action_core::{Cause, Done, Progress, printable};
use action_guard::Event;

use crate::terminal::in_place::InPlace;
use crate::terminal::output::note;
use crate::terminal::pace::Pace;
use crate::terminal::style::can_write_over;

/// How long a bar is, and how wide a terminal must be for one.
const BAR: usize = 20;
const WIDE: usize = 79;

/// Shows events on stderr: as lines, and what can be counted in one place if that is a terminal.
#[derive(Default)]
pub struct Follow {
    counting: InPlace,
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
            Event::Replanned(_) => self.line("planned again: no relevant change"),
            Event::Intent { .. } => {
                self.intents += 1;
                self.line("intent recorded; sending");
            }
            Event::Accepted(accepted) => match accepted.answer.trim() {
                "" => self.line("accepted"),
                words => self.line(&format!("accepted: {}", printable(words))),
            },
            Event::Unanswered { error } => {
                self.unanswered += 1;
                let error = error.to_string();
                self.line(&format!(
                    "no answer; checking the outcome: {}",
                    printable(&error)
                ));
            }
            Event::Progress(progress) => self.progress(&progress),
            Event::ProbeFailed { error } => {
                let error = error.to_string();
                self.line(&format!(
                    "could not check; will try again: {}",
                    printable(&error)
                ));
            }
            Event::Outcome(_) => self.finish(),
            _ => {}
        }
    }

    /// Leaves the terminal as it should be.
    pub fn finish(&mut self) {
        self.counting.clear();
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
            text = counted(done, &text);
            text.push_str(self.pace.text(done, Instant::now()));
        }
        for cause in stalled {
            text.push_str(&format!("; stalled: {}", words(cause)));
        }
        self.counted += usize::from(done.is_some());
        match done {
            Some(done) if can_write_over() => self.count(done, &text),
            _ => self.line(&text),
        }
    }

    fn count(&mut self, done: &Done, text: &str) {
        self.counting.show(|room| match room >= WIDE {
            true => format!("{} {text}", bar(done)),
            false => text.to_owned(),
        });
    }

    /// A line, unless it says what the last one said.
    fn line(&mut self, text: &str) {
        if self.last == text {
            return;
        }
        text.clone_into(&mut self.last);
        // What is counted is shown again below it, by the next look.
        self.counting.clear();
        note(text);
    }
}

/// How much is done, unless the text says that itself.
fn counted(done: &Done, text: &str) -> String {
    let so_far = format!("{} of {} ", done.done, done.total);
    match text.starts_with(&so_far) {
        true => text.to_owned(),
        false => format!("{so_far}{}: {text}", printable(&done.unit)),
    }
}

fn bar(done: &Done) -> String {
    let share = done.done as f64 / done.total.max(1) as f64;
    let filled = ((share * BAR as f64) as usize).min(BAR);
    format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled))
}

/// Shows how much is done of something that takes long, if stderr is a terminal.
pub(crate) fn counting(what: &'static str) -> impl FnMut(Done) + Send {
    let mut follow = Follow::default();
    move |done| {
        if can_write_over() {
            follow.count(&done, &counted(&done, what));
        }
    }
}

fn words(cause: &Cause) -> String {
    format!("{} ({})", printable(&cause.text), printable(&cause.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_is_done_is_said_once() {
        let done = Done::new(153, 600, "leaders");
        let text = "153 of 600 leaders moved off store 4";
        assert_eq!(counted(&done, text), text);
        assert_eq!(counted(&done, "moving"), "153 of 600 leaders: moving");
    }

    #[test]
    fn a_bar_is_as_long_as_it_is_whatever_is_counted() {
        for (done, total, filled) in [(0, 0, 0), (0, 4, 0), (1, 4, 5), (4, 4, 20), (9, 4, 20)] {
            let bar = bar(&Done::new(done, total, "x"));
            assert_eq!(bar.chars().count(), BAR);
            assert_eq!(bar.matches('█').count(), filled, "{done} of {total}");
        }
    }
}
