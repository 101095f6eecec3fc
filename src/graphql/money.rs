//! Money on the outside: an exact decimal and a currency.

use std::fmt::Display;

use async_graphql::{InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use c360_rules::money::{self, Currency};

use crate::error::Fault;

/// An exact decimal number as a text, such as "12.30".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

impl Decimal {
    /// A whole number of the smallest parts, of which `digits` stand after the point, without needless zeros:
    /// 15,000 with 4 digits is "1.5".
    pub fn scaled(parts: i64, digits: usize) -> Self {
        let sign = if parts < 0 { "-" } else { "" };
        let text = format!("{:0width$}", parts.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        match fraction.trim_end_matches('0') {
            "" => Self(format!("{sign}{whole}")),
            fraction => Self(format!("{sign}{whole}.{fraction}")),
        }
    }
}

/// An exact decimal number, written as a string such as `"12.30"`: never a floating-point number.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => return Err(InputValueError::expected_type(other)),
        };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let mut parts = digits.splitn(2, '.');
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some_and(is_number) && parts.next().is_none_or(is_number) {
            Ok(Self(text))
        } else {
            Err(InputValueError::custom("write a decimal number as \"12.30\""))
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A currency's three letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub String);

/// A currency by its three letters, as in ISO 4217: `USD`, `KRW`.
#[Scalar]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.parse::<Currency>().is_ok() => Ok(Self(text)),
            Value::String(_) => Err(InputValueError::custom("this is not an ISO 4217 currency code")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An amount of money.
#[derive(Clone, Debug, SimpleObject)]
pub struct Money {
    /// The amount in the currency's main unit, with exactly as many decimals as the currency has.
    amount: Decimal,
    /// The currency.
    currency_code: CurrencyCode,
}

impl Money {
    /// From minor units. A currency that is not in ISO 4217 is shown with two decimals.
    pub fn new(minor: i64, currency: &(impl AsRef<str> + Display + ?Sized)) -> Self {
        let amount = match currency.as_ref().parse::<Currency>() {
            Ok(currency) => money::Money { minor, currency }.decimal(),
            Err(_) => format!(
                "{}{}.{:02}",
                if minor < 0 { "-" } else { "" },
                minor.unsigned_abs() / 100,
                minor.unsigned_abs() % 100
            ),
        };
        Self { amount: Decimal(amount), currency_code: CurrencyCode(currency.to_string()) }
    }
}

/// An amount of money that a caller gives.
#[derive(Clone, Debug, InputObject)]
pub struct MoneyInput {
    /// The amount in the currency's main unit, such as "12.30".
    amount: Decimal,
    /// The currency.
    currency_code: CurrencyCode,
}

impl MoneyInput {
    /// The amount in minor units: not negative, with no more decimals than the currency has.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for `argument`.
    pub fn read(&self, argument: &str) -> Result<money::Money, Fault> {
        let bad = |message: &dyn Display| Fault::bad_input(argument, message);
        let currency: Currency = self.currency_code.0.parse().map_err(|error| bad(&error))?;
        let amount = money::Money::parse(&self.amount.0, currency).map_err(|error| bad(&error))?;
        if amount.minor < 0 {
            return Err(bad(&"an amount cannot be negative"));
        }
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_number_has_no_needless_zeros() {
        for (parts, digits, text) in
            [(15_000, 4, "1.5"), (10_000, 4, "1"), (5, 2, "0.05"), (-1_250, 2, "-12.5"), (0, 4, "0"), (7, 0, "7")]
        {
            assert_eq!(Decimal::scaled(parts, digits).0, text);
        }
    }
}
