//! Whole numbers on the outside.

/// A whole number for a client, whose `Int` has 32 bits; one beyond them becomes the nearest that fits.
pub fn int(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}
