//! What a name is found by: entries that are looked up whole, so that a search costs what its answer has.
//!
//! A customer has an entry for every start of every word of the name (in Chinese, Japanese and Korean: for every part of
//! it), and four for every two words. A search looks up one entry and, if it has more words than that, compares the
//! rest with the names that stand beside it.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use super::{is_cjk, name_fold, name_words};

/// The longest start of a word that has an entry of its own, in characters.
const LONGEST_START: usize = 8;
/// The longest word that is told from others, in characters.
const LONGEST_WORD: usize = 32;
/// The most words of one customer's names.
const MOST_WORDS: usize = 16;
/// Between the words of the name and the other words that it is found by; it sorts before every letter.
const ALSO: &str = "\u{1f}";

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A whole word.
    Whole = 0,
    /// The start of a word, or a part of a Chinese, Japanese or Korean one.
    Part = 1,
    /// The first letter or two of two words.
    Pair = 2,
    /// A number of the customer, in its normal form.
    Number = 3,
}

/// All that a customer's names are found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameEntries {
    /// The words of the name, by which results are sorted; then other words that it is found by.
    pub names: String,
    /// The entries; of two kinds of one text, the better.
    pub entries: BTreeMap<String, Entry>,
}

impl NameEntries {
    /// Those of a customer's name, which comes first, and of the names of records that were merged into it.
    pub fn of(names: &[&str]) -> Self {
        let own = names.first().map(|name| words(name)).unwrap_or_default();
        let mut also: Vec<(String, Entry)> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let merged = if at == 0 { Vec::new() } else { words(name) };
            for spelled in [merged, unbroken(name), umlauts_spelled(name), written_together(name)] {
                also.extend(spelled.into_iter().map(|word| (word, Entry::Whole)));
            }
            also.extend(words(name).iter().filter_map(|word| umlauts_contracted(word)).map(|w| (w, Entry::Part)));
        }
        let mut all: Vec<(String, Entry)> = own.iter().map(|word| (word.clone(), Entry::Whole)).collect();
        for (word, entry) in also {
            if all.iter().all(|(other, _)| *other != word) && all.len() < MOST_WORDS {
                all.push((word, entry));
            }
        }
        let mut made = Self { names: own.join(" "), entries: BTreeMap::new() };
        if all.len() > own.len() {
            let also: Vec<&str> = all[own.len()..].iter().map(|(word, _)| word.as_str()).collect();
            made.names = format!("{} {ALSO} {}", made.names, also.join(" "));
        }
        for (at, (word, entry)) in all.iter().enumerate() {
            made.add_word(word, *entry);
            for (other, _) in &all[..at] {
                for (one, two) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                    if let Some(pair) = pair(&start(other, one), &start(word, two)) {
                        made.add(pair, Entry::Pair);
                    }
                }
            }
        }
        made
    }

    fn add_word(&mut self, word: &str, entry: Entry) {
        let chars: Vec<char> = word.chars().collect();
        let starts = if is_cjk_word(word) { chars.len() } else { 1 };
        for start in 0..starts {
            for end in start + 1..=chars.len().min(start + LONGEST_START) {
                self.add(chars[start..end].iter().collect(), Entry::Part);
            }
        }
        self.add(word.to_owned(), entry);
    }

    fn add(&mut self, text: String, entry: Entry) {
        let best = self.entries.entry(text).or_insert(entry);
        *best = entry.min(*best);
    }
}

/// The words of a name that somebody looks for. All of them must be there, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameQuery {
    words: Vec<String>,
    /// All that was typed as one word, if it is Chinese, Japanese or Korean.
    together: Option<String>,
}

/// How a kind of match is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The text of the entry.
    pub text: String,
    /// The kinds of entry that count.
    pub entries: &'static [Entry],
    /// What the names contain, each with a space before and after it all.
    pub having: Vec<String>,
    /// What the names do not contain all of, if there is anything.
    pub lacking: Vec<String>,
}

