//! PD's configuration, stored and in force: `get_config`.

// length: what is asked and shown has 12 fields, each with its unit or source.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::settings_in_force::{self, OVERRIDABLE};
use crate::parameters::list_limit::Limit;

/// Shows PD's configuration: what is stored, and what is in force where that can be told.
///
/// PD's calls show what is stored. A temporary override (TTL), as imports and backups set, is in
/// force without being shown; it is read from PD's etcd, and `in_force` then shows the value in
/// force. If etcd cannot be read, `may_be_overridden` says which items could be overridden.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetConfig {
    /// Only items whose name contains this, such as `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub name_contains: Option<String>,
    /// Maximum number of items.
    #[serde(default)]
    pub limit: Limit<80, 500>,
}

/// PD's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ConfigView {
    /// By name.
    pub items: Vec<ConfigItem>,
    /// How many there are of those asked for, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// How many of all items are overridden, as far as can be told.
    pub overridden: u64,
    /// Whether overrides could be read.
    pub in_force_known: bool,
}

/// An item of PD's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ConfigItem {
    /// PD's full name for it, such as `schedule.leader-schedule-limit`.
    pub name: String,
    /// What is stored, as JSON text.
    pub stored: String,
    /// What is in force instead, for a time; absent where that is what is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<String>,
    /// Whether an override is in force; while it is the item cannot be set.
    pub overridden: bool,
    /// Whether an override could be in force and cannot be told.
    pub may_be_overridden: bool,
}

#[async_trait]
impl Observation<Tikv> for GetConfig {
    const NAME: &'static str = "get_config";
    const COST: Cost = Cost::Point;
    type Output = ConfigView;

    async fn observe(&self, tikv: &Tikv) -> Result<ConfigView, Error> {
        let stored = tikv.pd.config_items().await.map_err(Error::Read)?;
        let overrides = settings_in_force::overrides(tikv).await;
        let mut items: Vec<ConfigItem> = stored
            .into_iter()
            .map(|(name, value)| {
                let short = name.strip_prefix("schedule.").unwrap_or("");
                let in_force = overrides.as_ref().and_then(|all| all.of(short));
                ConfigItem {
                    stored: text(&value),
                    in_force: in_force.map(text),
                    overridden: in_force.is_some(),
                    may_be_overridden: overrides.is_none() && OVERRIDABLE.contains(&short),
                    name,
                }
            })
            .collect();
        let overridden = items.iter().filter(|item| item.overridden).count() as u64;
        if let Some(part) = &self.name_contains {
            items.retain(|item| item.name.contains(part.as_str()));
        }
        let total = items.len() as u64;
        let cut = self.limit.cut(&mut items);
        Ok(ConfigView {
            items,
            total,
            cut,
            overridden,
            in_force_known: overrides.is_some(),
        })
    }
}

/// Text as it is, everything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => bounded(text),
        value => bounded(&value.to_string()),
    }
}
