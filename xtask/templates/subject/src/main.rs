//! A command line over subject_name.

use std::process::ExitCode;

use operator_cli::Program;
use operator_subject_name::SubjectName;

fn main() -> ExitCode {
    Program::new("operator-subject-name", env!("CARGO_PKG_VERSION"))
        .subject::<SubjectName>()
        .run()
}
