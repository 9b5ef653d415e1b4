//! The tools that every server has, whatever its actions are.

use action_core::{InputDef, RegistryError, input_def, validate};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::errors::Wrong;
use crate::flow_answer::FlowAnswer;
use crate::read_answers::{PlanAnswer, PolicyAnswer, ProposalsAnswer};
use crate::schemas;

/// One of them. Their names are reserved: no action has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnTool {
    Plan,
    ListProposals,
    GetProposal,
    ExecuteProposal,
    CancelProposal,
    Undo,
    StartWorkflow,
    GetWorkflow,
    CancelWorkflow,
    ExplainPolicy,
}

/// Shows what a mutation would do, what the system would refuse, and what the policy says of it.
/// Changes nothing and records nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanParameters {
    /// The mutation, such as a tool's name. Those above this server's ceiling can be planned too.
    pub(crate) action: String,
    /// Its arguments, as its own tool takes them.
    #[serde(default)]
    #[schemars(skip)]
    pub(crate) arguments: Map<String, Value>,
}

/// Lists your proposals, the latest first: what waits, what is in progress, what ended lately.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListProposalsParameters {
    /// Whether those that ended are listed too.
    #[serde(default)]
    pub(crate) ended: bool,
    /// How many at most.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) limit: u8,
    /// From where to go on: `next_cursor` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

fn twenty() -> u8 {
    20
}

/// Says how one of your proposals stands: its plan, whom it waits for, how it ended and the evidence.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetProposalParameters {
    /// The proposal's id.
    pub(crate) proposal_id: String,
    /// How long to wait for it to change while it is in progress or waits for approval, in seconds.
    #[serde(default)]
    #[schemars(range(min = 0, max = 45))]
    pub(crate) wait_seconds: u8,
}

/// Carries out one of your proposals that people have approved since: sends exactly what they approved,
/// once, and follows it. What still waits is not sent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteProposalParameters {
    /// The proposal's id.
    pub(crate) proposal_id: String,
}

/// Cancels one of your proposals of which nothing was sent yet. What was sent is taken back by `undo`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelProposalParameters {
    /// The proposal's id.
    pub(crate) proposal_id: String,
    /// Why, for the record.
    pub(crate) reason: String,
}

/// Takes back what one of your proposals did, unless somebody has changed it since. This is a mutation
/// of its own: planned, ruled by the policy, sent once and followed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoParameters {
    /// The id of the proposal to take back.
    pub(crate) proposal_id: String,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Starts work in several steps, or goes on with yours that waited, as far as it goes without people:
/// each mutation is planned, ruled by the policy, sent once and proven like any other. Give one of
/// `workflow`, `document` and `workflow_id`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartWorkflowParameters {
    /// The tool that makes it: one whose result has `title` and `steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workflow: Option<String>,
    /// That tool's arguments.
    #[serde(default)]
    #[schemars(skip)]
    pub(crate) arguments: Map<String, Value>,
    /// One of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub(crate) document: Option<Map<String, Value>>,
    /// One that was started: goes on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workflow_id: Option<String>,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Says how one of your workflows stands: each step, whom it waits for, and how it ended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetWorkflowParameters {
    /// The workflow's id.
    pub(crate) workflow_id: String,
    /// How long to wait for it to change while it is in progress or waits, in seconds.
    #[serde(default)]
    #[schemars(range(min = 0, max = 45))]
    pub(crate) wait_seconds: u8,
}

/// Cancels one of your workflows: it ends at its next step, and what it did stays.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelWorkflowParameters {
    /// The workflow's id.
    pub(crate) workflow_id: String,
    /// Why, for the record.
    pub(crate) reason: String,
}

/// Says what the policy would say to you now: of each mutation that you have, or of one, with its arguments
/// if given; what stops everything; and which budgets are left. Asks for nothing and records nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainPolicyParameters {
    /// One mutation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<String>,
    /// Its arguments: what they would move is counted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub(crate) arguments: Option<Map<String, Value>>,
}

