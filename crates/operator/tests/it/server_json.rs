//! `contrib/server.json`, by which a registry of the Model Context Protocol describes the program.

use serde_json::Value;

use crate::operator;

fn described() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contrib/server.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn it_is_of_this_version() {
    let described = described();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(described["version"], version);
    let image = described["packages"][0]["identifier"].as_str().unwrap();
    assert!(image.ends_with(&format!(":{version}")), "{image}");
    let text = described["description"].as_str().unwrap();
    assert!(
        text.len() <= 100,
        "a registry takes no more: {}",
        text.len()
    );
}

/// A host starts it with these arguments, and whatever is chosen for them.
#[test]
fn its_arguments_are_those_of_the_program() {
    let described = described();
    let package = &described["packages"][0];
    let mut words = Vec::new();
    for argument in package["packageArguments"].as_array().unwrap() {
        let of = |member: &str| argument[member].as_str();
        let choice = argument["choices"][0].as_str();
        let value = of("value")
            .or(of("default"))
            .or(of("placeholder"))
            .or(choice);
        words.extend(of("name").into_iter().chain(value));
    }
    assert_eq!(words[0], "mcp");
    assert_eq!(words.len(), 7, "{words:?}");
    words.extend(["--print-config", "zed"]);
    let printed = operator(&words);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let help = operator(&["mcp", "--help"]).stdout;
    for variable in package["environmentVariables"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        assert!(help.contains(&format!("env: {name}=")), "{name}");
    }
}
