//! A whole agent loop with a scripted model, and no cluster: a dial in a file.
//!
//! ```sh
//! cargo run -p action-guard --example agent_loop
//! ```
//!
//! The model is offered tools; it gives wrong arguments, is refused, is told to wait, until another
//! process approves; one mutation is applied, one is sent by a process that dies, and is found after
//! the restart; one is outcome unknown until the dial answers again; and in the end one is undone.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use action_core::{ActionRegistry, BoxError, FailureKind, tool_json};
use action_guard::{Actor, Controls, Decider, FileJournal, Guard, Mode, Policy, Request, Standing};
use serde_json::{Value, json};

use crate::dial::Dial;

mod dial;

/// Who may do what. In a real program this is a file.
const POLICY: &str = r#"
version = 1

[[rule]]
name = "turning"
action = "turn_dial"
decision = "allow"

[[rule]]
name = "locking takes a person"
action = "lock_dial"
decision = "approve"
by = ["user:*"]
ttl = "15m"

[[rule]]
name = "agents do not unlock"
action = "unlock_dial"
actor = "agent:*"
decision = "deny"
reason = "people unlock dials"

[[rule]]
name = "people unlock"
action = "unlock_dial"
decision = "allow"
"#;

/// What the model is told of what it calls. A framework has its own loop around this.
struct Agent {
    guard: Guard,
    actor: Actor,
    /// The last proposal that may be gone on with or taken back.
    last: Option<String>,
}

impl Agent {
    /// A tool call of the model, and what it is told.
    async fn call(&mut self, tool: &str, arguments: Value) -> Result<String, BoxError> {
        show(&format!("model: {tool} {arguments}"));
        let told = match tool {
            "go_on" => self.go_on().await?.to_string(),
            "undo" => self.undo().await?.to_string(),
            "read_dial" => match self.guard.catalogue().observe(tool, arguments).await {
                Ok(seen) => seen["value"].to_string(),
                Err(error) => error.report(),
            },
            _ => self.change(tool, arguments).await?,
        };
        // Ids differ from run to run.
        let told = match &self.last {
            Some(id) => told.replace(id, "ID"),
            None => told,
        };
        show(&format!("  told: {told}"));
        Ok(told)
    }

    async fn change(&mut self, action: &str, arguments: Value) -> Result<String, BoxError> {
        let request = Request::new(action, arguments, self.actor.as_str());
        let standing = match self.guard.propose(request.reason("the model asked")).await {
            Ok(standing) => standing,
            // The model gave wrong arguments: it is told all that is wrong, and tries again.
            Err(error) if error.kind() == FailureKind::InvalidInput => return Ok(error.report()),
            Err(error) => return Err(error.into()),
        };
        Ok(self.carried_out(standing).await?.to_string())
    }

    /// Carries out what may be, and keeps the id of what can be gone on with.
    async fn carried_out(&mut self, standing: Standing) -> Result<Standing, BoxError> {
        match standing {
            Standing::Allowed(proposal) => {
                self.last = Some(proposal.id.clone());
                Ok(self
                    .guard
                    .execute(&proposal, &self.actor, &mut |_| {})
                    .await?)
            }
            Standing::Waits(waits) => {
                self.last = Some(waits.proposal.id.clone());
                Ok(Standing::Waits(waits))
            }
            other => Ok(other),
        }
    }

    async fn go_on(&mut self) -> Result<Standing, BoxError> {
        let id = self.last.clone().ok_or("there is nothing to go on with")?;
        let standing = self.guard.standing(&id).await?;
        self.carried_out(standing).await
    }

    async fn undo(&mut self) -> Result<Standing, BoxError> {
        let id = self.last.clone().ok_or("there is nothing to take back")?;
        let undo = self
            .guard
            .propose_undo(&id, &self.actor, "the model asked")
            .await?;
        self.carried_out(undo).await
    }
}

/// A guard over the dial in a folder, as each process has it.
fn guard(folder: &Path) -> Result<Guard, BoxError> {
    let mut registry = ActionRegistry::new();
    registry.register(Dial(folder.to_owned()))?;
    let policy: Policy = POLICY.parse()?;
    let guard = Guard::new(registry, FileJournal::open(folder.join("state"))?);
    Ok(guard.rules(Arc::new(policy)).settle_for(Duration::ZERO))
}

fn agent(folder: &Path) -> Result<Agent, BoxError> {
    Ok(Agent {
        guard: guard(folder)?,
        actor: "agent:night".parse()?,
        last: None,
    })
}

