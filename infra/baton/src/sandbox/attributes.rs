//! Custom attributes of conversations: which there are, and what each may hold.
//!
//! They come from the seed and do not change. A value of the wrong type is refused as Intercom
//! refuses it; its exact words are not documented.

use serde_json::Value;

use super::error::{Answer, ApiError};
use super::seed::{AttributeSeed, DataType};

/// # Errors
/// 400 `parameter_invalid` when there is no such attribute, or two, or it may not hold that.
/// Null empties an attribute and is always allowed.
pub(crate) fn check(known: &[AttributeSeed], name: &str, value: &Value) -> Answer<()> {
    let refuse = |problem: &str| {
        let message = format!("Custom attribute '{name}' {problem}");
        Err(ApiError::invalid_field("custom_attributes", message))
    };
    let mut same = known.iter().filter(|attribute| attribute.name() == name);
    let Some(attribute) = same.next() else {
        return refuse("does not exist");
    };
    if same.next().is_some() {
        return refuse("is the name of more than one attribute");
    }
    if holds(attribute, value) { Ok(()) } else { refuse("cannot hold this value") }
}

fn holds(attribute: &AttributeSeed, value: &Value) -> bool {
    let AttributeSeed::Typed { data_type, options, .. } = attribute else {
        return !value.is_object() && !value.is_array();
    };
    match (data_type, value) {
        (_, Value::Null)
        | (DataType::String, Value::String(_))
        | (DataType::Decimal, Value::Number(_))
        | (DataType::Boolean, Value::Bool(_)) => true,
        (DataType::List, Value::String(chosen)) => options.contains(chosen),
        (DataType::Integer, Value::Number(number)) => !number.is_f64(),
        (DataType::DateTime, Value::Number(number)) => number.is_u64(),
        (DataType::DateTime, Value::String(text)) => looks_like_iso_8601(text),
        _ => false,
    }
}

/// Whether a text begins with a date and, if anything follows it, a time.
fn looks_like_iso_8601(text: &str) -> bool {
    let (date, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00" && (rest.is_empty() || rest.starts_with('T'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;
    use crate::sandbox::seed::AttributeSeed;

    #[test]
    fn each_type_takes_what_it_may_hold() {
        let known: Vec<AttributeSeed> = serde_json::from_value(json!([
            "Anything",
            "Twice", "Twice",
            {"name": "Text", "data_type": "string"},
            {"name": "Choice", "data_type": "list", "options": ["a", "b"]},
            {"name": "Count", "data_type": "integer"},
            {"name": "Amount", "data_type": "decimal"},
            {"name": "Yes", "data_type": "boolean"},
            {"name": "When", "data_type": "datetime"},
        ]))
        .unwrap();
        let taken = |name: &str, value: Value| check(&known, name, &value).is_ok();
        for (name, good, bad) in [
            ("Anything", json!("x"), json!({"a": 1})),
            ("Anything", json!(1.5), json!([1])),
            ("Text", json!("x"), json!(1)),
            ("Choice", json!("b"), json!("c")),
            ("Count", json!(-3), json!(1.5)),
            ("Amount", json!(1.5), json!("1.5")),
            ("Yes", json!(false), json!("false")),
            ("When", json!(1_768_031_789), json!("tomorrow")),
            ("When", json!("2026-01-10T07:56:29Z"), json!(-1)),
        ] {
            assert!(taken(name, good), "{name}");
            assert!(!taken(name, bad), "{name}");
            assert!(taken(name, Value::Null), "{name}");
        }
        assert!(!taken("Twice", json!("x")));
        assert!(!taken("Nothing", json!("x")));
    }
}
