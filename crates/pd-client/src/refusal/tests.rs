//! Every form in which PD refuses, and what is none.

use super::*;

fn refusal(status: u16, body: &str) -> PdError {
    PdError::read(
        "http://pd:2379",
        "GET /stores".to_owned(),
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
    let words = "cannot add peer store_id:4 : already have peer id:250 store_id:4 role:Learner ";
    assert_eq!(refusal(500, &format!("{words:?}\n")).to_string(), words);
    let prefixed = "[PD:region:ErrRegionNotFound]region 7 not found";
    assert_eq!(
        refusal(500, &format!("{prefixed:?}\n")).to_string(),
        prefixed
    );
    assert_eq!(
        refusal(404, "null\n").to_string(),
        "PD answered 404 Not Found without a message"
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

/// A gateway may answer in PD's form after it has sent the request on: what PD itself never answers
/// decides nothing.
#[test]
fn a_status_that_pd_never_answers_decides_nothing_about_a_write_in_any_form() {
    for status in [
        401, 402, 407, 408, 411, 413, 414, 421, 422, 425, 426, 428, 431, 451, 499, 501, 502, 503,
        504, 505, 507, 508, 511, 520, 524, 529, 599,
    ] {
        for body in [
            "\"bad gateway\"\n",
            "\"[PD:operator:ErrAddOperator]failed to add operator, maybe already have one\"\n",
            "{\"code\":\"input\",\"msg\":\"bad\"}",
            "[PD:server:ErrNotReady]not today",
            "null\n",
            "{}\n",
        ] {
            let verdict = refusal(status, body).verdict_on_write(true);
            assert_eq!(verdict, Verdict::Unclear, "{status} {body}");
        }
    }
    for (status, body) in [
        (502, "no leader\n"),
        (504, "\"[PD:server:ErrLeaderNil]leader is nil\"\n"),
        (429, "\"too many requests\"\n"),
        (429, "{\"code\":\"input\",\"msg\":\"slow down\"}"),
    ] {
        let verdict = refusal(status, body).verdict_on_write(true);
        assert_eq!(verdict, Verdict::Unclear, "{status} {body}");
    }
    for status in [400, 403, 404, 406, 409, 410, 412, 500] {
        let verdict = refusal(status, "\"no\"\n").verdict_on_write(true);
        assert_eq!(verdict, Verdict::Refused, "{status}");
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
