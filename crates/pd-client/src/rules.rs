//! Placement rules: how many replicas of which keys are on which stores.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::ids::RegionId;
use crate::lenient::null_is_default;
use crate::transport::{Answer, Call};

pub use fit::{RegionFit, RuleFit};

mod fit;

impl Client {
    /// All placement rules in PD's order, each with whether its group replaces those before it;
    /// `None` when rules are switched off.
    ///
    /// `GET /config/placement-rule`, all versions.
    pub async fn rules(&self) -> Result<Option<Vec<Rule>>, Error> {
        let groups = listed(self.read(Call::list("/config/placement-rule")).await)?;
        Ok(groups.map(|groups| groups.into_iter().flat_map(Group::rules).collect()))
    }

    /// The placement rules that hold for one region; `None` when rules are switched off.
    ///
    /// `GET /config/rules/region/{id}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found) when there is no such
    /// region.
    pub async fn rules_for_region(&self, id: RegionId) -> Result<Option<Vec<Rule>>, Error> {
        listed(
            self.read(Call::point("/config/rules/region").segment(id))
                .await,
        )
    }
}

/// A group of rules, with them.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    group_override: bool,
    #[serde(deserialize_with = "null_is_default")]
    rules: Vec<Rule>,
}

impl Group {
    fn rules(self) -> impl Iterator<Item = Rule> {
        let group_overrides = self.group_override;
        self.rules.into_iter().map(move |rule| Rule {
            group_overrides,
            ..rule
        })
    }
}

fn listed<T: DeserializeOwned>(answer: Result<Answer, Error>) -> Result<Option<Vec<T>>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer.json::<Option<_>>()?.unwrap_or_default())),
        Err(Error::Pd(refusal)) if refusal.is_placement_disabled() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A placement rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// The group it belongs to.
    pub group_id: String,
    /// Its id in the group.
    pub id: String,
    /// Its place among the rules of its group.
    #[serde(default)]
    pub index: i64,
    /// Whether it replaces the rules before it for its keys.
    #[serde(default, rename = "override")]
    pub overrides: bool,
    /// Whether its group replaces the groups before it for their keys. Only shown with all rules:
    /// of one region PD lists none that are replaced.
    #[serde(skip_deserializing)]
    pub group_overrides: bool,
    /// Its first key in hexadecimal, empty when unbounded.
    #[serde(default)]
    pub start_key: String,
    /// The key after its last, likewise.
    #[serde(default)]
    pub end_key: String,
    /// The part its replicas have.
    pub role: RuleRole,
    /// Whether its replicas hold the log only.
    #[serde(default)]
    pub is_witness: bool,
    /// How many replicas.
    pub count: u64,
    /// What labels their stores have.
    #[serde(default, deserialize_with = "null_is_default")]
    pub label_constraints: Vec<LabelConstraint>,
    /// Labels that name failure domains, the largest first.
    #[serde(default, deserialize_with = "null_is_default")]
    pub location_labels: Vec<String>,
    /// The label of which no two replicas may share a value.
    #[serde(default)]
    pub isolation_level: String,
}

/// The part a rule gives to its replicas.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RuleRole {
    /// Leads or follows.
    Voter,
    /// Leads.
    Leader,
    /// Votes and never leads.
    Follower,
    /// Has no vote.
    Learner,
    /// A role this client does not know yet.
    #[serde(untagged)]
    Other(String),
}

/// What a rule asks of a store's labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub struct LabelConstraint {
    /// The label.
    pub key: String,
    /// How its value is compared.
    pub op: LabelOp,
    /// What it is compared to.
    #[serde(default, deserialize_with = "null_is_default")]
    pub values: Vec<String>,
}

/// How a label's value is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LabelOp {
    /// It is one of the values.
    In,
    /// It is none of the values.
    NotIn,
    /// The store has the label.
    Exists,
    /// The store does not have the label.
    NotExists,
    /// A comparison this client does not know yet.
    #[serde(untagged)]
    Other(String),
}
