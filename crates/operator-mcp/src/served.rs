//! Which systems a server serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{ActionError, Catalogue};
use tokio::sync::Mutex;

/// A kind of system, and what the names of its actions begin with.
type Kind = (String, Option<String>);

/// The systems that are served, as they were asked first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Systems(Arc<Mutex<BTreeMap<Kind, String>>>);

impl Systems {
    /// Which system an action is for, in its own words.
    pub(crate) async fn of(
        &self,
        catalogue: &Catalogue,
        action: &str,
    ) -> Result<String, ActionError> {
        let definition = catalogue.definition(action);
        let subject = definition.map(|found| found.subject.clone());
        let prefix = catalogue.prefix(action).map(str::to_owned);
        let key = (subject.unwrap_or_default(), prefix);
        let mut systems = self.0.lock().await;
        if let Some(known) = systems.get(&key) {
            return Ok(known.clone());
        }
        let found = catalogue.identity(action).await?;
        systems.insert(key, found.clone());
        Ok(found)
    }
}
