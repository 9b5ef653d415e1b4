//! Proxies of the environment are not for a control plane.

use std::process::Command;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::quick;

const ENDPOINT: &str = "PD_CLIENT_TEST_ENDPOINT";

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_not_used() {
    let (pd, proxy) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("{\"id\":5}"))
        .mount(&pd)
        .await;
    // The environment of a process can only be set for another one.
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "proxy::child_of_the_proxy_test"])
        .env(ENDPOINT, pd.uri());
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
    let output = tokio::task::spawn_blocking(move || child.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(pd.received_requests().await.unwrap().len(), 1);
    assert_eq!(proxy.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn child_of_the_proxy_test() {
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
