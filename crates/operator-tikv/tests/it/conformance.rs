//! The promises of every subject, tried for each action on a simulated PD.

use std::time::{Duration, SystemTime};

use action_core::testing::{Example, FakeSystem, assert_conforms};
use async_trait::async_trait;
use operator_tikv::Tikv;
use pd_sim::{Fault, Sim, StoreState, Version};
use serde_json::{Value, json};

use crate::harness::{Run, state};
use crate::{region, stepped, tikv};

/// Checkers do not come round: what they take back by themselves is not what is tried.
const NEVER: Duration = Duration::from_secs(86_400);

/// Where writes go.
const WRITES: [(&str, &str); 9] = [
    ("POST", "/operators"),
    ("DELETE", "/operators"),
    ("POST", "/schedulers"),
    ("DELETE", "/schedulers"),
    ("POST", "/config"),
    ("POST", "/store"),
    ("POST", "/leader"),
    ("DELETE", "/store"),
    ("DELETE", "/stores"),
];

struct FakePd {
    sim: Sim,
    action: String,
    /// Writes before the action, which made something for it to change.
    before: usize,
    region_id: u64,
    /// The region's key in its middle, and its right neighbour.
    middle: String,
    next: u64,
    /// A store that holds a follower of the region, and one that holds none of it.
    other: u64,
    free: u64,
    member: String,
}

#[async_trait]
impl FakeSystem for FakePd {
    type Subject = Tikv;

    async fn start(action: &str) -> Self {
        let builder = stepped(Version::V8_5).members(3);
        let builder = match action {
            "remove_tombstones" => builder.tiflash_stores(1),
            // Checkers are who empties it.
            "offline_store" => builder,
            _ => builder.checker_interval(NEVER),
        };
        let sim = builder.start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        let pd = pd_client::Client::new(sim.endpoint()).unwrap();
        let found = pd
            .region(pd_client::RegionId::new(id).unwrap())
            .await
            .unwrap()
            .unwrap();
        let next = pd.region_by_key(&found.end_key).await.unwrap().unwrap();
        let pause = json!({"scheduler": "balance-region-scheduler", "seconds": 300});
        let moving = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
        let first = match action {
            "stop_drain" => Some(("drain_store", json!({"store_id": "2"}))),
            "cancel_offline" => Some(("offline_store", json!({"store_id": "2"}))),
            "resume_scheduler" => Some(("pause_scheduler", pause)),
            "cancel_operator" => Some(("transfer_peer", moving)),
            // PD spreads what it has scattered before.
            "scatter_region" => Some(("scatter_region", json!({"region_id": id}))),
            _ => None,
        };
        if let Some((name, parameters)) = first {
            for store in 1..=5 {
                sim.set_ignores_operators(store, name == "transfer_peer");
            }
            Run::begin(&sim, name, parameters).await;
            sim.advance(Duration::from_secs(20));
        }
        if action == "remove_tombstones" {
            sim.set_store_state(6, StoreState::Tombstone);
        }
        let leader = sim.leader_name();
        let mut members = ["pd0", "pd1", "pd2"].into_iter();
        let member = members.find(|name| leader.as_deref() != Some(*name));
        Self {
            before: sim.writes().len(),
            action: action.to_owned(),
            region_id: id,
            middle: format!("{}7F", found.start_key),
            next: next.id.get(),
            other,
            free,
            member: member.unwrap().to_owned(),
            sim,
        }
    }

    async fn connect(&self) -> Tikv {
        tikv(&self.sim)
    }

