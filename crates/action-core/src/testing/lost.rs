//! Requests and answers that are lost, and sends that are dropped: what is said of them is true.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::error::FailureKind;
use crate::schema::ActionDefinition;
use crate::testing::broken::{Broken, Promise};
use crate::testing::case::{Case, count, shown};
use crate::testing::fake_system::FakeSystem;
use crate::values::Progress;

/// A send that waits more often than this is not dropped later.
const MOST_WAITS: u32 = 200;

/// The request is lost on its way: nothing happens.
pub(super) async fn request<F: FakeSystem>(definition: &ActionDefinition) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let run = case.planned().await?;
    case.fake.lose_next_request();
    let sent = case.send(&run).await;
    let writes = case.fake.writes();
    if writes != 0 {
        let what = format!(
            "its request was lost and the fake got {}: it tried again, or \
             `FakeSystem::lose_next_request` lost nothing",
            count(writes)
        );
        return Err(case.broken(Promise::SendsOnce, what));
    }
    if let Ok(accepted) = sent {
        let what = format!(
            "the request did not arrive, and `send` gives `{}`",
            accepted.answer
        );
        return Err(case.broken(Promise::LostRequest, what));
    }
    match case.followed(&run).await?.0 {
        applied @ Progress::Applied { .. } => {
            let what = format!(
                "the request did not arrive, and it ended as {}",
                shown(&applied)
            );
            Err(case.broken(Promise::LostRequest, what))
        }
        _ => Ok(()),
    }
}

/// The request arrives and its answer is lost: it happens.
pub(super) async fn answer<F: FakeSystem>(definition: &ActionDefinition) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let run = case.planned().await?;
    case.fake.lose_next_answer();
    let sent = case.send(&run).await;
    let writes = case.fake.writes();
    if writes != 1 {
        let what = format!("its answer was lost and the fake got {}", count(writes));
        return Err(case.broken(Promise::SendsOnce, what));
    }
    let what = match sent {
        Ok(accepted) => format!(
            "the answer was lost, and `send` gives `{}`",
            accepted.answer
        ),
        Err(error) if error.kind() != FailureKind::Unknown => {
            let kind = shown(&error.kind());
            format!("`send` fails with kind {kind}: {}", error.report())
        }
        Err(_) => match case.followed(&run).await?.0 {
            ended @ Progress::NotApplied { .. } => {
                format!("it happened, and ended as {}", shown(&ended))
            }
            _ => return Ok(()),
        },
    };
    Err(case.broken(Promise::LostAnswer, what))
}

/// The send is dropped where it waits, at each place where it does.
pub(super) async fn dropped<F: FakeSystem>(definition: &ActionDefinition) -> Result<(), Broken> {
    for waits in 1..=MOST_WAITS {
        let case = Case::<F>::start(definition).await?;
        let run = case.planned().await?;
        if polled(case.send(&run), waits).await.is_some() {
            return Ok(());
        }
        let (progress, _) = case.followed(&run).await?;
        let writes = case.fake.writes();
        let is_true = match progress {
            Progress::Applied { .. } => writes == 1,
            Progress::NotApplied { .. } => writes == 0,
            _ => writes <= 1,
        };
        if !is_true {
            let (writes, ended) = (count(writes), shown(&progress));
            let what = format!(
                "dropped where it waited for the {waits}. time, the fake got {writes}, and it \
                 ended as {ended}"
            );
            return Err(case.broken(Promise::SurvivesDrop, what));
        }
    }
    Ok(())
}

/// What a future gives, unless it waits so often before.
async fn polled<T>(future: impl Future<Output = T>, mut waits: u32) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => {
            waits -= 1;
            match waits {
                0 => Poll::Ready(None),
                _ => Poll::Pending,
            }
        }
    })
    .await
}
