//! Requests, right and wrong.

use action_core::{ParamDef, Problem, validate};
use proptest::prelude::*;
use serde_json::{Value, json};

fn params(json: Value) -> Vec<ParamDef> {
    serde_json::from_value(json).unwrap()
}

/// A region id, a store id, a choice and a list.
fn region() -> Vec<ParamDef> {
    params(json!([
        {"name": "region_id", "required": true, "type": "integer", "minimum": 1,
         "maximum": 9_007_199_254_740_991_u64, "also_accepts": "string"},
        {"name": "store_id", "required": true, "type": "string", "pattern": "^[1-9][0-9]{0,15}$",
         "also_accepts": "integer", "expected": "a store id: decimal digits"},
        {"name": "policy", "type": "string", "choices": ["scan", "approximate"]},
        {"name": "keys", "type": "array", "max_items": 2, "items": {"type": "string", "min_length": 1}},
    ]))
}

#[track_caller]
fn accepts(given: Value, normal: Value) {
    assert_eq!(
        validate(&region(), given),
        Ok(normal.as_object().unwrap().clone())
    );
}

#[track_caller]
fn refuses(given: Value, expected: &[&str]) {
    let problems = validate(&region(), given).unwrap_err();
    let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(problems, expected);
}

#[test]
fn both_forms_of_an_id_are_one() {
    let normal = json!({"region_id": 12, "store_id": "4"});
    accepts(json!({"region_id": 12, "store_id": "4"}), normal.clone());
    accepts(json!({"region_id": "12", "store_id": 4}), normal.clone());
    accepts(json!({"region_id": 12.0, "store_id": 4.0}), normal.clone());
    accepts(
        json!({"region_id": 12, "store_id": "4", "policy": null}),
        normal,
    );
    let largest = 9_007_199_254_740_991_u64;
    accepts(
        json!({"region_id": largest, "store_id": "4"}),
        json!({"region_id": largest, "store_id": "4"}),
    );
}

#[test]
fn region_ids_that_pd_would_misread_are_refused() {
    let range = "expected an integer from 1 to 9007199254740991";
    for (given, got) in [
        (json!(9.5), "9.5"),
        (json!(-1), "-1"),
        (json!(0), "0"),
        (json!(9_007_199_254_740_992_u64), "9007199254740992"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(1e300), "1e300"),
        (json!("012"), "\"012\""),
        (json!("+12"), "\"+12\""),
        (json!("1e3"), "\"1e3\""),
        (json!(""), "\"\""),
        (json!(true), "true"),
        (json!([12]), "[12]"),
    ] {
        let problems = validate(&region(), json!({"region_id": given, "store_id": "4"}));
        let problems = problems.unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].pointer, "/region_id");
        assert_eq!(
            problems[0].to_string().replace("e+300", "e300"),
            format!("`region_id`: got {got}, {range}")
        );
    }
    refuses(
        json!({"region_id": " 12", "store_id": "4"}),
        &[
            "`region_id`: got \" 12\", expected an integer from 1 to 9007199254740991; leave out the spaces",
        ],
    );
}