impl NameQuery {
    /// Reads what somebody typed; nothing if there is no letter in it.
    pub fn parse(text: &str) -> Option<Self> {
        let typed = words(text);
        // What another word says too, need not be looked for.
        let said = |at: usize, word: &String| {
            typed.iter().enumerate().any(|(other_at, other)| match other == word {
                true => other_at < at,
                false => other.starts_with(word) || (is_cjk_word(word) && other.contains(word)),
            })
        };
        let words: Vec<String> =
            typed.iter().enumerate().filter(|(at, word)| !said(*at, word)).map(|(_, word)| word.clone()).collect();
        let together = typed.iter().all(|word| is_cjk_word(word)).then(|| clipped(&typed.concat()));
        (!words.is_empty()).then_some(Self { words, together })
    }

    /// Names with exactly these words, among others.
    pub fn whole(&self) -> Lookup {
        if let Some(word) = self.short() {
            return Lookup { text: word.to_owned(), entries: &[Entry::Whole], having: Vec::new(), lacking: Vec::new() };
        }
        let (text, entries): (_, &[Entry]) = match (&self.together, self.pair()) {
            (None, Some(pair)) => (pair, &[Entry::Pair]),
            // A contracted word stands among the names as well, though its entry is a part.
            (together, _) => (together.as_deref().unwrap_or(self.longest()).to_owned(), &[Entry::Whole, Entry::Part]),
        };
        Lookup { text, entries, having: self.wholes(), lacking: Vec::new() }
    }

    /// Names with words that start with these (or have them in them, in Chinese, Japanese and Korean), and that
    /// [`NameQuery::whole`] does not find.
    pub fn part(&self) -> Lookup {
        if let Some(word) = self.short() {
            return Lookup { text: word.to_owned(), entries: &[Entry::Part], having: Vec::new(), lacking: Vec::new() };
        }
        let (text, entries): (_, &[Entry]) = match self.pair() {
            Some(pair) => (pair, &[Entry::Pair]),
            None => (start(self.longest(), LONGEST_START), &[Entry::Whole, Entry::Part]),
        };
        Lookup { text, entries, having: self.parts(), lacking: self.wholes() }
    }

    /// What the names of every match contain, with a space before and after it all.
    pub fn parts(&self) -> Vec<String> {
        let part = |word: &String| if is_cjk_word(word) { word.clone() } else { format!(" {word}") };
        self.words.iter().map(part).collect()
    }

    fn wholes(&self) -> Vec<String> {
        match &self.together {
            Some(word) => vec![format!(" {word} ")],
            None => self.words.iter().map(|word| format!(" {word} ")).collect(),
        }
    }

    /// The only word, if its entry alone tells whether it is a whole one.
    fn short(&self) -> Option<&str> {
        let [word] = self.words.as_slice() else { return None };
        let is_all = self.together.as_ref().is_none_or(|together| together == word);
        (is_all && word.chars().count() <= LONGEST_START).then_some(word)
    }

    fn longest(&self) -> &str {
        self.words.iter().max_by_key(|word| word.chars().count()).map_or("", String::as_str)
    }

    /// The entry that stands for the two longest words.
    fn pair(&self) -> Option<String> {
        let mut words: Vec<&String> = self.words.iter().filter(|word| !is_cjk_word(word)).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        match words.as_slice() {
            [one, other, ..] => pair(&start(one, 2), &start(other, 2)),
            _ => None,
        }
    }
}

fn words(text: &str) -> Vec<String> {
    name_words(text).iter().take(MOST_WORDS).map(|word| clipped(word)).collect()
}

