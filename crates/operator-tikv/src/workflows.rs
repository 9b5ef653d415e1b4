//! What makes a workflow of several actions, to be shown before it is started.

pub(crate) mod rolling_drain;
