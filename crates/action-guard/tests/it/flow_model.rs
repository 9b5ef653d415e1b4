//! Workflows of all shapes, through everything that can happen to them, by records alone.

use std::collections::BTreeSet;

use action_core::Workflow;
use action_guard::Ending;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::flow_world::{Happens, World};

/// One step: what it is, and which earlier ones it needs.
#[derive(Debug, Clone)]
struct Shape {
    kind: u8,
    needs: Vec<bool>,
    retries: u32,
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (0_u8..8, prop::collection::vec(any::<bool>(), 8), 0_u32..3);
    let shape = shape.prop_map(|(kind, needs, retries)| Shape {
        kind,
        needs,
        retries,
    });
    prop::collection::vec(shape, 1..8)
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    let happens = prop_oneof![
        20 => (0_usize..3).prop_map(Happens::Ready),
        12 => (0_u8..8).prop_map(Happens::Ends),
        4 => Just(Happens::Approve),
        1 => Just(Happens::Reject),
        4 => Just(Happens::Confirm),
        4 => (1_i64..5_000).prop_map(Happens::Later),
        3 => any::<bool>().prop_map(Happens::Resolve),
        1 => Just(Happens::Kill),
        1 => Just(Happens::Observe),
        2 => Just(Happens::Reset),
        2 => Just(Happens::Resume),
        1 => Just(Happens::Cancel),
        1 => Just(Happens::Compensate),
    ];
    prop::collection::vec(happens, 1..100)
}

fn workflow(shapes: &[Shape]) -> Workflow {
    let mut steps: Vec<Value> = Vec::new();
    let mut acts: Vec<usize> = Vec::new();
    for (at, shape) in shapes.iter().enumerate() {
        let mut needs: BTreeSet<String> = (0..at)
            .filter(|earlier| shape.needs[earlier % 8])
            .map(|earlier| format!("s{earlier}"))
            .collect();
        let retry = (shape.retries > 0)
            .then(|| json!({"times": shape.retries, "first": "1s", "longest": "2s"}));
        let mut step = match shape.kind {
            0..=3 => {
                acts.push(at);
                json!({"action": "turn", "parameters": {"dial": at}})
            }
            4 | 5 if !acts.is_empty() => {
                let of = acts.remove(0);
                needs.insert(format!("s{of}"));
                json!({"undo": format!("s{of}")})
            }
            6 => json!({"observe": "look", "until": [{"at": "/x", "equals": 1}], "within": "1m"}),
            _ => json!({"confirm": "do it"}),
        };
        if let Some(retry) = retry.filter(|_| step.get("action").or(step.get("undo")).is_some()) {
            step["retry"] = retry;
        }
        step["id"] = format!("s{at}").into();
        step["needs"] = json!(needs);
        steps.push(step);
    }
    Workflow::read(&json!({"title": "a test", "steps": steps})).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(24, 512)))]

    #[test]
    fn whatever_happens_a_workflow_keeps_its_order_and_is_the_same_from_any_beginning(
        shapes in shapes(),
        happenings in happenings(),
    ) {
        let mut world = World::begin(&workflow(&shapes));
        for what in happenings {
            world.happens(what);
            world.check();
        }
        world.check_every_prefix();
    }

    #[test]
    fn a_workflow_in_which_all_goes_well_is_completed(shapes in shapes()) {
        let mut world = World::begin(&workflow(&shapes));
        let all = [
            Happens::Ready(0),
            Happens::Approve,
            Happens::Ready(0),
            Happens::Ends(7),
            Happens::Confirm,
        ];
        for what in all.iter().cycle().take(8 * shapes.len() * all.len()) {
            world.happens(*what);
            world.check();
        }
        prop_assert_eq!(world.next_steps().ended, Some(Ending::Completed));
        // And all of it can be taken back.
        world.happens(Happens::Compensate);
        for what in all.iter().cycle().take(8 * shapes.len() * all.len()) {
            world.happens(*what);
            world.check();
        }
        prop_assert_eq!(world.next_steps().ended, Some(Ending::Compensated));
    }
}
