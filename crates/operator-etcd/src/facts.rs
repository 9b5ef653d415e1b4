//! What a cluster's members say, read together, and what that means for everything that plans,
//! probes and explains.

use action_core::{Cause, Evidence, Plan, Progress, Sent, Verdict};
use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subject_http::{Call, Origin};

use crate::cluster::{Asked, Etcd};
use crate::error::{ETCD, Error, code_of, refusal};
use crate::ids::MemberId;
use crate::wire::{Member, MemberList, Status};

pub(crate) use crate::wire::{LIST, STATUS};

/// How long a member that answers may take over a request that it has: etcd gives up a proposal
/// after 5 s and two election time-outs.
const SETTLE_MS: u64 = 15_000;

/// A cluster as its members say it is.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) cluster_id: u64,
    /// As the leader lists them, where it answers.
    pub(crate) members: Vec<SeenMember>,
    /// Who leads, as the member in the latest term says.
    pub(crate) leader: Option<MemberId>,
}

#[derive(Debug)]
pub(crate) struct SeenMember {
    pub(crate) member: Member,
    /// Where it answered, and what; `None` when it is silent.
    pub(crate) answer: Option<(Origin, Status)>,
}

/// Who led when a write was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderFacts {
    /// The leader, whom it is asked of; `None` when there was none.
    pub(crate) asked: Option<Asked>,
}

impl LeaderFacts {
    /// Whom it is asked of.
    pub(crate) fn asked(&self) -> Result<&Asked, Error> {
        self.asked.as_ref().ok_or_else(no_asked)
    }
}

impl Etcd {
    /// The members, as the first endpoint that answers lists them.
    pub(crate) async fn any_list(&self) -> Result<MemberList, Error> {
        self.http.read(Call::post(LIST, &json!({}))).await
    }

    /// Asks every member: at the endpoints that were given, and where the members say they are.
    pub(crate) async fn seen(&self) -> Result<Seen, Error> {
        let mut list = self.any_list().await?;
        let cluster_id = list.header.cluster_id;
        let ask = |at: Origin| async move {
            let status: Status = self
                .http
                .read_at(&at, Call::post(STATUS, &json!({})))
                .await
                .ok()?;
            (status.header.cluster_id == cluster_id).then_some((at, status))
        };
        let answers = join_all(self.addresses(&list.members).into_iter().map(ask)).await;
        let answers: Vec<(Origin, Status)> = answers.into_iter().flatten().collect();
        let latest = answers.iter().filter(|(_, status)| status.leader != 0);
        let latest = latest.max_by_key(|(_, status)| status.raft_term);
        let leader = latest.map(|(_, status)| status.leader);
        let of = |id| answers.iter().find(|(_, one)| one.header.member_id == id);
        if let Some((at, _)) = leader.and_then(of)
            && let Ok(leaders) = self.http.read_at(at, Call::post(LIST, &json!({}))).await
        {
            list = leaders;
        }
        let members = list.members.into_iter().map(|member| SeenMember {
            answer: of(member.id).cloned(),
            member,
        });
        Ok(Seen {
            cluster_id,
            members: members.collect(),
            leader: leader.map(MemberId),
        })
    }

    /// Asks the leader.
    pub(crate) async fn ask_leader<T: DeserializeOwned>(
        &self,
        seen: &Seen,
        path: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let leader = seen
            .leader
            .ok_or_else(|| not_read("the leader", "there is no leader"))?;
        let at = &seen.answer_of(leader)?.0;
        self.http.read_at(at, Call::post(path, body)).await
    }

    /// Where members may be, none of it a step down from TLS.
    fn addresses(&self, members: &[Member]) -> Vec<Origin> {
        let mut all: Vec<Origin> = self.http.endpoints().cloned().collect();
        let only_https = all.iter().all(Origin::is_https);
        let named = members.iter().flat_map(|member| &member.client_urls);
        for origin in named.filter_map(|url| Origin::parse(url).ok()) {
            if !all.contains(&origin) && (origin.is_https() || !only_https) {
                all.push(origin);
            }
        }
        all
    }
}

impl Seen {
    pub(crate) fn member(&self, id: MemberId) -> Option<&SeenMember> {
        self.members.iter().find(|one| one.member.id() == id)
    }

    /// Where a member answered, and what it says of itself.
    pub(crate) fn answer_of(&self, id: MemberId) -> Result<&(Origin, Status), Error> {
        let seen = self.member(id).ok_or_else(|| refusal(NOT_FOUND))?;
        let at = seen.member.client_urls.join(",");
        let silent = || not_read(&at, &format!("member {id} does not answer"));
        seen.answer.as_ref().ok_or_else(silent)
    }

    pub(crate) fn voters(&self) -> impl Iterator<Item = &SeenMember> {
        let is_voter = |one: &&SeenMember| !one.member.is_learner;
        self.members.iter().filter(is_voter)
    }

