//! Declarations that cannot be registered, and why.

use std::collections::BTreeMap;

use action_core::{
    ActionRegistry, ActionSet, Cost, FailureKind, Observation, Subject, SubjectError,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl SubjectError for Never {
    fn kind(&self) -> FailureKind {
        FailureKind::Bug
    }
}

/// Nothing.
#[derive(Serialize, JsonSchema)]
struct Nothing {}

/// A subject with one action, whose declaration is wrong.
macro_rules! wrong {
    ($name:literal, $(#[$meta:meta])* { $($fields:tt)* }, $expected:literal) => {{
        struct Wrong;

        #[async_trait]
        impl Subject for Wrong {
            const NAME: &'static str = "wrong";
            type Error = Never;
            fn actions() -> ActionSet<Self> {
                ActionSet::new().observation::<Look>()
            }
            async fn identity(&self) -> Result<String, Never> {
                Err(Never)
            }
        }

        #[derive(Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        struct Look { $($fields)* }

        #[async_trait]
        impl Observation<Wrong> for Look {
            const NAME: &'static str = $name;
            const COST: Cost = Cost::Point;
            type Output = Nothing;
            async fn observe(&self, _: &Wrong) -> Result<Nothing, Never> {
                Err(Never)
            }
        }

        let mut registry = ActionRegistry::new();
        let error = registry.register(Wrong).unwrap_err().to_string();
        assert!(error.contains($expected), "{error}");
        assert_eq!(registry.names().count(), 0);
    }};
}

/// Data in an enum.
#[derive(Serialize, Deserialize, JsonSchema)]
enum Data {
    /// One.
    One(u8),
    /// Other.
    Other { text: String },
}

#[test]
fn declarations_that_some_host_refuses_are_not_registered() {
    wrong!("Look", /** Looks. */ #[serde(deny_unknown_fields)] {}, "`Look` is not a name");
    wrong!(
        "look",
        #[serde(deny_unknown_fields)]
        {},
        "a doc comment on the struct"
    );
    wrong!("look", /** Looks. */ {}, "deny_unknown_fields");
    wrong!(
        "look", /** Looks. */ #[serde(deny_unknown_fields)] { at: u8 },
        "at `/at`: a doc comment on the field"
    );
    wrong!(
        "look", /** Looks. */ #[serde(deny_unknown_fields)] { /** At. */ at: Data },
        "at `/at`: a value has one type"
    );
    wrong!(
        "look",
        /** Looks. */ #[serde(deny_unknown_fields)] { /** At. */ at: BTreeMap<String, u8> },
        "at `/at`: "
    );
    wrong!(
        "look",
        /** Looks. */
        #[serde(deny_unknown_fields)]
        { /** At. */ #[serde(default)] #[schemars(range(min = 1))] at: u8 },
        "its default is not valid"
    );
    wrong!(
        "look",
        /** Looks. */
        #[serde(deny_unknown_fields)]
        { /** At. */ #[schemars(regex(pattern = "("))] at: String },
        "pattern `(`"
    );
}
