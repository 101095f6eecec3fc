//! Traces in the words of OpenTelemetry. Its spans are apart from those of the log: while no collector is set, nothing
//! of this file runs but a look at a flag.

use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use sea_orm::DbBackend;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{self, ConfigError};

/// The target of the spans that are sent.
const TARGET: &str = "c360::trace";

/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends spans to a collector, or nothing to nobody.
#[derive(Debug)]
pub struct Exporter(Option<SdkTracerProvider>);

impl Exporter {
    /// For the collector of the settings, if there is one. Needs a running runtime.
    pub(super) fn new(settings: &config::Tracing) -> Result<Self, ConfigError> {
        if settings.otlp_endpoint.is_empty() {
            return Ok(Self(None));
        }
        let failed = |error: &dyn std::fmt::Display| ConfigError(format!("tracing.otlp_endpoint: {error}"));
        let http = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| failed(&error))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client { http, runtime: tokio::runtime::Handle::current() })
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .with_endpoint(format!("{}/v1/traces", settings.otlp_endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| failed(&error))?;
        let ratio = Sampler::TraceIdRatioBased(f64::from(settings.sample_percent) / 100.0);
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(resource)
            .build();
        Ok(Self(Some(provider)))
    }

    /// Turns the spans of this file into OpenTelemetry's.
    pub(super) fn layer<S>(&self) -> Option<impl tracing_subscriber::Layer<S> + use<S>>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    {
        use tracing_subscriber::Layer as _;
        let tracer = self.0.as_ref()?.tracer("c360");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false).with_target(false);
        Some(layer.with_filter(Targets::new().with_target(TARGET, tracing::Level::TRACE)))
    }

    /// Sends what is still here.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let finished = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(finished, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// The exporter works on a thread of its own, and its requests on the runtime that has the sockets.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        self.runtime.spawn(async move { http.send_bytes(request).await }).await?
    }
}

/// Where a request comes from, as its `traceparent` says (W3C Trace Context).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

impl Parent {
    /// From the headers of a request; what is not well-formed is as if it were not there.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all("traceparent").iter();
        let (Some(only), None) = (all.next(), all.next()) else { return None };
        Self::parse(only.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_whole = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
        // Versions to come may have more parts; this one has four.
        if !is_whole || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace = TraceId::from_hex(trace).ok().filter(|id| *id != TraceId::INVALID)?;
        let span = SpanId::from_hex(span).ok().filter(|id| *id != SpanId::INVALID)?;
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        Some(Self { trace, span, flags })
    }

    /// The trace's id, as the log has it.
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }
}

/// The span of a request, below its parent's.
pub(crate) fn request(method: &str, route: &str, parent: Option<Parent>) -> Span {
    let span = tracing::trace_span!(
        target: TARGET, "request", otel.kind = "server", otel.name = tracing::field::Empty,
        otel.status_code = tracing::field::Empty, http.request.method = method, http.route = route,
        http.response.status_code = tracing::field::Empty, graphql.operation.name = tracing::field::Empty,
        graphql.operation.type = tracing::field::Empty, c360.codes = tracing::field::Empty,
    );
    if span.is_disabled() {
        return span;
    }
    span.record("otel.name", format!("{method} {route}"));
    if let Some(Parent { trace, span: of, flags }) = parent {
        let context = SpanContext::new(trace, of, flags, true, TraceState::default());
        // It fails only for a span that has been entered, and this one has not.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }
    span
}

/// The trace that a request's span belongs to, if it is sent.
pub(crate) fn id_of(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// The span of a statement.
pub(crate) fn statement(backend: DbBackend) -> Span {
    let system = if backend == DbBackend::Postgres { "postgresql" } else { "sqlite" };
    tracing::trace_span!(target: TARGET, "statement", otel.kind = "client", db.system.name = system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_parent_counts() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = Parent::parse(good);
        assert_eq!(parent.map(|parent| parent.trace_id()).as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert!(Parent::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_some());
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-anna@example.com-b7ad6b7169203331-01",
        ] {
            assert_eq!(Parent::parse(bad), None, "{bad}");
        }
    }
}
