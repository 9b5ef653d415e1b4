//! A build without TLS.

use pd_client::{Client, ErrorClass};

#[test]
fn https_is_refused_with_the_feature_that_is_missing() {
    for builder in [
        Client::builder().endpoints("http://pd-0:2379,https://pd-1:2379"),
        Client::builder().endpoints("pd-0:2379").ca_pem("x"),
        Client::builder().endpoints("pd-0:2379").ca_file("/nowhere"),
        Client::builder()
            .endpoints("pd-0:2379")
            .client_identity_pem("x"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.class(), ErrorClass::Input);
        let words = error.to_string();
        assert!(words.contains("`tls-ring` or `tls-aws-lc`"), "{words}");
        assert!(
            words.contains("`https://pd-1:2379` needs TLS")
                || words.contains("a certificate needs"),
            "{words}"
        );
    }
}
