//! What a derived schema says in words: doc comments, and enums whose names are documented.

use serde_json::Value;

/// The names of a documented enum without data, and what each means.
pub(super) fn flat_enum(one_of: &Value) -> Option<(Vec<String>, String)> {
    let mut names = Vec::new();
    let mut described = Vec::new();
    for variant in one_of.as_array()? {
        let here: Vec<String> = match (variant.get("const"), variant.get("enum")) {
            (Some(Value::String(name)), _) => vec![name.clone()],
            (None, Some(Value::Array(items))) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            _ => return None,
        };
        if let (Some(text), [name]) = (
            variant.get("description").and_then(Value::as_str),
            here.as_slice(),
        ) {
            described.push(format!("`{name}`: {}", prose(text)));
        }
        names.extend(here);
    }
    Some((names, described.join(" ")))
}

pub(super) fn joined(one: &str, other: &str) -> String {
    [one, other]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A doc comment as running text: its lines joined, its paragraphs kept.
pub(super) fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    paragraphs
        .collect::<Vec<_>>()
        .join("\n\n")
        .trim()
        .to_owned()
}
