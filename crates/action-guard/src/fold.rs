//! The fold: which record may follow which, and what it changes.

mod apply;
mod approvals;
mod conclude;
mod mode;
mod refuse;
mod retention;
mod take_back;
mod workflow;
mod workflow_admission;
mod workflow_attempts;
