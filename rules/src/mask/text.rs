//! Free text without the personal data that people write into it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

use super::HIDDEN;
use crate::identifier::{is_cjk, is_dash, is_invisible, is_space, is_word, name_fold, name_words};

/// The fewest digits that make a number personal: a phone, a card, a date of birth.
const PERSONAL_DIGITS: usize = 6;
/// The most separators between two digits of one number.
const GAP: usize = 3;

/// A text with everything hidden that tells who wrote it: e-mail addresses, social handles, URLs that carry a
/// user name, runs of six digits and more whatever their separators and script, and the words of `names`
/// whatever their case and accents.
///
/// A name hides as a whole word; in Chinese, Japanese and Korean, which write particles and titles to the word,
/// anywhere, and there also without its first character (the family name). The result is NFC. It hides too
/// much rather than too little: an order number or a date may go with the rest.
pub fn text(text: &str, names: &[&str]) -> String {
    let chars: Vec<char> = text.nfc().collect();
    let mut hidden = vec![false; chars.len()];
    for range in addresses(&chars).chain(numbers(&chars)).chain(named(&chars, names)) {
        hidden[range].fill(true);
    }
    let mut masked = String::with_capacity(text.len());
    for (at, &c) in chars.iter().enumerate() {
        match (hidden[at], at > 0 && hidden[at - 1]) {
            (false, _) => masked.push(c),
            (true, false) => masked.push_str(HIDDEN),
            (true, true) => {}
        }
    }
    masked
}

/// The words with an `@`: addresses, handles, and the URLs that hold one.
fn addresses(chars: &[char]) -> impl Iterator<Item = Range<usize>> {
    let ends = |c: &char| c.is_whitespace() || "<>()[]{}\",;「」『』（）《》•".contains(*c);
    let mut start = 0;
    chars.split(ends).filter_map(move |word| {
        let range = start..start + word.len();
        start = range.end + 1;
        match word {
            [at] if is_at(*at) => {
                // "jane @ example.com": one word on each side.
                let before = spaced(chars[..range.start].iter().rev())?;
                let after = spaced(chars[range.end..].iter())?;
                let dotted = chars[range.end..range.end + after].contains(&'.');
                dotted.then_some(range.start - before..range.end + after)
            }
            _ => word.iter().any(|&c| is_at(c)).then_some(range),
        }
    })
}

fn is_at(c: char) -> bool {
    matches!(c, '@' | '＠' | '﹫')
}

/// The length of one space and the word after it, if that is what comes first.
fn spaced<'a>(mut chars: impl Iterator<Item = &'a char>) -> Option<usize> {
    chars.next().filter(|c| c.is_whitespace())?;
    let word = chars.take_while(|&&c| is_word(c) || "._+-%".contains(c)).count();
    (word > 0).then_some(1 + word)
}

/// Runs of digits that only separators divide.
fn numbers(chars: &[char]) -> impl Iterator<Item = Range<usize>> {
    let mut runs: Vec<(Range<usize>, usize)> = Vec::new();
    let mut gap = usize::MAX;
    for (at, &c) in chars.iter().enumerate() {
        match runs.last_mut() {
            Some((run, digits)) if c.is_numeric() && gap <= GAP => {
                run.end = at + 1;
                *digits += 1;
                gap = 0;
            }
            _ if c.is_numeric() => {
                let plus = at > 0 && matches!(chars[at - 1], '+' | '＋');
                runs.push((at - usize::from(plus)..at + 1, 1));
                gap = 0;
            }
            _ if is_invisible(c) => {}
            _ if is_gap(c) => gap = gap.saturating_add(1),
            _ => gap = usize::MAX,
        }
    }
    runs.into_iter().filter(|&(_, digits)| digits >= PERSONAL_DIGITS).map(|(run, _)| run)
}

fn is_gap(c: char) -> bool {
    is_space(c) || is_dash(c) || "./()[]+_*~·・（）．／".contains(c)
}

/// The names in a text. Every character is folded alone, so that what is found can be traced back.
fn named(chars: &[char], names: &[&str]) -> impl Iterator<Item = Range<usize>> {
    let names: Vec<Vec<char>> = names.iter().flat_map(|name| name_words(name)).flat_map(spellings).collect();
    let mut folded: Vec<(char, usize)> = Vec::new();
    if !names.is_empty() {
        for (at, &c) in chars.iter().enumerate() {
            match c {
                // Most text needs no table to fold.
                c if c.is_ascii() => folded.push((c.to_ascii_lowercase(), at)),
                '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => folded.push((c, at)),
                // A space divides words, though it folds to nothing; a mark vanishes.
                c if c.is_whitespace() => folded.push((' ', at)),
                c => folded.extend(name_fold(c.encode_utf8(&mut [0; 4])).chars().map(|letter| (letter, at))),
            }
        }
    }
    let mut found = Vec::new();
    for name in &names {
        for (at, window) in folded.windows(name.len()).enumerate() {
            let inside = |neighbour: Option<&(char, usize)>| neighbour.is_some_and(|&(c, _)| is_word(c));
            let whole = || {
                !inside(at.checked_sub(1).and_then(|before| folded.get(before))) && !inside(folded.get(at + name.len()))
            };
            if window.iter().zip(name).all(|((c, _), letter)| c == letter)
                && (name.iter().all(|&c| is_cjk(c)) || whole())
                && let [(_, start), ..] = window
                && let [.., (_, end)] = window
            {
                found.push(*start..end + 1);
            }
        }
    }
    found.into_iter()
}

