//! The fold: which record may follow which, and what it changes.

mod apply;
mod approvals;
mod by_records;
mod cancel;
mod conclude;
mod gates;
mod lookup;
mod mode;
mod pauses;
mod propose;
mod refuse;
mod retention;
mod send;
mod sessions;
mod take_back;
mod tokens;
mod workflow;
mod workflow_admission;
mod workflow_attempts;
