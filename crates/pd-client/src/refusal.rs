//! What PD says when it refuses, in its four forms.

use std::fmt;

use http::StatusCode;

use crate::refusal::words::{Form, names_nothing, split_code, words};

mod words;

/// PD answered, and refused.
///
/// Displays PD's words and nothing else. PD writes an error as a JSON string, as an object with
/// `code` and `msg`, as plain text, or as `null`; all four end up here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PdError {
    /// The endpoint that answered.
    pub endpoint: String,
    /// The HTTP status. PD answers 500 to most refusals.
    pub status: u16,
    /// PD's own code, such as `PD:operator:ErrAddOperator`. Before 7.5 most messages have none.
    pub code: Option<String>,
    /// PD's words after `[code]`; empty when PD gave no reason.
    pub message: String,
    /// The body as received, cut at 16 KiB.
    pub body: String,
    form: Form,
}

/// What a refusing answer says about the request's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// PD decided against it; nothing was done.
    Refused,
    /// This endpoint could not take it to the leader; nothing was done, another may serve.
    NotServed,
    /// The words are not a decision: it may have been done.
    Unclear,
}

impl PdError {
    pub(crate) fn read(endpoint: &str, status: StatusCode, forwarded: bool, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        let (form, text) = words(&body, forwarded);
        let (code, message) = split_code(&text);
        Self {
            endpoint: endpoint.to_owned(),
            status: status.as_u16(),
            code: code.map(str::to_owned),
            message: message.to_owned(),
            body,
            form,
        }
    }

    /// Whether what was asked for does not exist: region, store, operator, scheduler, drain.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let said = names_nothing(&self.message);
        said || (self.status == 404 && !matches!(self.form, Form::Text | Form::Foreign))
    }

    /// Whether the cluster has not been bootstrapped: no TiKV has joined yet.
    #[must_use]
    pub fn is_not_bootstrapped(&self) -> bool {
        self.message.starts_with("TiKV cluster not bootstrapped")
    }

    /// Whether PD has no such path, which is also how it says that a scheduler is not running.
    #[must_use]
    pub fn is_unknown_path(&self) -> bool {
        self.status == 404 && self.message == "404 page not found"
    }

    /// Whether the region has an operator that must end first, or PD's queue of them is full.
    #[must_use]
    pub fn is_operator_in_the_way(&self) -> bool {
        self.message == "failed to add operator, maybe already have one"
    }

    /// Whether a configuration item cannot be set because an override with a time to live is in
    /// force, which no read shows.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.message.starts_with("need to clean up TTL first for ")
    }

    /// Whether placement rules are switched off.
    #[must_use]
    pub fn is_placement_disabled(&self) -> bool {
        self.status == 412
    }

    /// Whether PD turned the request away because there are too many.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status == 429
    }

    /// What this answer says about the effect of a request that had this body.
    pub(crate) fn verdict(&self, request_had_body: bool) -> Verdict {
        let message = self.message.as_str();
        match self.status {
            // Only PD's own words count: a proxy's 503 may come after it has sent the request on.
            _ if NOT_SERVED.contains(&message) => Verdict::NotServed,
            // A forwarding member reads the body once and may try several addresses with it.
            400 if request_had_body && message == "unexpected end of JSON input" => {
                Verdict::Unclear
            }
            408 => Verdict::Unclear,
            400..=499 => Verdict::Refused,
            500..=599 if self.is_a_decision() => Verdict::Refused,
            _ => Verdict::Unclear,
        }
    }

    /// As [`verdict`](Self::verdict), for a write. Something in between may answer in words of its
    /// own after it has passed the request on: only what is in a form of PD's is a decision.
    pub(crate) fn verdict_on_write(&self, request_had_body: bool) -> Verdict {
        match self.verdict(request_had_body) {
            Verdict::Refused if !self.is_in_a_form_of_pd() => Verdict::Unclear,
            verdict => verdict,
        }
    }

    /// Whether PD writes errors like this one.
    fn is_in_a_form_of_pd(&self) -> bool {
        match self.form {
            _ if self.code.is_some() => true,
            Form::JsonString | Form::Object => true,
            // A wrong method is all that PD answers without a body.
            Form::Nothing => self.status == 405 || !self.body.trim().is_empty(),
            Form::Text => PLAIN.contains(&(self.status, &self.message)),
            Form::Foreign => false,
        }
    }

    /// Whether a 5xx is PD's decision, as opposed to a crash, a lost etcd write or a proxy.
    fn is_a_decision(&self) -> bool {
        let from_pd = match self.form {
            Form::JsonString | Form::Object => true,
            // The suffixed scheduler delete passes on a status and says `null`.
            Form::Nothing => self.status == 500 && !self.body.is_empty(),
            Form::Text => self.status == 500 && self.code.is_some(),
            Form::Foreign => false,
        };
        let storage = [
            "etcdserver:",
            "context deadline exceeded",
            "context canceled",
        ];
        from_pd
            && self.message != "redirect failed"
            && !self
                .code
                .as_deref()
                .is_some_and(|code| code.starts_with("PD:etcd:"))
            && !storage.iter().any(|words| self.message.contains(words))
    }
}

