//! What every journal must do, one function for each rule. A rule that is broken panics or is an
//! error.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use action_core::BoxError;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::journal::Sender;
use crate::proposal::{Mode, Phase, Refusal};
use crate::records::{Entry, Hash, Record};
use crate::testing::fixtures::{
    allowed, ana, applied, approved, intent, mode, proposal, refusal, wanting_approval, write,
};
use crate::testing::instances::{instances, until_dead, winners};
use crate::testing::place::Place;

pub use damage::{a_changed_record_is_named, a_missing_record_is_missed};

mod damage;

/// What a rule is checked by.
pub type Checked = Result<(), BoxError>;

/// How many want the same at the same time.
const CROWD: usize = 32;

/// Numbers without a gap, each naming the hash before; the same for whoever reads.
pub async fn records_are_kept_in_order_and_chained(place: &dyn Place) -> Checked {
    let journal = place.open().await?;
    let first = write(&*journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    let second = write(&*journal, [intent("a")]).await?;
    let written = [first, second].concat();
    assert_eq!(numbers(&written), [1, 2, 3]);
    assert_eq!(written[0].prev, Hash::ZERO);
    assert_eq!(written[1].prev, written[0].hash);
    assert_eq!(written[2].prev, written[1].hash);
    let by = |entry: &Entry| entry.instance == journal.instance();
    assert!(written.iter().all(by));
    let other = place.open().await?;
    assert_ne!(other.instance(), journal.instance());
    for reader in [&journal, &other] {
        assert_eq!(reader.entries(0, 10).await?, written);
        assert_eq!(numbers(&reader.entries(1, 1).await?), [2]);
        assert!(reader.entries(3, 10).await?.is_empty());
        let verified = reader.verify().await?;
        assert_eq!((verified.first, verified.head.seq), (1, 3));
        assert_eq!(verified.head.hash, written[2].hash);
        let state = reader.state().await?;
        assert_eq!((state.seq, state.mode), (3, Mode::Execute));
        let status = state.proposal_status("a").ok_or("no life")?;
        assert_eq!(status.owner.as_deref(), Some(journal.instance()));
    }
    assert_eq!(other.state().await?, journal.state().await?);
    Ok(())
}

/// Whatever lies between them, and nothing for who is not known.
pub async fn the_records_of_a_proposal_are_found(place: &dyn Place) -> Checked {
    let journal = place.open().await?;
    write(&*journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    write(&*journal, [allowed("b", "y"), intent("a")]).await?;
    write(&*journal, [mode(Mode::Execute)?, applied("a")]).await?;
    for reader in [Arc::clone(&journal), place.open().await?] {
        assert_eq!(numbers(&reader.entries_of("a").await?), [2, 4, 6]);
        assert_eq!(numbers(&reader.entries_of("b").await?), [3]);
        assert_eq!(reader.entries_of("a\"").await?, []);
        assert_eq!(numbers(&reader.entries_with("a").await?), [2, 4, 6]);
        assert_eq!(reader.entries_with("ab").await?, []);
        assert_eq!(reader.head().await?, reader.verify().await?.head);
    }
    Ok(())
}

/// A record, sealed again, has the hash that it was kept with.
pub async fn the_bytes_are_those_of_every_journal(place: &dyn Place) -> Checked {
    let journal = place.open().await?;
    let begun = [mode(Mode::Execute)?, allowed("ä\u{1}\"", "x")];
    write(&*journal, begun).await?;
    let entries = place.open().await?.entries(0, 10).await?;
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let (again, line) = Entry::seal(
            entry.seq,
            entry.at,
            &entry.instance,
            entry.prev,
            entry.target.clone(),
            entry.record.clone(),
        )?;
        assert_eq!(again.hash, entry.hash);
        assert_eq!(Entry::read(line.as_bytes(), Some(entry.prev))?, entry);
    }
    Ok(())
}

/// Many at a time, so that some share a transaction.
pub async fn each_decision_sees_what_those_before_it_decided(place: &dyn Place) -> Checked {
    let journals = [place.open().await?, place.open().await?];
    let mut tasks = JoinSet::new();
    for task in 0..CROWD {
        let journal = Arc::clone(&journals[task % 2]);
        let record = mode(Mode::Observe)?;
        tasks.spawn(async move {
            let (seen, saw) = tokio::sync::oneshot::channel();
            let decision = Box::new(move |state: &crate::State, _| {
                let _ = seen.send(state.seq);
                Ok(vec![record])
            });
            let written = journal.commit(decision).await?;
            Ok::<_, BoxError>((saw.await?, numbers(&written)))
        });
    }
    let mut seen = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (saw, wrote) = done??;
        assert_eq!(wrote, [saw + 1]);
        seen.push(saw);
    }
    seen.sort_unstable();
    let crowd = u64::try_from(CROWD)?;
    assert_eq!(seen, (0..crowd).collect::<Vec<_>>());
    assert_eq!(journals[0].verify().await?.head.seq, crowd);
    Ok(())
}

