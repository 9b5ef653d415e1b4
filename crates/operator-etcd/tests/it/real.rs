//! Real clusters of three members, which are stopped and killed while something is changed.
//!
//! Only where `ETCD_PROGRAM_TEST` names etcd's server program, as `.ci/with-etcd` does.

mod cluster;
mod conformance;
mod leader;
mod members;
mod somebodys;
