//! Search over all customers: what was typed, then the kinds of match one after the other until the page is full.
//!
//! See `docs/decisions/0007-search.md`.

mod entries;
mod exact;
mod matches;

use async_graphql::{Context, Enum, InputObject};
use c360_rules::access::Scope as Grant;
use c360_rules::identifier;
use uuid::Uuid;

pub use self::entries::{Record, entries};
use self::exact::Exact;
use self::matches::Match;
use super::store;
use crate::error::Fault;
use crate::graphql::DateTime;
use crate::read::connection::{MAX_COUNT, list_name};
use crate::read::plan::wants_total;
use crate::read::{Find, PageArguments, Place, Root};
use crate::scope::Scope;

/// The rank of identifiers in full, before all other kinds of match.
const EXACT: i64 = 1;

/// The most characters of a query.
const LONGEST_QUERY: usize = 200;

/// The most words of a query.
const MOST_WORDS: usize = 8;

/// Which customers. Staff only.
#[derive(Clone, Debug, Default, PartialEq, Eq, InputObject)]
pub struct CustomerFilter {
    /// True for customers who are served first; false for all others.
    pub vip: Option<bool>,
    /// Customers since this time or later. Takes a `query`, or a list by `MEMBER_SINCE_…`.
    pub member_since_from: Option<DateTime>,
    /// Customers since before this time. Takes a `query`, or a list by `MEMBER_SINCE_…`.
    pub member_since_before: Option<DateTime>,
}

/// In which order customers are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CustomerSort {
    /// With a `query`: exact identifiers first, then names with the very words, names with words that start so, e-mails
    /// and numbers that start so; within each by name.
    BestMatch,
    /// Without a `query`: by name; customers without a name come first.
    Name,
    /// Without a `query`: the newest customers first. Those of whom it is not known are not in this list.
    MemberSinceNewest,
    /// Without a `query`: the oldest customers first. Those of whom it is not known are not in this list.
    MemberSinceOldest,
}

/// What is searched for.
#[derive(Debug)]
pub struct Search {
    /// What was typed.
    pub query: Option<String>,
    /// Which customers.
    pub filter: CustomerFilter,
    /// In which order; by match if there is a query, else by name.
    pub sort: Option<CustomerSort>,
}

impl Search {
    /// Finds the page of customers.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for arguments that do not go together; a database that does not answer.
    pub async fn run(self, ctx: &Context<'_>, scope: &Scope, page: &PageArguments) -> Result<Root, Fault> {
        let is_staff = scope.caller().is_staff() && scope.caller().scopes.contains(Grant::PiiRead);
        let (exact, matches) = self.matches(scope, is_staff)?;
        let named = format!("{:?} {:?} {:?} {is_staff}", self.query, self.filter, self.order());
        let list = list_name("Query", "customers", &named);
        let (size, after) = page.start(list)?;
        let mut found = Found {
            scope,
            filter: &self.filter,
            exact: Vec::new(),
            after,
            places: Vec::new(),
            // One row more, to know whether there is one.
            most: size + 1,
            total: wants_total(ctx.field()).then_some(0),
        };
        if let Some(exact) = exact {
            found.add_exact(exact.find(scope, &self.filter).await?);
        }
        for kind in &matches {
            found.add(kind).await?;
        }
        let find = Find::Found { places: found.places, total: found.total, list, page: page.clone() };
        Ok(store::root(find))
    }

