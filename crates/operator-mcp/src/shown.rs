//! Shows on a client's own screen what waits for people, where it can: a convenience that decides nothing.

use std::collections::BTreeMap;

use action_guard::Standing;
use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationSchema, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext};

use crate::answer;
use crate::desk::Desk;

impl Desk {
    /// Shows what a call has just asked for, if it waits. Nobody waits for an answer, and none means
    /// anything: people approve elsewhere.
    pub(crate) async fn show(&self, standing: &Standing, context: &RequestContext<RoleServer>) {
        let Some(approval) = answer::approval(standing, self.approve.as_deref()) else {
            return;
        };
        if !shows_forms(context) {
            return;
        }
        let how = approval
            .how
            .map_or_else(String::new, |how| format!(" They approve it by: {how}"));
        let message = format!(
            "{standing}.{how}\nThis is for information only: your answer here approves and changes nothing."
        );
        let form = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message,
            requested_schema: ElicitationSchema::new(BTreeMap::new()),
        };
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(form));
        let options = PeerRequestOptions::no_options();
        drop(
            context
                .peer
                .send_cancellable_request(request, options)
                .await,
        );
    }
}

/// Whether a client is of the era of `initialize`. Later ones are told nothing that they do not ask for.
pub(crate) fn is_of_initialize(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|version| version.as_str() < ProtocolVersion::V_2026_07_28.as_str())
}

/// Whether a client shows forms without their deciding a call, as they would in 2026-07-28.
fn shows_forms(context: &RequestContext<RoleServer>) -> bool {
    let declared = context
        .client_capabilities()
        .and_then(|declared| declared.elicitation.clone());
    // Who names no kind has forms.
    let has_forms = declared.is_some_and(|kinds| kinds.form.is_some() || kinds.url.is_none());
    has_forms && is_of_initialize(context)
}
