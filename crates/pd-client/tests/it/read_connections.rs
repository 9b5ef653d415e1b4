//! The connections of reads: kept while they are good, and never taken for more than they are. Seen
//! from a raw server, which counts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pd_client::Error;
use tokio::sync::Notify;

use crate::fault_server::{Fault, FaultServer, answer};
use crate::raw_pd::{Connection, RawPd, write};

const CLUSTER: &str = "{\"id\":7}";

/// A PD that hands each connection with its number, from 0, to a script.
async fn numbered<F>(script: impl Fn(usize, Connection) -> F + Send + 'static) -> RawPd
where
    F: Future<Output = ()> + Send + 'static,
{
    let count = AtomicUsize::new(0);
    RawPd::start(move |connection| script(count.fetch_add(1, Ordering::SeqCst), connection)).await
}

/// Answers every read with this body and the number of the connection.
async fn answering_all(number: usize, mut connection: Connection) {
    while connection.next_request().await.is_some() {
        let event = format!("on {number}");
        connection.events.lock().unwrap().push(event);
        connection.answer("200 OK", CLUSTER).await;
    }
}

fn on(number: usize) -> [String; 2] {
    ["GET /pd/api/v1/cluster".to_owned(), format!("on {number}")]
}

#[tokio::test]
async fn reads_one_after_the_other_share_a_connection() {
    let pd = numbered(answering_all).await;
    let client = pd.client();
    for _ in 0..3 {
        client.cluster().await.unwrap();
    }
    // Clones share what is kept.
    client.clone().cluster().await.unwrap();
    assert_eq!(pd.take_events(), [on(0), on(0), on(0), on(0)].concat());
}

#[tokio::test]
async fn reads_at_once_have_a_connection_each_and_are_not_mixed_up() {
    let pd = numbered(answering_all).await;
    let client = pd.client();
    let at_once = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.cluster().await.unwrap() })
    });
    for one in at_once.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(pd.take_events().len(), 16);
}

#[tokio::test]
async fn what_the_other_end_has_closed_is_not_used_again() {
    let closed = Arc::new(Notify::new());
    let told = Arc::clone(&closed);
    let pd = numbered(move |number, mut connection| {
        let told = Arc::clone(&told);
        async move {
            if number > 0 {
                return answering_all(number, connection).await;
            }
            connection.next_request().await;
            connection.answer("200 OK", CLUSTER).await;
            drop(connection);
            told.notify_one();
        }
    })
    .await;
    let client = pd.client();
    client.cluster().await.unwrap();
    closed.notified().await;
    // Whatever is waited for next, the end of that connection is seen before.
    let other = numbered(answering_all).await;
    other.client().cluster().await.unwrap();
    client.cluster().await.unwrap();
    let read = "GET /pd/api/v1/cluster".to_owned();
    assert_eq!(pd.take_events(), [&[read][..], &on(1)].concat());
}

#[tokio::test]
async fn an_answer_that_ends_its_connection_is_the_last_on_it() {
    let server = FaultServer::start(Fault::AnswerEverything(answer("200 OK", "", CLUSTER))).await;
    let client = crate::quick().endpoints(&server.url()).build().unwrap();
    for _ in 0..3 {
        client.cluster().await.unwrap();
    }
    assert_eq!((server.requests(), server.connections()), (3, 3));
}

#[tokio::test]
async fn what_was_not_read_to_the_end_is_never_part_of_another_answer() {
    let pd = numbered(|number, mut connection| async move {
        if number > 0 {
            return answering_all(number, connection).await;
        }
        connection.next_request().await;
        let long = format!("{CLUSTER}{}", " ".repeat(5_000));
        connection.answer("200 OK", &long).await;
        // Nothing more comes on it.
        assert_eq!(connection.next_request().await, None);
        connection.events.lock().unwrap().push("ended".to_owned());
    })
    .await;
    let client = crate::quick().endpoints(&pd.url()).body_cap(1_000);
    let client = client.build().unwrap();
    let error = client.cluster().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    client.cluster().await.unwrap();
    assert!(pd.take_events().ends_with(&on(1)));
}

#[tokio::test]
async fn a_read_that_was_given_up_takes_its_connection_with_it() {
    let asked = Arc::new(Notify::new());
    let told = Arc::clone(&asked);
    let pd = numbered(move |number, mut connection| {
        let told = Arc::clone(&told);
        async move {
            if number > 0 {
                return answering_all(number, connection).await;
            }
            connection.next_request().await;
            told.notify_one();
            assert_eq!(connection.next_request().await, None);
        }
    })
    .await;
    let client = pd.client();
    tokio::select! {
        _ = client.cluster() => unreachable!("it is not answered"),
        () = asked.notified() => {}
    }
    client.cluster().await.unwrap();
    assert!(pd.take_events().ends_with(&on(1)));
}

#[tokio::test]
async fn a_write_never_takes_a_connection_of_reads() {
    let pd = numbered(|number, mut connection| async move {
        while let Some(request) = connection.next_write().await {
            let event = format!("{request} on {number}");
            connection.events.lock().unwrap().push(event);
            connection.answer("200 OK", "null").await;
        }
    })
    .await;
    let client = pd.client();
    client.cluster().await.unwrap();
    write(&client).await.unwrap();
    client.cluster().await.unwrap();
    write(&client).await.unwrap();
    let events = pd.take_events();
    let on: Vec<_> = events
        .iter()
        .filter(|event| event.contains(" on "))
        .collect();
    // The first connection is that of all reads.
    assert_eq!(
        on,
        [
            "DELETE /pd/api/v1/operators/12 on 1",
            "DELETE /pd/api/v1/operators/12 on 2"
        ]
    );
}
