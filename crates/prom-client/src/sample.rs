//! One number of an answer, with its labels.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// One number, and what it is of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Its labels; the name of the metric is `__name__`, when the expression keeps it.
    pub labels: BTreeMap<String, String>,
    /// The number; `None` for one that is none, such as a quotient by zero.
    pub value: Option<f64>,
    /// The time it is of, by the clock of Prometheus.
    pub at: Option<SystemTime>,
}

/// The answer to a query.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) error_type: String,
    #[serde(default)]
    pub(crate) error: String,
    pub(crate) data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(crate) enum Data {
    Vector(Vec<Series>),
    Scalar(Point),
}

#[derive(Deserialize)]
pub(crate) struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Point,
}

/// Seconds after 1970, and the number as text.
#[derive(Deserialize)]
pub(crate) struct Point(f64, String);

impl Data {
    pub(crate) fn samples(self) -> Vec<Sample> {
        match self {
            Self::Scalar(point) => vec![point.sample(BTreeMap::new())],
            Self::Vector(series) => series
                .into_iter()
                .map(|one| one.value.sample(one.metric))
                .collect(),
        }
    }
}

impl Point {
    fn sample(self, labels: BTreeMap<String, String>) -> Sample {
        let Self(seconds, number) = self;
        let value: Option<f64> = number.parse().ok();
        let since = Duration::try_from_secs_f64(seconds).ok();
        Sample {
            labels,
            value: value.filter(|value| value.is_finite()),
            at: since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
        }
    }
}
