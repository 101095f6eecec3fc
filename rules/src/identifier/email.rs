//! E-mail addresses.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{IdentifierError, is_space};

/// The form in which an address is compared: trimmed, NFC, lower-case.
///
/// What counts as an address is what browsers take (WHATWG HTML, "valid e-mail address"), plus letters of any
/// script (RFC 6531), with at least two labels in the domain and the lengths of RFC 5321 in bytes: 64 before
/// the `@`, 254 in all. A domain stays as it was written, in Unicode or in Punycode.
///
/// # Errors
/// [`IdentifierError::Email`] for anything else.
pub fn email(text: &str) -> Result<String, IdentifierError> {
    let address: String = text.trim_matches(is_space).to_lowercase().nfc().collect();
    if is_address(&address) { Ok(address) } else { Err(IdentifierError::Email) }
}

fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    address.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(|c| is_letter(c) || ".!#$%&'*+/=?^_`{|}~-".contains(c))
        && domain.contains('.')
        && domain.split('.').all(is_label)
        // A number at the end is an IP address (WHATWG URL, "ends in a number").
        && !domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.chars().all(|c| is_letter(c) || c == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_every_way_to_write_an_address() {
        for (text, form) in [
            (" Jane.Doe+shop@Example.COM\n", "jane.doe+shop@example.com"),
            ("JOSE\u{301}@BU\u{308}cher.example", "josé@bücher.example"),
            ("홍길동@예시.한국", "홍길동@예시.한국"),
            ("\u{feff}a@b.co\u{200b}", "a@b.co"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(form), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(65));
        let far = format!("x@{}com", "abcdefgh.".repeat(28));
        for text in [
            "",
            "@",
            "jane",
            "jane@",
            "@example.com",
            "jane@example",
            "jane@@example.com",
            "a@b@example.com",
            "jane doe@example.com",
            "jane@exa mple.com",
            "jane@-example.com",
            "jane@example-.com",
            "jane@.com",
            "jane@example..com",
            "jane@example.com.",
            "jane@127.0.0.1",
            "ja\u{0}ne@example.com",
            "\"jane\"@example.com",
            "jane@exam_ple.com",
            "jane@example.com,joe@example.com",
            "ja\u{200b}ne@example.com",
            &long,
            &far,
        ] {
            assert_eq!(email(text), Err(IdentifierError::Email), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(text in "[\\PC]{0,20}|\\PC{1,6}@\\PC{1,6}\\.\\PC{1,3}|[a-zA-ZÀ-ž0-9.]{1,9}@[a-zA-ZÀ-žİẞ]{1,9}\\.[a-z]{2}") {
            if let Ok(form) = email(&text) {
                prop_assert_eq!(email(&form), Ok(form.clone()));
                prop_assert!(form.len() <= 254 && !form.contains(char::is_whitespace));
            }
        }
    }
}
