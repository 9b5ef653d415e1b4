//! What it means when a TLS session is not made.

use std::error::Error as StdError;

use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};

use crate::error::BoxError;

/// There is no TLS session, and so no request: with TLS 1.3 some of this arrives after our side
/// of the handshake is done, and a server that refuses the handshake does not read on.
#[derive(Debug, thiserror::Error)]
#[error("{problem}: {advice}")]
pub(crate) struct HandshakeRefused {
    problem: String,
    advice: &'static str,
    #[source]
    source: BoxError,
}

/// What an error says of the handshake, if it is about that. `connecting` when there was no
/// session before it.
pub(crate) fn refused_handshake<E: StdError + Send + Sync + 'static>(
    error: E,
    connecting: bool,
) -> Result<HandshakeRefused, E> {
    let found = tls_error(&error)
        // In a session that is made, such bytes say nothing of what was read before.
        .filter(|cause| connecting || !matches!(cause, TlsError::InvalidMessage(_)))
        .and_then(|cause| Some((said(cause), advice(cause)?)));
    match found {
        Some((problem, advice)) => Ok(HandshakeRefused {
            problem,
            advice,
            source: error.into(),
        }),
        None => Err(error),
    }
}

fn said(error: &TlsError) -> String {
    match error {
        TlsError::AlertReceived(alert) => {
            format!("the server rejected the TLS handshake ({alert:?})")
        }
        TlsError::InvalidCertificate(_) => "the server's certificate is not trusted".to_owned(),
        _ => "the server does not use TLS".to_owned(),
    }
}

fn advice(error: &TlsError) -> Option<&'static str> {
    Some(match error {
        TlsError::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => "it requires a client certificate",
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied => "it does not accept the client certificate",
            _ => return None,
        },
        TlsError::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "it is not issued by a trusted authority: check the CA bundle"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for other host names: use one of them in the address"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "it has expired, or the local clock is wrong"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet, or the local clock is wrong"
            }
            _ => "see the cause",
        },
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "use `http://` if the server does not use TLS"
        }
        _ => return None,
    })
}

/// What rustls says, under the wraps of others.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        // An I/O error shows its cause as itself.
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<TlsError>()) {
            return Some(found);
        }
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