/// Not even those of its records that could be.
pub async fn a_refused_decision_writes_nothing(place: &dyn Place) -> Checked {
    let journal = place.open().await?;
    write(&*journal, [mode(Mode::Execute)?]).await?;
    let before = journal.state().await?;
    let half = write(&*journal, [allowed("a", "x"), intent("b")]).await;
    let refused = refusal(half)?;
    assert!(
        matches!(&refused, Refusal::UnknownProposal { id } if id == "b"),
        "{refused}"
    );
    let no = journal.commit(Box::new(|_, _| Err(Refusal::Observing)));
    assert_eq!(refusal(no.await)?, Refusal::Observing);
    assert_eq!(journal.state().await?, before);
    assert_eq!(journal.entries(0, 10).await?.len(), 1);
    let after = write(&*journal, [allowed("a", "x"), intent("a")]).await?;
    assert_eq!(numbers(&after), [2, 3]);
    assert_eq!(journal.verify().await?.head.seq, 3);
    Ok(())
}

/// It is asked all the same, and on the state as it is.
pub async fn a_decision_that_wants_nothing_writes_nothing(place: &dyn Place) -> Checked {
    let (journal, other) = (place.open().await?, place.open().await?);
    write(&*journal, [mode(Mode::Execute)?]).await?;
    let (asked, was_asked) = tokio::sync::oneshot::channel();
    let decision = Box::new(move |state: &crate::State, _| {
        let _ = asked.send(state.mode);
        Ok(Vec::new())
    });
    assert!(other.commit(decision).await?.is_empty());
    assert_eq!(was_asked.await?, Mode::Execute);
    assert_eq!(other.state().await?.seq, 1);
    assert_eq!(other.verify().await?.head.seq, 1);
    Ok(())
}

