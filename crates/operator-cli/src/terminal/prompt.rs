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

/// Whether the person types this word. What is asked for is said first.
pub(crate) async fn ask(what: &str, word: &str) -> Answer {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Answer::Nobody;
    }
    let answer = async {
        note(&format!(
            "{what} Type `{word}` to continue, anything else to cancel:"
        ));
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
            Ok(Ok(answer)) if answer.trim() == word => Answer::Yes,
            _ => Answer::No,
        },
    }
}
