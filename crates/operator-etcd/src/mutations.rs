//! What can be changed: one file for each. `send` is one request; `plan` and `probe` only read.

pub use move_leader::{LeaderFacts, MoveLeader};

mod move_leader;
