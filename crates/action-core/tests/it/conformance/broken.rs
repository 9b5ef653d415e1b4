//! Each promise is broken on purpose, and the suite names it.

use std::collections::BTreeSet;

use action_core::testing::{Promise, conformance};

use crate::conformance::toy::{FLAW, Flaw, Tank};

/// A flaw, and the promises that it breaks: the one that it is about first, then what comes of it.
const FLAWS: &[(Flaw, &[Promise])] = &[
    (Flaw::UndocumentedParameter, &[Promise::WellFormed]),
    (Flaw::ListedTwice, &[Promise::WellFormed]),
    (Flaw::OutputIsNoObject, &[Promise::WellFormed]),
    (Flaw::WritesOtherParameters, &[Promise::RoundTrips]),
    (Flaw::ExampleIsInvalid, &[Promise::Example]),
    (Flaw::ExampleIsNoOp, &[Promise::Example]),
    (Flaw::SaysNothingOfRefusals, &[Promise::Example]),
    (Flaw::ObservationWrites, &[Promise::ObservationOnlyReads]),
    (Flaw::ObservationFails, &[Promise::ObservationOnlyReads]),
    (Flaw::PlanWrites, &[Promise::PlanOnlyReads]),
    (Flaw::PlanFails, &[Promise::PlanOnlyReads]),
    (Flaw::PlanChanges, &[Promise::PlanIsStable]),
    (Flaw::NoLastingName, &[Promise::NamesLasting]),
    (
        Flaw::SendsTwice,
        &[Promise::SendsOnce, Promise::SurvivesDrop],
    ),
    (
        Flaw::SendsNothing,
        &[
            Promise::SendsOnce,
            Promise::ProvesApplied,
            Promise::RefusalIsForetold,
            Promise::LostRequest,
        ],
    ),
    (Flaw::SendFails, &[Promise::SendsOnce]),
    (Flaw::TriesAgain, &[Promise::SendsOnce]),
    (
        Flaw::ProbeWrites,
        &[
            Promise::ProbeOnlyReads,
            Promise::LostRequest,
            Promise::SurvivesDrop,
        ],
    ),
    (Flaw::ProbeFails, &[Promise::ProbeOnlyReads]),
    (
        Flaw::ProbeSeesNothing,
        &[
            Promise::ProvesApplied,
            Promise::LostAnswer,
            Promise::SurvivesDrop,
        ],
    ),
    (Flaw::SettledIsReversed, &[Promise::ProvesApplied]),
    (Flaw::RemembersInMemory, &[Promise::SurvivesRestart]),
    (Flaw::FactsAreNotRead, &[Promise::ProvesApplied]),
    (Flaw::UndoIsWrong, &[Promise::UndoRestores]),
    (Flaw::UndoIsNone, &[Promise::UndoRestores]),
    (Flaw::UndoExpectsOther, &[Promise::UndoRestores]),
    (Flaw::UndoWouldBeRejected, &[Promise::UndoRestores]),
    (Flaw::StateShowsNothing, &[Promise::UndoRestores]),
    (Flaw::RefusalIsNotForetold, &[Promise::RefusalIsForetold]),
    (Flaw::RefusalHasNoWords, &[Promise::RefusalIsForetold]),
    (Flaw::RefusalIsUnknown, &[Promise::RefusalIsForetold]),
    (Flaw::RefusesNothing, &[Promise::RefusalIsForetold]),
    (Flaw::AsksForNoPermit, &[Promise::AsksForPermit]),
    (Flaw::SendsWithoutPermit, &[Promise::AsksForPermit]),
    (Flaw::PermitIsUnknown, &[Promise::AsksForPermit]),
    (Flaw::SendsToAnySystem, &[Promise::ChecksSystem]),
    (Flaw::CachesIdentity, &[Promise::ChecksSystem]),
    (
        Flaw::AcceptedWithoutAnswer,
        &[Promise::LostRequest, Promise::LostAnswer],
    ),
    (
        Flaw::AppliedWithoutEvidence,
        &[Promise::LostRequest, Promise::SurvivesDrop],
    ),
    (Flaw::LostIsUnavailable, &[Promise::LostAnswer]),
    (
        Flaw::LostIsNotApplied,
        &[Promise::LostAnswer, Promise::SurvivesDrop],
    ),
    (
        Flaw::DropSendsAgain,
        &[
            Promise::SurvivesDrop,
            Promise::SendsOnce,
            Promise::AsksForPermit,
        ],
    ),
];

async fn broken(flaw: Flaw) -> BTreeSet<Promise> {
    FLAW.set(flaw);
    let broken = conformance::<Tank>().await;
    broken.into_iter().map(|one| one.promise).collect()
}

#[tokio::test]
async fn a_subject_without_a_flaw_keeps_all_promises() {
    FLAW.set(Flaw::None);
    assert_eq!(conformance::<Tank>().await, []);
}

#[tokio::test]
async fn each_flaw_is_named_by_the_promise_that_it_breaks() {
    for (flaw, promises) in FLAWS {
        let expected: BTreeSet<_> = promises.iter().copied().collect();
        assert_eq!(broken(*flaw).await, expected, "{flaw:?}");
    }
}

#[test]
fn each_promise_is_broken_by_some_flaw() {
    let first = FLAWS.iter().map(|(_, promises)| &promises[0]);
    let broken: BTreeSet<_> = first.collect();
    let all: BTreeSet<_> = Promise::ALL.iter().collect();
    assert_eq!(broken, all);
}

#[tokio::test]
async fn what_is_broken_says_what_was_seen_and_what_to_mend() {
    FLAW.set(Flaw::SendsTwice);
    let broken = conformance::<Tank>().await;
    let shown = broken[0].to_string();
    let expected =
        "`fill_tank`: sends_once: the fake got 2 writes\n    `send` must make exactly one";
    assert!(shown.starts_with(expected), "{shown}");
}
