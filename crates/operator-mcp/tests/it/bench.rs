//! A house of lamps, its guard, and a client at a server of it.

use std::sync::Arc;
use std::time::Duration;

use action_core::Risk;
use action_guard::{Actor, Decider, FileJournal, Guard, Mode, PlanHash, Policy, Rules};
use operator_mcp::rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion, Tool};
use operator_mcp::rmcp::service::RunningService;
use operator_mcp::rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceExt as _};
use operator_mcp::{Ceiling, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lamps::Lamps;

/// One agent may nothing, people decide about wires, and all else is allowed.
const RULES: &str = r#"
version = 1

[[rule]]
name = "leave the lamps"
actor = "agent:banned"
decision = "deny"
reason = "it hangs by a thread"

[[rule]]
name = "ask for wires"
action = "rewire_lamp"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "30m"

[[rule]]
name = "all else"
action = "*"
decision = "allow"
"#;

pub(crate) type Client = RunningService<RoleClient, ()>;

pub(crate) struct House {
    pub(crate) lamps: Lamps,
    pub(crate) directory: TempDir,
}

/// Which way of beginning a client has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Era {
    Initialize,
    Discover,
}

impl Era {
    pub(crate) fn mode(self) -> ClientLifecycleMode {
        match self {
            Self::Initialize => ClientLifecycleMode::Initialize,
            Self::Discover => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
        }
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        let house = Self {
            lamps: Lamps::default(),
            directory: tempfile::tempdir().unwrap(),
        };
        let ana: Actor = "user:ana".parse().unwrap();
        let controls = house.guard().controls();
        let mode = controls.set_mode(Mode::Execute, Decider::claimed(&ana), "a test");
        mode.await.unwrap();
        house
    }

    pub(crate) fn guard(&self) -> Guard {
        let policy: Policy = RULES.parse().unwrap();
        self.guard_under(policy)
    }

    pub(crate) fn guard_under(&self, policy: impl Rules) -> Guard {
        let journal = FileJournal::open(self.directory.path()).unwrap();
        Guard::new(self.lamps.registry(), journal)
            .rules(Arc::new(policy))
            .settle_for(Duration::ZERO)
    }

    pub(crate) fn server(&self, actor: &str, ceiling: Ceiling) -> Server {
        Server::new(self.guard(), actor.parse().unwrap(), ceiling).unwrap()
    }

    /// A client of an agent that may do everything the policy lets it.
    pub(crate) async fn client(&self) -> Client {
        let server = self.server("agent:night", Ceiling::UpTo(Risk::High));
        client_of(server, Era::Discover).await
    }

    /// A person approves, elsewhere.
    pub(crate) async fn approve(&self, id: &str) {
        let guard = self.guard();
        let status = guard.proposal_status(id).await.unwrap();
        let hash: &PlanHash = &status.proposal.plan_hash;
        let ana: Actor = "user:ana".parse().unwrap();
        let controls = guard.controls();
        let approved = controls.approve(id, hash, Decider::claimed(&ana), None);
        approved.await.unwrap();
    }

    pub(crate) fn sent(&self) -> Vec<(u8, bool)> {
        self.lamps.house(|house| house.sent.clone())
    }
}

pub(crate) async fn client_of(server: Server, era: Era) -> Client {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        if let Ok(running) = server.serve(far).await {
            let _ = running.waiting().await;
        }
    });
    ().serve_with_lifecycle(near, era.mode()).await.unwrap()
}

/// A call, with what it answers.
pub(crate) async fn call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let request = params(tool, arguments);
    client.call_tool(request).await.unwrap()
}

pub(crate) fn params(tool: &str, arguments: Value) -> CallToolRequestParams {
    let mut request = CallToolRequestParams::new(tool.to_owned());
    request.arguments = arguments.as_object().cloned();
    request
}

/// What an answer says: what is structured, and for an error what its text holds.
pub(crate) fn said(result: &CallToolResult) -> Value {
    let text = serde_json::to_value(&result.content).unwrap();
    let text = text[0]["text"].as_str().unwrap_or_default();
    let text: Value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    match (&result.structured_content, result.is_error) {
        (Some(structured), Some(false)) => {
            assert_eq!(*structured, text, "both ways say the same");
            text
        }
        (None, Some(true)) => text,
        other => unreachable!("{other:?}"),
    }
}

/// Holds what a tool gave to the schema that it is listed with.
pub(crate) fn fits(tool: &Tool, given: &Value) {
    let schema = Value::Object((**tool.output_schema.as_ref().unwrap()).clone());
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(given)
        .map(|e| e.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?} in {given}");
}
