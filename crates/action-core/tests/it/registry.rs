//! Actions by name, with JSON in and out.

use action_core::{
    Accepted, ActionError, ActionRegistry, Attempt, Attribution, FailureKind, Outcome, Plan,
    Progress, Risk, Sent, Undo, Verdict,
};
use serde_json::{Value, json};

use crate::subjects::Yard;

fn yard(track: u64) -> Yard {
    let yard = Yard::default();
    *yard.track.lock().unwrap() = track;
    yard
}

fn registry() -> ActionRegistry {
    let mut registry = ActionRegistry::new();
    registry.register(yard(1)).unwrap();
    registry
}

fn request() -> Value {
    json!({ "from_track": 1, "to_track": 3 })
}

#[test]
fn a_name_is_registered_once_and_both_owners_are_named() {
    let mut registry = registry();
    let error = registry.register(yard(1)).unwrap_err().to_string();
    assert!(error.contains("`show_yard` of subject `yard`"), "{error}");
    registry.register_as("north", yard(2)).unwrap();
    let error = registry.register_as("north", yard(2)).unwrap_err();
    assert!(error.to_string().contains("`yard as north`"), "{error}");
    let names: Vec<_> = registry.names().collect();
    assert_eq!(
        names,
        [
            "show_yard",
            "move_wagon",
            "north_show_yard",
            "north_move_wagon"
        ]
    );
}

#[test]
fn a_prefix_that_cannot_begin_a_name_is_refused_and_nothing_is_added() {
    let mut registry = ActionRegistry::new();
    for prefix in [
        "",
        "North",
        "a-b",
        "7th",
        "a_prefix_that_is_much_too_long_for_it",
    ] {
        let error = registry.register_as(prefix, yard(1)).unwrap_err();
        assert!(error.to_string().contains("invalid prefix"), "{error}");
        assert_eq!(registry.names().count(), 0);
    }
}

#[test]
fn definitions_are_chosen_by_risk() {
    let registry = registry();
    let names = |risk| -> Vec<String> {
        let chosen = registry.up_to(risk);
        chosen.map(|definition| definition.name.clone()).collect()
    };
    assert_eq!(names(Risk::Low), ["show_yard"]);
    assert_eq!(names(Risk::Medium), ["show_yard", "move_wagon"]);
}

#[tokio::test]
async fn an_unknown_name_is_answered_with_a_similar_one() {
    let error = registry().plan("move_waggon", request()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidInput);
    let expected = "unknown action `move_waggon`; did you mean `move_wagon`?";
    assert_eq!(error.report(), expected);
}

#[tokio::test]
async fn each_kind_refuses_what_it_is_not_made_for() {
    let registry = registry();
    let attempt = Attempt::untracked();
    let sent = registry
        .send("show_yard", json!({}), &json!(null), &attempt)
        .await;
    assert!(matches!(sent, Err(ActionError::WrongKind { .. })));
    let seen = registry.observe("move_wagon", request()).await;
    assert_eq!(
        seen.unwrap_err().report(),
        "`move_wagon` is a mutation, not an observation"
    );
}

#[tokio::test]
async fn wrong_parameters_reach_no_subject() {
    let registry = registry();
    for given in [
        json!({ "from_track": 1 }),
        json!({ "from_track": 2, "to_track": 2 }),
    ] {
        let error = registry
            .invoke_unguarded("move_wagon", given)
            .await
            .unwrap_err();
        assert_eq!(error.problems().len(), 1);
        assert!(error.report().contains("`to_track`"), "{}", error.report());
    }
}

#[tokio::test]
async fn a_refusal_keeps_the_subjects_words() {
    let given = json!({ "from_track": 2, "to_track": 3 });
    let plan = registry().plan("move_wagon", given.clone()).await.unwrap();
    let error = registry()
        .invoke_unguarded("move_wagon", given)
        .await
        .unwrap_err();
    assert_eq!(error.report(), "no wagon on track 2");
    assert_eq!(
        (error.kind(), error.code()),
        (FailureKind::Refused, "yard_says_no")
    );
    assert!(matches!(plan.verdict, Verdict::WouldReject { text, .. } if text == error.report()));
}

