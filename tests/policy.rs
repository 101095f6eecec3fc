//! Who may read what: every field and every argument of the schema, with every kind of caller.
//!
//! The table below is written down by hand from what the product promises, not derived from the code.

use std::collections::{BTreeMap, VecDeque};

use c360::retailer::demo;
use c360_rules::access::Role;
use serde_json::Value;

use crate::harness::{Actor, App, actor::customer_gid, on_both};

/// For staff alone.
const STAFF: &[&str] = &[
    "Query.tickets",
    "Query.macros",
    "Customer.vip",
    "Customer.risk",
    "Customer.tags",
    "Customer.segments",
    "Customer.notes",
    "Customer.verification",
    "OrderLine.margin",
    "Ticket.assignee",
    "Ticket.team",
    "Ticket.slaDueAt",
    "Ticket.slaBreached",
    "Ticket.slaPolicy",
    "Ticket.slaClocks",
    "Ticket.escalatedAt",
    "Ticket.tags",
    "Ticket.notes",
    "Ticket.history",
    "TicketMessage.author",
    "LoyaltyTransaction.creditedBy",
    "Reward.stock",
    "Feedback.followUp",
    "SurveyResponse.followUp",
    "Review.followUp",
    "SocialMention.followUp",
    "Suggestion.followUp",
    "CustomerStatistics.rfm",
    "TimelineEntry.reason",
];

/// For staff whose role may read the audit log: supervisors and admins.
const AUDIT: &str = "Query.auditLog";

/// For partners only with the scope to read (or to write, for the records of their own source).
const RECORDS: &[(&str, &[&str])] = &[
    ("customers", &["Order.customer", "Ticket.customer"]),
    (
        "orders",
        &[
            "Query.order",
            "Customer.orders",
            "Customer.statistics",
            "PointsLot.order",
            "LoyaltyTransaction.order",
            "Coupon.order",
            "Feedback.order",
            "SurveyResponse.order",
            "Review.order",
            "SocialMention.order",
            "Suggestion.order",
            "Review.orderLine",
        ],
    ),
    (
        "tickets",
        &[
            "Query.ticket",
            "Customer.tickets",
            "CustomerStatistics.ticketCount",
            "CustomerStatistics.openTicketCount",
            "Feedback.ticket",
            "SurveyResponse.ticket",
            "Review.ticket",
            "SocialMention.ticket",
            "Suggestion.ticket",
        ],
    ),
    ("loyalty", &["Query.loyaltyProgramme", "Query.loyaltyQuote", "Customer.loyalty"]),
    ("feedback", &["Customer.feedback", "Customer.satisfaction", "CustomerStatistics.feedbackCount"]),
];

