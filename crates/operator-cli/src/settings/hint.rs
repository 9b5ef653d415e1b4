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
        return failure.next("ask again in a minute");
    }
    if failure
        .message()
        .contains("HTTP request to an HTTPS server")
    {
        return failure.next(format!(
            "this {who} is behind TLS: write `https://` before its address"
        ));
    }
    let is_unreachable = failure.exit == Exit::Unreachable;
    let is_no_path = failure.message().contains("404 page not found");
    if failure.code() == "unreadable_answer" || (is_unreachable && is_no_path) {
        return failure.next(format!(
            "something answers there that is not {who}, or a {who} of a version that is not known: \
             look at what stands between"
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
                "is it the right address? `--{flag}`{variable} says where {who} is"
            ))
        }
        _ => failure,
    }
}
