//! Callers with a token, and what they are answered.

use c360::auth::issue::Subject;
use c360_entities::customer;
use c360_rules::access::Role;
use c360_rules::id::{self, Kind};
use chrono::TimeDelta;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{AUDIENCE, App, ISSUER};

/// Somebody who asks.
#[derive(Clone)]
pub struct Actor<'a> {
    app: &'a App,
    pub token: String,
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl App {
    pub fn actor(&self, subject: &Subject) -> Actor<'_> {
        let now = self.state.clock.now();
        let token = self.signer.token(ISSUER, AUDIENCE, subject, now, TimeDelta::hours(1)).unwrap();
        Actor { app: self, token }
    }

    pub fn with_token(&self, token: impl Into<String>) -> Actor<'_> {
        Actor { app: self, token: token.into() }
    }

    pub fn agent(&self) -> Actor<'_> {
        self.staff(Role::Agent)
    }

    pub fn staff(&self, role: Role) -> Actor<'_> {
        self.actor(&Subject::Staff { subject: "agent-1".into(), role })
    }

    pub fn customer(&self, id: Uuid) -> Actor<'_> {
        self.actor(&Subject::Customer(id))
    }

    pub fn partner(&self, client_id: &str, scope: &str) -> Actor<'_> {
        self.actor(&Subject::Partner { client_id: client_id.into(), scope: scope.into() })
    }

    /// The id of a customer of the demo.
    pub async fn id_of(&self, number: &str) -> Uuid {
        let found = customer::Entity::find().filter(customer::Column::Number.eq(number)).one(&self.state.db).await;
        found.unwrap().unwrap_or_else(|| panic!("no customer {number}")).id
    }
}

/// A customer's id as clients see it.
pub fn customer_gid(id: Uuid) -> String {
    id::encode(Kind::Customer, id)
}

impl Actor<'_> {
    pub async fn ask(&self, query: &str) -> Answer {
        self.ask_with(query, json!({})).await
    }

    /// A request that can still be changed.
    pub fn post(&self, body: Value) -> reqwest::RequestBuilder {
        self.app.http.post(format!("{}/graphql", self.app.url)).bearer_auth(&self.token).json(&body)
    }

    pub async fn ask_with(&self, query: &str, variables: Value) -> Answer {
        let response = self.post(json!({ "query": query, "variables": variables })).send().await.unwrap();
        Answer { status: response.status().as_u16(), body: response.json().await.unwrap() }
    }
}

impl Answer {
    /// What is at a JSON pointer below `data`.
    pub fn at(&self, pointer: &str) -> &Value {
        let data = &self.body["data"];
        data.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}: {:#}", self.body))
    }

    /// The data of an answer without errors.
    pub fn data(&self) -> &Value {
        assert_eq!(self.body.get("errors"), None, "{:#}", self.body);
        &self.body["data"]
    }

    /// The code of the only error.
    pub fn code(&self) -> &str {
        let errors = self.body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {:#}", self.body));
        assert_eq!(errors.len(), 1, "{:#}", self.body);
        errors[0]["extensions"]["code"].as_str().unwrap()
    }

    /// A field of the only error's extensions.
    pub fn extension(&self, name: &str) -> &str {
        let _ = self.code();
        self.body["errors"][0]["extensions"][name].as_str().unwrap_or_default()
    }
}
