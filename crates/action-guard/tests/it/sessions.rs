//! Browser sessions and links, at times of the test's choosing: what follows what, and until when.

use action_guard::{
    Approval, BrowserSession, Entry, Hash, LoginLink, Policy, Record, Refusal, Rules as _, State,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixtures::actor;

/// A session or a link, with something else in it. Its signature is for the rules to look at.
fn made(hash: char, from: i64, to: i64, more: Value) -> Value {
    let hash = hash.to_string().repeat(64);
    let time = |seconds| Timestamp::from_second(seconds).unwrap().to_string();
    let mut made = json!({
        "id": hash[..12], "hash": hash, "row": "r",
        "actor": {"actor": "user:ana", "proven_by": {"kind": "link", "uid": 7}},
        "auth_time": time(from), "expires_at": time(to),
        "proof": {"key": "k", "at": time(from), "signature": "s"},
    });
    for (name, value) in more.as_object().unwrap() {
        made[name] = value.clone();
    }
    made
}

fn session(hash: char, from: i64, to: i64, more: Value) -> Record {
    let session: BrowserSession = serde_json::from_value(made(hash, from, to, more)).unwrap();
    Record::SessionOpened {
        session: Box::new(session),
    }
}

fn link(hash: char, from: i64, to: i64, more: Value) -> Record {
    let link: LoginLink = serde_json::from_value(made(hash, from, to, more)).unwrap();
    Record::LinkMade {
        link: Box::new(link),
    }
}

fn by_oidc() -> Value {
    json!({"actor": {"actor": "user:ana", "proven_by": {"kind": "oidc", "issuer": "corp"}}})
}

fn by_link(hash: char) -> Value {
    json!({"link": hash.to_string().repeat(12)})
}

#[derive(Default)]
struct Times(State);

impl Times {
    fn at(&mut self, seconds: i64, record: Record) -> Result<(), Refusal> {
        let at = Timestamp::from_second(seconds).unwrap();
        let (entry, _) = Entry::seal(self.0.seq + 1, at, "one", Hash::ZERO, None, record).unwrap();
        self.0.apply(&entry)
    }
}

#[test]
fn a_link_opens_one_session_within_five_minutes() {
    let mut times = Times::default();
    times
        .at(1000, link('a', 1000, 1301, json!({})))
        .unwrap_err();
    times
        .at(1000, link('a', 1000, 1000, json!({})))
        .unwrap_err();
    times
        .at(1000, link('a', 1000, 1300, by_oidc()))
        .unwrap_err();
    times
        .at(1000, link('a', 1000, 1300, json!({"id": "x"})))
        .unwrap_err();
    times.at(1000, link('a', 1000, 1300, json!({}))).unwrap();
    times
        .at(1001, link('a', 1001, 1300, json!({})))
        .unwrap_err();
    // Late, of somebody else, of another row, and of none.
    let late = times.at(1300, session('b', 1300, 2000, by_link('a')));
    assert!(late.unwrap_err().to_string().contains("its link was used"));
    for more in [
        json!({"actor": {"actor": "user:ben", "proven_by": {"kind": "link", "uid": 7}}}),
        json!({"actor": {"actor": "user:ana", "proven_by": {"kind": "link", "uid": 8}}}),
        by_oidc(),
        json!({"row": "s"}),
        json!({"link": "x"}),
    ] {
        let mut all = by_link('a');
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        times.at(1100, session('b', 1100, 2000, all)).unwrap_err();
    }
    times
        .at(1100, session('b', 1100, 2000, json!({})))
        .unwrap_err();
    times
        .at(1299, session('b', 1299, 2000, by_link('a')))
        .unwrap();
    times
        .at(1299, session('c', 1299, 2000, by_link('a')))
        .unwrap_err();
    assert_eq!((times.0.sessions.len(), times.0.links.len()), (1, 0));
}

#[test]
fn a_session_is_opened_when_its_gate_says_so_and_lasts_for_a_day_at_most() {
    let mut times = Times::default();
    let day = 24 * 3600;
    times
        .at(1000, session('a', 1000, 1001 + day, by_oidc()))
        .unwrap_err();
    times
        .at(1000, session('a', 1000, 1000, by_oidc()))
        .unwrap_err();
    times
        .at(1301, session('a', 1000, 2000, by_oidc()))
        .unwrap_err();
    times
        .at(699, session('a', 1000, 2000, by_oidc()))
        .unwrap_err();
    for who in ["agent:night", "system"] {
        let proof = json!({"kind": "oidc", "issuer": "corp"});
        let more = json!({"actor": {"actor": who, "proven_by": proof}});
        times.at(1000, session('a', 1000, 2000, more)).unwrap_err();
    }
    let claimed = json!({"actor": "user:ana"});
    times
        .at(1000, session('a', 1000, 2000, claimed))
        .unwrap_err();
    times
        .at(1000, session('a', 1000, 1000 + day, by_oidc()))
        .unwrap();
    times
        .at(1001, session('a', 1001, 2000, by_oidc()))
        .unwrap_err();
    let end = |id: &str, by: &str| Record::SessionEnded {
        id: id.to_owned(),
        by: actor(by),
        reason: "x".to_owned(),
    };
    times.at(1002, end("x", "user:ana")).unwrap_err();
    times
        .at(1002, end(&"a".repeat(12), "agent:night"))
        .unwrap_err();
    times.at(1002, end(&"a".repeat(12), "user:ana")).unwrap();
    times
        .at(1003, end(&"a".repeat(12), "user:ana"))
        .unwrap_err();
    // What was over is not opened again by the same words, once they are old.
    times
        .at(1301, session('a', 1000, 1000 + day, by_oidc()))
        .unwrap_err();
}

#[test]
fn a_further_session_ends_the_oldest_of_the_same_person() {
    let mut times = Times::default();
    let ben =
        json!({"actor": {"actor": "user:ben", "proven_by": {"kind": "oidc", "issuer": "corp"}}});
    times.at(999, session('z', 999, 2000, ben)).unwrap();
    for (nth, hash) in ('a'..='q').enumerate() {
        let at = 1000 + i64::try_from(nth).unwrap();
        times.at(at, session(hash, at, 2000, by_oidc())).unwrap();
    }
    let ids: String = times
        .0
        .sessions
        .keys()
        .filter_map(|id| id.chars().next())
        .collect();
    assert_eq!(ids, "bcdefghijklmnopqz");
}

/// The rules know a gate by its key, and nobody else's signature is one of its.
#[test]
fn only_a_gate_that_the_policy_lists_vouches() {
    const KEY: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";
    let policy: Policy = format!("version = 1\n[[gate]]\nname = \"a\"\nkey = \"{KEY}\"\n")
        .parse()
        .unwrap();
    let none: Policy = "version = 1\n".parse().unwrap();
    let of_key = |key: &str| {
        let proof = json!({"key": key, "at": "2026-11-30T12:00:00Z", "signature": "AAAA"});
        let made = made('a', 1, 2, json!({"proof": proof}));
        serde_json::from_value::<BrowserSession>(made).unwrap()
    };
    for (policy, session, why) in [
        (&policy, of_key(KEY), "not by the gate"),
        (&policy, of_key("x"), "lists no gate"),
        (&none, of_key(KEY), "lists no gate"),
    ] {
        let says = json!({"statement": "session"});
        let refused = policy.vouch_by_gate(&session.actor, &says, &session.proof);
        let refused = refused.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    let hash = serde_json::from_value(json!("0".repeat(64))).unwrap();
    let mut approval = Approval::new(actor("user:ana"), hash, Timestamp::UNIX_EPOCH);
    assert_eq!(approval.proof_word(), "claimed");
    let attested = json!({"session": "a", "row": "r", "auth_time": "2026-11-30T12:00:00Z", "proof": of_key(KEY).proof});
    approval.attested = Some(serde_json::from_value(attested).unwrap());
    assert!(approval.is_proven() && !approval.is_signed());
    let refused = policy.vouch_for_approval("p", &approval).unwrap_err();
    assert!(refused.to_string().contains("not by the gate"), "{refused}");
}
