//! Texts that people wrote.

use c360_rules::mask;

/// A free text as the caller may read it: masked without `pii`, and with it the name of the customer, who may have
/// signed.
pub fn free_text(text: &str, pii: bool, name: Option<&str>) -> String {
    if pii { text.to_owned() } else { mask::text(text, name.as_slice()) }
}
