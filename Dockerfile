# syntax=docker/dockerfile:1
# The gateway as an image: one program, no shell, no root.
#
#   docker build --tag c360 .
#   docker run --rm --publish 8360:8360 c360 demo     # a retailer to look at
#   docker compose up                                  # with PostgreSQL and Redis, see compose.yaml

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin c360 \
    && install -D --mode=0755 target/release/c360 /out/usr/local/bin/c360 \
    && install --directory --owner=65532 --group=65532 /out/var/lib/c360

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/ /
ENV C360_LISTEN=0.0.0.0:8360 \
    C360_METRICS_LISTEN=0.0.0.0:9360 \
    C360_LOG_FORMAT=json
USER 65532:65532
WORKDIR /var/lib/c360
EXPOSE 8360 9360
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s --retries=3 CMD ["/usr/local/bin/c360", "health"]
ENTRYPOINT ["/usr/local/bin/c360"]
CMD ["serve"]
