//! Changes of one region or two, which PD carries out by operators.

pub use add_remove_peer::{AddPeer, NewPeerRole, RemovePeer};
pub use cancel_operator::{CancelFacts, CancelOperator};
pub use merge_regions::{MergeFacts, MergeRegions};
pub use scatter_region::ScatterRegion;
pub use split_region::{SplitFacts, SplitPoint, SplitRegion};
pub use transfer_leader::TransferLeader;
pub use transfer_peer::TransferPeer;

pub(crate) mod add_remove_peer;
pub(crate) mod cancel_operator;
pub(crate) mod merge_regions;
pub(crate) mod reading;
pub(crate) mod region_operator;
pub(crate) mod replicas_seen;
pub(crate) mod scatter_region;
pub(crate) mod split_region;
pub(crate) mod transfer_leader;
pub(crate) mod transfer_peer;