/// What recovery finds, as a program says it at its start.
async fn recovered(agent: &mut Agent) -> Result<(), BoxError> {
    for report in agent.guard.recover(&mut |_| {}).await? {
        let standing = agent.guard.standing(&report.id).await?.to_string();
        show(&format!(
            "recovered: {}",
            standing.replace(&report.id, "ID")
        ));
        agent.last = Some(report.id);
    }
    Ok(())
}

async fn the_loop(folder: &Path) -> Result<(), BoxError> {
    let mut agent = agent(folder)?;
    let ana = "user:ana".parse()?;
    let controls = agent.guard.controls();
    controls
        .set_mode(Mode::Execute, Decider::claimed(&ana), "we begin")
        .await?;

    let catalogue = agent.guard.catalogue();
    let tools: Vec<Value> = catalogue.definitions().map(tool_json::anthropic).collect();
    let names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    show(&format!("tools: {}", names.join(", ")));

    agent.call("read_dial", json!({})).await?;
    agent.call("turn_dial", json!({"valeu": 3})).await?;
    agent.call("turn_dial", json!({"value": 0})).await?;
    agent.call("unlock_dial", json!({})).await?;
    agent.call("turn_dial", json!({"value": 3})).await?;

    agent.call("lock_dial", json!({})).await?;
    agent.call("go_on", json!({})).await?;
    // Somebody else, in another process, with the journal and the rules and no dial.
    again(folder, "approve", None)?;
    agent.call("go_on", json!({})).await?;
    agent.call("turn_dial", json!({"value": 4})).await?;
    again(folder, "unlock", None)?;

    // The process that sends dies with its request. The next one finds out what became of it.
    again(folder, "turn", Some("kills its caller"))?;
    drop(agent);
    let mut agent = self::agent(folder)?;
    recovered(&mut agent).await?;
    agent.call("go_on", json!({})).await?;

    // The dial answers no more, so that nobody knows; and then it does.
    std::fs::write(folder.join("falls-silent"), "")?;
    agent.call("turn_dial", json!({"value": 7})).await?;
    agent.call("go_on", json!({})).await?;
    std::fs::remove_file(folder.join("silent"))?;
    recovered(&mut agent).await?;

    agent.call("undo", json!({})).await?;
    agent.call("read_dial", json!({})).await?;
    Ok(())
}

/// Starts this program again.
fn again(folder: &Path, what: &str, dial: Option<&str>) -> Result<(), BoxError> {
    show(&format!("another process: {what}"));
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(what)
        .arg(folder)
        .env("DIAL", dial.unwrap_or("works"));
    let status = command.status()?;
    match (status.success(), dial.is_some()) {
        (false, false) => Err(format!("`{what}` failed").into()),
        (true, true) => Err(format!("`{what}` did not die").into()),
        _ => Ok(()),
    }
}

/// Agrees to what waits, with the journal and the rules alone.
async fn approve(folder: &Path) -> Result<(), BoxError> {
    let journal = Arc::new(FileJournal::open(folder.join("state"))?);
    let policy: Policy = POLICY.parse()?;
    let controls = Controls::new(journal, Arc::new(policy));
    let (state, ben) = (controls.state().await?, "user:ben".parse()?);
    for status in state.open.values() {
        let seen = &status.proposal.plan_hash;
        let by = Decider::claimed(&ben);
        controls
            .approve(&status.proposal.id, seen, by, None)
            .await?;
    }
    Ok(())
}

/// Carries out a mutation as somebody.
async fn carry_out(
    folder: &Path,
    action: &str,
    arguments: Value,
    by: &str,
) -> Result<(), BoxError> {
    let (guard, by) = (guard(folder)?, by.parse()?);
    let proposed = guard
        .propose(Request::new(action, arguments, Actor::as_str(&by)))
        .await?;
    let executed = guard
        .execute(&proposed.into_proposal()?, &by, &mut |_| {})
        .await?;
    executed.into_report()?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [] => {
            let folder = tempfile::tempdir()?;
            the_loop(folder.path()).await
        }
        [what, folder] => {
            let folder = Path::new(folder);
            match what.as_str() {
                "approve" => approve(folder).await,
                "unlock" => carry_out(folder, "unlock_dial", json!({}), "user:ben").await,
                _ => carry_out(folder, "turn_dial", json!({"value": 5}), "agent:night").await,
            }
        }
        _ => Err("no such words".into()),
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(line: &str) {
    println!("{line}");
}
