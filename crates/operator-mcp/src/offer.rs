//! Which tools there are, and what each looks like.

use std::collections::BTreeMap;

use action_core::{ActionDefinition, Catalogue, RegistryError, Risk, tool_json};
use rmcp::model::Tool;
use serde_json::{Value, json};

use crate::answer;
use crate::own_tools::OwnTool;
use crate::schemas::without_descriptions;

/// What may be done at most through a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ceiling {
    /// Nothing is changed.
    #[default]
    ReadOnly,
    /// Mutations of this risk, and of less.
    UpTo(Risk),
}

impl Ceiling {
    /// Whether an action is offered.
    pub(crate) fn covers(self, definition: &ActionDefinition) -> bool {
        match self {
            _ if !definition.is_mutation() => true,
            Self::ReadOnly => false,
            Self::UpTo(most) => definition.risk.is_some_and(|risk| risk <= most),
        }
    }

    /// Whether anything can be changed.
    pub(crate) fn allows_changes(self) -> bool {
        self != Self::ReadOnly
    }
}

/// Why a registry cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// An action has the name of a tool that every server has.
    #[error(
        "the action `{0}` has the name of a tool that every server has: register it with a prefix"
    )]
    Reserved(String),
    /// A tool of the server itself is not well declared.
    #[error(transparent)]
    OwnTool(RegistryError),
    /// A definition is no tool of the protocol.
    #[error("`{name}` is no tool of the protocol")]
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
}

/// All tools, by name.
pub(crate) fn offered(
    catalogue: &Catalogue,
    ceiling: Ceiling,
) -> Result<BTreeMap<String, Offered>, OfferError> {
    let mut tools = BTreeMap::new();
    for own in OwnTool::ALL {
        if own.changes_something() && !ceiling.allows_changes() {
            continue;
        }
        let tool = own.tool().map_err(OfferError::OwnTool)?;
        let called = Called::Own(own);
        tools.insert(own.name().to_owned(), Offered { tool, called });
    }
    for definition in catalogue.definitions() {
        if OwnTool::ALL.iter().any(|own| own.name() == definition.name) {
            return Err(OfferError::Reserved(definition.name.clone()));
        }
        if !ceiling.covers(definition) {
            continue;
        }
        let called = match definition.is_mutation() {
            true => Called::Mutation,
            false => Called::Observation,
        };
        let tool = tool(definition)?;
        tools.insert(definition.name.clone(), Offered { tool, called });
    }
    Ok(tools)
}

/// An action as a tool.
fn tool(definition: &ActionDefinition) -> Result<Tool, OfferError> {
    let mut tool = tool_json::mcp(definition);
    if definition.is_mutation() {
        // What a call of it answers is how the proposal stands, of which the outcome is a part.
        set(&mut tool, "outputSchema", answer::schema());
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
