//! The one way a request takes.
//!
//! Resources describe a [`Call`]. [`read`] and [`route`] choose the endpoint, by what [`known`] says
//! of members; [`exchange`] sends a call to one endpoint and says what its answer means, [`write`]
//! what is different for a write. How bytes come and go is `system_http`'s.

pub use answer::Accepted;
pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub(crate) use exchange::Failure;

mod answer;
mod call;
mod exchange;
pub(crate) mod known;
pub(crate) mod read;
mod route;
mod write;
