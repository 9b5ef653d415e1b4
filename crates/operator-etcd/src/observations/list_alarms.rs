//! The alarms that are on: `list_alarms`.

use action_core::{Cost, Observation, Role, bounded};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::ids::MemberId;

/// Lists the alarms that are on. While one is, the cluster takes no writes, or not all.
///
/// etcd answers this only where a quorum does.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAlarms {}

/// The alarms that are on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlarmsView {
    /// All of them.
    pub alarms: Vec<AlarmView>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlarmView {
    /// The member that raised it.
    pub member_id: MemberId,
    /// What it is about, in etcd's word, such as `NOSPACE`.
    pub alarm: String,
}

#[async_trait]
impl Observation<Etcd> for ListAlarms {
    const NAME: &'static str = "list_alarms";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = AlarmsView;

    async fn observe(&self, etcd: &Etcd) -> Result<AlarmsView, Error> {
        let alarms = etcd.alarms(&etcd.seen().await?).await?;
        let view = |alarm: &crate::wire::Alarm| AlarmView {
            member_id: MemberId(alarm.member_id),
            alarm: bounded(&alarm.alarm),
        };
        Ok(AlarmsView {
            alarms: alarms.iter().map(view).collect(),
        })
    }
}
