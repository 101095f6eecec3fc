//! The callers' own documents, as they stand in `examples/`.

use serde_json::{Value, json};

/// A document of one of the callers.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The name of its file, without the ending.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub title: &'static str,
    /// Its text.
    pub document: &'static str,
}

/// All of them.
pub const EXAMPLES: [Example; 4] = [
    Example {
        name: "agent-first-screen",
        title: "Agent: the first screen",
        document: include_str!("../examples/agent-first-screen.graphql"),
    },
    Example {
        name: "agent-search",
        title: "Agent: the search box",
        document: include_str!("../examples/agent-search.graphql"),
    },
    Example {
        name: "phone-balance",
        title: "Customer's phone: the balance",
        document: include_str!("../examples/phone-balance.graphql"),
    },
    Example {
        name: "partner-read",
        title: "Partner: what a shop reads",
        document: include_str!("../examples/partner-read.graphql"),
    },
];

impl Example {
    /// The variables with which it asks for the customer who has this e-mail address.
    pub fn variables(&self, email: &str) -> Value {
        if self.document.contains("$by: CustomerIdentifier!") {
            json!({ "by": { "email": email } })
        } else if self.document.contains("$query: String!") {
            json!({ "query": email })
        } else {
            json!({})
        }
    }
}
