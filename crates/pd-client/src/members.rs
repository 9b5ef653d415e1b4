//! Members: the PD servers themselves.

use serde::{Deserialize, Deserializer, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::ids::{self, ClusterId, MemberId};
use crate::lenient::null_is_default;
use crate::transport::{Accepted, Call};

impl Client {
    /// All members, and which of them lead.
    ///
    /// `GET /members`, all versions.
    pub async fn members(&self) -> Result<Members, Error> {
        self.read(Call::point("/members")).await?.json()
    }

    /// The member that leads PD; `None` while there is none.
    ///
    /// `GET /leader`, all versions.
    pub async fn leader(&self) -> Result<Option<Member>, Error> {
        Ok(self
            .read(Call::point("/leader"))
            .await?
            .json::<MaybeMember>()?
            .0)
    }

    /// Reads from PD's leader, and says which member that was: the one that led before and after,
    /// `None` when it changed in between. What PD has in memory is of one leader only.
    ///
    /// `GET /leader` twice, all versions.
    ///
    /// ```no_run
    /// # async fn example(pd: pd_client::Client) -> Result<(), pd_client::Error> {
    /// let read = pd.led(|leader| async move { leader.operators().await }).await?;
    /// println!("{} operators, says {:?}", read.value.len(), read.leader);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn led<T, F>(&self, read: impl FnOnce(Self) -> F) -> Result<Led<T>, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let pd = self.leader_only();
        let before = pd.leader().await?;
        let value = read(pd.clone()).await?;
        let after = pd.leader().await?;
        let leader = before.filter(|before| {
            let same =
                |after: &Member| (&after.name, after.member_id) == (&before.name, before.member_id);
            after.as_ref().is_some_and(same)
        });
        Ok(Led { value, leader })
    }

    /// Has a member lead PD. The change is made in the background and takes seconds; what PD has
    /// in memory is lost with it: operators and their records, pauses, hot spots.
    ///
    /// `POST /leader/transfer/{name}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500 when there is no such member.
    pub async fn transfer_pd_leader(&self, name: &str) -> Result<Accepted, Error> {
        let call = Call::post_empty("/leader/transfer").name_segment("member", name)?;
        self.change_leader(call).await
    }

    /// Sets how much a member should lead PD compared to others; 0 is the usual.
    ///
    /// `POST /members/name/{name}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 404 when there is no such member.
    pub async fn set_leader_priority(&self, name: &str, priority: i32) -> Result<Accepted, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Priority {
            leader_priority: i32,
        }

        let call = Call::post_empty("/members/name").name_segment("member", name)?;
        let body = Priority {
            leader_priority: priority,
        };
        self.write(call.with_body(&body)?).await
    }

    async fn change_leader(&self, call: Call) -> Result<Accepted, Error> {
        let result = self.write(call).await;
        self.shared.known_leader().take();
        result
    }

    /// How each member is. Up to 8.5.4 PD's leader answers, later the member that is asked.
    ///
    /// `GET /health`, all versions.
    pub async fn health(&self) -> Result<Vec<MemberHealth>, Error> {
        let health: Option<_> = self.read(Call::point("/health")).await?.json()?;
        Ok(health.unwrap_or_default())
    }
}

/// What was read from PD's leader.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Led<T> {
    /// What was read.
    pub value: T,
    /// The member that led meanwhile; `None` when it changed.
    pub leader: Option<Member>,
}

/// The members of a PD cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Members {
    /// Which cluster they are of.
    #[serde(default, rename = "header", deserialize_with = "cluster_id")]
    pub cluster_id: Option<ClusterId>,
    /// All of them.
    #[serde(deserialize_with = "null_is_default")]
    pub members: Vec<Member>,
    /// The one that leads PD; `None` while there is none.
    #[serde(default, deserialize_with = "maybe_member")]
    pub leader: Option<Member>,
    /// The one that leads the etcd inside PD. May differ from `leader` for a while.
    #[serde(default, deserialize_with = "maybe_member")]
    pub etcd_leader: Option<Member>,
}

/// A member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its id.
    #[serde(deserialize_with = "ids::optional")]
    pub member_id: Option<MemberId>,
    /// Where other members reach it.
    #[serde(deserialize_with = "null_is_default")]
    pub peer_urls: Vec<String>,
    /// Where clients reach it.
    #[serde(deserialize_with = "null_is_default")]
    pub client_urls: Vec<String>,
    /// Its version, such as `v8.5.7`.
    pub binary_version: String,
    /// What it was built from.
    pub git_hash: String,
    /// How much it should lead compared to others.
    pub leader_priority: i64,
}

/// How a member is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MemberHealth {
    /// Its name.
    pub name: String,
    /// Its id.
    #[serde(default, deserialize_with = "ids::optional")]
    pub member_id: Option<MemberId>,
    /// Where clients reach it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub client_urls: Vec<String>,
    /// Whether it answers.
    pub health: bool,
}

/// A member, or nothing: `null`, or an object without name and addresses.
struct MaybeMember(Option<Member>);

impl<'de> Deserialize<'de> for MaybeMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let member = Option::<Member>::deserialize(deserializer)?;
        let is_someone =
            |member: &Member| !member.name.is_empty() || !member.client_urls.is_empty();
        Ok(Self(member.filter(is_someone)))
    }
}

fn maybe_member<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Member>, D::Error> {
    Ok(MaybeMember::deserialize(deserializer)?.0)
}

fn cluster_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ClusterId>, D::Error> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(default, deserialize_with = "ids::optional")]
        cluster_id: Option<ClusterId>,
    }

    Ok(Option::<Header>::deserialize(deserializer)?.and_then(|header| header.cluster_id))
}
