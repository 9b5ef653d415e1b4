//! The subject from outside: against answers recorded from etcd 3.4.23, and, where
//! `ETCD_PROGRAM_TEST` names etcd's server program, against real clusters of three members.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod catalogue;
mod conformance;
mod fake;
mod findings;
mod leaders;
mod plans;
mod reads;
mod real;
mod writes;
