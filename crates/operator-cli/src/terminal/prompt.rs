//! Asking a person on the terminal, where Ctrl-C and other signals to end are answers too.

use std::io::{IsTerminal as _, stderr, stdin};

use crate::terminal::interrupt::interrupted;
use crate::terminal::output::note;

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    Interrupted,
    /// There is no terminal to ask on.
    Nobody,
}

/// What a person types to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word<'w> {
    /// `y` or `yes`.
    Yes,
    /// This, which takes reading what is asked.
    This(&'w str),
}

impl Word<'_> {
    fn question(self) -> String {
        match self {
            Self::Yes => "Continue? [y/N]".to_owned(),
            Self::This(word) => {
                format!("Type `{word}` to continue, anything else to cancel:")
            }
        }
    }

    fn is(self, answer: &str) -> bool {
        let answer = answer.trim();
        match self {
            Self::Yes => ["y", "yes"].contains(&answer.to_ascii_lowercase().as_str()),
            Self::This(word) => answer == word,
        }
    }
}

/// Whether the person types this word. What is asked for is said first.
pub(crate) async fn ask(what: &str, word: Word<'_>) -> Answer {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Answer::Nobody;
    }
    let answer = async {
        note(&format!("{what} {}", word.question()));
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            stdin().read_line(&mut answer).map(|_| answer)
        });
        read.await
    };
    tokio::select! {
        // Signals are listened to before the question can be seen.
        biased;
        () = interrupted() => Answer::Interrupted,
        answer = answer => match answer {
            Ok(Ok(answer)) if word.is(&answer) => Answer::Yes,
            _ => Answer::No,
        },
    }
}
