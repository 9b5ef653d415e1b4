//! One mutation from its plan to its outcome, by name, with its requests counted.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use action_core::{
    ActionRegistry, Attribution, Cause, Evidence, Outcome, Plan, Progress, Settled, Subject, Undo,
};
use operator_tikv::{OUTCOMES, OutcomeEnd, Tikv};
use pd_sim::Sim;
use serde_json::{Value, json};

use crate::Sending;

/// A plan reads so often at most, where the stores that are read one by one, at the same time, count once.
const PLAN_READS: usize = 14;

/// That of a drain also reads which leaders would stay: two reads, or nine where a store holds many
/// regions, and one for each scheduler that may keep leaders from a store.
const DRAIN_PLAN_READS: usize = 25;

/// A probe reads so often at most.
const PROBE_READS: usize = 7;

/// That of a store that is being emptied also reads what keeps PD from replacing replicas: three
/// reads, whatever else there is; where they may go: the rules and PD's version; and whether PD knows a
/// region for every key.
const EMPTIED_PROBE_READS: usize = PROBE_READS + 6;

/// A process that has not looked before reads the stores once, to tell whether counts are complete.
const FIRST_LOOK_READS: usize = 1;

/// So many stores are read one by one at most: those that hold a replica, and two that are asked about.
const STORES_READ: usize = 8;

/// That of a drain with few leaders left also reads what keeps each of them: the rules, and each
/// scheduler that may keep leaders from a store.
const DRAIN_PROBE_READS: usize = PROBE_READS + 5;

/// The one that finds a store drained also says whether it is safe to stop, and reads so often.
const DRAINED_READS: usize = 24;

/// Codes are words that nobody has to quote or escape.
pub(crate) fn is_code(code: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    code.bytes().all(is_part)
}

/// All mutations, by name: what each list of them in the tests is compared with.
pub(crate) fn mutations() -> BTreeSet<String> {
    let actions = Tikv::actions();
    let mutations = actions.definitions().filter(|one| one.is_mutation());
    mutations.map(|one| one.name.clone()).collect()
}

/// A list of mutations names all there are, and no others.
#[track_caller]
pub(crate) fn assert_are_all_mutations<'a>(list: &str, names: impl IntoIterator<Item = &'a str>) {
    let names: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
    let all = mutations();
    let missing: Vec<_> = all.difference(&names).collect();
    let strange: Vec<_> = names.difference(&all).collect();
    assert!(missing.is_empty(), "{list}: add {missing:?}");
    assert!(strange.is_empty(), "{list}: {strange:?} is no mutation");
}

fn registry(sim: &Sim) -> ActionRegistry {
    let mut registry = ActionRegistry::new();
    // A machine at its limit is no PD that does not answer.
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let pd = pd.with_read_deadline(Duration::from_secs(60));
    registry.register(Tikv::new(pd)).unwrap();
    registry
}

/// How often a store was read by itself.
fn read_one_by_one(sim: &Sim) -> usize {
    // Whichever: ids are not told apart there.
    sim.received("GET", "/store/1")
}

/// A mutation that was planned, and perhaps sent.
pub(crate) struct Run<'a> {
    sim: &'a Sim,
    registry: ActionRegistry,
    pub(crate) name: String,
    pub(crate) parameters: Value,
    pub(crate) plan: Plan,
    pub(crate) sending: Sending,
    /// What PD said when it refused, or how the answer was lost.
    pub(crate) failure: Option<String>,
    /// Whether this process planned it or has looked: then it knows whether counts are complete.
    has_looked: AtomicBool,
    /// What earlier probes read, as whoever follows it keeps it.
    earlier: Mutex<Vec<Evidence>>,
}

impl<'a> Run<'a> {
    /// Plans, which reads only, and sends, which is one write and no more.
    pub(crate) async fn begin(sim: &'a Sim, name: &str, parameters: Value) -> Self {
        let mut run = Self::planned(sim, name, parameters).await;
        let writes = sim.writes().len();
        run.sending = Sending::now(sim);
        let sent = run
            .registry
            .send(
                name,
                run.parameters.clone(),
                &run.plan.before,
                &run.sending.attempt,
            )
            .await;
        assert_eq!(sim.writes().len(), writes + 1, "{name}: one write");
        match sent {
            Ok(accepted) => run.sending.accepted = Some(accepted),
            Err(error) => run.failure = Some(error.report()),
        }
        run
    }

