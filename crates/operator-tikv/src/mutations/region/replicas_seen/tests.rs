//! What the replicas of a region show, row by row.

use pd_client::operators::{Operator, OperatorEpoch};
use serde_json::json;

use super::*;

const VOTER: u8 = 0;
const LEARNER: u8 = 1;
const DEMOTING: u8 = 3;

/// The stores' replicas, each with its own id and role.
type Peers = &'static [(u64, u64, u8)];

const BEFORE: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (13, 3, VOTER)];

fn region(grown: u64, peers: Peers, pending: Option<u64>) -> Region {
    let all = peers
        .iter()
        .map(|(id, store_id, role)| json!({"id": id, "store_id": store_id, "role": role}));
    let all: Vec<_> = all.collect();
    let late = all.iter().filter(|peer| peer["id"].as_u64() == pending);
    let late: Vec<_> = late.collect();
    let epoch = json!({"conf_ver": 5 + grown, "version": 7});
    let mut region = json!({"id": 9, "start_key": "", "end_key": ""});
    region["epoch"] = epoch;
    region["peers"] = json!(all);
    region["pending_peers"] = json!(late);
    serde_json::from_value(region).unwrap()
}

/// An operator of somebody else, made when `conf_ver` had grown so much.
fn by_another(grown: u64, steps: &[&str]) -> Operator {
    let (mut operator, mut epoch) = (Operator::default(), OperatorEpoch::default());
    (epoch.version, epoch.conf_ver) = (7, 5 + grown);
    operator.epoch = Some(epoch);
    operator.steps = steps.iter().map(|step| (*step).to_owned()).collect();
    operator
}

/// What the region shows that had these replicas, and has those.
struct Look {
    before: Peers,
    grown: u64,
    now: Peers,
    pending: Option<u64>,
    other: Option<Operator>,
}

fn look(grown: u64, now: Peers) -> Look {
    Look {
        before: BEFORE,
        grown,
        now,
        pending: None,
        other: None,
    }
}

impl Look {
    fn before(self, before: Peers) -> Self {
        Self { before, ..self }
    }

    fn pending(self, id: u64) -> Self {
        let pending = Some(id);
        Self { pending, ..self }
    }

    fn beside(self, other: Operator) -> Self {
        let other = Some(other);
        Self { other, ..self }
    }

    fn shows(&self, of: impl Fn(&Replicas<'_>) -> Shows) -> String {
        let before = RegionFacts::of(&region(0, self.before, None));
        let now = region(self.grown, self.now, self.pending);
        let since = Since {
            before: &before,
            others: self.other.iter().map(ForeignOperator).collect(),
        };
        let facts = RegionFacts::of(&now);
        match of(&Replicas::new(&since, &now, &facts)) {
            Shows::Done(text) => format!("done: {text}"),
            Shows::WasDone(text) => format!("was: {text}"),
            Shows::HalfDone(text) => text,
            Shows::NotDone { same } => format!("not done, same {same}"),
            Shows::Unclear { same } => format!("unclear, same {same}"),
            Shows::Gone => "gone".to_owned(),
        }
    }

    fn added(&self, role: &str) -> String {
        self.shows(|replicas| replicas.added(store(4), role))
    }

    fn removed(&self) -> String {
        self.shows(|replicas| replicas.removed(store(3)))
    }

    fn moved(&self) -> String {
        self.shows(|replicas| replicas.moved(store(3), store(4)))
    }
}

fn store(id: u64) -> StoreId {
    StoreId::new(id).unwrap()
}

const WITH_VOTER: Peers = &[
    (11, 1, VOTER),
    (12, 2, VOTER),
    (13, 3, VOTER),
    (14, 4, VOTER),
];
const WITH_LEARNER: Peers = &[
    (11, 1, VOTER),
    (12, 2, VOTER),
    (13, 3, VOTER),
    (14, 4, LEARNER),
];
/// One of them is on its way to be a learner.
const JOINT: Peers = &[(11, 1, VOTER), (12, 2, DEMOTING), (13, 3, VOTER)];
const WITHOUT: Peers = &[(11, 1, VOTER), (12, 2, VOTER)];
const WITH_A_FIFTH: Peers = &[
    (11, 1, VOTER),
    (12, 2, VOTER),
    (13, 3, VOTER),
    (15, 5, LEARNER),
];

#[test]
fn a_replica_that_is_there_was_added_in_its_role_when_it_keeps_up() {
    for (seen, asked, expected) in [
        (
            look(2, WITH_VOTER),
            "Voter",
            "done: store 4 holds a Voter of the region",
        ),
        (
            look(1, WITH_LEARNER),
            "Learner",
            "done: store 4 holds a Learner of the region",
        ),
        (
            look(2, WITH_VOTER),
            "Learner",
            "was: store 4 held a Learner of the region",
        ),
        (
            look(2, WITH_VOTER).pending(14),
            "Voter",
            "half added: store 4 holds a Voter",
        ),
        (
            look(1, WITH_LEARNER).pending(14),
            "Learner",
            "half added: store 4 holds a Learner",
        ),
        (
            look(1, WITH_LEARNER),
            "Voter",
            "half added: store 4 holds a Learner",
        ),
    ] {
        assert_eq!(seen.added(asked), expected, "{asked}");
    }
}

#[test]
fn a_replica_that_is_not_there_was_added_as_far_as_the_changes_allow() {
    let half = "half changed: store 1 Voter, store 2 DemotingVoter, store 3 Voter";
    let removes = |grown| by_another(grown, &["remove peer on store 4"]);
    let demotes = [
        "demote voter peer 14 on store 4 to learner",
        "remove peer on store 4",
    ];
    let replaces = ["add learner peer 15 on store 5", "remove peer on store 4"];
    let was = "was: store 4 held a Voter of the region";
    for (seen, asked, expected) in [
        (look(0, BEFORE), "Voter", "not done, same true"),
        (look(2, WITHOUT), "Voter", "not done, same false"),
        (look(3, BEFORE), "Voter", "unclear, same true"),
        (look(3, WITHOUT), "Voter", "unclear, same false"),
        (look(1, BEFORE), "Learner", "not done, same true"),
        (look(2, BEFORE), "Learner", "unclear, same true"),
        (look(1, JOINT), "Voter", half),
        // Whoever took it away says what it was, or how much had been done by then.
        (
            look(4, BEFORE).beside(by_another(3, &demotes)),
            "Voter",
            was,
        ),
        (
            look(2, BEFORE).beside(removes(1)),
            "Learner",
            "was: store 4 held a Learner of the region",
        ),
        (
            look(2, BEFORE).beside(removes(1)),
            "Voter",
            "not done, same true",
        ),
        (look(3, BEFORE).beside(removes(2)), "Voter", was),
        (
            look(4, BEFORE).beside(removes(3)),
            "Voter",
            "unclear, same true",
        ),
        // The second change may have been that of another replica.
        (
            look(3, WITHOUT).beside(removes(2)),
            "Voter",
            "unclear, same false",
        ),
        (
            look(3, WITH_A_FIFTH).beside(removes(2)),
            "Voter",
            "unclear, same false",
        ),
        (
            look(4, WITH_A_FIFTH).beside(by_another(2, &replaces)),
            "Voter",
            was,
        ),
    ] {
        assert_eq!(seen.added(asked), expected, "{asked}");
    }
}

#[test]
fn a_replica_was_removed_when_its_own_id_is_gone() {
    const ANOTHER: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (16, 3, VOTER)];
    const DEMOTED: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (13, 3, LEARNER)];
    for (seen, expected) in [
        (
            look(1, WITHOUT),
            "done: store 3 holds no replica of the region",
        ),
        (
            look(3, ANOTHER),
            "was: the replica on store 3 was removed, and a new one is there",
        ),
        (look(1, DEMOTED), "half removed: store 3 holds a Learner"),
        (
            look(1, JOINT),
            "half changed: store 1 Voter, store 2 DemotingVoter, store 3 Voter",
        ),
        (look(0, BEFORE), "not done, same true"),
        (look(1, WITH_LEARNER), "not done, same false"),
    ] {
        assert_eq!(seen.removed(), expected);
    }
}

