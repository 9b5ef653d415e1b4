//! Several gates on one journal: by one policy, or nothing is proposed or sent.

use std::sync::Arc;

use action_guard::{Guard, GuardError, Policy, ProvenBy, Refusal, Request};
use serde_json::json;

use crate::fixtures::{actor, lists_ana};
use crate::guard_fixture::{Asked as _, Workbench, execute};

fn gate(bench: &Workbench, more: &str) -> Guard {
    let all = "[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    let policy = lists_ana() + all + more;
    let policy: Policy = policy.parse().unwrap();
    bench.guard_under(policy).only_proven().of_a_gate()
}

fn turn(dial: &str) -> Request {
    let night = actor("agent:night").proven(ProvenBy::Gate);
    Request::new("turn_dial", json!({"dial": dial, "value": 1}), &night)
}

#[track_caller]
fn is_other<T: std::fmt::Debug>(result: Result<T, GuardError>) {
    let error = result.unwrap_err();
    let is_it = matches!(&error, GuardError::Refused(Refusal::OtherPolicy { .. }));
    assert!(is_it, "{error:?}");
}

#[tokio::test]
async fn while_two_gates_differ_neither_proposes_or_sends_and_one_alone_does() {
    let bench = Workbench::new().await;
    let (one, same) = (gate(&bench, ""), gate(&bench, ""));
    let before = one.propose(turn("x")).await.unwrap().asked();
    same.gate_opened().await.unwrap();
    same.propose(turn("y")).await.unwrap().asked();
    let other = gate(&bench, "# newer\n");
    other.gate_opened().await.unwrap();
    for gate in [&one, &same, &other] {
        is_other(gate.propose(turn("z")).await);
        assert!(gate.other_policy().await.unwrap().is_some());
    }
    is_other(execute(&one, &before).await);
    assert!(bench.server.senders("x").is_empty());
    // One that is told to end says so.
    other.gate_closed().await.unwrap();
    other.gate_closed().await.unwrap();
    execute(&one, &before).await.unwrap();
    // One that is gone says nothing.
    let killed = gate(&bench, "# newest\n");
    killed.gate_opened().await.unwrap();
    is_other(one.propose(turn("z")).await);
    drop(killed);
    // What it held is let go of when its thread has ended.
    while one.other_policy().await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    one.propose(turn("z")).await.unwrap().asked();
    assert_eq!(bench.records("gate_opened").await, 4);
    assert_eq!(bench.records("gate_closed").await, 1);
}

/// What is no gate has no say in it.
#[tokio::test]
async fn a_process_that_is_no_gate_is_not_asked() {
    let bench = Workbench::new().await;
    let one = gate(&bench, "");
    one.propose(turn("x")).await.unwrap().asked();
    let policy = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n# x\n";
    let policy: Policy = policy.parse().unwrap();
    let local = bench.guard().rules(Arc::new(policy));
    let claimed = Request::new("turn_dial", json!({"dial": "y", "value": 1}), "agent:night");
    local.propose(claimed).await.unwrap().asked();
    one.propose(turn("z")).await.unwrap().asked();
    assert_eq!(bench.records("gate_opened").await, 1);
}
