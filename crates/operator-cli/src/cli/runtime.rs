//! What waits for the network and for signals, for as long as one command takes.

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
#[cfg(unix)]
use crate::terminal::interrupt;

/// Does what a command is for.
pub(super) fn block_on(
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    #[cfg(unix)]
    may_listen().map_err(|error| cannot_begin(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_begin(&error))?;
    // A file that has reached its limit (`ulimit -f`) is an error to tell, and does not end this
    // process: who listens to the signal is not ended by it.
    #[cfg(unix)]
    let _file_limit = {
        let _runtime = runtime.enter();
        interrupt::file_limit()
    };
    let done = runtime.block_on(command);
    // A question that nobody answered must not keep the command.
    runtime.shutdown_background();
    done
}

fn cannot_begin(error: &std::io::Error) -> Failure {
    let text = format!("cannot start the async runtime: {error}");
    Failure::new(Exit::Failed, "runtime", text)
}

/// Whether what listens to signals can be opened: that it cannot is a panic there.
#[cfg(unix)]
fn may_listen() -> std::io::Result<()> {
    use std::os::unix::net::UnixStream;

    let pairs = (
        UnixStream::pair()?,
        UnixStream::pair()?,
        UnixStream::pair()?,
    );
    drop(pairs);
    Ok(())
}
