//! What stands for TLS in a build without it: `https` is refused before it is tried.

use tokio::net::TcpStream;

use crate::certificates::Loaded;
use crate::connection::Stream;
use crate::error::{BoxError, SetupError};

/// No TLS.
#[derive(Clone)]
pub(crate) struct Tls;

/// No handshake was refused.
#[derive(Debug, thiserror::Error)]
#[error("there is no TLS")]
pub(crate) enum HandshakeRefused {}

impl Tls {
    /// Whether this build speaks `https`.
    pub(crate) const IS_THERE: bool = false;

    #[expect(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(crate) fn new(_: &Loaded, _: bool) -> Result<Self, SetupError> {
        Ok(Self)
    }

    /// A system may name `https` addresses of its own.
    pub(crate) async fn handshake(
        &self,
        host: String,
        _: TcpStream,
    ) -> Result<Box<dyn Stream>, BoxError> {
        let what = format!("`{host}`");
        Err(SetupError::NoTls { what }.into())
    }
}

pub(crate) fn refused_handshake<E>(error: E, _: bool) -> Result<HandshakeRefused, E> {
    Err(error)
}
