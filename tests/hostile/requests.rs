//! Requests that mean harm. None of them may be answered with data, take long, or leave anything behind.

/// A request that has to be refused.
pub struct Hostile {
    /// What is wrong with it.
    pub name: &'static str,
    /// What is sent.
    pub sent: Sent,
}

/// What is sent.
pub enum Sent {
    /// A document, with variables in JSON; by every transport.
    Document(String, String),
    /// A body as it is, with its content type and further headers.
    Body(&'static str, Vec<(&'static str, String)>, Vec<u8>),
    /// A query string.
    Address(String),
}

fn repeat(what: &str, times: usize) -> String {
    what.repeat(times)
}

fn numbered(times: usize, what: impl Fn(usize) -> String) -> String {
    (0..times).map(what).collect()
}

/// Documents of a few kilobytes that grow, nest or collide.
fn documents() -> Vec<(&'static str, String)> {
    let nested = |open: &str, close: &str, n: usize| format!("{}{}", repeat(open, n), repeat(close, n));
    vec![
        ("lists within lists", format!("{{ nodes(ids: {}) {{ id }} }}", nested("[", "]", 2_000))),
        ("objects within objects", format!("{{ customer360(by: {}1{}) {{ id }} }}", repeat("{a:", 2_000), repeat("}", 2_000))),
        ("selections within selections", nested("{a", "}", 2_000)),
        ("types within types", format!("query($a: {}Int{}) {{ me {{ id }} }}", repeat("[", 2_000), repeat("]", 2_000))),
        ("a default within defaults", format!("query($a: [Int] = {}) {{ me {{ id }} }}", nested("[", "]", 2_000))),
        ("brackets that never close", repeat("{a(b:[", 2_000)),
        ("brackets that never opened", repeat("}", 20_000)),
        ("connections within connections", format!("{{ tickets {{ nodes {}{{ id }}{} }} }}", repeat("{ customer { tickets { nodes ", 12), repeat(" } } }", 12))),
        ("pages that multiply", "{ tickets(first: 100) { nodes { customer { orders(first: 100) { nodes { customer { tickets(first: 100) { nodes { id } } } } } } } } }".into()),
        ("a page beyond all numbers", "{ tickets(first: 99999999999999999999) { nodes { id } } }".into()),
        ("fragments that double", format!("{{ tickets {{ nodes {{ ...f0 }} }} }}{} fragment f25 on Ticket {{ id }}", numbered(25, |n| format!(" fragment f{n} on Ticket {{ ...f{0} ...f{0} }}", n + 1)))),
        ("inline fragments that double with named ones", format!("{{ tickets {{ nodes {{ ...f0 }} }} }}{} fragment f30 on Ticket {{ id }}", numbered(30, |n| format!(" fragment f{n} on Ticket {{ ... {{ ...f{0} }} ... on Node {{ ...f{0} }} }}", n + 1)))),
        ("a fragment that spreads itself", "{ tickets { nodes { ...f } } } fragment f on Ticket { id ...f }".into()),
        ("fragments that spread each other", "{ tickets { nodes { ...f } } } fragment f on Ticket { customer { tickets { nodes { ...g } } } } fragment g on Ticket { ...f }".into()),
        ("a long chain of fragments", format!("{{ tickets {{ nodes {{ ...f0 }} }} }}{} fragment f700 on Ticket {{ id }}", numbered(700, |n| format!(" fragment f{n} on Ticket {{ ...f{} }}", n + 1)))),
        ("fragments that nobody spreads", format!("{{ tickets {{ nodes {{ id }} }} }}{}", numbered(700, |n| format!(" fragment f{n} on Ticket {{ id }}")))),
        ("fragments of one name", format!("{{ tickets {{ nodes {{ ...f }} }} }}{}", repeat(" fragment f on Ticket { id }", 700))),
        ("a hundred aliases more than allowed", format!("{{ tickets {{ nodes {{ {} }} }} }}", numbered(200, |n| format!(" a{n}: id")))),
        ("thousands of aliases", format!("{{ tickets {{ nodes {{ {} }} }} }}", numbered(5_000, |n| format!(" a{n}: id")))),
        ("aliased lists", format!("{{ customer360(by: {{customerNumber: \"C-000001\"}}) {{ {} }} }}", numbered(600, |n| format!(" a{n}: orders(first: 1) {{ nodes {{ id }} }}")))),
        ("many roots", format!("{{ {} }}", numbered(21, |n| format!(" a{n}: tickets {{ nodes {{ id }} }}")))),
        ("many roots by fragments", format!("{{ {} }}{}", numbered(30, |n| format!(" ...f{n}")), numbered(30, |n| format!(" fragment f{n} on Query {{ a{n}: __typename }}")))),
        ("hundreds of directives", format!("{{ __typename {} }}", repeat(" @include(if: true)", 300))),
        ("unknown directives", format!("{{ __typename {} }}", numbered(150, |n| format!(" @a{n}")))),
        ("hundreds of variables", format!("query({}) {{ __typename }}", numbered(400, |n| format!("$a{n}: Int ")))),
        ("thousands of tokens", format!("{{ {} }}", repeat("__typename ", 9_000))),
        ("one field thousands of times", format!("{{ tickets {{ nodes {{ {} }} }} }}", repeat("id ", 6_000))),
        ("fields that conflict", format!("{{ tickets {{ nodes {{ {} }} }} }}", numbered(49, |n| format!(" a: id a: number b{n}: id")))),
        ("fields that conflict in fragments", format!("{{ tickets {{ nodes {{ {} }} }} }}{}", numbered(90, |n| format!(" ...f{n}")), numbered(90, |n| format!(" fragment f{n} on Ticket {{ a: {} customer {{ tickets {{ nodes {{ id }} }} }} }}", if n % 2 == 0 { "id" } else { "number" })))),
        ("a look at the schema that explodes", format!("{{ __schema {{ types {}{{ name }}{} }} }}", repeat("{ fields { type ", 6), repeat(" } }", 6))),
        ("a look at the schema under many names", format!("{{ __schema {{ {} }} }}", numbered(90, |n| format!(" a{n}: types {{ fields {{ type {{ fields {{ name }} }} }} }}")))),
        ("operations that spread the same", format!("fragment f on Query {{ tickets {{ nodes {{ {} }} }} }}{}", repeat("id ", 4_000), numbered(250, |n| format!(" query a{n} {{ ...f }}")))),
        ("pages that multiply beside a null", "{ tickets(first: null, last: 100) { nodes { customer { orders(first: null, last: 100) { nodes { customer { tickets(first: null, last: 100) { nodes { id } } } } } } } } }".into()),
        ("an alias of the gateway's own", "{ __type__: __typename }".into()),
        ("operations without number", numbered(900, |n| format!(" query a{n} {{ __typename }}"))),
        ("operations of one name", repeat("query a { __typename } ", 900)),
        ("several without a name", "{ __typename } { __typename }".into()),
        ("a subscription", "subscription { a }".into()),
        ("a mutation that is none", "mutation { a }".into()),
        ("many mutations", format!("mutation {{ {} }}", numbered(21, |n| format!(" a{n}: ticketSolve(input: {{ticketId: \"a\"}}) {{ userErrors {{ code }} }}")))),
        ("an input within inputs", format!("mutation {{ ticketCreate(input: {}1{}) {{ userErrors {{ code }} }} }}", repeat("{customer: ", 40), repeat("}", 40))),
        ("a type of its own", "type A { a: Int } { __typename }".into()),
        ("a number of thousands of digits", format!("{{ tickets(first: {}) {{ nodes {{ id }} }} }}", repeat("9", 50_000))),
        ("a name of thousands of letters", format!("{{ {} }}", repeat("a", 60_000))),
        ("a text that never ends", format!("{{ node(id: \"{}", repeat("a", 50_000))),
        ("a block that never ends", format!("{{ node(id: \"\"\"{}", repeat("\\\"\"\"", 10_000))),
        ("escapes that are none", format!("{{ node(id: \"{}\") {{ id }} }}", repeat("\\u{110000}\\uD800", 2_000))),
        ("comments", repeat("#\n", 40_000)),
        ("white space", repeat(" \n", 40_000)),
        ("commas", repeat(",", 60_000)),
        ("control characters", "{ \u{0} \u{7f} \u{200b} }".into()),
        ("errors without end", repeat("{ ? ", 60)),
        ("an input with unknown fields", format!("{{ customer360(by: {{ {} }}) {{ id }} }}", numbered(500, |n| format!("a{n}: 1 ")))),
        ("an input with one field twice", format!("{{ customer360(by: {{ {} }}) {{ id }} }}", repeat("email: \"a@b.example\" ", 500))),
        ("variables that nobody declared", format!("{{ {} }}", numbered(15, |n| format!(" a{n}: node(id: $a{n}) {{ id }}")))),
    ]
}

