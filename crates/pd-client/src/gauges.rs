//! What PD's leader counts itself: figures that no other call shows, or only region by region.
//!
//! PD publishes them as text for Prometheus, and sets them every ten seconds.

use std::collections::BTreeMap;

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

impl Client {
    /// The limits in force, and how many regions are not as they should be, as PD's leader counted
    /// them at most ten seconds ago.
    ///
    /// They show an override with a time to live, as
    /// [`config_overrides`](Self::config_overrides) does at once: `GET /config` shows what is
    /// stored below it. Asked of the leader's own address, since members that do not lead keep
    /// old figures.
    ///
    /// `GET /metrics`, all versions: `pd_config_status` and `pd_regions_status`.
    ///
    /// # Errors
    /// [`Error::Unanswered`] or [`Error::NotSent`] when no address of the leader answers.
    pub async fn gauges(&self) -> Result<Gauges, Error> {
        let call = Call::list("/metrics").unversioned();
        let answer = self.leader_only().read(call).await?;
        let text = answer.text()?;
        let of = |family| -> BTreeMap<String, f64> {
            text.lines()
                .filter_map(|line| sample(line, family))
                .collect()
        };
        Ok(Gauges {
            config: of("pd_config_status"),
            regions: of("pd_regions_status"),
        })
    }
}

/// What PD's leader counts. Empty until it has counted for the first time.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Gauges {
    /// Configuration in force, overrides included, by PD's name, such as
    /// `leader-schedule-limit`. Numbers only; not every item is there.
    pub config: BTreeMap<String, f64>,
    /// How many regions are of a kind, such as `miss-peer-region-count`.
    pub regions: BTreeMap<String, f64>,
}

/// The `type` and the value of a line of this family: `family{type="x"} 4`.
fn sample(line: &str, family: &str) -> Option<(String, f64)> {
    let rest = line.strip_prefix(family)?.strip_prefix('{')?;
    let (labels, value) = rest.rsplit_once('}')?;
    let kind = labels.strip_prefix("type=\"")?.strip_suffix('"')?;
    // A time may follow the value.
    let value: f64 = value.split_whitespace().next()?.parse().ok()?;
    (value.is_finite() && !kind.contains(['"', '\\'])).then(|| (kind.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, f64)>) {
        let expected = expected.map(|(kind, value)| (kind.to_owned(), value));
        assert_eq!(sample(line, "pd_config_status"), expected, "{line}");
    }

    #[test]
    fn only_whole_lines_of_the_family_are_read() {
        let limit = "pd_config_status{type=\"leader-schedule-limit\"} 4";
        check(limit, Some(("leader-schedule-limit", 4.0)));
        check(
            "pd_config_status{type=\"max-merge-region-keys\"} 5.4e+06 1795497720000",
            Some(("max-merge-region-keys", 5_400_000.0)),
        );
        for other in [
            "# TYPE pd_config_status gauge",
            "pd_config_status_total{type=\"a\"} 1",
            "pd_config_status{type=\"a\"} NaN",
            "pd_config_status{type=\"a\"} +Inf",
            "pd_config_status{type=\"a\"}",
            "pd_config_status{type=\"a\",store=\"1\"} 1",
            "pd_config_status 1",
            "",
        ] {
            check(other, None);
        }
    }
}
