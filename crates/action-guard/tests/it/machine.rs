//! Whatever people, agents and processes do in whatever order: what is accepted is what a much
//! simpler description of the rules says.
//!
//! An adversary once found seven ways past it. Why it could not have, and what looks there now:
//!
//! | What was broken | Why this model could not find it | Found now by |
//! |---|---|---|
//! | 1 a change that happened was called not applied | outcomes are given to it: it knows no system that they are true of, and no others who change that | `operator-tikv/interleavings`, `end-to-end/adversary`: PD's history is the judge |
//! | 2 an agent sent with a person's authority | nobody was at a proposal but who asked; it knew no workflows | `flow_model`, `authority`; workflows with two actors in `end-to-end/adversary` |
//! | 3 sends after a stop | an intent was the send: nothing lay between them | `permit`; stops in `end-to-end/adversary` |
//! | 4 anybody released anything | there were no lasting effects, and no releases | here: `Try::Release` |
//! | 5 the write went to another cluster | there was one system, and it never changed | `pd-client/write_connections`, `settling` |
//! | 6 a stale plan was sent | plans were the same for ever; what was changed since is here by now | here: `Model::changed`; `end-to-end/adversary` |
//! | 7 a typing error in a policy allowed | rulings were made up, not read from a policy | `policy/errors`; a file that is wrong in `policies` |
//!
//! And clocks only went forward: here by `Try::Back`. And what was ruled once stayed so: no policy was
//! ever changed. In `policies` it is, between any two steps, and between the plan, the intent and the
//! send of one; `end-to-end/adversary` does the same to whole processes.

use action_guard::{Ledger, State};
use jiff::Timestamp;
use proptest::prelude::*;

mod model;
mod policies;

use model::{Model, after};

const ACTORS: [&str; 6] = [
    "user:ana",
    "user:Ana",
    "user:ben",
    "user:carl",
    "agent:night",
    "system",
];
const INSTANCES: [&str; 2] = ["one", "two"];

/// What somebody tries.
#[derive(Debug, Clone)]
enum Try {
    Propose {
        id: u8,
        by: usize,
        ruling: usize,
        resource: u8,
        lasts: i64,
    },
    Approve {
        id: u8,
        by: usize,
        seen: bool,
        lasts: i64,
    },
    Reject {
        id: u8,
        by: usize,
    },
    Cancel {
        id: u8,
        by: usize,
    },
    Intent {
        id: u8,
        instance: usize,
    },
    Answer {
        id: u8,
        instance: usize,
    },
    Outcome {
        id: u8,
        instance: usize,
        applied: Option<bool>,
    },
    Mode {
        execute: bool,
        by: usize,
    },
    Kill {
        by: usize,
    },
    Reset {
        by: usize,
    },
    Release {
        id: u8,
        by: usize,
    },
    Wait {
        seconds: i64,
    },
    /// The clock is set back.
    Back {
        seconds: i64,
    },
}

fn attempts() -> impl Strategy<Value = Vec<Try>> {
    let (id, by, instance) = (0_u8..5, 0..ACTORS.len(), 0..INSTANCES.len());
    let propose = (id.clone(), by.clone(), 0_usize..4, 0_u8..3, 1_i64..120);
    let one = prop_oneof![
        4 => propose.prop_map(|(id, by, ruling, resource, lasts)| Try::Propose { id, by, ruling, resource, lasts }),
        6 => (id.clone(), by.clone(), prop::bool::weighted(0.9), -2_i64..60)
            .prop_map(|(id, by, seen, lasts)| Try::Approve { id, by, seen, lasts }),
        1 => (id.clone(), by.clone()).prop_map(|(id, by)| Try::Reject { id, by }),
        1 => (id.clone(), by.clone()).prop_map(|(id, by)| Try::Cancel { id, by }),
        6 => (id.clone(), instance.clone()).prop_map(|(id, instance)| Try::Intent { id, instance }),
        2 => (id.clone(), instance.clone()).prop_map(|(id, instance)| Try::Answer { id, instance }),
        3 => (id, instance, any::<Option<bool>>())
            .prop_map(|(id, instance, applied)| Try::Outcome { id, instance, applied }),
        3 => (prop::bool::weighted(0.8), by.clone()).prop_map(|(execute, by)| Try::Mode { execute, by }),
        1 => by.clone().prop_map(|by| Try::Kill { by }),
        2 => by.clone().prop_map(|by| Try::Reset { by }),
        2 => (0_u8..5, by).prop_map(|(id, by)| Try::Release { id, by }),
        1 => (1_i64..20).prop_map(|seconds| Try::Back { seconds }),
        3 => (0_i64..30).prop_map(|seconds| Try::Wait { seconds }),
    ];
    prop::collection::vec(one, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::cases(150, 5_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_is_what_the_rules_say_in_whatever_order(attempts in attempts()) {
        let (mut ledger, mut model) = (Ledger::new(), Model::default());
        let mut now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let mut lines = Vec::new();
        for one in &attempts {
            match one {
                Try::Wait { seconds } => now = after(now, *seconds),
                Try::Back { seconds } => now = after(now, -seconds),
                _ => {}
            }
            let Some((record, may)) = model.tried(one, now) else { continue };
            let instance = match one {
                Try::Intent { instance, .. } | Try::Answer { instance, .. } | Try::Outcome { instance, .. } => INSTANCES[*instance],
                _ => INSTANCES[0],
            };
            let before = ledger.state().clone();
            let written = ledger.write(vec![record], now, instance);
            prop_assert_eq!(written.is_ok(), may, "{:?}: {:?}\n{:?}", one, written.err().map(|error| error.to_string()), model);
            match written {
                Ok(sealed) => {
                    lines.extend(sealed.into_iter().map(|sealed| sealed.line));
                    model.happens(one, now);
                }
                // What is refused changes nothing.
                Err(_) => prop_assert_eq!(&before, ledger.state()),
            }
            prop_assert!(model.asked.values().all(|asked| asked.sends <= 1));
            let in_force: Vec<String> = ledger.state().effects.keys().cloned().collect();
            prop_assert_eq!(in_force, model.in_force());
        }
        let mut again = Ledger::new();
        for line in &lines {
            again.follow(line.as_bytes()).unwrap();
        }
        prop_assert_eq!(again.state(), ledger.state());
        let json = serde_json::to_string(&**ledger.state()).unwrap();
        prop_assert_eq!(&serde_json::from_str::<State>(&json).unwrap(), &**ledger.state());
    }
}
