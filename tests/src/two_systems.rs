//! A whole command line over two kinds of systems: what tests of several subjects run.

use std::process::ExitCode;

use operator_cli::Program;
use operator_etcd::Etcd;
use operator_tikv::Tikv;

fn main() -> ExitCode {
    Program::new("two-systems", env!("CARGO_PKG_VERSION"))
        .subject::<Tikv>()
        .subject::<Etcd>()
        .run()
}
