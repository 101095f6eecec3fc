//! Typed ids: what is written reads back, what reads is what would be written, and ids sort as their UUIDs do.

use c360_rules::id::{IdError, Kind, decode, encode, parse};
use uuid::Uuid;

/// A kind, two UUIDs, and a text that may be an id.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        reads(text);
    }
    let Some((head, rest)) = data.split_first_chunk::<33>() else { return };
    let kind = Kind::ALL[usize::from(head[0]) % Kind::ALL.len()];
    let [one, other] = [&head[1..17], &head[17..]].map(|bytes| Uuid::from_slice(bytes).unwrap());
    let id = encode(kind, one);
    assert_eq!(parse(&id), Ok((kind, one)));
    assert_eq!(one.cmp(&other), id.cmp(&encode(kind, other)));
    if let Ok(text) = std::str::from_utf8(rest) {
        reads(text);
        // A suffix after a prefix that there is.
        reads(&format!("{kind}_{text}"));
    }
}

fn reads(text: &str) {
    match parse(text) {
        Ok((kind, uuid)) => {
            assert_eq!(encode(kind, uuid), text);
            for &expected in Kind::ALL {
                let wrong = Err(IdError::WrongType { expected, found: kind });
                assert_eq!(decode(expected, text), if expected == kind { Ok(uuid) } else { wrong });
            }
        }
        Err(error) => {
            assert_eq!(error, IdError::Malformed);
            assert_eq!(decode(Kind::Customer, text), Err(error));
        }
    }
}
