//! Objects whose fields need nothing that is not there already.

use std::borrow::Cow;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::{ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

use super::{Handle, Remembered, Row};
use crate::json;

/// Boxed, so that the future's type does not grow with the depth of the selection.
type Boxed<'a> = Pin<Box<dyn Future<Output = ServerResult<Value>> + Send + 'a>>;

/// An object that is resolved in one go, field after field.
///
/// The library resolves the fields of an object side by side: it boxes each and keeps a queue of wake-ups, which is
/// most of what an object costs. Below a root everything has been read, so nothing ever waits, and one box for the
/// object does. Where nothing can be taken out of the answer any more, it is written as JSON at once. Selections with
/// fragments or directives or with one key twice go the library's way, and so do those of more than 64 fields in a
/// document that has any of these.
#[derive(Clone, Debug)]
pub struct Eager<T> {
    object: T,
}

impl<T> Eager<T> {
    /// The object, to be resolved in one go.
    pub fn of(object: T) -> Self {
        Self { object }
    }
}

impl<R: Row, T: From<Handle<R>>> From<Handle<R>> for Eager<T> {
    fn from(handle: Handle<R>) -> Self {
        Self::of(T::from(handle))
    }
}

impl<T> Deref for Eager<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: ContainerType> OutputType for Eager<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.object.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let resolved: Boxed<'_> = Box::pin(async move {
            let remembered = ctx.data_opt::<Arc<Remembered>>();
            let whole = remembered.map_or(field, |remembered| remembered.whole(field));
            let ctx = &ctx.with_selection_set(&whole.node.selection_set);
            if !is_plain(ctx, remembered) {
                // The library takes an object to which none of the fragments apply for null.
                let resolved = T::resolve(&self.object, ctx, field).await?;
                return Ok(if resolved == Value::Null { Value::Object(IndexMap::new()) } else { resolved });
            }
            let items = &ctx.item.node.items;
            let mut made = Made::begin(remembered.is_some_and(|remembered| remembered.is_outlined()), items.len());
            for selection in items {
                let Selection::Field(field) = &selection.node else { continue };
                let value = if field.node.name.node == "__typename" {
                    Value::String(self.object.introspection_type_name().into_owned())
                } else {
                    match self.object.resolve_field(&ctx.with_field(field)).await {
                        Ok(value) => value.unwrap_or_default(),
                        Err(error) => {
                            ctx.add_error(error);
                            Value::Null
                        }
                    }
                };
                made.field(&field.node.response_key().node, value);
            }
            Ok(made.end())
        });
        resolved.await
    }
}

/// An object in the making.
enum Made {
    /// It is written: nobody looks into it.
    Written(json::Object),
    /// Something may have to be put right in it.
    Fields(IndexMap<Name, Value>),
}

impl Made {
    fn begin(is_written: bool, fields: usize) -> Self {
        match is_written {
            true => Self::Written(json::Object::begin()),
            false => Self::Fields(IndexMap::with_capacity(fields)),
        }
    }

    fn field(&mut self, name: &Name, value: Value) {
        match self {
            Self::Written(object) => object.field(name, &value),
            Self::Fields(fields) => _ = fields.insert(name.clone(), value),
        }
    }

    fn end(self) -> Value {
        match self {
            Self::Written(object) => object.end(),
            Self::Fields(fields) => Value::Object(fields),
        }
    }
}

/// Most fields of one object that are looked at here: each is compared with those before it.
const MOST_FIELDS: usize = 64;

/// Whether a selection is nothing but fields, each under a key of its own. Of most documents that is known beforehand.
fn is_plain(ctx: &ContextSelectionSet<'_>, remembered: Option<&Arc<Remembered>>) -> bool {
    if remembered.is_some_and(|remembered| remembered.is_plain) {
        return true;
    }
    let items = &ctx.item.node.items;
    let key = |at: usize| match &items[at].node {
        Selection::Field(field) if field.node.directives.is_empty() => Some(&field.node.response_key().node),
        _ => None,
    };
    items.len() <= MOST_FIELDS
        && (0..items.len()).all(|at| key(at).is_some_and(|name| (0..at).all(|before| key(before) != Some(name))))
}
