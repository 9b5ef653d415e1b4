//! Flags behind which a path stands.

use crate::settings::connection::all_settings;

/// The flags of every command behind which a path stands.
const FILES: [&str; 7] = [
    "--config",
    "--policy-file",
    "--state-dir",
    "--token-file",
    "--ca-file",
    "--client-certificate",
    "--client-key",
];

/// Whether what stands behind this flag is the path of a file or a directory.
pub(crate) fn is_file_flag(flag: &str) -> bool {
    let is_setting = || {
        let mut settings = all_settings().into_iter().filter(|setting| setting.is_file);
        settings.any(|setting| flag == format!("--{}", setting.name.replace('_', "-")))
    };
    FILES.contains(&flag) || is_setting()
}
