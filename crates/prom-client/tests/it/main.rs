//! The client from outside, against answers as Prometheus gives them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use prom_client::{Client, Error};
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn answering(status: u16, body: &str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/query"))
        .respond_with(ResponseTemplate::new(status).set_body_string(body))
        .mount(&server)
        .await;
    let client = Client::new(&server.uri()).unwrap();
    (server, client)
}

#[tokio::test]
async fn a_vector_is_a_number_for_each_series() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"up","instance":"tikv-1:20180"},"value":[1795497720.125,"1"]},
        {"metric":{"instance":"tikv-2:20180"},"value":[1795497720,"NaN"]}]}}"#;
    let (server, client) = answering(200, body).await;
    let samples = client.query("up{job=\"tikv\"} & +").await.unwrap();
    assert_eq!(samples[0].labels["instance"], "tikv-1:20180");
    assert_eq!((samples[0].value, samples[1].value), (Some(1.0), None));
    let since = samples[0].at.unwrap().duration_since(std::time::UNIX_EPOCH);
    assert_eq!(since.unwrap().as_millis(), 1_795_497_720_125);
    let request = &server.received_requests().await.unwrap()[0];
    let asked: Vec<_> = request.url.query_pairs().collect();
    assert_eq!(asked, [("query".into(), "up{job=\"tikv\"} & +".into())]);
}

#[tokio::test]
async fn a_scalar_is_a_number_without_labels() {
    let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2.5e3"]}}"#;
    let (_server, client) = answering(200, body).await;
    let samples = client.query("2500").await.unwrap();
    assert_eq!((samples.len(), samples[0].value), (1, Some(2_500.0)));
    assert!(samples[0].labels.is_empty());
}

#[tokio::test]
async fn refusals_keep_the_words_of_prometheus() {
    let body = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\""}"#;
    let (_server, client) = answering(400, body).await;
    let error = client.query("(").await.unwrap_err();
    assert_eq!(error.to_string(), "invalid parameter \"query\"");
    let Error::Refused { status, kind, .. } = error else {
        unreachable!("{error:?}");
    };
    assert_eq!((status, kind.as_str()), (400, "bad_data"));

    let (_server, client) = answering(502, "<html>bad gateway</html>").await;
    let error = client.query("up").await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 502, .. }),
        "{error:?}"
    );
    let (_server, client) = answering(503, "").await;
    let error = client.query("up").await.unwrap_err();
    assert_eq!(error.to_string(), "Prometheus answered with status 503");
}

#[tokio::test]
async fn what_is_not_an_instant_vector_is_unreadable() {
    for body in [
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        r#"{"status":"success","data":{"resultType":"string","result":[1,"a"]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"value":["x"]}]}}"#,
        "<html></html>",
        "{",
    ] {
        let (_server, client) = answering(200, body).await;
        let error = client.query("up").await.unwrap_err();
        assert!(
            matches!(error, Error::Unreadable { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_has_a_largest_size() {
    let (server, _) = answering(200, &" ".repeat(5_000)).await;
    let client = Client::builder(&server.uri())
        .body_cap(4_000)
        .build()
        .unwrap();
    let error = client.query("up").await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 4_000 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn no_answer_is_told_from_a_refusal() {
    let client = Client::new("http://127.0.0.1:1").unwrap();
    let error = client.query("up").await.unwrap_err();
    assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");

    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(method("GET"))
        .respond_with(slow)
        .mount(&server)
        .await;
    let client = Client::builder(&server.uri()).timeout(Duration::from_millis(100));
    let error = client.build().unwrap().query("up").await.unwrap_err();
    assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("Location", "/graph");
    Mock::given(path("/api/v1/query"))
        .respond_with(elsewhere)
        .mount(&server)
        .await;
    let client = Client::new(&server.uri()).unwrap();
    let error = client.query("up").await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 302, .. }),
        "{error:?}"
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_path_and_a_token_are_kept() {
    let server = MockServer::start().await;
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    Mock::given(path("/prometheus/api/v1/query"))
        .and(header("Authorization", "Bearer secret"))
        .and(query_param("query", "up"))
        .respond_with(ResponseTemplate::new(200).set_body_string(body))
        .mount(&server)
        .await;
    let address = format!("{}/prometheus/", server.uri());
    let client = Client::builder(&address)
        .bearer_token("secret")
        .build()
        .unwrap();
    assert_eq!(client.query("up").await.unwrap(), []);
    assert!(!format!("{client:?}").contains("secret"));
}

#[test]
fn an_address_that_is_none_is_refused_with_what_is_right() {
    for (wrong, right) in [
        ("", "http://prometheus:9090"),
        ("prometheus:9090", "use http or https"),
        ("ftp://prometheus", "use http or https"),
        (
            "http://user:secret@prometheus",
            "leave out user and password",
        ),
        ("http://prometheus/?a=b", "leave out what follows"),
        ("http://user:se/secret@prometheus", ""),
        ("http://prometheus/x#secret", "leave out what follows"),
    ] {
        let error = Client::new(wrong).unwrap_err().to_string();
        assert!(error.contains(right), "{wrong}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let error = Client::builder("https://prometheus")
        .ca_pem("nothing")
        .build();
    assert!(matches!(error.unwrap_err(), Error::Setup { .. }));
}
