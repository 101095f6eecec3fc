//! Phone numbers in any notation, to E.164.
//!
//! Written here rather than taken from the `phonenumber` crate (0.3.10), which was measured: it reads neither
//! full-width digits nor `0082…` from Korea, takes about 4 ms a number when regions mix (one locked cache of a
//! hundred regular expressions), 0.1 s at the first, and keeps 20 MB. This takes two microseconds. It checks
//! the lengths of a country's numbers and not whether one is assigned, which only a call can tell.

use unicode_normalization::UnicodeNormalization as _;

use super::plans::Plan;
use super::{IdentifierError, digit, is_dash, is_space};

/// The E.164 form (`+821012345678`) of a number in any notation: international (`+82 10-1234-5678`, `0082…`,
/// `+44 (0)20…`), national (`010 1234 5678`), `tel:` URIs, digits of any script. An extension is dropped.
///
/// `regions` (ISO 3166-1 alpha-2) are the countries that a national notation may mean; the first that fits wins.
///
/// # Errors
/// [`IdentifierError::Phone`] when no reading gives a number of a plausible length.
pub fn phone(text: &str, regions: &[&str]) -> Result<String, IdentifierError> {
    let dialled = Dialled::read(text).ok_or(IdentifierError::Phone)?;
    let digits = dialled.digits.as_str();
    if dialled.international {
        return international(digits).ok_or(IdentifierError::Phone);
    }
    let plans = regions.iter().filter_map(|region| Plan::of_region(region));
    let number = plans.into_iter().find_map(|plan| abroad(plan, digits).or_else(|| domestic(plan, digits)));
    let without_region = || digits.strip_prefix("00").and_then(international);
    number.or_else(without_region).ok_or(IdentifierError::Phone)
}

/// The calling code of a number in E.164 form: `82` of `+821012345678`.
pub fn calling_code(e164: &str) -> Option<&'static str> {
    Plan::of_number(e164.strip_prefix('+')?).map(|plan| plan.code)
}

/// Whether a text is a region that [`phone`] knows: to check a setting.
pub fn is_region(text: &str) -> bool {
    Plan::of_region(text).is_some()
}

/// What was written, without the notation.
struct Dialled {
    international: bool,
    digits: String,
}

