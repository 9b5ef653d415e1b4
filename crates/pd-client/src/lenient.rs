//! Reading what Go writes: `null` for an empty list, booleans as text, lists with commas.

use serde::{Deserialize, Deserializer};

pub(crate) mod by_name;

/// Reads `null` as the default.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `true`, `"true"`, or nothing as `false`.
pub(crate) fn text_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    optional_text_bool(deserializer).map(Option::unwrap_or_default)
}

/// Reads `true`, `"true"`, or nothing.
pub(crate) fn optional_text_bool<'de, D>(deserializer: D) -> Result<Option<bool>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextBool {
        Bool(bool),
        Text(String),
    }

    match Option::<TextBool>::deserialize(deserializer)? {
        None => Ok(None),
        Some(TextBool::Bool(value)) => Ok(Some(value)),
        Some(TextBool::Text(text)) => match text.as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(serde::de::Error::custom("neither `true` nor `false`")),
        },
    }
}

/// Reads `zone,host`.
pub(crate) fn comma_list<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let text = Option::<String>::deserialize(d)?.unwrap_or_default();
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}
