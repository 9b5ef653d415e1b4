//! One run: a cluster, proxies before it, a state directory, and processes that may die.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use action_guard::{
    Actor, Controls, Decider, Entry, FileJournal, Journal as _, Mode, State, Unrestricted,
};
use pd_sim::{Outage, Sim, Version};
use tempfile::TempDir;
use tokio::process::Child;

use crate::adversary::asked::Asked;
use crate::adversary::child::{Order, Orders};
use crate::adversary::proxy::{Network, Proxies, Trouble};
use crate::adversary::random::Random;
use crate::adversary::request_log::{Count, RequestLog};

/// A process that lives longer than this is killed: what it follows, others find out.
const LONGEST_LIFE: Duration = Duration::from_secs(60);

/// How a process dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Death {
    /// Not before it is done.
    None,
    /// Where it passes this.
    At(&'static str),
    /// When the proxies have seen so many requests more.
    AfterRequests(usize),
    /// When its write was handed on to PD, or accepted by it.
    HandedOn,
    Accepted,
}

/// Where a process is made to die.
const POINTS: &[&str] = &[
    "journal.synced:0",
    "guard.planned",
    "journal.write:1",
    "guard.intent",
    "send.before",
    "send.permitted",
    "send.after",
    "journal.sync:2",
    "guard.answered",
    "guard.probed:0",
    "guard.probed:2",
    "guard.followed",
    "journal.sync:3",
];

impl Death {
    pub(super) fn any(random: &mut Random) -> Self {
        match random.below(6) {
            0 | 1 => Self::At(random.pick(POINTS)),
            2 => {
                let requests = usize::try_from(3 + random.below(25)).unwrap();
                Self::AfterRequests(requests)
            }
            3 => Self::HandedOn,
            _ => Self::Accepted,
        }
    }
}

pub(super) struct Fixture {
    pub(super) sim: Arc<Sim>,
    pub(super) members: usize,
    pub(super) directory: TempDir,
    pub(super) network: Arc<Mutex<Network>>,
    pub(super) log: Arc<RequestLog>,
    pub(super) proxies: Proxies,
    pub(super) held_for_ms: u64,
    /// What the rules are, if there are any.
    pub(super) policy: Option<PathBuf>,
    /// Whether PD's checkers look around: without them, a store that goes never gets empty.
    pub(super) has_patrols: bool,
    pub(super) kills: Mutex<u64>,
}

