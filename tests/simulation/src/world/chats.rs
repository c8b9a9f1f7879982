//! Chats at bot platforms: what customers do there, what the platform gives to Baton and hears of it, and
//! what is opened in Intercom for them.

use std::rc::Rc;

use serde_json::Value;
use shared::domain::conversation::Action;
use shared::domain::ids::{AppId, BotId, ContactId, ConversationId, ConversationKey};
use shared::domain::transfer::{contact_row, session_row};
use shared::wire::bot::CommandMessage;

use super::{Event, Party, QueueName, World, cut};
use crate::bot;
use crate::intercom::{Deed, Made, Who};
use crate::product::{BOTS, WORKSPACES};
use crate::relay::chat::{Asked, Cast, Chat, Issue, Step, files_json, names_of};
use crate::relay::heard::{Heard, Learnt};

/// The conversations that are opened while a run lasts have numbers from here on.
const OPENED: usize = 50_000;

impl World {
    /// A new chat.
    ///
    /// # Panics
    /// Never: its names are names.
    pub fn add_chat(&mut self, cast: &Cast) {
        let bot = BotId::parse(BOTS[cast.workspace]).unwrap();
        let app_id = AppId::parse(WORKSPACES[cast.workspace]).unwrap();
        let key = ConversationKey { app_id, conversation_id: session_row(&bot, &cast.session).unwrap() };
        self.seats.insert(key.clone(), self.chats.len());
        let mut chat = Chat::of(cast, key);
        chat.heard = Heard::nothing();
        self.chats.push(chat);
    }

    /// The chat that is kept in this row.
    #[must_use]
    pub fn chat(&self, key: &ConversationKey) -> Option<usize> {
        self.seats.get(key).copied()
    }

    /// Whether there may be a row of this name.
    #[must_use]
    pub fn is_somewhere(&self, key: &ConversationKey) -> bool {
        let is_contact = || {
            let contact = key.conversation_id.as_str().strip_prefix("contact:");
            contact.is_some_and(|contact| {
                contact == shared::testing::CUSTOMER
                    || self.contacts.iter().any(|((workspace, _), id)| {
                        WORKSPACES[*workspace] == key.app_id.as_str() && id.as_str() == contact
                    })
            })
        };
        self.talk(key).is_some() || self.chat(key).is_some() || is_contact() || self.talk_beside(key).is_some()
    }

    /// The conversation whose row this is, where it leads to the chat beside which it is passed on.
    #[must_use]
    pub fn talk_beside(&self, key: &ConversationKey) -> Option<usize> {
        let id = key.conversation_id.as_str().strip_prefix("beside:")?;
        let conversation_id = ConversationId::parse(id).ok()?;
        self.talk(&ConversationKey { app_id: key.app_id.clone(), conversation_id })
    }

    /// Whether two chats are with the same customer.
    #[must_use]
    pub fn are_twins(&self, one: usize, other: usize) -> bool {
        let (this, that) = (&self.chats[one], &self.chats[other]);
        one == other || (this.workspace == that.workspace && this.customer.is_some() && this.customer == that.customer)
    }

    /// What people began with a customer who has several chats belongs to the one to which its row leads.
    pub fn belongs(&mut self, talk: usize, chat: usize) {
        if let Some(before) = self.talks[talk].chat.replace(chat) {
            self.chats[before].talks.retain(|other| *other != talk);
            self.chats[chat].talks.push(talk);
        }
    }

    /// The conversations' customer in Intercom, if they are known there.
    #[must_use]
    pub fn contact_of(&self, chat: usize) -> Option<&ContactId> {
        let chat = &self.chats[chat];
        self.contacts.get(&(chat.workspace, identity(chat.customer.as_deref(), &chat.session)))
    }

    /// Finds a customer in Intercom, or makes them known there.
    ///
    /// # Panics
    /// Never: it is an id.
    pub fn find_contact(&mut self, workspace: usize, external_id: Option<&str>, session: &str) -> ContactId {
        let next = self.contacts.len() + 1;
        let id = || ContactId::parse(format!("65a0c0ffee00000000{next:06x}")).unwrap();
        self.contacts.entry((workspace, identity(external_id, session))).or_insert_with(id).clone()
    }

    // ── the platform ────────────────────────────────────────────────────────────────────────────

