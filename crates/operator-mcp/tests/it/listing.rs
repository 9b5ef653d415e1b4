//! Which tools there are, and how each looks.

use action_core::Risk;
use operator_mcp::rmcp::model::Tool;
use operator_mcp::{Ceiling, OfferError, Server};

use crate::bench::{Era, House, client_of};

async fn tools(ceiling: Ceiling, era: Era) -> Vec<Tool> {
    let house = House::new().await;
    let client = client_of(house.server("agent:night", ceiling), era).await;
    client.list_all_tools().await.unwrap()
}

fn names(tools: &[Tool]) -> Vec<&str> {
    tools.iter().map(|tool| &*tool.name).collect()
}

#[tokio::test]
async fn what_the_ceiling_leaves_out_is_not_listed() {
    let reads = [
        "explain_policy",
        "get_proposal",
        "get_workflow",
        "light_lamps",
        "list_lamps",
        "list_proposals",
        "plan",
    ];
    for era in [Era::Initialize, Era::Discover] {
        assert_eq!(names(&tools(Ceiling::ReadOnly, era).await), reads);
        let low = tools(Ceiling::UpTo(Risk::Low), era).await;
        let changes = [
            "cancel_proposal",
            "cancel_workflow",
            "execute_proposal",
            "start_workflow",
            "switch_lamp",
            "undo",
            "unscrew_lamp",
        ];
        let mut all: Vec<&str> = reads.into_iter().chain(changes).collect();
        all.sort_unstable();
        assert_eq!(names(&low), all);
        let high = tools(Ceiling::UpTo(Risk::High), era).await;
        assert!(names(&high).contains(&"rewire_lamp"), "{:?}", names(&high));
    }
}

#[tokio::test]
async fn each_tool_has_all_its_hints_a_closed_input_and_an_output() {
    for tool in tools(Ceiling::UpTo(Risk::High), Era::Discover).await {
        let hints = tool.annotations.as_ref().unwrap();
        let is_change = matches!(
            &*tool.name,
            "cancel_proposal"
                | "cancel_workflow"
                | "execute_proposal"
                | "rewire_lamp"
                | "start_workflow"
                | "switch_lamp"
                | "undo"
                | "unscrew_lamp"
        );
        assert_eq!(hints.read_only_hint, Some(!is_change), "{}", tool.name);
        assert!(hints.destructive_hint.is_some() && hints.idempotent_hint.is_some());
        assert_eq!(hints.open_world_hint, Some(false));
        assert!(is_change || hints.destructive_hint == Some(false));
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
        assert_eq!(
            tool.input_schema["additionalProperties"], false,
            "{}",
            tool.name
        );
        assert_eq!(
            tool.output_schema.as_ref().unwrap()["type"],
            "object",
            "{}",
            tool.name
        );
        let text = serde_json::to_string(&tool).unwrap();
        assert!(!text.contains("$ref") && !text.contains("$defs"), "{text}");
        assert!(tool.title.is_some() && tool.description.is_some());
    }
}

#[tokio::test]
async fn what_is_not_listed_is_not_called() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::ReadOnly);
    let client = client_of(server, Era::Discover).await;
    let switch = serde_json::json!({"lamp": 1, "lit": true});
    for tool in ["switch_lamp", "undo", "no_such_tool"] {
        let request = crate::bench::params(tool, switch.clone());
        assert!(client.call_tool(request).await.is_err(), "{tool}");
    }
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn an_action_with_a_reserved_name_is_refused() {
    let lamps = crate::lamps::Lamps::default();
    let mut registry = action_core::ActionRegistry::new();
    registry.register(reserved::Undoing(lamps)).unwrap();
    let guard = action_guard::Guard::new(registry, action_guard::MemoryJournal::new());
    let refused = Server::new(guard, "agent:night".parse().unwrap(), Ceiling::ReadOnly);
    let refused = refused.err().unwrap();
    assert!(
        matches!(&refused, OfferError::Reserved(name) if name == "undo"),
        "{refused}"
    );
}

mod reserved {
    use action_core::{ActionSet, Cost, Observation, Subject};
    use async_trait::async_trait;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use crate::lamps::{Dark, Lamps};

    pub(super) struct Undoing(pub(super) Lamps);

    #[async_trait]
    impl Subject for Undoing {
        const NAME: &'static str = "undoing";
        type Error = Dark;

        fn actions() -> ActionSet<Self> {
            ActionSet::new().observation::<Undo>()
        }

        async fn identity(&self) -> Result<String, Dark> {
            self.0.identity().await
        }
    }

    /// Has a name that every server has.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Undo {}

    /// Nothing.
    #[derive(Serialize, JsonSchema)]
    struct Nothing {}

    #[async_trait]
    impl Observation<Undoing> for Undo {
        const NAME: &'static str = "undo";
        const COST: Cost = Cost::Point;
        type Output = Nothing;

        async fn observe(&self, _: &Undoing) -> Result<Nothing, Dark> {
            Ok(Nothing {})
        }
    }
}
