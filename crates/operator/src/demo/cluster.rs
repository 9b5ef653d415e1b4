//! What the demo plays on: a simulator, a guard with a journal, and a way past the guard.

use std::sync::Arc;
use std::time::Duration;

use action_core::{ActionRegistry, Catalogue, OutcomeKind};
use action_guard::{
    Actor, Decider, FileJournal, Guard, Mode, Policy, Proposal, Report, Request, Standing,
};
use operator_tikv::Tikv;
use pd_client::Client;
use pd_sim::{Sim, Write};
use serde_json::{Map, Value};
use tempfile::TempDir;

use operator_cli::{Exit, Failure, show};

use super::printer::Printer;

pub(super) const STORES: u64 = 5;
pub(super) const REGIONS: u64 = 60;

/// The store that is drained; nothing else is moved to it or from it.
pub(super) const DRAINED: u64 = 2;

pub(super) struct DemoCluster {
    pub(super) sim: Sim,
    pub(super) guard: Guard,
    pub(super) catalogue: Catalogue,
    /// For the one send that shows why there is a guard.
    pub(super) past_the_guard: ActionRegistry,
    /// Who asks for everything.
    pub(super) agent: Actor,
    /// Who agrees.
    pub(super) person: Actor,
    /// What takes back the first transfer and the drain, once these are done.
    pub(super) first_transfer: Option<Report>,
    pub(super) drain: Option<Report>,
    /// Sends that the guard recorded.
    pub(super) intents: usize,
    /// Sends that went past it.
    pub(super) unguarded: usize,
    /// Removed with everything in it when this is dropped.
    _directory: TempDir,
}

/// A mutation that was carried out, and what was seen on the way.
pub(super) struct Carried {
    pub(super) report: Report,
    pub(super) unanswered: usize,
    pub(super) counted: usize,
    /// What reached PD meanwhile that could change something.
    pub(super) writes: Vec<Write>,
}

impl DemoCluster {
    pub(super) async fn set() -> Result<Self, Failure> {
        let failed = |what: &str, error: &dyn std::error::Error| {
            let why = action_core::report(error);
            Failure::new(Exit::Failed, "demo", format!("{what}: {why}"))
        };
        let sim = Sim::builder()
            .stores(STORES)
            .regions(REGIONS)
            .seed(1)
            .heartbeat_interval(Duration::from_secs(1))
            .step_latency(Duration::from_millis(500))
            .evict_interval(Duration::from_millis(1_500))
            .start()
            .await
            .map_err(|error| failed("no simulator", &error))?;
        let directory = tempfile::Builder::new()
            .prefix("operator-demo-")
            .tempdir()
            .map_err(|error| failed("no directory for the journal", &error))?;
        let journal =
            FileJournal::open(directory.path()).map_err(|error| failed("no journal", &error))?;
        let guarded = registry(&sim)?;
        let catalogue = guarded.catalogue();
        let policy: Policy = include_str!("policy.toml")
            .parse()
            .map_err(|error| failed("no policy", &error))?;
        let guard = Guard::new(guarded, journal)
            .rules(Arc::new(policy))
            // Nobody but the demo changes its cluster.
            .settle_for(Duration::ZERO);
        let actor = |text: &str| {
            text.parse::<Actor>()
                .map_err(|error| failed("no actor", &error))
        };
        let (agent, person) = (actor("agent:demo")?, actor("user:demo")?);
        let mode = guard
            .controls()
            .set_mode(Mode::Execute, Decider::claimed(&person), "operator demo")
            .await;
        mode.map_err(|error| failed("the mode cannot be set", &error))?;
        Ok(Self {
            guard,
            catalogue,
            past_the_guard: registry(&sim)?,
            agent,
            person,
            first_transfer: None,
            drain: None,
            intents: 0,
            unguarded: 0,
            _directory: directory,
            sim,
        })
    }

    /// Proposes, sends and follows a mutation, and insists that it is proven.
    pub(super) async fn carry_out(
        &mut self,
        action: &str,
        parameters: Value,
        printer: &mut Printer<'_>,
    ) -> Result<Carried, String> {
        let proposal = self.propose(action, parameters, printer).await?;
        self.execute(&proposal, printer).await
    }

    /// Proposes a mutation as the agent, and tells what would happen and what the policy says.
    pub(super) async fn propose(
        &self,
        action: &str,
        parameters: Value,
        printer: &mut Printer<'_>,
    ) -> Result<Proposal, String> {
        printer.print(&format!("$ {}", self.command("run", action, &parameters)));
        let request = Request::new(action, parameters, self.agent.as_str());
        let proposed = self.guard.propose(request.reason("operator demo")).await;
        let proposal = proposed.and_then(Standing::into_proposal);
        let proposal = proposal.map_err(|error| error.report())?;
        self.print_plan(&proposal, printer).await?;
        Ok(proposal)
    }

