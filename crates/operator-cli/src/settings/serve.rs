//! `[serve]` of the config file: how the gate is reached, what it shows and whom it believes.

use std::path::PathBuf;

use action_core::DurationText;
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
    /// Between two looks at what should not be so: a duration, or `off`.
    pub(crate) check_every: Option<String>,
    /// The file with the key by which the gate vouches for browser sessions.
    pub(crate) session_key: Option<PathBuf>,
    /// Where local users have links made.
    pub(crate) link_socket: Option<PathBuf>,
    pub(crate) login: Option<Login>,
    /// The users of this host who have links made.
    #[serde(default)]
    pub(crate) local_user: Vec<LocalUser>,
}

/// `[serve.login]`: where people log in with a browser, and who they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) jwks_uri: String,
    /// The authorities of those servers.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) client_id: String,
    pub(crate) client_secret_file: PathBuf,
    pub(crate) algorithms: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<Subject>,
}

/// `[[serve.local_user]]`: a user of the gate's host, and whom a link of theirs logs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalUser {
    pub(crate) uid: u32,
    /// Without `user:`.
    pub(crate) name: String,
    pub(crate) clusters: Option<Vec<String>>,
    pub(crate) up_to: Option<UpTo>,
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
    /// For how long its tokens may be valid.
    pub(crate) max_lifetime: Option<DurationText>,
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
    pub(crate) clusters: Option<Vec<String>>,
    pub(crate) up_to: Option<UpTo>,
    /// The person who answers for an agent.
    pub(crate) owner: Option<String>,
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
    pub(crate) clusters: Option<Vec<String>>,
    pub(crate) up_to: Option<UpTo>,
    /// The person who answers for an agent.
    pub(crate) owner: Option<String>,
}

impl Serve {
    /// The files that it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = &mut self.tls;
        let files = [&mut tls.certificate, &mut tls.key, &mut tls.client_ca];
        let authorities = self.issuer.iter_mut().map(|issuer| &mut issuer.ca_file);
        let (mut login, mut secret) = (None, None);
        if let Some(given) = &mut self.login {
            (login, secret) = (
                Some(&mut given.ca_file),
                Some(&mut given.client_secret_file),
            );
        }
        let files = files.into_iter().chain(authorities).chain(login);
        let files = files.chain([&mut self.session_key, &mut self.link_socket]);
        let files = files.flatten();
        files.chain(secret)
    }

    /// The clusters that it names.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &str> {
        let named = self.client.iter().map(|client| &client.clusters);
        let subjects = self.issuer.iter().flat_map(|issuer| &issuer.subject);
        let logging_in = self.login.iter().flat_map(|login| &login.subject);
        let subjects = subjects.chain(logging_in);
        let users = self.local_user.iter().map(|user| &user.clusters);
        let named = named.chain(subjects.map(|subject| &subject.clusters));
        let named = named.chain(users);
        named.flatten().flatten().map(String::as_str)
    }
}
