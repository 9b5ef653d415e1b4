//! The text PD prints for an operator.
//!
//! ```text
//! <desc> {<brief>} (kind:<k1,k2>, region:<id>(<version>, <conf_ver>), createAt:<time>,
//! startAt:<time>, currentStep:<n>, size:<MiB>, steps:[0:{<step>}, 1:{<step>}], timeout:[<dur>])
//! ```
//!
//! followed by ` finished` or ` timeout` when it ended so, and in records by
//! ` (finishAt:<time>, duration:<dur>)`. PD 6.5 and 7.1 write a full-width comma before
//! `timeout`. Text of another shape is kept as it is.

use crate::operators::{
    Operator, OperatorEnding, OperatorEpoch, OperatorRecord, OperatorReport, OperatorStatus,
};
use crate::time::{go_duration, go_time};

impl OperatorReport {
    pub(super) fn parse(raw: String) -> Self {
        let status_and_text = raw
            .strip_prefix("status: ")
            .and_then(|rest| rest.split_once(", operator: "));
        let (status, text) = status_and_text.unwrap_or(("", &raw));
        let status = OperatorStatus::parse(status);
        Self {
            status,
            operator: Operator::parse(text.to_owned()),
            raw,
        }
    }
}

impl OperatorStatus {
    fn parse(word: &str) -> Self {
        match word {
            "RUNNING" => Self::Running,
            "SUCCESS" => Self::Success,
            "TIMEOUT" => Self::Timeout,
            "CANCEL" => Self::Cancel,
            "REPLACE" => Self::Replace,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl OperatorRecord {
    pub(super) fn parse(raw: String) -> Self {
        let (text, end) = raw.rsplit_once(" (finishAt:").unwrap_or((&raw, ""));
        let (finished, duration) = end.split_once(", duration:").unwrap_or((end, ""));
        Self {
            operator: Operator::parse(text.to_owned()),
            finished: go_time(finished),
            duration: go_duration(duration.trim_end_matches(')')),
            raw,
        }
    }
}

impl Operator {
    pub(super) fn parse(raw: String) -> Self {
        let mut operator = fields(&raw).unwrap_or_default();
        operator.raw = raw;
        operator
    }
}

/// The fields in their order; `None` when the text is not an operator's.
fn fields(text: &str) -> Option<Operator> {
    let mut rest = text;
    let desc = until(&mut rest, " {")?;
    let brief = until(&mut rest, "} (kind:")?;
    let kinds = until(&mut rest, ", region:")?;
    let region = until(&mut rest, "(")?;
    let version = until(&mut rest, ", ")?;
    let conf_ver = until(&mut rest, "), createAt:")?;
    let created = until(&mut rest, ", startAt:")?;
    let started = until(&mut rest, ", currentStep:")?;
    let (numbers, rest) = rest.split_once("steps:[")?;
    let (current_step, size) = numbers.split_once(", size:").unwrap_or((numbers, ""));
    let (steps, end) = rest.rsplit_once("timeout:[")?;
    let (timeout, ending) = end.split_once(']')?;
    Some(Operator {
        desc: desc.to_owned(),
        brief: brief.to_owned(),
        kinds: kinds.split(',').map(str::to_owned).collect(),
        region_id: region.parse().ok(),
        epoch: epoch(version, conf_ver),
        created: go_time(created),
        started: go_time(started),
        current_step: current_step.trim_end_matches([',', ' ']).parse().ok(),
        size_mib: size.trim_end_matches([',', ' ']).parse().ok(),
        steps: self::steps(steps.trim_end_matches([',', '，', ' '])),
        timeout: go_duration(timeout),
        ending: match ending {
            ") finished" => Some(OperatorEnding::Finished),
            ") timeout" => Some(OperatorEnding::TimedOut),
            _ => None,
        },
        raw: String::new(),
    })
}

/// Cuts off what stands before the marker.
fn until<'a>(rest: &mut &'a str, marker: &str) -> Option<&'a str> {
    let (before, after) = rest.split_once(marker)?;
    *rest = after;
    Some(before)
}

fn epoch(version: &str, conf_ver: &str) -> Option<OperatorEpoch> {
    Some(OperatorEpoch {
        version: version.parse().ok()?,
        conf_ver: conf_ver.parse().ok()?,
    })
}

/// Splits `0:{<step>}, 1:{<step>}]`; the texts themselves may hold commas and braces.
fn steps(text: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = text.strip_suffix(']').unwrap_or(text);
    while let Some(after) = rest.strip_prefix(&format!("{}:{{", steps.len())) {
        let next = format!("}}, {}:{{", steps.len() + 1);
        let Some((step, _)) = after.split_once(&next) else {
            steps.push(after.strip_suffix('}').unwrap_or(after).to_owned());
            break;
        };
        steps.push(step.to_owned());
        rest = &after[step.len() + "}, ".len()..];
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::RegionId;

    const MOVE: &str = "admin-move-peer {mv peer: store [3] to [4]} (kind:admin,region, \
        region:89(1, 2), createAt:2026-11-24 05:22:02.717673496 +0000 UTC m=+20.204314805, \
        startAt:2026-11-24 05:22:02.717705944 +0000 UTC m=+20.204347243, currentStep:4, size:96, \
        steps:[0:{add learner peer 247 on store 4}, 1:{use joint consensus, promote learner peer \
        247 on store 4 to voter, demote voter peer 88 on store 3 to learner}, 2:{remove peer on \
        store 3}], timeout:[17m0s])";

    #[test]
    fn every_field_is_read() {
        let operator = Operator::parse(MOVE.to_owned());
        assert_eq!(operator.desc, "admin-move-peer");
        assert_eq!(operator.brief, "mv peer: store [3] to [4]");
        assert_eq!(operator.kinds, ["admin", "region"]);
        assert_eq!(operator.region_id, Some(RegionId::new(89).unwrap()));
        assert_eq!(
            operator.epoch,
            Some(OperatorEpoch {
                version: 1,
                conf_ver: 2
            })
        );
        assert_eq!(operator.current_step, Some(4));
        assert_eq!(operator.size_mib, Some(96));
        assert_eq!(operator.steps.len(), 3);
        assert_eq!(operator.steps[2], "remove peer on store 3");
        assert_eq!(operator.timeout, Some(Duration::from_secs(1020)));
        assert_eq!(operator.ending, None);
        assert!(operator.started > operator.created);
        assert_eq!(operator.raw, MOVE);
    }

    #[test]
    fn the_full_width_comma_of_6_5_is_read() {
        let old = MOVE.replace("], timeout", "]，timeout");
        let operator = Operator::parse(old.clone());
        assert_eq!(operator.steps, Operator::parse(MOVE.to_owned()).steps);
        assert_eq!(operator.timeout, Some(Duration::from_secs(1020)));
    }

    #[test]
    fn reports_and_records_are_read() {
        let report = OperatorReport::parse(format!("status: SUCCESS, operator: {MOVE} finished"));
        assert_eq!(report.status, OperatorStatus::Success);
        assert_eq!(report.operator.ending, Some(OperatorEnding::Finished));
        let report = OperatorReport::parse(format!("status: 5, operator: {MOVE} timeout"));
        assert_eq!(report.status, OperatorStatus::Other("5".to_owned()));
        assert_eq!(report.operator.ending, Some(OperatorEnding::TimedOut));
        let record = OperatorRecord::parse(format!(
            "{MOVE} finished (finishAt:2026-11-24 05:22:03.5 +0000 UTC m=+21, duration:153.756931ms)"
        ));
        assert_eq!(record.duration, Some(Duration::from_nanos(153_756_931)));
        assert!(record.finished > record.operator.created);
        assert_eq!(record.operator.ending, Some(OperatorEnding::Finished));
    }

    #[test]
    fn an_operator_not_yet_started_has_no_start() {
        let text = MOVE.replace(
            "2026-11-24 05:22:02.717705944 +0000 UTC m=+20.204347243",
            "0001-01-01 00:00:00 +0000 UTC",
        );
        let operator = Operator::parse(text);
        assert_eq!(operator.started, None);
        assert!(operator.created.is_some());
    }

    #[test]
    fn text_of_another_shape_is_kept() {
        for text in [
            "",
            "what",
            "desc {brief} (kind:",
            "status: , operator: ",
            "a {b} (kind:c, region:x(y",
        ] {
            let operator = Operator::parse(text.to_owned());
            assert_eq!((operator.raw.as_str(), operator.desc.as_str()), (text, ""));
            let report = OperatorReport::parse(text.to_owned());
            assert_eq!(report.raw, text);
            assert_eq!(OperatorRecord::parse(text.to_owned()).raw, text);
        }
        for (end, _) in MOVE.char_indices() {
            let cut = &MOVE[..end];
            assert_eq!(Operator::parse(cut.to_owned()).raw, cut);
            assert_eq!(
                OperatorRecord::parse(MOVE[end..].to_owned()).raw,
                MOVE[end..]
            );
        }
    }
}
