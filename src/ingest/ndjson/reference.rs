//! The reference of what a line may hold, for machines and for people.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::parse::schemas;

/// The JSON Schema (2020-12) of a line.
pub fn json_schema() -> String {
    let kinds = schemas().into_iter().map(|(word, mut schema)| {
        schema["title"] = json!(word);
        schema["properties"]["type"]["const"] = json!(word);
        schema
    });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of c360 import ndjson",
        "oneOf": kinds.collect::<Vec<_>>(),
    });
    format!("{schema:#}\n")
}

/// A page with a table for each type of item.
pub fn reference() -> String {
    let mut page = String::from(
        "# The fields of `c360 import ndjson`\n\n\
         Written by `c360 import ndjson-reference`; see [import.md](import.md) for what is made of them.\n",
    );
    for (word, schema) in schemas() {
        let _ = write!(page, "\n## `{word}`\n\n{}\n", text(&schema));
        table(&mut page, &schema, "");
    }
    page
}

/// The fields of an object, those that must be there first, and then those of the objects in it.
fn table(page: &mut String, schema: &Value, within: &str) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().into_iter().flatten();
    let (must, may): (Vec<_>, Vec<_>) = fields.partition(|(name, _)| required.contains(&name.as_str()));
    page.push_str("\n| field | form | needed | meaning |\n| --- | --- | --- | --- |\n");
    for (name, field) in must.iter().chain(&may) {
        let needed = if required.contains(&name.as_str()) { "yes" } else { "" };
        let _ = writeln!(page, "| `{within}{name}` | {} | {needed} | {} |", form(field), text(field));
    }
    for (name, field) in must.iter().chain(&may) {
        let (inner, path) = match field["type"].as_str() {
            Some("array") => (&field["items"], format!("{within}{name}[].")),
            _ => (*field, format!("{within}{name}.")),
        };
        if inner["type"] == "object" {
            table(page, inner, &path);
        }
    }
}

/// What a value looks like, in words.
fn form(field: &Value) -> String {
    match (field["type"].as_str(), field["format"].as_str(), field["enum"].as_array()) {
        (Some("array"), ..) => format!("list of {}", form(&field["items"])),
        (Some("string"), _, Some(words)) => {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
            words.join(" ")
        }
        (Some("string"), Some("date-time"), _) => "time, RFC 3339".into(),
        (Some("string"), Some(_), _) => "day".into(),
        (Some("string"), ..) => match (field["maxLength"].as_u64(), field["pattern"].as_str()) {
            (Some(most), _) => format!("text, 1 to {most} characters"),
            (_, Some("^[A-Z]{3}$")) => "currency".into(),
            (_, Some("^[A-Z]{2}$")) => "country".into(),
            (_, Some(_)) => "amount, a decimal in a text: `\"12.30\"`".into(),
            _ => "text".into(),
        },
        (Some("integer"), ..) => format!("whole number, {} to {}", field["minimum"], field["maximum"]),
        (Some("boolean"), ..) => "`true` or `false`".into(),
        _ => "object, see below".into(),
    }
}

fn text(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('|', "\\|")
}
