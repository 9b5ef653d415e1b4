//! What holds for every action.

#[test]
fn every_action_is_well_formed() {
    let names = action_core::testing::assert_well_formed::<operator_etcd::Etcd>();
    assert!(names.contains(&"move_leader".to_owned()), "{names:?}");
}

/// `cargo xtask docs` writes it.
#[test]
fn the_page_of_actions_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ACTIONS.md");
    let page = action_core::actions_page::<operator_etcd::Etcd>(
        "WRITE_PAGES=1 cargo test page_of_actions",
    );
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap();
    assert_eq!(there, page, "WRITE_PAGES=1 cargo test page_of_actions");
}
