//! What people ask for, who sign what they ask.

use action_guard::{Decider, Mode, Proof};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::{ANA, BEN, House, actor, id, key};

const BY_ANA: (&str, &str) = ("user:ana", ANA);
const BY_BEN: (&str, &str) = ("user:ben", BEN);

#[tokio::test]
async fn a_person_sees_everything_and_how_they_are_known() {
    let house = House::new().await;
    let (token, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let get = async |path: &str| {
        house
            .ask_as(BY_BEN, "GET", path, &Value::Null)
            .await
            .is(200)
            .json()
    };
    let me = get("/api/v1/me").await;
    assert_eq!(me["actor"], "user:ben");
    assert_eq!(me["proven_by"], json!({"kind": "signature"}));
    assert_eq!(me["clusters"][0]["cluster"], "prod");
    let one = get(&format!("/api/v1/proposals/{}", id(&asked))).await;
    assert_eq!(one["phase"], "approved");
    assert!(one["standing"]["allowed"].is_object(), "{one}");
    let state = get("/api/v1/state").await;
    assert!(state["state"]["open"][id(&asked)].is_object(), "{state}");
    assert_eq!(state["kill_file"], false);
    let tokens = get("/api/v1/tokens").await;
    assert_eq!(tokens["tokens"][&token]["made"]["by"], "user:ana");
    assert!(!tokens.to_string().contains(&night));
    let journal = get("/api/v1/journal").await;
    let entries = journal["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| &entry["record"]["kind"])
        .collect();
    let expected = ["gate_opened", "mode", "token_made", "proposed"];
    assert_eq!(kinds, expected, "{journal}");
    assert_eq!(journal["head"]["seq"], 4);
    // A page at a time, each record once.
    let first = get("/api/v1/journal?limit=2").await;
    assert_eq!(first["next"], 2);
    let rest = get("/api/v1/journal?limit=2&after=2").await;
    assert_eq!(rest["entries"].as_array().unwrap().len(), 2);
    assert_eq!(rest["next"], Value::Null);
    // Each is as the library reads it.
    for entry in entries {
        let read: action_guard::Entry = serde_json::from_value(entry.clone()).unwrap();
        assert_eq!(read.seq, entry["seq"].as_u64().unwrap());
    }
}

#[tokio::test]
async fn a_plan_and_a_draft_write_nothing_down() {
    let house = House::new().await;
    let (_, careful) = house.token("agent:careful").await;
    let body = json!({"action": "switch_lamp", "parameters": {"lamp": 1, "lit": true}});
    let plan = house.post("/api/v1/clusters/prod/plan", &careful, body.clone());
    let plan = plan.await.is(200).json();
    assert_eq!(plan["plan"]["verdict"]["answer"], "would_proceed", "{plan}");
    assert_eq!(plan["system"], "house 1");
    assert_eq!(plan["undo"]["undo"], "action", "{plan}");
    let draft = house.post("/api/v1/clusters/prod/drafts", &careful, body);
    let draft = draft.await.is(200).json();
    assert_eq!(draft["ruling"]["ruling"], "approve", "{draft}");
    assert_eq!(draft["may_be_sent"], true);
    assert_eq!(draft["proposal"]["request"]["actor"], "agent:careful");
    let rewire = json!({"action": "rewire_lamp", "parameters": {"lamp": 1}});
    for path in ["plan", "drafts"] {
        let path = format!("/api/v1/clusters/prod/{path}");
        let refused = house.post(&path, &careful, rewire.clone()).await.is(403);
        assert_eq!(refused.json()["code"], "too_risky");
        let wrong = json!({"action": "switch_lamp", "parameters": {"lamp": 77}});
        let wrong = house.post(&path, &careful, wrong).await.is(422).json();
        assert_eq!(wrong["error"], "invalid_parameters", "{wrong}");
        assert_eq!(wrong["problems"].as_array().unwrap().len(), 2, "{wrong}");
    }
    assert_eq!(house.proposals().await, 0);
    // The same of what takes back.
    let (_, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let of_it = format!("/api/v1/proposals/{}", id(&asked));
    house
        .post(&format!("{of_it}/execute"), &night, Value::Null)
        .await
        .is(200);
    let path = format!("{of_it}/undo/draft");
    let draft = house.post(&path, &night, json!({"reason": "enough"}));
    let draft = draft.await.is(200).json();
    assert_eq!(draft["proposal"]["undoes"], *id(&asked), "{draft}");
    assert_eq!(house.proposals().await, 1);
}

#[tokio::test]
async fn a_list_is_filtered_and_comes_a_page_at_a_time() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, careful) = house.token("agent:careful").await;
    let mut ids = Vec::new();
    for (lamp, who) in [(1, &night), (2, &careful), (3, &night), (4, &careful)] {
        let asked = house.propose(who, lamp).await.is(201).json();
        ids.insert(0, id(&asked).to_owned());
    }
    let listed = async |query: &str| {
        let path = format!("/api/v1/clusters/prod/proposals{query}");
        let list = house
            .ask_as(BY_BEN, "GET", &path, &Value::Null)
            .await
            .is(200)
            .json();
        let found = list["proposals"].as_array().unwrap().iter();
        let found: Vec<String> = found.map(|one| id(one).to_owned()).collect();
        (found, list["next"].clone())
    };
    assert_eq!(listed("").await, (ids.clone(), Value::Null));
    let (first, next) = listed("?limit=3").await;
    assert_eq!((&first[..], &next), (&ids[..3], &json!(ids[2])));
    let rest = listed(&format!("?limit=3&before={}", ids[2])).await;
    assert_eq!(rest, (vec![ids[3].clone()], Value::Null));
    let of_careful = [ids[0].clone(), ids[2].clone()];
    assert_eq!(listed("?requester=agent:careful").await.0, of_careful);
    assert_eq!(listed("?phase=needs_approval").await.0, of_careful);
    assert_eq!(listed("?open=true&action=switch_lamp").await.0, ids);
    assert_eq!(listed("?action=rewire_lamp").await.0, Vec::<String>::new());
    assert_eq!(listed("?limit=0").await.0.len(), 1);
    for query in ["?limit=x", "?limit=-1", "?phase=x", "?more=1", "?open=2"] {
        let path = format!("/api/v1/clusters/prod/proposals{query}");
        let wrong = house
            .ask_as(BY_BEN, "GET", &path, &Value::Null)
            .await
            .is(400);
        assert_eq!(wrong.json()["code"], "invalid_input", "{query}");
    }
}

#[tokio::test]
async fn a_person_rejects_and_who_waits_for_it_hears_of_it() {
    let house = House::new().await;
    let (_, careful) = house.token("agent:careful").await;
    let asked = house.propose(&careful, 1).await.is(201).json();
    let path = format!("/api/v1/proposals/{}", id(&asked));
    let (at, waiting) = (house.at, format!("{path}?wait_seconds=30"));
    let line = format!("Authorization: Bearer {careful}");
    let waiting =
        tokio::spawn(async move { crate::client::ask(at, "GET", &waiting, &[&line], "").await });
    let reject = format!("{path}/reject");
    let why = json!({"reason": "not tonight"});
    let rejected = house
        .ask_as(BY_ANA, "POST", &reject, &why)
        .await
        .is(200)
        .json();
    assert_eq!(rejected["phase"], "rejected");
    let by = &rejected["cancel"]["by"];
    assert_eq!(
        by,
        &json!({"actor": "user:ana", "proven_by": {"kind": "signature"}})
    );
    let heard = waiting.await.unwrap().is(200).json();
    assert_eq!(heard["phase"], "rejected", "{heard}");
    let again = house
        .ask_as(BY_ANA, "POST", &reject, &why)
        .await
        .is(403)
        .json();
    assert_eq!(again["code"], "refused", "{again}");
}

/// What goes on is answered after the time that who asks waits, and no later.
#[tokio::test]
async fn who_waits_for_no_time_is_answered_at_once() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    house.lamps.house(|lamps| lamps.hold_answers = true);
    let path = format!("/api/v1/proposals/{}", id(&asked));
    let execute = format!("{path}/execute?wait_seconds=0");
    let goes_on = house
        .post(&execute, &night, Value::Null)
        .await
        .is(202)
        .json();
    assert!(
        ["approved", "executing"].contains(&goes_on["phase"].as_str().unwrap()),
        "{goes_on}"
    );
    house.lamps.house(|lamps| lamps.hold_answers = false);
    let mut phase = json!("approved");
    while phase != "applied" {
        phase = house
            .get(&format!("{path}?wait_seconds=5"), &night)
            .await
            .is(200)
            .json()["phase"]
            .clone();
    }
    house
        .get(&format!("{path}?wait_seconds=x"), &night)
        .await
        .is(400);
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn people_stop_everything_and_allow_it_again_by_their_signature() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let post = async |path: &str, body: Value| house.ask_as(BY_BEN, "POST", path, &body).await;
    let stopped = post("/api/v1/kill-switch", json!({"reason": "smoke"}))
        .await
        .is(200)
        .json();
    assert_eq!(stopped["cancelled"], json!([id(&asked)]));
    assert_eq!(stopped["still_sending"], json!([]));
    let state = house.journal.state().await.unwrap();
    let killed = state.killed.clone().unwrap();
    assert_eq!(killed.by.proven_by().word(), "signature");
    let refused = house.propose(&night, 2).await.is(403).json();
    assert_eq!(refused["code"], "killed", "{refused}");
    // What allows sends again is signed by itself, and not only the request.
    let reset = "/api/v1/kill-switch/reset";
    let unsigned = post(reset, json!({"reason": "over"})).await.is(403).json();
    assert_eq!(unsigned["code"], "not_proven");
    let (ben, pem) = (actor("user:ben"), key(BEN));
    let proof = |after: u64| json!(Proof::of_reset(None, &ben, after, Timestamp::now(), &pem));
    let old = json!({"reason": "over", "proof": proof(0)});
    post(reset, old).await.is(403);
    let good = json!({"reason": "over", "proof": proof(state.last_switch)});
    post(reset, good).await.is(200);
    let after = house.journal.state().await.unwrap().last_switch;
    let proof = |mode: Mode| Proof::of_mode(mode, None, &ben, after, Timestamp::now(), &pem);
    let execute = |proof: Proof| json!({"mode": "execute", "reason": "on", "proof": proof});
    post("/api/v1/mode", json!({"mode": "execute"}))
        .await
        .is(403);
    post("/api/v1/mode", execute(proof(Mode::Observe)))
        .await
        .is(403);
    post("/api/v1/mode", execute(proof(Mode::Execute)))
        .await
        .is(200);
    // To stop takes no more than to be proven.
    let here = json!({"mode": "observe", "cluster": "prod"});
    post("/api/v1/mode", here).await.is(200);
    let asked = house.propose(&night, 3).await.is(201).json();
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let held = house
        .post(&execute, &night, Value::Null)
        .await
        .is(403)
        .json();
    assert_eq!(
        (&held["code"], &held["cluster"]),
        (&json!("observing"), &json!("prod"))
    );
    post(
        "/api/v1/kill-switch",
        json!({"reason": "x", "cluster": "spare"}),
    )
    .await
    .is(404);
    for body in [
        json!({}),
        json!({"reason": 7}),
        json!({"reason": "x", "mode": "observe"}),
    ] {
        post("/api/v1/kill-switch", body).await.is(400);
    }
    assert!(house.sent().is_empty());
}

