//! Shares a journal with other processes: start it more than once on the same place.
//!
//! ```sh
//! cargo run -p action-guard-sql --example share -- /tmp/state want dial-1 dial-2
//! cargo run -p action-guard-sql --example share -- postgres://localhost/work want dial-1 dial-2
//! ```
//!
//! `want` asks for each dial, and says which of them this process may turn: a dial that another
//! holds is not among them. `hold` does the same and then waits for its standard input to end, with
//! its intents open, as a process does that is about to send.

use std::error::Error;
use std::io::{self, Read as _, Write as _};

use action_guard::testing::fixtures::{allowed, intent, write};
use action_guard::{CommitError, Journal, Refusal};
use action_guard_sql::SqlJournal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let (Some(place), Some(verb)) = (words.next(), words.next()) else {
        return Err("usage: share DIRECTORY|URL want|hold DIAL…".into());
    };
    let journal = if place.starts_with("postgres") {
        // The schema may be named, as `SCHEMA` in the environment.
        let options = match std::env::var("SCHEMA") {
            Ok(schema) => SqlJournal::options().schema(schema),
            Err(_) => SqlJournal::options(),
        };
        options.postgres(&place).await?
    } else {
        SqlJournal::sqlite(place).await?
    };
    let mut out = io::stdout().lock();
    writeln!(out, "instance {}", journal.instance())?;
    for dial in words {
        let id = format!("{dial}-of-{}", journal.instance());
        match write(&journal, [allowed(&id, &dial), intent(&id)]).await {
            Ok(_) => writeln!(out, "mine {dial}")?,
            Err(CommitError::Refused(Refusal::ResourceHeld { .. })) => {}
            Err(other) => return Err(other.into()),
        }
    }
    writeln!(out, "done")?;
    out.flush()?;
    if verb == "hold" {
        io::stdin().read_to_end(&mut Vec::new())?;
    }
    Ok(())
}
