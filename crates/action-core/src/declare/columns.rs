//! What tables of an observation begin with.

use serde_json::Value;

use crate::schema::ActionDefinition;

/// A column that is no member of anything that the result lists. Derives the schema of the result: for tests.
pub(crate) fn unknown_column(definition: &ActionDefinition) -> Option<String> {
    let column = definition.columns.iter().find(|column| {
        let schema = &definition.output_schema;
        !lists(schema.pointer(""), schema.pointer("/$defs"), column)
    })?;
    Some(format!(
        "`COLUMNS`: nothing that the result lists has a member `{column}`"
    ))
}

/// Whether one of the lists in an object is of objects with this member.
fn lists(object: Option<&Value>, defs: Option<&Value>, member: &str) -> bool {
    let properties = object.and_then(|object| object["properties"].as_object());
    let mut items = properties
        .into_iter()
        .flat_map(|all| all.values())
        .map(|value| &value["items"]);
    items.any(|item| {
        let name = item["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next());
        let target = name.and_then(|name| defs?.get(name)).unwrap_or(item);
        target["properties"].get(member).is_some()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_a_member_of_what_is_listed() {
        let object = json!({
            "properties": {"stores": {"items": {"$ref": "#/$defs/Store"}}, "total": {}},
            "$defs": {"Store": {"properties": {"store_id": {}}}},
        });
        let has = |member| lists(Some(&object), object.pointer("/$defs"), member);
        assert!(has("store_id"));
        assert!(!has("total") && !has("id"));
        let inlined = json!({"properties": {"stores": {"items": {"properties": {"id": {}}}}}});
        assert!(lists(Some(&inlined), None, "id"));
    }
}
