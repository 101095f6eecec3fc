//! Texts that callers write down.

use super::{Outcome, Problem};

/// Most characters of a title, a name or a reason.
const SHORT: usize = 500;
/// Most characters of a message or a note.
const LONG: usize = 20_000;

/// A line, without spaces around it.
///
/// # Errors
/// `BLANK`, `TOO_LONG` (500 characters), `INVALID_TEXT`.
pub fn short_text(field: &'static str, text: &str) -> Outcome<String> {
    line(field, text, SHORT)
}

/// A line of at most so many characters, without spaces around it.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID_TEXT`.
pub fn line(field: &'static str, text: &str, most: usize) -> Outcome<String> {
    checked(field, text, most, |_| false)
}

/// A text of several lines, without spaces around it.
///
/// # Errors
/// `BLANK`, `TOO_LONG` (20,000 characters), `INVALID_TEXT`.
pub fn long_text(field: &'static str, text: &str) -> Outcome<String> {
    checked(field, text, LONG, |c| matches!(c, '\n' | '\r' | '\t'))
}

/// An idempotency key: 1 to 255 characters without spaces.
///
/// # Errors
/// `INVALID_IDEMPOTENCY_KEY`.
pub fn key(key: &str) -> Outcome<()> {
    let is_fine = (1..=255).contains(&key.chars().count()) && !key.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_fine {
        return Ok(());
    }
    let message = "use 1 to 255 characters without spaces; a UUID is a good key";
    Err(Problem::InvalidIdempotencyKey.at("idempotencyKey", message).into())
}

fn checked(field: &'static str, text: &str, most: usize, may: impl Fn(char) -> bool) -> Outcome<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::Blank.at(field, "write something").into());
    }
    if text.chars().nth(most).is_some() {
        return Err(Problem::TooLong.at(field, format!("at most {most} characters")).into());
    }
    if text.chars().any(|c| is_unfit(c) && !may(c)) {
        return Err(Problem::InvalidText.at(field, "leave out control characters").into());
    }
    Ok(text.to_owned())
}

/// Control characters, those that turn the direction of what follows, and those that stand for no character.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!(short_text("reason", "  late parcel ").as_deref(), Ok("late parcel"));
        for (text, problem) in [
            (" ", Problem::Blank),
            ("a\0b", Problem::InvalidText),
            ("a\nb", Problem::InvalidText),
            ("\u{202e}b", Problem::InvalidText),
            (&"x".repeat(501), Problem::TooLong),
        ] {
            assert!(matches!(short_text("reason", text), Err(super::super::Stop::Refused(r)) if r.problem == problem));
        }
        assert!(long_text("body", "two\nlines").is_ok() && short_text("reason", &"민".repeat(500)).is_ok());
    }

    #[test]
    fn keys_are_words() {
        assert!(key("6f9d-1").is_ok() && key(&"k".repeat(255)).is_ok());
        for wrong in ["", " ", "a b", "a\u{0}", &"k".repeat(256)] {
            assert!(key(wrong).is_err(), "{wrong:?}");
        }
    }
}
