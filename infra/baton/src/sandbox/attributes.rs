//! The custom attributes that a workspace has defined for its contacts and conversations.
//!
//! A value can only be given to an attribute that is defined and not archived, as Intercom has
//! it; its exact words are not documented. Attributes of companies can be defined too, but
//! there are no companies to have them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{Answer, ApiError};
use super::ids;
use super::seed::{AttributeSeed, DataType};

/// What an attribute is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Model {
    Contact,
    Company,
    Conversation,
}

impl Model {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Conversation => "conversation",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Contact, Self::Company, Self::Conversation].into_iter().find(|one| one.name() == text)
    }
}

/// One of the values that an attribute can have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AttributeOption {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) archived: bool,
}

impl AttributeOption {
    pub(crate) fn new(label: &str) -> Self {
        Self { id: ids::uuid(), label: label.to_owned(), archived: false }
    }
}

/// The definition of a custom attribute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attribute {
    pub(crate) id: u64,
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) data_type: DataType,
    /// Takes any text, number or boolean, whatever its type is called.
    pub(crate) untyped: bool,
    pub(crate) options: Vec<AttributeOption>,
    /// What a relationship leads to, as it was given.
    pub(crate) reference: Option<Value>,
    pub(crate) multiline: bool,
    pub(crate) required: bool,
    pub(crate) messenger_writable: bool,
    pub(crate) visible_to_team_ids: Vec<String>,
    pub(crate) archived: bool,
    pub(crate) admin_id: Option<u64>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

impl Attribute {
    pub(crate) fn new(id: u64, model: Model, name: &str, data_type: DataType, now: u64) -> Self {
        Self {
            id,
            model,
            name: name.to_owned(),
            description: String::new(),
            data_type,
            untyped: false,
            options: Vec::new(),
            reference: None,
            multiline: false,
            required: false,
            messenger_writable: false,
            visible_to_team_ids: Vec::new(),
            archived: false,
            admin_id: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it may have that value. Null takes the value away, which is always allowed.
    fn takes(&self, value: &Value) -> bool {
        if self.untyped {
            return !value.is_object() && !value.is_array();
        }
        match (self.data_type, value) {
            (_, Value::Null)
            | (DataType::String, Value::String(_))
            | (DataType::Decimal, Value::Number(_))
            | (DataType::Boolean, Value::Bool(_))
            | (DataType::Relationship | DataType::Files, _) => true,
            (DataType::List, Value::String(chosen)) => {
                self.options.iter().any(|one| !one.archived && one.label == *chosen)
            }
            (DataType::Integer, Value::Number(number)) => !number.is_f64(),
            (DataType::DateTime, Value::Number(number)) => number.is_u64(),
            (DataType::DateTime, Value::String(text)) => looks_like_iso_8601(text),
            _ => false,
        }
    }
}

/// All attributes of a workspace, in the order of their making.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Attributes(Vec<Attribute>);

impl Attributes {
    pub(crate) fn of(&self, model: Model) -> impl Iterator<Item = &Attribute> {
        self.0.iter().filter(move |one| one.model == model)
    }

    /// Whether there is one of that name to be given values.
    pub(crate) fn has(&self, model: Model, name: &str) -> bool {
        self.named(model, name).is_some()
    }

    pub(crate) fn named(&self, model: Model, name: &str) -> Option<&Attribute> {
        self.of(model).find(|one| !one.archived && one.name == name)
    }

    pub(crate) fn by_id_mut(&mut self, id: u64) -> Option<&mut Attribute> {
        self.0.iter_mut().find(|one| one.id == id)
    }

    pub(crate) fn add(&mut self, attribute: Attribute) {
        self.0.push(attribute);
    }

    /// One for every attribute of a seed; `id` numbers them.
    pub(crate) fn seed(&mut self, model: Model, seeds: &[AttributeSeed], now: u64, mut id: impl FnMut() -> u64) {
        for seed in seeds {
            let mut attribute = Attribute::new(id(), model, seed.name(), DataType::String, now);
            match seed {
                AttributeSeed::Name(_) => attribute.untyped = true,
                AttributeSeed::Typed { data_type, options, .. } => {
                    attribute.data_type = *data_type;
                    attribute.options = options.iter().map(|label| AttributeOption::new(label)).collect();
                }
            }
            self.add(attribute);
        }
    }

    /// One for every value that a seed's contacts have without it being defined.
    pub(crate) fn seed_from_values<'a>(
        &mut self,
        values: impl Iterator<Item = (&'a String, &'a Value)>,
        now: u64,
        mut id: impl FnMut() -> u64,
    ) {
        for (name, value) in values {
            if !self.has(Model::Contact, name) {
                self.add(Attribute::new(id(), Model::Contact, name, type_of(value), now));
            }
        }
    }

    /// # Errors
    /// 400 `parameter_invalid` when there is no such attribute, or two, or it may not have that.
    pub(crate) fn check(&self, model: Model, values: &Map<String, Value>) -> Answer<()> {
        for (name, value) in values {
            let refuse = |problem: &str| {
                let message = format!("Custom attribute '{name}' {problem}");
                Err(ApiError::invalid_field("custom_attributes", message))
            };
            let mut same = self.of(model).filter(|one| !one.archived && one.name == *name);
            match (same.next(), same.next()) {
                (None, _) => return refuse("does not exist"),
                (Some(_), Some(_)) => return refuse("is the name of more than one attribute"),
                (Some(attribute), None) if !attribute.takes(value) => return refuse("cannot hold this value"),
                (Some(_), None) => {}
            }
        }
        Ok(())
    }
}

fn type_of(value: &Value) -> DataType {
    match value {
        Value::Bool(_) => DataType::Boolean,
        Value::Number(number) if number.is_f64() => DataType::Decimal,
        Value::Number(_) => DataType::Integer,
        _ => DataType::String,
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

    use super::{Attributes, Model};
    use crate::sandbox::seed::AttributeSeed;

    #[test]
    fn each_type_takes_what_it_may_hold() {
        let seeds: Vec<AttributeSeed> = serde_json::from_value(json!([
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
        let mut known = Attributes::default();
        known.seed(Model::Contact, &seeds, 0, || 1);
        let taken = |name: &str, value: Value| {
            let values = json!({ name: value });
            known.check(Model::Contact, values.as_object().unwrap()).is_ok()
        };
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
        assert!(!known.has(Model::Conversation, "Text"));
    }
}