    /// Something happens in a chat.
    pub fn step(&mut self, chat: usize, step: Step) {
        self.tell(21, |world| format!("chat {}: {step:?}", world.chats[chat].session));
        let over = self.chats[chat].heard.over;
        match step {
            Step::Start(words) => self.starts(chat, &words, &[], false),
            Step::StartWith(words, files) => self.starts(chat, &words, &files, false),
            Step::StartAgain => {
                let words = self.chats[chat].last_words();
                words.into_iter().for_each(|words| self.starts(chat, &words, &[], true));
            }
            Step::Say(words) if !over => self.says(chat, &words, &[]),
            Step::Send(words, files) if !over => self.says(chat, &words, &files),
            Step::Say(_) | Step::Send(..) => {} // the bot answers it
            Step::SayAnyway(words) => self.says(chat, &words, &[]),
            Step::End if !over => {
                self.gives(chat, Asked::End, "", r#""type":"transfer_end","data":{"reason":"enough"}"#)
            }
            Step::End => {}
            Step::Redact => {
                let part = self.chats[chat].passed_on.last().copied();
                part.into_iter().for_each(|part| {
                    let json = format!(r#""type":"redact","data":{{"part_id":"{part}"}}"#);
                    self.gives(chat, Asked::Redact, "", &json);
                });
            }
            Step::InIntercom(who, deed) => {
                let talk = self.chats[chat].talks.last().copied();
                talk.into_iter().for_each(|talk| {
                    self.happens(talk, who, &deed, None);
                });
            }
            Step::InTheFirst(who, deed) => {
                let talk = self.chats[chat].talks.first().copied();
                talk.into_iter().for_each(|talk| {
                    self.happens(talk, who, &deed, None);
                });
            }
            Step::RedactPersons => {
                let talk = self.chats[chat].talks.last().copied();
                let part = talk.and_then(|talk| {
                    let parts = self.talks[talk].parts.iter().rev();
                    Some((talk, parts.filter(|part| part.is_seen()).find(|part| part.who.is_person())?.id))
                });
                if let Some((talk, part)) = part {
                    self.happens(talk, Who::Alice, &Deed::RedactPart(part), None);
                }
            }
            Step::PeopleBegin(words) => {
                if let Some(contact) = self.contact_of(chat).cloned() {
                    self.opens(chat, &contact, &words, Who::Alice, None);
                }
            }
        }
    }

    fn starts(&mut self, chat: usize, words: &str, files: &[String], again: bool) {
        let this = &self.chats[chat];
        let (customer, channel) = (this.customer_json(), this.channel);
        let sent = if files.is_empty() { String::new() } else { format!(r#""attachments":{},"#, files_json(files)) };
        let json = format!(
            r#""type":"transfer_start","data":{{"customer":{customer},"channel":"{channel}",{sent}"text":"{words}","transcript":[{{"author":"customer","text":"{words}"}},{{"author":"bot","text":"psst, I fetch somebody"}}],"reason":"wanted","summary":"psst","tags":["vip"],"attributes":{{"x":1}}}}"#
        );
        self.gives_with(chat, asked(Asked::Start, words, files, again), &json);
    }

    fn says(&mut self, chat: usize, words: &str, files: &[String]) {
        let sent = if files.is_empty() { String::new() } else { format!(r#","attachments":{}"#, files_json(files)) };
        let json = format!(r#""type":"transfer_message","data":{{"text":"{words}"{sent}}}"#);
        self.gives_with(chat, asked(Asked::Say, words, files, false), &json);
    }

    fn gives(&mut self, chat: usize, what: Asked, words: &str, json: &str) {
        self.gives_with(chat, asked(what, words, &[], false), json);
    }

    /// The platform has one more command to give, behind those before it.
    fn gives_with(&mut self, chat: usize, issue: Issue, json: &str) {
        let since = self.parts[self.chats[chat].workspace];
        let this = &mut self.chats[chat];
        let id = format!("{}/{}", this.session, this.issued.len());
        let command = this.command(&id, json);
        if issue.asked.speaks() {
            this.heard.asks(issue.asked == Asked::Start, since);
        }
        this.issued.push(Issue { id: id.into(), ..issue });
        this.outgoing.push_back(Box::new(command));
        if this.outgoing.len() == 1 {
            self.gives_next(chat);
        }
    }

    fn gives_next(&mut self, chat: usize) {
        let Some(command) = self.chats[chat].outgoing.front().cloned() else { return };
        let wait = self.wait(20, 600);
        self.at(self.now + wait, Event::BotGives(Party::Chat(chat), command));
    }

    /// Baton has taken a command: the next one is given, and now and then the same one once more.
    pub fn is_given(&mut self, party: Party, command: &CommandMessage) {
        let Party::Chat(chat) = party else { return };
        let first = self.chats[chat].outgoing.front();
        if first.is_none_or(|first| first.id != command.id) {
            return;
        }
        self.chats[chat].outgoing.pop_front();
        if !self.manner.even && self.chance.strikes(1_000) {
            let again = self.wait(100, 400_000);
            self.at(self.now + again, Event::BotGives(party, Box::new(command.clone())));
        }
        self.gives_next(chat);
    }

    /// The row that a party's commands are about.
    #[must_use]
    pub fn key_of(&self, party: Party) -> &ConversationKey {
        match party {
            Party::Talk(talk) => &self.talks[talk].key,
            Party::Chat(chat) => &self.chats[chat].key,
        }
    }

    /// A bot that uses queues puts its command there itself; whether it did.
    pub fn puts_itself(&mut self, party: Party, command: &CommandMessage) -> bool {
        let key = self.key_of(party);
        if key.app_id.as_str() == WORKSPACES[0] {
            return false;
        }
        let group = key.to_string();
        let body = serde_json::to_string(command).unwrap_or_default();
        let id = format!("{}{}", command.id.clone().unwrap_or_default(), self.now); // SQS does not help
        self.put(QueueName::Replies, &group, id, body, "AROABOT");
        self.is_given(party, command);
        true
    }

    /// The platform gets an event of one of its chats; whether it is one.
    pub fn platform_takes(&mut self, body: &str) -> bool {
        let Ok(event) = serde_json::from_str::<Value>(body) else { return false };
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let of_chat = |chat: &Chat| {
            chat.session == text("/session/id") && chat.key.app_id.as_str() == text("/session/app_id")
                || (text("/type") == "command_rejected"
                    && chat.issued.iter().any(|issue| *issue.id == *text("/data/command_id")))
        };
        let Some(chat) = self.chats.iter().position(of_chat) else { return false };
        let serves = BOTS[self.chats[chat].workspace];
        if text("/bot") != serves {
            self.accuse(format!("an event for {serves} went to {}", text("/bot")));
        }
        let mut wrong = Vec::new();
        let learnt = self.chats[chat].heard.take(&event, &mut wrong);
        if learnt.is_some() && text("/type") == "timed_out" {
            self.chats[chat].heard.timed_out_at.push(self.now);
        }
        let session = self.chats[chat].session.clone();
        self.tell(bot::hash(body), |_| {
            let again = if learnt.is_none() { " again" } else { "" };
            let (id, kind) = (text("/id"), text("/type"));
            format!("chat {session} hears{again} {id}: {kind} {}", cut(&event["data"].to_string()))
        });
        wrong.into_iter().for_each(|what| self.accuse(format!("chat {session}: {what}")));
        learnt.into_iter().flatten().for_each(|learnt| self.learns(chat, learnt));
        true
    }

    fn learns(&mut self, chat: usize, learnt: Learnt) {
        match learnt {
            Learnt::GoesOn => self.chats[chat].heard.since = self.parts[self.chats[chat].workspace],
            Learnt::Part(id, part) => {
                let this = &mut self.chats[chat];
                let says = this.issued.iter().any(|issue| *issue.id == *id && issue.asked == Asked::Say);
                this.passed_on.extend(says.then_some(part));
            }
            Learnt::Result(id, result, why) => {
                let this = &mut self.chats[chat];
                let Some(issue) = this.issued.iter_mut().find(|issue| *issue.id == *id) else {
                    // One that the bot gave when people had given it this conversation before it was known whose it is.
                    let is_of = |talk: &usize| id.contains(self.talks[*talk].key.conversation_id.as_str());
                    if result == "rejected" && self.chats[chat].talks.iter().any(is_of) {
                        return;
                    }
                    self.accuse(format!("a result for command {id}, which nobody gave"));
                    return;
                };
                // A start that is done after the last end gives the chat to people again.
                if issue.asked == Asked::Start {
                    this.heard.unsure |= result != "done";
                    this.heard.over &= why != "since";
                }
                issue.results.push((result, why));
            }
            Learnt::PeopleAfterTheEnd(conversation, part, seq) => {
                let this = &self.chats[chat];
                let since = this.heard.since;
                let of_it = |talk: &&usize| self.talks[**talk].key.conversation_id.as_str() == conversation;
                let Some(talk) = this.talks.iter().find(of_it) else { return };
                let mut ends = self.talks[*talk].parts.iter().filter(|one| one.kind == "close" && one.id > since);
                // What was said before the last end is told late, and is no news. So is what was said ahead of our own
                // close, when it was to come: a start that was accepted since may have taken its place.
                let to_come = this.before_our_close.contains(&seq);
                let end = ends.clone().find(|end| end.id < part).filter(|_| !this.heard.unsure && !to_come);
                if let (Some(end), false) = (end.map(|end| end.id), ends.any(|end| end.id >= part)) {
                    self.accuse(format!("message {part} was told although part {end} had ended the chat"));
                }
            }
        }
    }

    // ── Intercom ────────────────────────────────────────────────────────────────────────────────

    /// A conversation is opened with a chat's customer.
    ///
    /// # Panics
    /// Never: its number is an id.
    pub fn opens(&mut self, chat: usize, contact: &ContactId, words: &str, by: Who, made: Option<Made>) -> usize {
        self.opens_with(chat, contact, words, Vec::new(), by, made)
    }

    fn opens_with(
        &mut self,
        chat: usize,
        contact: &ContactId,
        words: &str,
        files: Vec<String>,
        by: Who,
        made: Option<Made>,
    ) -> usize {
        let talk = self.talks.len();
        let app_id = &self.chats[chat].key.app_id;
        let key = format!("{app_id}#2154700000{:05}", OPENED + talk).parse().unwrap();
        let workspace = self.chats[chat].workspace;
        self.add(key);
        let opened = &mut self.talks[talk];
        (opened.first, opened.first_files) = (kept(words), files);
        (opened.contact, opened.chat, opened.starter) = (Some(contact.as_str().into()), Some(chat), by);
        (opened.begun_by, opened.begun_after, opened.begun_at) = (made, self.parts[workspace], self.now);
        // What is said later has a greater number.
        self.parts[workspace] += 1;
        self.chats[chat].talks.push(talk);
        self.begins(talk);
        talk
    }

    /// Opens in Intercom what an action says.
    pub fn begin(&mut self, chat: usize, action: &Action, made: Option<Made>) -> Option<ConversationId> {
        let Action::Begin { contact, text, files } = action else { return None };
        let talk = self.opens_with(chat, &contact.id.clone(), text, names_of(files), Who::Customer, made);
        Some(self.talks[talk].key.conversation_id.clone())
    }

    /// The chat on whose behalf the present worker acts, by what it is about.
    #[must_use]
    pub fn chat_of(&self, app_id: &AppId, id: &ConversationId) -> Option<usize> {
        let key = ConversationKey { app_id: app_id.clone(), conversation_id: id.clone() };
        self.chat(&key).or_else(|| self.talks[self.talk(&key)?].chat)
    }

    /// The rows that are to lead to a chat by now, and do not.
    #[must_use]
    pub fn astray(&self, chat: usize) -> Vec<String> {
        let this = &self.chats[chat];
        let row = |id: ConversationId| ConversationKey { app_id: this.key.app_id.clone(), conversation_id: id };
        let leads = |key: &ConversationKey| {
            let home = self.rows.get(key).and_then(|row| row.state.moved_to.as_ref());
            home == Some(&this.key.conversation_id)
        };
        let talks = this.talks.iter().map(|talk| &self.talks[*talk]);
        let opened = talks.filter(|talk| talk.begun_by.is_some() && !talk.deleted).map(|talk| talk.key.clone());
        let contact = self.contact_of(chat).filter(|_| !this.talks.is_empty()).and_then(contact_row).map(row);
        let leads_to_one = |key: &ConversationKey| {
            let home = self.rows.get(key).and_then(|row| row.state.moved_to.clone());
            let home = home.and_then(|home| self.chat(&row(home)));
            home.is_some_and(|home| self.are_twins(chat, home))
        };
        let contact = contact.into_iter().filter(|key| !leads_to_one(key));
        contact.chain(opened.filter(|key| !leads(key))).map(|key| key.to_string()).collect()
    }
}

/// Something that is asked for, before it has an id.
fn asked(asked: Asked, words: &str, files: &[String], repeats: bool) -> Issue {
    Issue { id: "".into(), asked, words: words.into(), files: files.to_vec(), repeats, results: Vec::new() }
}

/// By what a customer is known: the company's id, or else nobody but the chat.
fn identity(external_id: Option<&str>, session: &str) -> String {
    external_id.map_or_else(|| format!("lead of {session}"), str::to_owned)
}

/// The words of a chat, as Intercom keeps them; nothing where there are none.
#[must_use]
pub fn kept(words: &str) -> Rc<str> {
    if words.is_empty() { "".into() } else { format!("<p>{words}</p>").into() }
}
