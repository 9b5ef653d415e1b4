//! `docs/pd-traps.md` names a test for every trap, and every test it names exists.

use std::path::Path;

#[test]
fn every_trap_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../../docs/pd-traps.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let number: usize = cells.next()?.parse().ok()?;
        Some((number, cells.last()?))
    });
    let mut last = 0;
    for (number, tests) in rows {
        last += 1;
        assert_eq!(number, last);
        let names = tests.split('`').skip(1).step_by(2);
        let found = names.map(|name| exists(root, name)).count();
        assert!(found > 0, "trap {number} has no test");
    }
    assert_eq!(last, 38);
}

#[track_caller]
fn exists(root: &Path, name: &str) {
    let (place, test) = name.split_once("::").unwrap();
    let file = if place.ends_with(".rs") {
        root.join(place)
    } else {
        root.join("tests/it").join(place).with_extension("rs")
    };
    assert!(file.is_file(), "`{name}` is in no file");
    let text = std::fs::read_to_string(&file).unwrap();
    let declared = text.lines().position(|line| {
        let line = line.trim_start().trim_start_matches("async ");
        line.starts_with(&format!("fn {test}("))
    });
    assert!(declared.is_some(), "`{name}` does not exist");
    let above = text.lines().nth(declared.unwrap() - 1).unwrap().trim();
    assert!(
        above.starts_with("#[") && above.contains("test"),
        "`{name}` is no test"
    );
}
