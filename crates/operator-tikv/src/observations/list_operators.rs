//! The operators in flight: `list_operators`.

// length: what is asked and shown has 15 fields, each with its unit or source.

use std::collections::BTreeMap;
use std::time::SystemTime;

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use pd_client::operators::Operator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::operator::is_by_request;
use crate::facts::pd_clock::PdTime;
use crate::parameters::ids::RegionId;
use crate::parameters::list_limit::Limit;

/// Lists the operators in progress, no matter who requested them.
///
/// Oldest first, because those may be stuck. `total` is the number of all, and `cut` says whether
/// the list is truncated. PD forgets its operators when its leader changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOperators {
    /// Maximum number of operators.
    #[serde(default)]
    pub limit: Limit<50, 500>,
}

/// The operators in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Operators {
    /// The oldest first.
    pub operators: Vec<OperatorView>,
    /// How many there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// How many there are of each description, the most frequent first; at most 20.
    pub by_desc: Vec<DescCount>,
}

/// So many operators of one description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DescCount {
    /// What made them, in PD's word, such as `balance-leader`.
    pub desc: String,
    /// How many.
    pub count: u64,
}

/// An operator in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct OperatorView {
    /// The region it is for; absent when PD's text could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_id: Option<RegionId>,
    /// What made it, in PD's word: `admin-…` by request, others by PD itself.
    pub desc: String,
    /// What it does, in PD's words, such as `transfer leader: store 1 to 4`.
    pub brief: String,
    /// Whether somebody asked for it.
    pub by_request: bool,
    /// The step it is at, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// How many steps it has.
    pub steps: u64,
    /// For how many seconds it has been running by PD's clock; absent before it is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_s: Option<u64>,
    /// After how many seconds PD gives it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
}

impl OperatorView {
    pub(crate) fn of(operator: &Operator, now: Option<PdTime>) -> Self {
        Self {
            region_id: operator.region_id.map(Into::into),
            desc: bounded(&operator.desc),
            brief: bounded(&operator.brief),
            by_request: is_by_request(operator),
            step: operator.current_step,
            steps: operator.steps.len() as u64,
            running_s: operator.started.and_then(|at| Some(now?.seconds_since(at))),
            timeout_s: operator.timeout.map(|timeout| timeout.as_secs()),
        }
    }
}

const MOST_DESCS: usize = 20;

#[async_trait]
impl Observation<Tikv> for ListOperators {
    const NAME: &'static str = "list_operators";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Overview);
    const COLUMNS: &'static [&'static str] = &[
        "region_id",
        "desc",
        "running_s",
        "step",
        "steps",
        "brief",
        "by_request",
        "timeout_s",
    ];
    type Output = Operators;

    async fn observe(&self, tikv: &Tikv) -> Result<Operators, Error> {
        let mut operators = tikv.pd.operators().await.map_err(Error::Read)?;
        let by_desc = by_desc(&operators);
        operators.sort_by_key(|operator| operator.created.unwrap_or(SystemTime::UNIX_EPOCH));
        let total = operators.len() as u64;
        let cut = self.limit.cut(&mut operators);
        let now = PdTime::now(tikv);
        let views = operators.iter().map(|one| OperatorView::of(one, now));
        Ok(Operators {
            operators: views.collect(),
            total,
            cut,
            by_desc,
        })
    }
}

fn by_desc(operators: &[Operator]) -> Vec<DescCount> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for operator in operators {
        *counts.entry(&operator.desc).or_default() += 1;
    }
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(desc, count)| DescCount {
            desc: bounded(desc),
            count,
        })
        .collect();
    counts.sort_by_key(|one| std::cmp::Reverse(one.count));
    counts.truncate(MOST_DESCS);
    counts
}