const MOVED: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (14, 4, VOTER)];
const AS_LEARNER: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (14, 4, LEARNER)];
const MOVED_JOINT: Peers = &[(11, 1, VOTER), (12, 2, DEMOTING), (14, 4, VOTER)];
const CAME_BACK: Peers = &[
    (11, 1, VOTER),
    (12, 2, VOTER),
    (14, 4, VOTER),
    (16, 3, LEARNER),
];
const LEARNER_ON_3: Peers = &[(11, 1, VOTER), (12, 2, VOTER), (13, 3, LEARNER)];

#[test]
fn a_replica_was_moved_when_it_is_there_and_gone_from_here() {
    let here = "half moved: store 3 holds nothing, store 4 holds Voter";
    let was = "was: the replica moved from store 3 to store 4";
    let demotes = "demote voter peer 14 on store 4 to learner";
    let from_there = || by_another(4, &[demotes, "remove peer on store 4"]);
    let both = ["remove peer on store 3", demotes, "remove peer on store 4"];
    for (seen, expected) in [
        (look(0, BEFORE), "not done, same true"),
        (
            look(1, WITH_LEARNER),
            "half moved: store 3 holds Voter, store 4 holds Learner",
        ),
        (
            look(1, JOINT),
            "half moved: store 3 holds Voter, store 4 holds nothing",
        ),
        (
            look(3, MOVED),
            "done: store 4 holds the replica, store 3 none",
        ),
        (look(3, MOVED).pending(14), here),
        (look(3, MOVED_JOINT), here),
        (look(4, CAME_BACK), was),
        (
            look(2, AS_LEARNER),
            "half moved: store 3 holds nothing, store 4 holds Learner",
        ),
        (look(1, WITHOUT), "not done, same false"),
        (look(3, WITHOUT), "not done, same false"),
        (look(4, WITHOUT), "unclear, same false"),
        (
            look(2, WITHOUT).before(LEARNER_ON_3),
            "not done, same false",
        ),
        (look(3, WITHOUT).before(LEARNER_ON_3), "unclear, same false"),
        (look(5, WITHOUT).beside(from_there()), was),
        (
            look(5, WITHOUT).before(LEARNER_ON_3).beside(from_there()),
            "unclear, same false",
        ),
        // Who took both away says nothing of the one after the other.
        (
            look(5, WITHOUT).beside(by_another(1, &both)),
            "unclear, same false",
        ),
        (
            look(5, WITHOUT).beside(by_another(4, &["remove peer on store 4"])),
            "unclear, same false",
        ),
    ] {
        assert_eq!(seen.moved(), expected);
    }
}
