//! Identifiers and names: a normal form is its own normal form, and a customer is found by its own name.

use c360_rules::identifier::{
    Entry, Lookup, NameEntries, NameQuery, calling_code, customer_number, email, name_fold, name_words, phone,
};

const REGIONS: [&str; 14] = ["KR", "US", "GB", "DE", "IT", "RU", "HU", "JP", "CN", "MX", "AR", "BR", "AU", "XX"];

/// A choice of regions, then two lines: what somebody typed or is called, and another one.
pub fn run(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    let chosen = [usize::from(choice >> 4), usize::from(choice & 15)].map(|at| REGIONS[at % REGIONS.len()]);
    of_phones(one, &chosen);
    of_addresses_and_numbers(one);
    of_names(one, other);
}

fn of_phones(text: &str, regions: &[&str]) {
    if let Ok(form) = phone(text, regions) {
        let digits = form.strip_prefix('+').unwrap();
        assert!((5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()), "{form}");
        assert!(digits.starts_with(calling_code(&form).unwrap()), "{form}");
        for regions in [&[], regions, &REGIONS] {
            assert_eq!(phone(&form, regions).as_ref(), Ok(&form), "{text:?} in {regions:?}");
        }
    }
}

fn of_addresses_and_numbers(text: &str) {
    if let Ok(form) = email(text) {
        assert!(form.len() <= 254 && !form.contains(char::is_whitespace), "{form:?}");
        assert_eq!(email(&form).as_ref(), Ok(&form));
        assert_eq!(email(&format!("\u{feff} {text}\t")).as_ref(), Ok(&form));
    }
    if let Ok(form) = customer_number(text) {
        assert!((1..=64).contains(&form.chars().count()), "{form:?}");
        assert_eq!(customer_number(&form).as_ref(), Ok(&form));
    }
}

fn of_names(name: &str, other: &str) {
    let folded = name_fold(name);
    assert_eq!(name_fold(&folded), folded);
    let words = name_words(name);
    assert_eq!(name_words(&folded), words);
    assert!(words.iter().all(|word| !word.is_empty() && folded.contains(word.as_str())));

    let made = NameEntries::of(&[name, other]);
    assert!(made.entries.len() <= 16 * 256 && made.names.chars().count() <= 16 * 33 + 8, "{made:?}");
    assert!(made.entries.keys().all(|text| !text.is_empty() && text.chars().count() <= 32), "{made:?}");
    assert_ne!(found(other, &made), (true, true), "{other:?} in {name:?}");
    assert_eq!(NameQuery::parse(name).is_some(), !words.is_empty());
    if (1..6).contains(&words.len()) {
        let found = found(name, &made);
        assert!(found.0 != found.1, "{name:?}: {found:?} in {made:?}");
    }
}

/// Whether a query finds what has these entries by whole words, and by parts of them.
fn found(query: &str, made: &NameEntries) -> (bool, bool) {
    let Some(query) = NameQuery::parse(query) else { return (false, false) };
    let padded = format!(" {} ", made.names);
    let has = |texts: &[String]| texts.iter().all(|text| padded.contains(text.as_str()));
    let hit = |lookup: Lookup| {
        let entry: Option<&Entry> = made.entries.get(&lookup.text);
        entry.is_some_and(|entry| lookup.entries.contains(entry))
            && has(&lookup.having)
            && (lookup.lacking.is_empty() || !has(&lookup.lacking))
    };
    (hit(query.whole()), hit(query.part()))
}