/// A person asks for a mutation of their own, which somebody else approves.
#[tokio::test]
async fn a_person_asks_and_is_proven_by_their_signature() {
    let house = House::new().await;
    let wanted = json!({
        "action": "switch_lamp", "parameters": {"lamp": 5, "lit": true}, "reason": "dark",
        "correlation_id": "INC-7",
    });
    let path = "/api/v1/clusters/prod/proposals";
    let asked = house
        .ask_as(BY_ANA, "POST", path, &wanted)
        .await
        .is(201)
        .json();
    let request = &asked["proposal"]["request"];
    assert_eq!(
        request["proven_by"],
        json!({"kind": "signature"}),
        "{asked}"
    );
    assert_eq!(
        (&request["reason"], &request["correlation_id"]),
        (&json!("dark"), &json!("INC-7"))
    );
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    // Allowed to Ana, and carried out by nobody else.
    let other = house
        .ask_as(BY_BEN, "POST", &execute, &Value::Null)
        .await
        .is(403)
        .json();
    assert_eq!(other["code"], "refused", "{other}");
    let done = house
        .ask_as(BY_ANA, "POST", &execute, &Value::Null)
        .await
        .is(200)
        .json();
    assert!(done["standing"]["applied"].is_object(), "{done}");
    // What another process wrote as hers is claimed, and is not carried out.
    let local = house.local();
    let by = actor("user:ana");
    local
        .controls()
        .set_mode(Mode::Observe, Decider::claimed(&by), "x")
        .await
        .unwrap();
    assert_eq!(house.sent(), [(5, true)]);
}
