//! `operator`: plan, run and prove operations on TiKV and etcd clusters.

#![forbid(unsafe_code)]

mod demo;
mod sim;

use std::process::ExitCode;

use operator_cli::Program;
use operator_etcd::Etcd;
use operator_tikv::Tikv;

fn main() -> ExitCode {
    program().run()
}

/// The one place that chooses which systems there are.
fn program() -> Program {
    Program::new("operator", env!("CARGO_PKG_VERSION"))
        .about("Plans, runs and proves operations on TiKV and etcd clusters")
        .subject::<Tikv>()
        .subject::<Etcd>()
        .verb(demo::Demo)
        .verb(sim::Serve)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        let command = super::program().command();
        assert!(command.is_ok(), "{:?}", command.err());
        if let Ok(command) = command {
            command.debug_assert();
        }
    }
}
