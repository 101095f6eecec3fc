//! Who asks: from the request's token to a caller.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::Gateway;
use crate::auth::{Actor, Caller, Partner};
use crate::error::{Code, Fault};

/// Who asks, with what is registered about partners.
pub(super) async fn authenticate(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Caller>, Fault> {
    let refused = || Fault::new(Code::Unauthenticated, crate::auth::token::Refused.to_string());
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(refused)?;
    let caller = gateway.state.verifier.verify(token, gateway.state.clock.now()).map_err(|_| refused())?;
    if !matches!(caller.actor, Actor::Partner(_)) {
        return Ok(caller);
    }
    let registered = c360_entities::partner::Entity::find()
        .filter(c360_entities::partner::Column::ClientId.eq(&caller.client_id))
        .one(&gateway.state.db)
        .await?;
    match registered {
        Some(partner) if partner.disabled_at.is_none() => {
            let purposes = partner.purposes.split_whitespace().map(str::to_owned).collect();
            let actor = Actor::Partner(Partner { source: partner.source, purposes });
            Ok(Arc::new(Caller { actor, ..(*caller).clone() }))
        }
        Some(_) | None => Err(refused()),
    }
}
