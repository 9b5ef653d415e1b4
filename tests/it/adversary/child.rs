//! Processes that operate a cluster, and can be killed.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use action_core::ActionRegistry;
use action_guard::{
    Actor, FileJournal, Guard, GuardError, PolicyFile, Request, WaitPolicy, Workflows,
};
use operator_tikv::Tikv;
use pd_client::Timeouts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::{Child, Command};

/// What a process is to do, in its environment.
const ORDERS: &str = "ADVERSARY_ORDERS";

/// Where a process is, who it is, and what it does there, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) pd: String,
    pub(super) directory: PathBuf,
    pub(super) actor: String,
    /// How long something between it and PD may hold a request.
    pub(super) held_for_ms: u64,
    pub(super) policy: Option<PathBuf>,
    pub(super) orders: Vec<Order>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Proposes a mutation and carries it out.
    Run { action: String, parameters: Value },
    /// Takes back what is in flight, else what is in force.
    Undo,
    /// Finds out how everything ended.
    Recover,
    /// Goes on with a workflow.
    Workflow { id: String },
}

impl Orders {
    /// Starts a process that does as told, and dies where it is told to.
    pub(super) fn start(&self, die_at: Option<&str>) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "adversary::child::a_process_does_as_told",
                "--quiet",
            ])
            .env(ORDERS, serde_json::to_string(self).unwrap())
            .env_remove("ACTION_GUARD_DIE_AT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Some(point) = die_at {
            command.env("ACTION_GUARD_DIE_AT", point);
        }
        command.spawn().unwrap()
    }

    /// A guard as such a process has it.
    fn guard(&self) -> Guard {
        let pd = pd_client::Client::builder()
            .endpoints(&self.pd)
            .timeouts(QUICK)
            .build();
        let mut registry = ActionRegistry::new();
        registry.register(Tikv::new(pd.unwrap())).unwrap();
        let journal = FileJournal::open(&self.directory).unwrap();
        let definitions: Vec<_> = registry.definitions().cloned().collect();
        let guard = Guard::new(registry, journal)
            .settle_for(Duration::ZERO)
            .held_for(Duration::from_millis(self.held_for_ms));
        match &self.policy {
            Some(path) => guard.rules(Arc::new(PolicyFile::open(path, definitions).unwrap())),
            None => guard,
        }
    }
}

/// Short, so that what is late is soon late.
const QUICK: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    point: Duration::from_secs(2),
    list: Duration::from_secs(4),
    write: Duration::from_secs(2),
};

/// What a process does; without orders, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_does_as_told() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let guard = orders.guard();
    let actor: Actor = orders.actor.parse().unwrap();
    for order in &orders.orders {
        // What is refused or fails is for the judge to look at.
        if let Err(error) = does(&guard, &actor, order).await {
            eprintln!("{order:?}: {}", error.report());
        }
    }
}

async fn does(guard: &Guard, actor: &Actor, order: &Order) -> Result<(), GuardError> {
    match order {
        Order::Run { action, parameters } => {
            let request = Request::new(action.as_str(), parameters.clone(), actor.as_str());
            let proposal = guard.propose(request).await?.into_proposal()?;
            let executed = guard.execute(&proposal, actor, &mut |_| {}).await?;
            executed.into_report()?;
        }
        Order::Undo => {
            let state = guard.state().await?;
            let mut in_flight = state.unsettled();
            let first = in_flight
                .find(|status| status.proposal.lasting_effect.is_some())
                .map(|status| &status.proposal.id)
                .or_else(|| state.effects.keys().next_back());
            if let Some(id) = first {
                let undo = guard.propose_undo(id, actor, "taken back").await?;
                let undo = undo.into_proposal()?;
                let executed = guard.execute(&undo, actor, &mut |_| {}).await?;
                executed.into_report()?;
            }
        }
        Order::Recover => {
            guard.recover(&mut |_| {}).await?;
        }
        Order::Workflow { id } => {
            let workflows = Workflows::new(guard.clone());
            let wait = WaitPolicy::UntilPeople;
            workflows.run(id, actor, wait, &mut |_| {}).await?;
        }
    }
    Ok(())
}
