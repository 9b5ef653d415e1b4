//! The configuration item by item.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

/// The sections that are of the cluster, not of the member that answers. Certificates and the
/// paths of a machine are in others.
const SECTIONS: [&str; 6] = [
    "schedule",
    "replication",
    "pd-server",
    "replication-mode",
    "label-property",
    "cluster-version",
];

impl Client {
    /// What is stored of the cluster's configuration, by PD's full names, such as
    /// `schedule.leader-schedule-limit`, as PD writes it.
    ///
    /// `GET /config`, all versions.
    pub async fn config_items(&self) -> Result<BTreeMap<String, Value>, Error> {
        let config: Map<String, Value> = self.read(Call::point("/config")).await?.json()?;
        let mut items = BTreeMap::new();
        for (section, value) in config {
            if !SECTIONS.contains(&section.as_str()) {
                continue;
            }
            match value {
                Value::Object(members) => {
                    let full = |(name, value)| (format!("{section}.{name}"), value);
                    items.extend(members.into_iter().map(full));
                }
                value => drop(items.insert(section, value)),
            }
        }
        Ok(items)
    }
}
