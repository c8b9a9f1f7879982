//! Several messages in a row as one, for a bot that looks no further.

use super::bot::{AuthorData, MessageData};

impl MessageData {
    /// All of them as one: the words parted by empty lines, all files, the last choice among them, and what
    /// only one of them can say as the last says it. One message alone is itself.
    #[must_use]
    pub fn joined(messages: &[Self]) -> Self {
        let last = messages.last();
        let words = |of: fn(&Self) -> &str| {
            let said = messages.iter().map(of).filter(|words| !words.is_empty());
            said.collect::<Vec<_>>().join("\n\n")
        };
        let is_shortened = messages.iter().any(|message| message.full_text.is_some());
        Self {
            part_id: last.and_then(|message| message.part_id.clone()),
            author: last.map_or_else(nobody, |message| message.author.clone()),
            text: words(|message| &message.text),
            markdown: words(|message| &message.markdown),
            full_text: is_shortened.then(|| words(|message| message.full_text.as_ref().unwrap_or(&message.text))),
            choice: messages.iter().rev().find_map(|message| message.choice.clone()),
            attachments: messages.iter().flat_map(|message| message.attachments.clone()).collect(),
            created_at: last.map_or(0, |message| message.created_at),
        }
    }
}

fn nobody() -> AuthorData {
    AuthorData { kind: "other".to_owned(), id: String::new(), name: None, avatar: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bot::{AttachmentData, ChoiceData};

    fn message(part: &str, text: &str) -> MessageData {
        MessageData {
            part_id: Some(part.to_owned()),
            author: AuthorData { kind: "customer".to_owned(), id: "c1".to_owned(), name: None, avatar: None },
            text: text.to_owned(),
            markdown: format!("*{text}*"),
            full_text: None,
            choice: None,
            attachments: Vec::new(),
            created_at: part.parse().unwrap(),
        }
    }

    #[test]
    fn one_message_is_itself() {
        let mut one = message("7", "Hello");
        one.full_text = Some("Hello\n> quoted".to_owned());
        assert_eq!(MessageData::joined(std::slice::from_ref(&one)), one);
    }

    #[test]
    fn several_are_read_as_one_text_with_all_that_came_with_them() {
        let file = |name: &str| AttachmentData {
            name: Some(name.to_owned()),
            url: format!("https://files.example/{name}"),
            content_type: None,
            size_bytes: None,
        };
        let mut choice = message("1", "2");
        choice.choice = Some(ChoiceData { value: "plan_b".to_owned(), label: "Plan B".to_owned() });
        choice.attachments = vec![file("a")];
        let mut picture = message("2", "");
        (picture.markdown, picture.attachments) = (String::new(), vec![file("b")]);
        let mut mail = message("3", "Thanks");
        mail.full_text = Some("Thanks\n-- \nAda".to_owned());
        let joined = MessageData::joined(&[choice.clone(), picture, mail]);
        assert_eq!((joined.part_id.as_deref(), joined.created_at), (Some("3"), 3));
        assert_eq!((&*joined.text, &*joined.markdown), ("2\n\nThanks", "*2*\n\n*Thanks*"));
        assert_eq!(joined.full_text.as_deref(), Some("2\n\nThanks\n-- \nAda"));
        assert_eq!((joined.choice, joined.attachments.len()), (choice.choice, 2));
    }
}
