//! What can be read beside calling tools: the subjects' pages, an action's page, the policy in force, the
//! journal of a proposal.

use action_core::action_page;
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use serde_json::json;

use crate::desk::Desk;

/// What all addresses begin with.
const SCHEME: &str = "operator://";

const MARKDOWN: &str = "text/markdown";

impl Desk {
    /// Those that have an address of their own.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let catalogue = self.guard.catalogue();
        let pages = catalogue.pages().map(|page| {
            Resource::new(format!("{SCHEME}{}", page.name), &page.name)
                .with_title(&page.title)
                .with_mime_type(MARKDOWN)
        });
        let policy = self.guard.rules_text().map(|_| {
            Resource::new(format!("{SCHEME}policy"), "policy")
                .with_title("The policy in force")
                .with_description("The rules by which mutations are allowed, approved or denied.")
                .with_mime_type("application/toml")
        });
        pages.chain(policy).collect()
    }

    /// Those whose address says which is meant.
    pub(crate) fn resource_templates() -> Vec<ResourceTemplate> {
        vec![
            ResourceTemplate::new(format!("{SCHEME}actions/{{name}}"), "action")
                .with_title("An action")
                .with_description(
                    "What an action does, its parameters, and how it is proven and undone.",
                )
                .with_mime_type(MARKDOWN),
            ResourceTemplate::new(format!("{SCHEME}proposals/{{id}}"), "proposal")
                .with_title("The journal of a proposal")
                .with_description("All records of one of your proposals, one per line.")
                .with_mime_type("application/jsonl"),
        ]
    }

    /// One of them.
    ///
    /// # Errors
    /// That there is none of this address, or what could not be read.
    pub(crate) async fn resource(&self, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let unknown = || {
            let uri: String = uri.chars().take(200).collect();
            let message = format!("unknown resource `{uri}`");
            ErrorData::resource_not_found(message, Some(json!({ "uri": uri })))
        };
        let path = uri.strip_prefix(SCHEME).ok_or_else(unknown)?;
        let catalogue = self.guard.catalogue();
        let (text, mime_type) = match path.split_once('/') {
            None if path == "policy" => {
                let text = self.guard.rules_text().ok_or_else(unknown)?;
                (text.to_string(), "application/toml")
            }
            None => {
                let named = catalogue.pages().filter(|page| page.name == path);
                let texts: Vec<&str> = named.map(|page| page.text.as_str()).collect();
                if texts.is_empty() {
                    return Err(unknown());
                }
                (texts.join("\n"), MARKDOWN)
            }
            Some(("actions", name)) => {
                let definition = catalogue.definition(name).ok_or_else(unknown)?;
                (action_page(definition), MARKDOWN)
            }
            Some(("proposals", id)) => {
                self.mine(id).await.map_err(|_| unknown())?;
                let entries = self.guard.journal().entries_of(id).await;
                let entries = entries.map_err(|failure| {
                    ErrorData::internal_error(action_core::report(&failure), None)
                })?;
                let lines = entries.iter().map(|entry| {
                    let (seq, at, hash) = (entry.seq, entry.at, entry.hash.to_string());
                    json!({"seq": seq, "at": at, "hash": hash, "record": entry.record}).to_string()
                });
                (lines.collect::<Vec<_>>().join("\n"), "application/jsonl")
            }
            Some(_) => return Err(unknown()),
        };
        let contents = ResourceContents::text(bounded(text, self.most), uri);
        Ok(ReadResourceResult::new(vec![
            contents.with_mime_type(mime_type),
        ]))
    }
}

/// A text of at most so many characters, cut behind a line; its last line says that it was cut.
fn bounded(text: String, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text;
    }
    let note = format!("[truncated: this text has {length} characters, at most {most} are shown]");
    let room = most.saturating_sub(note.len() + 1);
    let end = text
        .char_indices()
        .nth(room)
        .map_or(text.len(), |(at, _)| at);
    let shown = text.get(..end).unwrap_or_default();
    let shown = shown
        .rfind('\n')
        .and_then(|at| shown.get(..at))
        .unwrap_or(shown);
    format!("{shown}\n{note}")
}
