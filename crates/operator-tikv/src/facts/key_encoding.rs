//! The two forms of a key: as it was written, and as TiKV keeps it.
//!
//! Transactional clients, TiDB among them, write keys in an order-preserving encoding: groups of
//! eight bytes, each followed by a byte that says how many of them are padding. Region borders,
//! and so everything PD shows, are in that form on such clusters, and as written on those that
//! store raw keys.

use std::fmt::Write as _;

/// Bytes in a group.
const GROUP: usize = 8;
/// What follows a full group.
const FULL: u8 = 0xff;

/// The key as transactional clients write it.
pub(crate) fn encode(key: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity((key.len() / GROUP + 1) * (GROUP + 1));
    let mut rest = key;
    loop {
        let (group, after) = rest.split_at(rest.len().min(GROUP));
        let padding = GROUP - group.len();
        encoded.extend_from_slice(group);
        encoded.resize(encoded.len() + padding, 0);
        // At most 8 is taken off.
        encoded.push(FULL - padding as u8);
        if padding > 0 {
            return encoded;
        }
        rest = after;
    }
}

/// The key inside an encoded one; `None` when it is not encoded. What follows the encoding, such
/// as a timestamp, is left out.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let mut rest = encoded;
    loop {
        let (group, after) = rest.split_at_checked(GROUP)?;
        let (&marker, after) = after.split_first()?;
        let padding = usize::from(FULL - marker);
        let kept = GROUP.checked_sub(padding)?;
        let (bytes, zeros) = group.split_at(kept);
        if zeros.iter().any(|byte| *byte != 0) {
            return None;
        }
        key.extend_from_slice(bytes);
        if padding > 0 {
            return Some(key);
        }
        rest = after;
    }
}

/// The table that a key of TiDB's is of, from a key as it was written.
pub(crate) fn table_id(key: &[u8]) -> Option<i64> {
    let id = key.strip_prefix(b"t")?.first_chunk::<8>()?;
    // TiDB flips the sign so that ids sort as bytes.
    Some((u64::from_be_bytes(*id) ^ (1 << 63)) as i64)
}

/// The first key of a table of TiDB's, as TiDB writes it.
pub(crate) fn table_key(table_id: i64) -> Vec<u8> {
    [b"t".as_slice(), &sortable(table_id)].concat()
}

/// The key of a row by its handle.
pub(crate) fn row_key(table_id: i64, handle: i64) -> Vec<u8> {
    [&table_key(table_id), b"_r".as_slice(), &sortable(handle)].concat()
}

/// The first key of an index.
pub(crate) fn index_key(table_id: i64, index_id: i64) -> Vec<u8> {
    [&table_key(table_id), b"_i".as_slice(), &sortable(index_id)].concat()
}

/// An integer in bytes that sort as it does.
fn sortable(number: i64) -> [u8; 8] {
    ((number as u64) ^ (1 << 63)).to_be_bytes()
}

/// Upper-case hexadecimal, as PD shows keys.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(
        String::with_capacity(2 * bytes.len()),
        |mut digits, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(digits, "{byte:02X}");
            digits
        },
    )
}

/// The bytes of hexadecimal digits of either case; `None` when they are not.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &[u8], encoded: &str) {
        assert_eq!(hex(&encode(key)), encoded);
        assert_eq!(decode(&unhex(encoded).unwrap()).as_deref(), Some(key));
    }

    /// The examples of the encoding's description in MyRocks, where it comes from.
    #[test]
    fn keys_are_encoded_in_groups() {
        check(b"", "0000000000000000F7");
        check(&[1, 2, 3], "0102030000000000FA");
        check(&[1, 2, 3, 0], "0102030000000000FB");
        check(
            &[1, 2, 3, 4, 5, 6, 7, 8],
            "0102030405060708FF0000000000000000F7",
        );
    }

    #[test]
    fn what_is_not_encoded_is_told() {
        for not in [
            "",
            "61",
            "0102030405060708FF",
            "0102030001000000FA",
            "010203000000000000",
        ] {
            assert_eq!(decode(&unhex(not).unwrap()), None, "{not}");
        }
        // A timestamp after the key.
        let with_ts = unhex("0102030000000000FAFFFFFFFFFFFFFFFF").unwrap();
        assert_eq!(decode(&with_ts), Some(vec![1, 2, 3]));
    }

    #[test]
    fn tables_of_tidb_are_told() {
        let key = unhex("7480000000000000455F72").unwrap();
        assert_eq!(table_id(&key), Some(69));
        assert_eq!(table_id(b"m"), None);
        assert_eq!(table_id(b"t"), None);
    }

    /// `t{table}_r{handle}` and `t{table}_i{index}`, as TiDB's documentation says.
    #[test]
    fn keys_of_tidb_are_made_as_tidb_makes_them() {
        let row = row_key(69, 1);
        assert_eq!(hex(&row), "7480000000000000455F728000000000000001");
        assert_eq!(table_id(&row), Some(69));
        assert_eq!(
            hex(&encode(&row)),
            "7480000000000000FF455F728000000000FF0000010000000000FA"
        );
        assert_eq!(
            hex(&row_key(1, -1)),
            "7480000000000000015F727FFFFFFFFFFFFFFF"
        );
        assert_eq!(
            hex(&index_key(69, 2)),
            "7480000000000000455F698000000000000002"
        );
        // As they sort: the table, its indexes, its rows, the next table.
        let sorted = [
            table_key(69),
            index_key(69, 9),
            row_key(69, i64::MIN),
            row_key(69, 0),
            table_key(70),
        ];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn hexadecimal_is_of_either_case_and_whole() {
        assert_eq!(unhex("7aFF"), Some(vec![0x7a, 0xff]));
        for not in ["7", "7g", "é1"] {
            assert_eq!(unhex(not), None, "{not}");
        }
    }
}
