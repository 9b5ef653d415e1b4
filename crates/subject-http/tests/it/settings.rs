//! A setting that is no good is named.

use action_core::{Addresses, FilePath, TlsFiles};
use subject_http::{Dialect, HttpClient, NotDone};

const SYSTEM: Dialect = Dialect {
    name: "the system",
    refused: |_, body| NotDone::refused("refused", body),
};

#[track_caller]
fn refused(address: &str, tls: TlsFiles, problem: &str) {
    let address = Addresses(address.to_owned());
    let error = HttpClient::connect(SYSTEM, "address", &address, &tls).unwrap_err();
    assert!(error.to_string().contains(problem), "{error}");
}

#[test]
fn what_is_wrong_is_named_by_its_setting() {
    refused("ftp://a", TlsFiles::default(), "`address`: cannot set up");
    let missing = FilePath("/nowhere/ca.pem".into());
    let tls = TlsFiles {
        ca: Some(missing.clone()),
        ..TlsFiles::default()
    };
    refused("https://a", tls, "`tls_ca`: cannot read `/nowhere/ca.pem`");
    let tls = TlsFiles {
        cert: Some(missing),
        ..TlsFiles::default()
    };
    refused("https://a", tls, "needs `tls_key`");
    let file = tempfile::NamedTempFile::new().unwrap();
    let tls = TlsFiles {
        ca: Some(FilePath(file.path().to_owned())),
        ..TlsFiles::default()
    };
    refused("https://a", tls, "`tls_ca`: ");
}
