//! What makes a workflow of several actions, to be shown before it is started.

pub use rolling_drain::{BackMinutes, BackPercent, IfNotSafe, LeaseHours, RollingDrain};

pub(crate) mod rolling_drain;
