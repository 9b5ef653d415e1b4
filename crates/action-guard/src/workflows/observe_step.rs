//! A step that looks until something is so.

use action_core::{Condition, Unmet, Work};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::guard::GuardError;
use crate::records::StepEvent;
use crate::state::Flow;
use crate::workflows::Workflows;
use crate::workflows::backoff::between_looks;
use crate::workflows::event::{FlowEvent, WatchFlow};
use crate::workflows::throttle::{Throttle, Watched};

impl Workflows {
    pub(super) async fn observe_step(
        &self,
        flow: &Flow,
        step: &str,
        until: Timestamp,
        throttle: &mut Throttle,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        let Some(Work::Observe {
            name,
            parameters,
            until: conditions,
            readings,
            poll,
            ..
        }) = flow.work(step)
        else {
            return Ok(());
        };
        let seen = self.seen(flow, name, parameters, conditions).await;
        let watched = throttle.watched.entry(step.to_owned());
        let watched = watched.or_insert_with(|| Watched {
            waits: between_looks(poll),
            readings: 0,
        });
        watched.readings = match &seen {
            Ok(()) => watched.readings.saturating_add(1),
            Err(_) => 0,
        };
        let unmet = match seen {
            Ok(()) if watched.readings >= readings => {
                let summary = summary(name, conditions);
                return self
                    .step_event(flow, step, StepEvent::Seen { summary }, watch)
                    .await;
            }
            Ok(()) => format!("seen {} times in a row of {readings}", watched.readings),
            Err(unmet) => unmet,
        };
        if Timestamp::now() >= until {
            let event = StepEvent::Failed {
                code: "timed_out".to_owned(),
                reason: unmet,
                retryable: false,
            };
            throttle.watched.remove(step);
            return self.step_event(flow, step, event, watch).await;
        }
        let wait = match watched.readings {
            0 => watched.waits.next().unwrap_or_else(|| poll.duration()),
            _ => poll.duration(),
        };
        let left = until.duration_since(Timestamp::now()).unsigned_abs();
        throttle.wait(step, wait.min(left));
        watch(FlowEvent::NotYet {
            step: step.to_owned(),
            unmet,
        });
        Ok(())
    }

    /// Whether it is so; an error says what is so instead, or why it could not be seen.
    async fn seen(
        &self,
        flow: &Flow,
        name: &str,
        parameters: &Map<String, Value>,
        conditions: &[Condition],
    ) -> Result<(), String> {
        let registry = &self.guard.registry;
        let system = registry.identity(name).await;
        let system = system.map_err(|error| error.report())?;
        if flow.systems.get(name) != Some(&system) {
            return Err(format!("another system answers: `{system}`"));
        }
        let result = registry.observe(name, Value::Object(parameters.clone()));
        let result = result.await.map_err(|error| error.report())?;
        let unmet: Vec<Unmet> = conditions
            .iter()
            .filter_map(|condition| condition.check(&result).err())
            .collect();
        if unmet.is_empty() {
            return Ok(());
        }
        let unmet: Vec<String> = unmet.iter().map(Unmet::to_string).collect();
        Err(unmet.join("; "))
    }
}

fn summary(name: &str, conditions: &[Condition]) -> String {
    let wanted: Vec<String> = conditions.iter().map(Condition::to_string).collect();
    format!("`{name}` shows {}", wanted.join(" and "))
}
