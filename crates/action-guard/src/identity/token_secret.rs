//! The secret of a token: how it is made, told from other text, and kept.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What every secret of a token begins with, so that whoever searches for leaked ones finds them.
const TOKEN: &str = "opgt_";

/// The same of a browser session and of a link.
const SESSION: &str = "opgs_";
const LINK: &str = "opgl_";

/// Digits of its 256 random bits, and of its checksum.
const RANDOM_DIGITS: usize = 64;
const CHECKSUM_DIGITS: usize = 8;

/// The secret of a token: `opgt_`, 256 random bits and a checksum, as hexadecimal digits. Whoever has
/// it is the token's actor. Not shown by `Debug`, and written to no journal, which has its hash.
#[derive(Clone)]
pub struct TokenSecret(String);

/// That the operating system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("cannot get random numbers from the operating system: {0}")]
pub struct NoRandomness(String);

impl TokenSecret {
    /// A new one, of random bits of the operating system.
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        generate(TOKEN).map(Self)
    }

    /// Reads one; `None` where a digit is wrong, or it is other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(TOKEN, text).map(Self)
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }

    /// The secret itself: for whoever is to have it, and nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// The secret of a browser session or of a link: as that of a token, with a beginning of its own.
#[derive(Clone)]
pub struct BrowserSecret(String);

impl BrowserSecret {
    pub(crate) fn of_session() -> Result<Self, NoRandomness> {
        generate(SESSION).map(Self)
    }

    pub(crate) fn of_link() -> Result<Self, NoRandomness> {
        generate(LINK).map(Self)
    }

    /// Reads that of a session; `None` where a digit is wrong, or it is other text.
    #[must_use]
    pub fn parse_session(text: &str) -> Option<Self> {
        parse(SESSION, text).map(Self)
    }

    /// The same of a link.
    #[must_use]
    pub fn parse_link(text: &str) -> Option<Self> {
        parse(LINK, text).map(Self)
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }

    /// The secret itself: for whoever is to have it, and nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret(…)")
    }
}

fn generate(prefix: &str) -> Result<String, NoRandomness> {
    let mut bits = [0; RANDOM_DIGITS / 2];
    getrandom::fill(&mut bits).map_err(|error| NoRandomness(error.to_string()))?;
    let begin = format!("{prefix}{}", hexadecimal(&bits));
    let checksum = checksum(&begin);
    Ok(format!("{begin}{checksum}"))
}

fn parse(prefix: &str, text: &str) -> Option<String> {
    let digits = text.strip_prefix(prefix)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != RANDOM_DIGITS + CHECKSUM_DIGITS || !digits.bytes().all(is_digit) {
        return None;
    }
    let (begin, given) = text.split_at_checked(prefix.len() + RANDOM_DIGITS)?;
    (checksum(begin) == given).then(|| text.to_owned())
}

fn hash(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

/// The first digits of a hash: enough to tell a slip, and no secret of its own.
fn checksum(begin: &str) -> String {
    let hash = hexadecimal(&Sha256::digest(begin.as_bytes()));
    hash.chars().take(CHECKSUM_DIGITS).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_secret_is_another_and_is_read_again() {
        let [one, other] = [(); 2].map(|()| TokenSecret::generate().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 77);
        let read = TokenSecret::parse(one.reveal()).unwrap();
        assert_eq!(read.hash(), one.hash());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}"), "TokenSecret(…)");
    }

    #[test]
    fn the_secret_of_one_is_not_that_of_another() {
        let (session, link) = (BrowserSecret::of_session(), BrowserSecret::of_link());
        let (session, link) = (session.unwrap(), link.unwrap());
        assert!(BrowserSecret::parse_session(session.reveal()).is_some());
        assert!(BrowserSecret::parse_link(link.reveal()).is_some());
        assert!(BrowserSecret::parse_link(session.reveal()).is_none());
        assert!(BrowserSecret::parse_session(link.reveal()).is_none());
        assert!(TokenSecret::parse(session.reveal()).is_none());
        assert_eq!(format!("{link:?}"), "BrowserSecret(…)");
    }

    #[test]
    fn a_slip_is_told_from_a_secret() {
        let secret = TokenSecret::generate().unwrap();
        let text = secret.reveal();
        for at in 0..text.len() {
            let mut slip = text.to_owned();
            let digit = if text[at..].starts_with('0') {
                "1"
            } else {
                "0"
            };
            slip.replace_range(at..=at, digit);
            assert!(TokenSecret::parse(&slip).is_none(), "{at}");
            assert!(TokenSecret::parse(&text[..at]).is_none(), "{at}");
        }
        for other in [format!("{text}0"), format!(" {text}"), text.to_uppercase()] {
            assert!(TokenSecret::parse(&other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_secret(text in any::<String>(), digits in "opgt_[0-9a-f]{72}") {
            prop_assert!(TokenSecret::parse(&text).is_none());
            prop_assert!(TokenSecret::parse(&digits).is_none());
        }
    }
}
