//! Tags as bots name them: a list, or one text with commas, as a bot's session variable
//! `intercom_tags` has them. A part of the bot protocol; see [`super::bot`].

use serde::{Deserialize, Serialize};

/// Names of tags: a list, in which a name may have commas, or one text in which they part the names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum TagsData {
    /// Each is a name.
    List(Vec<String>),
    /// Names, parted by commas.
    Text(String),
}

impl Default for TagsData {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl TagsData {
    /// The names, each once: Intercom tells no case apart in them. What is empty between commas is
    /// nothing; an empty name in a list is left for the command's check to refuse.
    #[must_use]
    pub fn into_names(self) -> Vec<String> {
        let names: Vec<String> = match self {
            Self::List(names) => names,
            Self::Text(text) => {
                text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
            }
        };
        let mut each = Vec::with_capacity(names.len());
        let mut known = std::collections::BTreeSet::new();
        for name in names {
            if known.insert(name.trim().to_lowercase()) {
                each.push(name);
            }
        }
        each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_commas_and_a_text_is_parted_by_them() {
        let names = |json: &str| serde_json::from_str::<TagsData>(json).unwrap().into_names();
        assert_eq!(names(r#"["a, b","c"]"#), ["a, b", "c"]);
        assert_eq!(names(r#""a, b,,c ,""#), ["a", "b", "c"]);
        assert_eq!(names(r#""""#), [""; 0]);
        assert_eq!(names(r#"["vip","VIP"," vip "]"#), ["vip"], "each once");
        assert_eq!(names(r#"[" "]"#), [" "], "a mistake is not hidden");
        assert!(serde_json::from_str::<TagsData>("7").is_err());
    }
}