    pub(crate) async fn planned(sim: &'a Sim, name: &str, parameters: Value) -> Self {
        let registry = registry(sim);
        let (before, writes) = (sim.received_total(), sim.writes().len());
        let stores_before = read_one_by_one(sim);
        let plan = registry.plan(name, parameters.clone()).await;
        let plan = plan.unwrap_or_else(|error| unreachable!("{name}: {}", error.report()));
        let stores = read_one_by_one(sim) - stores_before;
        assert!(stores <= STORES_READ, "{name}: a plan of {stores} stores");
        let reads = sim.received_total() - before - stores.saturating_sub(1);
        let most = if name == "drain_store" {
            DRAIN_PLAN_READS
        } else {
            PLAN_READS
        };
        assert!(reads <= most, "{name}: a plan of {reads} reads");
        assert_eq!(sim.writes().len(), writes, "{name}: a plan reads only");
        Self {
            sim,
            registry,
            name: name.to_owned(),
            parameters,
            plan,
            sending: Sending::now(sim),
            failure: None,
            has_looked: AtomicBool::new(true),
            earlier: Mutex::default(),
        }
    }

    /// From now on another process follows it, which has not looked before.
    pub(crate) fn is_followed_by_another(&mut self) {
        self.registry = registry(self.sim);
        self.has_looked = AtomicBool::new(false);
    }

    pub(crate) async fn probe(&self) -> Progress {
        let before = self.sim.received_total();
        let earlier = self.earlier.lock().unwrap().clone();
        let sent = self.sending.sent(self.sim).earlier(earlier);
        let parameters = self.parameters.clone();
        let progress = self
            .registry
            .probe(&self.name, parameters, &self.plan.before, &sent)
            .await;
        let reads = self.sim.received_total() - before;
        let progress =
            progress.unwrap_or_else(|error| unreachable!("{}: {}", self.name, error.report()));
        let is_drained = self.name == "drain_store" && matches!(progress, Progress::Applied { .. });
        let most = match self.name.as_str() {
            _ if is_drained => DRAINED_READS,
            "offline_store" => EMPTIED_PROBE_READS,
            "drain_store" => DRAIN_PROBE_READS,
            _ => PROBE_READS,
        };
        let most = match self.has_looked.swap(true, Ordering::Relaxed) {
            true => most,
            false => most + FIRST_LOOK_READS,
        };
        assert!(reads <= most, "{}: a probe of {reads} reads", self.name);
        match &progress {
            Progress::NotApplied { cause, .. } => self.is_listed(OutcomeEnd::NotApplied, cause),
            Progress::NotKnown { cause, .. } => self.is_listed(OutcomeEnd::Unknown, cause),
            // The first is the code, if it ends so.
            Progress::Pending {
                stalled, evidence, ..
            } => {
                self.earlier.lock().unwrap().extend(evidence.clone());
                if let Some(cause) = stalled.first() {
                    self.is_listed(OutcomeEnd::Unknown, cause);
                }
            }
            _ => {}
        }
        progress
    }

    /// An end has a row in the table of outcomes, for this mutation.
    fn is_listed(&self, end: OutcomeEnd, cause: &Cause) {
        let row = OUTCOMES
            .iter()
            .find(|row| row.end == end && row.code == cause.code);
        let row = row.unwrap_or_else(|| unreachable!("no row for {end:?} {cause:?}"));
        let gives = row.mutations.contains(&self.name.as_str());
        assert!(gives, "{} gives {end:?} {cause:?}", self.name);
    }

    /// Lets time pass until it is known how it ended, or for so many seconds.
    pub(crate) async fn settled(&self, seconds: u64) -> Progress {
        let mut last = self.probe().await;
        for _ in 0..2 * seconds {
            if !matches!(last, Progress::Pending { .. }) {
                break;
            }
            self.sim.advance(Duration::from_millis(500));
            last = self.probe().await;
        }
        last
    }

    /// Whether what was applied is still so.
    pub(crate) async fn look_again(&self) -> Settled {
        let sent = self.sending.sent(self.sim);
        let parameters = self.parameters.clone();
        let before = &self.plan.before;
        let settled = self.registry.settled(&self.name, parameters, before, &sent);
        let settled = settled.await.unwrap();
        // Why it is not known has codes of the guard's own.
        if let Some(cause) = settled.cause.as_ref().filter(|_| settled.is_reversed()) {
            self.is_listed(OutcomeEnd::Reversed, cause);
        }
        settled
    }

