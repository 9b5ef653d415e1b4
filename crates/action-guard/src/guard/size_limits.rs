//! Keeps what the system says so short that the space reserved for it is enough.

use action_core::{Evidence, Outcome};

use crate::proposal::Answer;

/// Of a text.
const LONGEST_TEXT: usize = 4 * 1024;

/// Of all evidence together, as JSON.
const MOST_EVIDENCE: usize = 16 * 1024;

/// The same answer, with long texts cut.
pub(crate) fn answer(answer: Answer) -> Answer {
    match answer {
        Answer::Accepted { mut accepted, code } => {
            accepted.answer = text(accepted.answer);
            let size = serde_json::to_vec(&accepted.facts).map_or(usize::MAX, |json| json.len());
            if size > MOST_EVIDENCE {
                accepted.facts.clear();
            }
            Answer::Accepted { accepted, code }
        }
        Answer::Refused {
            code,
            error,
            retryable,
        } => Answer::Refused {
            code: text(code),
            error: text(error),
            retryable,
        },
        Answer::Unclear { code, error } => Answer::Unclear {
            code: text(code),
            error: text(error),
        },
    }
}

/// The same outcome, with long texts cut and evidence left out that is too much.
pub(crate) fn outcome(mut outcome: Outcome) -> Outcome {
    outcome.summary = text(outcome.summary);
    outcome.next = outcome.next.map(text);
    let mut size = 0;
    let mut left_out = 0_u64;
    if let Some(settled) = &mut outcome.settled {
        if let Some(cause) = &mut settled.cause {
            cause.text = text(std::mem::take(&mut cause.text));
        }
        let size = serde_json::to_vec(&settled.evidence).map_or(usize::MAX, |json| json.len());
        if size > MOST_EVIDENCE {
            settled.evidence.clear();
        }
    }
    outcome.evidence.retain(|evidence| {
        size += serde_json::to_vec(evidence).map_or(MOST_EVIDENCE, |json| json.len());
        left_out += u64::from(size > MOST_EVIDENCE);
        size <= MOST_EVIDENCE
    });
    if left_out > 0 {
        let note = Evidence::new("action-guard", "evidence_left_out", left_out);
        outcome.evidence.push(note);
    }
    outcome
}

fn text(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        let mut end = LONGEST_TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use action_core::{Accepted, Attribution, Settled};

    use super::*;

    #[test]
    fn what_is_short_stays_as_it_is() {
        let evidence = vec![Evidence::new("here", "leader", 3)];
        let short = Outcome::applied(Attribution::Ours, "moved", evidence);
        assert_eq!(outcome(short.clone()), short);
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let cut = text(format!("x{}", "ü".repeat(9_000)));
        assert_eq!(cut.len(), LONGEST_TEXT - 1 + '…'.len_utf8());
        assert!(cut.ends_with("ü…"));
    }

    /// How it held is kept as long as it is short.
    #[test]
    fn long_evidence_that_it_held_is_left_out() {
        for (length, kept) in [(100, 1), (MOST_EVIDENCE, 0)] {
            let evidence = vec![Evidence::new("here", "leader", "x".repeat(length))];
            let moved = Outcome::applied(Attribution::Ours, "moved", Vec::new());
            let cut = outcome(moved.settled(Settled::held(evidence)));
            assert_eq!(cut.settled.unwrap().evidence.len(), kept);
        }
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let evidence = (0..1_000).map(|at| Evidence::new("here", "region", "x".repeat(at)));
        let long = Outcome::applied(Attribution::Ours, "ü".repeat(9_000), evidence.collect());
        let cut = outcome(long);
        assert!(serde_json::to_vec(&cut).unwrap().len() < 24 * 1024);
        assert!(cut.summary.ends_with('…'));
        assert_eq!(cut.evidence.last().unwrap().fact, "evidence_left_out");
        let accepted = Accepted::new("a".repeat(50_000)).fact("body", "b".repeat(50_000));
        let code = None;
        let Answer::Accepted { accepted, .. } = answer(Answer::Accepted { accepted, code }) else {
            unreachable!();
        };
        assert!(accepted.answer.len() < 5_000 && accepted.facts.is_empty());
    }
}
