//! Which operator is ours, and what is said of it, reading by reading.

use action_core::{Attempt, ClockOffset};

use super::*;

const SENT_MS: u64 = 1_000_000_000;

fn clock(ahead_ms: i64, uncertainty_ms: u64) -> Option<ClockOffset> {
    serde_json::from_value(serde_json::json!({
        "ahead_ms": ahead_ms, "uncertainty_ms": uncertainty_ms,
    }))
    .unwrap()
}

/// Sent at that time, on its way for two seconds, and answered by PD then.
fn sent(clock: Option<ClockOffset>, answered: Option<u64>) -> Sent {
    let accepted = answered.map(|date| Accepted::new("ok").fact(PD_DATE, date));
    Sent::new(Attempt::new("a", SENT_MS, clock), accepted, 5_000).since_send(7_000)
}

fn at(ms: u64) -> SystemTime {
    at_unix_ms(ms).unwrap()
}

/// From a second before it was sent to a second after the answer, and as much more as the clocks
/// may be off; without a clock, in the time that PD takes at most; without an answer, while it was
/// on its way.
#[test]
fn an_operator_is_ours_when_it_was_made_between_our_sending_and_the_answer() {
    let answered = SENT_MS + 2_000;
    for (sent, first, last) in [
        (
            sent(clock(0, 300), Some(answered)),
            SENT_MS - 1_300,
            answered + 1_000,
        ),
        (
            sent(clock(0, 300), None),
            SENT_MS - 1_300,
            SENT_MS + 2_000 + 1_300,
        ),
        (
            sent(clock(60_000, 0), None),
            SENT_MS + 59_000,
            SENT_MS + 63_000,
        ),
        (
            sent(None, Some(answered)),
            answered - SETTLE_MS,
            answered + 1_000,
        ),
    ] {
        let is_ours = [first - 1, first, last, last + 1].map(|ms| made_by(at(ms), &sent));
        assert_eq!(is_ours, [false, true, true, false], "{sent:?}");
    }
    assert!(!made_by(at(SENT_MS), &sent(None, None)));
}

fn operator(created: Option<u64>) -> Operator {
    let mut operator = Operator::default();
    operator.desc = "admin-add-peer".to_owned();
    operator.created = created.map(at);
    operator
}

fn observed(traces: Option<Traces>, sent_by: Option<u64>) -> Observed {
    Observed {
        ours: None,
        another: None,
        ended: None,
        traces,
        sent_by: sent_by.map(at),
        region_id: RegionId::new(9).unwrap(),
        is_answered: true,
        replaced: None,
    }
}

/// Without a memory of the time of the plan, what was made after the send at the latest.
#[test]
fn an_operator_is_new_when_it_was_made_after_the_send() {
    let seen = observed(None, Some(SENT_MS));
    for (created, expected) in [
        (Some(SENT_MS - 1), false),
        (Some(SENT_MS), false),
        (Some(SENT_MS + 1), true),
        (None, false),
    ] {
        assert_eq!(seen.is_surely_new(&operator(created)), expected);
    }
    assert!(!observed(None, None).is_surely_new(&operator(Some(SENT_MS))));
    let seen = observed(Some(Traces::default()), Some(SENT_MS));
    assert!(seen.is_surely_new(&operator(Some(SENT_MS - 1))));
}

#[test]
fn what_pd_said_is_told_by_where_it_said_it() {
    let (direct, records) = (
        "GET /pd/api/v1/operators/9",
        "GET /pd/api/v1/operators/records",
    );
    let told = |seen: &Observed| -> Vec<(String, String, String)> {
        let all = seen.evidence().into_iter();
        let text = |value: Value| value.as_str().unwrap().to_owned();
        all.map(|one| (one.source, one.fact, text(one.value)))
            .collect()
    };
    let row = |source: &str, fact: &str, value: &str| {
        (source.to_owned(), fact.to_owned(), value.to_owned())
    };
    let mut seen = observed(None, None);
    assert_eq!(told(&seen), [row(direct, "operator", "none")]);
    for (is_followed, source) in [(false, direct), (true, records)] {
        seen.ours = Some(Ours {
            operator: operator(None),
            status: OperatorStatus::Success,
            is_followed,
            raw: "ours".to_owned(),
        });
        assert_eq!(told(&seen), [row(source, "our_operator", "ours")]);
    }
}

/// One that PD refused is on record too, and was never started.
#[test]
fn an_operator_of_ours_was_begun_when_it_was_started() {
    let mut seen = observed(None, None);
    assert!(!seen.ours_was_begun());
    for started in [None, Some(at(SENT_MS))] {
        let mut operator = operator(Some(SENT_MS));
        operator.started = started;
        seen.ours = Some(Ours {
            operator,
            status: OperatorStatus::Cancel,
            is_followed: false,
            raw: String::new(),
        });
        assert_eq!(seen.ours_was_begun(), started.is_some());
    }
}

#[test]
fn how_ours_ended_has_a_code_for_each_end() {
    let sent = sent(None, None);
    for (status, expected) in [
        (OperatorStatus::Cancel, "operator_cancelled"),
        (OperatorStatus::Timeout, "operator_timed_out"),
        (OperatorStatus::Replace, "operator_replaced"),
        (OperatorStatus::Success, "operator_ended"),
    ] {
        let mut seen = observed(None, None);
        seen.ours = Some(Ours {
            operator: operator(None),
            status,
            is_followed: false,
            raw: String::new(),
        });
        assert_eq!(seen.ending(&sent).0, expected);
    }
}

#[test]
fn a_record_says_how_ours_ended() {
    for (ending, expected) in [
        (Some(OperatorEnding::Finished), OperatorStatus::Success),
        (Some(OperatorEnding::TimedOut), OperatorStatus::Timeout),
        (None, OperatorStatus::Cancel),
    ] {
        let mut record = OperatorRecord::default();
        record.operator.ending = ending;
        let ours = Ours::of(record);
        assert_eq!(ours.status, expected);
        assert!(ours.is_followed && !ours.is_running());
    }
}
