//! A whole subject, in `dial.rs`, and its use.
//!
//! `cargo run -p action-core --example embed`

mod dial;

use std::sync::Arc;

use action_core::{ActionRegistry, Attempt, Sent, tool_json};
use serde_json::json;

use crate::dial::{Dial, Lost, Panel};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let panel = Panel::new(3);
    let mut registry = ActionRegistry::new();
    registry.register(Dial(Arc::clone(&panel)))?;

    // What a model is offered.
    for definition in registry.definitions() {
        show(&tool_json::mcp(definition));
    }
    // All that is wrong, at once.
    if let Err(error) = registry.validate("set_dial", json!({ "valeu": 3, "value": 11 })) {
        show(&json!(error.report()));
    }
    // What a mutation goes through; `action-guard` does this, and keeps a journal.
    let request = json!({ "value": 7 });
    let plan = registry.plan("set_dial", request.clone()).await?;
    show(&json!(plan));
    let attempt = Attempt::new("1", 0, None);
    // The answer is lost on its way: only a probe can tell.
    panel.read(|panel| panel.lose = Some(Lost::Answer));
    let accepted = registry
        .send("set_dial", request.clone(), &plan.before, &attempt)
        .await;
    if let Err(error) = &accepted {
        show(&json!({ "kind": error.kind(), "error": error.report() }));
    }
    let sent = Sent::new(attempt, accepted.ok(), 0);
    let progress = registry
        .probe("set_dial", request.clone(), &plan.before, &sent)
        .await?;
    show(&json!(progress));
    show(&json!(registry.undo(
        "set_dial",
        request,
        &plan.before,
        None,
        None
    )?));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(value: &serde_json::Value) {
    println!("{value:#}");
}
