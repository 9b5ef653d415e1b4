//! Carries out workflows: see [`Workflows`].

mod backoff;
mod look;
mod mutate;
mod observe;
mod outlook;
mod run;
mod workflows;

pub use look::look;
pub use outlook::{Due, Outlook, StopCode, Stopped, Waiting};
pub use run::{FlowEvent, FlowRun, Patience};
pub use workflows::{StartOptions, Workflows};
