//! What to do where the system could not be asked.

use crate::subjects::{self, Kind};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// The codes of what nobody has answered, as far as is known.
const NOBODY: [&str; 2] = ["not_sent", "no_answer"];

/// The same with what to do where the system could not be asked, if that is not said yet.
pub(crate) fn with_hint(failure: Failure) -> Failure {
    if failure.has_next() {
        return failure;
    }
    let (who, kind) = (subjects::who_answers(), subjects::meant());
    if failure.code() == "not_known_yet" {
        return failure.next("try again in a minute");
    }
    if failure
        .message()
        .contains("HTTP request to an HTTPS server")
    {
        return failure.next(format!(
            "{who} uses TLS: write `https://` before its address"
        ));
    }
    let is_unreachable = failure.exit == Exit::Unreachable;
    let is_no_path = failure.message().contains("404 page not found");
    if failure.code() == "unreadable_answer" || (is_unreachable && is_no_path) {
        return failure.next(format!(
            "what answers there is not {who}, or is an unknown version of it: check the address and any proxy in between"
        ));
    }
    let address = kind.and_then(Kind::address);
    match address {
        // What a system says in its own words is at the right address.
        Some(setting) if is_unreachable && NOBODY.contains(&failure.code()) => {
            let variable = setting.env.as_ref();
            let variable =
                variable.map_or_else(String::new, |env| format!(" or the variable {env}"));
            let flag = setting.name.replace('_', "-");
            failure.next(format!(
                "check the address of {who} in `--{flag}`{variable}"
            ))
        }
        _ => failure,
    }
}
