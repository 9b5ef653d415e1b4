//! What the example serves: a dial in a folder, which agents turn and people let them lock.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use action_core::{ActionRegistry, BoxError};
use action_guard::{FileJournal, Guard, Policy};

use crate::dial::Dial;

/// Who may do what.
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
"#;

/// A guard over the dial in a folder. What an earlier process left is looked at first.
///
/// # Errors
/// When the folder cannot be used.
pub async fn guard(folder: &Path) -> Result<Guard, BoxError> {
    let mut registry = ActionRegistry::new();
    registry.register(Dial(folder.to_owned()))?;
    let policy: Policy = POLICY.parse()?;
    let guard = Guard::new(registry, FileJournal::open(folder.join("state"))?);
    let guard = guard.rules(Arc::new(policy)).settle_for(Duration::ZERO);
    guard.recover(&mut |_| {}).await?;
    Ok(guard)
}
