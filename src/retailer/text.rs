//! What people are called, where they live and what they say, from the files in `data/`.

use std::sync::LazyLock;

/// The languages of the retailer, as the lists of [`Text`] are ordered.
pub(super) const LANGUAGES: [&str; 5] = ["en", "de", "ko", "bg", "ar"];

/// The place of a language among [`LANGUAGES`].
pub(super) type Language = usize;

pub(super) const EN: Language = 0;
pub(super) const DE: Language = 1;
pub(super) const KO: Language = 2;
pub(super) const BG: Language = 3;
pub(super) const AR: Language = 4;

/// A name as it is written, and in Latin letters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) local: &'static str,
    pub(super) latin: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Names {
    /// Given names of women, then of men.
    pub(super) given: [Vec<Name>; 2],
    /// Family names of women, then of men.
    pub(super) family: [Vec<Name>; 2],
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) country: &'static str,
    pub(super) city: &'static str,
    pub(super) region: &'static str,
    pub(super) postal_code: Option<&'static str>,
    pub(super) streets: Vec<&'static str>,
}

#[derive(Debug)]
pub(super) struct Ware {
    pub(super) department: &'static str,
    pub(super) category: &'static str,
    pub(super) brand: &'static str,
    pub(super) title: &'static str,
    pub(super) cents: i64,
    pub(super) sizes: Vec<&'static str>,
}

/// What is said in a ticket.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) topic: &'static str,
    pub(super) subject: &'static str,
    /// Customer, agent, customer, agent.
    pub(super) turns: [&'static str; 4],
}

#[derive(Debug)]
pub(super) struct Remark {
    /// `S` survey comment, `R` review, `M` mention, `G` suggestion.
    pub(super) kind: &'static str,
    pub(super) sentiment: &'static str,
    pub(super) title: &'static str,
    pub(super) body: &'static str,
}

/// All texts.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) names: [Names; 5],
    pub(super) places: Vec<Place>,
    pub(super) wares: Vec<Ware>,
    pub(super) conversations: [Vec<Conversation>; 5],
    pub(super) remarks: [Vec<Remark>; 5],
    pub(super) customer_notes: Vec<&'static str>,
    pub(super) ticket_notes: Vec<&'static str>,
}

pub(super) static TEXT: LazyLock<Text> = LazyLock::new(Text::read);

impl Text {
    fn read() -> Self {
        let mut text = Self::default();
        text.read_names();
        for [country, city, region, postal, streets] in lines(include_str!("data/places.txt")) {
            let postal_code = Some(postal).filter(|code| !code.is_empty());
            text.places.push(Place { country, city, region, postal_code, streets: streets.split(';').collect() });
        }
        for [department, category, brand, title, cents, sizes] in lines(include_str!("data/products.txt")) {
            let (cents, sizes) = (cents.parse().unwrap_or(1000), sizes.split(';').collect());
            text.wares.push(Ware { department, category, brand, title, cents, sizes });
        }
        for [code, topic, subject, a, b, c, d] in lines(include_str!("data/tickets.txt")) {
            text.conversations[language(code)].push(Conversation { topic, subject, turns: [a, b, c, d] });
        }
        for [code, kind, sentiment, title, body] in lines(include_str!("data/feedback.txt")) {
            text.remarks[language(code)].push(Remark { kind, sentiment, title, body });
        }
        for [kind, body] in lines(include_str!("data/notes.txt")) {
            if kind == "C" { text.customer_notes.push(body) } else { text.ticket_notes.push(body) }
        }
        text
    }

    fn read_names(&mut self) {
        let mut current = EN;
        for line in include_str!("data/names.txt").lines() {
            if let Some(code) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                current = language(code);
            }
            let [kind, local, latin] = fields(line);
            let names = &mut self.names[current];
            match kind {
                "f" => names.given[0].push(Name { local, latin }),
                "m" => names.given[1].push(Name { local, latin }),
                "family" => {
                    let (his, hers) = local.split_once(';').unwrap_or((local, local));
                    let (his_latin, hers_latin) = latin.split_once(';').unwrap_or((latin, latin));
                    names.family[0].push(Name { local: hers, latin: hers_latin });
                    names.family[1].push(Name { local: his, latin: his_latin });
                }
                _ => {}
            }
        }
    }
}

/// The place of a language; English if there is no such language.
pub(super) fn language(code: &str) -> Language {
    LANGUAGES.iter().position(|known| *known == code).unwrap_or(EN)
}

/// The fields of every line that is not a comment.
fn lines<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(fields)
}

fn fields<const N: usize>(line: &'static str) -> [&'static str; N] {
    let mut fields = [""; N];
    for (field, part) in fields.iter_mut().zip(line.splitn(N, '|')) {
        *field = part;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_something_to_say() {
        for (at, code) in LANGUAGES.iter().enumerate() {
            assert!(TEXT.conversations[at].iter().all(|c| c.turns.iter().all(|turn| !turn.is_empty())), "{code}");
            assert!(TEXT.conversations[at].len() >= 5, "{code}");
            for kind in ["S", "R", "M", "G"] {
                assert!(TEXT.remarks[at].iter().any(|r| r.kind == kind && !r.body.is_empty()), "{code} {kind}");
            }
            assert!(TEXT.names[at].given.iter().chain(&TEXT.names[at].family).all(|names| names.len() >= 10), "{code}");
        }
    }
}
