//! What is true of PostgreSQL alone: its sessions.

use std::time::Duration;

use action_core::BoxError;
use action_guard::testing::Place as _;
use action_guard::testing::fixtures::{allowed, applied, intent, mode, write};
use action_guard::{Journal, Mode, Record};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::places::{PostgresPlace, SqlPlace as _};

/// The same, when it is too late to send it.
fn at_once(mut record: Record) -> Record {
    if let Record::Intent { intent, .. } = &mut record {
        intent.send_by = Timestamp::now();
    }
    record
}

/// Ends sessions of an instance, as a server does that goes down.
async fn end_sessions(place: &PostgresPlace, of: &str, which: &str) -> usize {
    let mut connection = place.connection().await;
    let end = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity a
         WHERE application_name = $1 AND {which} EXISTS (
             SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')"
    );
    let ended = sqlx::query(sqlx::AssertSqlSafe(end))
        .bind(format!("action-guard {of}"))
        .fetch_all(&mut connection);
    ended.await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_was_cut_is_made_again() -> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let journal = place.open_with(place.options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    journal.state().await?;
    assert!(end_sessions(&place, journal.instance(), "NOT").await > 0);
    assert_eq!(write(&journal, [allowed("a", "x")]).await?[0].seq, 2);
    assert_eq!(journal.state().await?.seq, 2);
    place.end().await;
    Ok(())
}

/// It may have been taken for dead meanwhile, and what it was about to send taken over.
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_its_session_does_not_send_what_it_had_announced() -> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let journal = place.open_with(place.options()).await;
    let other = place.open_with(place.options()).await;
    write(&journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    // Nothing is announced, or the time to send it is over: nothing is lost with the session.
    assert_eq!(end_sessions(&place, journal.instance(), "").await, 1);
    assert!(!journal.is_stopped().await?);
    write(&journal, [at_once(intent("a")), applied("a")]).await?;
    assert_eq!(end_sessions(&place, journal.instance(), "").await, 1);
    assert!(!other.is_alive(journal.instance()).await?);
    assert!(!journal.is_stopped().await?);
    // Something is about to be sent.
    write(&journal, [allowed("b", "x"), intent("b")]).await?;
    assert!(!journal.is_stopped().await?);
    assert_eq!(end_sessions(&place, journal.instance(), "").await, 1);
    assert!(!other.is_alive(journal.instance()).await?);
    for _ in 0..2 {
        let said = action_core::report(&journal.is_stopped().await.unwrap_err());
        assert!(said.contains("the session was lost"), "{said}");
        assert!(other.is_alive(journal.instance()).await?);
    }
    assert!(!other.is_stopped().await?);
    place.end().await;
    Ok(())
}

/// Who writes needs no right to change or remove what was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_add_is_enough() -> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let (schema, role) = (&place.schema, format!("{}_writer", place.schema));
    let owner = place.open_with(place.options().segment_bytes(1_000)).await;
    write(&owner, [mode(Mode::Execute)?]).await?;
    let mut connection = place.connection().await;
    let grants = format!(
        "CREATE ROLE {role};
         GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};
         GRANT INSERT ON {schema}.journal_lines, {schema}.journal_segments, {schema}.journal_stop
             TO {role};
         GRANT INSERT, UPDATE ON {schema}.journal_clock TO {role};
         GRANT UPDATE ON {schema}.journal_head TO {role};
         GRANT DELETE ON {schema}.journal_stop TO {role};"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(grants))
        .execute(&mut connection)
        .await?;
    let url = format!("{}?options=-c%20role%3D{role}", place.url);
    let journal = place.options().segment_bytes(1_000).postgres(&url).await?;
    for at in 0..4 {
        let id = format!("id-{at}");
        let turned = [allowed(&id, "x"), intent(&id), applied(&id)];
        write(&journal, turned).await?;
    }
    assert!(journal.verify().await?.segments > 2);
    journal.stop().await?;
    assert!(owner.is_stopped().await?);
    journal.unstop().await?;
    assert!(journal.is_alive(owner.instance()).await?);
    assert!(!journal.is_alive(&uuid::Uuid::now_v7().to_string()).await?);
    for forbidden in [
        "UPDATE journal_lines SET line = ''",
        "DELETE FROM journal_lines",
    ] {
        let tried = format!("SET search_path TO {schema}; SET ROLE {role}; {forbidden}");
        let mut connection = place.connection().await;
        let tried = sqlx::raw_sql(sqlx::AssertSqlSafe(tried)).execute(&mut connection);
        let said = tried.await.unwrap_err().to_string();
        assert!(said.contains("permission denied"), "{said}");
    }
    drop(journal);
    place.end().await;
    let gone = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(gone))
        .execute(&mut connection)
        .await?;
    Ok(())
}

/// When the connection goes between the records and the answer, it is not known what is written;
/// whoever asks the server knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_session_ends_is_an_error_and_the_server_knows_the_truth()
-> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let journal = place.open_with(place.options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    let (inside, is_inside) = tokio::sync::oneshot::channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let record = allowed("a", "x");
    let decision = Box::new(move |_: &action_guard::State, _| {
        let _ = inside.send(());
        let _ = gone.recv();
        Ok(vec![record])
    });
    let commit = journal.commit(decision);
    let cut = async {
        is_inside.await.unwrap();
        let ended = end_sessions(&place, journal.instance(), "NOT").await;
        go.send(()).unwrap();
        ended
    };
    let (committed, ended) = tokio::join!(commit, cut);
    assert!(ended > 0);
    assert!(committed.is_err());
    assert_eq!(journal.state().await?.seq, 1);
    assert_eq!(write(&journal, [allowed("b", "x")]).await?[0].seq, 2);
    assert_eq!(journal.verify().await?.head.seq, 2);
    place.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_the_head_is_named() -> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let holder = place.open_with(place.options()).await;
    let name = holder.instance().to_owned();
    let short = place.options().lock_wait(Duration::from_millis(100));
    let journal = place.open_with(short).await;
    let (inside, is_inside) = tokio::sync::oneshot::channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let holds = tokio::spawn(async move {
        let decision = Box::new(move |_: &action_guard::State, _| {
            let _ = inside.send(());
            let _ = gone.recv();
            Ok(Vec::new())
        });
        holder.commit(decision).await
    });
    is_inside.await?;
    let said = write(&journal, [mode(Mode::Observe)?]).await.unwrap_err();
    let said = said.to_string();
    assert!(said.contains(&name) && said.contains("127.0.0.1"), "{said}");
    go.send(())?;
    assert!(holds.await??.is_empty());
    place.end().await;
    Ok(())
}

/// Many who come at the same time to an empty database make one set of tables.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once() -> Result<(), BoxError> {
    let Some(place) = PostgresPlace::new() else {
        return Ok(());
    };
    let mut opening = JoinSet::new();
    for _ in 0..8 {
        let (options, url) = (place.options(), place.url.clone());
        opening.spawn(async move { options.postgres(&url).await });
    }
    let mut seq = 0;
    while let Some(opened) = opening.join_next().await {
        seq = write(&opened??, [mode(Mode::Observe)?]).await?[0].seq;
    }
    assert_eq!(seq, 8);
    place.end().await;
    Ok(())
}
