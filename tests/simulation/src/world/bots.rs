//! Bots: what they take, and what they give.

use std::rc::Rc;

use shared::wire::bot::{CommandMessage, EventMessage};

use super::{Event, Party, World, cut};
use crate::bot::{self, Issued, Style};
use crate::intercom::{Said, Who};

impl World {
    /// Whether the bot can be reached.
    #[must_use]
    pub fn is_bot_up(&self) -> bool {
        self.now >= self.bot_down_until
    }

    /// The bot cannot be reached until then.
    pub fn bot_goes_down(&mut self, until: u64) {
        self.tell(until, |_| "the bots are down".to_owned());
        self.bot_down_until = until;
    }

    /// A bot gets an event; what it answers at once.
    pub fn bot_takes(&mut self, body: &str, style: Style) -> Vec<CommandMessage> {
        if self.platform_takes(body) {
            return Vec::new();
        }
        let Ok(event) = serde_json::from_str::<EventMessage>(body) else {
            self.accuse(format!("an event that cannot be read: {body}"));
            return Vec::new();
        };
        let talk = event.conversation.as_ref().and_then(|of| of.key().ok()).and_then(|key| self.talk(&key));
        let Some(talk) = talk else {
            self.accuse(format!("an event of a conversation that does not exist: {body}"));
            return Vec::new();
        };
        let serves = if self.talks[talk].key.app_id.as_str() == "abc123" { "one" } else { "two" };
        if event.bot != serves {
            self.accuse(format!("an event for {serves} went to {}", event.bot));
        }
        let mut wrong = Vec::new();
        self.is_answered_already(talk, &event);
        self.is_no_echo(talk, &event);
        self.is_unanswered(talk, &event);
        let new = self.memories[talk].take(&event, &mut wrong);
        if new {
            if let shared::wire::bot::Event::Message { messages, .. } = &event.event {
                self.tally.turns += u64::from(!messages.is_empty());
            }
            self.memories[talk].note_time(&event, self.now);
        }
        self.tell(bot::hash(body), |_| {
            format!(
                "bot {} takes{} {}: {}",
                event.bot,
                if new { "" } else { " again" },
                event.id,
                cut(&serde_json::to_string(&event.event).unwrap_or_default())
            )
        });
        wrong.into_iter().for_each(|what| self.accuse(format!("bot: {what}")));
        let delivery = self.deliveries.entry(event.id.clone()).or_insert(0);
        let alters = style == Style::Other;
        let wishes = bot::wishes(&event, *delivery, alters, self.setting.ruled);
        *delivery += 1;
        let own_ids = matches!(style, Style::Posts | Style::Queues);
        let mut commands = Vec::new();
        for (position, bot::Wish { kind, json, turned }) in wishes.into_iter().enumerate() {
            let command = bot::command(&event, position, own_ids, &json);
            let id: Rc<str> = command.id.clone().unwrap_or_default().into();
            let memory = &mut self.memories[talk].issued;
            let issued = memory.entry(id).or_insert(Issued {
                epoch: event.epoch,
                seq: event.seq,
                kind,
                results: Vec::new(),
                altered: false,
                odd: json.contains(r#""content":[]"#),
                turned,
            });
            issued.altered |= alters && !new;
            commands.push(command);
        }
        if self.manner.remembers && new {
            self.given.extend(commands.iter().map(|command| (talk, command.clone())));
        }
        if !own_ids {
            return commands;
        }
        if new {
            let mut wait = 0;
            for command in commands {
                wait += self.wait(100, 2_000); // in order
                if self.chance.strikes(2_000) && !self.manner.even {
                    let again = wait + self.wait(100, 400_000);
                    self.at(self.now + again, Event::BotGives(Party::Talk(talk), Box::new(command.clone())));
                }
                self.at(self.now + wait, Event::BotGives(Party::Talk(talk), Box::new(command)));
            }
        }
        Vec::new()
    }

    /// Whatever bots have asked for they ask for once more, one after the other.
    pub(super) fn give_again(&mut self) {
        let mut at = self.now;
        for (talk, command) in self.given.clone() {
            at += self.wait(50, 500);
            self.at(at, Event::BotGives(Party::Talk(talk), Box::new(command)));
        }
    }

    /// What was answered before a row was lost is not asked again.
    pub(super) fn is_answered_already(&mut self, talk: usize, event: &EventMessage) {
        let shared::wire::bot::Event::Message { message, messages, .. } = &event.event else { return };
        for one in bot::each(message, messages) {
            self.is_part_answered_already(
                talk,
                event,
                one.part_id.as_ref().and_then(|id| id.parse().ok()).unwrap_or(0),
            );
        }
    }

    fn is_part_answered_already(&mut self, talk: usize, event: &EventMessage, part: u64) {
        let memory = &self.memories[talk];
        let again = memory.known.contains(&part) && !memory.events.contains_key(&event.id);
        // What the bot says in this life answers what it was told in this life.
        let answers = |said: &&Said| {
            let before = said.made.as_ref().is_some_and(|made| made.life < self.life);
            before && said.id > part && said.who == Who::Bot && said.is_seen()
        };
        if again && let Some(answer) = self.talks[talk].parts.iter().find(answers).map(|said| said.id) {
            self.accuse(format!("message {part}, which part {answer} answered, is told again: {}", event.id));
        }
    }

    /// What a teammate has the bot asked again nobody has answered.
    fn is_unanswered(&mut self, talk: usize, event: &EventMessage) {
        let shared::wire::bot::Event::Message { message, messages, .. } = &event.event else { return };
        let memory = &self.memories[talk];
        if memory.retries.is_empty() || memory.events.contains_key(&event.id) {
            return;
        }
        for one in bot::each(message, messages) {
            let part = one.part_id.as_ref().and_then(|id| id.parse().ok()).unwrap_or(0);
            let again = self.memories[talk].messages.contains(&part);
            // The first note that has not had it told again.
            let is_due =
                |(note, told): &(&u64, &std::collections::BTreeSet<u64>)| **note > part && !told.contains(&part);
            let Some(note) = self.memories[talk].retries.iter().find(is_due).map(|(note, _)| *note) else { continue };
            let answers = |said: &&Said| {
                let speaks = said.who == Who::Bot || said.who.is_person();
                speaks && said.is_seen() && said.id > part && said.id < note
            };
            if again && let Some(answer) = self.talks[talk].parts.iter().find(answers).map(|said| said.id) {
                self.accuse(format!("message {part}, which part {answer} answered, is asked again: {}", event.id));
            }
        }
    }

    /// A bot is told of customers' words, and of people's as said meanwhile; never of its own.
    pub(super) fn is_no_echo(&mut self, talk: usize, event: &EventMessage) {
        use shared::wire::bot::Event;
        let author = |id: Option<&String>| {
            let id: u64 = id.and_then(|id| id.parse().ok())?;
            self.talks[talk].parts.iter().find(|part| part.id == id).map(|part| part.who)
        };
        let echoes = match &event.event {
            Event::Message { message, messages, .. } => {
                let is_customers = |id| author(id).is_none_or(|who| who == Who::Customer);
                bot::each(message, messages).iter().any(|one| !is_customers(one.part_id.as_ref()))
            }
            Event::Resumed { stretch, .. } => {
                stretch.iter().any(|message| author(message.part_id.as_ref()) == Some(Who::Bot))
            }
            _ => false,
        };
        if echoes {
            self.tally.echoes += 1;
            self.accuse(format!("an echo: {} tells the bot of what no customer said", event.id));
        }
    }

    /// A bot's own queue has an event for it.
    pub fn for_the_bot(&mut self, party: Party, body: Rc<str>) {
        match party {
            Party::Talk(talk) => self.bot_queues[talk].push_back(body),
            Party::Chat(chat) => self.chats[chat].incoming.push_back(body),
        }
        let wait = self.wait(20, 400);
        self.at(self.now + wait, Event::BotReads(party));
    }
}
