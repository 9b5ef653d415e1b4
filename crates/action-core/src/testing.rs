//! For the tests of subjects: [`assert_well_formed`] needs nothing, [`assert_conforms`] a fake of the
//! system.
//!
//! An author implements [`FakeSystem`] and writes one test, under a runtime of theirs:
//!
//! ```
//! # use action_core::testing::{FakeSystem, assert_conforms};
//! # async fn keeps_its_promises<FakePanel: FakeSystem>() {
//! assert_conforms::<FakePanel>().await;
//! # }
//! ```
//!
//! Each [`Promise`] is tried for each action, on a fake of its own. What is broken is a failure of its
//! own, with what was seen and what to mend.

mod broken;
mod case;
mod conformance;
mod fake_system;
mod lost;
mod not_sent;
mod there_and_back;
mod well_formed;

pub use broken::{Broken, Promise};
pub use conformance::{assert_conforms, conformance, conformance_of};
pub use fake_system::{Example, FakeSystem};
pub use well_formed::assert_well_formed;
