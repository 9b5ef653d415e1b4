//! What waits for people, shown on a client's own screen.

use std::sync::{Arc, Mutex};

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_mcp::rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, Implementation,
};
use operator_mcp::rmcp::service::RequestContext;
use operator_mcp::rmcp::{
    ClientHandler, ClientServiceExt as _, ErrorData, RoleClient, ServiceExt as _,
};
use serde_json::{Value, json};

use crate::bench::{Era, House, params, said};

/// A client with a screen, whose user agrees to everything.
#[derive(Clone)]
struct Screen {
    has_forms: bool,
    shown: Arc<Mutex<Vec<Value>>>,
}

impl ClientHandler for Screen {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = self.has_forms.then(ElicitationCapability::new);
        ClientConfig::new(capabilities, Implementation::new("a screen", "1"))
    }

    async fn create_elicitation(
        &self,
        asked: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let asked = serde_json::to_value(asked).unwrap();
        self.shown.lock().unwrap().push(asked);
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({"approved": true})))
    }
}

#[tokio::test]
async fn what_waits_is_shown_once_where_that_decides_nothing_and_agreeing_changes_nothing() {
    for (era, has_forms) in [
        (Era::Initialize, true),
        (Era::Initialize, false),
        (Era::Discover, true),
    ] {
        let house = House::new().await;
        let server = house.server("agent:night", Ceiling::UpTo(Risk::High));
        let (near, far) = tokio::io::duplex(1 << 16);
        let server = server.approved_by("operator approve");
        tokio::spawn(async move { server.serve(far).await.unwrap().waiting().await });
        let shown = Arc::default();
        let screen = Screen {
            has_forms,
            shown: Arc::clone(&shown),
        };
        let client = screen.serve_with_lifecycle(near, era.mode()).await.unwrap();
        let call = async |tool: &str, arguments: Value| {
            let answer = client.call_tool(params(tool, arguments)).await;
            said(&answer.unwrap())
        };
        let waits = call("rewire_lamp", json!({"lamp": 5})).await;
        assert_eq!(waits["standing"], "waits_for_approval", "{waits}");
        let id = waits["proposal_id"].as_str().unwrap();
        let again = call("rewire_lamp", json!({"lamp": 5})).await;
        assert_eq!(again["proposal_id"], id);
        for _ in 0..3 {
            let still = call("execute_proposal", json!({"proposal_id": id})).await;
            assert_eq!(still["standing"], "waits_for_approval", "{still}");
        }
        assert_eq!(house.sent(), []);
        let status = house.guard().proposal_status(id).await.unwrap();
        assert!(status.approvals.is_empty());
        let shown = shown.lock().unwrap().clone();
        let is_shown = has_forms && matches!(era, Era::Initialize);
        assert_eq!(shown.len(), usize::from(is_shown), "{shown:?}");
        for asked in shown {
            assert_eq!(asked["mode"], "form");
            assert_eq!(
                asked["requestedSchema"],
                json!({"type": "object", "properties": {}})
            );
            let message = asked["message"].as_str().unwrap();
            let command = format!("operator approve {id}");
            for part in ["user:*", &command, "changes nothing"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
