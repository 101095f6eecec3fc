//! Names, folded so that people find them as they type them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::is_invisible;

/// A name without accents, case and surplus space.
///
/// Accents of Latin, Greek, Cyrillic, and the vowel points of Hebrew and Arabic fall away; marks that spell
/// another word stay (voiced kana, vowel signs of Indic scripts and Thai). Letters that no decomposition
/// reaches are spelled out (`ß` ss, `ø` o, `ł` l, `æ` ae). Hangul stays in whole syllables.
///
/// ```
/// assert_eq!(c360_rules::identifier::name_fold("  Łukasz   ŻÓŁĆ "), "lukasz zolc");
/// assert_eq!(c360_rules::identifier::name_fold("김 민수"), "김 민수");
/// ```
pub fn name_fold(name: &str) -> String {
    let letters = name.nfkd().filter(|&c| !is_accent(c) && !is_invisible(c));
    let lower = letters.flat_map(char::to_lowercase).nfkd().filter(|&c| !is_accent(c));
    let mut plain = String::with_capacity(name.len());
    for c in lower {
        match spelled(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    let plain: String = plain.nfc().collect();
    let mut words = plain.split_whitespace();
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + " " + word)
}

/// The words of a name, folded: what a search by the start of any word compares with.
pub fn name_words(name: &str) -> Vec<String> {
    let folded = name_fold(name);
    let words = folded.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Whether a character belongs to a word: letters, digits, and the marks on them.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Marks that people leave out when they type, by Unicode block.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        '’' | '‘' | 'ʼ' => "'",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_compare_without_case_and_accents() {
        for (name, folded) in [
            ("José  Ñúñez", "jose nunez"),
            ("JOSE\u{301}", "jose"),
            ("Ｊａｎｅ\u{3000}Ｄｏｅ", "jane doe"),
            ("İstanbul Iğdır", "istanbul igdir"),
            ("Straße Ærø", "strasse aero"),
            ("Νίκος", "νικοσ"),
            ("\u{1100}\u{1175}\u{11b7} 민수", "김 민수"),
            ("O’Brien", "o'brien"),
            ("ガ カ", "ガ カ"),
            ("ｶﾞ", "ガ"),
            ("สมชาย ดี", "สมชาย ดี"),
            ("", ""),
        ] {
            assert_eq!(name_fold(name), folded, "{name}");
        }
    }

    #[test]
    fn words_end_at_spaces_and_signs() {
        assert_eq!(name_words("Anne-Marie O'Brien, (Jr.)"), ["anne", "marie", "o", "brien", "jr"]);
        assert_eq!(name_words("김민수"), ["김민수"]);
        assert!(name_words(" - ").is_empty());
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC*") {
            let folded = name_fold(&name);
            prop_assert_eq!(name_fold(&folded), folded);
        }

        #[test]
        fn capitals_fold_as_small_letters_do(name in "[a-zà-öø-žа-яα-ω가-힣 ]*") {
            prop_assert_eq!(name_fold(&name.to_uppercase()), name_fold(&name));
        }

        #[test]
        fn composed_and_decomposed_fold_alike(name in "\\PC*") {
            prop_assert_eq!(name_fold(&name.nfd().collect::<String>()), name_fold(&name));
        }

        #[test]
        fn words_are_made_of_the_folded_name(name in "\\PC*") {
            let folded = name_fold(&name);
            prop_assert!(name_words(&name).iter().all(|word| !word.is_empty() && folded.contains(word.as_str())));
        }
    }
}
