//! The example `agent_loop`: what its model calls and is told, from beginning to end.

use std::process::Command;

const SAID: &str = r#"tools: read_dial, turn_dial, lock_dial, unlock_dial
model: read_dial {}
  told: 0
model: turn_dial {"valeu":3}
  told: 2 invalid parameters of `turn_dial`: `value`: missing, expected an integer from 0 to 9; `valeu`: unknown parameter, expected only `value`; did you mean `value`?
model: turn_dial {"value":0}
  told: not sent: nothing to do: the dial is at 0
model: unlock_dial {}
  told: not sent: denied by rule `agents do not unlock (rule, line 16)`: people unlock dials
model: turn_dial {"value":3}
  told: applied: the dial is at 3
model: lock_dial {}
  told: not sent: proposal `ID` needs 1 more approval from user:* (rule `locking takes a person (rule, line 9)`)
model: go_on {}
  told: not sent: proposal `ID` needs 1 more approval from user:* (rule `locking takes a person (rule, line 9)`)
another process: approve
model: go_on {}
  told: applied: the dial is at 3, locked
model: turn_dial {"value":4}
  told: not sent: it would be rejected: the dial is locked
another process: unlock
another process: turn
recovered: applied: the dial is at 5
model: go_on {}
  told: applied: the dial is at 5
model: turn_dial {"value":7}
  told: outcome unknown: the dial cannot be reached; it may still take effect; nothing is sent again; `recover` probes ID again
model: go_on {}
  told: outcome unknown: the dial cannot be reached; it may still take effect; nothing is sent again; `recover` probes ID again
recovered: applied: the dial is at 7
model: undo {}
  told: applied: the dial is at 5
model: read_dial {}
  told: 5
"#;

#[test]
fn the_model_is_told_how_each_of_its_calls_stands() {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().unwrap().parent().unwrap();
    let example = format!("agent_loop{}", std::env::consts::EXE_SUFFIX);
    let ran = Command::new(target.join("examples").join(example))
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{said}{wrong}");
    assert_eq!(said, SAID);
}