/// What PD says in plain text before a request reaches a handler.
const PLAIN: &[(u16, &str)] = &[(404, "404 page not found"), (429, "Too Many Requests")];

/// What a member says that did not pass the request on, in any version.
const NOT_SERVED: &[&str] = &[
    "redirect finds no leader",
    "no leader",
    "redirect to not leader",
    "server not started",
    "no service",
    "leader is nil",
];

impl fmt::Display for PdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            return write!(f, "[{code}]{}", self.message);
        }
        if !self.message.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "PD answered {}", self.status)?;
        match StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
        {
            Some(reason) => write!(f, " {reason} without a word"),
            None => f.write_str(" without a word"),
        }
    }
}

impl std::error::Error for PdError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> PdError {
        PdError::read(
            "http://pd:2379",
            StatusCode::from_u16(status).unwrap(),
            false,
            body.as_bytes(),
        )
    }

    #[track_caller]
    fn check(status: u16, body: &str, code: Option<&str>, message: &str, verdict: Verdict) {
        let error = refusal(status, body);
        assert_eq!(error.code.as_deref(), code, "{body}");
        assert_eq!(error.message, message, "{body}");
        assert_eq!(error.verdict(true), verdict, "{body}");
        assert_eq!(error.verdict_on_write(true), verdict, "{body}");
        assert_eq!(error.body, body);
    }

    #[test]
    fn four_forms_give_code_and_words() {
        use Verdict::Refused;
        check(
            500,
            "\"[PD:operator:ErrAddOperator]failed to add operator, maybe already have one\"\n",
            Some("PD:operator:ErrAddOperator"),
            "failed to add operator, maybe already have one",
            Refused,
        );
        check(
            500,
            "\"no operator step is built\"\n",
            None,
            "no operator step is built",
            Refused,
        );
        check(
            400,
            "{\n  \"code\": \"input\",\n  \"msg\": \"bad\",\n  \"data\": {}\n}\n",
            None,
            "bad",
            Refused,
        );
        check(
            404,
            "404 page not found\n",
            None,
            "404 page not found",
            Refused,
        );
        check(
            429,
            "Too Many Requests\n",
            None,
            "Too Many Requests",
            Refused,
        );
        check(
            400,
            "[PD:server:ErrNotReady]not today",
            Some("PD:server:ErrNotReady"),
            "not today",
            Refused,
        );
        check(404, "null\n", None, "", Refused);
        check(400, "{}\n", None, "", Refused);
        check(405, "", None, "", Refused);
        check(
            500,
            "\"\\\"[PD:core:ErrStoreNotFound]store 9 not found\\\"\\n\"\n",
            Some("PD:core:ErrStoreNotFound"),
            "store 9 not found",
            Refused,
        );
    }

    #[test]
    fn display_is_pds_words_byte_for_byte() {
        let words =
            "cannot add peer store_id:4 : already have peer id:250 store_id:4 role:Learner ";
        assert_eq!(refusal(500, &format!("{words:?}\n")).to_string(), words);
        let prefixed = "[PD:region:ErrRegionNotFound]region 7 not found";
        assert_eq!(
            refusal(500, &format!("{prefixed:?}\n")).to_string(),
            prefixed
        );
        assert_eq!(
            refusal(404, "null\n").to_string(),
            "PD answered 404 Not Found without a word"
        );
    }

    #[test]
    fn a_member_without_a_leader_did_nothing() {
        for (status, body) in [
            (503, "no leader\n"),
            (
                503,
                "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
            ),
            (500, "redirect to not leader\n"),
            (
                500,
                "[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader\n",
            ),
            (500, "[PD:server:ErrServerNotStarted]server not started\n"),
            (503, "\"[PD:server:ErrLeaderNil]leader is nil\"\n"),
        ] {
            assert_eq!(
                refusal(status, body).verdict(true),
                Verdict::NotServed,
                "{body}"
            );
        }
    }

    #[test]
    fn words_that_are_no_decision_leave_the_effect_open() {
        for (status, body) in [
            (500, "redirect failed\n"),
            (500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
            (500, "PANIC: runtime error: invalid memory address\n"),
            (500, ""),
            (500, "<html>500</html>"),
            (500, "[1]"),
            (500, "upstream fell over"),
            (
                500,
                "\"[PD:etcd:ErrEtcdTxnInternal]internal etcd transaction error occurred\"\n",
            ),
            (500, "\"etcdserver: request timed out\"\n"),
            (502, "Bad Gateway"),
            (503, "upstream connect error"),
            (504, "null\n"),
            (408, "Request Timeout"),
            (
                400,
                "{\"code\":\"input\",\"msg\":\"unexpected end of JSON input\",\"data\":{\"Offset\":0}}",
            ),
        ] {
            assert_eq!(
                refusal(status, body).verdict(true),
                Verdict::Unclear,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn what_is_not_in_a_form_of_pd_decides_nothing_about_a_write() {
        for (status, body) in [
            (400, "<html><h1>400 Bad Request</h1></html>"),
            (400, "Bad Request"),
            (401, ""),
            (403, "{\"error\":\"forbidden\"}"),
            (404, "<html>not found</html>"),
            (404, "default backend - 404"),
            (404, "\n"),
            (413, "Request Entity Too Large"),
            (429, "slow down"),
        ] {
            let error = refusal(status, body);
            assert_eq!(error.verdict(true), Verdict::Refused, "{status} {body}");
            assert_eq!(
                error.verdict_on_write(true),
                Verdict::Unclear,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn not_found_is_told_from_similar_words() {
        for (status, body) in [
            (500, "\"operator not found\"\n"),
            (
                500,
                "\"[PD:operator:ErrOperatorNotFound]operator not found\"\n",
            ),
            (404, "\"store 9 not found\"\n"),
            (
                404,
                "\"[PD:region:ErrRegionNotFound]region %v not found\"\n",
            ),
            (500, "\"[PD:region:ErrRegionNotFound]region 9 not found\"\n"),
            (404, "null\n"),
            (
                500,
                "\"[PD:scheduler:ErrSchedulerNotFound]scheduler not found\"\n",
            ),
        ] {
            assert!(refusal(status, body).is_not_found(), "{body}");
        }
        for (status, body) in [
            (404, "404 page not found\n"),
            (404, "<html>not found</html>"),
            (400, "\"config item nope not found\"\n"),
            (500, "\"cannot transfer leader to 4: not found\"\n"),
        ] {
            assert!(!refusal(status, body).is_not_found(), "{body}");
        }
    }

    #[test]
    fn not_bootstrapped_is_recognised_under_any_status() {
        let body = "\"[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first\"\n";
        assert!(refusal(500, body).is_not_bootstrapped());
        assert!(refusal(406, body).is_not_bootstrapped());
    }
}
