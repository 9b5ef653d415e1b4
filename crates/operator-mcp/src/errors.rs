//! What a call answers when nothing comes of it: what is wrong, and what could not be done.

use std::borrow::Cow;

use action_core::{ActionError, FailureKind, Problem};
use action_guard::GuardError;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

/// What is wrong with what a call gives.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// By what is declared, all at once.
    Problems(Vec<Problem>),
    /// Something that no declaration here says.
    Other(String),
}

/// What went wrong, for a model: in text only, because some clients hold even this to the schema of
/// what a tool gives.
pub(crate) fn error(value: &Value) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(value.to_string())])
}

/// What a guard could not do.
pub(crate) fn failed(failure: &GuardError) -> CallToolResult {
    let problems = match failure {
        GuardError::Action(error) => error.problems(),
        _ => &[],
    };
    failure_of(failure.kind(), &failure.report(), problems)
}

/// What an action could not do.
pub(crate) fn action_failed(failure: &ActionError) -> CallToolResult {
    failure_of(failure.kind(), &failure.report(), failure.problems())
}

/// Arguments that are not as a tool of the server takes them.
pub(crate) fn wrong_arguments(tool: &str, wrong: &Wrong) -> CallToolResult {
    let (text, problems) = match wrong {
        Wrong::Problems(problems) => {
            let list = problems.iter().map(ToString::to_string);
            (list.collect::<Vec<_>>().join("; "), &problems[..])
        }
        Wrong::Other(text) => (text.clone(), &[][..]),
    };
    failure_of(
        FailureKind::InvalidInput,
        &format!("`{tool}`: {text}"),
        problems,
    )
}

/// What is not done, and why.
pub(crate) fn refused(message: &str) -> CallToolResult {
    failure_of(FailureKind::Refused, message, &[])
}

fn failure_of(kind: FailureKind, message: &str, problems: &[Problem]) -> CallToolResult {
    let mut members = Map::new();
    members.insert("kind".to_owned(), json!(kind));
    members.insert("message".to_owned(), json!(bounded(message)));
    let mut room = LONGEST_PROBLEMS;
    let told = problems.iter().map(|problem| json!(problem));
    let told: Vec<Value> = told
        .take_while(|problem| {
            let length = problem.to_string().len();
            let fits = length <= room;
            room = room.saturating_sub(length);
            fits
        })
        .collect();
    if told.len() < problems.len() {
        let truncated = json!({"problems": {"shown": told.len(), "of": problems.len()}});
        members.insert("truncated".to_owned(), truncated);
    }
    if !told.is_empty() {
        members.insert("problems".to_owned(), told.into());
    }
    error(&json!({ "error": members }))
}

/// Of the sentence that says what is wrong, in bytes: hosts cut what is longer.
const LONGEST_MESSAGE: usize = 8_000;

/// Of all problems, as JSON.
const LONGEST_PROBLEMS: usize = 30_000;

/// What is wrong, no longer than a host shows: what a call gave may be in it as it came.
pub(crate) fn bounded(message: &str) -> Cow<'_, str> {
    if message.len() <= LONGEST_MESSAGE {
        return message.into();
    }
    let end = message.floor_char_boundary(LONGEST_MESSAGE);
    let (shown, rest) = message.split_at(end);
    format!("{shown}… ({} more bytes)", rest.len()).into()
}
