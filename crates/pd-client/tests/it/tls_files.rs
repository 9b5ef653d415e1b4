//! Certificates in files that change.

use std::path::PathBuf;
use std::time::Duration;

use pd_client::{Client, ClientBuilder, Error, ErrorClass, InputError, SetupError};
use tempfile::TempDir;

use crate::quick;
use crate::tls_server::{Authority, TlsServer};
use crate::{region, store};

/// A directory with the three files.
struct Files(TempDir);

impl Files {
    fn new(servers: &Authority, clients: &Authority) -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write(servers, clients);
        files
    }

    fn write(&self, servers: &Authority, clients: &Authority) {
        let (certificate, key) = clients.issue("client");
        std::fs::write(self.path("ca.pem"), servers.pem()).unwrap();
        std::fs::write(self.path("client.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A client of this server that looks at the files this often.
    fn client(&self, server: &TlsServer, look_every: Duration) -> Client {
        let settings = self.settings().endpoints(&server.url);
        settings.look_at_files_every(look_every).build().unwrap()
    }

    fn settings(&self) -> ClientBuilder {
        quick()
            .ca_file(self.path("ca.pem"))
            .client_identity_files(self.path("client.pem"), self.path("key.pem"))
    }
}

async fn write(pd: &Client) -> Result<pd_client::Accepted, Error> {
    pd.add_transfer_leader_operator(region(12), store(4)).await
}

#[tokio::test]
async fn certificates_are_rotated_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::new(&old, &old);
    let server = TlsServer::start(&old, "localhost", Some(&old)).await;
    let pd = files.client(&server, Duration::ZERO);
    write(&pd).await.unwrap();
    // Both sides change: their certificates, and whose they accept.
    server.change(&new, "localhost", Some(&new));
    files.write(&new, &new);
    write(&pd).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_failed_handshake_looks_at_the_files_before_their_time() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::new(&old, &old);
    let server = TlsServer::start(&new, "localhost", Some(&new)).await;
    let pd = files.client(&server, Duration::from_secs(3600));
    assert_eq!(write(&pd).await.unwrap_err().class(), ErrorClass::NotSent);
    files.write(&new, &new);
    write(&pd).await.unwrap();
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn files_that_do_not_fit_each_other_are_not_used() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::new(&old, &old);
    let server = TlsServer::start(&old, "localhost", Some(&old)).await;
    let pd = files.client(&server, Duration::ZERO);
    // Half written: a new certificate with the old key, then nothing at all.
    let (certificate, _) = new.issue("client");
    std::fs::write(files.path("client.pem"), certificate.pem()).unwrap();
    write(&pd).await.unwrap();
    std::fs::write(files.path("client.pem"), "").unwrap();
    write(&pd).await.unwrap();
    std::fs::remove_file(files.path("ca.pem")).unwrap();
    write(&pd).await.unwrap();
    server.change(&new, "localhost", Some(&new));
    files.write(&new, &new);
    write(&pd).await.unwrap();
    assert_eq!(server.requests(), 4);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let files = Files::new(&authority, &authority);
    let build = || files.settings().endpoints("https://localhost:1").build();
    assert!(build().is_ok());

    std::fs::write(
        files.path("key.pem"),
        authority.issue("x").1.serialize_pem(),
    )
    .unwrap();
    let error = build().unwrap_err().to_string();
    assert!(
        error.contains("key.pem`: the key does not match the certificate"),
        "{error}"
    );

    std::fs::write(files.path("ca.pem"), "").unwrap();
    let error = build().unwrap_err().to_string();
    assert!(
        error.contains("ca.pem`: it has no `BEGIN CERTIFICATE`"),
        "{error}"
    );

    std::fs::remove_file(files.path("ca.pem")).unwrap();
    let error = build().unwrap_err();
    assert!(matches!(
        &error,
        Error::Input(InputError::Setup(SetupError::File { .. }))
    ));
    assert!(
        error.report().contains("ca.pem`: No such file"),
        "{}",
        error.report()
    );
}
