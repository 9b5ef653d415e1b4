//! What the gate shows and whom it believes, once that is known to be usable.

use std::sync::Arc;

use rustls::ServerConfig;

use crate::tls;
use crate::trust::{Trust, TrustError};

/// What is in force.
#[derive(Default)]
pub(crate) struct Trusted {
    /// How a connection becomes a session.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Trusted {
    pub(crate) fn new(trust: &Trust) -> Result<Self, TrustError> {
        let tls = trust.identity.as_ref().map(tls::config).transpose()?;
        Ok(Self {
            tls: tls.map(Arc::new),
        })
    }
}
