//! What is checked before anything walks a document.

use crate::error::{Code, Fault};

/// Deepest nesting of brackets of any kind. Parsers and validators recurse; the stack does not grow with the input.
const MAX_NESTING: usize = 64;

/// Refuses documents that are nested too deeply for anything that recurses over them.
pub(super) fn check(document: &str) -> Result<(), Fault> {
    let mut depth = 0_usize;
    let mut rest = document.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > MAX_NESTING {
                    let message = format!("the document is nested more than {MAX_NESTING} levels deep");
                    return Err(Fault::new(Code::GraphqlValidationFailed, message));
                }
                tail
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                tail
            }
            b'#' => after_line(tail),
            b'"' => after_string(tail),
            _ => tail,
        };
    }
    Ok(())
}

fn after_line(text: &[u8]) -> &[u8] {
    text.iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(&[], |at| &text[at..])
}

/// What follows a string whose opening quote was just read.
fn after_string(text: &[u8]) -> &[u8] {
    if let Some(block) = text.strip_prefix(b"\"\"") {
        let mut at = 0;
        while at < block.len() {
            match &block[at..] {
                [b'\\', b'"', b'"', b'"', ..] => at += 4,
                [b'"', b'"', b'"', ..] => return &block[at + 3..],
                _ => at += 1,
            }
        }
        return &[];
    }
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return &text[at + 1..],
            // A string ends at the line's end at the latest; the parser will say so.
            b'\n' => return &text[at..],
            _ => {}
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let braces = "{[(".repeat(40);
        assert!(
            check(&format!(
                "{{ a(b: \"{braces}\\\"{braces}\") # {braces}\n c(d: \"\"\"{braces}\\\"\"\"{braces}\"\"\") }}"
            ))
            .is_ok()
        );
        assert!(check(&braces).is_err());
        assert!(check(&format!("\"unfinished {braces}\n {braces}")).is_err());
    }
}
