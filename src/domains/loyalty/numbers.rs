//! Numbers of cards and codes of coupons: nobody can guess the next one.

use crate::clock::random_bytes;
use crate::error::Fault;
use crate::write::Outcome;

/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A coupon's code: `XXXX-XXXX-XXXX`, 60 random bits.
///
/// # Errors
/// The machine has no randomness to give.
pub(super) fn coupon_code() -> Outcome<String> {
    let letters: Vec<char> = random()?[..12].iter().map(|byte| LETTERS[usize::from(byte % 32)].into()).collect();
    Ok(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

/// A card's number: 12 digits, of which the last one checks the others.
///
/// # Errors
/// The machine has no randomness to give.
pub(super) fn card_number() -> Outcome<String> {
    let mut digits = vec![7];
    digits.extend(random()?[..10].iter().map(|byte| u32::from(byte % 10)));
    digits.push(check_digit(&digits));
    Ok(digits.into_iter().filter_map(|digit| char::from_digit(digit, 10)).collect())
}

fn random() -> Outcome<[u8; 32]> {
    random_bytes().map_err(|_| Fault::internal().into())
}

/// The digit by which Luhn's sum comes to a multiple of ten.
fn check_digit(digits: &[u32]) -> u32 {
    let double = |digit: u32| if digit < 5 { 2 * digit } else { 2 * digit - 9 };
    let weigh = |(place, digit): (usize, &u32)| if place.is_multiple_of(2) { double(*digit) } else { *digit };
    let sum: u32 = digits.iter().rev().enumerate().map(weigh).sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_luhns() {
        assert_eq!(check_digit(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1]), 3);
        assert_eq!(check_digit(&[]), 0);
    }

    #[test]
    fn numbers_and_codes_have_their_form() {
        let number = card_number().unwrap_or_default();
        assert!(number.len() == 12 && number.bytes().all(|digit| digit.is_ascii_digit()), "{number}");
        let code = coupon_code().unwrap_or_default();
        assert!(code.len() == 14 && code.split('-').all(|part| part.len() == 4), "{code}");
        assert_ne!(coupon_code(), coupon_code());
    }
}
