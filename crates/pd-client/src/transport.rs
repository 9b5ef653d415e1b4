//! The one way a request takes.
//!
//! Resources describe a [`Call`]. [`read`] and [`route`] choose the endpoint, by what [`known`] says
//! of members; [`exchange`] sends a call to one endpoint and says what its answer means, [`write`]
//! what is different for a write. [`seam`] is where another HTTP client fits in.

pub use answer::Accepted;
pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub(crate) use exchange::Failure;
pub use permit::{HeldPermit, PermitRefused, SendPermit};
pub use seam::{
    Body, BodyChunks, HttpTransport, Sent, TransportError, WriteConnection, WriteTransport,
};

mod answer;
mod body;
mod call;
pub(crate) mod certificates;
mod connection;
pub(crate) mod connections;
mod deadline;
mod exchange;
mod gate;
pub(crate) mod known;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
mod no_tls;
mod permit;
pub(crate) mod read;
mod route;
mod seam;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;
mod write;

#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
use no_tls as tls;
