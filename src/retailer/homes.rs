//! The countries that customers live in: money, language, phones and parcels.

use super::text::{AR, BG, DE, EN, KO, Language, Place, TEXT};

/// A country.
#[derive(Debug, PartialEq)]
pub(super) struct Home {
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    /// Minor units for a thousand euro cents.
    pub(super) rate: i64,
    /// Prices are multiples of this.
    pub(super) step: i64,
    pub(super) language: Language,
    pub(super) locale: &'static str,
    pub(super) time_zone: &'static str,
    pub(super) carriers: &'static [&'static str],
    /// Of a hundred customers.
    pub(super) share: usize,
}

pub(super) const US: &Home = &HOMES[0];
pub(super) const GERMANY: &Home = &HOMES[1];
pub(super) const KOREA: &Home = &HOMES[2];
pub(super) const BULGARIA: &Home = &HOMES[3];
pub(super) const EMIRATES: &Home = &HOMES[4];

pub(super) static HOMES: [Home; 5] = [
    Home {
        country: "US",
        currency: "USD",
        rate: 1_100,
        step: 1,
        language: EN,
        locale: "en-US",
        time_zone: "America/New_York",
        carriers: &["UPS", "FedEx", "USPS"],
        share: 30,
    },
    Home {
        country: "DE",
        currency: "EUR",
        rate: 1_000,
        step: 1,
        language: DE,
        locale: "de-DE",
        time_zone: "Europe/Berlin",
        carriers: &["DHL", "Hermes", "DPD"],
        share: 25,
    },
    Home {
        country: "KR",
        currency: "KRW",
        rate: 15_000,
        step: 100,
        language: KO,
        locale: "ko-KR",
        time_zone: "Asia/Seoul",
        carriers: &["CJ Logistics", "Hanjin", "Lotte"],
        share: 17,
    },
    Home {
        country: "BG",
        currency: "BGN",
        rate: 1_956,
        step: 5,
        language: BG,
        locale: "bg-BG",
        time_zone: "Europe/Sofia",
        carriers: &["Speedy", "Econt"],
        share: 15,
    },
    Home {
        country: "AE",
        currency: "AED",
        rate: 4_000,
        step: 25,
        language: AR,
        locale: "ar-AE",
        time_zone: "Asia/Dubai",
        carriers: &["Aramex", "Emirates Post"],
        share: 13,
    },
];

impl Home {
    /// An amount of euro cents as a price here.
    pub(super) fn price(&self, cents: i64) -> i64 {
        (cents * self.rate / 1_000 / self.step).max(1) * self.step
    }

    /// The places where customers of this country live.
    pub(super) fn places(&self) -> impl Iterator<Item = &'static Place> {
        TEXT.places.iter().filter(|place| place.country == self.country)
    }

    /// A mobile number that no other customer of this country has: as people write it, and in E.164.
    pub(super) fn phone(&self, index: u64, way: usize) -> (String, String) {
        // The factors share no divisor with the modulus: different customers get different numbers.
        let digits = |modulus: u64| index.wrapping_mul(7_654_321) % modulus;
        match self.language {
            DE => {
                let n = format!("{:08}", digits(100_000_000));
                written(
                    way,
                    &[format!("+49 151 {n}"), format!("0151/{n}"), format!("0151 {} {}", &n[..4], &n[4..])],
                    format!("+49151{n}"),
                )
            }
            KO => {
                let n = format!("{:08}", digits(100_000_000));
                let (a, b) = n.split_at(4);
                written(
                    way,
                    &[format!("010-{a}-{b}"), format!("+82 10 {a} {b}"), format!("010 {a} {b}")],
                    format!("+8210{n}"),
                )
            }
            BG => {
                let n = format!("{:07}", digits(10_000_000));
                let (a, b) = n.split_at(3);
                written(
                    way,
                    &[format!("088{a} {b}"), format!("+359 88 {n}"), format!("+359 88{a} {b}")],
                    format!("+35988{n}"),
                )
            }
            AR => {
                let n = format!("{:07}", digits(10_000_000));
                let (a, b) = n.split_at(3);
                written(
                    way,
                    &[format!("050 {a} {b}"), format!("+971 50 {a} {b}"), format!("00971 50 {n}")],
                    format!("+97150{n}"),
                )
            }
            _ => {
                // The exchange 555 belongs to nobody in particular; only very large retailers leave it.
                let block = usize::try_from(index / 10_000).unwrap_or(0);
                let (area, exchange) = (AREAS[block % AREAS.len()], 555 + block / AREAS.len() % 400);
                let n = format!("{:04}", digits(10_000));
                written(
                    way,
                    &[
                        format!("({area}) {exchange}-{n}"),
                        format!("+1 {area} {exchange} {n}"),
                        format!("{area}.{exchange}.{n}"),
                    ],
                    format!("+1{area}{exchange}{n}"),
                )
            }
        }
    }
}

const AREAS: [u16; 20] =
    [503, 512, 312, 718, 206, 303, 404, 415, 617, 702, 213, 214, 215, 216, 305, 313, 602, 612, 713, 808];

fn written(way: usize, notations: &[String; 3], e164: String) -> (String, String) {
    (notations[way % 3].clone(), e164)
}

#[cfg(test)]
mod tests {
    use c360_rules::identifier;

    use super::*;

    #[test]
    fn every_notation_of_a_phone_is_read_as_its_number() {
        for home in &HOMES {
            for way in 0..3 {
                let (written, e164) = home.phone(4711, way);
                assert_eq!(identifier::phone(&written, &[home.country]).as_deref(), Ok(e164.as_str()), "{written}");
            }
        }
    }

    #[test]
    fn somebody_lives_everywhere() {
        assert_eq!(HOMES.iter().map(|home| home.share).sum::<usize>(), 100);
        assert!(HOMES.iter().all(|home| home.places().count() >= 4));
    }
}
