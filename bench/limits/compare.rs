//! Holds the gateway's answers against those of the single statement, field by field.
//!
//! Three notations are evened out, and nothing else: points in time (`.100Z` is `.1+00:00`), ids (the gateway's are
//! read back to the uuids that the statement gives), and cursors (opaque: both have one, or neither).

use std::error::Error;
use std::path::Path;

use c360_rules::id;
use serde_json::Value;

pub(crate) fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (mut answers, mut fields) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".gateway.json")) else {
            continue;
        };
        let read = |path: &Path| -> Result<Value, Box<dyn Error>> {
            serde_json::from_slice(&std::fs::read(path)?).map_err(|error| format!("{}: {error}", path.display()).into())
        };
        let (gateway, sql) = (read(&path)?, read(&folder.join(format!("{name}.sql.json")))?);
        if !gateway["errors"].is_null() {
            return Err(format!("{name}: the gateway says {}", gateway["errors"]).into());
        }
        if !sql["data"].as_object().is_some_and(|data| data.values().all(Value::is_object)) {
            return Err(format!("{name}: the statement found nothing").into());
        }
        fields += same(&gateway["data"], &sql["data"]).map_err(|difference| format!("{name}: data{difference}"))?;
        answers += 1;
    }
    if answers == 0 {
        return Err("there are no answers to compare".into());
    }
    println!("{answers} answers, {fields} fields: the same");
    Ok(())
}

/// How many fields and items were compared, or where and how the two differ.
fn same(gateway: &Value, sql: &Value) -> Result<usize, String> {
    match (gateway, sql) {
        (Value::Object(a), Value::Object(b)) => {
            if let Some(key) = b.keys().find(|key| !a.contains_key(*key)) {
                return Err(format!(".{key}: only in the statement's answer"));
            }
            a.iter().try_fold(0, |sum, (key, a)| match b.get(key) {
                None => Err(format!(".{key}: only in the gateway's answer")),
                Some(Value::String(_)) if key == "endCursor" && a.is_string() => Ok(sum + 1),
                Some(b) => same(a, b).map(|n| sum + n).map_err(|rest| format!(".{key}{rest}")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .try_fold(0, |sum, (i, (a, b))| same(a, b).map(|n| sum + n).map_err(|rest| format!("[{i}]{rest}"))),
        (Value::String(a), Value::String(b)) if evened(a) == evened(b) => Ok(1),
        _ if gateway == sql => Ok(1),
        _ => Err(format!(": the gateway has {gateway}, the statement {sql}")),
    }
}

fn evened(text: &str) -> String {
    if let Ok((_, uuid)) = id::parse(text) {
        return uuid.to_string();
    }
    let bytes = text.as_bytes();
    let is_time =
        bytes.len() >= 20 && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':')].iter().all(|&(i, c)| bytes[i] == c);
    match text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")) {
        Some(time) if is_time && time.contains('.') => time.trim_end_matches('0').trim_end_matches('.').to_owned(),
        Some(time) if is_time => time.to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::same;

    #[test]
    fn notations_are_evened_out_and_values_are_not() {
        let gateway =
            json!({"id": "order_01h2e8kqvbfwea724h75qc655w", "at": "2026-11-22T09:30:00.100Z", "n": [1, null]});
        let sql =
            json!({"at": "2026-11-22T09:30:00.1+00:00", "id": "01889c89-df6b-7f1c-a388-91396ec314bc", "n": [1, null]});
        assert_eq!(same(&gateway, &sql), Ok(4));
        assert_eq!(same(&json!("2026-11-22T09:30:00Z"), &json!("2026-11-22T09:30:00+00:00")), Ok(1));
        assert!(same(&json!("2026-11-22T09:30:10Z"), &json!("2026-11-22T09:30:01+00:00")).is_err());
        assert!(same(&json!("12.30"), &json!("12.3")).is_err());
        assert_eq!(
            same(&json!({"a": [{"b": 1}]}), &json!({"a": [{"b": 2}]})),
            Err(".a[0].b: the gateway has 1, the statement 2".to_owned())
        );
        assert!(same(&json!({"a": 1}), &json!({})).is_err() && same(&json!({}), &json!({"a": 1})).is_err());
    }
}
