//! Operators: PD's plans for one region each, and the text they print as.

use std::time::Duration;

use crate::clock::Time;
use crate::cluster::region::{Epoch, Region};
use crate::cluster::step::Step;
use crate::gotext::{go_duration, go_time};
use crate::version::Rows;

/// What an operator is counted as, as a set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u32);

impl Kind {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ADMIN: Self = Self(1);
    pub(crate) const MERGE: Self = Self(1 << 2);
    pub(crate) const REPLICA: Self = Self(1 << 4);
    pub(crate) const SPLIT: Self = Self(1 << 5);
    pub(crate) const REGION: Self = Self(1 << 7);
    pub(crate) const LEADER: Self = Self(1 << 8);

    /// In bit order, which is the order they print in.
    const NAMES: [(u32, &'static str); 12] = [
        (1, "admin"),
        (1 << 1, "affinity"),
        (1 << 2, "merge"),
        (1 << 3, "range"),
        (1 << 4, "replica"),
        (1 << 5, "split"),
        (1 << 6, "hot-region"),
        (1 << 7, "region"),
        (1 << 8, "leader"),
        (1 << 9, "witness-leader"),
        (1 << 10, "witness"),
        (1 << 11, "split-scatter"),
    ];

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The one flag the operator is counted under: the lowest.
    pub(crate) fn counted_as(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }

    pub(crate) fn bits(self, rows: &Rows) -> u32 {
        if rows.affinity_kind {
            self.0
        } else {
            (self.0 & 1) | ((self.0 & !0b11) >> 1)
        }
    }

    fn names(self) -> String {
        let names: Vec<&str> = Self::NAMES
            .iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        if names.is_empty() {
            "unknown".to_owned()
        } else {
            names.join(",")
        }
    }
}

/// Who gives way: an operator displaces one of a lower level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Medium,
    High,
    Urgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Started,
    Success,
    Canceled,
    Replaced,
    Timeout,
}

impl Status {
    /// The word in `GET /operators/{region_id}`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Created => "5",
            Self::Started => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Canceled => "CANCEL",
            Self::Replaced => "REPLACE",
            Self::Timeout => "TIMEOUT",
        }
    }

    /// The number in the object form.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Started => 1,
            Self::Success => 2,
            Self::Canceled => 3,
            Self::Replaced => 4,
            Self::Timeout => 6,
        }
    }
}

/// Go's difference to a time that was never set.
const NEVER_STARTED: Duration = Duration::from_nanos(i64::MAX as u64);

#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) desc: String,
    pub(crate) brief: String,
    pub(crate) region_id: u64,
    pub(crate) epoch: Epoch,
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    pub(crate) steps: Vec<Step>,
    pub(crate) current_step: usize,
    pub(crate) size: i64,
    pub(crate) timeout: Duration,
    pub(crate) status: Status,
    pub(crate) created: Time,
    pub(crate) started: Option<Time>,
    pub(crate) finished: Option<Time>,
    /// When the last step finished.
    pub(crate) step_finished: Option<Time>,
    /// When the command is sent again if nothing was heard.
    pub(crate) resend: Time,
    /// The other region of a merge.
    pub(crate) related: Option<u64>,
    /// A test's, which sets up what it wants.
    pub(crate) ignores_store_limits: bool,
}

impl Operator {
    pub(crate) fn new(
        desc: &str,
        brief: String,
        region: &Region,
        kind: Kind,
        steps: Vec<Step>,
        now: Time,
    ) -> Self {
        Self {
            desc: desc.to_owned(),
            brief,
            region_id: region.id,
            epoch: region.epoch,
            kind,
            level: if kind.contains(Kind::ADMIN) {
                Level::Urgent
            } else {
                Level::Medium
            },
            timeout: steps.iter().map(|step| step.timeout(region.size)).sum(),
            steps,
            current_step: 0,
            size: region.size,
            status: Status::Created,
            created: now,
            started: None,
            finished: None,
            step_finished: None,
            resend: now,
            related: None,
            ignores_store_limits: false,
        }
    }

    pub(crate) fn at_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    pub(crate) fn is_timed_out(&self, now: Time) -> bool {
        self.started
            .is_some_and(|started| now.since(started) > self.timeout)
    }

    /// How much of the region's `conf_ver` growth is this operator's own doing.
    pub(crate) fn conf_ver_changed(&self, region: &Region) -> u64 {
        self.steps
            .iter()
            .take(self.current_step + 1)
            .map(|step| step.conf_ver_changed(region))
            .sum()
    }

    pub(crate) fn text(&self, rows: &Rows, process_start: Time) -> String {
        let steps: Vec<String> = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| format!("{index}:{{{step}}}"))
            .collect();
        let mut text = format!(
            "{} {{{}}} (kind:{}, region:{}({}, {}), createAt:{}, startAt:{}, currentStep:{}, size:{}, steps:[{}]{}timeout:[{}])",
            self.desc,
            self.brief,
            self.kind.names(),
            self.region_id,
            self.epoch.version,
            self.epoch.conf_ver,
            go_time(Some(self.created), process_start),
            go_time(self.started, process_start),
            self.current_step,
            self.size,
            steps.join(", "),
            rows.operator_comma,
            go_duration(self.timeout),
        );
        match self.status {
            Status::Success => text.push_str(" finished"),
            Status::Timeout => text.push_str(" timeout"),
            _ => {}
        }
        text
    }

    /// The text in `GET /operators/{region_id}`.
    pub(crate) fn status_text(&self, rows: &Rows, process_start: Time) -> String {
        format!(
            "status: {}, operator: {}",
            self.status.word(),
            self.text(rows, process_start)
        )
    }

    /// The text in `GET /operators/records`.
    pub(crate) fn record_text(&self, rows: &Rows, process_start: Time) -> String {
        let finished = self.finished.unwrap_or(self.created);
        let start = match (self.status, self.step_finished) {
            (Status::Success, _) | (_, None) => self.started,
            (_, stepped) => stepped,
        };
        format!(
            "{} (finishAt:{}, duration:{})",
            self.text(rows, process_start),
            go_time(Some(finished), process_start),
            go_duration(start.map_or(NEVER_STARTED, |start| finished.since(start))),
        )
    }
}
