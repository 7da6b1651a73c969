//! Values as JSON that says what JSON cannot: integers, floats, byte strings, links, and the order of a map.

use hhs_model::Value;
use serde_json::{Value as Json, json};

/// Null, truth values, texts and lists stand for themselves. The rest are objects of one entry: `{"int":"-1"}`,
/// `{"float":"0.5"}`, `{"bytes":"<hex>"}`, `{"link":"<CID>"}`, `{"map":[["key",value],…]}`.
pub(super) fn typed(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!({ "int": value.to_string() }),
        Value::Float(value) => json!({ "float": format!("{value:?}") }),
        Value::Bytes(value) => json!({ "bytes": super::hex(value) }),
        Value::Text(value) => json!(value),
        Value::List(items) => items.iter().map(typed).collect(),
        Value::Map(entries) => {
            let entries: Vec<Json> = entries.iter().map(|(key, value)| json!([key, typed(value)])).collect();
            json!({ "map": entries })
        }
        Value::Link(cid) => json!({ "link": cid.to_string() }),
    }
}
