//! The demo's retailer: customers like any others, and a few that were placed by hand to show everything.
//!
//! They are the first customers, whatever the seed.

use chrono::{DateTime, Utc};

use super::Plan;
use super::homes::{BULGARIA, EMIRATES, GERMANY, Home, KOREA, US};
use super::person::{Opinion, TicketPlan, Traits};

/// A customer that was placed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CastMember {
    /// The customer number.
    pub number: &'static str,
    /// The name, as the customer writes it.
    pub name: &'static str,
    /// The verified e-mail address, unless the seed left it unverified.
    pub email: &'static str,
    index: u64,
}

macro_rules! cast {
    ($($(#[doc = $doc:literal])+ $constant:ident = $index:literal, $number:literal, $name:literal, $email:literal;)+) => {
        $($(#[doc = $doc])+
        pub const $constant: CastMember =
            CastMember { number: $number, name: $name, email: $email, index: $index };)+

        /// Everybody that was placed by hand.
        pub const CAST: &[CastMember] = &[$($constant),+];
    };
}

cast! {
    /// The customer whose token and first screen the demo prints: English, with something of everything.
    DEMO_CUSTOMER = 1, "C-000001", "Zoë Thompson", "zoe.thompson@example.com";
    /// A VIP, in Korean.
    VIP = 2, "C-000002", "김민지", "minji.kim@example.com";
    /// Bulgarian, with an open ticket and one that waited too long.
    BULGARIAN = 3, "C-000003", "Елена Стоянова", "elena.stoyanova@example.com";
    /// German: an order came back after its points were spent, so points are owed.
    POINTS_OWED = 4, "C-000004", "Jürgen Großmann", "juergen.grossmann@example.com";
    /// Arabic: a bad review, a mention on a social network and a suggestion.
    ARABIC = 5, "C-000005", "ليلى المنصوري", "layla.almansoori@example.com";
    /// Never ordered anything and is in no programme.
    STRANGER = 6, "C-000006", "Alex Novák", "alex.novak@example.com";
    /// The first of three at one telephone.
    HOUSEHOLD_FIRST = 7, "C-000007", "Sophie Becker", "sophie.becker@example.com";
    /// The second of three at one telephone.
    HOUSEHOLD_SECOND = 8, "C-000008", "Tobias Becker", "tobias.becker@example.com";
    /// The third of three at one telephone.
    HOUSEHOLD_THIRD = 9, "C-000009", "Hannelore Becker", "hannelore.becker@example.com";
    /// Waits for a parcel that should have been there by now.
    LATE_PARCEL = 10, "C-000010", "Marcus Hughes", "marcus.hughes@example.com";
    /// Has an open ticket whose first reply is overdue.
    BREACHED_TICKET = 11, "C-000011", "Георги Петров", "georgi.petrov@example.com";
    /// Has points that expire within days.
    POINTS_EXPIRING = 12, "C-000012", "박지훈", "jihoon.park@example.com";
    /// A detractor whose follow-up is open.
    DETRACTOR = 13, "C-000013", "Anna Lehmann", "anna.lehmann@example.com";
    /// A row that was merged into [`SURVIVOR`], who also answers to this address now.
    MERGED = 14, "C-000014", "priya patel", "priya.patel.home@example.com";
    /// Was in the books twice, and is not any more.
    SURVIVOR = 15, "C-000015", "Priya Patel", "priya.patel@example.com";
    /// Stands at a till with points reserved.
    AT_THE_TILL = 16, "C-000016", "عمر الهاشمي", "omar.alhashimi@example.com";
}

/// The telephone that the household shares, in E.164. Nobody verified it.
pub const HOUSEHOLD_PHONE: &str = "+49305550142";

/// How many customers the demo has, if nobody says otherwise.
pub const CUSTOMERS: u64 = 2_000;

/// Orders of the busiest customer who was not placed by hand: a demo starts within seconds.
const MOST_ORDERS: u32 = 8;

/// The demo's retailer. It always has the whole cast.
pub fn plan(customers: u64, as_of: DateTime<Utc>) -> Plan {
    Plan {
        seed: 360,
        customers: customers.max(CAST.len() as u64),
        most_orders: MOST_ORDERS,
        history: 100,
        as_of,
        cast: true,
    }
}

/// Who is at an index.
#[derive(Debug)]
pub(super) enum Place {
    /// Nobody in particular.
    Free,
    /// Somebody who was placed here by hand.
    Taken(Box<Traits>),
    /// Somebody whose rows are made with those of another customer.
    Elsewhere,
}

pub(super) fn traits(plan: &Plan, index: u64) -> Place {
    let member = CAST.iter().find(|member| plan.cast && member.index == index);
    let Some(member) = member else { return Place::Free };
    if *member == MERGED {
        return Place::Elsewhere;
    }
    Place::Taken(Box::new(placed(member)))
}

/// The traits of a member of the cast.
fn placed(member: &CastMember) -> Traits {
    let usual = plain(member, US);
    let open = |minutes_ago, neglected| TicketPlan { status: "OPEN", minutes_ago, neglected };
    let solved = |days: i64| TicketPlan { status: "SOLVED", minutes_ago: days * 1_440, neglected: false };
    let closed = |days: i64| TicketPlan { status: "CLOSED", ..solved(days) };
    let says = |kind, bad, days_ago| Opinion { kind, bad, days_ago };
    let family = || Some(("030 5550142".to_owned(), HOUSEHOLD_PHONE.to_owned()));
    match *member {
        DEMO_CUSTOMER => Traits {
            orders: 26,
            days: 1_500,
            late_parcel: true,
            points_expiring: true,
            returns: true,
            phone: Some(("(971) 555-0142".to_owned(), "+19715550142".to_owned())),
            phone_verified: true,
            tickets: vec![
                closed(300),
                closed(90),
                solved(9),
                TicketPlan { status: "PENDING", ..open(2_000, false) },
                open(25, false),
            ],
            opinions: vec![
                says('N', false, 200),
                says('S', false, 120),
                says('R', false, 60),
                says('M', false, 30),
                says('G', false, 20),
                says('S', false, 10),
                says('N', true, 1),
            ],
            ..usual
        },
        VIP => Traits {
            home: KOREA,
            vip: true,
            orders: 30,
            tickets: vec![closed(200), open(20, false)],
            opinions: vec![says('N', false, 100), says('R', false, 40), says('M', false, 12)],
            ..usual
        },
        BULGARIAN => Traits {
            home: BULGARIA,
            orders: 14,
            tickets: vec![closed(120), open(4_500, true), open(40, false)],
            opinions: vec![says('N', false, 30), says('R', false, 15)],
            ..usual
        },
        POINTS_OWED => {
            Traits { home: GERMANY, orders: 9, points_owed: true, opinions: vec![says('G', false, 15)], ..usual }
        }
        ARABIC => Traits {
            home: EMIRATES,
            orders: 12,
            opinions: vec![says('R', true, 4), says('M', true, 3), says('G', false, 2)],
            ..usual
        },
        STRANGER => Traits { orders: 0, member: false, days: 3, ..usual },
        HOUSEHOLD_FIRST => Traits { home: GERMANY, orders: 11, phone: family(), ..usual },
        HOUSEHOLD_SECOND => Traits { home: GERMANY, orders: 5, phone: family(), ..usual },
        HOUSEHOLD_THIRD => Traits { home: GERMANY, orders: 2, phone: family(), member: false, ..usual },
        LATE_PARCEL => Traits { orders: 7, late_parcel: true, tickets: vec![open(300, false)], ..usual },
        BREACHED_TICKET => Traits { home: BULGARIA, orders: 6, tickets: vec![open(4_400, true)], ..usual },
        POINTS_EXPIRING => Traits { home: KOREA, orders: 10, points_expiring: true, ..usual },
        DETRACTOR => Traits {
            home: GERMANY,
            orders: 8,
            tickets: vec![solved(6)],
            opinions: vec![says('N', false, 150), says('N', true, 2)],
            ..usual
        },
        SURVIVOR => Traits { orders: 8, absorbs: Some(MERGED.index), ..usual },
        AT_THE_TILL => Traits { home: EMIRATES, orders: 16, points_held: true, ..usual },
        _ => usual,
    }
}

/// A member of the programme for three years, without anything special.
fn plain(member: &CastMember, home: &'static Home) -> Traits {
    let handle = member.email.split('@').next().unwrap_or_default().to_owned();
    Traits {
        home,
        name: member.name.to_owned(),
        handle,
        email: member.email.to_owned(),
        vip: false,
        member: true,
        risk: "LOW",
        phone: None,
        phone_verified: false,
        days: 1_100,
        orders: 6,
        tickets: Vec::new(),
        opinions: Vec::new(),
        late_parcel: false,
        points_expiring: false,
        points_owed: false,
        returns: false,
        points_held: false,
        absorbs: None,
    }
}