/// Ours is taken back, and what may be another's is not: what would do it is named.
#[test]
fn what_is_over_and_may_be_anothers_is_not_taken_back() {
    let mut registry = ActionRegistry::new();
    registry.register_as("north", yard(2)).unwrap();
    let accepted = Accepted::new("will do");
    let undo_after = |answer: Option<&Accepted>, by: Option<Attribution>| {
        let outcome = by.map(|by| Outcome::applied(by, "moved", Vec::new()));
        let before = json!({"track": 1});
        registry
            .undo(
                "north_move_wagon",
                request(),
                &before,
                answer,
                outcome.as_ref(),
            )
            .unwrap()
    };
    let undo = |by| undo_after(None, by);
    assert!(matches!(undo(None), Undo::Action { .. }));
    assert!(matches!(undo(Some(Attribution::Ours)), Undo::Action { .. }));
    for by in [Attribution::Undecided, Attribution::Another] {
        let Undo::None { reason } = undo(Some(by)) else {
            unreachable!("{by:?}");
        };
        let of_answered = undo_after(Some(&accepted), Some(by));
        assert!(
            matches!(of_answered, Undo::Action { .. }),
            "{of_answered:?}"
        );
        let named = "run `north_move_wagon` with {\"from_track\":3";
        assert!(reason.contains(named), "{reason}");
    }
}

/// A guard that lost everything but its journal knows names and JSON only.
#[tokio::test]
async fn everything_after_the_send_works_from_json() {
    let mut registry = ActionRegistry::new();
    registry.register_as("north", yard(1)).unwrap();
    let plan = registry.plan("north_move_wagon", request()).await.unwrap();
    let attempt = Attempt::new("a-1", 1_000, None);
    let accepted = registry
        .send("north_move_wagon", request(), &plan.before, &attempt)
        .await
        .unwrap();
    let sent = Sent::new(attempt, Some(accepted), 200);

    let kept = serde_json::to_string(&(plan, sent)).unwrap();
    let (plan, sent): (Plan, Sent) = serde_json::from_str(&kept).unwrap();
    let catalogue = registry.catalogue();
    let progress = catalogue
        .probe("north_move_wagon", request(), &plan.before, &sent)
        .await
        .unwrap();
    assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");

    let outcome: Option<&Outcome> = None;
    let undo = catalogue
        .undo("north_move_wagon", request(), &plan.before, None, outcome)
        .unwrap();
    let Undo::Action {
        name, parameters, ..
    } = &undo
    else {
        unreachable!("{undo:?}");
    };
    assert_eq!(name, "north_move_wagon");
    assert_eq!(
        Value::Object(parameters.clone()),
        json!({ "from_track": 3, "to_track": 1 })
    );
    let back = catalogue
        .plan(name, Value::Object(parameters.clone()))
        .await;
    let back = back.unwrap();
    assert_eq!(undo.drift(&back).len(), 1, "the wagon is still on track 1");

    let error = catalogue
        .probe("north_move_wagon", request(), &json!("not facts"), &sent)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FailureKind::Bug);
}

#[tokio::test]
async fn no_trace_is_not_a_no_before_it_settled() {
    let registry = registry();
    let plan = registry.plan("move_wagon", request()).await.unwrap();
    let probe = async |elapsed_ms| {
        let sent = Sent::new(Attempt::new("lost", 0, None), None, elapsed_ms);
        let progress = registry.probe("move_wagon", request(), &plan.before, &sent);
        progress.await.unwrap()
    };
    assert!(matches!(probe(100).await, Progress::Pending { .. }));
    assert!(matches!(probe(9_000).await, Progress::NotApplied { .. }));
}

#[test]
fn resources_and_effects_are_told_apart_by_prefix() {
    let mut registry = registry();
    registry.register_as("north", yard(1)).unwrap();
    assert_eq!(
        registry.resources("move_wagon", request()).unwrap(),
        ["wagon"]
    );
    let north = registry.resources("north_move_wagon", request()).unwrap();
    assert_eq!(north, ["north/wagon"]);
    let effect = registry.lasting_effect("move_wagon", request()).unwrap();
    assert_eq!(effect, None);
}
