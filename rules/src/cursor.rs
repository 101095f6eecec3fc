//! Opaque cursors: the sort keys of one row, bound to the list that they came from.
//!
//! The form is base64url without padding over: a version byte, the list's hash (8 bytes, little-endian), then
//! for each key a tag and its value. It is not signed: a forged cursor can only name another place in a list that
//! the caller may read anyway. Nor is it secret: keep out what the caller may not see.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The longest text that is read as a cursor, in bytes. Lists bound their text keys so that theirs fit.
pub const MAX_LENGTH: usize = 2048;

const VERSION: u8 = 1;

/// A place in a list: after (or before) the row with these sort keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The list: [`list_hash`] over its name, owner, filter and order.
    pub list: u64,
    /// The row's sort keys, in the order of the list's sorting.
    pub keys: Vec<Key>,
}

/// A sort key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// No value.
    Null,
    /// A number.
    Int(i64),
    /// An instant, in microseconds since 1970-01-01T00:00Z.
    Time(i64),
    /// A text.
    Text(String),
    /// The id of a row.
    Id(Uuid),
}

/// Why a text is not a cursor of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// No cursor at all.
    #[error("not a cursor: pass one that this list returned, unchanged")]
    Malformed,
    /// The cursor of another list, or of this one with another filter or order.
    #[error("this cursor belongs to another list, or to other filters or another order")]
    OtherList,
}

impl Cursor {
    /// Writes the cursor.
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.list.to_le_bytes());
        for key in &self.keys {
            match key {
                Key::Null => bytes.push(0),
                Key::Int(value) => put(&mut bytes, 1, &value.to_le_bytes()),
                Key::Time(micros) => put(&mut bytes, 2, &micros.to_le_bytes()),
                Key::Text(text) => {
                    put(&mut bytes, 3, &(text.len() as u32).to_le_bytes());
                    bytes.extend(text.as_bytes());
                }
                Key::Id(id) => put(&mut bytes, 4, id.as_bytes()),
            }
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the list with this hash.
    ///
    /// # Errors
    /// [`CursorError::OtherList`] for the cursor of another list; [`CursorError::Malformed`] for what was never
    /// a cursor, or is longer than [`MAX_LENGTH`].
    pub fn decode(text: &str, expected_list: u64) -> Result<Cursor, CursorError> {
        if text.len() > MAX_LENGTH {
            return Err(CursorError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Malformed)?;
        let cursor = read(&bytes).ok_or(CursorError::Malformed)?;
        if cursor.list == expected_list { Ok(cursor) } else { Err(CursorError::OtherList) }
    }
}

fn put(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    bytes.extend(value);
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let mut rest = bytes.strip_prefix(&[VERSION])?;
    let list = u64::from_le_bytes(take(&mut rest)?);
    let mut keys = Vec::new();
    while let Some((tag, value)) = rest.split_first() {
        rest = value;
        keys.push(match tag {
            0 => Key::Null,
            1 => Key::Int(i64::from_le_bytes(take(&mut rest)?)),
            2 => Key::Time(i64::from_le_bytes(take(&mut rest)?)),
            3 => {
                let length = u32::from_le_bytes(take(&mut rest)?);
                let (text, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                rest = after;
                Key::Text(String::from_utf8(text.to_vec()).ok()?)
            }
            4 => Key::Id(Uuid::from_bytes(take(&mut rest)?)),
            _ => return None,
        });
    }
    Some(Cursor { list, keys })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

/// A hash of what makes a list the list it is, the same in every build: FNV-1a of 64 bits
/// (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>) over each part's length and bytes.
pub fn list_hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| (part.len() as u64).to_le_bytes().into_iter().chain(part.iter().copied()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Key> {
        prop_oneof![
            Just(Key::Null),
            any::<i64>().prop_map(Key::Int),
            any::<i64>().prop_map(Key::Time),
            "\\PC{0,40}".prop_map(Key::Text),
            any::<u128>().prop_map(|bits| Key::Id(Uuid::from_u128(bits))),
        ]
    }

    #[test]
    fn the_form_stays_the_same_from_build_to_build() {
        let list = list_hash(&[b"orders", b"x"]);
        assert_eq!(list, 0x79bc_61a7_f3e5_e7c1);
        let cursor = Cursor { list, keys: vec![Key::Int(7), Key::Text("é".into()), Key::Null] };
        assert_eq!(cursor.encode(), "AcHn5fOnYbx5AQcAAAAAAAAAAwIAAADDqQA");
    }

    #[test]
    fn parts_of_a_list_do_not_run_together() {
        assert_ne!(list_hash(&[b"ab", b"c"]), list_hash(&[b"a", b"bc"]));
        assert_ne!(list_hash(&[b"ab"]), list_hash(&[b"ab", b""]));
    }

    #[test]
    fn a_text_beyond_the_limit_is_no_cursor() {
        let cursor = Cursor { list: 1, keys: vec![Key::Text("x".repeat(MAX_LENGTH))] };
        assert_eq!(Cursor::decode(&cursor.encode(), 1), Err(CursorError::Malformed));
    }

    proptest! {
        #[test]
        fn every_cursor_reads_back(list: u64, keys in prop::collection::vec(key(), 0..6)) {
            let cursor = Cursor { list, keys };
            prop_assert_eq!(Cursor::decode(&cursor.encode(), list), Ok(cursor));
        }

        #[test]
        fn a_cursor_of_another_list_is_refused(list: u64, other: u64, keys in prop::collection::vec(key(), 0..6)) {
            prop_assume!(list != other);
            prop_assert_eq!(Cursor::decode(&Cursor { list, keys }.encode(), other), Err(CursorError::OtherList));
        }

        #[test]
        fn what_reads_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..60), list: u64) {
            let mut body = vec![VERSION];
            body.extend(list.to_le_bytes());
            body.extend(bytes);
            let text = URL_SAFE_NO_PAD.encode(body);
            if let Ok(cursor) = Cursor::decode(&text, list) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC*|[A-Za-z0-9_-]*") {
            let _ = Cursor::decode(&text, 0);
        }
    }
}