    fn example(&self, action: &str) -> Example {
        let (id, other, free) = (self.region_id, self.other, self.free);
        let no_region = json!({"region_id": 999_999});
        let (store, no_store) = (json!({"store_id": "2"}), json!({"store_id": "99"}));
        let scheduler = "balance-region-scheduler";
        match action {
            "transfer_leader" => Example::new(json!({"region_id": id, "to_store_id": other}))
                .rejected(json!({"region_id": id, "to_store_id": free})),
            "transfer_peer" => {
                Example::new(json!({"region_id": id, "from_store_id": other, "to_store_id": free}))
                    .rejected(json!({"region_id": id, "from_store_id": free, "to_store_id": other}))
            }
            "add_peer" => Example::new(json!({"region_id": id, "store_id": free}))
                .rejected(json!({"region_id": id, "store_id": "99"})),
            "remove_peer" => Example::new(json!({"region_id": id, "store_id": other}))
                .rejected(json!({"region_id": 999_999, "store_id": other})),
            "split_region" => {
                let split =
                    |id| json!({"region_id": id, "policy": "usekey", "keys": [self.middle]});
                Example::new(split(id)).rejected(split(999_999))
            }
            "merge_regions" => {
                let merge = |into| json!({"source_region_id": id, "target_region_id": into});
                Example::new(merge(self.next)).rejected(merge(999_999))
            }
            "scatter_region" => Example::new(json!({"region_id": id})).rejected(no_region),
            "cancel_operator" => {
                Example::new(json!({"region_id": id})).rejected(json!({"region_id": self.next}))
            }
            "stop_drain" => Example::new(store).never_rejected(),
            "offline_store" => Example::new(store)
                .rejected(no_store)
                .taken_back_under_way(),
            "drain_store" | "cancel_offline" => Example::new(store).rejected(no_store),
            "remove_tombstones" => Example::new(json!({})).never_rejected(),
            "set_leader_schedule_limit"
            | "set_region_schedule_limit"
            | "set_replica_schedule_limit" => Example::new(json!({"limit": 1})).never_rejected(),
            "set_low_space_threshold" => Example::new(json!({"percent": 90})).never_rejected(),
            "set_store_limit" => {
                let rate = |id| json!({"store_id": id, "what": "add_peer", "per_minute": 1});
                Example::new(rate("2")).rejected(rate("99"))
            }
            "pause_scheduler" => Example::new(json!({"scheduler": scheduler, "seconds": 60}))
                .rejected(json!({"scheduler": "no-scheduler", "seconds": 60})),
            "resume_scheduler" => Example::new(json!({"scheduler": scheduler}))
                .rejected(json!({"scheduler": "no-scheduler"})),
            "transfer_pd_leader" => {
                Example::new(json!({"member": self.member})).rejected(json!({"member": "pd9"}))
            }
            "get_store" | "get_store_metrics" => Example::new(store),
            "get_region" => Example::new(json!({"region_id": id})),
            "find_region" => Example::new(json!({"key": "", "form": "hex"})),
            "why" => Example::new(json!({"region_id": id})),
            "safe_to_stop" | "scan_safe_to_stop" | "rolling_drain" => {
                Example::new(json!({"store_ids": ["2"]}))
            }
            _ => Example::new(json!({})),
        }
    }

    async fn state(&self) -> Value {
        let mut state = state(&self.sim).await;
        let kept = match self.action.as_str() {
            // Leaders that a drain moved do not come back by themselves, nor replicas that a merge
            // moved.
            "drain_store" | "stop_drain" => 3,
            "merge_regions" => 2,
            _ => 4,
        };
        for region in state["regions"].as_array_mut().unwrap() {
            region.as_array_mut().unwrap().truncate(kept);
        }
        state
    }

    fn writes(&self) -> u64 {
        (self.sim.writes().len() - self.before) as u64
    }

    fn lose_next_request(&self) {
        for (method, path) in WRITES {
            self.sim.fault(Fault::close_before_reading(method, path));
        }
    }

    fn lose_next_answer(&self) {
        for (method, path) in WRITES {
            self.sim.fault(Fault::reply_lost_after_apply(method, path));
        }
    }

    fn become_another(&self) {
        let cluster = json!({"id": 4711, "max_peer_count": 3}).to_string();
        let answer = Fault::answer("GET", "/cluster", 200, "application/json", &cluster);
        self.sim.fault(answer.always());
    }

    async fn pass(&self, time: Duration) {
        self.sim.advance(time);
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        u64::try_from(since.unwrap().as_millis()).unwrap()
    }
}

#[tokio::test]
async fn every_action_keeps_its_promises() {
    assert_conforms::<FakePd>().await;
}