/// A caller that goes away leaves no half of anything.
pub async fn dropping_the_future_does_not_undo_the_decision(place: &dyn Place) -> Checked {
    let journal = place.open().await?;
    let records = vec![mode(Mode::Execute)?, allowed("a", "x"), intent("a")];
    let mut commit = journal.commit(Box::new(move |_, _| Ok(records)));
    poll_fn(|context| {
        // Once: it is on its way, and perhaps done.
        let _ = commit.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    drop(commit);
    write(&*journal, [applied("a")]).await?;
    assert_eq!(numbers(&journal.entries(0, 10).await?), [1, 2, 3, 4]);
    Ok(())
}

/// Four instances, and many tasks in each, want to turn the same dial.
pub async fn of_many_that_want_it_one_has_it(place: &dyn Place) -> Checked {
    let journals = instances(place).await?;
    write(&*journals[0], [mode(Mode::Execute)?]).await?;
    let mut tasks = JoinSet::new();
    for task in 0..CROWD {
        let journal = Arc::clone(&journals[task % journals.len()]);
        tasks.spawn(async move {
            let id = format!("id-{task}");
            write(&*journal, [allowed(&id, "x")]).await?;
            write(&*journal, [intent(&id)]).await
        });
    }
    let won = winners(&mut tasks, |refused| {
        matches!(refused, Refusal::ResourceHeld { .. })
    });
    assert_eq!(won.await?, 1);
    let expected = 1 + u64::try_from(CROWD)? + 1;
    for journal in &journals {
        assert_eq!(journal.state().await?, journals[0].state().await?);
        assert_eq!(journal.verify().await?.head.seq, expected);
    }
    Ok(())
}

/// However many consume it at the same time.
pub async fn an_approval_is_used_once(place: &dyn Place) -> Checked {
    let journals = instances(place).await?;
    let proposal = proposal("a", "x");
    let begun = [
        mode(Mode::Execute)?,
        wanting_approval(&proposal),
        approved(&proposal, "user:ana")?,
    ];
    write(&*journals[0], begun).await?;
    let mut tasks = JoinSet::new();
    for task in 0..CROWD {
        let journal = Arc::clone(&journals[task % journals.len()]);
        tasks.spawn(async move { write(&*journal, [intent("a")]).await });
    }
    let won = winners(&mut tasks, |refused| {
        matches!(refused, Refusal::Phase { .. })
    });
    assert_eq!(won.await?, 1);
    assert_eq!(journals[1].verify().await?.head.seq, 4);
    Ok(())
}

/// One instance writes that everything is stopped; another, which knew better, sends nothing.
pub async fn a_stop_is_seen_by_the_next_commit_of_every_instance(place: &dyn Place) -> Checked {
    let (one, other) = (place.open().await?, place.open().await?);
    write(&*one, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    assert!(other.state().await?.killed.is_none());
    let killed = Record::Killed {
        target: None,
        by: ana()?,
        reason: "a test".to_owned(),
    };
    write(&*one, [killed]).await?;
    let refused = refusal(write(&*other, [allowed("b", "y"), intent("b")]).await)?;
    assert!(matches!(refused, Refusal::Killed { .. }), "{refused}");
    refusal(write(&*other, [intent("a")]).await)?;
    assert!(other.state().await?.killed.is_some());
    Ok(())
}

/// The one that is asked right before each send.
pub async fn a_stop_by_other_means_is_seen_by_every_instance(place: &dyn Place) -> Checked {
    let (one, other) = (place.open().await?, place.open().await?);
    assert!(!other.is_stopped().await?);
    one.stop().await?;
    one.stop().await?;
    assert!(one.is_stopped().await? && other.is_stopped().await?);
    assert!(place.open().await?.is_stopped().await?);
    other.unstop().await?;
    other.unstop().await?;
    assert!(!one.is_stopped().await? && !other.is_stopped().await?);
    Ok(())
}

/// An instance with an open intent lives until it is gone.
pub async fn the_dead_are_told_from_the_living(place: &dyn Place) -> Checked {
    let (one, other) = (place.open().await?, place.open().await?);
    write(
        &*one,
        [mode(Mode::Execute)?, allowed("a", "x"), intent("a")],
    )
    .await?;
    let instance = one.instance().to_owned();
    assert!(one.is_alive(&instance).await?);
    assert!(other.is_alive(&instance).await?);
    assert!(other.is_alive(other.instance()).await?);
    assert!(!other.is_alive(&Uuid::now_v7().to_string()).await?);
    drop(one);
    until_dead(&*other, &instance).await?;
    assert!(!place.open().await?.is_alive(&instance).await?);
    Ok(())
}

/// Who hands over a request is known to every instance, their own too, until they have let go.
pub async fn who_sends_is_known_to_every_instance(place: &dyn Place) -> Checked {
    let (one, other) = (place.open().await?, place.open().await?);
    assert_eq!(other.senders().await?, []);
    let first = one.send_lock("a").await?;
    let second = one.send_lock("b").await?;
    let third = other.send_lock("c").await?;
    let instances = |senders: Vec<Sender>| -> BTreeSet<Option<String>> {
        senders.into_iter().map(|sender| sender.instance).collect()
    };
    let both = [one.instance(), other.instance()].map(|instance| Some(instance.to_owned()));
    for journal in [&one, &other] {
        let senders = instances(journal.senders().await?);
        assert_eq!(senders, BTreeSet::from(both.clone()));
    }
    drop((second, third));
    // The lock is still held once.
    while instances(other.senders().await?).len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        instances(one.senders().await?),
        BTreeSet::from([both[0].clone()])
    );
    drop(first);
    while !other.senders().await?.is_empty() {
        tokio::task::yield_now().await;
    }
    // Whoever has found out keeps nobody from sending.
    drop(other.send_lock("d").await?);
    Ok(())
}

/// Who adopts an intent, and nobody else, says how it ended.
pub async fn what_the_dead_left_open_is_ended_by_who_adopts_it(place: &dyn Place) -> Checked {
    let (one, other) = (place.open().await?, place.open().await?);
    write(
        &*one,
        [mode(Mode::Execute)?, allowed("a", "x"), intent("a")],
    )
    .await?;
    let refused = refusal(write(&*other, [applied("a")]).await)?;
    assert!(matches!(refused, Refusal::NotOwner { .. }), "{refused}");
    let from = one.instance().to_owned();
    drop(one);
    until_dead(&*other, &from).await?;
    let adopted = Record::Adopted {
        id: "a".to_owned(),
        from,
    };
    write(&*other, [adopted, applied("a")]).await?;
    let state = place.open().await?.state().await?;
    assert_eq!(
        state.proposal_status("a").map(|status| status.phase),
        Some(Phase::Applied)
    );
    Ok(())
}

fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}