    async fn print_plan(
        &self,
        proposal: &Proposal,
        printer: &mut Printer<'_>,
    ) -> Result<(), String> {
        printer.print(&show::verdict(&proposal.plan.verdict));
        let status = self.guard.proposal_status(&proposal.id).await;
        let status = status.map_err(|error| error.report())?;
        printer.print(&format!("Policy: {}", show::ruling(&status.ruling)));
        Ok(())
    }

    /// Sends and follows what was proposed, and insists that it is proven.
    pub(super) async fn execute(
        &mut self,
        proposal: &Proposal,
        printer: &mut Printer<'_>,
    ) -> Result<Carried, String> {
        let action = &proposal.request.action;
        let writes_before = self.sim.writes().len();
        let mut follow = show::Follow::default();
        let executed = self
            .guard
            .execute(proposal, &self.agent, &mut |event| follow.event(event))
            .await;
        follow.finish();
        self.intents += follow.intents;
        let report = executed.and_then(Standing::into_report);
        let report = report.map_err(|error| error.report())?;
        printer.print(&show::outcome(&report.outcome));
        if report.outcome.result != OutcomeKind::Applied {
            return Err(format!(
                "`{action}` had an unexpected outcome: {}",
                report.outcome.summary
            ));
        }
        if report.outcome.evidence.is_empty() {
            return Err(format!("`{action}` is called applied without evidence"));
        }
        Ok(Carried {
            report,
            unanswered: follow.unanswered,
            counted: follow.counted,
            writes: self.sim.writes().split_off(writes_before),
        })
    }

    /// Carries out what takes a mutation back.
    pub(super) async fn take_back(
        &mut self,
        report: &Report,
        printer: &mut Printer<'_>,
    ) -> Result<Carried, String> {
        printer.print(&format!("$ operator undo {}", report.id));
        let proposal = self
            .guard
            .propose_undo(&report.id, &self.agent, "operator demo")
            .await
            .and_then(Standing::into_proposal);
        let proposal = proposal.map_err(|error| error.report())?;
        let request = &proposal.request;
        printer.print(&show::request(&request.action, &request.parameters));
        self.print_plan(&proposal, printer).await?;
        self.execute(&proposal, printer).await
    }

    /// The command that a person would have typed, were this cluster outside.
    pub(super) fn command(&self, verb: &str, action: &str, parameters: &Value) -> String {
        let definition = self.catalogue.definition(action);
        let mut words = vec![verb.to_owned(), action.to_owned()];
        if let Value::Object(parameters) = parameters {
            words.extend(show::arguments(definition, parameters));
        }
        show::command_line(&words)
    }

    /// An observation's result.
    pub(super) async fn look(
        &self,
        action: &str,
        parameters: Value,
    ) -> Result<Map<String, Value>, String> {
        let seen = self.catalogue.observe(action, parameters).await;
        match seen.map_err(|error| error.report())? {
            Value::Object(members) => Ok(members),
            other => Err(format!("`{action}` gave {other}")),
        }
    }

    /// The same, as `run` shows it.
    pub(super) fn shown(&self, action: &str, seen: Map<String, Value>) -> String {
        let known = self.catalogue.definition(action);
        known.map_or_else(String::new, |known| {
            show::result(known, &Value::Object(seen))
        })
    }

    /// How many records the journal has.
    pub(super) async fn journal_records(&self) -> u64 {
        let state = self.guard.state().await;
        state.map_or(0, |state| state.seq)
    }

    /// A region that the drained store has no part in, neither among those used.
    pub(super) fn unused_region(&self, used: &[u64]) -> Result<RegionStores, String> {
        let stores_of = |region: u64| {
            let leader = self.sim.leader_of(region)?;
            let peers: Vec<u64> = self
                .sim
                .peers(region)
                .iter()
                .map(|peer| peer.store_id)
                .collect();
            let follower = peers.iter().copied().find(|store| *store != leader)?;
            let outside = (1..=STORES).find(|store| !peers.contains(store) && *store != DRAINED)?;
            let usable = !used.contains(&region) && !peers.contains(&DRAINED);
            usable.then_some(RegionStores {
                id: region,
                leader,
                follower,
                outside,
            })
        };
        let mut candidates = self.sim.region_ids().into_iter().filter_map(stores_of);
        candidates
            .next()
            .ok_or_else(|| "the simulator has no region for it".to_owned())
    }
}

/// A region and the stores around it.
#[derive(Clone, Copy)]
pub(super) struct RegionStores {
    pub(super) id: u64,
    pub(super) leader: u64,
    /// Holds a replica and does not lead.
    pub(super) follower: u64,
    /// Holds no replica.
    pub(super) outside: u64,
}

fn registry(sim: &Sim) -> Result<ActionRegistry, Failure> {
    let client = Client::new(sim.endpoint())
        .map_err(|error| Failure::new(Exit::Failed, "demo", error.report()))?;
    let mut registry = ActionRegistry::new();
    registry.register(Tikv::new(client))?;
    Ok(registry)
}
