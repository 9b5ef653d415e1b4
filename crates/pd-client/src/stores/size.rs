//! Sizes as PD prints them.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A size as PD prints it: four digits and a binary unit, such as `931.5GiB`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HumanSize {
    text: String,
    bytes: Option<u64>,
}

impl HumanSize {
    /// Bytes, exact to about four digits; `None` when the text is not a size.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// PD's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for HumanSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for HumanSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self {
            bytes: bytes(&text),
            text,
        })
    }
}

fn bytes(text: &str) -> Option<u64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let shift: i32 = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        "PiB" => 50,
        "EiB" => 60,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    let bytes = number * 2_f64.powi(shift);
    // Four digits of a float are far from where this could lose anything.
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary() {
        assert_eq!(bytes("1TiB"), Some(1 << 40));
        assert_eq!(bytes("3.375GiB"), Some((27 << 30) / 8));
        assert_eq!(bytes("0B"), Some(0));
        for wrong in ["", "5", "5GB", "xGiB", "-1GiB", "NaNB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
