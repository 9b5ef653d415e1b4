//! Unsafe recovery: giving up failed stores by force, which halts all scheduling while it runs.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::lenient::null_is_default;
use crate::transport::Call;

impl Client {
    /// How far the unsafe recovery is that runs, or ran last under this leader of PD.
    ///
    /// `GET /admin/unsafe/remove-failed-stores/show`, all versions.
    pub async fn unsafe_recovery(&self) -> Result<UnsafeRecovery, Error> {
        let call = Call::point("/admin/unsafe/remove-failed-stores/show");
        let stages: Option<_> = self.read(call).await?.json()?;
        let stages = stages.unwrap_or_default();
        Ok(UnsafeRecovery { stages })
    }
}

/// An unsafe recovery, or that there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsafeRecovery {
    /// What PD says of each stage, the last one last.
    pub stages: Vec<RecoveryStage>,
}

/// A stage of an unsafe recovery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecoveryStage {
    /// What is done in it, in PD's words.
    pub info: String,
    /// When it began, by PD's clock and in its zone.
    pub time: String,
    /// More of it, in PD's words.
    #[serde(deserialize_with = "null_is_default")]
    pub details: Vec<String>,
}

impl UnsafeRecovery {
    /// Whether it runs. It halts all schedulers and checkers meanwhile.
    ///
    /// The words are those of `pkg/unsaferecovery/unsafe_recovery_controller.go`.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let Some(last) = self.stages.last() else {
            return false;
        };
        let info = last.info.to_ascii_lowercase();
        let over = [
            "no on-going recovery",
            "unsafe recovery finished",
            "unsafe recovery failed",
        ];
        !over.iter().any(|words| info.starts_with(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovery(infos: &[&str]) -> UnsafeRecovery {
        let stage = |info: &&str| RecoveryStage {
            info: (*info).to_owned(),
            ..RecoveryStage::default()
        };
        UnsafeRecovery {
            stages: infos.iter().map(stage).collect(),
        }
    }

    #[test]
    fn what_runs_is_told_from_what_is_over_in_the_words_of_all_versions() {
        let begun = "Unsafe recovery enters collect report stage";
        let over: [&[&str]; 6] = [
            &[],
            &["No on-going recovery."],
            &[begun, "Unsafe recovery finished"],
            &[begun, "Unsafe recovery Finished"],
            &[begun, "Unsafe recovery failed: timeout"],
            &[begun, "Unsafe recovery Failed: timeout"],
        ];
        for infos in over {
            assert!(!recovery(infos).is_running(), "{infos:?}");
        }
        let running: [&[&str]; 3] = [
            &[begun],
            &[begun, "Collecting reports from alive stores(0/4)"],
            &[begun, "Unsafe recovery enters demote Failed voter stage"],
        ];
        for infos in running {
            assert!(recovery(infos).is_running(), "{infos:?}");
        }
    }
}
