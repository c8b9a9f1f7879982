//! What a conversation of Intercom's is marked with: its tags and its custom attributes. They are in
//! notifications as well as in `GET`'s answer, so that rules which ask for them know what was set since
//! the bot got the conversation. What is too much to travel in a notification is left to `GET`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::intercom::{loose, nullable};

/// How many attributes, and how many tags, are known of a conversation.
pub(crate) const MAX_TRAITS: usize = 100;
/// The longest text of an attribute, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 2 * 1024;
/// How much the attributes, or the tags, of a notification may hold in all, in bytes.
const MAX_NOTIFIED_BYTES: usize = 8 * 1024;

/// The list around the tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TagNames {
    /// The tags.
    #[serde(deserialize_with = "nullable")]
    pub tags: Vec<TagName>,
}

/// A tag that is attached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TagName {
    /// Its name.
    #[serde(deserialize_with = "loose")]
    pub name: Option<String>,
}

impl TagNames {
    /// The names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.tags.iter().filter_map(|tag| tag.name.clone()).take(MAX_TRAITS).collect()
    }
}

/// Tags as they may travel in a notification: none where they have another shape, or are too many.
pub(super) fn few_tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TagNames>, D::Error> {
    let tags: Option<TagNames> = loose(deserializer)?;
    let bytes = |tags: &TagNames| tags.tags.iter().map(|tag| tag.name.as_ref().map_or(0, String::len)).sum::<usize>();
    Ok(tags.filter(|tags| tags.tags.len() <= MAX_TRAITS && bytes(tags) <= MAX_NOTIFIED_BYTES))
}

/// Attributes as they may travel in a notification: none where they have another shape, or are too much.
pub(super) fn few_attributes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Map<String, Value>>, D::Error> {
    let attributes: Option<Map<String, Value>> = loose(deserializer)?;
    let is_little = |attributes: &Map<String, Value>| {
        let size = |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(8, str::len);
        attributes.len() <= MAX_TRAITS && attributes.iter().map(size).sum::<usize>() <= MAX_NOTIFIED_BYTES
    };
    Ok(attributes.filter(is_little).map(|attributes| simple(Some(attributes))))
}

/// The attributes that have simple values, as Intercom's own do.
pub(crate) fn simple(attributes: Option<Map<String, Value>>) -> Map<String, Value> {
    let is_simple = |value: &Value| match value {
        Value::String(text) => text.len() <= MAX_ATTRIBUTE_BYTES,
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    };
    attributes.unwrap_or_default().into_iter().filter(|(_, value)| is_simple(value)).take(MAX_TRAITS).collect()
}

#[cfg(test)]
mod tests {
    use crate::wire::intercom::ConversationItem;

    fn read(json: &str) -> ConversationItem {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn tags_and_attributes_of_a_notification_are_known_and_travel_on() {
        let item = read(
            r#"{"id":"1","tags":{"type":"tag.list","tags":[{"id":"7","name":"vip"},{"name":null},{}]},
                "custom_attributes":{"plan":"pro","seats":3,"gone":null,"list":[1]}}"#,
        );
        let carried = read(&serde_json::to_string(&item).unwrap());
        for item in [item, carried] {
            let traits = item.observation(false).traits;
            assert_eq!(traits.tags.unwrap(), ["vip"]);
            let attributes = traits.attributes.unwrap();
            assert_eq!(serde_json::Value::Object(attributes).to_string(), r#"{"gone":null,"plan":"pro","seats":3}"#);
        }
    }

    #[test]
    fn what_does_not_say_or_says_too_much_says_nothing_of_them() {
        let many: Vec<String> = (0..101).map(|n| format!("\"a{n}\":{n}")).collect();
        let tags: Vec<String> = (0..101).map(|n| format!("{{\"name\":\"t{n}\"}}")).collect();
        let long = "x".repeat(9_000);
        for json in [
            r#"{"id":"1"}"#.to_owned(),
            r#"{"id":"1","tags":null,"custom_attributes":null}"#.to_owned(),
            r#"{"id":"1","tags":["a"],"custom_attributes":["a"]}"#.to_owned(),
            r#"{"id":"1","tags":"a","custom_attributes":7}"#.to_owned(),
            format!(
                r#"{{"id":"1","tags":{{"tags":[{}]}},"custom_attributes":{{{}}}}}"#,
                tags.join(","),
                many.join(",")
            ),
            format!(r#"{{"id":"1","tags":{{"tags":[{{"name":"{long}"}}]}},"custom_attributes":{{"a":"{long}"}}}}"#),
        ] {
            let traits = read(&json).observation(false).traits;
            assert_eq!((traits.tags, traits.attributes), (None, None), "{json:.80}");
        }
    }
}
