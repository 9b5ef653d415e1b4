//! The connection of a write: for one cluster, and bounded. Seen from a raw server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use pd_client::{
    Body, Client, ClusterId, Error, ErrorClass, HttpTransport, InputError, TransportError,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::fault_server::refusing;
use crate::quick;
use crate::raw_pd::{RawPd, WRITE, write};

#[tokio::test]
async fn another_cluster_at_the_same_address_gets_nothing() {
    let pd = RawPd::willing().await;
    let first = pd.client();
    write(&first).await.unwrap();
    pd.take_events();
    pd.become_cluster(8);
    let error = write(&first).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    assert!(matches!(error, Error::WrongCluster { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "`DELETE /operators/12` was not sent: PD at `{}` serves cluster 8, not 7",
            pd.url()
        )
    );
    assert!(!pd.take_events().contains(&WRITE.to_owned()));
    // Whoever knows of no cluster takes the one there is.
    write(&pd.client()).await.unwrap();
    let pinned = pd.client().with_cluster_id(ClusterId::new(7).unwrap());
    let error = write(&pinned).await.unwrap_err();
    assert!(matches!(error, Error::WrongCluster { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_swapped_after_the_leader_was_found_gets_nothing() {
    let swapped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&swapped);
    let pd = RawPd::start(move |mut connection| {
        let count = Arc::clone(&count);
        async move {
            while let Some(request) = connection.next_request().await {
                let members = "{\"header\":{\"cluster_id\":7},\"members\":[]}";
                match request.as_str() {
                    "GET /pd/api/v1/members" => connection.answer("200 OK", members).await,
                    "GET /pd/api/v1/cluster" => connection.answer("200 OK", "{\"id\":8}").await,
                    _ => _ = count.fetch_add(1, Ordering::SeqCst),
                }
            }
        }
    })
    .await;
    let error = write(&pd.client()).await.unwrap_err();
    assert!(
        error.to_string().contains("serves cluster 8, not 7"),
        "{error}"
    );
    assert_eq!(swapped.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endpoint_of_another_cluster_does_not_stand_in() {
    let (mine, other) = (RawPd::willing().await, RawPd::willing().await);
    other.become_cluster(8);
    let endpoints = [refusing().await, other.url()];
    let pd = quick().endpoint_list(endpoints).build().unwrap();
    let pd = pd.with_cluster_id(ClusterId::new(7).unwrap());
    let error = write(&pd).await.unwrap_err();
    assert!(
        error.to_string().contains("serves cluster 8, not 7"),
        "{error}"
    );
    // The one that is of this cluster does.
    let pd = quick()
        .endpoint_list([other.url(), mine.url()])
        .build()
        .unwrap();
    let pd = pd.with_cluster_id(ClusterId::new(7).unwrap());
    assert_eq!(write(&pd).await.unwrap().endpoint, mine.url());
    assert!(!other.take_events().contains(&WRITE.to_owned()));
}

#[tokio::test]
async fn an_answer_of_250_mb_to_a_write_is_not_taken() {
    const HUGE: usize = 250_000_000;
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&sent);
        let (ended, refused) = (Arc::new(Notify::new()), head.contains(" 400 "));
        let ending = Arc::clone(&ended);
        let pd = RawPd::start(move |mut connection| {
            let (head, sent, ended) = (head.clone(), Arc::clone(&counting), Arc::clone(&ending));
            async move {
                if connection.next_write().await.is_none() {
                    return;
                }
                connection.stream.write_all(head.as_bytes()).await.unwrap();
                let chunk = vec![b'x'; 100_000];
                while sent.load(Ordering::SeqCst) < HUGE
                    && connection.stream.write_all(&chunk).await.is_ok()
                {
                    sent.fetch_add(chunk.len(), Ordering::SeqCst);
                }
                ended.notify_one();
            }
        })
        .await;
        let error = write(&pd.client()).await.unwrap_err();
        ended.notified().await;
        // No more than what fits into the buffers of two sockets.
        assert!(sent.load(Ordering::SeqCst) < HUGE / 4, "{sent:?}");
        if refused {
            assert_eq!(error.class(), ErrorClass::Unanswered);
            assert_eq!(error.answer().unwrap().body.len(), 16 * 1024);
        } else {
            assert!(
                matches!(error, Error::TooLarge { limit: 65_536, .. }),
                "{error:?}"
            );
            assert_eq!(error.class(), ErrorClass::Unreadable);
        }
    }
}

#[tokio::test]
async fn a_transport_that_opens_no_connections_only_reads() {
    #[derive(Clone, Default)]
    struct OnlyReads(Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl HttpTransport for OnlyReads {
        async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
            self.0.lock().unwrap().push(request.uri().to_string());
            Ok(Response::new(Body::from("{\"id\":7}")))
        }
    }

    let transport = OnlyReads::default();
    let pd = Client::builder()
        .endpoints("pd:2379")
        .transport(transport.clone());
    let pd = pd.build().unwrap();
    let error = write(&pd).await.unwrap_err();
    assert!(
        matches!(error, Error::Input(InputError::ReadOnlyTransport)),
        "{error:?}"
    );
    assert!(transport.0.lock().unwrap().is_empty());
    assert_eq!(pd.cluster().await.unwrap().id.get(), 7);
}
