//! What stands for TLS in a build without it: `https` is refused before it is tried.

use tokio::net::TcpStream;

use crate::error::{BoxError, InputError};
use crate::transport::certificates::Loaded;
use crate::transport::connection::Stream;

/// No TLS.
#[derive(Clone)]
pub(super) struct Tls;

/// No handshake was refused.
#[derive(Debug, thiserror::Error)]
#[error("there is no TLS")]
pub(super) enum HandshakeRefused {}

impl Tls {
    /// Whether this build speaks `https`.
    pub(super) const IS_THERE: bool = false;

    #[expect(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(super) fn new(_: &Loaded, _: bool) -> Result<Self, InputError> {
        Ok(Self)
    }

    /// PD may name `https` addresses of members.
    pub(super) async fn handshake(
        &self,
        host: String,
        _: TcpStream,
    ) -> Result<Box<dyn Stream>, BoxError> {
        let what = format!("`{host}`");
        Err(InputError::NoTls { what }.into())
    }
}

pub(super) fn refused_handshake<E>(error: E, _: bool) -> Result<HandshakeRefused, E> {
    Err(error)
}