/// Who may make which change: `staff`; `customer` for themselves; `partner` with this scope.
const MUTATIONS: &[(&str, &str, &str)] = &[
    ("loyaltyPointsCredit", "staff", ""),
    ("loyaltyPointsDebit", "staff", ""),
    ("loyaltyPointsReverse", "staff", ""),
    ("couponIssue", "staff", ""),
    ("loyaltyEnroll", "staff customer", ""),
    ("redemptionCancel", "staff customer", ""),
    ("loyaltyCardBlock", "staff customer", ""),
    ("loyaltyCardReplace", "staff customer", ""),
    ("rewardRedeem", "staff customer partner", "loyalty:write"),
    ("loyaltyPointsHold", "staff partner", "loyalty:write"),
    ("loyaltyPointsCapture", "staff partner", "loyalty:write"),
    ("loyaltyPointsRelease", "staff partner", "loyalty:write"),
    ("couponRedeem", "staff partner", "loyalty:write"),
    ("ticketCreate", "staff customer partner", "tickets:write"),
    ("ticketReply", "staff customer", ""),
    ("ticketMessageReceive", "partner", "tickets:write"),
    ("ticketNoteAdd", "staff", ""),
    ("ticketUpdate", "staff", ""),
    ("ticketAssign", "staff", ""),
    ("ticketEscalate", "staff", ""),
    ("ticketSolve", "staff", ""),
    ("ticketReopen", "staff", ""),
    ("ticketMerge", "staff", ""),
    ("ticketLink", "staff", ""),
    ("ticketMacroApply", "staff", ""),
    ("customerCreate", "staff partner", "customers:write"),
    ("customerUpdate", "staff customer partner", "customers:write"),
    ("customerIdentityAdd", "staff customer partner", "customers:write"),
    ("customerIdentityVerify", "staff partner", "customers:write"),
    ("customerIdentityRemove", "staff customer partner", "customers:write"),
    ("customerAddressAdd", "staff customer partner", "customers:write"),
    ("customerAddressUpdate", "staff customer partner", "customers:write"),
    ("customerAddressRemove", "staff customer partner", "customers:write"),
    ("customerTagsAdd", "staff", ""),
    ("customerTagsRemove", "staff", ""),
    ("customerNoteAdd", "staff", ""),
    ("customerNotePin", "staff", ""),
    ("consentUpdate", "staff customer partner", "customers:write"),
    ("customerVerificationRecord", "staff", ""),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Staff(Role),
    Customer,
    Partner(&'static str),
}

const CALLERS: &[Who] = &[
    Who::Staff(Role::Agent),
    Who::Staff(Role::Supervisor),
    Who::Staff(Role::Admin),
    Who::Customer,
    Who::Partner("customers:read orders:read tickets:read loyalty:read feedback:read pii:read"),
    Who::Partner("customers:read orders:read tickets:read loyalty:read feedback:read"),
    Who::Partner("customers:read"),
    Who::Partner("customers:read orders:write loyalty:write"),
    Who::Partner("tickets:write"),
    Who::Partner("customers:write"),
    Who::Partner("orders:read tickets:read"),
    Who::Partner("insight:read audit:read orders:settle ingest:write admin"),
    Who::Partner(""),
];

/// Whether the promise lets `who` read a field.
fn promised(who: Who, field: &str) -> bool {
    if field == AUDIT {
        return matches!(who, Who::Staff(Role::Supervisor | Role::Admin));
    }
    let Who::Staff(_) = who else {
        if STAFF.contains(&field) {
            return false;
        }
        let Who::Partner(scopes) = who else { return !["Query.customer360", "Query.customers"].contains(&field) };
        let has = |scope: &str| scopes.split(' ').any(|s| s == scope);
        // The nodes that are asked for here are customers.
        if field == "Query.me"
            || (["Query.customer360", "Query.customers", "Query.node", "Query.nodes"].contains(&field)
                && !has("customers:read"))
        {
            return false;
        }
        let domain = RECORDS.iter().find(|(_, fields)| fields.contains(&field));
        return domain.is_none_or(|(domain, _)| has(&format!("{domain}:read")) || has(&format!("{domain}:write")));
    };
    field != "Query.me"
}

/// A field of the schema and one way to it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// `Type.field` from the root down.
    pub(crate) path: Vec<String>,
    /// The selection, with `%` where the last field's selection goes.
    pub(crate) text: String,
    /// The last field's own type, and whether it is an object or an interface.
    pub(crate) gives: String,
    pub(crate) is_object: bool,
    arguments: Vec<Value>,
}

const TYPES: &str = "{ __schema { types { kind name fields { name args { name type { ...T } } type { ...T } } inputFields { name \
    type { ...T } } enumValues { name } possibleTypes { name } } } } \
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

pub(crate) fn named(ty: &Value) -> (&str, &str) {
    let mut ty = ty;
    while !ty["ofType"].is_null() {
        ty = &ty["ofType"];
    }
    (ty["kind"].as_str().unwrap(), ty["name"].as_str().unwrap())
}

