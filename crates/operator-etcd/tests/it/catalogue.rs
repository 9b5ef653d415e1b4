//! What holds for every action.

#[test]
fn every_action_is_well_formed() {
    let names = action_core::testing::assert_well_formed::<operator_etcd::Etcd>();
    assert!(names.contains(&"move_leader".to_owned()), "{names:?}");
}
