//! The one form in which each identifier is stored and compared, however a person writes it.

mod email;
mod name;
mod phone;
mod plans;
mod search;

pub use email::email;
pub(crate) use name::is_word;
pub use name::{name_fold, name_words};
pub use phone::{calling_code, is_region, phone};
pub use search::{Entry, Lookup, NameEntries, NameQuery};
use unicode_normalization::UnicodeNormalization as _;

/// Why a text is not the identifier that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not an e-mail address.
    #[error("not an e-mail address: expected something like jane@example.com")]
    Email,
    /// Not a phone number in any region that was tried.
    #[error("not a phone number: write it with its country code, like +82 10 1234 5678")]
    Phone,
    /// Not a number of a customer or a card.
    #[error("not a number: expected 1 to 64 letters, digits or signs")]
    Number,
}

/// The normal form of a customer number: capitals, without spaces and dashes, full-width forms made plain.
///
/// # Errors
/// [`IdentifierError::Number`] when nothing is left, or more than 64 characters, or a control character.
pub fn customer_number(text: &str) -> Result<String, IdentifierError> {
    let plain = text.nfkc().flat_map(char::to_uppercase).nfkc();
    let number: String = plain.filter(|&c| !is_space(c) && !is_dash(c)).nfc().collect();
    let fits = (1..=64).contains(&number.chars().count()) && !number.contains(char::is_control);
    if fits { Ok(number) } else { Err(IdentifierError::Number) }
}

/// The normal form of a loyalty card's number: as [`customer_number`].
///
/// # Errors
/// As [`customer_number`].
pub fn loyalty_number(text: &str) -> Result<String, IdentifierError> {
    customer_number(text)
}

/// Characters without a shape of their own, that get into pasted text: joiners, direction marks, soft hyphens.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

pub(crate) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{30fc}')
}

/// Han, kana and Hangul: scripts in which a name may stand within a word.
pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The value of a decimal digit of the scripts in which people write numbers.
pub(crate) fn digit(c: char) -> Option<u8> {
    const ZEROS: [char; 18] =
        ['٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០', '０'];
    if c.is_ascii() {
        return c.to_digit(10).and_then(|value| u8::try_from(value).ok());
    }
    let value = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    ZEROS.iter().find_map(value).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_compare_whatever_their_spacing() {
        for text in ["C-000 123", " c000123 ", "Ｃ０００１２３", "c–000–123"] {
            assert_eq!(customer_number(text).as_deref(), Ok("C000123"), "{text}");
        }
        // An accent that a space kept apart.
        assert_eq!(customer_number("G´").as_deref(), Ok("Ǵ"));
        assert_eq!(loyalty_number(" - "), Err(IdentifierError::Number));
        assert_eq!(loyalty_number(&"1".repeat(65)), Err(IdentifierError::Number));
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(text in "\\PC*") {
            if let Ok(number) = customer_number(&text) {
                prop_assert_eq!(customer_number(&number), Ok(number));
            }
        }
    }
}
