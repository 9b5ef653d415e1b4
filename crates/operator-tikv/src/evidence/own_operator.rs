//! Which operator on a region is the one we asked for.
//!
//! PD gives operators no id, and answers about a region, not about an operator: the one that is
//! running there, or the last that ended, whoever asked for it. Ours is known by what it does and
//! by when PD made it.

use std::time::{Duration, SystemTime};

use action_core::{Accepted, Evidence, Sent};
use pd_client::operators::{Operator, OperatorReport, OperatorStatus};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::operator::is_running;
use crate::facts::pd_clock::{at_unix_ms, pd_now, pd_time_of_send, uncertainty, unix_ms};
use crate::parameters::ids::RegionId;

/// What keeps the time of PD's answer, milliseconds after 1970 by PD's clock.
pub(crate) const PD_DATE: &str = "pd_date_unix_ms";

/// After PD has let go of an operator, how long what it told TiKV may still take effect: a leader
/// transfer is given up after an election time-out of ten seconds.
pub(crate) const LATE_EFFECT: Duration = Duration::from_secs(15);

/// After a send, how long it may take until there is a trace of it: PD starts an operator within
/// three seconds or drops it, a forwarded request is answered within the client's time-out.
pub(crate) const SETTLE_MS: u64 = 15_000;

/// What is known of the operators of one region.
pub(crate) struct Observed {
    /// The one we asked for, if it is the one PD tells about.
    pub(crate) ours: Option<OperatorReport>,
    /// Another one, if that is the one PD tells about.
    another: Option<OperatorReport>,
}

/// How ours is recognised.
pub(crate) struct OperatorQuery<'a> {
    /// The region it is for.
    pub(crate) region_id: RegionId,
    /// PD's name for operators like it.
    pub(crate) desc: &'static str,
    /// Whether its brief says what we asked for.
    pub(crate) brief: &'a (dyn Fn(&str) -> bool + Sync),
}

impl Observed {
    /// Looks at the region's operator.
    pub(crate) async fn on(
        tikv: &Tikv,
        query: &OperatorQuery<'_>,
        sent: &Sent,
    ) -> Result<Self, Error> {
        let report = tikv.pd.operator(query.region_id.pd()).await;
        let report = report.map_err(Error::Read)?;
        let is_ours = report
            .as_ref()
            .is_some_and(|report| is_ours(&report.operator, query, sent));
        let (ours, another) = if is_ours {
            (report, None)
        } else {
            (None, report)
        };
        Ok(Self { ours, another })
    }

    /// Whether any operator is at work on the region.
    fn is_running(&self) -> bool {
        let reports = self.ours.iter().chain(&self.another);
        reports.into_iter().any(is_running)
    }

    /// Whether ours is at work on the region.
    pub(crate) fn ours_is_running(&self) -> bool {
        self.ours.as_ref().is_some_and(is_running)
    }

    /// Whether ours ended by success.
    pub(crate) fn ours_succeeded(&self) -> bool {
        let ours = self.ours.as_ref();
        ours.is_some_and(|report| report.status == OperatorStatus::Success)
    }

    /// What PD said.
    pub(crate) fn evidence(&self, region_id: RegionId) -> Evidence {
        let source = format!("GET /pd/api/v1/operators/{region_id}");
        match (&self.ours, &self.another) {
            (Some(ours), _) => Evidence::new(source, "our_operator", ours.raw.as_str()),
            (None, Some(other)) => Evidence::new(source, "another_operator", other.raw.as_str()),
            (None, None) => Evidence::new(source, "operator", "none"),
        }
    }

    /// Why nothing more is to be expected: a stable code, and words.
    pub(crate) fn ending(&self, sent: &Sent) -> (&'static str, String) {
        let name = |report: &OperatorReport| format!("{} {}", report.operator.desc, report.status);
        match (&self.ours, &self.another) {
            (Some(ours), _) => match ours.status {
                OperatorStatus::Cancel => ("operator_cancelled", name(ours)),
                OperatorStatus::Timeout => ("operator_timed_out", name(ours)),
                OperatorStatus::Replace => ("operator_replaced", name(ours)),
                _ => ("operator_ended", name(ours)),
            },
            (None, Some(other)) => {
                let words = format!("the region's last operator is another: {}", other.raw);
                ("operator_superseded", words)
            }
            (None, None) if sent.accepted.is_some() => (
                "operator_lost",
                "PD accepted, and no longer knows of an operator; it forgets them when its \
                 leader changes"
                    .to_owned(),
            ),
            (None, None) => (
                "no_trace",
                "PD knows of no such operator, and would by now".to_owned(),
            ),
        }
    }

    /// Whether ours, or any trace of it, can have no more effect.
    pub(crate) async fn is_over(&self, tikv: &Tikv, sent: &Sent) -> Result<bool, Error> {
        if self.is_running() || sent.elapsed_ms < SETTLE_MS {
            return Ok(false);
        }
        let (Some(ours), Some(now)) = (&self.ours, pd_now(sent)) else {
            return Ok(true);
        };
        let from = ours.operator.created.unwrap_or(now - 2 * LATE_EFFECT);
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
}

fn is_ours(operator: &Operator, query: &OperatorQuery<'_>, sent: &Sent) -> bool {
    operator.region_id == Some(query.region_id.pd())
        && operator.desc == query.desc
        && (query.brief)(&operator.brief)
        && operator
            .created
            .is_some_and(|created| made_by(created, sent))
}

/// Whether PD made it between our sending and PD's answer, as far as the clocks can tell.
fn made_by(created: SystemTime, sent: &Sent) -> bool {
    let answered = sent.accepted.as_ref().and_then(|accepted| {
        let date = accepted.facts.get(PD_DATE)?.as_u64()?;
        at_unix_ms(date)
    });
    // PD's date is cut to the second.
    let not_after = match (answered, pd_now(sent)) {
        (Some(answered), _) => answered + Duration::from_secs(1),
        (None, Some(now)) => now + Duration::from_secs(1) + uncertainty(sent),
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