    /// Voters that answer beyond those that make a quorum, without these; negative when there is
    /// none.
    pub(crate) fn spare_without(&self, gone: &[MemberId]) -> i64 {
        let voters = self.voters().count();
        let answers = |one: &&SeenMember| one.answer.is_some() && !gone.contains(&one.member.id());
        let answering = self.voters().filter(answers).count();
        // Members are a handful.
        answering as i64 - (voters / 2 + 1) as i64
    }

    /// The member that others reach at this address.
    pub(crate) fn at_peer_url(&self, url: &str) -> Option<&SeenMember> {
        let url = url.trim_end_matches('/');
        let is_it = |one: &String| one.trim_end_matches('/') == url;
        let mut members = self.members.iter();
        members.find(|one| one.member.peer_urls.iter().any(is_it))
    }

    /// The plan of a write that is asked of the leader.
    pub(crate) fn plan(&self, verdict: impl FnOnce() -> Verdict) -> Plan<LeaderFacts> {
        let (asked, verdict) = match self.leader_asked() {
            Ok(asked) => (Some(asked), verdict()),
            Err(refused) => (None, refused),
        };
        Plan::new(verdict, LeaderFacts { asked })
            .same("leader", json!(self.leader))
            .follow(500, SETTLE_MS, 60_000)
    }

    /// The leader as whom a write is for, or etcd's refusal when there is none.
    fn leader_asked(&self) -> Result<Asked, Verdict> {
        let asked = self.leader.and_then(|leader| self.asked(leader));
        asked.ok_or_else(|| refused("etcdserver: no leader"))
    }

    /// A member that answers as whom a write is for.
    pub(crate) fn asked(&self, member_id: MemberId) -> Option<Asked> {
        let (at, _) = self.member(member_id)?.answer.as_ref()?;
        Some(Asked {
            cluster_id: self.cluster_id,
            member_id,
            at: at.to_string(),
        })
    }

    /// What a probe says: applied where it is so, and else as [`not_seen`](Self::not_seen) says.
    pub(crate) fn shown(
        &self,
        is_so: bool,
        before: &LeaderFacts,
        sent: &Sent,
        code: &str,
        text: String,
        evidence: Evidence,
    ) -> Progress {
        let evidence = vec![evidence];
        match is_so {
            true => Progress::applied(sent.attribution(), text, evidence),
            false => self.not_seen(before.asked.as_ref(), sent, code, text, evidence),
        }
    }

    /// What a probe says of what has not happened: it no longer can when the member that was asked
    /// has answered for longer than a request takes it. One that was stopped may still have it.
    pub(crate) fn not_seen(
        &self,
        asked: Option<&Asked>,
        sent: &Sent,
        code: &str,
        text: String,
        mut evidence: Vec<Evidence>,
    ) -> Progress {
        const SINCE: &str = "asked_member_answers_since_ms";
        let answers = asked.is_some_and(|asked| {
            self.member(asked.member_id)
                .is_some_and(|one| one.answer.is_some())
        });
        if !answers {
            return Progress::pending(
                format!("{text}; the member itself does not answer"),
                evidence,
            );
        }
        let earlier = sent.earlier.iter().find(|one| one.fact == SINCE);
        let since = earlier.and_then(|one| one.value.as_u64());
        let since = since.unwrap_or(sent.elapsed_ms);
        evidence.push(Evidence::new(source(STATUS), SINCE, since));
        if sent.elapsed_ms < since + SETTLE_MS {
            Progress::pending(text, evidence)
        } else {
            Progress::not_applied(code, text, true, evidence)
        }
    }
}

/// What etcd checks of a change of members, and nobody can read.
pub(crate) const CONNECTED: &str = "whether all voters have been connected for five seconds";

/// etcd's words for a member there is not.
pub(crate) const NOT_FOUND: &str = "etcdserver: member not found";

/// It would be accepted, and nothing would come of it.
pub(crate) fn will_not(code: &str, text: String) -> Verdict {
    let causes = vec![Cause::new(code, text)];
    Verdict::AcceptedButWillNotProgress { causes }
}

/// There is nobody to ask.
fn not_read(at: &str, why: &str) -> Error {
    Error::NotRead {
        system: ETCD.name,
        at: at.to_owned(),
        source: why.into(),
    }
}

/// A plan without anybody to ask is not sent.
pub(crate) fn no_asked() -> Error {
    Error::Refused {
        code: "no_leader".to_owned(),
        text: "there was no leader when it was planned".to_owned(),
    }
}

/// etcd would refuse, in these words.
pub(crate) fn refused(text: &str) -> Verdict {
    Verdict::WouldReject {
        code: code_of(text),
        text: text.to_owned(),
    }
}

/// Where something was read.
pub(crate) fn source(path: &str) -> String {
    format!("POST {path}")
}