/// The shortest way to every field that can be reached from `customer360` (or `me`) and the other roots.
pub(crate) fn ways(types: &BTreeMap<String, Value>, start: &str, roots: &BTreeMap<&str, String>) -> Vec<Way> {
    let mut found: BTreeMap<(String, String), Way> = BTreeMap::new();
    let mut open = VecDeque::from([(start.to_owned(), Vec::<String>::new(), "%".to_owned())]);
    let mut seen = std::collections::BTreeSet::new();
    while let Some((ty, path, text)) = open.pop_front() {
        if !seen.insert(ty.clone()) {
            continue;
        }
        for possible in types[&ty]["possibleTypes"].as_array().into_iter().flatten() {
            let name = possible["name"].as_str().unwrap();
            open.push_back((name.to_owned(), path.clone(), text.replace('%', &format!("{{ ... on {name} % }}"))));
        }
        for field in types[&ty]["fields"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap();
            let call = match (ty.as_str(), roots.get(name)) {
                ("Query", Some(call)) => call.clone(),
                ("Query", None) => continue,
                _ => name.to_owned(),
            };
            let mut path = path.clone();
            path.push(format!("{ty}.{name}"));
            let text = text.replace('%', &format!("{{ {call} % }}"));
            let (kind, gives) = named(&field["type"]);
            let way = Way {
                path: path.clone(),
                text: text.clone(),
                gives: gives.to_owned(),
                is_object: matches!(kind, "OBJECT" | "INTERFACE" | "UNION"),
                arguments: field["args"].as_array().unwrap().clone(),
            };
            if way.is_object {
                open.push_back((way.gives.clone(), path, text));
            }
            found.entry((ty.clone(), name.to_owned())).or_insert(way);
        }
    }
    found.into_values().collect()
}

pub(crate) async fn types_of(app: &App) -> BTreeMap<String, Value> {
    let answer = app.agent().ask(TYPES).await;
    let types = answer.at("/__schema/types").as_array().unwrap().iter();
    types.map(|ty| (ty["name"].as_str().unwrap().to_owned(), ty.clone())).collect()
}

async fn text_of(app: &App, sql: &str) -> String {
    use sea_orm::ConnectionTrait as _;
    let db = &app.state.db;
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

fn actor(app: &App, who: Who, me: uuid::Uuid) -> Actor<'_> {
    match who {
        Who::Staff(role) => app.staff(role),
        Who::Customer => app.customer(me),
        Who::Partner(scopes) => app.partner("shop-partner", scopes),
    }
}

pub(crate) async fn roots(app: &App, who: Who, id: &str) -> BTreeMap<&'static str, String> {
    let of = |table: &str| {
        format!(
            "SELECT number FROM {table} WHERE customer_id = (SELECT id FROM customers WHERE number = '{}') LIMIT 1",
            demo::DEMO_CUSTOMER.number
        )
    };
    let mut roots = BTreeMap::from([
        ("node", format!("node(id: \"{id}\")")),
        ("nodes", format!("nodes(ids: [\"{id}\"])")),
        ("order", format!("order(by: {{number: {{number: \"{}\"}}}})", text_of(app, &of("orders")).await)),
        ("ticket", format!("ticket(by: {{number: \"{}\"}})", text_of(app, &of("tickets")).await)),
        ("tickets", "tickets(first: 5)".to_owned()),
        ("macros", "macros(first: 5)".to_owned()),
        ("loyaltyProgramme", "loyaltyProgramme".to_owned()),
        ("loyaltyQuote", format!("loyaltyQuote(customer: {{id: \"{id}\"}})")),
        ("customers", format!("customers(query: \"{}\")", demo::DEMO_CUSTOMER.email)),
        ("customer360", format!("customer360(by: {{id: \"{id}\"}})")),
        ("me", "me".to_owned()),
        ("auditLog", "auditLog(first: 5)".to_owned()),
    ]);
    // The way to a customer that this caller has.
    roots.remove(if who == Who::Customer { "customer360" } else { "me" });
    roots
}

fn errors(answer: &Value) -> Vec<(&str, String)> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| {
            let path = error["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
            (error["extensions"]["code"].as_str().unwrap_or("none"), path.collect::<Vec<_>>().join("."))
        })
        .collect()
}

