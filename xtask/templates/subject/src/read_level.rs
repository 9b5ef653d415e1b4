//! The level: `read_level`.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subject_http::HttpError;

use crate::system::SubjectName;

/// Reads the level, and how high it may be.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLevel {}

/// The level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct LevelView {
    /// The level, in percent.
    pub level: u64,
    /// The highest that is taken, in percent.
    pub limit: u64,
}

#[async_trait]
impl Observation<SubjectName> for ReadLevel {
    const NAME: &'static str = "read_level";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = LevelView;

    async fn observe(&self, system: &SubjectName) -> Result<LevelView, HttpError> {
        let now = system.level().await?;
        Ok(LevelView {
            level: now.level,
            limit: now.limit,
        })
    }
}