#[test]
fn store_ids_are_decimal_text() {
    for given in [
        json!(""),
        json!("abc"),
        json!("07"),
        json!("-7"),
        json!("12345678901234567"),
    ] {
        refuses(
            json!({"region_id": 12, "store_id": given}),
            &[&format!(
                "`store_id`: got {given}, expected a store id: decimal digits"
            )],
        );
    }
    refuses(
        json!({"region_id": 12, "store_id": " 7"}),
        &["`store_id`: got \" 7\", expected a store id: decimal digits; leave out the spaces"],
    );
    for (given, got) in [(json!(0), "0"), (json!(-7), "-7"), (json!(7.5), "7.5")] {
        refuses(
            json!({"region_id": 12, "store_id": given}),
            &[&format!(
                "`store_id`: got {got}, expected a store id: decimal digits"
            )],
        );
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    refuses(
        json!({"region": 9, "store_id": {}, "policy": "scann", "keys": ["", 3]}),
        &[
            "`region_id`: missing, expected an integer from 1 to 9007199254740991",
            "`store_id`: got {}, expected a store id: decimal digits",
            "`policy`: got \"scann\", expected one of `scan`, `approximate`; did you mean `scan`?",
            "`keys/0`: got \"\", expected text of at least 1 character",
            "`keys/1`: got 3, expected text of at least 1 character",
            "`region`: unknown parameter, expected only `region_id`, `store_id`, `policy`, `keys`; \
             did you mean `region_id`?",
        ],
    );
    refuses(
        json!({"region_id": null, "store_id": "1", "keys": ["a", "b", "c"]}),
        &[
            "`region_id`: got null, expected an integer from 1 to 9007199254740991",
            "`keys`: got [\"a\",\"b\",\"c\"], expected a list of at most 2 items",
        ],
    );
}

#[test]
fn a_request_is_an_object() {
    refuses(
        json!([12, "4"]),
        &["got [12,\"4\"], expected an object with the parameters as members"],
    );
    assert_eq!(validate(&[], Value::Null), Ok(serde_json::Map::new()));
    let problems = validate(&[], json!({"a/b~": 1})).unwrap_err();
    assert_eq!(problems[0].pointer, "/a~1b~0");
    assert_eq!(problems[0].expected, "no parameters");
}

#[test]
fn what_is_quoted_is_short_and_harmless() {
    let hostile = json!({"region_id": format!("\u{1b}[2J{}", "9".repeat(10_000)), "store_id": "1"});
    let problem = validate(&region(), hostile)
        .unwrap_err()
        .remove(0)
        .to_string();
    assert!(
        problem.len() < 300 && !problem.contains('\u{1b}'),
        "{problem}"
    );
}

/// A parameter's JSON and the schema that says the same.
fn shapes() -> impl Strategy<Value = (Value, Value)> {
    let bound = -5_i64..5;
    let integer = (bound.clone(), bound).prop_map(|(one, other)| {
        let (minimum, maximum) = (one.min(other), one.max(other));
        (
            json!({"type": "integer", "minimum": minimum, "maximum": maximum}),
            json!({"type": "integer", "minimum": minimum, "maximum": maximum}),
        )
    });
    let number = (-5.0..5.0_f64).prop_map(|minimum| {
        let shape = json!({"type": "number", "minimum": minimum});
        (shape.clone(), shape)
    });
    let text = (0..3_u64, 2..4_u64).prop_map(|(fewest, most)| {
        (
            json!({"type": "string", "min_length": fewest, "max_length": most, "pattern": "^[ab1]*$"}),
            json!({"type": "string", "minLength": fewest, "maxLength": most, "pattern": "^[ab1]*$"}),
        )
    });
    let choice = Just((
        json!({"type": "string", "choices": ["a", "b"]}),
        json!({"type": "string", "enum": ["a", "b"]}),
    ));
    let flag = Just((json!({"type": "boolean"}), json!({"type": "boolean"})));
    let leaf = prop_oneof![integer, number, text, choice, flag];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_u64).prop_map(|((shape, schema), most)| (
                json!({"type": "array", "items": shape, "max_items": most}),
                json!({"type": "array", "items": schema, "maxItems": most}),
            )),
            (inner, any::<bool>()).prop_map(|((mut shape, schema), required)| {
                shape["name"] = json!("a");
                shape["required"] = json!(required);
                let names = if required { json!(["a"]) } else { json!([]) };
                (
                    json!({"type": "object", "properties": [shape]}),
                    json!({"type": "object", "properties": {"a": schema}, "required": names,
                           "additionalProperties": false}),
                )
            }),
        ]
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-7_i64..7).prop_map(Value::from),
        (-70_i64..70).prop_map(|tenths| json!(tenths as f64 / 10.0)),
        (-7_i64..7).prop_map(|whole| json!(whole as f64)),
        "[abc1é]{0,4}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..2).prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Our validator and a JSON Schema validator agree on the published vocabulary.
    #[test]
    fn agrees_with_json_schema((mut shape, schema) in shapes(), document in documents()) {
        shape["name"] = json!("value");
        shape["required"] = json!(true);
        let schema = json!({"type": "object", "properties": {"value": schema}, "required": ["value"],
                            "additionalProperties": false});
        let given = json!({"value": document});
        let theirs = jsonschema::draft202012::new(&schema).unwrap().is_valid(&given);
        let ours = validate(&params(json!([shape])), given);
        prop_assert_eq!(ours.is_ok(), theirs, "{:?}", ours);
    }

    /// Nothing makes it panic.
    #[test]
    fn takes_any_text(text in "\\PC*") {
        let _ = validate(&region(), json!({"region_id": &text, &text: &text}));
    }
}
