//! What ends a plan early, so that each of PD's checks is one line that ends in `?`.

use action_core::{Cause, Plan, Verdict};

use crate::error::Error;

/// Why a plan ends before its end: it is decided, or PD could not be asked.
pub(crate) enum Stop {
    Verdict(Verdict),
    Failed(Error),
}

/// What a check gives when PD would go on.
pub(crate) type Checked<T = ()> = Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    /// The first read of a plan failed: PD refuses any mutation before a TiKV has joined.
    pub(crate) fn of_first_read(error: pd_client::Error) -> Self {
        match error.answer() {
            Some(answer) if answer.is_not_bootstrapped() => {
                refused("PD:cluster:ErrNotBootstrapped", answer.message.clone())
            }
            _ => Self::Failed(Error::Read(error)),
        }
    }
}

/// The plan; or one of nothing but what ended it early, or why there is none.
pub(crate) fn planned<B: Default>(plan: Checked<Plan<B>>) -> Result<Plan<B>, Error> {
    match plan {
        Ok(plan) => Ok(plan),
        Err(Stop::Verdict(verdict)) => Ok(Plan::new(verdict, B::default())),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// PD would refuse, with this code and in these words.
pub(crate) fn refused(code: &str, text: impl Into<String>) -> Stop {
    let (code, text) = (code.to_owned(), text.into());
    Stop::Verdict(Verdict::WouldReject { code, text })
}

/// PD might well accept it, and we do not ask for it.
pub(crate) fn not_asked_for(code: &str, text: impl Into<String>) -> Stop {
    let (code, text) = (code.to_owned(), text.into());
    Stop::Verdict(Verdict::NotAskedFor { code, text })
}

/// There is nothing to do, because it is so already.
pub(crate) fn nothing_to_do(already: impl Into<String>) -> Stop {
    let already = already.into();
    Stop::Verdict(Verdict::NoOp { already })
}

/// What PD would say hangs on something that it does not show.
pub(crate) fn undecided(code: &str, text: impl Into<String>) -> Stop {
    let causes = vec![Cause::new(code, text)];
    Stop::Verdict(Verdict::Undecided { causes })
}

/// PD would accept it; with causes, it would not get done.
pub(crate) fn accepted_unless(causes: Vec<Cause>) -> Verdict {
    if causes.is_empty() {
        Verdict::WouldProceed
    } else {
        Verdict::AcceptedButWillNotProgress { causes }
    }
}

/// The verdict, whether it was reached at the end or before.
pub(crate) fn verdict(checked: Checked<Verdict>) -> Result<Verdict, Error> {
    match checked {
        Ok(verdict) | Err(Stop::Verdict(verdict)) => Ok(verdict),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// What hangs on PD's version; nothing where PD does not say that.
pub(crate) fn known_by_version<T: Default>(checked: Checked<T>) -> Result<T, Error> {
    match checked {
        Ok(known) => Ok(known),
        Err(Stop::Verdict(_)) => Ok(T::default()),
        Err(Stop::Failed(error)) => Err(error),
    }
}
