//! PostgreSQL's binary `COPY` format (PostgreSQL manual, `COPY`, section "Binary Format").

use sea_orm::{ColumnType, Value};

/// Microseconds and days from 1970-01-01 to 2000-01-01, PostgreSQL's own epoch.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// What the stream starts with: signature, flags, no extension.
pub(super) fn header() -> Vec<u8> {
    let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

/// What the stream ends with.
pub(super) fn finish(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i16).to_be_bytes());
}

/// The number of fields, before each row.
pub(super) fn begin_row(out: &mut Vec<u8>, fields: usize) {
    out.extend_from_slice(&i16::try_from(fields).unwrap_or(i16::MAX).to_be_bytes());
}

/// Whether a column holds JSON.
pub(super) fn is_json(kind: &ColumnType) -> bool {
    matches!(kind, ColumnType::JsonBinary | ColumnType::Json)
}

/// One field: its length, then its bytes as the column's type wants them.
pub(super) fn field(out: &mut Vec<u8>, value: &Value, json: bool) {
    let at = out.len();
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    let set = match value {
        Value::Bool(v) => put(out, v.map(|v| [u8::from(v)])),
        Value::SmallInt(v) => put(out, v.map(i16::to_be_bytes)),
        Value::Int(v) => put(out, v.map(i32::to_be_bytes)),
        Value::BigInt(v) => put(out, v.map(i64::to_be_bytes)),
        Value::Uuid(v) => put(out, v.map(|v| *v.as_bytes())),
        Value::ChronoDateTimeUtc(v) => put(out, v.map(|v| (v.timestamp_micros() - EPOCH_MICROS).to_be_bytes())),
        Value::ChronoDate(v) => put(out, v.map(|v| (v.to_epoch_days() - EPOCH_DAYS).to_be_bytes())),
        Value::String(v) => put(out, v.as_deref()),
        Value::Bytes(v) => put(out, v.as_deref()),
        Value::Json(v) => {
            // jsonb carries its version before the text.
            let text = v.as_ref().map(|v| v.to_string());
            if text.is_some() && json {
                out.push(1);
            }
            put(out, text)
        }
        other => null(other),
    };
    if set {
        let length = i32::try_from(out.len() - at - 4).unwrap_or(i32::MAX);
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
}

fn put(out: &mut Vec<u8>, bytes: Option<impl AsRef<[u8]>>) -> bool {
    bytes.map(|bytes| out.extend_from_slice(bytes.as_ref())).is_some()
}

/// The schema has no column of another type; a null keeps the stream well-formed.
fn null(value: &Value) -> bool {
    debug_assert!(false, "no column holds {value:?}");
    false
}