impl OwnTool {
    pub(crate) const ALL: [Self; 10] = [
        Self::Plan,
        Self::ListProposals,
        Self::GetProposal,
        Self::ExecuteProposal,
        Self::CancelProposal,
        Self::Undo,
        Self::StartWorkflow,
        Self::GetWorkflow,
        Self::CancelWorkflow,
        Self::ExplainPolicy,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::ListProposals => "list_proposals",
            Self::GetProposal => "get_proposal",
            Self::ExecuteProposal => "execute_proposal",
            Self::CancelProposal => "cancel_proposal",
            Self::Undo => "undo",
            Self::StartWorkflow => "start_workflow",
            Self::GetWorkflow => "get_workflow",
            Self::CancelWorkflow => "cancel_workflow",
            Self::ExplainPolicy => "explain_policy",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Plan => "Plan a mutation",
            Self::ListProposals => "List my proposals",
            Self::GetProposal => "Get a proposal",
            Self::ExecuteProposal => "Execute an approved proposal",
            Self::CancelProposal => "Cancel a proposal",
            Self::Undo => "Undo a proposal",
            Self::StartWorkflow => "Start or continue a workflow",
            Self::GetWorkflow => "Get a workflow",
            Self::CancelWorkflow => "Cancel a workflow",
            Self::ExplainPolicy => "Explain the policy",
        }
    }

    /// Whether a server that changes nothing leaves it out.
    pub(crate) fn changes_something(self) -> bool {
        matches!(
            self,
            Self::ExecuteProposal
                | Self::CancelProposal
                | Self::Undo
                | Self::StartWorkflow
                | Self::CancelWorkflow
        )
    }

    /// What it takes.
    pub(crate) fn input(self) -> Result<InputDef, RegistryError> {
        match self {
            Self::Plan => input_def::<PlanParameters>().map(|input| self.with_objects(input)),
            Self::ListProposals => input_def::<ListProposalsParameters>(),
            Self::GetProposal => input_def::<GetProposalParameters>(),
            Self::ExecuteProposal => input_def::<ExecuteProposalParameters>(),
            Self::CancelProposal => input_def::<CancelProposalParameters>(),
            Self::Undo => input_def::<UndoParameters>(),
            Self::StartWorkflow => {
                input_def::<StartWorkflowParameters>().map(|input| self.with_objects(input))
            }
            Self::GetWorkflow => input_def::<GetWorkflowParameters>(),
            Self::CancelWorkflow => input_def::<CancelWorkflowParameters>(),
            Self::ExplainPolicy => {
                input_def::<ExplainPolicyParameters>().map(|input| self.with_objects(input))
            }
        }
    }

    /// The parameters that are objects of which no schema of this tool can say what they hold.
    fn objects(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Plan => &[("arguments", "Its arguments, as its own tool takes them.")],
            Self::ExplainPolicy => &[("arguments", "Its arguments.")],
            Self::StartWorkflow => &[
                ("arguments", "That tool's arguments."),
                ("document", "One of your own, with `title` and `steps`."),
            ],
            _ => &[],
        }
    }

    fn with_objects(self, mut input: InputDef) -> InputDef {
        if let Some(Value::Object(properties)) = input.input_schema.get_mut("properties") {
            for (name, description) in self.objects() {
                let object = json!({"type": "object", "description": description});
                properties.insert((*name).to_owned(), object);
            }
        }
        input
    }

    /// What a call gives, as it is declared.
    ///
    /// # Errors
    /// All that is wrong with it at once.
    pub(crate) fn read<P: DeserializeOwned>(self, mut given: Value) -> Result<P, Wrong> {
        let input = self
            .input()
            .map_err(|error| Wrong::Other(error.to_string()))?;
        // What they hold is checked by whom it is for.
        let mut objects = Map::new();
        if let Value::Object(members) = &mut given {
            for (name, _) in self.objects() {
                let given = members.remove(*name);
                objects.extend(given.map(|given| ((*name).to_owned(), given)));
            }
        }
        let mut valid = validate(&input.parameters, given).map_err(Wrong::Problems)?;
        valid.extend(objects);
        serde_json::from_value(Value::Object(valid))
            .map_err(|error| Wrong::Other(error.to_string()))
    }

    pub(crate) fn tool(self) -> Result<Tool, RegistryError> {
        let input = self.input()?;
        let schema = |schema: Value| match schema {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let output = match self {
            Self::Plan => schemas::of::<PlanAnswer>(),
            Self::ListProposals => schemas::of::<ProposalsAnswer>(),
            Self::ExplainPolicy => schemas::of::<PolicyAnswer>(),
            Self::StartWorkflow | Self::GetWorkflow | Self::CancelWorkflow => {
                schemas::of::<FlowAnswer>()
            }
            _ => schemas::of::<Answer>(),
        };
        let (reads, changes) = (!self.changes_something(), self.changes_something());
        // What is sent was planned and ruled before: a proposal says itself what is at stake.
        let destroys = matches!(
            self,
            Self::ExecuteProposal | Self::Undo | Self::StartWorkflow
        );
        let annotations = rmcp::model::ToolAnnotations::with_title(self.title())
            .read_only(reads)
            .destructive(changes && destroys)
            .idempotent(true)
            .open_world(false);
        let tool = Tool::new(self.name(), input.description, schema(input.input_schema));
        Ok(tool
            .with_title(self.title())
            .with_annotations(annotations)
            .with_raw_output_schema(schema(output).into()))
    }
}