impl Fixture {
    pub(super) async fn new(seed: u64, random: &mut Random, members: usize) -> Self {
        let versions = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];
        let patrol = random.pause(&[50, 1_000, 86_400_000]);
        let sim = Sim::builder()
            .version(random.pick(&versions))
            .stores(5)
            .regions(6)
            .members(members)
            .seed(seed)
            .heartbeat_interval(Duration::from_millis(500))
            .checker_interval(patrol)
            .start()
            .await
            .unwrap();
        sim.keep_history();
        let sim = Arc::new(sim);
        let directory = tempfile::tempdir().unwrap();
        let log = RequestLog::new(&sim, directory.path());
        let network = Arc::new(Mutex::new(Network {
            random: Random::new(seed ^ 0x5bd1),
            reads: 0,
            writes: Vec::new(),
            elsewhere: None,
            faults: 0,
        }));
        let proxies = Proxies::before(sim.endpoints(), &network, &log).await;
        let fixture = Self {
            sim,
            members,
            directory,
            network,
            log,
            proxies,
            held_for_ms: 0,
            policy: None,
            has_patrols: patrol < Duration::from_secs(60),
            kills: Mutex::new(0),
        };
        let ana = ana();
        let mode = fixture.controls();
        let mode = mode.set_mode(Mode::Execute, Decider::claimed(&ana), "a test");
        mode.await.unwrap();
        fixture
    }

    pub(super) fn controls(&self) -> Controls {
        let journal = Arc::new(self.journal());
        let controls = Controls::new(journal, Arc::new(Unrestricted));
        let mut registry = action_core::ActionRegistry::new();
        let pd = pd_client::Client::new(self.sim.endpoint()).unwrap();
        registry.register(operator_tikv::Tikv::new(pd)).unwrap();
        controls.actions(registry.definitions().cloned())
    }

    pub(super) fn journal(&self) -> FileJournal {
        FileJournal::open(self.directory.path()).unwrap()
    }

    pub(super) async fn state(&self) -> Arc<State> {
        self.journal().state().await.unwrap()
    }

    pub(super) async fn entries(&self) -> Vec<Entry> {
        self.journal().entries(0, 10_000).await.unwrap()
    }

    pub(super) fn orders(&self, actor: &str, orders: Vec<Order>) -> Orders {
        Orders {
            pd: self.proxies.addresses(),
            directory: self.directory.path().to_owned(),
            actor: actor.to_owned(),
            held_for_ms: self.held_for_ms,
            policy: self.policy.clone(),
            orders,
        }
    }

    /// A process carries it out, and dies in some way.
    pub(super) async fn process(&self, orders: Orders, death: Death) {
        let point = match death {
            Death::At(point) => Some(point),
            _ => None,
        };
        let mut child = orders.start(point);
        let mut count = self.log.count();
        let begun = *count.borrow();
        let is_due = |count: &Count| match death {
            Death::None | Death::At(_) => false,
            Death::AfterRequests(requests) => count.requests >= begun.requests + requests,
            Death::HandedOn => count.handed_on > begun.handed_on,
            Death::Accepted => count.accepted > begun.accepted,
        };
        let ends = async {
            tokio::select! {
                _ = child.wait() => matches!(death, Death::At(_)),
                _ = count.wait_for(is_due) => true,
            }
        };
        let ended = tokio::time::timeout(LONGEST_LIFE, ends);
        let is_killed = ended.await.unwrap_or(true);
        if is_killed {
            kill(&mut child).await;
            *self.kills.lock().unwrap() += 1;
        }
    }

    pub(super) async fn run(&self, actor: &str, asked: &Asked, death: Death) {
        let order = Order::Run {
            action: asked.name.to_owned(),
            parameters: asked.parameters.clone(),
        };
        self.process(self.orders(actor, vec![order]), death).await;
    }

    pub(super) async fn recover(&self) {
        let orders = self.orders("system", vec![Order::Recover]);
        self.process(orders, Death::None).await;
    }

    /// Waits until the proxies have seen so many requests, or there will be no more for now.
    pub(super) async fn after_requests(&self, requests: u64) {
        let requests = usize::try_from(requests).unwrap();
        let mut count = self.log.count();
        let reached = count.wait_for(|count| count.requests >= requests);
        let _ = tokio::time::timeout(Duration::from_secs(5), reached).await;
    }

    pub(super) fn lose_leader(&self, random: &mut Random) {
        let election = random.pause(&[100, 1_000, 4_000]);
        let outage = match random.one_in(2) {
            true => Outage::RedirectFailed,
            false => Outage::NoLeader,
        };
        self.sim.change_leader(election, outage);
    }

    /// What the network does to the next write.
    pub(super) fn trouble(&self, trouble: Trouble) {
        self.network.lock().unwrap().writes.push(trouble);
    }

    pub(super) fn reads_in_trouble(&self, one_in: u64) {
        self.network.lock().unwrap().reads = one_in;
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The network is quiet from now on; what is held is held on.
    pub(super) fn calm(&self) {
        let mut network = self.network.lock().unwrap();
        network.reads = 0;
        network.writes.clear();
        network.elsewhere = None;
    }

    /// Nobody stops anything any more, and every outcome that can be found is found.
    pub(super) async fn find_outcomes(&self) {
        self.calm();
        for _ in 0..2 {
            self.recover().await;
            if self.state().await.unsettled().next().is_none() {
                break;
            }
        }
        self.log.release();
        self.log.idle().await;
        // Whatever can still happen does.
        self.sim.advance(Duration::from_secs(120));
    }
}

pub(super) fn ana() -> Actor {
    "user:ana".parse().unwrap()
}

async fn kill(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.start_kill();
    let _ = child.wait().await;
}