fn clipped(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

fn is_cjk_word(word: &str) -> bool {
    word.chars().any(is_cjk)
}

fn pair(one: &str, other: &str) -> Option<String> {
    let is_pair = !is_cjk_word(one) && !is_cjk_word(other);
    is_pair.then(|| if one < other { format!("{one} {other}") } else { format!("{other} {one}") })
}

fn start(word: &str, letters: usize) -> String {
    word.chars().take(letters).collect()
}

/// `O'Brien` as obrien, `Anne-Marie` as annemarie.
fn unbroken(name: &str) -> Vec<String> {
    words(&name_fold(name).replace(|c: char| !super::is_word(c) && !c.is_whitespace(), ""))
}

/// `Müller` as mueller.
fn umlauts_spelled(name: &str) -> Vec<String> {
    let lower: String = name.nfc().flat_map(char::to_lowercase).collect();
    let mut spelled = String::with_capacity(lower.len());
    for c in lower.chars() {
        match c {
            'ä' => spelled.push_str("ae"),
            'ö' | 'ø' => spelled.push_str("oe"),
            'ü' => spelled.push_str("ue"),
            'å' => spelled.push_str("aa"),
            c => spelled.push(c),
        }
    }
    if spelled == lower { Vec::new() } else { words(&spelled) }
}

/// `Mueller` as muller, for those who type `Müller`.
fn umlauts_contracted(word: &str) -> Option<String> {
    let mut contracted = String::with_capacity(word.len());
    for c in word.chars() {
        if c != 'e'
            || !contracted.ends_with(['a', 'o', 'u'])
            || contracted.ends_with("qu")
            || contracted.ends_with("gu")
        {
            contracted.push(c);
        }
    }
    (contracted != word).then_some(contracted)
}

/// `김 민준` as 김민준.
fn written_together(name: &str) -> Vec<String> {
    let words = words(name);
    let runs = words.chunk_by(|one, other| is_cjk_word(one) && is_cjk_word(other));
    runs.filter(|run| run.len() > 1).map(|run| clipped(&run.concat())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By which kind of match a query finds a name.
    fn found(query: &str, names: &[&str]) -> Option<&'static str> {
        let made = NameEntries::of(names);
        let query = NameQuery::parse(query)?;
        let padded = format!(" {} ", made.names);
        let all = |texts: &[String]| texts.iter().all(|text| padded.contains(text.as_str()));
        let hit = |lookup: &Lookup| {
            made.entries.get(&lookup.text).is_some_and(|entry| lookup.entries.contains(entry))
                && all(&lookup.having)
                && (lookup.lacking.is_empty() || !all(&lookup.lacking))
        };
        match (hit(&query.whole()), hit(&query.part())) {
            (true, false) => Some("whole"),
            (false, true) => Some("part"),
            (true, true) => Some("twice"),
            (false, false) => None,
        }
    }

    #[test]
    fn names_are_found_as_people_type_them() {
        for (query, name, kind) in [
            ("Smith", "Emily Smith", Some("whole")),
            ("smi", "Emily Smith", Some("part")),
            ("SMITH emily", "Emily Smith", Some("whole")),
            ("smi em", "Emily Smith", Some("part")),
            ("s", "Emily Smith", Some("part")),
            ("smith e", "Emily Smith", Some("part")),
            ("mith", "Emily Smith", None),
            ("emily jones", "Emily Smith", None),
            ("muller", "Jürgen Müller", Some("whole")),
            ("Müller", "Jürgen Müller", Some("whole")),
            ("mueller juergen", "Jürgen Müller", Some("whole")),
            ("muell", "Jürgen Müller", Some("part")),
            ("Müller", "Max Mueller", Some("part")),
            ("Hausmüller", "Max Hausmueller", Some("whole")),
            ("Hausmüll", "Max Hausmueller", Some("part")),
            ("Müller 민준", "Mueller 민준", Some("whole")),
            ("Müll 민준", "Mueller 민준", Some("part")),
            ("grossmann", "Ute Großmann", Some("whole")),
            ("obrien", "Pat O’Brien", Some("whole")),
            ("o'brien", "Pat O’Brien", Some("whole")),
            ("pat obri", "Pat O’Brien", Some("part")),
            ("annemarie", "Anne-Marie Roux", Some("whole")),
            ("김", "김민준", Some("part")),
            ("민준", "김민준", Some("part")),
            ("김민", "김민준", Some("part")),
            ("김 민준", "김민준", Some("whole")),
            ("민준 김", "김민준", Some("part")),
            ("김 김", "김김", Some("whole")),
            ("김 김", "김민준", Some("part")),
            ("김민준", "김 민준", Some("whole")),
            ("김민", "김 민준", Some("part")),
            ("김준", "김민준", None),
            ("田中", "田中太郎", Some("part")),
            ("太郎", "田中 太郎", Some("whole")),
            ("ИВАН", "Мария Иванова", Some("part")),
            ("иванова мария", "Мария Иванова", Some("whole")),
            ("yilmaz", "Ayşe Yılmaz", Some("whole")),
            ("nguyen", "Nguyễn Văn Đức", Some("whole")),
            ("duc nguyen van", "Nguyễn Văn Đức", Some("whole")),
            ("papadopou", "Nikos Papadopoulos", Some("part")),
            ("papadopoulos", "Nikos Papadopoulos", Some("whole")),
            ("ann anna", "Anna Bell", Some("whole")),
            ("mar mari", "Maria Bell", Some("part")),
        ] {
            assert_eq!(found(query, &[name]), kind, "{query} in {name}");
        }
        assert_eq!(NameQuery::parse(" -- "), None);
    }

    #[test]
    fn a_record_that_was_merged_lends_its_name() {
        let names = ["Ana Petrova", "ana ivanova"];
        assert_eq!(found("ivanova", &names), Some("whole"));
        assert_eq!(found("petrova iva", &names), Some("part"));
        assert!(NameEntries::of(&names).names.starts_with("ana petrova \u{1f} "));
        assert_eq!(NameEntries::of(&[]), NameEntries::default());
    }

    #[test]
    fn a_name_has_few_entries() {
        assert_eq!(NameEntries::of(&["Emily Smith"]).entries.len(), 14);
        assert_eq!(NameEntries::of(&["김민준"]).entries.len(), 6);
        let long = NameEntries::of(&[&"Maximilian Wolfeschlegelsteinhausenbergerdorff ".repeat(40)]);
        assert!(long.entries.len() < 36 && long.names.len() < 800, "{long:?}");
    }

    proptest! {
        #[test]
        fn every_start_of_words_in_any_order_finds_the_name_once(
            mut picks in prop::collection::vec(("[A-Za-zà-öø-ÿ]{1,12}|[а-яё]{1,10}|[가-힣]{1,4}|[ぁ-ん]{1,5}", 1..12_usize), 1..4),
            reversed: bool,
        ) {
            let name: Vec<&str> = picks.iter().map(|(word, _)| word.as_str()).collect();
            let name = name.join(" ");
            if reversed {
                picks.reverse();
            }
            let typed: Vec<String> = picks.iter().map(|(word, n)| word.chars().take(*n).collect()).collect();
            prop_assert!(matches!(found(&typed.join(" "), &[&name]), Some("whole" | "part")), "{:?} in {}", typed, name);
        }

        #[test]
        fn any_part_of_a_korean_name_finds_it_with_or_without_space(
            name in "[가-힣]{2,5}", space in 1..4_usize, from in 0..4_usize, length in 1..5_usize,
        ) {
            let chars: Vec<char> = name.chars().collect();
            let typed: String = chars.iter().skip(from.min(chars.len() - 1)).take(length).collect();
            let (family, given) = chars.split_at(space.min(chars.len()));
            let spaced = format!("{} {}", family.iter().collect::<String>(), given.iter().collect::<String>());
            for written in [&name, &spaced] {
                prop_assert!(matches!(found(&typed, &[written]), Some("whole" | "part")), "{} in {}", typed, written);
                prop_assert!(matches!(found(&spaced, &[written]), Some("whole")), "{} in {}", spaced, written);
            }
        }

        #[test]
        fn case_and_accents_do_not_matter(name in "[a-zà-öø-ÿ]{2,9} [a-zà-öø-ÿ]{2,9}") {
            prop_assert_eq!(found(&name.to_uppercase(), &[&name]), Some("whole"));
            prop_assert_eq!(found(&name_fold(&name), &[&name]), Some("whole"));
        }

        #[test]
        fn no_text_breaks_the_entries_or_makes_too_many(name in "\\PC*", query in "\\PC*") {
            let made = NameEntries::of(&[&name, &query]);
            prop_assert!(made.entries.len() <= 16 * 256 && made.names.len() <= 16 * 33 * 4 + 8);
            prop_assert!(found(&query, &[&name]) != Some("twice"));
            if NameQuery::parse(&name).is_some() && words(&name).len() < 6 {
                prop_assert!(found(&name, &[&name]).is_some());
            }
        }
    }
}
