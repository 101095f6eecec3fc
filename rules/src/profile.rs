//! What may stand in a customer's profile.

use chrono::{Datelike as _, NaiveDate};

/// Nobody has lived longer than this many years.
const LONGEST_LIFE: i32 = 130;
/// Most characters of a locale.
const LONGEST_LOCALE: usize = 35;

/// Whether somebody who lives today may have been born on a day.
pub fn is_birthday(day: NaiveDate, today: NaiveDate) -> bool {
    day <= today && today.year() - day.year() <= LONGEST_LIFE
}

/// A language tag in the form in which BCP 47 writes it: `ko-KR`, `zh-Hant-TW`. The underscores of other systems are
/// taken for dashes. `None` if it is none.
///
/// ```
/// assert_eq!(c360_rules::profile::locale("KO_kr").as_deref(), Some("ko-KR"));
/// ```
pub fn locale(text: &str) -> Option<String> {
    let text = text.trim().replace('_', "-");
    let mut parts = text.split('-');
    let language = parts.next().filter(|part| (2..=8).contains(&part.len()) && is_letters(part))?;
    let mut tag = language.to_ascii_lowercase();
    for part in parts {
        let fits = (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        tag += "-";
        tag += &fits.then(|| written(part))?;
    }
    (tag.len() <= LONGEST_LOCALE).then_some(tag)
}

/// A part as it is usually written: regions in capitals, scripts with one capital, the rest small.
fn written(part: &str) -> String {
    match part.len() {
        2 if is_letters(part) => part.to_ascii_uppercase(),
        4 if is_letters(part) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    }
}

fn is_letters(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn languages_are_written_in_one_way() {
        for (text, tag) in [
            (" de ", "de"),
            ("EN-us", "en-US"),
            ("zh-hant-TW", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-rozaj-biske", "sl-rozaj-biske"),
        ] {
            assert_eq!(locale(text).as_deref(), Some(tag), "{text}");
        }
        for text in [
            "",
            "d",
            "de-",
            "-de",
            "de--AT",
            "d1",
            "deutschland",
            "de-Ö",
            "de-123456789",
            "한국",
            "de-at-".repeat(9).as_str(),
        ] {
            assert_eq!(locale(text), None, "{text}");
        }
    }

    #[test]
    fn people_are_born_before_today_and_not_in_another_age() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap_or_default();
        let today = day("2026-11-22");
        for (born, may) in [
            ("2026-11-22", true),
            ("2026-11-23", false),
            ("1896-01-01", true),
            ("1895-12-31", false),
            ("1800-01-01", false),
        ] {
            assert_eq!(is_birthday(day(born), today), may, "{born}");
        }
    }

    proptest! {
        #[test]
        fn a_locale_is_its_own_form(text in "\\PC{0,12}|[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,4}") {
            if let Some(tag) = locale(&text) {
                prop_assert_eq!(locale(&tag), Some(tag.clone()));
                prop_assert!(tag.is_ascii() && tag.len() <= LONGEST_LOCALE);
            }
        }
    }
}
