//! `[serve]` of the config file: how the gate is reached, what it shows and whom it believes.

use std::path::PathBuf;

use serde::Deserialize;

/// `[serve]` of the config file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    #[serde(default)]
    pub(crate) tls: Tls,
}

/// `[serve.tls]`: the files with what is shown to who connects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Serve {
    /// The files that it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = &mut self.tls;
        [&mut tls.certificate, &mut tls.key].into_iter().flatten()
    }
}
