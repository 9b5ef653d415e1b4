//! How Prometheus is connected to: no proxy is read from the environment.

use hyper_util::client::legacy::connect::HttpConnector;

use crate::error::Error;

#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
pub(crate) type Connector = hyper_rustls::HttpsConnector<HttpConnector>;

#[cfg(not(feature = "tls"))]
pub(crate) type Connector = HttpConnector;

/// Trusts these certificates and no others, or, without, those of the system.
#[cfg(feature = "tls")]
pub(crate) fn connector(https: bool, ca_pem: Option<&[u8]>) -> Result<Connector, Error> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls::config(https, ca_pem)?)
        .https_or_http()
        .enable_http1();
    Ok(connector.build())
}

/// Without TLS there is nothing to trust.
#[cfg(not(feature = "tls"))]
pub(crate) fn connector(https: bool, ca_pem: Option<&[u8]>) -> Result<Connector, Error> {
    if https || ca_pem.is_some() {
        return Err(Error::setup(
            "it was built without TLS, write `http://` and no certificates",
        ));
    }
    Ok(HttpConnector::new())
}
