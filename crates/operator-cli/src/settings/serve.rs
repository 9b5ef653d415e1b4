//! `[serve]` of the config file: how the gate is reached, what it shows and whom it believes.

use std::path::PathBuf;

use action_core::Risk;
use serde::Deserialize;

/// `[serve]` of the config file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    #[serde(default)]
    pub(crate) tls: Tls,
    /// Whom clients' certificates prove.
    #[serde(default)]
    pub(crate) client: Vec<Client>,
}

/// `[serve.tls]`: the files with what is shown to who connects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// The authorities of clients' certificates.
    pub(crate) client_ca: Option<PathBuf>,
}

/// `[[serve.client]]`: a name in a certificate, and whom it proves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) dns: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) actor: String,
    #[serde(default)]
    pub(crate) clusters: Vec<String>,
    pub(crate) up_to: Option<Risk>,
}

impl Serve {
    /// The files that it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = &mut self.tls;
        let files = [&mut tls.certificate, &mut tls.key, &mut tls.client_ca];
        files.into_iter().flatten()
    }

    /// The clusters that it names.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &str> {
        let named = self.client.iter().flat_map(|client| &client.clusters);
        named.map(String::as_str)
    }
}
