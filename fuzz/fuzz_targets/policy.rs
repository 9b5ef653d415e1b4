//! Any text is a policy, or an error that can be shown.

#![no_main]

use action_guard::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = text.parse::<Policy>() {
        assert!(!error.to_string().is_empty());
    }
});
