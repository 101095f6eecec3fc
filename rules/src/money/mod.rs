//! Exact money: an integer of minor units and a currency, and never a float.

mod currency;

use std::fmt;

pub use currency::{Currency, UnknownCurrency};

/// An amount of money; negative for money that flows back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount in the currency's minor units: cents, or whole yen.
    pub minor: i64,
    /// The currency, which says how many digits the minor unit takes.
    pub currency: Currency,
}

/// Why an amount cannot be computed or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies in one sum.
    #[error("cannot combine {0} with {1}")]
    CurrencyMismatch(Currency, Currency),
    /// Beyond 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// Not a plain decimal number.
    #[error("not a decimal amount: write it like 12.30 or -5")]
    Malformed,
    /// A fraction finer than the currency's minor unit.
    #[error("{} has {} decimal places, not more", .0.code(), .0.exponent())]
    TooPrecise(Currency),
}

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Money, operation: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = operation(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    /// The plain decimal, with exactly the currency's digits: `12.30`, `-0.05`, `1500` (yen).
    pub fn decimal(&self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let unit = self.currency.unit().unsigned_abs();
        let (whole, fraction) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        match usize::from(self.currency.exponent()) {
            0 => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{fraction:0digits$}"),
        }
    }

    /// Reads a plain decimal: an optional `-`, digits, and at most the currency's digits after a point.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooPrecise`] (even for zeros), [`MoneyError::Overflow`].
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        if [whole, fraction].iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
            return Err(MoneyError::Malformed);
        }
        let exponent = usize::from(currency.exponent());
        if digits.contains('.') && fraction.len() > exponent {
            return Err(MoneyError::TooPrecise(currency));
        }
        // Built towards the sign, since the most negative amount has no positive twin.
        let padding = std::iter::repeat_n(b'0', exponent.saturating_sub(fraction.len()));
        let minor =
            whole.bytes().chain(fraction.bytes().take(exponent)).chain(padding).try_fold(0_i64, |minor, byte| {
                let digit = i64::from(byte - b'0');
                minor.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
            });
        Ok(Money { minor: minor.ok_or(MoneyError::Overflow)?, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn decimals_have_exactly_the_digits_of_the_currency() {
        for (minor, code, text) in [
            (1230, "EUR", "12.30"),
            (-5, "EUR", "-0.05"),
            (1500, "JPY", "1500"),
            (-1500, "KRW", "-1500"),
            (1, "BHD", "0.001"),
            (12_345, "CLF", "1.2345"),
            (0, "USD", "0.00"),
            (i64::MIN, "USD", "-92233720368547758.08"),
            (i64::MAX, "JPY", "9223372036854775807"),
        ] {
            let money = Money::new(minor, currency(code));
            assert_eq!(money.decimal(), text);
            assert_eq!(Money::parse(text, currency(code)), Ok(money));
        }
    }

    #[test]
    fn reads_plain_decimals_only() {
        let eur = currency("EUR");
        for (text, minor) in [("12.3", 1230), ("-7", -700), ("007", 700), ("-0", 0)] {
            assert_eq!(Money::parse(text, eur), Ok(Money::new(minor, eur)), "{text}");
        }
        for text in ["", "-", ".", "1.", ".5", "+1", " 1", "1,00", "1e3", "--1", "1.-1", "1.0.0", "１", "NaN"] {
            assert_eq!(Money::parse(text, eur), Err(MoneyError::Malformed), "{text}");
        }
        assert_eq!(Money::parse("1.000", eur), Err(MoneyError::TooPrecise(eur)));
        assert_eq!(Money::parse("1.0", currency("JPY")), Err(MoneyError::TooPrecise(currency("JPY"))));
        assert_eq!(Money::parse("92233720368547758.08", eur), Err(MoneyError::Overflow));
    }

    #[test]
    fn sums_of_two_currencies_are_refused() {
        let (eur, usd) = (currency("EUR"), currency("USD"));
        assert_eq!(Money::new(1, eur).checked_add(Money::new(1, usd)), Err(MoneyError::CurrencyMismatch(eur, usd)));
        assert_eq!(Money::new(i64::MAX, eur).checked_add(Money::new(1, eur)), Err(MoneyError::Overflow));
        assert_eq!(Money::new(i64::MIN, eur).checked_sub(Money::new(1, eur)), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(minor: i64, currency in prop::sample::select(Currency::all().collect::<Vec<_>>())) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse(&money.decimal(), currency), Ok(money));
        }

        #[test]
        fn what_was_added_can_be_taken_away(a: i64, b: i64) {
            let (a, b) = (Money::new(a, currency("EUR")), Money::new(b, currency("EUR")));
            if let Ok(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b), Ok(a));
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "-?[0-9.]{0,30}|\\PC*", code in "EUR|JPY|KWD") {
            let _ = Money::parse(&text, currency(&code));
        }
    }
}
