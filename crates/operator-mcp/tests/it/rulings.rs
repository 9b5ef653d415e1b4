//! What the policy says to who is served: what is listed, and what is explained.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use action_core::Risk;
use action_guard::{Actor, Decider, Mode, PolicyFile};
use operator_mcp::rmcp::service::{NotificationContext, RunningService};
use operator_mcp::rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use operator_mcp::{Ceiling, Server};
use serde_json::{Value, json};

use crate::bench::{Client, Era, House, call, client_of, params, said};

const DENY: &str = "\
version = 1
[[rule]]
name = \"no wires\"
action = \"rewire_lamp\"
decision = \"deny\"
reason = \"they are old\"
[[rule]]
name = \"all else\"
action = \"*\"
decision = \"allow\"
[[budget]]
name = \"a few\"
actions = 3
per = \"1h\"
";

async fn names(client: &Client) -> Vec<String> {
    let tools = client.list_all_tools().await.unwrap();
    tools
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect()
}

fn server(house: &House, policy: &str) -> (Server, std::path::PathBuf) {
    let path = house.directory.path().join("policy.toml");
    std::fs::write(&path, policy).unwrap();
    let definitions = house.lamps.registry().definitions().cloned().collect();
    let file = PolicyFile::open(&path, definitions).unwrap();
    let ceiling = Ceiling::UpTo(Risk::High);
    let server = Server::new(
        house.guard_under(file),
        "agent:night".parse().unwrap(),
        ceiling,
    );
    (server.unwrap(), path)
}

#[tokio::test]
async fn what_the_policy_denies_without_exception_is_not_listed_and_says_so() {
    let house = House::new().await;
    for era in [Era::Initialize, Era::Discover] {
        let client = client_of(server(&house, DENY).0, era).await;
        let listed = names(&client).await;
        assert!(!listed.contains(&"rewire_lamp".to_owned()), "{listed:?}");
        assert!(listed.contains(&"switch_lamp".to_owned()), "{listed:?}");
        let denied = call(&client, "rewire_lamp", json!({"lamp": 5})).await;
        assert_eq!(denied.is_error, Some(true));
        let denied = said(&denied);
        assert_eq!(denied["standing"], "denied_by_policy", "{denied}");
        let why = denied["summary"].as_str().unwrap();
        assert!(
            why.contains("no wires") && why.contains("they are old"),
            "{why}"
        );
        let steps = json!([{"id": "wires", "action": "rewire_lamp", "parameters": {"lamp": 5}}]);
        let document = json!({"document": {"title": "wires", "steps": steps}});
        let refused = said(&call(&client, "start_workflow", document).await);
        let why = refused["error"]["message"].as_str().unwrap();
        assert!(
            why.contains("no wires") && why.contains("they are old"),
            "{why}"
        );
    }
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn what_may_be_allowed_some_time_is_listed() {
    let house = House::new().await;
    let at_night = "window = { from = \"00:00\", to = \"00:01\" }";
    let first = format!("[[rule]]\nname = \"then\"\n{at_night}\ndecision = \"allow\"\n");
    let policy = DENY.replacen("[[rule]]", &format!("{first}[[rule]]"), 1);
    let client = client_of(server(&house, &policy).0, Era::Discover).await;
    let names = names(&client).await;
    assert!(names.contains(&"rewire_lamp".to_owned()), "{names:?}");
}

/// By its own name nothing is taken back, and of a budget of 0 nothing is left at any time.
#[tokio::test]
async fn what_can_never_be_asked_for_by_its_name_is_not_listed_and_what_may_fit_is_explained() {
    let house = House::new().await;
    let back = "[[rule]]\nname = \"back\"\ntakes_back = true\ndecision = \"allow\"\n";
    let all = "[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    let none = "[[budget]]\nname = \"none\"\nactions = 0\nper = \"1h\"\n";
    for (rules, why) in [
        (back.to_owned(), "no rule"),
        (format!("{all}{none}"), "none (budget"),
    ] {
        let client = client_of(
            server(&house, &format!("version = 1\n{rules}")).0,
            Era::Discover,
        )
        .await;
        assert!(
            !names(&client).await.contains(&"switch_lamp".to_owned()),
            "{rules}"
        );
        let all = explain(&client, json!({})).await;
        for action in all["actions"].as_array().unwrap() {
            assert_eq!(action["always_denied"], true, "{action}");
            let said = action["policy"].to_string();
            assert!(said.contains(why), "{said}");
        }
    }
    let leaders = "[[budget]]\nname = \"none\"\nleaders = 0\n";
    let rules = format!("version = 1\n{all}{leaders}");
    let client = client_of(server(&house, &rules).0, Era::Discover).await;
    assert!(names(&client).await.contains(&"switch_lamp".to_owned()));
    let all = explain(&client, json!({})).await;
    assert_eq!(all["budgets"][0]["most"], 0, "{all}");
}

#[tokio::test]
async fn what_the_policy_does_not_decide_is_not_explained_by_it() {
    let house = House::new().await;
    let low = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let client = client_of(low, Era::Discover).await;
    for (action, why) in [
        ("list_lamps", "only reads"),
        ("rewire_lamp", "higher than this server allows"),
    ] {
        let said = explain(&client, json!({ "action": action })).await;
        assert_eq!(said["error"]["kind"], "refused", "{said}");
        let words = said["error"]["message"].as_str().unwrap();
        assert!(words.contains(why), "{words}");
    }
}

/// Counts how often it is told that the list has changed.
#[derive(Clone, Default)]
struct Told(Arc<AtomicUsize>);

impl ClientHandler for Told {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_list_follows_the_policy_file_and_an_older_client_is_told() {
    let house = House::new().await;
    let (server, path) = server(&house, DENY);
    let told = Told::default();
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let running = server.serve(far).await.unwrap();
        let _ = running.waiting().await;
    });
    let client: RunningService<RoleClient, Told> = told.clone().serve(near).await.unwrap();
    let tools = client
        .peer_info()
        .unwrap()
        .capabilities
        .tools
        .clone()
        .unwrap();
    assert_eq!(tools.list_changed, Some(true));
    let has_wires = async |client: &RunningService<RoleClient, Told>| {
        let tools = client.list_all_tools().await.unwrap();
        tools.iter().any(|tool| tool.name == "rewire_lamp")
    };
    assert!(!has_wires(&client).await);
    let list = params("list_lamps", json!({}));
    client.call_tool(list.clone()).await.unwrap();
    std::fs::write(&path, DENY.replace("\"deny\"", "\"allow\"")).unwrap();
    assert_eq!(
        told.0.load(Ordering::SeqCst),
        0,
        "nothing has changed before"
    );
    client.call_tool(list).await.unwrap();
    while told.0.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(has_wires(&client).await);
}

