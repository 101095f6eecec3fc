//! What is left of personal data for a caller who may not see it.
//!
//! A mask shows enough to recognise a value that one already knows, and too little to learn it: never more than two
//! characters in a row of the secret, apart from an e-mail's top-level domain and a phone's country code. Its
//! length says nothing about the length of the secret.

mod text;

use chrono::{Datelike as _, NaiveDate};
pub use text::text;

use crate::identifier::{calling_code, digit};

/// What stands for hidden characters.
pub const HIDDEN: &str = "•••";

/// An e-mail address: `jane@mail.example.com` → `j•••@m•••.com`.
pub fn email(address: &str) -> String {
    let Some((local, domain)) = address.trim().rsplit_once('@') else { return HIDDEN.to_owned() };
    let Some((host, top)) = domain.rsplit_once('.') else { return HIDDEN.to_owned() };
    format!("{}@{}.{top}", initial(local), initial(host))
}

/// A phone number in E.164 form: `+821012345678` → `+82•••78`. Of any other notation only the last two digits
/// stay.
pub fn phone(number: &str) -> String {
    let code = calling_code(number).map(|code| format!("+{code}")).unwrap_or_default();
    let digits: Vec<char> = number.chars().filter(|&c| digit(c).is_some()).collect();
    match digits.as_slice() {
        [.., tens, ones] if digits.len() > 6 => format!("{code}{HIDDEN}{tens}{ones}"),
        _ => HIDDEN.to_owned(),
    }
}

/// A name: the first letter of each word, `Jane Doe` → `J••• D•••`, `김민수` → `김•••`.
pub fn name(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().map(initial).collect();
    words.join(" ")
}

/// A line of an address: nothing of it stays.
pub fn address_line(line: &str) -> String {
    if line.trim().is_empty() { String::new() } else { HIDDEN.to_owned() }
}

/// A birthday: the year only, `1990-••-••`.
pub fn birthday(date: NaiveDate) -> String {
    format!("{:04}-••-••", date.year())
}

/// The first letter or digit of a word, then the mark of what is hidden.
fn initial(word: &str) -> String {
    word.chars().find(|c| c.is_alphanumeric()).into_iter().chain(HIDDEN.chars()).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether three characters in a row of the secret are in the mask.
    fn leaks(secret: &str, mask: &str) -> bool {
        let secret: Vec<char> = secret.chars().collect();
        secret.windows(3).any(|window| mask.contains(&window.iter().collect::<String>()))
    }

    #[test]
    fn masks_show_what_is_documented() {
        assert_eq!(email("jane@mail.example.com"), "j•••@m•••.com");
        assert_eq!(email("홍길동@예시.한국"), "홍•••@예•••.한국");
        assert_eq!(email("jane"), HIDDEN);
        assert_eq!(phone("+821012345678"), "+82•••78");
        assert_eq!(phone("+35312345678"), "+353•••78");
        assert_eq!(phone("010-1234-5678"), "•••78");
        assert_eq!(phone("12345"), HIDDEN);
        assert_eq!(name(" Jane  O'Doe "), "J••• O•••");
        assert_eq!(name("김민수"), "김•••");
        assert_eq!(name("(José) 👩‍🚀"), "J••• •••");
        assert_eq!(address_line("12 Main Street"), HIDDEN);
        assert_eq!(address_line(" "), "");
        assert_eq!(birthday(NaiveDate::from_ymd_opt(1990, 5, 17).unwrap()), "1990-••-••");
    }

    proptest! {
        #[test]
        fn of_an_email_only_two_letters_and_the_top_level_survive(
            local in "[a-zà-ž0-9.+]{1,20}", host in "[a-z0-9가-힣-]{1,20}(\\.[a-z]{2,9}){0,2}", top in "[a-z]{2,6}",
        ) {
            let mask = email(&format!("{local}@{host}.{top}"));
            let shown = mask.strip_suffix(top.as_str()).unwrap_or(&mask);
            prop_assert!(!leaks(&format!("{local}@{host}"), shown), "{}", mask);
            prop_assert_eq!(email(&mask), mask);
        }

        #[test]
        fn of_a_phone_only_the_country_and_two_digits_survive(national in "[1-9][0-9]{6,10}") {
            let mask = phone(&format!("+82{national}"));
            let shown = mask.strip_prefix("+82").unwrap_or(&mask);
            prop_assert!(!leaks(&national, shown), "{}", mask);
            prop_assert!(!leaks(&national, &phone(&national)));
        }

        #[test]
        fn of_a_name_only_initials_survive(text in "[\\p{L}\\p{M} '-]{0,30}") {
            let mask = name(&text);
            prop_assert!(text.split_whitespace().all(|word| !leaks(word, &mask)), "{}", mask);
            prop_assert_eq!(name(&mask), mask);
        }

        #[test]
        fn no_text_breaks_a_mask(text in "\\PC*|.*") {
            for mask in [email, phone, name, address_line] {
                let _ = mask(&text);
            }
        }
    }
}
