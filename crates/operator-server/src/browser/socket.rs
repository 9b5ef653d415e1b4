//! Where local users have links made: a socket of this host, whose kernel says who is at its other end.

use std::time::Duration;

use action_guard::NewSession;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::browser::session::from_now;
use crate::gate::Gate;

/// How long an answer may take to be read.
const WITHIN: Duration = Duration::from_secs(5);

/// How long a link counts.
const LINK: SignedDuration = SignedDuration::from_mins(5);

impl Gate {
    /// Makes links for the local users that are [listed](crate::Trust::local_users), one for each connection,
    /// until `until` is over. Nothing is read from who connects: the kernel says who it is.
    pub async fn serve_links(self, listener: UnixListener, until: impl Future<Output = ()> + Send) {
        let mut until = std::pin::pin!(until);
        loop {
            let accepted = tokio::select! {
                () = &mut until => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.answer(stream).await,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn answer(&self, mut stream: UnixStream) {
        let answer = match stream.peer_cred() {
            Ok(peer) => self.link_for(peer.uid()).await,
            Err(_) => Err("the kernel does not report the user at the other end".to_owned()),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        // Who went away has no link.
        let _ = timeout(WITHIN, stream.write_all(answer.to_string().as_bytes())).await;
    }

    /// A link for a user of this host.
    async fn link_for(&self, uid: u32) -> Result<Value, String> {
        let trusted = self.trusted();
        let browsers = trusted.browsers.as_ref();
        let found = browsers.and_then(|all| Some((all, all.of_uid(uid)?)));
        let Some((browsers, (row, actor))) = found else {
            return Err(format!("uid {uid} is not listed: `[[serve.local_user]]`"));
        };
        if !self
            .rates()
            .may(actor.as_str(), self.options().most_per_minute)
        {
            return Err("too many requests per minute".to_owned());
        }
        let now = Timestamp::now();
        let new = NewSession {
            actor,
            row: row.to_owned(),
            auth_time: now,
            expires_at: from_now(LINK).unwrap_or(now),
        };
        let made = self.controls().make_link(new, &browsers.key).await;
        let (link, secret) = made.map_err(|error| {
            let error = action_core::report(&error);
            action_core::redacted(&error).into_owned()
        })?;
        let url = format!("{}/link#{}", browsers.origin, secret.reveal());
        let actor = link.actor.as_str();
        Ok(json!({ "url": url, "actor": actor, "expires_at": link.expires_at }))
    }
}
