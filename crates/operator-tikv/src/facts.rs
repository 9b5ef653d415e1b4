//! What the cluster says, read once and in one form: nothing here judges it.

pub use key_range::KeyRange;
pub use region::{PeerFacts, RegionFacts};
pub use traces::{PdProcess, SeenOperator, Traces};

pub(crate) mod bounded_text;
pub(crate) mod counts;
pub(crate) mod drains;
pub(crate) mod key_encoding;
pub(crate) mod key_range;
pub(crate) mod known_yet;
pub(crate) mod leader_figures;
pub(crate) mod operator;
pub(crate) mod pd_clock;
pub(crate) mod prometheus;
pub(crate) mod region;
pub(crate) mod schedulers;
pub(crate) mod settings_in_force;
pub(crate) mod store;
pub(crate) mod store_regions;
pub(crate) mod traces;
