//! SHA-256, and bytes in hexadecimal.

use std::fmt::Write as _;

use aws_lc_rs::digest;

/// The SHA-256 of something.
pub type Digest = [u8; 32];

/// The SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut hash = Digest::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Bytes in hexadecimal, in small letters.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A digest that was written in hexadecimal, in letters of either case.
pub fn from_hex(text: &str) -> Option<Digest> {
    let mut hash = Digest::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_one_that_everybody_else_computes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(to_hex(&sha256(b"")), empty);
        assert_eq!(from_hex(&empty.to_uppercase()), Some(sha256(b"")));
        for wrong in ["", "e3b0", &"zz".repeat(32), &"é".repeat(32), &format!("{empty}0")] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
