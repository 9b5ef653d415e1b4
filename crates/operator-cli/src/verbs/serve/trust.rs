//! What the gate shows and whom it believes, from files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use action_core::Risk;
use action_guard::Actor;
use clap::ArgMatches;
use operator_mcp::Ceiling;
use operator_server::{
    Algorithm, CertificateName, Client, Issuer, Kind, Known, LocalUser, Login, ServerIdentity,
    Subject, Trust,
};

use crate::settings::Global;
use crate::settings::serve::{self as listed, UpTo};
use crate::terminal::failure::Failure;

/// How long a file of PEM may be, in bytes.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Where it is: the flags, which stay, and the config file, which is read each time.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) matches: &'a ArgMatches,
    pub(super) global: &'a Global,
}

impl Sources<'_> {
    /// What it is now.
    pub(super) fn load(self) -> Result<Trust, Failure> {
        let serve = self.global.serve()?;
        let flag = |name: &str| self.matches.get_one::<PathBuf>(name).cloned();
        let certificate = flag("gate-certificate").or(serve.tls.certificate);
        let key = flag("gate-key").or(serve.tls.key);
        let mut trust = Trust::default();
        trust.identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                check_that_it_is_kept(&key)?;
                Some(ServerIdentity {
                    certificates: read(&certificate)?,
                    key: read(&key)?,
                })
            }
            (given, _) => {
                let lacks = if given.is_some() {
                    "key"
                } else {
                    "certificate"
                };
                let text = format!("TLS needs a certificate and a key: the {lacks} is missing");
                let next =
                    format!("also give `--gate-{lacks} FILE`, or `{lacks}` in `[serve.tls]`");
                return Err(Failure::usage(text).next(next));
            }
        };
        trust.client_ca = serve.tls.client_ca.as_deref().map(read).transpose()?;
        let clients = serve.client.into_iter().map(client);
        trust.clients = clients.collect::<Result<_, _>>()?;
        trust.url = serve.url;
        let issuers = serve.issuer.into_iter().map(issuer);
        trust.issuers = issuers.collect::<Result<_, _>>()?;
        trust.session_key = serve.session_key.as_deref().map(read_kept).transpose()?;
        trust.login = serve.login.map(login).transpose()?;
        let users = serve.local_user.into_iter().map(local_user);
        trust.local_users = users.collect::<Result<_, _>>()?;
        Ok(trust)
    }
}

/// Whom a certificate proves.
fn client(listed: listed::Client) -> Result<Client, Failure> {
    let name = match (listed.dns, listed.uri) {
        (Some(dns), None) => CertificateName::Dns(dns),
        (None, Some(uri)) => CertificateName::Uri(uri),
        _ => {
            let text = format!("invalid `[[serve.client]]` of `{}`", listed.actor);
            return Err(Failure::usage(text).next("give either `dns` or `uri`"));
        }
    };
    let mut known = known("serve.client", &listed.actor, listed.clusters, listed.up_to)?;
    known.owner = owner("serve.client", listed.owner.as_deref())?;
    Ok(Client { name, known })
}

/// Whose JWTs are believed, and whom they prove.
fn issuer(listed: listed::Issuer) -> Result<Issuer, Failure> {
    let (kind, word) = match listed.kind {
        listed::Kind::Agent => (Kind::Agent, "agent"),
        listed::Kind::User => (Kind::User, "user"),
    };
    let algorithms = algorithms(&listed.name, listed.algorithms)?;
    let subjects = listed.subject.into_iter();
    let subjects = subjects.map(|one| subject("serve.issuer.subject", word, one));
    Ok(Issuer {
        subjects: subjects.collect::<Result<_, _>>()?,
        ca: listed.ca_file.as_deref().map(read).transpose()?,
        algorithms,
        kind,
        max_lifetime: listed
            .max_lifetime
            .map_or(Issuer::MAX_LIFETIME, |longest| longest.duration()),
        name: listed.name,
        issuer: listed.issuer,
        jwks_uri: listed.jwks_uri,
    })
}

/// Where people log in with a browser.
fn login(listed: listed::Login) -> Result<Login, Failure> {
    let secret = read_kept(&listed.client_secret_file)?;
    let subjects = listed.subject.into_iter();
    let subjects = subjects.map(|one| subject("serve.login.subject", "user", one));
    Ok(Login {
        subjects: subjects.collect::<Result<_, _>>()?,
        ca: listed.ca_file.as_deref().map(read).transpose()?,
        algorithms: algorithms(&listed.name, listed.algorithms)?,
        client_secret: String::from_utf8_lossy(&secret).trim().to_owned(),
        name: listed.name,
        issuer: listed.issuer,
        authorization_endpoint: listed.authorization_endpoint,
        token_endpoint: listed.token_endpoint,
        jwks_uri: listed.jwks_uri,
        client_id: listed.client_id,
    })
}

