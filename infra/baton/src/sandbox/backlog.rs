//! Conversations of the seed: a backlog that was there before anybody came.
//!
//! They are played once, at the start, with the hands that everybody uses, and then dated back;
//! nobody is notified of them.

use super::actions::ReplyKind;
use super::error::Answer;
use super::model::{Assignee, Email, Message};
use super::seed::{ConversationSeed, MessageSeed, SeedState};
use super::text;
use super::workspace::Workspace;

impl Workspace {
    /// Adds a conversation of a checked seed.
    pub(crate) fn add_from_seed(&mut self, seed: &ConversationSeed) -> Answer<()> {
        let now = self.clock.now();
        let at = |message: &MessageSeed| now.saturating_sub(message.minutes_ago.saturating_mul(60));
        let Some((first, later)) = seed.messages.split_first() else {
            return Ok(());
        };
        let opening = Message {
            body: Some(stored(first)),
            created_at: Some(at(first)),
            email: seed.subject.as_deref().map(|subject| self.email_from(&seed.contact_id, subject)),
            ..Message::default()
        };
        let id = match first.from.parse() {
            Ok(admin_id) => self.start_by_admin(admin_id, &seed.contact_id, opening)?,
            Err(_) => self.start_by_contact(&seed.contact_id, opening)?,
        };
        for message in later {
            let said = Message { body: Some(stored(message)), created_at: Some(at(message)), ..Message::default() };
            let kind = if message.note { ReplyKind::Note } else { ReplyKind::Comment };
            match (message.from.as_str(), message.from.parse()) {
                ("contact", _) => self.contact_reply(id, &seed.contact_id, said, None)?,
                (_, Ok(admin_id)) => self.admin_reply(id, admin_id, kind, said, None)?,
                (author, Err(_)) => self.operator_reply(id, said, author == "fin")?,
            };
        }
        if let Some(team_id) = number(seed.team_assignee_id.as_deref()) {
            self.assign_by_operator(id, Assignee::Team(team_id), None)?;
        }
        if let Some(admin_id) = number(seed.admin_assignee_id.as_deref()) {
            self.assign_by_operator(id, Assignee::Admin(admin_id), None)?;
        }
        for tag in &seed.tags {
            self.tag_by_operator(id, tag)?;
        }
        match seed.state {
            SeedState::Open => {}
            SeedState::Closed => drop(self.close_by_operator(id, None)?),
        }
        let last = seed.messages.last().map_or(now, at);
        let conversation = self.conversation_mut(id)?;
        conversation.title.clone_from(&seed.title);
        for part in conversation.parts.iter_mut() {
            part.created_at = part.created_at.min(last);
            part.updated_at = part.created_at;
        }
        conversation.created_at = at(first);
        conversation.updated_at = last;
        let statistics = &mut conversation.statistics;
        for moment in [
            &mut statistics.first_assignment_at,
            &mut statistics.last_assignment_at,
            &mut statistics.first_close_at,
            &mut statistics.last_close_at,
        ] {
            *moment = moment.map(|moment| moment.min(last));
        }
        Ok(())
    }

    /// What makes a contact's message an e-mail.
    pub(crate) fn email_from(&self, contact_id: &str, subject: &str) -> Email {
        let contact = self.contacts.get(contact_id);
        let address = contact.and_then(|contact| contact.email.clone());
        let name = contact.and_then(|contact| contact.name.clone());
        Email {
            subject: subject.to_owned(),
            from: (address.unwrap_or_else(|| format!("{contact_id}@unknown.example")), name),
            to: (format!("{}@incoming.intercom.example", self.app_id), Some(self.name.clone())),
            message_id: format!("<{}@mail.example>", super::ids::uuid()),
        }
    }
}

fn stored(message: &MessageSeed) -> String {
    if message.from == "contact" {
        text::stored_from_messenger(&message.body)
    } else {
        text::stored_from_api(&message.body)
    }
}

fn number(id: Option<&str>) -> Option<u64> {
    id.and_then(|id| id.parse().ok())
}