on_both! {
    async fn every_field_is_as_promised_to_every_caller(app: App::demo) {
        let types = types_of(&app).await;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let id = customer_gid(me);
        let mut read = 0;
        for who in CALLERS {
            let actor = actor(&app, *who, me);
            for way in ways(&types, "Query", &roots(&app, *who, &id).await) {
                let leaf = if way.is_object { "{ __typename }" } else { "" };
                let query = way.text.replace('%', leaf);
                let answer = actor.ask(&query).await;
                // The first field on the way that is refused is refused with FORBIDDEN, and nothing else is.
                let refused = way.path.iter().find(|field| !promised(*who, field));
                let errors = errors(&answer.body);
                match refused {
                    None => assert_eq!(errors, [], "{who:?} may read {:?}: {query}", way.path),
                    Some(field) => {
                        let name = field.split('.').nth(1).unwrap();
                        let reached = !errors.is_empty();
                        assert!(errors.iter().all(|(code, path)| *code == "FORBIDDEN" && path.split('.').next_back() == Some(name)),
                            "{who:?} may not read {field}: {query}: {}", answer.body);
                        // Nothing below a field that is refused.
                        assert!(reached || !answer.body.to_string().contains(&format!("\"{}\":\"", way.path.last().unwrap().split('.').nth(1).unwrap())),
                            "{who:?} read {field}: {}", answer.body);
                    }
                }
                read += 1;
            }
        }
        assert!(read > 1_000, "only {read} fields were read");
    }
}

#[tokio::test]
async fn every_field_has_a_rule_and_every_rule_a_field() {
    let app = App::empty(crate::harness::Backend::Sqlite).await;
    let types = types_of(&app).await;
    let mut fields = std::collections::BTreeSet::new();
    for (name, ty) in types.iter().filter(|(name, _)| !name.starts_with("__")) {
        for field in ty["fields"].as_array().into_iter().flatten() {
            let field = field["name"].as_str().unwrap();
            assert!(c360::auth::policy::rule(name, field).is_some(), "{name}.{field} has no rule");
            fields.insert((name.clone(), field.to_owned()));
        }
    }
    for (on, rules) in c360::auth::policy::POLICY {
        // What one kind of feedback has is read by way of the interface.
        let rules = rules.iter().flat_map(|(_, names)| names.split_whitespace());
        for name in rules.filter(|name| *on != "Feedback" || !["survey", "answers", "orderLine"].contains(name)) {
            assert!(
                fields.contains(&((*on).to_owned(), name.to_owned())),
                "the policy has {on}.{name}, the schema has not"
            );
        }
    }
    // The hand-written table speaks of fields that exist.
    for field in STAFF.iter().chain(RECORDS.iter().flat_map(|(_, fields)| fields.iter())) {
        let (on, name) = field.split_once('.').unwrap();
        assert!(fields.contains(&(on.to_owned(), name.to_owned())), "{field} does not exist");
    }
}

/// A value that fits an input type.
fn sample(types: &BTreeMap<String, Value>, ty: &Value, depth: usize) -> Option<String> {
    if ty["kind"] == "NON_NULL" {
        return sample(types, &ty["ofType"], depth);
    }
    if ty["kind"] == "LIST" {
        return sample(types, &ty["ofType"], depth).map(|one| format!("[{one}]"));
    }
    let name = ty["name"].as_str().unwrap();
    Some(match ty["kind"].as_str().unwrap() {
        "ENUM" => types[name]["enumValues"][0]["name"].as_str().unwrap().to_owned(),
        "INPUT_OBJECT" if depth < 4 => {
            let fields = types[name]["inputFields"].as_array().unwrap();
            let field = fields.iter().find_map(|field| {
                sample(types, &field["type"], depth + 1)
                    .map(|value| format!("{}: {value}", field["name"].as_str().unwrap()))
            })?;
            format!("{{ {field} }}")
        }
        "INPUT_OBJECT" => return None,
        _ => match name {
            "Int" => "3".into(),
            "Boolean" => "true".into(),
            "DateTime" => "\"2026-01-01T00:00:00Z\"".into(),
            "Date" => "\"2026-01-01\"".into(),
            "Decimal" => "\"1.00\"".into(),
            "CurrencyCode" => "\"USD\"".into(),
            _ => "\"x\"".into(),
        },
    })
}

