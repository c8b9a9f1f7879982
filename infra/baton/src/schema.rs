//! The bot protocol's JSON Schemas, generated from the types that the functions use.

use schemars::{JsonSchema, generate::SchemaSettings};
use shared::wire::bot::{CommandMessage, Commands, EventMessage};

/// The schemas, by file name, in the order in which a reader needs them.
#[must_use]
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("event.schema.json", schema_of::<EventMessage>("An event: what Baton tells a bot")),
        ("command.schema.json", schema_of::<CommandMessage>("A command: what a bot asks for")),
        ("commands.schema.json", schema_of::<Commands>("Commands, as a bot answers an event or posts them")),
    ]
}

fn schema_of<T: JsonSchema>(title: &str) -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}
