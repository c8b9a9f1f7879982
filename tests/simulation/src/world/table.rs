//! The table: a row is written if it still has the version that was read, and looked at.

use std::fmt::Write as _;

use shared::domain::conversation::{Control, Conversation, EventKind, PendingEvent, Progress};
use shared::domain::ids::{ConversationKey, PartId};

use super::{Row, World};
use crate::check;
use crate::mutants::Mutant;

impl World {
    /// Writes a row if it still has this version; the new version.
    pub fn save(&mut self, key: &ConversationKey, state: &Conversation, version: u64) -> Option<u64> {
        let before = self.rows.get(key).cloned().unwrap_or_default();
        let blind = self.mutant == Some(Mutant::NoCompareAndSwap);
        if before.version != version && !blind {
            self.tell(3, |_| format!("row {key}: conflict, {version} is {} now", before.version));
            return None;
        }
        let next = before.version + 1;
        self.tell(next ^ state.epoch << 32, |_| format!("row {key}: {}", describe(next, state)));
        self.note_claims(key, &before.state, state);
        if let Some(chat) = self.chat(key) {
            let mut births = std::mem::take(&mut self.chats[chat].births);
            let wrong = crate::relay::check::row(self, chat, &before.state, state, &mut births);
            self.chats[chat].births = births;
            let doubted = state.outbox.iter().filter(|entry| matches!(entry.progress, Progress::Unknown { .. }));
            let doubted = doubted.filter_map(|entry| entry.command.as_ref()).map(|id| std::rc::Rc::from(id.as_str()));
            self.chats[chat].doubted.extend(doubted);
            let closes = state.outbox.iter().any(|entry| entry.action.as_str() == "close");
            let is_new = |event: &&PendingEvent| event.seq > before.state.last_event;
            let told = state.events.iter().filter(|_| closes && state.control == Control::Closed).filter(is_new);
            self.chats[chat].before_our_close.extend(told.map(|event| event.seq));
            wrong.into_iter().for_each(|what| self.accuse(format!("{key}: {what}")));
        } else if state.moved_to.is_some() {
            self.leads_home(key, state);
        } else if let Some(talk) = self.talk(key) {
            let births = self.births.entry((talk, self.life)).or_default();
            let mut wrong = Vec::new();
            let births = (births, self.life);
            check::row(&self.talks[talk], &self.memories[talk], &before.state, state, births, &mut wrong);
            if self.setting.ruled.is_some() {
                let offers = self.offers.entry(talk).or_default();
                let (talk, memory) = (&self.talks[talk], &self.memories[talk]);
                crate::ruled::offers::row(talk, memory, (&before.state, state), self.now, offers, &mut wrong);
            }
            wrong.into_iter().for_each(|what| self.accuse(format!("{key}: {what}")));
            // What the bot took while people had it, or may have taken, is told again at its return.
            let is_message = |kind: &EventKind| matches!(kind, EventKind::Message { .. });
            let waits = before.state.burst.is_some() || before.state.events.iter().any(|event| is_message(&event.kind));
            let relief = before.state.relieved.as_ref().filter(|_| state.control == Control::Bot && !waits);
            if let Some(relief) = relief {
                self.returns += 1;
                self.memories[talk].forget(|part| {
                    part == 0 && relief.source
                        || part > 0 && PartId::parse(part.to_string()).is_ok_and(|part| relief.covers(&part))
                });
            }
        } else {
            self.accuse(format!("a row for {key}, which does not exist"));
        }
        if next % 8 == 0 && !self.manner.coarse {
            let stored = serde_json::to_string(state).unwrap_or_default();
            if stored.len() > check::MAX_ROW_BYTES {
                self.accuse(format!("row {key} has {} bytes", stored.len()));
            }
            if serde_json::from_str::<Conversation>(&stored).ok().as_ref() != Some(state) {
                self.accuse(format!("row {key} does not come back as it was stored"));
            }
        }
        let mut state = state.clone();
        if let Some(mutant) = self.mutant {
            mutant.spoils_row(&before.state, &mut state);
        }
        self.rows.insert(key.clone(), Row { version: next, state });
        Some(next)
    }

    /// A row that leads to a chat leads to that of its customer.
    fn leads_home(&mut self, key: &ConversationKey, state: &Conversation) {
        let home =
            state.moved_to.clone().map(|row| ConversationKey { app_id: key.app_id.clone(), conversation_id: row });
        let chat = home.as_ref().and_then(|home| self.chat(home));
        let talk = self.talk(key).or_else(|| self.talk_beside(key));
        if let (Some(talk), Some(chat)) = (talk, chat)
            && self.talks[talk].starter.is_person()
            && self.talks[talk].chat.is_some_and(|own| self.are_twins(own, chat))
        {
            self.belongs(talk, chat);
        }
        let own = talk.map(|talk| self.talks[talk].chat);
        if chat.is_none() || !self.is_somewhere(key) || own.is_some_and(|own| own != chat) {
            self.accuse(format!("row {key} leads to {home:?}, which is not its chat"));
        }
        if !self.rows.contains_key(key) {
            self.is_known_late(key);
        }
    }

    /// What people have begun with a contact was told of when nobody knew whose it was: now it is to be found.
    fn is_known_late(&mut self, key: &ConversationKey) {
        let Some(contact) = key.conversation_id.as_str().strip_prefix("contact:") else { return };
        let is_theirs = |talk: &&mut crate::intercom::Talk| {
            talk.contact.as_deref() == Some(contact) && talk.starter.is_person() && talk.key.app_id == key.app_id
        };
        for talk in self.talks.iter_mut().filter(is_theirs) {
            talk.missed = true;
            self.searched.remove(&key.app_id);
        }
    }

    pub(super) fn note_claims(&mut self, key: &ConversationKey, before: &Conversation, after: &Conversation) {
        for entry in &after.outbox {
            if let Progress::Claimed { claim, .. } = &entry.progress
                && !before.outbox.iter().any(|other| other.progress == entry.progress)
                && let Some(worker) = self.workers.get_mut(self.current)
            {
                worker.claims.push((key.clone(), entry.seq, claim.to_string()));
            }
        }
    }
}

/// A row in one line.
fn describe(version: u64, state: &Conversation) -> String {
    let mut text = format!(
        "version {version}, {}, epoch {}, seen {:?}",
        state.control.as_str(),
        state.epoch,
        state.seen.part.as_ref().map(|part| part.as_str())
    );
    // Writing to a text cannot fail.
    for entry in &state.outbox {
        let progress = serde_json::to_value(&entry.progress).unwrap_or_default();
        let _ = write!(
            text,
            ", {} {} {}",
            entry.action.as_str(),
            entry.seq,
            progress.get("state").and_then(|state| state.as_str()).unwrap_or_default()
        );
    }
    if let Some(transfer) = state.transfer.as_ref().filter(|transfer| transfer.look || !transfer.waits.is_empty()) {
        let _ = write!(text, ", looks {}, waits {:?}", transfer.look, transfer.waits.keys());
    }
    for event in &state.events {
        let _ = write!(text, ", tells {} {}", event.kind.as_str(), event.seq);
    }
    text
}
