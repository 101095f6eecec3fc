//! The currencies of ISO 4217 and the digits of their minor units.

use std::fmt;
use std::str::FromStr;

/// A currency by its ISO 4217 alphabetic code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

/// Not the code of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code: expected three capital letters, like EUR")]
pub struct UnknownCurrency;

/// The active list of ISO 4217 (list one, of the maintenance agency SIX), by the number of digits after the
/// point: 0, 2, 3, 4. Codes without a minor unit (metals, tests) are left out. Some that were withdrawn
/// since 2020 stay, because orders keep theirs: ANG BGN CUC HRK SLL ZWL.
const CODES: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD \
         CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
         GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD \
         MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR \
         PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP \
         TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

impl Currency {
    /// Every currency.
    pub fn all() -> impl Iterator<Item = Currency> {
        CODES.iter().flat_map(|&(exponent, codes)| codes.split(' ').map(move |code| Currency { code, exponent }))
    }

    /// The alphabetic code: `EUR`.
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// How many digits the minor unit takes after the point: 2 for cents, 0 for yen.
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// How many minor units make one whole unit: 100 for cents.
    pub const fn unit(self) -> i64 {
        10_i64.pow(self.exponent as u32)
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    /// Reads a code in capitals.
    fn from_str(code: &str) -> Result<Currency, UnknownCurrency> {
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(UnknownCurrency);
        }
        // Codes are three letters and a space: a hit is one at a multiple of four.
        CODES
            .iter()
            .find_map(|&(exponent, codes)| {
                let at = codes.match_indices(code).map(|(at, _)| at).find(|at| at % 4 == 0)?;
                Some(Currency { code: codes.get(at..at + 3)?, exponent })
            })
            .ok_or(UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_currency_reads_back_and_occurs_once() {
        let all: Vec<_> = Currency::all().collect();
        assert_eq!(all.iter().map(|c| c.code()).collect::<HashSet<_>>().len(), all.len());
        for currency in all {
            assert_eq!(currency.code().parse(), Ok(currency));
        }
    }

    #[test]
    fn exponents_are_those_of_the_standard() {
        for (code, exponent) in [("EUR", 2), ("JPY", 0), ("KRW", 0), ("BHD", 3), ("UYW", 4), ("XCG", 2)] {
            assert_eq!(code.parse().map(Currency::exponent), Ok(exponent));
        }
    }

    #[test]
    fn nothing_else_is_a_currency() {
        for code in ["", "eur", "EU", "EURO", "XXX", "XTS", "XAU", "EUR ", "€", " AE", "ED "] {
            assert_eq!(code.parse::<Currency>(), Err(UnknownCurrency), "{code}");
        }
    }

    proptest! {
        #[test]
        fn a_code_that_reads_is_the_code(code in "[A-Z ]{3}") {
            if let Ok(currency) = code.parse::<Currency>() {
                prop_assert_eq!(currency.code(), code);
            }
        }
    }
}
