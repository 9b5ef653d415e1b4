//! Which operator on a region is the one we asked for.
//!
//! PD gives operators no id, and answers about a region, not about an operator: the one that is
//! running there, or the last that ended, whoever asked for it. Ours is known by what it does and
//! by when PD made it.

// length: what PD tells of a region's operators, and what each answer proves, is one table.

use std::time::{Duration, SystemTime};

use action_core::{Accepted, Cause, Evidence, Outcome, Sent, Undo};
use pd_client::operators::{
    Operator, OperatorEnding, OperatorRecord, OperatorReport, OperatorStatus,
};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::ForeignOperator;
use crate::evidence::operator_query::OperatorQuery;
use crate::facts::operator::is_running;
use crate::facts::pd_clock::{at_unix_ms, pd_now, pd_time_of_send, uncertainty, unix_ms};
use crate::facts::traces::{PdProcess, Traces};
use crate::parameters::ids::RegionId;

/// What is told of an operator that PD made for us.
const OUR_OPERATOR: &str = "our_operator";

/// What keeps the time of PD's answer, milliseconds after 1970 by PD's clock.
pub(crate) const PD_DATE: &str = "pd_date_unix_ms";

/// After PD has let go of an operator, how long what it told TiKV may still take effect: a leader
/// transfer is given up after an election time-out of ten seconds.
pub(crate) const LATE_EFFECT: Duration = Duration::from_secs(15);

/// After a send, how long it may take until there is a trace of it: PD starts an operator within
/// three seconds or drops it, a forwarded request is answered within the client's time-out.
pub(crate) const SETTLE_MS: u64 = 15_000;

/// PD remembers an operator so long after it ended.
const RECORDS_KEPT: Duration = Duration::from_secs(600);

/// So long after the send PD has certainly not forgotten by time alone.
const RECORDS_SURE_MS: u64 = 540_000;

/// What is known of the operators of one region.
pub(crate) struct Observed {
    /// The one we asked for, if it is among those that PD tells about.
    pub(crate) ours: Option<Ours>,
    /// Another one, if that is the one PD tells about.
    another: Option<OperatorReport>,
    /// Another one that ended before the one that runs.
    ended: Option<Operator>,
    /// What PD told at planning.
    traces: Option<Traces>,
    /// When it was sent at the latest, by PD's clock.
    sent_by: Option<SystemTime>,
    region_id: RegionId,
    /// Whether PD said that it made one.
    is_answered: bool,
    /// Ours as it was seen before, where the one that is as ours was made at another time: somebody
    /// has ended ours and asked for the same.
    replaced: Option<String>,
}

/// What is told of the one that was seen before another that does the same.
const SEEN_BEFORE: &str = "operator_seen_before";

/// The operator that we asked for.
pub(crate) struct Ours {
    operator: Operator,
    status: OperatorStatus,
    /// Whether the region's operator is another by now.
    is_followed: bool,
    raw: String,
}

/// Whether it is proven that what was asked for did not take place, where the region cannot tell.
pub(crate) enum Absence {
    Proven {
        code: &'static str,
        words: String,
    },
    /// What keeps it from being known, and what would decide it.
    NotKnown(Cause),
}

impl Observed {
    /// Looks at the region's operator, and where that is another's, at the last that ended.
    pub(crate) async fn on(
        tikv: &Tikv,
        query: &OperatorQuery<'_>,
        sent: &Sent,
    ) -> Result<Self, Error> {
        let id = query.region_id;
        let mut seen = Self {
            ours: None,
            another: None,
            ended: None,
            traces: query.traces.cloned(),
            sent_by: pd_time_of_send(sent).map(|at| at + uncertainty(sent)),
            region_id: id,
            is_answered: sent.accepted.is_some(),
            replaced: None,
        };
        let report = tikv.pd.operator(id.pd()).await.map_err(Error::Read)?;
        let Some(report) = report else {
            return Ok(seen);
        };
        if is_ours(&report.operator, query, sent) {
            seen.replaced = replaced_by(&report.raw, sent);
            seen.ours = Some(Ours {
                status: report.status,
                operator: report.operator,
                is_followed: false,
                raw: report.raw,
            });
            return Ok(seen);
        }
        if is_running(&report) {
            let from = pd_now(sent).map_or(SystemTime::UNIX_EPOCH, |now| now - RECORDS_KEPT);
            let records = tikv.pd.operator_records(from).await.map_err(Error::Read)?;
            let here = |record: &OperatorRecord| record.operator.region_id == Some(id.pd());
            if let Some(record) = records.into_iter().find(here) {
                if is_ours(&record.operator, query, sent) {
                    seen.replaced = replaced_by(&record.raw, sent);
                    seen.ours = Some(Ours::of(record));
                } else {
                    seen.ended = Some(record.operator);
                }
            }
        }
        seen.another = Some(report);
        Ok(seen)
    }

    /// Whether ours is at work on the region.
    pub(crate) fn ours_is_running(&self) -> bool {
        self.ours.as_ref().is_some_and(Ours::is_running)
    }

