//! The schedulers, paused and removed ones too: `list_schedulers`.

// length: what is asked and shown has 9 fields, each with its unit or source.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::Client;
use pd_client::config::ScheduleConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::facts::schedulers::{NOT_LOADED, loaded, name_of, stored};
use crate::parameters::list_limit::Limit;

/// Lists the schedulers, which of them are paused and until when, and which were removed.
///
/// PD does not say who paused a scheduler; `lasting_effect` is the key of a pause in a journal.
/// Pauses are forgotten when PD's leader changes. After PD starts it is an error until PD has
/// loaded its schedulers. `cut` says whether the list is truncated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSchedulers {
    /// Maximum number of schedulers.
    #[serde(default)]
    pub limit: Limit<50, 200>,
}

/// The schedulers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Schedulers {
    /// By name.
    pub schedulers: Vec<SchedulerView>,
    /// How many there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
}

/// A scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SchedulerView {
    /// Its name, such as `balance-leader-scheduler`.
    pub name: String,
    /// How it is.
    pub state: SchedulerState,
    /// When it was paused, milliseconds after 1970 by PD's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at_unix_ms: Option<u64>,
    /// In how many seconds it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumes_in_s: Option<u64>,
    /// What a journal knows its pause by, such as `pause-scheduler/balance-leader-scheduler`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasting_effect: Option<String>,
}

/// How a scheduler is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchedulerState {
    /// It makes operators.
    Running,
    /// It makes none for a time.
    Paused,
    /// It is one that PD has by default, and was removed.
    Removed,
}

/// What a pause is known by in a journal.
pub(crate) fn effect(name: &str) -> String {
    format!("pause-scheduler/{name}")
}

/// The schedulers that PD has by default and that were removed: only the configuration shows
/// them.
pub(crate) fn removed(config: &ScheduleConfig) -> Vec<String> {
    let listed = config.rest.get("schedulers-v2").and_then(Value::as_array);
    let off = |one: &&Value| one.get("disable") == Some(&Value::Bool(true));
    let kind = |one: &Value| one.get("type")?.as_str().map(str::to_owned);
    let kinds = listed.into_iter().flatten().filter(off).filter_map(kind);
    kinds.map(|kind| name_of(&kind)).collect()
}

#[async_trait]
impl Observation<Tikv> for ListSchedulers {
    const NAME: &'static str = "list_schedulers";
    const COST: Cost = Cost::Point;
    type Output = Schedulers;

    async fn observe(&self, tikv: &Tikv) -> Result<Schedulers, Error> {
        let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let stored = stored(&config);
        let read = |pd: Client| async move { pd.schedulers().await };
        let names = tikv
            .pd
            .read_until(tikv.waits, read, |names| loaded(names, &stored));
        let mut names = names.await.map_err(Error::Read)?;
        if !loaded(&names, &stored) {
            return Err(Error::NotKnownYet { text: NOT_LOADED });
        }
        let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
        let removed = removed(&config);
        names.extend(paused.iter().map(|one| one.name.clone()));
        names.extend(removed.iter().cloned());
        names.sort_unstable();
        names.dedup();
        let total = names.len() as u64;
        let cut = self.limit.cut(&mut names);
        let now = PdTime::now(tikv);
        let views = names.iter().map(|name| {
            let pause = paused.iter().find(|one| one.name == *name);
            let resume_at = pause.and_then(|pause| pause.resume_at);
            SchedulerView {
                name: bounded(name),
                state: match pause {
                    _ if removed.contains(name) => SchedulerState::Removed,
                    Some(_) => SchedulerState::Paused,
                    None => SchedulerState::Running,
                },
                paused_at_unix_ms: pause.and_then(|pause| unix_ms(pause.paused_at?)),
                resumes_in_s: resume_at.and_then(|at| Some(now?.seconds_until(at))),
                lasting_effect: pause.map(|_| effect(&bounded(name))),
            }
        });
        Ok(Schedulers {
            schedulers: views.collect(),
            total,
            cut,
        })
    }
}
