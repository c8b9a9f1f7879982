//! What bots ask for: accepted, refused or too late. Accepting puts actions into the outbox;
//! nothing is sent here.

use super::ruled::check_turn;
use super::transferred::check_words;
use super::{Decision, Effect, Stepper};
use crate::domain::blocks;
use crate::domain::command::{Ask, Command, HandoverTarget};
use crate::domain::content::Block;
use crate::domain::conversation::{
    Action, CommandOutcome, CommandRecord, Control, MAX_EVENTS, MAX_OUTBOX, Overtaker, Weight,
};
use crate::domain::ids::CommandId;
use crate::domain::part::Assignee;
use crate::domain::render;

/// Why a command is refused: a code for programs, words for people.
pub(super) type Refusal = (&'static str, String);

impl Stepper<'_> {
    pub(super) fn commanded(&mut self, command: &Command) {
        self.know_the_session(command);
        if let Some(refusal) = self.not_at_home(command) {
            let (code, message) = refusal;
            self.note(Decision::CommandRejected);
            self.effects.push(Effect::Refuse { command_id: command.id.clone(), code, message });
            return;
        }
        if let Some(record) = self.state.command(&command.id) {
            if record.digest == command.digest {
                self.note(Decision::CommandRepeated);
            } else {
                let message = "this command id was used before, with another payload".to_owned();
                self.note(Decision::CommandRejected);
                self.tell(crate::domain::conversation::EventKind::CommandRejected {
                    command_id: command.id.clone(),
                    code: "id_reused".to_owned(),
                    message,
                });
            }
            return;
        }
        let record =
            CommandRecord { id: command.id.clone(), digest: command.digest.clone(), outcome: CommandOutcome::Accepted };
        self.state.remember_command(record);
        if let Err((code, message)) = self.check(command) {
            self.settle_command(&command.id, CommandOutcome::Rejected { code: code.to_owned(), message });
        } else if self.is_late(command) {
            self.settle_command(&command.id, CommandOutcome::Superseded { by: Overtaker::Turn });
        } else if self.is_closing_over_a_message(command) {
            self.settle_command(&command.id, CommandOutcome::Superseded { by: Overtaker::Message });
        } else if let Some((code, message)) = self.breaks_off(command) {
            self.settle_command(&command.id, CommandOutcome::Rejected { code: code.to_owned(), message });
            self.break_off(code);
        } else {
            self.accept(command);
        }
    }

    /// Commands that must leave no trace here: the conversation is not this bot's to know.
    fn not_at_home(&self, command: &Command) -> Option<Refusal> {
        let unknown = || Some(("unknown_conversation", "the bot does not serve this conversation".to_owned()));
        match &self.state.bot {
            Some(bot) if *bot == command.bot && self.state.backlog() >= 2 * MAX_EVENTS => {
                Some(("too_many_events", "the bot does not take its events; nothing more is taken from it".to_owned()))
            }
            Some(bot) if *bot == command.bot => None,
            _ => unknown(),
        }
    }

    /// Whether somebody else got the conversation since the bot decided. Notes, tags and
    /// attributes are for teammates and are never late.
    fn is_late(&self, command: &Command) -> bool {
        if matches!(
            command.ask,
            Ask::Note { .. }
                | Ask::Tag { .. }
                | Ask::SetAttributes { .. }
                | Ask::Attachments { .. }
                | Ask::Replay { .. }
                | Ask::Redact { .. }
        ) {
            return self.state.deleted;
        }
        if self.state.transfer.is_some() {
            return matches!(command.ask, Ask::TransferMessage { .. }) && self.state.control != Control::Human;
        }
        let closed_already = matches!(command.ask, Ask::Close { .. }) && self.state.control == Control::Closed;
        if closed_already && !self.state.deleted {
            return false;
        }
        self.state.control != Control::Bot || command.epoch.is_some_and(|epoch| epoch < self.state.epoch)
    }

    /// Whether the bot decided to close before it knew the customer's last message. It is told of
    /// that one too, and decides anew.
    fn is_closing_over_a_message(&self, command: &Command) -> bool {
        broken_as!(CloseGoesOn => return false);
        matches!(command.ask, Ask::Close { .. })
            && self.state.control == Control::Bot
            && command.seq.is_some_and(|seq| seq < self.state.last_message || self.state.burst.is_some())
    }

    fn check(&self, command: &Command) -> Result<(), Refusal> {
        if self.state.outbox.len() >= MAX_OUTBOX {
            return Err(("too_many_pending", format!("{MAX_OUTBOX} actions wait for Intercom already")));
        }
        if command.epoch.is_some_and(|epoch| epoch > self.state.epoch) {
            return Err(("unknown_epoch", "this epoch has not begun".to_owned()));
        }
        if command.seq.is_some_and(|seq| seq > self.state.last_event) {
            return Err(("unknown_seq", "there is no event of this number yet".to_owned()));
        }
        self.check_mode(&command.ask)?;
        match &command.ask {
            Ask::TransferStart(start) => self.check_start(command, start),
            Ask::TransferMessage { text, files } => check_words(self.workspace, text, files),
            Ask::Redact { part_id } => self.check_own(part_id.as_ref()),
            Ask::Reply { content } if content.is_empty() => Err(("empty", "there is nothing to say".to_owned())),
            Ask::Answer { content, .. } if content.is_empty() => Err(("empty", "there is nothing to say".to_owned())),
            Ask::Reply { content } => self.check_content(command, content),
            Ask::Answer { content, turn } => {
                self.check_content(command, content)?;
                check_turn(turn)
            }
            Ask::Escalate { content, turn, .. } => {
                check_last_words(content)?;
                turn.as_ref().map_or(Ok(()), check_turn)
            }
            Ask::Note { text } if text.trim().is_empty() => Err(("empty", "the note is empty".to_owned())),
            Ask::Handover { to, content, attributes, tags, .. } => {
                check_last_words(content)?;
                check_tags(tags)?;
                self.check_attributes(attributes)?;
                self.check_target(to, command.seq)
            }
            Ask::Close { attributes, tags, .. } => {
                check_tags(tags)?;
                self.check_attributes(attributes)
            }
            Ask::Tag { tags } if tags.is_empty() => Err(("empty", "no tag is named".to_owned())),
            Ask::Tag { tags } => check_tags(tags),
            Ask::SetAttributes { attributes } if attributes.is_empty() => {
                Err(("empty", "no attribute is named".to_owned()))
            }
            Ask::SetAttributes { attributes } => self.check_attributes(attributes),
            Ask::Attachments { part_id } => self.check_told(part_id.as_ref()),
            Ask::Replay { from, to } => self.replayed_to(from.as_ref(), to.as_ref()).map(drop),
            Ask::Snooze { until } if *until <= self.now => {
                Err(("in_the_past", "a snooze ends in the future".to_owned()))
            }
            Ask::Note { .. } | Ask::Snooze { .. } | Ask::TransferEnd { .. } => Ok(()),
        }
    }

    fn check_content(&self, command: &Command, content: &[Block]) -> Result<(), Refusal> {
        blocks::check(content)?;
        if self.messages(command, content).is_empty() {
            return Err(("empty", "nothing is left to say of it".to_owned()));
        }
        Ok(())
    }

    pub(super) fn check_attributes(
        &self,
        attributes: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), Refusal> {
        if attributes.len() > MAX_ATTRIBUTES || attributes.values().any(|value| !is_attribute(value)) {
            let message = format!(
                "at most {MAX_ATTRIBUTES} attributes, each a text of {MAX_ATTRIBUTE_BYTES} bytes, a number, true, false or null"
            );
            return Err(("bad_attributes", message));
        }
        if attributes.is_empty() || self.workspace.api_version.sets_attributes() {
            return Ok(());
        }
        let message = format!(
            "the workspace is set to API {}; a conversation's attributes can be set from 2.11",
            self.workspace.api_version
        );
        Err(("unsupported_api_version", message))
    }

    fn check_target(&self, to: &HandoverTarget, event: Option<u64>) -> Result<(), Refusal> {
        let target = self.target(to, event);
        if self.workspace.is_bots(&target) {
            return Err(("handover_to_bot", "a hand-over must go to people; this target is the bot's own".to_owned()));
        }
        Ok(())
    }

    fn target(&self, to: &HandoverTarget, event: Option<u64>) -> Assignee {
        match to {
            HandoverTarget::Team(team) => Assignee::Team(team.clone()),
            HandoverTarget::Teammate(teammate) => Assignee::Teammate(teammate.clone()),
            HandoverTarget::Default => self.escalation(event),
        }
    }

    fn accept(&mut self, command: &Command) {
        let id = Some(&command.id);
        let may_speak = !self.goes_in_circles();
        if speaks(command) {
            self.state.exchange.bot_speaks(self.now, self.workspace.loops);
        }
        match &command.ask {
            Ask::Reply { content } => self.answer(command, content),
            Ask::Answer { content, turn } => self.answer_by_rules(command, content, turn),
            Ask::Escalate { content, note, turn } => {
                let root = turn.as_ref().and_then(|turn| self.came_by(turn));
                self.judge_what_came_before(root.as_ref());
                let reason = Some("The bot's dialog leaves this to people.");
                let (note, tags, attributes) = (note.as_deref(), &[][..], None);
                let parting = Parting { reason, note, content, tags, attributes, may_speak };
                self.hand_over(command, &HandoverTarget::Default, &parting);
            }
            Ask::Note { text } => {
                self.enqueue(id, Weight::Completes, Action::Note { html: render::markdown(text) });
            }
            Ask::Tag { tags } => self.enqueue_tags(command, tags, Weight::Required, true),
            Ask::SetAttributes { attributes } => {
                self.enqueue(id, Weight::Completes, Action::SetAttributes { attributes: attributes.clone() });
            }
            Ask::Replay { from, to } => {
                let to = self.replayed_to(from.as_ref(), to.as_ref()).unwrap_or_default();
                self.enqueue(id, Weight::Completes, Action::Replay { from: from.clone(), to });
            }
            Ask::Attachments { part_id } => {
                self.enqueue(id, Weight::Completes, Action::Attachments { part_id: part_id.clone() });
            }
            Ask::Snooze { until } => {
                self.take_what_is_watched();
                self.enqueue(id, Weight::Completes, Action::Snooze { until: *until });
            }
            Ask::TransferStart(start) => self.start(command, start),
            Ask::TransferMessage { text, files } => self.say_as_the_customer(command, text, files),
            Ask::TransferEnd { reason } => self.end(command, reason.as_deref()),
            Ask::Redact { part_id } => {
                self.enqueue(id, Weight::Completes, Action::Redact { part_id: part_id.clone() });
            }
            Ask::Close { reason, tags, attributes } => {
                self.enqueue_attributes(command, attributes);
                self.enqueue_tags(command, tags, Weight::Optional, false);
                if self.state.control == Control::Closed {
                    // Nothing is sent: should somebody open it now, that is not to be undone.
                    self.settle_command(&command.id, CommandOutcome::Done { part_id: None });
                    return;
                }
                self.take_what_is_watched();
                let html = reason.as_deref().filter(|text| !text.trim().is_empty()).map(render::markdown);
                self.enqueue(id, Weight::Completes, Action::Close { html });
            }
            Ask::Handover { to, reason, note, content, tags, attributes } => {
                self.judge_what_came_before(None);
                let (reason, note) = (reason.as_deref(), note.as_deref());
                let attributes = Some(attributes);
                self.hand_over(command, to, &Parting { reason, note, content, tags, attributes, may_speak });
            }
        }
    }

    /// From here on the bot is silent, before Intercom knows: no reply of its own can follow.
    /// What it said before is part of the hand-over and still goes out, first. Where it has said too
    /// much already it goes without a farewell: there may be nobody to read it.
    fn hand_over(&mut self, command: &Command, to: &HandoverTarget, parting: &Parting<'_>) {
        let target = self.target(to, command.seq);
        let id = Some(&command.id);
        self.begin_to_leave();
        if parting.may_speak {
            let messages = self.messages(command, parting.content);
            self.say(id, Weight::Optional, messages);
            self.say_farewell(id);
        }
        // Attributes, tags and the note come before the assignment, so that whoever it reaches,
        // person or workflow, finds them there.
        if let Some(attributes) = parting.attributes {
            self.enqueue_attributes(command, attributes);
        }
        self.enqueue_tags(command, parting.tags, Weight::Optional, false);
        if let Some(html) = render::handover_note(parting.reason, parting.note) {
            self.enqueue(id, Weight::Optional, Action::Note { html });
        }
        self.leave_to(id, &target);
    }

    /// The bot's last epoch with the conversation ends. What it said before is part of the hand-over
    /// and still goes out, first.
    pub(super) fn begin_to_leave(&mut self) {
        // A hand-over comes before a close that was asked for earlier and not carried out yet.
        self.drop_a_waiting_close(Overtaker::Turn);
        self.end_the_burst();
        let before = self.state.epoch;
        self.state.control = Control::Human;
        self.state.epoch += 1;
        self.state.announced = None;
        self.state.granted = None;
        self.state.answered = None;
        for entry in &mut self.state.outbox {
            // A close that is in doubt is not one of the things that were said: it is not tried again.
            if entry.epoch == before && !matches!(entry.action, Action::Close { .. }) {
                entry.epoch += 1;
            }
        }
    }

    /// What Baton tells the customer at a hand-over, where it is set.
    pub(super) fn say_farewell(&mut self, command: Option<&CommandId>) {
        if let Some(message) = &self.workspace.handover.message {
            let html = render::markdown(message);
            let action = Action::Reply { html, attachment_urls: Vec::new(), offer: None };
            self.enqueue(command, Weight::Optional, action);
        }
    }

    /// Assigns to people, the last act of a hand-over.
    pub(super) fn leave_to(&mut self, command: Option<&CommandId>, target: &Assignee) {
        let assign = self.assignment(target.clone(), None);
        self.enqueue(command, Weight::Completes, assign);
        self.note(Decision::PeopleTake);
        self.tell_waiting(target);
        broken_as!(HandoverLeavesTheBot => self.state.control = Control::Bot);
    }

    /// The assignment to people: where Intercom refuses them, to whom else would have got it, then as the
    /// settings say, then to nobody.
    pub(super) fn assignment(&self, to: Assignee, else_to: Option<&Assignee>) -> Action {
        let default = self.workspace.handover.default.as_ref();
        let mut fallbacks: Vec<Assignee> = else_to.into_iter().chain(default).cloned().collect();
        fallbacks.push(Assignee::Nobody);
        fallbacks.retain(|fallback| *fallback != to);
        fallbacks.dedup();
        Action::Assign { to, fallbacks }
    }

    pub(super) fn messages(&self, command: &Command, content: &[Block]) -> Vec<blocks::Said> {
        blocks::messages(content, self.workspace.api_version, command.id.as_str())
    }

    pub(super) fn enqueue_attributes(
        &mut self,
        command: &Command,
        attributes: &serde_json::Map<String, serde_json::Value>,
    ) {
        if !attributes.is_empty() {
            let action = Action::SetAttributes { attributes: attributes.clone() };
            self.enqueue(Some(&command.id), Weight::Optional, action);
        }
    }

    pub(super) fn enqueue_tags(&mut self, command: &Command, tags: &[String], weight: Weight, complete: bool) {
        for (position, name) in tags.iter().enumerate() {
            let last = complete && position + 1 == tags.len();
            let weight = if last { Weight::Completes } else { weight };
            self.enqueue(Some(&command.id), weight, Action::Tag { name: name.trim().to_owned() });
        }
    }
}

