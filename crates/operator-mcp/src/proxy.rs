//! A gate's tools over stdin and stdout, for hosts that start a server: with a token and nothing else.

mod events;
mod gate;
mod pump;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;
use system_http::{Certificates, Origin, OriginError, Pem, SetupError};

use crate::lines::Lines;
use crate::proxy::gate::Gate;
use crate::proxy::pump::Pump;

/// What a host says goes to a gate, each message once, and what that answers comes back. Both eras of the
/// protocol go through as they are.
pub struct Proxy {
    gate: Arc<Gate>,
}

/// Why a gate is not asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// That is no address.
    #[error(transparent)]
    Address(#[from] OriginError),
    /// The token could be read on the way.
    #[error("`{0}` is on another machine, and without TLS whoever is on the way reads the token")]
    Plain(Origin),
    /// No header can hold it.
    #[error("the token holds characters that a token never has")]
    Token,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] SetupError),
}

impl Proxy {
    /// A proxy to one cluster of the gate at an address (`https://host:7070`), for who has this token.
    /// The certificates in `ca_file` are trusted, and no others; without, the system's are.
    ///
    /// # Errors
    /// When there is no such address, it is not of this machine and without TLS, or the token or the
    /// certificates cannot be used. Nothing is asked yet.
    pub fn new(
        address: &str,
        cluster: &str,
        token: &str,
        ca_file: Option<PathBuf>,
    ) -> Result<Self, ProxyError> {
        let origin = Origin::parse(address)?;
        if !origin.is_https() && !is_loopback(&origin) {
            return Err(ProxyError::Plain(origin));
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ProxyError::Token)?;
        authorization.set_sensitive(true);
        let certificates = Certificates {
            ca: ca_file.map(Pem::File),
            ..Certificates::default()
        };
        let gate = Gate::new(origin, cluster, authorization, certificates)?;
        Ok(Self {
            gate: Arc::new(gate),
        })
    }

    /// Serves the client at stdin and stdout until it is gone, and then ends its session at the gate.
    pub async fn serve_stdio(self) {
        Pump::new(Lines::stdio(), self.gate).run().await;
    }
}

fn is_loopback(origin: &Origin) -> bool {
    let host = origin.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}