    /// What takes it back, after this end of it.
    pub(crate) fn undo(&self, progress: &Progress) -> Undo {
        let outcome = match progress {
            Progress::Applied {
                by,
                summary,
                evidence,
            } => Some(Outcome::applied(*by, summary.clone(), evidence.clone())),
            _ => None,
        };
        let parameters = self.parameters.clone();
        let undo = self.registry.undo(
            &self.name,
            parameters,
            &self.plan.before,
            self.sending.accepted.as_ref(),
            outcome.as_ref(),
        );
        undo.unwrap()
    }

    /// Takes it back by its own undo, whose expectations hold.
    pub(crate) async fn take_back(&self, progress: &Progress) -> Run<'a> {
        let undo = self.undo(progress);
        let Undo::Action {
            name, parameters, ..
        } = &undo
        else {
            unreachable!("{}: {undo:?}", self.name);
        };
        let parameters = Value::Object(parameters.clone());
        let planned = Self::planned(self.sim, name, parameters.clone()).await;
        let drift = undo.drift(&planned.plan);
        assert!(drift.is_empty(), "{}: {drift:?}", self.name);
        assert!(
            planned.plan.verdict.may_be_sent(),
            "{}: {:?}",
            self.name,
            planned.plan.verdict
        );
        Self::begin(self.sim, name, parameters).await
    }
}

/// It is applied, and by whom.
#[track_caller]
pub(crate) fn applied(progress: &Progress, case: impl Display) -> Attribution {
    match progress {
        Progress::Applied { by, .. } => *by,
        other => unreachable!("{case}: {other:?}"),
    }
}

/// Nothing can be said yet.
#[track_caller]
pub(crate) fn pending(progress: &Progress, case: impl Display) {
    assert!(
        matches!(progress, Progress::Pending { .. }),
        "{case}: {progress:?}"
    );
}

/// The stable code of why it will never be known.
#[track_caller]
pub(crate) fn not_known(progress: &Progress) -> &str {
    match progress {
        Progress::NotKnown { cause, .. } => &cause.code,
        other => unreachable!("{other:?}"),
    }
}

/// The stable code of the first reason why it does not go on.
#[track_caller]
pub(crate) fn stalled(progress: &Progress) -> &str {
    match progress {
        Progress::Pending { stalled, .. } => &stalled[0].code,
        other => unreachable!("{other:?}"),
    }
}

/// The stable code of an end that is not "applied".
#[track_caller]
pub(crate) fn code(progress: &Progress) -> &str {
    match progress {
        Progress::NotApplied { cause, .. } => &cause.code,
        other => unreachable!("{other:?}"),
    }
}

/// Whatever can be read that a mutation may change. Regions are told by their keys.
pub(crate) async fn state(sim: &Sim) -> Value {
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let regions = pd
        .regions_between("", "", std::num::NonZeroU16::new(200).unwrap())
        .await
        .unwrap();
    let regions = regions.iter().map(|region| {
        let mut peers: Vec<_> = region
            .peers
            .iter()
            .map(|peer| format!("{} {:?}", peer.store_id, peer.role))
            .collect();
        peers.sort();
        let leader = region.leader.map(|leader| leader.store_id.get());
        json!([region.start_key, region.end_key, peers, leader])
    });
    let mut stores = pd.stores().await.unwrap();
    let gone = pd.stores_in(&[pd_client::stores::StoreLife::Tombstone]);
    stores.extend(gone.await.unwrap());
    let stores = stores
        .iter()
        .map(|store| json!([store.id.get(), format!("{:?}", store.state_name)]));
    let paused = pd.paused_schedulers().await.unwrap();
    let paused: Vec<_> = paused.iter().map(|one| one.name.clone()).collect();
    let drains = pd.evict_leader_config().await.unwrap().unwrap_or_default();
    let drains: Vec<_> = drains.stores.keys().map(|id| id.get()).collect();
    let mut config = pd.schedule_config().await.unwrap();
    // The drain's own scheduler comes and goes with it.
    config.rest.remove("schedulers-v2");
    json!({
        "regions": regions.collect::<Vec<_>>(),
        "stores": stores.collect::<Vec<_>>(),
        "paused": paused,
        "drains": drains,
        "schedule": format!("{config:?}"),
        "pd_leader": sim.leader_name(),
    })
}
