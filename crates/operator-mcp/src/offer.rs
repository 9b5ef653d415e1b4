//! Which tools there are, and what each looks like.

use std::collections::BTreeMap;

use action_core::{ActionDefinition, Catalogue, RegistryError, Risk, tool_json};
use rmcp::model::Tool;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::own_tools::OwnTool;
use crate::schemas::{self, without_descriptions};

/// What may be done at most through a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ceiling {
    /// Nothing is changed.
    #[default]
    ReadOnly,
    /// Mutations of this risk, and of less.
    UpTo(Risk),
}

impl Ceiling {
    /// The least under which an action is offered; a mutation that does not say its risk never is.
    fn of(definition: &ActionDefinition) -> Option<Self> {
        match definition.is_mutation() {
            false => Some(Self::ReadOnly),
            true => definition.risk.map(Self::UpTo),
        }
    }

    /// Whether an action is offered.
    #[must_use]
    pub fn covers(self, definition: &ActionDefinition) -> bool {
        Self::of(definition).is_some_and(|needs| needs <= self)
    }
}

/// Why a registry cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// An action has the name of a tool that every server has.
    #[error("the action `{0}` has the name of a built-in tool: register it with a prefix")]
    Reserved(String),
    /// A tool of the server itself is not well declared.
    #[error(transparent)]
    OwnTool(RegistryError),
    /// A definition is no tool of the protocol.
    #[error("`{name}` is not a tool of the protocol")]
    NoTool {
        /// The action.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Called {
    Observation,
    Mutation,
    Own(OwnTool),
}

/// A tool, and what a call of it is.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) tool: Tool,
    pub(crate) called: Called,
    /// The least ceiling under which it is offered.
    pub(crate) needs: Ceiling,
}

/// All tools, by name.
pub(crate) fn offered(
    catalogue: &Catalogue,
    ceiling: Ceiling,
) -> Result<BTreeMap<String, Offered>, OfferError> {
    let mut tools = BTreeMap::new();
    for own in OwnTool::ALL {
        let needs = match own.changes_something() {
            false => Ceiling::ReadOnly,
            true => Ceiling::UpTo(Risk::Low),
        };
        if needs > ceiling {
            continue;
        }
        let offered = Offered {
            tool: own.tool().map_err(OfferError::OwnTool)?,
            called: Called::Own(own),
            needs,
        };
        tools.insert(own.name().to_owned(), offered);
    }
    for definition in catalogue.definitions() {
        if OwnTool::ALL.iter().any(|own| own.name() == definition.name) {
            return Err(OfferError::Reserved(definition.name.clone()));
        }
        let Some(needs) = Ceiling::of(definition).filter(|needs| *needs <= ceiling) else {
            continue;
        };
        let called = match definition.is_mutation() {
            true => Called::Mutation,
            false => Called::Observation,
        };
        let tool = tool(definition)?;
        let offered = Offered {
            tool,
            called,
            needs,
        };
        tools.insert(definition.name.clone(), offered);
    }
    Ok(tools)
}

/// An action as a tool.
fn tool(definition: &ActionDefinition) -> Result<Tool, OfferError> {
    let mut tool = tool_json::mcp(definition);
    if definition.is_mutation() {
        // What a call of it answers is how the proposal stands, of which the outcome is a part.
        set(&mut tool, "outputSchema", schemas::of::<Answer>());
        let meta = json!({
            "risk": definition.risk,
            "effect": definition.effect,
            "reversible": definition.reversible,
        });
        set(&mut tool, "_meta", meta);
    } else {
        set(&mut tool, "_meta", json!({ "cost": definition.cost }));
        without_descriptions(tool.get_mut("outputSchema"));
    }
    serde_json::from_value(tool).map_err(|source| OfferError::NoTool {
        name: definition.name.clone(),
        source,
    })
}

fn set(tool: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = tool {
        members.insert(member.to_owned(), value);
    }
}