/// Values for all that an input needs.
fn needed(types: &BTreeMap<String, Value>, ty: &Value) -> String {
    let (kind, name) = named(ty);
    if kind != "INPUT_OBJECT" {
        return sample(types, ty, 0).unwrap();
    }
    let fields = types[name]["inputFields"].as_array().unwrap();
    let mut given: Vec<_> = fields.iter().filter(|field| field["type"]["kind"] == "NON_NULL").collect();
    // One of several ways to name something.
    if given.is_empty() {
        given.push(&fields[0]);
    }
    let given: Vec<_> = given
        .iter()
        .map(|field| format!("{}: {}", field["name"].as_str().unwrap(), needed(types, &field["type"])))
        .collect();
    format!("{{ {} }}", given.join(", "))
}

on_both! {
    async fn every_change_is_made_by_those_who_may_and_by_nobody_else(app: App::demo) {
        let types = types_of(&app).await;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let fields = types["Mutation"]["fields"].as_array().unwrap();
        let promised: Vec<_> = MUTATIONS.iter().map(|(name, ..)| *name).collect();
        for field in fields {
            let name = field["name"].as_str().unwrap();
            let place = promised.iter().position(|promised| *promised == name);
            let (_, kinds, scope) = MUTATIONS[place.unwrap_or_else(|| panic!("nobody has promised {name}"))];
            let input = needed(&types, &field["args"][0]["type"]);
            for who in CALLERS {
                let (kind, scopes) = match who {
                    Who::Staff(_) => ("staff", ""),
                    Who::Customer => ("customer", ""),
                    Who::Partner(scopes) => ("partner", *scopes),
                };
                let may = kinds.split(' ').any(|one| one == kind) && (kind != "partner" || scopes.split(' ').any(|one| one == scope));
                let query = format!("mutation {{ {name}(input: {input}) {{ userErrors {{ code }} }} }}");
                let answer = actor(&app, *who, me).ask(&query).await;
                let codes = errors(&answer.body);
                let forbidden = codes == [("FORBIDDEN", name.to_owned())];
                assert_eq!(forbidden, !may, "{who:?}: {query}: {}", answer.body);
                assert!(codes.iter().all(|(code, _)| ["FORBIDDEN", "BAD_USER_INPUT"].contains(code)), "{query}: {}", answer.body);
            }
        }
        assert_eq!(fields.len(), promised.len());
    }
}

on_both! {
    async fn no_argument_opens_what_is_closed_or_breaks_anything(app: App::demo) {
        let types = types_of(&app).await;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let id = customer_gid(me);
        let mut tried = 0;
        for who in CALLERS {
            let actor = actor(&app, *who, me);
            let roots = roots(&app, *who, &id).await;
            for way in ways(&types, "Query", &roots).iter().filter(|way| way.path.len() > 1) {
                for argument in &way.arguments {
                    let name = argument["name"].as_str().unwrap();
                    let value = sample(&types, &argument["type"], 0).unwrap();
                    let field = way.path.last().unwrap().split('.').nth(1).unwrap();
                    let (before, after) = way.text.rsplit_once(&format!(" {field} ")).unwrap();
                    let leaf = if way.is_object { "{ __typename }" } else { "" };
                    let query = format!("{before} {field}({name}: {value}) {after}").replace('%', leaf);
                    let answer = actor.ask(&query).await;
                    let allowed = way.path.iter().all(|field| promised(*who, field));
                    for (code, _) in errors(&answer.body) {
                        let expected = if allowed { "BAD_USER_INPUT" } else { "FORBIDDEN" };
                        assert_eq!(code, expected, "{who:?}: {query}: {}", answer.body);
                    }
                    tried += 1;
                }
            }
        }
        assert!(tried > 200, "only {tried} arguments were tried");
    }
}