/// A word of a name, and what else it is called by.
fn spellings(word: String) -> Vec<Vec<char>> {
    let word: Vec<char> = word.chars().collect();
    match word.as_slice() {
        [_, given @ ..] if given.len() > 1 && word.iter().all(|&c| is_cjk(c)) => vec![given.to_vec(), word],
        [_] => Vec::new(),
        _ => vec![word],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn personal_data_is_hidden_and_the_rest_stays() {
        let names = ["José Núñez", "김민수"];
        for (secret, masked) in [
            ("Write to jane.doe@example.com, please", "Write to •••, please"),
            ("Write to <jane@example.com>.", "Write to <•••>."),
            ("jane @ example.com now", "••• now"),
            ("ask @jane_doe!", "ask •••"),
            ("see https://jane:pw@shop.example/x?y now", "see ••• now"),
            ("call +82 10-1234-5678 at 5", "call ••• at 5"),
            ("(010) 1234.5678", "(•••"),
            ("card 4111 1111 1111 1111 ok", "card ••• ok"),
            ("０１０－１２３４－５６７８", "•••"),
            ("1\u{200b}2\u{200b}3\u{200b}4\u{200b}5\u{200b}6", "•••"),
            ("two 12345 and 6 left", "two 12345 and 6 left"),
            ("JOSE NUNEZ called", "••• ••• called"),
            ("Josés José's jose\u{301}", "Josés •••'s •••"),
            ("J\u{200b}osé", "•••"),
            ("Ｊosé", "•••"),
            ("김민수님, 민수 씨는", "•••님, ••• 씨는"),
            ("size @ 5 pm", "size @ 5 pm"),
            ("nothing to hide", "nothing to hide"),
        ] {
            assert_eq!(text(secret, &names), masked, "{secret}");
        }
    }

    #[test]
    fn letters_of_one_name_do_not_empty_a_text() {
        assert_eq!(text("J and a plan for Ann", &["J", "Ann A"]), "J and a plan for •••");
        assert_eq!(text("as is", &[]), "as is");
        assert_eq!(text("as is", &["", " - "]), "as is");
    }

    proptest! {
        #[test]
        fn no_email_survives(
            before in "[a-z 가-힣.]{0,9}", local in "[a-z0-9]{1,9}", host in "[a-z]{3,9}", after in "[a-z .,!]{0,9}",
        ) {
            let masked = text(&format!("{before}{local}@{host}.com{after}"), &[]);
            prop_assert!(!masked.contains('@') && !masked.contains(&format!("{host}.com")), "{}", masked);
        }

        #[test]
        fn no_number_of_six_digits_survives(
            before in "\\PC{0,9}", number in "\\+?[0-9]([ ./()-]{0,3}[0-9]){5,15}", after in "\\PC{0,9}",
        ) {
            let masked = text(&format!("{before}{number}{after}"), &[]);
            prop_assert!(!masked.contains(&number), "{}", masked);
            prop_assert!(numbers(&masked.chars().collect::<Vec<_>>()).next().is_none(), "{}", masked);
        }

        #[test]
        fn no_name_survives_in_any_case(
            given in "[A-Za-zÀ-ÖØ-öø-ž]{3,9}", family in "[가-힣]{2,4}", before in "([a-z]{0,5} )?", after in "( [a-z]{0,5})?",
        ) {
            for written in [given.clone(), given.to_uppercase(), given.to_lowercase(), name_fold(&given)] {
                let masked = text(&format!("{before}{written} {family}님{after}"), &[&given, &family]);
                prop_assert!(!name_words(&masked).contains(&name_fold(&given)), "{}", masked);
                prop_assert!(!masked.contains(&family), "{}", masked);
            }
        }

        #[test]
        fn hiding_twice_changes_nothing(secret in "\\PC*|[a-z0-9@ .+()-]*", name in "[a-z가-힣 ]{0,6}") {
            let masked = text(&secret, &[&name]);
            prop_assert_eq!(text(&masked, &[&name]), masked);
        }

        #[test]
        fn no_text_breaks_the_mask(secret in ".*", name in "\\PC{0,9}") {
            let _ = text(&secret, &[&name]);
        }
    }
}