    /// Whether ours ended by success.
    pub(crate) fn ours_succeeded(&self) -> bool {
        let ours = self.ours.as_ref();
        ours.is_some_and(|ours| ours.status == OperatorStatus::Success)
    }

    /// Whether the one that is as ours is surely not the one that PD made for us.
    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.is_some()
    }

    /// Whether ours was begun: one that PD refused is on record too.
    pub(crate) fn ours_was_begun(&self) -> bool {
        let ours = self.ours.as_ref();
        ours.is_some_and(|ours| ours.operator.started.is_some())
    }

    /// Operators of others that were made since the plan, the last of them first.
    pub(crate) fn others(&self) -> Vec<ForeignOperator<'_>> {
        let another = self.another.as_ref().map(|report| &report.operator);
        let all = another.into_iter().chain(&self.ended);
        all.filter(|one| self.is_surely_new(one))
            .map(ForeignOperator)
            .collect()
    }

    /// The operator that changed the region last, if it was not ours.
    pub(crate) fn changed_by(&self) -> Option<String> {
        self.others().first().map(ForeignOperator::name)
    }

    fn is_surely_new(&self, operator: &Operator) -> bool {
        match &self.traces {
            Some(traces) => traces.is_new(operator),
            None => operator.created > self.sent_by && self.sent_by.is_some(),
        }
    }

    /// Whether it may have been made since the plan.
    fn may_be_new(&self, operator: &Operator) -> bool {
        let traces = self.traces.as_ref();
        traces.is_none_or(|traces| traces.is_new(operator))
    }

    /// What PD said.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        let source = format!("GET /pd/api/v1/operators/{}", self.region_id);
        let mut all = Vec::new();
        if let Some(ours) = &self.ours {
            let records = "GET /pd/api/v1/operators/records";
            let source = if ours.is_followed { records } else { &source };
            let name = if self.is_answered && !self.is_replaced() {
                OUR_OPERATOR
            } else {
                "operator_as_asked_for"
            };
            all.push(Evidence::new(source, name, ours.raw.as_str()));
        }
        if let Some(first) = &self.replaced {
            all.push(Evidence::new(source.as_str(), SEEN_BEFORE, first.as_str()));
        }
        if let Some(other) = &self.another {
            let raw = other.raw.as_str();
            all.push(Evidence::new(source.as_str(), "another_operator", raw));
        }
        if all.is_empty() {
            all.push(Evidence::new(source, "operator", "none"));
        }
        all
    }

    /// Why nothing more is to be expected: a stable code, and words.
    pub(crate) fn ending(&self, sent: &Sent) -> (&'static str, String) {
        let name = |ours: &Ours| format!("{} {}", ours.operator.desc, ours.status);
        match (&self.ours, &self.another) {
            (Some(ours), _) => match ours.status {
                OperatorStatus::Cancel => ("operator_cancelled", name(ours)),
                OperatorStatus::Timeout => ("operator_timed_out", name(ours)),
                OperatorStatus::Replace => ("operator_replaced", name(ours)),
                _ => ("operator_ended", name(ours)),
            },
            (None, Some(other)) if self.may_be_new(&other.operator) => {
                let words = format!("the region's last operator is another: {}", other.raw);
                ("operator_superseded", words)
            }
            (None, None) if sent.accepted.is_some() => (
                "operator_lost",
                "PD accepted it but no longer knows of an operator; it forgets operators when its leader changes"
                    .to_owned(),
            ),
            _ => (
                "no_trace",
                "PD has no such operator, although it would by now".to_owned(),
            ),
        }
    }

    /// Whether ours, or any trace of it, can have no more effect.
    pub(crate) async fn is_over(&self, tikv: &Tikv, sent: &Sent) -> Result<bool, Error> {
        let is_running = self.ours_is_running() || self.another.as_ref().is_some_and(is_running);
        if is_running || sent.elapsed_ms < SETTLE_MS {
            return Ok(false);
        }
        let Some(now) = pd_now(sent) else {
            return Ok(true);
        };
        let Some(ours) = &self.ours else {
            // Whatever ours had become, it ended before the next one was made.
            let mut next = self.others().into_iter().filter_map(|one| one.0.created);
            return Ok(next.all(|created| now >= created + LATE_EFFECT));
        };
        let from = ours.operator.created.unwrap_or(SystemTime::UNIX_EPOCH);
        let records = tikv.pd.operator_records(from).await.map_err(Error::Read)?;
        let ended = records
            .iter()
            .find(|record| {
                record.operator.created == ours.operator.created
                    && record.operator.region_id == ours.operator.region_id
            })
            .and_then(|record| record.finished);
        Ok(ended.is_none_or(|ended| now >= ended + LATE_EFFECT))
    }

    /// Whether it is proven that ours did not take place, once it can no longer. `may_make_none`
    /// says that PD accepts and makes no operator when there is nothing to do.
    pub(crate) async fn absence(
        &self,
        tikv: &Tikv,
        sent: &Sent,
        may_make_none: bool,
    ) -> Result<Absence, Error> {
        let (code, words) = self.ending(sent);
        let id = self.region_id;
        let log = format!("check PD's log of region {id} for whether it finished");
        // No operator came after it, as none runs by now: the region is as it left it.
        if self.ours.is_some() {
            return Ok(Absence::Proven { code, words });
        }
        if let Some(other) = &self.another {
            if self.may_be_new(&other.operator) {
                let text = format!(
                    "another operator was created since, and PD remembers only the last one: {}; {log}",
                    ForeignOperator(&other.operator).name()
                );
                return Ok(Absence::NotKnown(Cause::new("operator_superseded", text)));
            }
            // The one that was there at planning still is the last: none was made since.
            return Ok(Absence::Proven { code, words });
        }
        let traces = self.traces.as_ref();
        let is_kept = sent.since_send_ms < RECORDS_SURE_MS;
        let made_none = sent.accepted.is_none() || may_make_none;
        let pd = traces.and_then(|traces| traces.pd.as_ref());
        let unchanged = match pd.filter(|_| is_kept && made_none) {
            Some(pd) => PdProcess::read(tikv).await?.as_ref() == Some(pd),
            None => false,
        };
        if unchanged {
            return Ok(Absence::Proven { code, words });
        }
        let text = format!(
            "PD no longer remembers that time: it forgets operators after ten minutes and when its leader changes; {log}"
        );
        let code = if sent.accepted.is_some() {
            "operator_lost"
        } else {
            "trace_lost"
        };
        Ok(Absence::NotKnown(Cause::new(code, text)))
    }
}

