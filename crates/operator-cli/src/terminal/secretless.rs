//! What is shown, without the secrets that it may hold.

use std::borrow::Cow;

use action_core::redacted;

/// The same lines without secrets: what a server says, or somebody gave, may hold one.
pub(crate) fn lines_without_secrets(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(redacted).collect();
    lines.join("\n")
}

/// The same JSON with each of its strings without secrets.
pub(crate) fn without_secrets(json: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(json.len()), json);
    while let Some((before, after)) = rest.split_once('"') {
        let end = end_of_string(after);
        let (inner, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        clean.push_str(before);
        clean.push('"');
        clean.push_str(&string_without_secrets(inner));
        if let Some(tail) = tail.strip_prefix('"') {
            clean.push('"');
            rest = tail;
        } else {
            rest = tail;
        }
    }
    clean.push_str(rest);
    clean
}

/// Where the quote is that ends a string of JSON.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// The same of what stands between the quotes of a string of JSON.
fn string_without_secrets(inner: &str) -> Cow<'_, str> {
    // No secret that can be told is as short as that without one of these.
    if inner.len() < 16 && !inner.contains(['=', ':', '@', '%', ' ', '\\']) {
        return Cow::Borrowed(inner);
    }
    let Ok(text) = serde_json::from_str::<String>(&format!("\"{inner}\"")) else {
        return Cow::Borrowed(inner);
    };
    match redacted(&text) {
        Cow::Borrowed(_) => Cow::Borrowed(inner),
        Cow::Owned(clean) => {
            let written = serde_json::to_string(&clean).unwrap_or_default();
            let inner = written
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            Cow::Owned(inner.unwrap_or_default().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn strings_of_json_are_without_secrets_and_stay_strings() {
        let given = json!({
            "a": "password=Hunter3 \"x\"", "b": ["at http://ana:p/w@pd-0", "\\\"Bearer x\\"],
            "tokens": 3, "c": "", "d": "user:ana@example.com", "\"": "\\",
        });
        for text in [
            given.to_string(),
            serde_json::to_string_pretty(&given).unwrap(),
        ] {
            let clean: Value = serde_json::from_str(&without_secrets(&text)).unwrap();
            let expected = json!({
                "a": "password=[redacted] \"x\"", "b": ["at http://[redacted]@pd-0", "\\\"Bearer [redacted]"],
                "tokens": 3, "c": "", "d": "user:ana@example.com", "\"": "\\",
            });
            assert_eq!(clean, expected);
        }
        let other = json!(["zone=z1", "12", {"a b": null}]).to_string();
        assert_eq!(without_secrets(&other), other);
    }
}
