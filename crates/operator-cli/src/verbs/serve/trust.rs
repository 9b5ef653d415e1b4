//! What the gate shows and whom it believes, from files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use operator_server::{ServerIdentity, Trust};

use crate::settings::Global;
use crate::terminal::failure::Failure;

/// How long a file of PEM may be, in bytes.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Where it is: the flags, which stay, and the config file, which is read each time.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) matches: &'a ArgMatches,
    pub(super) global: &'a Global,
}

impl Sources<'_> {
    /// What it is now.
    pub(super) fn load(self) -> Result<Trust, Failure> {
        let serve = self.global.serve()?;
        let flag = |name: &str| self.matches.get_one::<PathBuf>(name).cloned();
        let certificate = flag("gate-certificate").or(serve.tls.certificate);
        let key = flag("gate-key").or(serve.tls.key);
        let mut trust = Trust::default();
        trust.identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                check_that_it_is_kept(&key)?;
                Some(ServerIdentity {
                    certificates: read(&certificate)?,
                    key: read(&key)?,
                })
            }
            (given, _) => {
                let (has, lacks) = match given {
                    Some(_) => ("certificate", "key"),
                    None => ("key", "certificate"),
                };
                let text = format!("TLS has a {has} and no {lacks}");
                let next =
                    format!("give both: `--gate-{lacks} FILE`, or `{lacks}` in `[serve.tls]`");
                return Err(Failure::usage(text).next(next));
            }
        };
        Ok(trust)
    }
}

/// Refuses a key that every user of this machine can read: who has it is the gate.
fn check_that_it_is_kept(key: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let open_to_all = std::fs::metadata(key).is_ok_and(|found| found.mode() & 0o006 != 0);
        if open_to_all {
            let key = key.display();
            let text = format!("every user of this machine can read or write the key `{key}`");
            return Err(Failure::usage(text).next(format!("`chmod o= {key}`")));
        }
    }
    let _ = key;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = LONGEST_FILE + 1;
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        match bytes.len() as u64 == most {
            true => Err(io::Error::other("it is longer than 1 MiB")),
            false => Ok(bytes),
        }
    };
    read().map_err(|error| {
        let path = path.display();
        Failure::usage(format!("cannot read `{path}`: {error}"))
    })
}
