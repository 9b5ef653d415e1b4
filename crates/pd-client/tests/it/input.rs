//! Input that is refused before anything is sent.

use std::time::Duration;

use pd_client::{Client, Error, ErrorClass, IdError, InputError, RegionId, StoreId, Timeouts};

use crate::replay::Replay;

#[test]
fn endpoints_are_read_in_any_of_their_forms() {
    let pd = Client::new("pd-0:2379, pd://pd-1:2379,http://pd-2:2379/").unwrap();
    let endpoints: Vec<_> = pd.endpoints().collect();
    assert_eq!(
        endpoints,
        ["http://pd-0:2379", "http://pd-1:2379", "http://pd-2:2379"]
    );
    let pd = Client::builder()
        .endpoint_list(["a:1", "a:1", "b:2"])
        .build()
        .unwrap();
    assert_eq!(pd.endpoints().count(), 2);
    let https = Client::new("https://pd-0:2379");
    assert_eq!(
        https.is_ok(),
        cfg!(any(feature = "tls-aws-lc", feature = "tls-ring"))
    );
}

#[track_caller]
fn refused(result: Result<Client, Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Input);
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn endpoints_that_are_none_are_refused_with_what_is_right() {
    refused(Client::builder().build(), "use at least one");
    refused(Client::new(""), "empty");
    refused(Client::new("pd-0:2379,,pd-1:2379"), "empty");
    refused(Client::new("ftp://pd-0"), "`http` or `https`");
    refused(
        Client::new("http://me:secret@pd-0:2379"),
        "client certificate",
    );
}

#[test]
fn caller_ids_are_safe_in_headers_and_logs() {
    let pd = Client::new("pd-0:2379").unwrap();
    for wrong in [
        "",
        "a\nb",
        "a\r\nX-Evil: 1",
        "a\u{1b}[31m",
        "ü",
        "a\tb",
        " a",
        &"x".repeat(129),
    ] {
        assert_eq!(
            pd.with_caller_id(wrong).unwrap_err().class(),
            ErrorClass::Input,
            "{wrong:?}"
        );
        refused(
            Client::builder()
                .endpoints("pd-0:2379")
                .caller_id(wrong)
                .build(),
            "caller id",
        );
    }
    assert!(pd.with_caller_id("operator/0192f5c8-intent 7").is_ok());
}

#[test]
fn connecting_takes_less_than_the_whole() {
    for (connect, words) in [
        (Duration::from_secs(5), "shorter"),
        (Duration::ZERO, "above zero"),
    ] {
        let timeouts = Timeouts {
            connect,
            ..Timeouts::default()
        };
        let builder = Client::builder().endpoints("pd-0").timeouts(timeouts);
        refused(builder.build(), words);
    }
    let timeouts = Timeouts {
        list: Duration::MAX,
        ..Timeouts::default()
    };
    assert!(
        Client::builder()
            .endpoints("pd-0")
            .timeouts(timeouts)
            .build()
            .is_ok()
    );
}

#[test]
fn ids_pd_would_misread_are_refused() {
    assert!(matches!(RegionId::new(0), Err(IdError::Zero { .. })));
    assert!(matches!(
        RegionId::new(1 << 53),
        Err(IdError::TooLarge { .. })
    ));
    assert_eq!("12".parse::<StoreId>().unwrap().get(), 12);
    assert!(matches!(
        " 7".parse::<StoreId>(),
        Err(IdError::NotDecimal { .. })
    ));
    let error = Error::from(InputError::from(RegionId::new(0).unwrap_err()));
    assert_eq!(error.to_string(), "invalid region id 0: ids start at 1");
}

#[tokio::test]
async fn keys_that_are_not_hexadecimal_are_refused() {
    let replay = Replay::new(200, &[], "{\"count\":0}");
    for wrong in ["7", "7g", "t1", "74 8", "0x74", "７４"] {
        let error = replay.client().region_by_key(wrong).await.unwrap_err();
        assert!(
            matches!(error, Error::Input(InputError::Key { .. })),
            "{wrong}: {error:?}"
        );
    }
    assert!(replay.asked().is_empty());
}

#[test]
fn debug_output_keeps_secrets() {
    let builder = Client::builder()
        .endpoints("http://me:secret@pd-0:2379")
        .client_identity_pem("secret");
    assert!(!format!("{builder:?}").contains("secret"));
}
