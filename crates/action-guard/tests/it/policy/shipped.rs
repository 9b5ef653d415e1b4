//! The policies that are shipped say what their comments say.

use std::path::Path;

use action_guard::Policy;

use super::{Case, NOON, actions, moves, usage, used};

fn shipped(name: &str) -> Policy {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies");
    let text = std::fs::read_to_string(directory.join(name)).unwrap();
    let policy: Policy = text.parse().unwrap();
    policy.check_actions(&actions()).unwrap();
    policy
}

#[test]
fn the_read_only_policy_lets_people_take_back_and_nothing_else() {
    let policy = shipped("read-only.toml");
    let no = "nothing else changes";
    for action in actions() {
        for actor in ["user:alice", "agent:night", "system"] {
            Case::of(&action.name, actor).says(&policy, "deny", no);
        }
    }
    let taking_back = |actor| Case {
        takes_back: true,
        ..Case::of("stop_drain", actor)
    };
    taking_back("user:alice").says(&policy, "allow", "people take back what we left");
    taking_back("agent:night").says(&policy, "deny", no);
}

#[test]
fn the_supervised_policy_wants_people_to_agree() {
    let policy = shipped("supervised.toml");
    for actor in ["user:alice", "agent:night"] {
        Case::of("transfer_leader", actor).says(&policy, "approve 1", "the rest, one person");
        Case::of("split_region", actor).says(&policy, "approve 1", "the rest, one person");
        Case::of("drain_store", actor).says(&policy, "approve 2", "high risk, two people");
        Case::of("transfer_peer", actor).says(&policy, "approve 2", "high risk, two people");
        for time in [
            "2026-11-24T17:00:00Z",
            "2026-11-24T06:59:59Z",
            "2026-11-28T12:00:00Z",
        ] {
            let late = Case {
                time,
                ..Case::of("drain_store", actor)
            };
            late.says(&policy, "deny", "no high risk outside of working hours");
        }
        let taking_back = Case {
            takes_back: true,
            time: "2026-11-28T03:00:00Z",
            ..Case::of("stop_drain", actor)
        };
        taking_back.says(&policy, "allow", "taking back our own effects");
    }
    let drained = moves(10, 0, &["zone=a"]);
    let one_drain = || {
        usage(vec![used(
            "drain_store",
            "user:bob",
            "2026-11-24T09:00:00Z",
            false,
            true,
            &drained,
        )])
    };
    let second = Case {
        usage: one_drain(),
        ..Case::of("drain_store", "user:alice")
    };
    second.says(&policy, "deny", "one store at a time");
    // Moving a leader out of there is no second store.
    let across = Case {
        usage: one_drain(),
        plan: moves(1, 0, &["zone=a", "zone=b"]),
        ..Case::of("transfer_leader", "user:alice")
    };
    across.says(&policy, "approve 1", "the rest, one person");
}

#[test]
fn the_autonomous_policy_lets_agents_work_within_bounds() {
    let policy = shipped("autonomous-within-budget.toml");
    let agent = "agent:night";
    Case::of("transfer_leader", agent).says(&policy, "allow", "agents may move leaders and load");
    Case::of("drain_store", agent).says(&policy, "allow", "agents may drain a store");
    Case::of("transfer_peer", agent).says(&policy, "approve 1", "agents ask for the rest");
    let across = |domains: &[&str]| Case {
        plan: moves(1, 0, domains),
        ..Case::of("transfer_leader", agent)
    };
    let within = "agents may move leaders and load";
    across(&["zone=a", "zone=b"]).says(&policy, "allow", within);
    across(&["zone=a", "zone=b", "zone=c", "zone=d"]).says(&policy, "deny", "blast radius");
    let drained = used(
        "drain_store",
        agent,
        NOON,
        false,
        true,
        &moves(9, 0, &["zone=a"]),
    );
    let second = Case {
        usage: usage(vec![drained]),
        ..Case::of("drain_store", agent)
    };
    second.says(&policy, "deny", "one store at a time");
    let alice = "user:alice";
    let alone = "people, but not for high risk alone";
    Case::of("transfer_leader", alice).says(&policy, "allow", alone);
    let asks = "people ask another person for high risk";
    Case::of("drain_store", alice).says(&policy, "approve 1", asks);
    Case::of("transfer_leader", "system").says(&policy, "deny", "");
    let batch = Case {
        time: "2026-11-29T01:00:00Z",
        ..Case::of("transfer_leader", agent)
    };
    batch.says(&policy, "deny", "hands off during the batch load");

    let still = moves(1, 0, &[]);
    let busy_hour = |sent: usize, by| {
        let one = used(
            "transfer_leader",
            by,
            "2026-11-24T11:30:00Z",
            false,
            false,
            &still,
        );
        usage(vec![one; sent])
    };
    let cases = [
        (busy_hour(19, agent), "allow", within),
        (busy_hour(20, agent), "deny", "an agent's hour"),
        (busy_hour(20, "agent:other"), "deny", "an agent's hour"),
        (busy_hour(20, alice), "allow", within),
    ];
    for (usage, answer, by) in cases {
        let case = Case {
            usage,
            ..Case::of("transfer_leader", agent)
        };
        case.says(&policy, answer, by);
    }
    let moving = |in_motion| {
        let plan = moves(4_990, 0, &[]);
        usage(vec![used(
            "drain_store",
            alice,
            "2026-11-24T11:00:00Z",
            in_motion,
            false,
            &plan,
        )])
    };
    for (in_motion, leaders, answer, by) in [
        (true, 10, "allow", within),
        (true, 11, "deny", "blast radius"),
        (false, 11, "allow", within),
    ] {
        let case = Case {
            usage: moving(in_motion),
            plan: moves(leaders, 0, &[]),
            ..Case::of("transfer_leader", agent)
        };
        case.says(&policy, answer, by);
    }
    let too_much = Case {
        plan: moves(0, 20_481, &[]),
        ..Case::of("transfer_leader", agent)
    };
    too_much.says(&policy, "deny", "blast radius");
}
