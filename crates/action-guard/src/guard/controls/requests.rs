//! Requests that people sign as a whole.

use jiff::Timestamp;

use crate::guard::authority::rules_now;
use crate::guard::controls::Controls;
use crate::identity::{Actor, ProvenBy, StatementSignature};
use crate::policy::SignedRequest;
use crate::proposal::{Refusal, time};

impl Controls {
    /// A person who has signed a request at a time: proven by that, whatever they ask. The signature
    /// counts for five minutes; that it comes once is for who serves.
    ///
    /// # Errors
    /// When it is no person, or not signed by the key that the rules list for them.
    pub fn signed_by(
        &self,
        request: &SignedRequest<'_>,
        by: &Actor,
        at: Timestamp,
        signature: &StatementSignature,
    ) -> Result<Actor, Refusal> {
        if !by.is_user() {
            let (by, wanted) = (by.to_string(), "sign a request");
            return Err(Refusal::NotAPerson { by, wanted });
        }
        let rules = rules_now(&self.rules);
        rules.vouch_for_request(request, (by, at), signature, time::clock())?;
        Ok(by.clone().proven(ProvenBy::Signature))
    }
}
