//! The monitored inbox: what comes in there and nobody has is read by the bot too, which takes what it
//! answers and leaves the rest where it is. Only conversations that are new to the bot are watched:
//! what people, or the bot itself, put back there is theirs.

use super::Stepper;
use crate::domain::content::AuthorKind;
use crate::domain::conversation::{Action, Control, Conversation, TakenFrom, Weight};
use crate::domain::part::{Assignee, Observation, Part};
use crate::domain::render;

impl Stepper<'_> {
    /// Whether a notification is of something that may be watched: a customer writes in the monitored
    /// inbox. Whether it is, the whole conversation tells.
    pub(super) fn may_be_watched(&self, notification: &Observation) -> bool {
        let by_customer = |part: &Part| part.author.kind == AuthorKind::Customer && part.message().is_some();
        let asks = notification.parts.is_empty() || notification.parts.iter().any(by_customer);
        asks && self.is_watched_inbox(notification)
    }

    /// Begins to watch, if nobody has answered yet and it lies in the monitored inbox. Whether it does.
    pub(super) fn watch(&mut self, observation: &Observation) -> bool {
        let answers = |part: &Part| {
            let teammate = part.author.kind == AuthorKind::Teammate;
            teammate && (part.message().is_some() || part.is_by(&self.workspace.bot_teammate))
        };
        let began_by_customer =
            observation.source.as_ref().is_none_or(|source| source.author.kind == AuthorKind::Customer);
        let is_free = began_by_customer && !observation.parts.iter().any(answers);
        let is_there = self.is_watched_inbox(observation) && observation.owner() == observation.assignee;
        if !(is_free && is_there) {
            return false;
        }
        self.state.control = Control::Bot;
        self.state.epoch += 1;
        self.state.away = true;
        true
    }

    fn is_watched_inbox(&self, observation: &Observation) -> bool {
        observation.open && self.workspace.monitor.as_ref() == Some(&observation.assignee)
    }

    /// It has come to the bot's inbox from another: what happened before happened there.
    pub(super) fn remember_where_it_was(&mut self, before: &Conversation) {
        let is_bots = |assignee: &Option<Assignee>| assignee.as_ref().is_some_and(|to| self.workspace.is_bots(to));
        let from = before.assignee.clone().filter(|_| !is_bots(&before.assignee) && is_bots(&self.state.assignee));
        if let Some(inbox) = from {
            self.state.taken_from = Some(TakenFrom { inbox, at: self.now, until: before.last_event });
        }
    }

    /// Whether its assignment to the bot is on its way.
    pub(super) fn is_taking(&self) -> bool {
        self.state.outbox.iter().any(|entry| matches!(entry.action, Action::Take { .. }))
    }

    /// The bot has something to say: it takes what it only watched until now, if nobody else has.
    pub(super) fn take_what_is_watched(&mut self) {
        let Some(from) = self.state.assignee.clone().filter(|_| self.state.away && !self.is_taking()) else { return };
        self.enqueue(None, Weight::Completes, Action::Take { from });
        if let Some(introduction) = &self.workspace.introduction {
            let html = render::markdown(introduction);
            let action = Action::Reply { html, attachment_urls: Vec::new(), offer: None };
            self.enqueue(None, Weight::Completes, action);
        }
    }
}
