//! What every journal must do, done by those that are here.

mod memory {
    use action_guard::testing::MemoryPlace;

    action_guard::journal_tests!(Some(MemoryPlace::default()));
}

mod file {
    use std::fs;
    use std::sync::Arc;

    use action_core::BoxError;
    use action_guard::testing::{Damage, Place};
    use action_guard::{FileJournal, Journal};
    use async_trait::async_trait;
    use tempfile::TempDir;

    action_guard::journal_tests!(Some(Directory::new()));
    action_guard::journal_damage_tests!(Some(Directory::new()));

    #[derive(Debug)]
    struct Directory(TempDir);

    impl Directory {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    #[async_trait]
    impl Place for Directory {
        async fn open(&self) -> Result<Arc<dyn Journal>, BoxError> {
            Ok(Arc::new(FileJournal::open(self.0.path())?))
        }

        /// In the first segment, of which line and record have the same number.
        async fn damage(&self, damage: Damage) -> Result<(), BoxError> {
            let path = self.0.path().join("journal/00000000000000000001.jsonl");
            let text = fs::read_to_string(&path)?;
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            match damage {
                Damage::Change(seq) => {
                    let line = &mut lines[usize::try_from(seq)? - 1];
                    *line = line.replace("a test", "a lie!");
                }
                Damage::Remove(seq) => {
                    lines.remove(usize::try_from(seq)? - 1);
                }
                other => unreachable!("{other:?}"),
            }
            Ok(fs::write(&path, lines.join("\n") + "\n")?)
        }
    }
}