/// All of them.
pub fn all() -> Vec<Hostile> {
    let json = "application/json";
    let body = |text: String| Sent::Body(json, Vec::new(), text.into_bytes());
    let mut all: Vec<_> =
        documents().into_iter().map(|(name, text)| Hostile { name, sent: Sent::Document(text, "{}".into()) }).collect();
    let ask = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let nested = |open: &str, close: &str, n: usize| format!("{}{}", repeat(open, n), repeat(close, n));
    let mut add = |name, sent| all.push(Hostile { name, sent });
    add("variables within variables", Sent::Document(ask.into(), format!("{{\"ids\":{}}}", nested("[", "]", 100_000))));
    add("twenty thousand ids", Sent::Document(ask.into(), format!("{{\"ids\":[{}\"a\"]}}", repeat("\"a\",", 20_000))));
    add("variables that are none", Sent::Document("{ __typename }".into(), "[]".into()));
    add("a value of another type", Sent::Document(ask.into(), "{\"ids\":{\"a\":1}}".into()));
    add("lists within lists instead of a request", body(nested("[", "]", 100_000)));
    add(
        "objects within objects instead of a request",
        body(format!("{}1{}", repeat("{\"a\":", 40_000), repeat("}", 40_000))),
    );
    add("a batch", body("[{\"query\":\"{ __typename }\"},{\"query\":\"{ __typename }\"}]".into()));
    add("nothing", body(String::new()));
    add("null", body("null".into()));
    add("half a request", body("{\"query\":\"{ __typename }\"".into()));
    add("a request and more", body("{\"query\":\"{ __typename }\"} {}".into()));
    add("a document twice", body("{\"query\":\"{ __typename }\",\"query\":\"{ __typename }\"}".into()));
    add("a document that is a number", body("{\"query\":1}".into()));
    add("no document", body("{\"variables\":{}}".into()));
    add(
        "an unknown document",
        body(format!(
            "{{\"extensions\":{{\"persistedQuery\":{{\"version\":1,\"sha256Hash\":\"{}\"}}}}}}",
            repeat("0", 64)
        )),
    );
    add(
        "a name that is not the document's",
        body(format!(
            "{{\"query\":\"{{ __typename }}\",\"extensions\":{{\"persistedQuery\":{{\"version\":1,\"sha256Hash\":\"{}\"}}}}}}",
            repeat("0", 64)
        )),
    );
    add(
        "a name of an operation without end",
        body(format!("{{\"query\":\"{{ __typename }}\",\"operationName\":\"{}\"}}", repeat("a", 100_000))),
    );
    add(
        "a body beyond the limit",
        body(format!("{{\"query\":\"{{ __typename }}\",\"extra\":\"{}\"}}", repeat("a", 400_000))),
    );
    add("a text that is not UTF-8", Sent::Body(json, Vec::new(), b"{\"query\":\"{ __typename \xff\xfe }\"}".to_vec()));
    add(
        "another encoding of texts",
        Sent::Body("application/json; charset=utf-16", Vec::new(), b"{\"query\":\"{ __typename }\"}".to_vec()),
    );
    add("plain text", Sent::Body("text/plain", Vec::new(), b"{\"query\":\"{ __typename }\"}".to_vec()));
    add("a form", Sent::Body("application/x-www-form-urlencoded", Vec::new(), b"query={__typename}".to_vec()));
    add("an upload", Sent::Body("multipart/form-data; boundary=a", Vec::new(), b"--a\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"{ __typename }\"}\r\n--a--".to_vec()));
    add(
        "an unknown compression",
        Sent::Body(json, vec![("content-encoding", "compress".into())], b"{\"query\":\"{ __typename }\"}".to_vec()),
    );
    add(
        "a compression that is none",
        Sent::Body(json, vec![("content-encoding", "gzip".into())], b"{\"query\":\"{ __typename }\"}".to_vec()),
    );
    add(
        "a page of a stranger",
        Sent::Body(json, vec![("origin", "https://evil.example".into())], b"{\"query\":\"{ __typename }\"}".to_vec()),
    );
    add(
        "an answer in no known form",
        Sent::Body(json, vec![("accept", "text/html".into())], b"{\"query\":\"{ __typename }\"}".to_vec()),
    );
    add("an address without a document", Sent::Address(String::new()));
    add("an address with two documents", Sent::Address("query={__typename}&query={__typename}".into()));
    add("a mutation in an address", Sent::Address("query=mutation{__typename}".into()));
    add("an address that is not UTF-8", Sent::Address("query=%ff%fe".into()));
    add("variables in an address that are none", Sent::Address("query={__typename}&variables=1".into()));
    all
}
