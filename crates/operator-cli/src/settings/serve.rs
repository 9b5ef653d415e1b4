//! `[serve]` of the config file: how the gate is reached, what it shows and whom it believes.

use std::path::PathBuf;

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
    /// Where the gate is, as who asks writes it.
    pub(crate) url: Option<String>,
    /// Whose JWTs are believed.
    #[serde(default)]
    pub(crate) issuer: Vec<Issuer>,
}

/// What somebody may ask for at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UpTo {
    /// To look, and nothing else.
    None,
    Low,
    Medium,
    High,
}

/// `[[serve.issuer]]`: whose JWTs are believed, and for whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
    /// The authorities of that server.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) kind: Kind,
    pub(crate) algorithms: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<Subject>,
}

/// Whom an issuer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Agent,
    User,
}

/// `[[serve.issuer.subject]]`: a subject, and whom it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub(crate) sub: String,
    /// Without `agent:` or `user:`, which the issuer's kind says.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) clusters: Vec<String>,
    pub(crate) up_to: Option<UpTo>,
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
    pub(crate) up_to: Option<UpTo>,
}

impl Serve {
    /// The files that it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = &mut self.tls;
        let files = [&mut tls.certificate, &mut tls.key, &mut tls.client_ca];
        let authorities = self.issuer.iter_mut().map(|issuer| &mut issuer.ca_file);
        files.into_iter().chain(authorities).flatten()
    }

    /// The clusters that it names.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &str> {
        let named = self.client.iter().flat_map(|client| &client.clusters);
        let subjects = self.issuer.iter().flat_map(|issuer| &issuer.subject);
        let named = named.chain(subjects.flat_map(|subject| &subject.clusters));
        named.map(String::as_str)
    }
}
