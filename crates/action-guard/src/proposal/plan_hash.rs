//! What an approval is bound to: the hash of a plan.

use std::fmt;
use std::str::FromStr;

use action_core::Precondition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::identity::canonical;

/// What an approval is for: SHA-256, in hex, over what is to be done, where, relying on what,
/// and until when.
///
/// Covers action, parameters, system, the preconditions with their comparison, and the expiry.
/// Never the impact or other figures that move while a person reads: those are shown, and bounded
/// by budgets when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanHash(String);

/// What is hashed is never taken for something else that is hashed somewhere.
const DOMAIN: &[u8] = b"action-guard plan 1\n";

const HEX: &[u8; 16] = b"0123456789abcdef";

impl PlanHash {
    /// The hash of a plan. The order in which preconditions are declared does not count.
    #[must_use]
    pub fn of(
        action: &str,
        parameters: &Value,
        system: &str,
        preconditions: &[Precondition],
        expires_at: Timestamp,
    ) -> Self {
        let mut facts: Vec<Vec<u8>> = preconditions
            .iter()
            .map(|fact| {
                canonical(&json!({
                    "name": fact.name,
                    "value": fact.value,
                    "comparison": fact.comparison,
                }))
            })
            .collect();
        facts.sort_unstable();
        let head = canonical(&json!({
            "action": action,
            "parameters": parameters,
            "system": system,
            "expires_at": expires_at.to_string(),
            "preconditions": facts.len(),
        }));
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        // No byte of canonical JSON is a line end, so each line is one thing.
        for line in std::iter::once(head).chain(facts) {
            hash.update(line);
            hash.update(b"\n");
        }
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            for value in [byte >> 4, byte & 15] {
                hex.push(char::from(HEX[usize::from(value)]));
            }
        }
        Self(hex)
    }

    /// 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, for people to compare.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanHash {
    type Err = PlanHashError;

    fn from_str(text: &str) -> Result<Self, PlanHashError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PlanHashError)
        }
    }
}

impl TryFrom<String> for PlanHash {
    type Error = PlanHashError;

    fn try_from(text: String) -> Result<Self, PlanHashError> {
        text.parse()
    }
}

impl From<PlanHash> for String {
    fn from(hash: PlanHash) -> Self {
        hash.0
    }
}

/// Text that is not a plan's hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid plan hash: use 64 lower-case hexadecimal digits")]
pub struct PlanHashError;

#[cfg(test)]
mod tests {
    use action_core::Comparison;
    use proptest::prelude::*;

    use super::*;
    use crate::identity::canonical_json::tests::any_json;

    fn fact(name: &str, value: impl Into<Value>) -> Precondition {
        Precondition::new(name, value, Comparison::Same)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn hash(
        action: &str,
        parameters: Value,
        system: &str,
        facts: &[Precondition],
        expiry: i64,
    ) -> PlanHash {
        PlanHash::of(action, &parameters, system, facts, at(expiry))
    }

    /// Computed by another program. A hash that changes between two versions voids every approval in
    /// between.
    #[test]
    fn the_hash_of_this_plan_is_this() {
        let facts = [fact("leader_store_id", 1), fact("epoch", "5/3")];
        let hash = hash(
            "transfer_leader",
            json!({"region_id": 9_007_199_254_740_993_u64, "to_store_id": "4"}),
            "7345612",
            &facts,
            1_800_000_000,
        );
        assert_eq!(
            hash.as_str(),
            "38a3f73ef3b3af60a813c3dece4b028cd6aa8922a128919a1e864a4098b7d9c5"
        );
    }

    #[test]
    fn everything_an_approval_is_for_changes_the_hash() {
        let facts = [fact("leader", 1), fact("state", "Up")];
        let base = hash("drain", json!({"store_id": "4"}), "7", &facts, 100);
        let others = [
            hash("stop_drain", json!({"store_id": "4"}), "7", &facts, 100),
            hash("drain", json!({"store_id": "5"}), "7", &facts, 100),
            hash("drain", json!({"store_id": 4}), "7", &facts, 100),
            hash("drain", json!({"store_id": "4"}), "8", &facts, 100),
            hash("drain", json!({"store_id": "4"}), "7", &facts[..1], 100),
            hash(
                "drain",
                json!({"store_id": "4"}),
                "7",
                &[fact("leader", 2), facts[1].clone()],
                100,
            ),
            hash(
                "drain",
                json!({"store_id": "4"}),
                "7",
                &[fact("Leader", 1), facts[1].clone()],
                100,
            ),
            hash("drain", json!({"store_id": "4"}), "7", &facts, 101),
        ];
        for other in &others {
            assert_ne!(&base, other);
        }
        let loosened = [
            Precondition::new("leader", 1, Comparison::AtLeast),
            facts[1].clone(),
        ];
        assert_ne!(
            base,
            hash("drain", json!({"store_id": "4"}), "7", &loosened, 100)
        );
        let swapped = [facts[1].clone(), facts[0].clone()];
        assert_eq!(
            base,
            hash("drain", json!({"store_id": "4"}), "7", &swapped, 100)
        );
    }

    proptest! {
        #[test]
        fn a_hash_survives_being_written_and_read(parameters in any_json(), value in any_json(), second in 0_i64..4_000_000_000) {
            let read = |value: &Value| -> Value {
                serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
            };
            let facts = [fact("a", value.clone())];
            let again = [fact("a", read(&value))];
            let hash = PlanHash::of("x", &parameters, "s", &facts, at(second));
            prop_assert_eq!(&hash, &PlanHash::of("x", &read(&parameters), "s", &again, at(second)));
            prop_assert_eq!(hash.as_str().parse::<PlanHash>(), Ok(hash.clone()));
        }
    }
}
