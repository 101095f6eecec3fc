#![doc = r"
The pure domain of c360: what is true about a customer, whatever stores or serves it.

No I/O, no clock, no randomness, no framework: time and new ids are arguments, every outcome is a value.

| module | what it decides |
| --- | --- |
| [`id`] | typed ids (`customer_01h…`): one prefix for each kind of thing |
| [`money`] | exact amounts in minor units, and the currencies there are |
| [`identifier`] | the one form in which an e-mail, a phone, a name or a number is compared |
| [`profile`] | what may stand in a customer's profile |
| [`mask`] | what is left of personal data for a caller who may not see it |
| [`ledger`] | the points ledger: lots, entries, and the laws that `verify` checks |
| [`earning`] | how many points an order earns, and when they can be spent |
| [`worth`] | what points pay at a till |
| [`tier`] | which loyalty tier a number of points gives, and what the next one takes |
| [`refund`] | how much may still be refunded, and by whom |
| [`satisfaction`] | NPS, CSAT and CES: ranges, figures, trends |
| [`rfm`] | the recency–frequency–monetary group of a customer |
| [`calendar`] | business hours in a time zone, and time counted in them |
| [`sla`] | clocks that measure promises: pause, stop, breach |
| [`ticket`] | how far a ticket has come, what may be done to it, and what that does to its clocks |
| [`access`] | scopes, roles and their ceilings |
| [`cursor`] | opaque positions in a list, bound to that list |
"]

pub mod access;
pub mod calendar;
pub mod cursor;
pub mod earning;
pub mod id;
pub mod identifier;
pub mod ledger;
pub mod mask;
pub mod money;
pub mod profile;
pub mod refund;
pub mod rfm;
pub mod satisfaction;
pub mod sla;
pub mod ticket;
pub mod tier;
pub mod worth;
