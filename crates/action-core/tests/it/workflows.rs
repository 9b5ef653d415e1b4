//! Workflows as people write them and as subjects give them.

use std::convert::Infallible;

use action_core::{
    ActionRegistry, ActionSet, Condition, Cost, FailureKind, Observation, RegistryError, Role,
    Step, Subject, SubjectError, Work, Workflow,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::subjects::{MoveWagon, ShowYard, Yard};

/// Problems of a document, each as a line.
fn problems(document: &Value) -> Vec<String> {
    match Workflow::read(document) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn check_problems(steps: Value, expected: &[&str]) {
    let found = problems(&json!({"title": "a test", "steps": steps}));
    assert_eq!(found, expected, "{found:#?}");
}

fn act(id: &str, needs: &[&str]) -> Value {
    json!({"id": id, "needs": needs, "action": "move_wagon"})
}

#[test]
fn a_step_that_says_nothing_needs_the_one_before() {
    let workflow = Workflow::read(&json!({
        "title": "a test",
        "steps": [
            {"id": "a", "action": "move_wagon"},
            {"id": "b", "confirm": "look"},
            {"id": "c", "undo": "a"},
            {"id": "d", "needs": [], "confirm": "look elsewhere"},
        ],
    }));
    let workflow = workflow.unwrap();
    let needs: Vec<_> = workflow
        .steps
        .iter()
        .map(|step| step.needs.join(","))
        .collect();
    assert_eq!(needs, ["", "a", "b", ""]);
    assert_eq!(
        workflow.step("c").unwrap().work(),
        Work::Undo {
            of: "a",
            retry: None
        }
    );
}

#[test]
fn all_problems_are_told_at_once_and_each_says_what_is_right() {
    let found = problems(&json!({
        "titel": "a test",
        "steps": [
            {"id": "A b", "action": "x", "parameter": {}},
            {"id": "two", "action": "x", "observe": "y"},
            {"id": "look", "observe": "y", "within": "soon", "until": [
                {"at": "count", "at_least": "many"},
                {"at": "/a", "equals": 1, "at_most": 2},
            ]},
            {"id": "again", "action": "x", "retry": {"times": 99, "first": "2m"}, "keep": "yes"},
            {"id": "look", "confirm": "x", "needs": ["to"]},
            7,
        ],
    }));
    let expected = [
        "`title`: missing, expected what it does, in one line",
        "`titel`: unknown key; did you mean `title`?",
        "step `A b`: `parameter`: unknown key; did you mean `parameters`?",
        "step `A b`: `id`: expected a lower-case letter, then lower-case letters, digits, `-` and `_`, at most 40",
        "step `two`: has 2 of `action`, `undo`, `observe` and `confirm`: give exactly one",
        "step `two`: `until`: missing, expected a list of conditions",
        "step `look`: `until`: `at_least`: expected a number",
        "step `look`: `until`: expected exactly one of `equals`, `at_least` and `at_most`",
        "step `look`: `until`: `at`: expected a JSON pointer, which begins with `/`",
        "step `look`: `until`: expected exactly one of `equals`, `at_least` and `at_most`",
        "step `look`: `within`: expected a duration, such as `90s`, `10m` or `1h30m`",
        "step `again`: `keep`: expected `true` or `false`",
        "step `again`: `retry`: `times`: expected at most 10",
        "step `again`: `retry`: `first`: expected more than `0s` and at most `longest`",
        "step 6: expected a table",
        "step 6: `id`: missing, expected a name, such as `drain-4`",
        "step 6: has 0 of `action`, `undo`, `observe` and `confirm`: give exactly one",
        "step `look`: `id`: another step has this id",
        "step `look`: `needs`: unknown step `to`; did you mean `two`?",
    ];
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn steps_that_wait_for_each_other_are_named() {
    check_problems(
        json!([
            act("a", &["c"]),
            act("b", &["a"]),
            act("c", &["b"]),
            act("d", &["c"])
        ]),
        &["`needs`: steps need each other in a circle: `a` needs `c` needs `b` needs `a`"],
    );
    check_problems(
        json!([act("a", &["a"])]),
        &[
            "step `a`: `needs`: it cannot need itself",
            "`needs`: steps need each other in a circle: `a` needs `a`",
        ],
    );
}

#[test]
fn only_an_earlier_mutation_is_taken_back_and_once() {
    let undo = |id: &str, of: &str, needs: &[&str]| json!({"id": id, "undo": of, "needs": needs});
    check_problems(
        json!([
            act("a", &[]),
            undo("b", "a", &[]),
            undo("c", "b", &["b"]),
            undo("d", "aa", &["c"]),
            undo("e", "a", &["a"]),
            undo("f", "a", &["e"]),
        ]),
        &[
            "step `b`: `undo`: it must need `a`, directly or through other steps",
            "step `c`: `undo`: `b` has no `action`, so there is nothing to take back",
            "step `d`: `undo`: unknown step `aa`; did you mean `a`?",
            "step `f`: `undo`: `a` is already taken back by `e`",
        ],
    );
    check_problems(json!([]), &["has 0 steps, expected 1 to 512"]);
}

#[test]
fn what_was_read_is_written_and_read_back() {
    let document = json!({
        "title": "a test",
        "steps": [
            {"id": "a", "needs": [], "action": "move_wagon", "lease": "2h", "retry": {"times": 2, "first": "5s", "longest": "1m"}},
            {"id": "b", "needs": ["a"], "observe": "show_yard", "within": "10m",
             "until": [{"at": "/tracks", "at_least": 2}], "readings": 3},
        ],
    });
    let workflow = Workflow::read(&document).unwrap();
    assert_eq!(serde_json::to_value(&workflow).unwrap(), document);
    let again: Workflow = serde_json::from_value(document).unwrap();
    assert_eq!(again, workflow);
}

#[test]
fn actions_are_checked_against_the_catalogue_with_all_else() {
    let mut registry = ActionRegistry::new();
    registry.register(Yard::default()).unwrap();
    let document = json!({
        "titel": "a test",
        "steps": [
            {"id": "a", "action": "mov_wagon"},
            {"id": "b", "action": "show_yard"},
            {"id": "c", "action": "move_wagon", "parameters": {"from_track": 1}},
            {"id": "d", "action": "move_wagon", "parameters": {"from_track": 1, "to_track": 2}},
        ],
    });
    let error = Workflow::read_for(&document, &registry).unwrap_err();
    let found: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 5, "{found:#?}");
    let found = &found[2..];
    assert!(
        found[0].contains("step `a`: unknown action `mov_wagon`; did you mean"),
        "{found:#?}"
    );
    assert!(
        found[1].contains("step `b`: `show_yard` is an observation"),
        "{found:#?}"
    );
    assert!(
        found[2].contains("step `c`") && found[2].contains("to_track"),
        "{found:#?}"
    );
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never(Infallible);

impl SubjectError for Never {
    fn kind(&self) -> FailureKind {
        FailureKind::Bug
    }
}

/// A subject that offers a workflow.
struct Depot;

#[async_trait]
impl Subject for Depot {
    const NAME: &'static str = "depot";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<MoveTwice>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("depot 1".to_owned())
    }
}

/// Makes a workflow that moves a wagon there and looks.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveTwice {}

#[async_trait]
impl Observation<Depot> for MoveTwice {
    const NAME: &'static str = "move_twice";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Workflow);
    type Output = Workflow;

    async fn observe(&self, _: &Depot) -> Result<Workflow, Never> {
        let wagon: MoveWagon =
            serde_json::from_value(json!({"from_track": 1, "to_track": 2})).unwrap();
        let look: ShowYard = serde_json::from_value(json!({})).unwrap();
        Ok(Workflow::new("move and look")
            .then(Step::mutation::<Yard, _>("move", &wagon))
            .then(
                Step::observation::<Yard, _>("look", &look)
                    .until(Condition::at_least("/tracks", 1)),
            ))
    }
}

#[tokio::test]
async fn a_subject_offers_a_workflow_by_an_observation_of_that_role() {
    let mut registry = ActionRegistry::new();
    registry.register_as("north", Depot).unwrap();
    let definition = registry.definition("north_move_twice").unwrap();
    assert_eq!(definition.role, Some(Role::Workflow));
    let document = registry
        .observe("north_move_twice", json!({}))
        .await
        .unwrap();
    let workflow = Workflow::read(&document).unwrap();
    let names: Vec<_> = workflow.steps.iter().map(Step::work).collect();
    assert!(
        matches!(
            names[0],
            Work::Action {
                name: "north_move_wagon",
                ..
            }
        ),
        "{names:?}"
    );
    assert!(
        matches!(
            names[1],
            Work::Observe {
                name: "north_show_yard",
                ..
            }
        ),
        "{names:?}"
    );
    assert_eq!(workflow.steps[1].needs, ["move"]);
}

/// Claims to make a workflow.
struct Liar;

#[async_trait]
impl Subject for Liar {
    const NAME: &'static str = "liar";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().observation::<MakeNothing>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("liar".to_owned())
    }
}

/// Makes nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeNothing {}

/// Nothing.
#[derive(Debug, Serialize, JsonSchema)]
struct Nothing {}

#[async_trait]
impl Observation<Liar> for MakeNothing {
    const NAME: &'static str = "make_nothing";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Workflow);
    type Output = Nothing;

    async fn observe(&self, _: &Liar) -> Result<Nothing, Never> {
        Ok(Nothing {})
    }
}

#[test]
fn an_action_of_that_role_without_steps_is_not_registered() {
    let error = ActionRegistry::new().register(Liar).unwrap_err();
    assert!(matches!(error, RegistryError::Malformed { .. }), "{error}");
}
