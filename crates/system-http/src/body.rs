//! Reading bodies, bounded in time and size.

use bytes::{Bytes, BytesMut};

use crate::deadline::Deadline;
use crate::error::BoxError;
use crate::transport::Body;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum BodyError {
    /// It is larger than is taken.
    #[error("the answer is too large")]
    TooLarge,
    /// It broke off, or its time was over.
    #[error(transparent)]
    Broken(BoxError),
}

/// All of a body that is no larger than the limit.
pub(crate) async fn read_all(
    mut body: Body,
    limit: usize,
    deadline: &mut Deadline<'_>,
) -> Result<Bytes, BodyError> {
    if body.announced().is_some_and(|length| length > limit as u64) {
        return Err(BodyError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(chunk) = next(&mut body, deadline).await? {
        if first.len().max(all.len()) + chunk.len() > limit {
            return Err(BodyError::TooLarge);
        }
        // Most bodies come in one piece, which need not be copied.
        if first.is_empty() {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The beginning of a body.
pub(crate) async fn read_start(
    mut body: Body,
    limit: usize,
    deadline: &mut Deadline<'_>,
) -> Result<Bytes, BodyError> {
    let mut start = BytesMut::new();
    while let Some(chunk) = next(&mut body, deadline).await? {
        start.extend_from_slice(&chunk);
        if start.len() >= limit {
            start.truncate(limit);
            break;
        }
    }
    Ok(start.freeze())
}

async fn next(body: &mut Body, deadline: &mut Deadline<'_>) -> Result<Option<Bytes>, BodyError> {
    let chunk = deadline.limit(body.next()).await;
    chunk
        .map_err(BoxError::from)
        .flatten()
        .map_err(BodyError::Broken)
}
