//! Who asks, agrees or stops, and how that is proven.

pub use actor::{Actor, ActorError};
pub use agent_token::{AgentToken, TokenGrant};
pub use browser_session::{BrowserSession, LoginLink};
pub use canonical_json::canonical;
pub(crate) use proven_by::PROVEN_BY;
pub use proven_by::ProvenBy;
pub use signature::{KeyError, PrivateKey, Proof, PublicKey, StatementSignature};
pub use target::{NameClash, Target};
pub use token_secret::{BrowserSecret, NoRandomness, TokenSecret};

mod actor;
mod agent_token;
mod browser_session;
pub(crate) mod canonical_json;
mod proven_by;
mod signature;
mod target;
mod token_secret;
