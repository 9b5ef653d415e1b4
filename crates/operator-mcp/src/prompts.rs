//! The subjects' runbooks, as prompts.

use action_core::{Runbook, ValueType};
use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::{Map, Value};

use crate::desk::Desk;

impl Desk {
    /// All of them.
    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        self.guard
            .catalogue()
            .runbooks()
            .filter_map(prompt)
            .collect()
    }

    /// One, for these arguments.
    ///
    /// # Errors
    /// That there is none of this name, or all that is wrong with the arguments.
    pub(crate) fn prompt(
        &self,
        name: &str,
        arguments: Option<Map<String, Value>>,
    ) -> Result<GetPromptResult, ErrorData> {
        let catalogue = self.guard.catalogue();
        let runbook = catalogue.runbooks().find(|known| known.name == name);
        let runbook = runbook.ok_or_else(|| {
            let name: String = name.chars().take(80).collect();
            ErrorData::invalid_params(format!("unknown prompt `{name}`"), None)
        })?;
        let given = typed(runbook, arguments.unwrap_or_default());
        let text = runbook.filled(given).map_err(|problems| {
            let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let message = format!("`{}`: {}", runbook.name, list.join("; "));
            ErrorData::invalid_params(message, serde_json::to_value(&problems).ok())
        })?;
        let result = GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]);
        Ok(result.with_description(&runbook.title))
    }
}

/// A runbook that is declared well, which each was when it was registered.
fn prompt(runbook: &Runbook) -> Option<Prompt> {
    let input = runbook.input().ok()?;
    let arguments = input.parameters.iter().map(|parameter| {
        PromptArgument::new(&parameter.name)
            .with_description(&parameter.description)
            .with_required(parameter.required)
    });
    let prompt = Prompt::new(
        &runbook.name,
        Some(&input.description),
        Some(arguments.collect()),
    );
    Some(prompt.with_title(&runbook.title))
}

/// Arguments in the types that they have: the protocol has only texts.
fn typed(runbook: &Runbook, mut given: Map<String, Value>) -> Value {
    let parameters = runbook.input().map(|input| input.parameters);
    for parameter in parameters.unwrap_or_default() {
        let is_text = parameter.shape.kind == ValueType::String;
        if let Some(Value::String(text)) = given.get(&parameter.name)
            && !is_text
            && let Ok(value) = serde_json::from_str(text)
        {
            given.insert(parameter.name, value);
        }
    }
    Value::Object(given)
}