async fn explain(client: &Client, asked: Value) -> Value {
    said(&call(client, "explain_policy", asked).await)
}

#[tokio::test]
async fn the_policy_is_explained_to_who_asks() {
    let house = House::new().await;
    let (server, _) = server(&house, DENY);
    let client = client_of(server, Era::Discover).await;
    let all = explain(&client, json!({})).await;
    assert_eq!(
        (&all["actor"], &all["in_the_way"]),
        (&json!("agent:night"), &json!([])),
        "{all}"
    );
    let of = |name: &str| {
        let actions = all["actions"].as_array().unwrap().iter();
        actions
            .clone()
            .find(|one| one["action"] == name)
            .unwrap()
            .clone()
    };
    let (switch, wires) = (of("switch_lamp"), of("rewire_lamp"));
    assert_eq!(
        (&switch["policy"]["ruling"], &switch["always_denied"]),
        (&json!("allow"), &json!(false))
    );
    assert_eq!(
        (&wires["policy"]["ruling"], &wires["always_denied"]),
        (&json!("deny"), &json!(true))
    );
    assert_eq!(wires["policy"]["reason"], "they are old");
    let budget = &all["budgets"][0];
    assert_eq!(
        (&budget["budget"], &budget["most"], &budget["left"]),
        (&json!("a few"), &json!(3), &json!(2))
    );
    assert_eq!(all["policy_hash"].as_str().unwrap().len(), 64);

    call(&client, "switch_lamp", json!({"lamp": 1, "lit": true})).await;
    let asked = json!({"action": "switch_lamp", "arguments": {"lamp": 2, "lit": true}});
    let one = explain(&client, asked).await;
    assert_eq!(one["budgets"][0]["left"], 1, "{one}");
    assert_eq!(
        one["rules"][0]["because"], "action is `switch_lamp`",
        "{one}"
    );
    assert_eq!(one["rules"][1]["matches"], true);
    let wrong = json!({"action": "switch_lamp", "arguments": {"lamp": 99, "lit": true}});
    let wrong = explain(&client, wrong).await;
    assert!(
        wrong["unplanned"].as_str().unwrap().contains("lamp"),
        "{wrong}"
    );
    let unknown = explain(&client, json!({"action": "switch_lmp"})).await;
    assert!(
        unknown["error"]["message"]
            .to_string()
            .contains("switch_lamp"),
        "{unknown}"
    );
    let listed = said(&call(&client, "list_proposals", json!({"ended": true})).await);
    assert_eq!(
        listed["proposals"].as_array().unwrap().len(),
        1,
        "it records nothing: {listed}"
    );
}

#[tokio::test]
async fn what_stops_everything_is_told() {
    let house = House::new().await;
    let client = house.client().await;
    let ana: Actor = "user:ana".parse().unwrap();
    let controls = house.guard().controls();
    controls
        .set_mode(Mode::Observe, Decider::claimed(&ana), "a pause")
        .await
        .unwrap();
    controls.stop(&ana, "smoke").await.unwrap();
    let all = explain(&client, json!({})).await;
    let found = all["in_the_way"].as_array().unwrap().iter();
    let found: Vec<&Value> = found.map(|one| &one["what"]).collect();
    assert_eq!(found, ["kill_switch", "mode"], "{all}");
    assert!(all["in_the_way"].to_string().contains("smoke"), "{all}");
}