    /// The kinds of match, the best first. They have no customer in common.
    fn matches(&self, scope: &Scope, is_staff: bool) -> Result<(Option<Exact>, Vec<Match>), Fault> {
        let Some(query) = &self.query else { return Ok((None, vec![self.browse(is_staff)?])) };
        if query.chars().count() > LONGEST_QUERY {
            return Err(Fault::bad_input("query", format!("at most {LONGEST_QUERY} characters")));
        }
        if !query.chars().any(char::is_alphanumeric) {
            return Err(Fault::bad_input("query", "give at least one letter or digit, or leave it out"));
        }
        if identifier::name_words(query).len() > MOST_WORDS {
            return Err(Fault::bad_input("query", format!("at most {MOST_WORDS} words")));
        }
        if self.order() != CustomerSort::BestMatch {
            return Err(Fault::bad_input("sort", "what a query finds comes by BEST_MATCH; leave the query out"));
        }
        if !is_staff && self.filter != CustomerFilter::default() {
            return Err(Fault::bad_input("filter", "is for staff; a partner gives an exact identifier"));
        }
        let exact = Exact::read(query, scope.phone_regions(), is_staff);
        Ok((Some(exact), if is_staff { Match::of(query) } else { Vec::new() }))
    }

    /// The order, whether it is said or not.
    fn order(&self) -> CustomerSort {
        let usual = if self.query.is_some() { CustomerSort::BestMatch } else { CustomerSort::Name };
        self.sort.unwrap_or(usual)
    }

    fn browse(&self, is_staff: bool) -> Result<Match, Fault> {
        if !is_staff {
            let message = "give an e-mail address, a phone number or a number: without one, the list is for staff";
            return Err(Fault::bad_input("query", message));
        }
        match self.order() {
            CustomerSort::BestMatch => Err(Fault::bad_input("sort", "BEST_MATCH needs a query")),
            CustomerSort::Name => self.by_name(),
            CustomerSort::MemberSinceNewest => Ok(Match::Since { newest: true }),
            CustomerSort::MemberSinceOldest => Ok(Match::Since { newest: false }),
        }
    }

    /// No index serves names within a time, and a list that reads every customer is none.
    fn by_name(&self) -> Result<Match, Fault> {
        let since = [self.filter.member_since_from, self.filter.member_since_before];
        if since.iter().any(Option::is_some) {
            return Err(Fault::bad_input("filter", "with memberSince… give a query, or sort by MEMBER_SINCE_NEWEST"));
        }
        Ok(Match::Everyone)
    }
}

/// The page, as far as it has been found.
pub(super) struct Found<'a> {
    scope: &'a Scope,
    filter: &'a CustomerFilter,
    /// Who is found by an exact identifier, and by nothing else then.
    exact: Vec<Uuid>,
    after: Option<Place>,
    places: Vec<Place>,
    most: usize,
    total: Option<i64>,
}

impl Found<'_> {
    /// They are few, and what follows leaves them out.
    fn add_exact(&mut self, ids: Vec<Uuid>) {
        let rest = match self.after {
            Some(after) if after.key > EXACT => &[],
            Some(after) => &ids[ids.iter().position(|id| *id == after.id).map_or(0, |at| at + 1)..],
            None => ids.as_slice(),
        };
        self.places.extend(rest.iter().take(self.most).map(|id| Place { key: EXACT, id: *id }));
        self.total = self.total.map(|total| total + i64::try_from(ids.len()).unwrap_or(MAX_COUNT));
        self.exact = ids;
    }

    async fn add(&mut self, kind: &Match) -> Result<(), Fault> {
        let rank = kind.rank();
        let room = self.most - self.places.len();
        if room > 0 && self.after.is_none_or(|after| after.key <= rank) {
            let after = self.after.filter(|after| after.key == rank).map(|after| after.id);
            let statement = matches::statement(kind, self.scope, self.filter, &self.exact, after, room);
            for row in self.scope.rows(statement).await?.iter().take(room) {
                self.places.push(Place { key: rank, id: row.try_get_by_index(0)? });
            }
        }
        if let Some(total) = self.total.filter(|total| *total <= MAX_COUNT) {
            let statement = matches::statement(kind, self.scope, self.filter, &self.exact, None, usize::MAX);
            self.total = Some(total + matches::count(self.scope, statement).await?);
        }
        Ok(())
    }
}
