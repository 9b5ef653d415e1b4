//! What is known of a write after each way a connection can fail, and that it is sent once.

use pd_client::{Error, ErrorClass};

use crate::fault_server::{Fault, FaultServer, answer, ok, refusing};
use crate::{quick, region, store};

/// Sends a write through a faulty endpoint with a healthy one behind it.
#[track_caller]
fn check(fault: Fault, class: ErrorClass, received: usize) -> impl Future<Output = Error> {
    let at = std::panic::Location::caller();
    async move {
        let faulty = FaultServer::start(fault.clone()).await;
        let healthy = FaultServer::healthy().await;
        let pd = quick()
            .endpoint_list([faulty.url(), healthy.url()])
            .build()
            .unwrap();
        let error = pd
            .add_transfer_leader_operator(region(12), store(4))
            .await
            .unwrap_err();
        assert_eq!(error.class(), class, "{at}: {fault:?}: {}", error.report());
        // It names the request, unless it is in PD's own words.
        let (report, is_pds) = (error.report(), class == ErrorClass::Refused);
        assert!(
            is_pds || report.contains("`POST /operators`"),
            "{at}: {report}"
        );
        assert_eq!(faulty.requests(), received, "{at}: {fault:?}");
        assert_eq!(healthy.requests(), 0, "{at}: {fault:?} was sent on");
        error
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_the_next_endpoint_is_asked() {
    let healthy = FaultServer::healthy().await;
    let pd = quick()
        .endpoint_list([refusing().await, healthy.url()])
        .build()
        .unwrap();
    let accepted = pd
        .add_transfer_leader_operator(region(12), store(4))
        .await
        .unwrap();
    assert_eq!(accepted.message, "The operator is created.");
    assert_eq!(accepted.endpoint, healthy.url());
    assert_eq!(healthy.requests(), 1);
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    let pd = quick().endpoints(&refusing().await).build().unwrap();
    let error = pd
        .add_transfer_leader_operator(region(12), store(4))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert!(
        error.report().to_lowercase().contains("refused"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn an_unknown_host_is_not_sent() {
    let healthy = FaultServer::healthy().await;
    let pd = quick()
        .endpoint_list(["http://pd.invalid:2379".to_owned(), healthy.url()])
        .build()
        .unwrap();
    assert!(
        pd.add_transfer_leader_operator(region(12), store(4))
            .await
            .is_ok()
    );
    assert_eq!(healthy.requests(), 1);
    let pd = quick().endpoints("http://pd.invalid:2379").build().unwrap();
    let error = pd.cancel_operator(region(12)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
}

#[tokio::test]
async fn a_connection_reset_before_the_write_is_not_sent_and_the_next_endpoint_is_asked() {
    let faulty = FaultServer::start(Fault::ResetAfterAccept).await;
    let healthy = FaultServer::healthy().await;
    let pd = quick()
        .endpoint_list([faulty.url(), healthy.url()])
        .build()
        .unwrap();
    pd.cancel_operator(region(12)).await.unwrap();
    // One connection to look for the leader, one for the write.
    assert_eq!((faulty.connections(), healthy.requests()), (2, 1));
    let pd = quick().endpoints(&faulty.url()).build().unwrap();
    let error = pd.cancel_operator(region(12)).await.unwrap_err();
    assert!(matches!(error, Error::ClusterUnknown { .. }), "{error:?}");
    assert_eq!(error.class(), ErrorClass::NotSent);
}

#[tokio::test]
async fn a_connection_closed_after_reading_may_have_carried_it() {
    check(Fault::CloseAfterRead, ErrorClass::Unanswered, 1).await;
    check(Fault::ResetAfterRead, ErrorClass::Unanswered, 1).await;
}

#[tokio::test]
async fn silence_may_have_carried_it() {
    let error = check(Fault::Hang, ErrorClass::Unanswered, 1).await;
    assert!(
        error.report().contains("timed out after 2s"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn garbage_may_have_carried_it() {
    check(
        Fault::Answer("SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        ErrorClass::Unanswered,
        1,
    )
    .await;
}

#[tokio::test]
async fn a_truncated_success_was_accepted_and_is_unreadable() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n\"The oper".to_owned();
    let error = check(Fault::Answer(cut), ErrorClass::Unreadable, 1).await;
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    for body in [
        "\"The operator is crea",
        "<html>welcome</html>",
        "{\"ok\":true}",
        "",
        "[]",
    ] {
        check(Fault::Answer(ok(body)), ErrorClass::Unreadable, 1).await;
    }
}

#[tokio::test]
async fn a_success_whose_body_never_ends_was_accepted() {
    let slow = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\"The ".to_owned();
    let error = check(Fault::Answer(slow), ErrorClass::Unreadable, 1).await;
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_cut_off_in_the_middle_decides_nothing() {
    let cut = "HTTP/1.1 500 E\r\nContent-Length: 99\r\n\r\n\"[PD:".to_owned();
    check(Fault::Answer(cut), ErrorClass::Unanswered, 1).await;
}

#[tokio::test]
async fn proxies_and_panics_decide_nothing_and_their_words_are_kept() {
    for (status, body) in [
        ("502 Bad Gateway", "<html><h1>502 Bad Gateway</h1></html>"),
        ("504 Gateway Timeout", ""),
        ("502 Bad Gateway", "\"bad gateway\"\n"),
        (
            "504 Gateway Timeout",
            "{\"code\":\"input\",\"msg\":\"timeout\"}",
        ),
        ("503 Service Unavailable", "\"no healthy upstream\"\n"),
        ("429 Too Many Requests", "\"slow down\"\n"),
        (
            "503 Service Unavailable",
            "upstream connect error or disconnect/reset before headers",
        ),
        (
            "500 Internal Server Error",
            "PANIC: runtime error: index out of range\ngoroutine 1",
        ),
        (
            "500 Internal Server Error",
            "[PD:apiutil:ErrRedirect]redirect failed\n",
        ),
        ("500 Internal Server Error", "redirect failed\n"),
        ("408 Request Timeout", ""),
        ("400 Bad Request", "<html><h1>400 Bad Request</h1></html>"),
        ("403 Forbidden", "{\"error\":\"forbidden\"}"),
        ("404 Not Found", "<html><h1>404 Not Found</h1></html>"),
        ("413 Content Too Large", "Request Entity Too Large"),
        ("401 Unauthorized", ""),
    ] {
        let error = check(
            Fault::Answer(answer(status, "", body)),
            ErrorClass::Unanswered,
            1,
        )
        .await;
        assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");
        assert_eq!(error.answer().unwrap().body, body);
    }
}

#[tokio::test]
async fn a_decision_is_a_refusal_and_is_not_sent_on() {
    for (status, body) in [
        (
            "500 E",
            "\"[PD:operator:ErrAddOperator]failed to add operator, maybe already have one\"\n",
        ),
        (
            "503 E",
            "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
        ),
        ("503 E", "no leader\n"),
        ("500 E", "redirect to not leader\n"),
        ("429 E", "Too Many Requests\n"),
        ("404 E", "404 page not found\n"),
        ("405 E", ""),
    ] {
        let error = check(
            Fault::Answer(answer(status, "", body)),
            ErrorClass::Refused,
            1,
        )
        .await;
        assert!(matches!(error, Error::Pd(_)), "{error:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_say_where_to_and_decide_nothing() {
    let target = FaultServer::healthy().await;
    for status in [
        "307 Temporary Redirect",
        "301 Moved Permanently",
        "308 Permanent Redirect",
        "303 See Other",
        "302 Found",
    ] {
        let location = format!("Location: {}/elsewhere\r\n", target.url());
        let fault = Fault::Answer(answer(status, &location, ""));
        let error = check(fault, ErrorClass::Unanswered, 1).await;
        let Error::Redirected { location, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            location.as_deref(),
            Some(format!("{}/elsewhere", target.url()).as_str())
        );
        assert!(error.to_string().contains("/elsewhere"), "{error}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn http_to_a_real_pd_behind_tls_is_not_sent_and_its_words_are_kept() {
    let words = "Client sent an HTTP request to an HTTPS server.\n";
    let answer = answer("400 Bad Request", "", words);
    let server = FaultServer::start(Fault::AnswerEverything(answer)).await;
    let pd = quick().endpoints(&server.url()).build().unwrap();
    let error = pd.cancel_operator(region(12)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    let report = error.report();
    assert!(report.contains(words.trim_end()), "{report}");
    assert_eq!(error.answer().unwrap().body, words);
    // A read is unreachable as well, not refused.
    let error = pd.stores().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    assert!(error.report().contains(words.trim_end()), "{error:?}");
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_a_typed_error() {
    for body in [
        ok(&format!("\"{}\"", "x".repeat(2000))),
        format!("HTTP/1.1 200 OK\r\n\r\n\"{}\"", "x".repeat(2000)),
    ] {
        let server = FaultServer::start(Fault::Answer(body)).await;
        let pd = quick()
            .endpoints(&server.url())
            .body_cap(1000)
            .build()
            .unwrap();
        let error = pd.cancel_operator(region(12)).await.unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { limit: 1000, .. }),
            "{error:?}"
        );
        assert_eq!(error.class(), ErrorClass::Unreadable);
        assert_eq!(server.requests(), 1);
        assert!(matches!(pd.stores().await, Err(Error::TooLarge { .. })));
    }
}

#[tokio::test]
async fn a_huge_refusal_is_cut() {
    let body = format!("\"{}\"", "x".repeat(100_000));
    let fault = Fault::Answer(answer("400 E", "", &body));
    // What is left of it is in no form of PD's.
    let error = check(fault.clone(), ErrorClass::Unanswered, 1).await;
    assert_eq!(error.answer().unwrap().body.len(), 16 * 1024);
    let server = FaultServer::start(fault).await;
    let pd = quick().endpoints(&server.url()).build().unwrap();
    let error = pd.stores().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    assert_eq!(error.answer().unwrap().body.len(), 16 * 1024);
}

#[tokio::test]
async fn messages_print_each_cause_once_and_no_url_twice() {
    let endpoint = refusing().await;
    let pd = quick().endpoints(&endpoint).build().unwrap();
    let report = pd.stores().await.unwrap_err().report();
    assert_eq!(report.matches(&endpoint).count(), 1, "{report}");
    assert!(
        report.starts_with(&format!(
            "could not reach PD at `{endpoint}` for `GET /stores`: "
        )),
        "{report}"
    );
}

#[tokio::test]
async fn every_write_has_a_connection_of_its_own() {
    let yes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull".to_owned();
    let server = FaultServer::start(Fault::AnswerThenClose(yes)).await;
    let healthy = FaultServer::healthy().await;
    let pd = quick()
        .endpoint_list([server.url(), healthy.url()])
        .build()
        .unwrap();
    for writes in 1..=50 {
        pd.cancel_operator(region(12)).await.unwrap();
        assert_eq!((server.requests(), healthy.requests()), (writes, 0));
        // The search for the leader keeps its own.
        assert_eq!(server.connections(), writes + 1);
    }
}

#[tokio::test]
async fn calls_can_run_on_any_thread() {
    fn sendable<T: Send>(call: T) -> T {
        call
    }
    let server = FaultServer::healthy().await;
    let pd = quick().endpoints(&server.url()).build().unwrap();
    let writing = pd.clone();
    let write = sendable(async move { writing.cancel_operator(region(12)).await });
    assert!(tokio::spawn(write).await.unwrap().is_ok());
    drop(sendable(pd.stores()));
    drop(sendable(pd.region_by_key("74")));
}
