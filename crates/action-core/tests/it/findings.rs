//! What observations find, as front ends get it.

use std::convert::Infallible;

use action_core::{
    ActionRegistry, ActionSet, Cost, FailureKind, Finding, Observation, RegistryError, Role,
    Subject, SubjectError,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::subjects::{MoveWagon, Yard};

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never(Infallible);

impl SubjectError for Never {
    fn kind(&self) -> FailureKind {
        FailureKind::Bug
    }
}

struct Ship;

#[async_trait]
impl Subject for Ship {
    const NAME: &'static str = "ship";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<FindLeaks>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("ship 1".to_owned())
    }
}

/// Looks for leaks.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindLeaks {}

/// The leaks.
#[derive(Debug, Serialize, JsonSchema)]
struct Leaks {
    /// One for each.
    findings: Vec<Finding>,
}

#[async_trait]
impl Observation<Ship> for FindLeaks {
    const NAME: &'static str = "find_leaks";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Leftovers);
    type Output = Leaks;

    async fn observe(&self, _: &Ship) -> Result<Leaks, Never> {
        let wagon = serde_json::from_value(json!({"from_track": 1, "to_track": 2})).unwrap();
        Ok(Leaks {
            findings: vec![
                Finding::new("leak", "hold/1", "water in hold 1")
                    .seen("the gauge", "depth", 4)
                    .next("pump")
                    .fixed_by::<Yard, MoveWagon>(&wagon)
                    .effect("leak/1"),
            ],
        })
    }
}

/// A ship that says it looks for leftovers, and gives no findings.
struct Liar;

#[async_trait]
impl Subject for Liar {
    const NAME: &'static str = "liar";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<SayNothing>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("ship 2".to_owned())
    }
}

/// Says nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SayNothing {}

#[async_trait]
impl Observation<Liar> for SayNothing {
    const NAME: &'static str = "say_nothing";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Diagnose);
    type Output = SayNothing;

    async fn observe(&self, _: &Liar) -> Result<SayNothing, Never> {
        Ok(SayNothing {})
    }
}

/// A ship that is shown at a glance by those who say which deck.
struct Nosy;

#[async_trait]
impl Subject for Nosy {
    const NAME: &'static str = "nosy";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<ShowDeck>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("ship 4".to_owned())
    }
}

/// Shows a deck.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowDeck {
    /// Which deck.
    deck: u8,
}

#[async_trait]
impl Observation<Nosy> for ShowDeck {
    const NAME: &'static str = "show_deck";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = ShowDeck;

    async fn observe(&self, _: &Nosy) -> Result<ShowDeck, Never> {
        Ok(ShowDeck { deck: self.deck })
    }
}

#[test]
fn an_overview_is_shown_by_itself() {
    let error = ActionRegistry::new().register(Nosy).unwrap_err();
    let RegistryError::Malformed { problems, .. } = error else {
        unreachable!("{error}");
    };
    assert_eq!(
        problems,
        ["role: an overview is shown by itself, so `deck` cannot be required"]
    );
}

/// A ship whose action does not list what is not known yet.
struct Vague;

#[async_trait]
impl Subject for Vague {
    const NAME: &'static str = "vague";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<Guess>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("ship 3".to_owned())
    }
}

/// Guesses.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Guess {}

/// What was guessed.
#[derive(Debug, Serialize, JsonSchema)]
struct Guessed {
    /// Whether something is not known yet.
    not_known_yet: bool,
}

#[async_trait]
impl Observation<Vague> for Guess {
    const NAME: &'static str = "guess";
    const COST: Cost = Cost::Point;
    type Output = Guessed;

    async fn observe(&self, _: &Vague) -> Result<Guessed, Never> {
        Ok(Guessed {
            not_known_yet: true,
        })
    }
}

#[tokio::test]
async fn findings_name_actions_and_effects_as_they_are_registered() {
    let mut registry = ActionRegistry::new();
    registry.register(Ship).unwrap();
    registry.register_as("north", Ship).unwrap();
    let found = registry.observe("find_leaks", json!({})).await.unwrap();
    let expected = json!({"findings": [{
        "code": "leak", "about": "hold/1", "text": "water in hold 1", "next": "pump",
        "evidence": [{"source": "the gauge", "fact": "depth", "value": 4}],
        "fix": {"name": "move_wagon", "parameters": {"from_track": 1, "to_track": 2}},
        "lasting_effect": "leak/1",
    }]});
    assert_eq!(found, expected);
    let found = registry
        .observe("north_find_leaks", json!({}))
        .await
        .unwrap();
    assert_eq!(found["findings"][0]["fix"]["name"], "north_move_wagon");
    assert_eq!(found["findings"][0]["lasting_effect"], "north/leak/1");
}

#[test]
fn an_action_that_diagnoses_has_findings() {
    let error = ActionRegistry::new().register(Liar).unwrap_err();
    let RegistryError::Malformed { problems, .. } = error else {
        unreachable!("{error}");
    };
    assert_eq!(
        problems,
        ["output schema: an action of its role gives a list called `findings`"]
    );
}

#[test]
fn what_is_not_known_yet_is_a_list() {
    let error = ActionRegistry::new().register(Vague).unwrap_err();
    let RegistryError::Malformed { problems, .. } = error else {
        unreachable!("{error}");
    };
    assert_eq!(
        problems,
        ["output schema: a member called `not_known_yet` is a list"]
    );
}
