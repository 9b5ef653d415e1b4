//! Writes are fast.

use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::facts::bounded_text::bounded;
use crate::facts::prometheus::write_p99;
use crate::observations::check_invariants::thresholds::CheckInvariants;
use crate::observations::check_invariants::violation::{SinceSource, Violation};

/// Between two of the times at which Prometheus is asked, seconds: how often it scrapes.
const STEP_S: u32 = 15;

/// Two queries: which stores are slow now, and which were all the time.
pub(super) async fn slow_writes(
    bounds: &CheckInvariants,
    tikv: &Tikv,
    stores: &[Store],
    unknown: &mut Vec<String>,
) -> Vec<Violation> {
    let Some(prometheus) = &tikv.prometheus else {
        unknown.push("write latency: no Prometheus is configured".to_owned());
        return Vec::new();
    };
    let (p99, limit) = (write_p99(), f64::from(bounds.write_p99_ms) / 1_000.0);
    let window = bounds.write_p99_for_s;
    let now = prometheus.query(&format!("({p99}) > {limit}")).await;
    let all_the_time = format!("min_over_time(({p99})[{window}s:{STEP_S}s]) > {limit}");
    let all_the_time = prometheus.query(&all_the_time).await;
    let (now, all_the_time) = match (now, all_the_time) {
        (Ok(now), Ok(all_the_time)) => (now, all_the_time),
        (Err(error), _) | (_, Err(error)) => {
            let why = bounded(&action_core::report(&error));
            unknown.push(format!("write latency: {why}"));
            return Vec::new();
        }
    };
    now.iter()
        .filter_map(|sample| {
            let instance = sample.labels.get("instance")?;
            let p99_ms = sample.value? * 1_000.0;
            let store = stores.iter().find(|one| one.status_address == *instance);
            let about = match store {
                Some(store) => format!("store/{}", store.id),
                None => bounded(&format!("instance/{instance}")),
            };
            let text = format!("the p99 write latency on {about} is {p99_ms:.0} ms");
            let bound = f64::from(bounds.write_p99_ms);
            let mut breach = Violation::new("write_p99", about, text, p99_ms, bound);
            let mut lasting = all_the_time.iter();
            breach.violated = lasting.any(|one| one.labels.get("instance") == Some(instance));
            breach.grace_s = window.into();
            breach.since_source = SinceSource::Prometheus;
            Some(breach)
        })
        .collect()
}
