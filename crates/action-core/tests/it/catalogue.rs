//! What is published of a subject, as golden text.

use action_core::{ActionRegistry, ParamDef, testing, tool_json};
use serde_json::Value;

use crate::subjects::Yard;

fn move_wagon(render: fn(&action_core::ActionDefinition) -> Value) -> String {
    let mut registry = ActionRegistry::new();
    registry.register(Yard::default()).unwrap();
    let definition = registry.definition("move_wagon").unwrap();
    format!("{:#}", render(definition))
}

#[test]
fn the_subject_is_well_formed() {
    assert_eq!(
        testing::assert_well_formed::<Yard>(),
        ["show_yard", "move_wagon"]
    );
}

#[test]
fn parameters_come_in_declared_order() {
    let mut registry = ActionRegistry::new();
    registry.register(Yard::default()).unwrap();
    let parameters = &registry.definition("move_wagon").unwrap().parameters;
    let names: Vec<_> = parameters
        .iter()
        .map(|ParamDef { name, .. }| name)
        .collect();
    assert_eq!(names, ["from_track", "to_track", "speed", "tell"]);
}

#[test]
fn definition_is_stable() {
    insta::assert_snapshot!(move_wagon(|definition| {
        serde_json::to_value(definition).unwrap()
    }));
}

#[test]
fn mcp_tool_is_stable() {
    insta::assert_snapshot!(move_wagon(tool_json::mcp));
}

#[test]
fn openai_tools_are_strict() {
    insta::assert_snapshot!(move_wagon(tool_json::openai_chat));
    let responses = move_wagon(tool_json::openai_responses);
    assert!(responses.contains("\"strict\": true"), "{responses}");
}

#[test]
fn anthropic_tool_is_stable() {
    insta::assert_snapshot!(move_wagon(tool_json::anthropic));
}
