//! What PD says when it refuses, in its four forms.

use std::fmt;

use http::StatusCode;

use crate::refusal::words::{Form, names_nothing, split_code, words};

#[cfg(test)]
mod tests;
mod words;

/// PD answered, and refused.
///
/// Displays PD's words and nothing else. PD writes an error as a JSON string, as an object with
/// `code` and `msg`, as plain text, or as `null`; all four end up here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PdError {
    /// The endpoint that answered.
    pub endpoint: Box<str>,
    /// Method and path of the call.
    pub call: Box<str>,
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
    pub(crate) fn read(
        endpoint: &str,
        call: String,
        status: StatusCode,
        forwarded: bool,
        body: &[u8],
    ) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        let (form, text) = words(&body, forwarded);
        let (code, message) = split_code(&text);
        Self {
            endpoint: endpoint.into(),
            call: call.into(),
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
        said || (self.status == 404 && self.form != Form::Text && self.is_in_a_form_of_pd())
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
    /// force, which only [`config_overrides`](crate::Client::config_overrides) shows.
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

    /// Whether the member that was asked serves nothing at present: it has not started, or finds
    /// no leader. Nothing was done, and it passes.
    #[must_use]
    pub fn is_not_served(&self) -> bool {
        NOT_SERVED.contains(&self.message.as_str())
    }

    /// What this answer says about the effect of a request that had this body.
    pub(crate) fn verdict(&self, request_had_body: bool) -> Verdict {
        let message = self.message.as_str();
        match self.status {
            // Only PD's own words count: a proxy's 503 may come after it has sent the request on.
            500 | 503 if self.is_not_served() => Verdict::NotServed,
            // A forwarding member reads the body once and may try several addresses with it.
            400 if request_had_body && message == "unexpected end of JSON input" => {
                Verdict::Unclear
            }
            408 => Verdict::Unclear,
            400..=499 => Verdict::Refused,
            500 if self.is_a_decision() => Verdict::Refused,
            _ => Verdict::Unclear,
        }
    }

    /// As [`verdict`](Self::verdict), for a write. Something in between may answer in words of its
    /// own after it has passed the request on: only what PD itself answers with is a decision.
    pub(crate) fn verdict_on_write(&self, request_had_body: bool) -> Verdict {
        match self.verdict(request_had_body) {
            Verdict::Refused if !self.is_of_pd() => Verdict::Unclear,
            verdict => verdict,
        }
    }

    /// Whether PD itself refuses so. A gateway may write JSON too, under a status that PD never uses.
    fn is_of_pd(&self) -> bool {
        let is_said_so = self.status != 429 || self.form == Form::Text;
        OF_PD.contains(&self.status) && is_said_so && self.is_in_a_form_of_pd()
    }

    /// Whether PD writes errors like this one: in words of a proxy's, or of another server's, it is
    /// not.
    #[must_use]
    pub fn is_in_a_form_of_pd(&self) -> bool {
        match self.form {
            _ if self.code.is_some() => true,
            Form::JsonString | Form::Object => true,
            // A wrong method is all that PD answers without a body.
            Form::Nothing => self.status == 405 || !self.body.trim().is_empty(),
            Form::Text => PLAIN.contains(&(self.status, &self.message)),
            Form::Foreign => false,
        }
    }

    /// Whether a 500 is PD's decision, as opposed to a crash, a lost etcd write or a proxy.
    fn is_a_decision(&self) -> bool {
        let from_pd = match self.form {
            Form::JsonString | Form::Object => true,
            // The suffixed scheduler delete passes on a status and says `null`.
            Form::Nothing => !self.body.is_empty(),
            Form::Text => self.code.is_some(),
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

/// With what PD refuses a call of ours, 6.5 to 9.0: `http.Status…` in `server/api`, `server/apiv2`,
/// `pkg/utils/apiutil` and `pkg/mcs/scheduling`. 429 is that of `server/api/middleware.go` alone, in
/// plain text. 503 comes with the words of [`NOT_SERVED`], and otherwise, as 501 and 502 do, only
/// from paths that are not asked here: plugins, readiness, metrics, affinity.
const OF_PD: &[u16] = &[400, 403, 404, 405, 406, 409, 410, 412, 429, 500];

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
            Some(reason) => write!(f, " {reason} without a message"),
            None => f.write_str(" without a message"),
        }
    }
}

impl std::error::Error for PdError {}
