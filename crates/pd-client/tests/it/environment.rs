//! What the environment of the process must not change.

use std::process::Command;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::quick;

const ENDPOINT: &str = "PD_CLIENT_TEST_ENDPOINT";

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_not_used() {
    let (pd, proxy) = (fake_pd().await, fake_pd().await);
    let mut child = child_reading(&pd);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
    ] {
        child.env(name, proxy.uri());
    }
    for name in ["NO_PROXY", "no_proxy"] {
        child.env_remove(name);
    }
    succeeds(child).await;
    assert_eq!(pd.received_requests().await.unwrap().len(), 1);
    assert_eq!(proxy.received_requests().await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_needs_no_certificates_of_the_system() {
    let pd = fake_pd().await;
    let mut child = child_reading(&pd);
    child
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", "/nonexistent");
    succeeds(child).await;
    assert_eq!(pd.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn child() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        quick()
            .endpoints(&endpoint)
            .build()
            .unwrap()
            .cluster()
            .await
            .unwrap();
    }
}

async fn fake_pd() -> MockServer {
    let server = MockServer::start().await;
    let cluster = ResponseTemplate::new(200).set_body_string("{\"id\":5}");
    Mock::given(any())
        .respond_with(cluster)
        .mount(&server)
        .await;
    server
}

/// The environment of a process can only be set for another one: this test binary again, with
/// one test that reads the cluster from this PD.
fn child_reading(pd: &MockServer) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "environment::child"])
        .env(ENDPOINT, pd.uri());
    child
}

async fn succeeds(mut child: Command) {
    let output = tokio::task::spawn_blocking(move || child.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
