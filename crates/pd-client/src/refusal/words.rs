//! Getting PD's words out of an error body.

use serde_json::Value;

/// How the words were wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    JsonString,
    Object,
    Text,
    /// `null`, `{}` or an empty body.
    Nothing,
    /// JSON of another shape, or markup: nothing PD writes as an error.
    Foreign,
}

/// The words of a body, and how they were wrapped. `forwarded` by the scheduling service, plain
/// text is PD's.
pub(super) fn words(body: &str, forwarded: bool) -> (Form, String) {
    match serde_json::from_str::<Value>(body) {
        Ok(Value::String(text)) => (Form::JsonString, unwrapped(text)),
        Ok(Value::Object(object)) if object.is_empty() => (Form::Nothing, String::new()),
        Ok(Value::Object(object)) => match object.get("msg").and_then(Value::as_str) {
            Some(message) => (Form::Object, message.to_owned()),
            None => (Form::Foreign, body.to_owned()),
        },
        Ok(Value::Null) => (Form::Nothing, String::new()),
        Ok(_) => (Form::Foreign, body.to_owned()),
        Err(_) => {
            let text = body.strip_suffix('\n').unwrap_or(body);
            match text.trim_start().chars().next() {
                None => (Form::Nothing, String::new()),
                Some('<' | '{' | '[' | '"') => (Form::Foreign, text.to_owned()),
                // The scheduling service answers without quotes.
                Some(_) if forwarded => (Form::JsonString, text.to_owned()),
                Some(_) => (Form::Text, text.to_owned()),
            }
        }
    }
}

/// PD passes on some answers of its own inner calls with their quotes: `"\"words\"\n"`.
fn unwrapped(text: String) -> String {
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::String(inner)) => inner,
        _ => text,
    }
}

/// Splits `[PD:module:Name]words`.
pub(super) fn split_code(text: &str) -> (Option<&str>, &str) {
    let code_and_words = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match code_and_words {
        Some((code, words)) if code.starts_with("PD:") => (Some(code), words),
        _ => (None, text),
    }
}

/// Whether the words say that the thing asked for is not there, in any version.
pub(super) fn names_nothing(message: &str) -> bool {
    if matches!(
        message,
        "operator not found"
            | "scheduler not found"
            | "rule not found"
            | "the config does not exist"
    ) {
        return true;
    }
    let Some(thing) = message.strip_suffix(" not found") else {
        return false;
    };
    let number = thing
        .strip_prefix("region ")
        .or_else(|| thing.strip_prefix("store "));
    number.is_some_and(|number| {
        // Asked by key, 9.0 forgets to fill in the number.
        number == "%v" || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