/// A user of this host who has links made.
fn local_user(listed: listed::LocalUser) -> Result<LocalUser, Failure> {
    let actor = named("serve.local_user", "user", &listed.name)?;
    let known = known("serve.local_user", &actor, listed.clusters, listed.up_to)?;
    let uid = listed.uid;
    Ok(LocalUser { uid, known })
}

fn subject(row: &str, kind: &str, listed: listed::Subject) -> Result<Subject, Failure> {
    let actor = named(row, kind, &listed.name)?;
    let mut known = known(row, &actor, listed.clusters, listed.up_to)?;
    known.owner = owner(row, listed.owner.as_deref())?;
    let sub = listed.sub;
    Ok(Subject { sub, known })
}

/// Somebody of this kind: a row has the name alone, and with a kind it would be somebody else.
fn named(row: &str, kind: &str, name: &str) -> Result<String, Failure> {
    match name.contains(':') {
        true => {
            let text = format!("`name = \"{name}\"` in `[[{row}]]` is not a name alone");
            let next = format!("leave out what stands before the name: it is `{kind}:` here");
            Err(Failure::usage(text).next(next))
        }
        false => Ok(format!("{kind}:{name}")),
    }
}

/// How tokens of an issuer may be signed.
fn algorithms(of: &str, listed: Vec<String>) -> Result<Vec<Algorithm>, Failure> {
    let read = listed.into_iter().map(|text| text.parse::<Algorithm>());
    let read = read.collect::<Result<_, _>>();
    read.map_err(|error| Failure::usage(format!("`{of}`: {error}")))
}

/// Somebody, by what is written: without `up_to` a person may ask for all, and an agent changes nothing.
fn known(
    row: &str,
    actor: &str,
    clusters: Option<Vec<String>>,
    up_to: Option<UpTo>,
) -> Result<Known, Failure> {
    if clusters.as_ref().is_some_and(Vec::is_empty) {
        let text = format!("`clusters` of `{actor}` in `[[{row}]]` is empty");
        let next = "name clusters, or leave `clusters` out, which is all of them for a person";
        return Err(Failure::usage(text).next(format!("{next}; to let nobody in, delete the row")));
    }

    let actor = actor.parse::<Actor>();
    let actor = actor.map_err(|error| Failure::usage(error.to_string()))?;
    let up_to = match up_to {
        None if !actor.is_user() => Ceiling::ReadOnly,
        Some(UpTo::None) => Ceiling::ReadOnly,
        Some(UpTo::Low) => Ceiling::UpTo(Risk::Low),
        Some(UpTo::Medium) => Ceiling::UpTo(Risk::Medium),
        None | Some(UpTo::High) => Ceiling::UpTo(Risk::High),
    };
    Ok(Known {
        actor,
        clusters: clusters.unwrap_or_default(),
        up_to,
        owner: None,
    })
}

/// The person who answers for an agent, where one is named.
fn owner(row: &str, owner: Option<&str>) -> Result<Option<Actor>, Failure> {
    let owner = owner.map(str::parse::<Actor>).transpose();
    owner.map_err(|error| {
        let failure = Failure::usage(format!("`owner` in `[[{row}]]`: {error}"));
        failure.next("name a person, such as `owner = \"user:ana\"`")
    })
}

/// Refuses a key that every user of this machine can read: who has it is the gate.
fn check_that_it_is_kept(key: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let open_to_all = std::fs::metadata(key).is_ok_and(|found| found.mode() & 0o006 != 0);
        if open_to_all {
            let key = key.display();
            let text = format!("every user of this machine can read or write the key `{key}`");
            return Err(Failure::usage(text).next(format!("`chmod o= {key}`")));
        }
    }
    let _ = key;
    Ok(())
}

/// What is in a file that no other user of this machine can read.
fn read_kept(path: &Path) -> Result<Vec<u8>, Failure> {
    check_that_it_is_kept(path)?;
    read(path)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = LONGEST_FILE + 1;
        // To open a pipe waits for who writes to it.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        match bytes.len() as u64 == most {
            true => Err(io::Error::other("it is longer than 1 MiB")),
            false => Ok(bytes),
        }
    };
    read().map_err(|error| {
        let path = path.display();
        Failure::usage(format!("cannot read `{path}` ({error})"))
    })
}
