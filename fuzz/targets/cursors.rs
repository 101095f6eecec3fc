//! Cursors: what reads is what would be written, and is refused by every other list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360_rules::cursor::{Cursor, CursorError, MAX_LENGTH};

/// The bytes of a cursor before they are written in base64, or a text that may be one.
pub fn run(data: &[u8]) {
    // The bytes that name the list are where a cursor has them.
    let list = data.get(1..9).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    reads(&URL_SAFE_NO_PAD.encode(data), list);
    if let Ok(text) = std::str::from_utf8(data) {
        let list = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.get(1..9)?.try_into().ok());
        reads(text, list.map_or(0, u64::from_le_bytes));
    }
}

fn reads(text: &str, list: u64) {
    match Cursor::decode(text, list) {
        Ok(cursor) => {
            assert!(cursor.list == list && text.len() <= MAX_LENGTH);
            assert_eq!(cursor.encode(), text);
            for other in [!list, list ^ 1, list.wrapping_add(1 << 63)] {
                assert_eq!(Cursor::decode(text, other), Err(CursorError::OtherList));
            }
        }
        // The list is the cursor's own.
        Err(error) => assert!(error == CursorError::Malformed || list == 0, "{error:?}"),
    }
}
