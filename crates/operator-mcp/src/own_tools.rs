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

/// Shows what a mutation would do, whether the system would reject it, and what the policy decides.
/// Changes nothing and records nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanParameters {
    /// Name of the mutation. Mutations above this server's risk limit can be planned too.
    pub(crate) action: String,
    /// Arguments of the mutation, as for its own tool.
    #[serde(default)]
    #[schemars(skip)]
    pub(crate) arguments: Map<String, Value>,
}

/// Lists your proposals, latest first: waiting, in progress and recently ended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListProposalsParameters {
    /// Whether to include ended proposals.
    #[serde(default)]
    pub(crate) ended: bool,
    /// Maximum number of proposals.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) limit: u8,
    /// Where to continue: `next_cursor` of the previous answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

fn twenty() -> u8 {
    20
}

/// Shows one of your proposals: its state, plan, approvers, outcome and evidence.
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

/// Executes one of your proposals after people have approved it: sends exactly what they approved,
/// once, and follows it. Nothing is sent while it waits for approval.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteProposalParameters {
    /// The proposal's id.
    pub(crate) proposal_id: String,
}

/// Cancels one of your proposals before it is sent. Use `undo` for what was already sent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelProposalParameters {
    /// The proposal's id.
    pub(crate) proposal_id: String,
    /// Reason, recorded in the journal.
    pub(crate) reason: String,
}

/// Takes back what one of your proposals changed, unless somebody has changed it since. This is a
/// mutation of its own: planned, checked against the policy, sent once and followed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoParameters {
    /// The id of the proposal to take back.
    pub(crate) proposal_id: String,
    /// Reason, recorded in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Starts or continues a workflow of several steps until it needs a person: each mutation is
/// planned, checked against the policy, sent once and proven like any other. Give one of
/// `workflow`, `document` and `workflow_id`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartWorkflowParameters {
    /// The tool that makes it, whose result has `title` and `steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workflow: Option<String>,
    /// That tool's arguments.
    #[serde(default)]
    #[schemars(skip)]
    pub(crate) arguments: Map<String, Value>,
    /// A workflow document of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub(crate) document: Option<Map<String, Value>>,
    /// A started workflow, to continue it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workflow_id: Option<String>,
    /// Reason, recorded in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Shows one of your workflows: the state of each step, who it waits for, and its result.
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

/// Cancels one of your workflows before its next step; what it did stays.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelWorkflowParameters {
    /// The workflow's id.
    pub(crate) workflow_id: String,
    /// Reason, recorded in the journal.
    pub(crate) reason: String,
}

/// Shows what the policy would decide for you now: about all mutations or one, with its arguments
/// if given; whether changes are stopped; and the remaining budgets. Sends and records nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainPolicyParameters {
    /// One mutation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<String>,
    /// Its arguments, so that budgets can count what it would move.
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