/// What goes with a hand-over.
struct Parting<'a> {
    reason: Option<&'a str>,
    note: Option<&'a str>,
    content: &'a [Block],
    tags: &'a [String],
    attributes: Option<&'a serde_json::Map<String, serde_json::Value>>,
    /// Whether the customer is to read anything of it.
    may_speak: bool,
}

/// Whether a command is a turn of the bot's, which somebody may answer.
pub(super) fn speaks(command: &Command) -> bool {
    match &command.ask {
        Ask::Reply { .. } | Ask::Answer { .. } | Ask::Escalate { .. } | Ask::Handover { .. } => true,
        Ask::Close { reason, .. } => reason.as_deref().is_some_and(|reason| !reason.trim().is_empty()),
        Ask::Note { .. }
        | Ask::Tag { .. }
        | Ask::SetAttributes { .. }
        | Ask::Attachments { .. }
        | Ask::Replay { .. }
        | Ask::TransferStart(_)
        | Ask::TransferMessage { .. }
        | Ask::TransferEnd { .. }
        | Ask::Redact { .. }
        | Ask::Snooze { .. } => false,
    }
}

/// How many tags a command may name, and how many attributes.
const MAX_TAGS: usize = 20;
const MAX_ATTRIBUTES: usize = 50;
/// The longest tag, or text of an attribute, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 2 * 1024;

/// Whether Intercom's custom attributes can have this value.
fn is_attribute(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.len() <= MAX_ATTRIBUTE_BYTES,
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => false,
        _ => true,
    }
}

fn check_last_words(content: &[Block]) -> Result<(), Refusal> {
    blocks::check(content)?;
    if blocks::offers(content) {
        let message = "people take the answers from now on, so a hand-over offers no options";
        return Err(("bad_options", message.to_owned()));
    }
    Ok(())
}

pub(super) fn check_tags(tags: &[String]) -> Result<(), Refusal> {
    if tags.len() > MAX_TAGS || tags.iter().any(|tag| tag.len() > MAX_ATTRIBUTE_BYTES) {
        return Err(("too_many_tags", format!("at most {MAX_TAGS} tags of {MAX_ATTRIBUTE_BYTES} bytes each")));
    }
    if tags.iter().any(|tag| tag.trim().is_empty()) {
        return Err(("empty", "a tag's name is empty".to_owned()));
    }
    Ok(())
}