impl Dialled {
    fn read(text: &str) -> Option<Dialled> {
        // No notation of at most 15 digits is longer; folding more would only cost time.
        if text.len() > 256 {
            return None;
        }
        let text = text.nfkc().collect::<String>().to_lowercase();
        let text = text.trim_matches(is_space);
        let text = ["tel:", "sms:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
        let mut dialled = Dialled { international: false, digits: String::new() };
        // RFC 3966, section 5.1.5: the context of a local number is what comes before it.
        for parameter in parameters.split(';') {
            if let Some(context) = parameter.strip_prefix("phone-context=+").filter(|_| !number.contains('+')) {
                dialled.international = true;
                dialled.digits.extend(context.chars().filter(char::is_ascii_digit));
            }
        }
        for (at, c) in number.char_indices() {
            match digit(c) {
                Some(value) => dialled.digits.push(char::from(b'0' + value)),
                None if is_separator(c) => {}
                None if c == '+' && dialled.digits.is_empty() => dialled.international = true,
                None if is_extension(number.get(at..)?) => break,
                None => return None,
            }
        }
        // E.164 has 15 digits at most; a trunk prefix and an exit code may come before them.
        (dialled.digits.len() <= 22).then_some(dialled)
    }
}

fn is_separator(c: char) -> bool {
    is_space(c) || is_dash(c) || matches!(c, '.' | '/' | '(' | ')' | '[' | ']' | '~' | '·' | '\u{301c}')
}

/// Whether the rest of a number is an extension: a word for it, then one to seven digits.
fn is_extension(rest: &str) -> bool {
    const WORDS: [&str; 9] = ["extension", "ext", "x", "#", ",", "доб", "내선", "内線", "int"];
    let after = WORDS.iter().find_map(|word| rest.strip_prefix(word)).unwrap_or_default();
    let digits: String = after.chars().filter(|&c| !is_separator(c) && !matches!(c, ':' | ',')).collect();
    (1..=7).contains(&digits.chars().count()) && digits.chars().all(|c| digit(c).is_some())
}

/// A number that begins with its calling code.
fn international(digits: &str) -> Option<String> {
    let digits = digits.strip_prefix("00").unwrap_or(digits);
    let plan = Plan::of_number(digits)?;
    let national = digits.strip_prefix(plan.code)?;
    significant(plan, national)
}

/// A number dialled from a country to another one: `00` and its own code, its exit codes, any `00`.
fn abroad(plan: Plan, digits: &str) -> Option<String> {
    let after_00 = digits.strip_prefix("00");
    let home = after_00.filter(|rest| rest.starts_with(plan.code)).and_then(international);
    let exits = || plan.exits().iter().find_map(|exit| digits.strip_prefix(exit).and_then(international));
    home.or_else(exits).or_else(|| after_00.and_then(international))
}

/// A number dialled within a country, or one that only lost its `+`.
fn domestic(plan: Plan, digits: &str) -> Option<String> {
    let national = || significant(plan, digits);
    // Nine digits after the calling code are no coincidence; fewer may well be an area that is named alike.
    let coded =
        digits.strip_prefix(plan.code).and_then(|rest| if rest.len() < 9 { None } else { significant(plan, rest) });
    coded.or_else(national).or_else(|| significant(plan, digits.strip_prefix(plan.code)?))
}

/// E.164 from a national number with or without its trunk prefix.
fn significant(plan: Plan, national: &str) -> Option<String> {
    let stripped = national.strip_prefix(plan.trunk).filter(|_| !plan.trunk.is_empty());
    let candidates = match stripped {
        // No national number begins with 0 where 0 is the trunk prefix.
        Some(rest) if plan.trunk == "0" => [Some(rest), None],
        rest => [Some(national), rest],
    };
    candidates.into_iter().flatten().find_map(|candidate| {
        let number = without_mobile_prefix(plan, candidate);
        let fits = (plan.min..=plan.max).contains(&number.len()) && plan.code.len() + number.len() <= 15;
        // Nor does one that is left when a second prefix is taken away.
        let barred = if plan.trunk == "0" { "0" } else { "00" };
        (fits && !number.starts_with(barred)).then(|| format!("+{}{number}", plan.code))
    })
}

/// Takes away what some countries dial before mobile or long-distance numbers, and E.164 does not have.
fn without_mobile_prefix(plan: Plan, national: &str) -> String {
    let after = |prefixes: &[&str], length: usize| {
        let rest = prefixes.iter().find_map(|prefix| national.strip_prefix(prefix))?;
        (rest.len() == length).then(|| rest.to_owned())
    };
    let changed = match (plan.code, national.len()) {
        // Mexico until 2019: 01, 044 and 045 within the country, 1 after +52.
        ("52", _) => after(&["01", "044", "045", "1"], 10),
        // Argentina: 15 between area and number at home, 9 before the area from abroad.
        ("54", 12) => (2..=4).find_map(|area| {
            let (area, rest) = national.split_at_checked(area)?;
            let local = rest.strip_prefix("15").filter(|_| area.len() > 2 || area == "11")?;
            Some(format!("9{area}{local}"))
        }),
        // Brazil: two digits choose a carrier.
        ("55", 12 | 13) => national.get(2..).map(str::to_owned),
        _ => None,
    };
    changed.unwrap_or_else(|| national.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_notation_of_one_number_gives_one_form() {
        for text in [
            "+82 10-1234-5678",
            "+821012345678",
            "＋８２ １０ １２３４ ５６７８",
            "+82 (0)10 1234 5678",
            "+82 010 1234 5678",
            "+0082 10 1234 5678",
            "0082 10 1234 5678",
            "00182-10-1234-5678",
            "010 1234 5678",
            "０１０－１２３４－５６７８",
            "010.1234.5678",
            "10 1234 5678",
            "82 10 1234 5678",
            "tel:+82-10-1234-5678;ext=5",
            "TEL:010-1234-5678;phone-context=+82",
            "010-1234-5678 ext. 12",
            "010-1234-5678 내선 3",
            "\u{202a}+82 10 1234 5678\u{202c}",
            "٠١٠ ١٢٣٤ ٥٦٧٨",
        ] {
            assert_eq!(phone(text, &["KR"]).as_deref(), Ok("+821012345678"), "{text}");
        }
    }

    #[test]
    fn national_notations_follow_their_countries() {
        for (region, text, form) in [
            ("US", "(415) 555-2671", "+14155552671"),
            ("US", "1-415-555-2671 x3", "+14155552671"),
            ("US", "011 44 20 7946 0018", "+442079460018"),
            ("GB", "020 7946 0018", "+442079460018"),
            ("GB", "07911 123456", "+447911123456"),
            ("GB", "001 415 555 2671", "+14155552671"),
            ("IT", "06 1234 5678", "+390612345678"),
            ("IT", "392 123 4567", "+393921234567"),
            ("IT", "+39 06 1234 5678", "+390612345678"),
            ("RU", "8 (912) 345-67-89", "+79123456789"),
            ("RU", "800 555 35 35", "+78005553535"),
            ("RU", "810 1 415 555 2671", "+14155552671"),
            ("HU", "06 1 234 5678", "+3612345678"),
            ("DE", "030/1234567", "+49301234567"),
            ("DE", "49 30 1234567", "+49301234567"),
            ("FR", "06.12.34.56.78", "+33612345678"),
            ("JP", "090-1234-5678", "+819012345678"),
            ("JP", "010 1 415 555 2671", "+14155552671"),
            ("CN", "138 0013 8000", "+8613800138000"),
            ("IN", "098765 43210", "+919876543210"),
            ("AU", "0011 82 10 1234 5678", "+821012345678"),
            ("ES", "612 34 56 78", "+34612345678"),
            ("MX", "044 55 1234 5678", "+525512345678"),
            ("MX", "+52 1 55 1234 5678", "+525512345678"),
            ("AR", "011 15 1234-5678", "+5491112345678"),
            ("AR", "0351 15 123 4567", "+5493511234567"),
            ("BR", "(11) 91234-5678", "+5511912345678"),
            ("BR", "0 15 11 91234-5678", "+5511912345678"),
            ("SG", "8123 4567", "+6581234567"),
            ("kr", "02-312-3456", "+8223123456"),
            ("XX", "00 82 10 1234 5678", "+821012345678"),
        ] {
            assert_eq!(phone(text, &[region]).as_deref(), Ok(form), "{region} {text}");
        }
    }

    #[test]
    fn default_regions_are_tried_in_their_order() {
        assert_eq!(phone("010 1234 5678", &["US", "KR"]).as_deref(), Ok("+821012345678"));
        assert_eq!(phone("415 555 2671", &["US", "KR"]).as_deref(), Ok("+14155552671"));
        assert_eq!(phone("010 1234 5678", &[]), Err(IdentifierError::Phone));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "12",
            "12345",
            "+82",
            "+82 1",
            "+999 123 456 789",
            "jane",
            "+82 10 1234 5678 9999 9999",
            "someletters1110@gmail.com",
            "010-1234-5678 or 5679",
            "10+1234567890",
            "+1 415 555 267",
            ".;phone-context=",
            "+dwPAA;phone-context=AA",
            "tel:+;phone-context=+",
        ] {
            assert_eq!(phone(text, &["KR"]), Err(IdentifierError::Phone), "{text}");
        }
    }

    #[test]
    fn a_form_never_keeps_a_trunk_prefix() {
        for (text, region) in [("011 0 415 555 2671", "BR"), ("0 0 30 1234567", "DE"), ("+49 (0)030 1234567", "DE")] {
            if let Ok(form) = phone(text, &[region]) {
                assert_eq!(phone(&form, &[]), Ok(form), "{text}");
            }
        }
    }

    #[test]
    fn plans_are_prefix_free_and_their_regions_unique() {
        let codes: Vec<_> = Plan::all().map(|plan| plan.code).collect();
        for (at, code) in codes.iter().enumerate() {
            assert!(codes.iter().enumerate().all(|(other, longer)| at == other || !longer.starts_with(code)), "{code}");
        }
        let regions: Vec<_> = Plan::all().flat_map(|plan| plan.regions.split(' ')).collect();
        assert_eq!(regions.iter().collect::<HashSet<_>>().len(), regions.len());
        assert!(is_region("KR") && is_region("us") && !is_region("") && !is_region("US CA"));
        assert_eq!(calling_code("+821012345678"), Some("82"));
        assert_eq!(calling_code("821012345678"), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(
            text in "\\PC*|(tel:)?\\+?[0-9 ().;x#=a-z+-]{0,30}|\\PC*;phone-context=\\PC*",
            region in "[A-Z]{2}",
        ) {
            if let Ok(form) = phone(&text, &[&region, "KR", "US"]) {
                prop_assert!(form.starts_with('+') && (6..=16).contains(&form.len()), "{}", form);
                prop_assert!(calling_code(&form).is_some());
                prop_assert_eq!(phone(&form, &[&region]), Ok(form));
            }
        }

        #[test]
        fn a_form_is_its_own_form_in_every_region(
            plan in prop::sample::select(Plan::all().collect::<Vec<_>>()),
            digits in "[1-9][0-9]{3,13}",
            region in prop::sample::select(vec!["KR", "US", "DE", "RU", "JP", "HU"]),
        ) {
            if let Ok(form) = phone(&format!("+{}{digits}", plan.code), &[]) {
                prop_assert_eq!(phone(&form, &[region]), Ok(form.clone()));
                let from_abroad = form.replace('+', "00");
                prop_assert_eq!(phone(&from_abroad, &[]), Ok(form));
            }
        }

        #[test]
        fn a_trunk_prefix_never_makes_another_number(
            plan in prop::sample::select(Plan::all().filter(|plan| {
                plan.trunk == "0" && (plan.min..=plan.max).contains(&9)
            }).collect::<Vec<_>>()),
            digits in "[2-9][0-9]{8}",
        ) {
            prop_assume!(!digits.starts_with(plan.code));
            let region = plan.regions.split(' ').next().unwrap();
            let form = format!("+{}{digits}", plan.code);
            prop_assert_eq!(phone(&format!("0{digits}"), &[region]), Ok(form.clone()));
            prop_assert_eq!(phone(&digits, &[region]), Ok(form));
        }
    }
}
