//! For the tests of journals: what every [`Journal`](crate::Journal) must do, as one body for all of them.
//!
//! An implementation says in a [`Place`] how it is opened, and has the tests made by
//! [`journal_tests!`](crate::journal_tests) and [`journal_damage_tests!`](crate::journal_damage_tests).
//! They need `tokio` with `macros` and `rt-multi-thread`.

pub use place::{Damage, MemoryPlace, Place};

pub mod fixtures;
mod instances;
pub mod journals;
mod place;

/// Tests of a journal, in the module where this stands. The place is an expression of
/// `Option<impl Place>`, evaluated for each test, that may wait; `None` skips, and says why itself.
#[macro_export]
macro_rules! journal_tests {
    ($place:expr) => {
        $crate::journal_tests! { $place;
            records_are_kept_in_order_and_chained,
            the_records_of_a_proposal_are_found,
            the_bytes_are_those_of_every_journal,
            each_decision_sees_what_those_before_it_decided,
            a_refused_decision_writes_nothing,
            a_decision_that_wants_nothing_writes_nothing,
            dropping_the_future_does_not_undo_the_decision,
            of_many_that_want_it_one_has_it,
            an_approval_is_used_once,
            a_stop_is_seen_by_the_next_commit_of_every_instance,
            a_stop_by_other_means_is_seen_by_every_instance,
            who_sends_is_known_to_every_instance,
            the_dead_are_told_from_the_living,
            what_the_dead_left_open_is_ended_by_who_adopts_it,
        }
    };
    ($place:expr; $($test:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                if let Some(place) = $place {
                    let place: &dyn $crate::testing::Place = &place;
                    $crate::testing::journals::$test(place).await?;
                    place.end().await;
                }
                Ok(())
            }
        )+
    };
}

/// The same, of a journal whose [`Place`] can [`damage`](Place::damage) it.
#[macro_export]
macro_rules! journal_damage_tests {
    ($place:expr) => {
        $crate::journal_tests! { $place;
            a_changed_record_is_named,
            a_missing_record_is_missed,
        }
    };
}
