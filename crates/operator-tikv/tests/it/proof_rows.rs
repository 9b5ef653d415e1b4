//! The rows of `docs/decisions/what-does-not-applied-need.md`: for each mutation of a region, the
//! readings that prove each end, and those that leave it unknown.

mod leader;
mod ranges;
mod replicas;

use std::time::Duration;

use action_core::{Attribution, Progress};
use pd_sim::{Fault, ForeignOperator, Outage, Sim, Version};
use serde_json::{Value, json};

use crate::harness::Run;
use crate::{region, request, stepped};

const BALANCER: &str = "balance-leader-scheduler";

/// The region, its leader, another voter's store, one that holds nothing, and the third voter's.
struct Fixture {
    sim: Sim,
    id: u64,
    leader: u64,
    other: u64,
    free: u64,
    third: u64,
}

impl Fixture {
    async fn start() -> Self {
        Self::of(Version::V8_5).await
    }

    async fn of(version: Version) -> Self {
        let never = Duration::from_secs(86_400);
        let builder = stepped(version).checker_interval(never).members(3);
        let sim = builder.start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        let peers = sim.peers(id);
        let mut stores = peers.iter().map(|peer| peer.store_id);
        let third = stores.find(|one| *one != leader && *one != other).unwrap();
        Self {
            sim,
            id,
            leader,
            other,
            free,
            third,
        }
    }

    /// Plans and sends, which fares as told.
    async fn begin(&self, fate: Fate, name: &str) -> Run<'_> {
        let (id, other, free) = (self.id, self.other, self.free);
        let parameters = match name {
            "transfer_leader" => json!({"region_id": id, "to_store_id": other}),
            "add_peer" => json!({"region_id": id, "store_id": free}),
            "remove_peer" => json!({"region_id": id, "store_id": other}),
            "transfer_peer" => {
                json!({"region_id": id, "from_store_id": other, "to_store_id": free})
            }
            "split_region" => json!({"region_id": id, "policy": "scan"}),
            _ => json!({"region_id": id}),
        };
        self.begin_with(fate, name, parameters).await
    }

    async fn begin_with(&self, fate: Fate, name: &str, parameters: Value) -> Run<'_> {
        match fate {
            Fate::Answered => {}
            Fate::AnswerLost => {
                let fault = Fault::reply_lost_after_apply("POST", "/operators");
                self.sim.fault(fault);
            }
            Fate::NeverArrived => {
                let fault = Fault::dropped_before_apply("POST", "/operators");
                self.sim.fault(fault);
            }
        }
        Run::begin(&self.sim, name, parameters).await
    }

    /// Somebody else's operator, begun and ended.
    fn foreign(&self, operator: ForeignOperator) {
        self.sim.insert_operator(operator).unwrap();
        self.sim.advance(Duration::from_secs(2));
    }

    /// PD's balancer gives the lead to a store.
    fn balanced_to(&self, store: u64) {
        self.foreign(ForeignOperator::transfer_leader(BALANCER, self.id, store));
    }

    fn balanced_elsewhere(&self) {
        self.balanced_to(self.third);
    }

    async fn cancel(&self) {
        let path = format!("/operators/{}", self.id);
        assert_eq!(request(&self.sim, "DELETE", &path, "").await, 200);
    }

    /// The key where the region ends, and the region that begins there.
    async fn next(&self) -> (String, u64) {
        let pd = pd_client::Client::new(self.sim.endpoint()).unwrap();
        let id = pd_client::RegionId::new(self.id).unwrap();
        let border = pd.region(id).await.unwrap().unwrap().end_key;
        let next = pd.region_by_key(&border).await.unwrap().unwrap().id.get();
        (border, next)
    }

    fn lost_memory(&self) {
        self.sim
            .change_leader(Duration::from_secs(1), Outage::NoLeader);
        self.sim.advance(Duration::from_secs(2));
    }

    /// A replica is being added, and is there as a learner.
    fn copying(&self) {
        for _ in 0..100 {
            if self.sim.peers(self.id).len() == 4 {
                return;
            }
            self.sim.advance(Duration::from_millis(10));
        }
    }

    fn done(&self) {
        self.sim.advance(Duration::from_secs(2));
    }
}

/// What a row ends with.
#[derive(Debug, PartialEq)]
enum End {
    /// By whom, and whose name is told as having changed it.
    Applied(Attribution, String),
    /// Why, and whether it may be sent again.
    NotApplied(String, bool),
    Unknown(String),
}

/// It was done by somebody, and then changed by this one.
fn undecided(then_by: &str) -> End {
    End::Applied(Attribution::Undecided, then_by.to_owned())
}

/// It was not, and may be sent again.
fn not_applied(code: &str) -> End {
    End::NotApplied(code.to_owned(), true)
}

fn unknown(code: &str) -> End {
    End::Unknown(code.to_owned())
}

/// How the request fared.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    AnswerLost,
    NeverArrived,
}

async fn ended(run: &Run<'_>) -> End {
    match run.settled(40).await {
        Progress::Applied { by, summary, .. } => {
            let then = summary.split_once("changed by `");
            let name = then.and_then(|(_, then)| then.split_once('`'));
            End::Applied(by, name.map_or("", |(name, _)| name).to_owned())
        }
        Progress::NotApplied {
            cause, retryable, ..
        } => End::NotApplied(cause.code, retryable),
        Progress::NotKnown { cause, .. } => unknown(&cause.code),
        Progress::Pending { stalled, .. } => unknown(stalled.first().map_or("", |one| &one.code)),
        other => unreachable!("{other:?}"),
    }
}