impl Ours {
    /// Ended, as a record says.
    fn of(record: OperatorRecord) -> Self {
        let status = match record.operator.ending {
            Some(OperatorEnding::Finished) => OperatorStatus::Success,
            Some(OperatorEnding::TimedOut) => OperatorStatus::Timeout,
            _ => OperatorStatus::Cancel,
        };
        Self {
            status,
            operator: record.operator,
            is_followed: true,
            raw: record.raw,
        }
    }

    fn is_running(&self) -> bool {
        matches!(
            self.status,
            OperatorStatus::Running | OperatorStatus::Other(_)
        )
    }
}

/// Our operator as an earlier probe saw it, where this one, which does the same, is another.
fn replaced_by(raw: &str, sent: &Sent) -> Option<String> {
    let mut earlier = sent.earlier.iter();
    let first = earlier.find(|read| read.fact == OUR_OPERATOR)?;
    let first = first.value.as_str()?;
    (made_at(first) != made_at(raw)).then(|| first.to_owned())
}

/// When PD made an operator, in PD's words, which tell nanoseconds: no two on a region are alike.
fn made_at(raw: &str) -> Option<&str> {
    let (_, made) = raw.split_once("createAt:")?;
    Some(made.split_once(", startAt:")?.0)
}

/// No undo where the operator that did it was seen to be another than the one that PD made for us.
pub(crate) fn unless_replaced(undo: Undo, outcome: Option<&Outcome>) -> Undo {
    let mut evidence = outcome.into_iter().flat_map(|outcome| &outcome.evidence);
    match undo {
        Undo::Action {
            name, parameters, ..
        } if evidence.any(|read| read.fact == SEEN_BEFORE) => Undo::none(format!(
            "somebody ended our operator and requested the same change, which is not taken back. To change it back anyway, run `{name}` with {}",
            Value::Object(parameters)
        )),
        undo => undo,
    }
}

fn is_ours(operator: &Operator, query: &OperatorQuery<'_>, sent: &Sent) -> bool {
    let created = operator.created;
    query.matches(operator) && created.is_some_and(|created| made_by(created, sent))
}

/// Whether PD made it between our sending and PD's answer, as far as the clocks can tell.
fn made_by(created: SystemTime, sent: &Sent) -> bool {
    let answered = sent.accepted.as_ref().and_then(|accepted| {
        let date = accepted.facts.get(PD_DATE)?.as_u64()?;
        at_unix_ms(date)
    });
    // PD's date is cut to the second.
    let not_after = match (answered, pd_time_of_send(sent)) {
        (Some(answered), _) => answered + Duration::from_secs(1),
        // One that is made when the request is no longer on its way is another's.
        (None, Some(sent_at)) => {
            let on_its_way = sent.since_send_ms.saturating_sub(sent.elapsed_ms);
            sent_at + Duration::from_millis(on_its_way + 1_000) + uncertainty(sent)
        }
        (None, None) => return false,
    };
    let not_before = match (pd_time_of_send(sent), answered) {
        (Some(sent_at), _) => sent_at - Duration::from_secs(1) - uncertainty(sent),
        (None, Some(answered)) => answered - Duration::from_millis(SETTLE_MS),
        (None, None) => return false,
    };
    (not_before..=not_after).contains(&created)
}

/// What PD's answer tells.
pub(crate) fn accepted(
    answer: Result<pd_client::Accepted, pd_client::Error>,
) -> Result<Accepted, Error> {
    let answer = answer.map_err(Error::Send)?;
    let accepted = Accepted::new(answer.message);
    let date = answer.date.and_then(unix_ms);
    Ok(match date {
        Some(date) => accepted.fact(PD_DATE, date),
        None => accepted,
    })
}

#[cfg(test)]
mod tests;
