//! A chat of the bot platform's is given to Intercom's people, and comes back: what the platform asks for,
//! and what becomes of the opening in Intercom. What happens in Intercom meanwhile is
//! [`super::relaying`]'s matter, who is waited for [`super::waiting`]'s.
//!
//! What the platform's customer says is put into the outbox as [`Action::Say`]; whether that is a reply
//! in the conversation or opens it shows when its turn has come. So a chat that begins, one that begins
//! again, and one whose conversation was deleted are one and the same.

use super::commanded::{Refusal, check_tags};
use super::sending::words_of;
use super::{Decision, Stepper};
use crate::domain::blocks;
use crate::domain::command::{Ask, Command, TransferStart};
use crate::domain::conversation::{
    Action, CommandOutcome, Control, Ender, EventKind, OutboxEntry, Overtaker, Progress, Watermark, Weight, remember,
};
use crate::domain::ids::{BotId, ConversationId, PartId};
use crate::domain::likeness::Likeness;
use crate::domain::part::{Assignee, Observation};
use crate::domain::settings::Workspace;
use crate::domain::transcript;
use crate::domain::transfer::{
    Availability, Contact, File, GONE, MAX_LINKED, Patience, Transfer, TransferSettings, WhenAway, contact_row,
};

/// How far clocks may be apart, in milliseconds.
pub(super) const SKEW_MS: u64 = 600_000;
/// How long Intercom's index lags behind, at most, in milliseconds: a doubtful opening is searched for when
/// it can arrive no more, and so much later.
const INDEX_LAGS_MS: u64 = 60_000;
/// What happened this long ago is found by the sweep's search in any case, in milliseconds: each reaches back three
/// minutes behind the one before.
const FOUND_BY_SWEEPS_MS: u64 = 120_000;
/// How long looking for somebody is left alone when nobody knows how it ended, in milliseconds: doing it
/// twice does no harm.
const LOOKING_SETTLES_MS: u64 = 2_000;
/// How many files go with a message, at most: Intercom's number.
const MAX_FILES: usize = 10;
/// The longest message, in bytes.
const MAX_TEXT_BYTES: usize = 32 * 1024;

/// How long an action is left alone when nobody knows how it ended.
pub(super) fn settle_ms(action: &Action, unless_set: u64) -> u64 {
    match action {
        Action::Begin { .. } => {
            broken_as!(IndexIsFresh => return unless_set);
            unless_set.saturating_add(INDEX_LAGS_MS)
        }
        Action::FindContact { .. } | Action::LookWhoIsThere { .. } => LOOKING_SETTLES_MS,
        _ => unless_set,
    }
}

/// Whether a customer can have said this to people of the workspace.
pub(super) fn check_words(workspace: &Workspace, text: &str, files: &[File]) -> Result<(), Refusal> {
    if text.trim().is_empty() && files.is_empty() {
        return Err(("empty", "there is nothing to pass on".to_owned()));
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(("too_long", format!("a message has at most {MAX_TEXT_BYTES} bytes")));
    }
    if files.len() > MAX_FILES {
        return Err(("too_many_attachments", format!("at most {MAX_FILES} files go with a message")));
    }
    let is_near = |url: &str| workspace.is_on_this_machine() && url.starts_with("http://");
    files.iter().filter(|file| !is_near(&file.url)).try_for_each(|file| blocks::check_file(&file.url))
}

impl Stepper<'_> {
    /// Whether people have a chat of the bot's.
    pub(super) fn is_relaying(&self) -> bool {
        self.state.transfer.is_some() && self.state.control == Control::Human
    }

    pub(super) fn settings_of_transfer(&self) -> Option<&TransferSettings> {
        self.workspace.transfer(self.state.bot.as_ref()?)
    }

    /// A chat that is begun for the first time belongs to who begins it.
    pub(super) fn know_the_session(&mut self, command: &Command) {
        if let (Ask::TransferStart(start), None) = (&command.ask, &self.state.bot) {
            self.be_a_session(&command.bot, &start.session, &start.channel);
        }
    }

    pub(super) fn be_a_session(&mut self, bot: &BotId, session: &str, channel: &str) {
        self.state.bot = Some(bot.clone());
        self.state.born = self.now;
        self.state.control = Control::Closed;
        let (session, channel) = (session.to_owned(), channel.to_owned());
        self.state.transfer = Some(Box::new(Transfer { session, channel, ..Transfer::default() }));
    }

    /// Whether this can be asked for at all where the customer is.
    pub(super) fn check_mode(&self, ask: &Ask) -> Result<(), Refusal> {
        let of_sessions = matches!(
            ask,
            Ask::TransferStart(_) | Ask::TransferMessage { .. } | Ask::TransferEnd { .. } | Ask::Redact { .. }
        );
        let of_both = matches!(
            ask,
            Ask::Note { .. }
                | Ask::Tag { .. }
                | Ask::SetAttributes { .. }
                | Ask::Attachments { .. }
                | Ask::Replay { .. }
        );
        let opened = self.state.transfer.as_ref().is_none_or(|transfer| transfer.conversation.is_some());
        if of_both && !opened && !self.is_relaying() {
            return Err(("not_opened", "the chat is not opened in Intercom".to_owned()));
        }
        match (self.state.transfer.is_some(), of_sessions, of_both) {
            (_, _, true) | (true, true, _) | (false, false, _) => Ok(()),
            (true, ..) => Err(("not_in_a_session", "the customer reads the bot's own chat, not Intercom".to_owned())),
            (false, ..) => {
                Err(("not_a_session", "this is for chats of the bot's own; the customer is in Intercom".to_owned()))
            }
        }
    }

    pub(super) fn check_start(&self, command: &Command, start: &TransferStart) -> Result<(), Refusal> {
        check_words(self.workspace, &start.text, &start.files)?;
        check_tags(&start.tags)?;
        self.check_attributes(&start.attributes)?;
        transcript::check(start)?;
        let Some(settings) = self.workspace.transfer(&command.bot) else {
            let message = "the settings hand no chats of this bot over to this workspace".to_owned();
            return Err(("unmapped_channel", message));
        };
        let Some(mapped) = settings.target(&start.channel) else {
            let known: Vec<&str> = settings.channels.keys().map(String::as_str).collect();
            let message =
                format!("the channel \"{}\" is not handed over; these are: {}", start.channel, known.join(", "));
            return Err(("unmapped_channel", message));
        };
        if self.workspace.is_bots(start.to.as_ref().unwrap_or(mapped)) {
            return Err(("handover_to_bot", "a chat goes to people; this target is the bot's own".to_owned()));
        }
        Ok(())
    }

    /// Whether a message is one that the platform's customer wrote here. The first one has no id that is told;
    /// where people wrote it Intercom refuses to delete it.
    pub(super) fn check_own(&self, part_id: Option<&PartId>) -> Result<(), Refusal> {
        let is_opened = || self.state.transfer.as_ref().is_some_and(|transfer| transfer.conversation.is_some());
        if part_id.map_or_else(is_opened, |part_id| self.state.own_parts.contains(part_id)) {
            return Ok(());
        }
        Err(("unknown_message", "it is not among the last messages that were passed on from this chat".to_owned()))
    }

    /// A chat is given to people: the customer's own words open the conversation, then attributes, tags
    /// and the note, so that whoever it is assigned to, person or workflow, finds them there.
    pub(super) fn start(&mut self, command: &Command, start: &TransferStart) {
        if self.is_relaying() {
            self.join(command, start);
            return;
        }
        let Some(settings) = self.settings_of_transfer().cloned() else { return };
        let Some(target) = start.to.clone().or_else(|| settings.target(&start.channel).cloned()) else { return };
        self.note(Decision::TransferStarts);
        self.state.control = Control::Human;
        self.state.deleted = false;
        self.new_epoch();
        let (now, began_after) = (self.now, self.state.seen.clone());
        if let Some(transfer) = &mut self.state.transfer {
            transfer.channel.clone_from(&start.channel);
            (transfer.started_at, transfer.began_after) = (now, began_after);
            transfer.began_with.clear();
            (transfer.closed_by, transfer.agent) = (None, None);
            transfer.last_words = words_of(&start.text);
            transfer.waits.clear();
            transfer.sent_on = false;
        }
        let id = Some(&command.id);
        if settings.when_away != WhenAway::Ignore {
            self.enqueue(id, Weight::Optional, Action::LookWhoIsThere { to: target.clone() });
        }
        let (customer, session) = (start.customer.clone(), start.session.clone());
        self.enqueue(id, Weight::Required, Action::FindContact { customer, session });
        // A conversation cannot be opened with files of its own: those come behind it. Where there is nothing
        // else to open it with, they go by their addresses, which Intercom asks at once.
        let is_bare = start.text.trim().is_empty() && start.files.iter().all(|file| file.fetch);
        let behind = |file: &File| file.fetch && !is_bare;
        let (fetched, linked): (Vec<File>, Vec<File>) = start.files.iter().cloned().partition(behind);
        let text = start.text.clone();
        self.enqueue(id, Weight::Required, Action::Say { text, files: linked });
        if !fetched.is_empty() {
            self.enqueue(id, Weight::Optional, Action::Say { text: String::new(), files: fetched });
        }
        self.enqueue_attributes(command, &start.attributes);
        self.enqueue_tags(command, &start.tags, Weight::Optional, false);
        for html in transcript::notes(start) {
            self.enqueue(id, Weight::Optional, Action::Note { html });
        }
        // The start is done when the customer's words are there.
        let assign = self.assignment(target, settings.target(&start.channel));
        self.enqueue(id, Weight::Optional, assign);
    }

    /// People have the chat already. What the customer said last is passed on, where it is something else.
    fn join(&mut self, command: &Command, start: &TransferStart) {
        broken_as!(StartOpensAnother => {
            self.say_as_the_customer(command, &start.text, &start.files);
            return;
        });
        self.note(Decision::TransferJoined);
        let is_known = self.state.transfer.as_ref().is_some_and(|known| known.last_words == words_of(&start.text));
        if is_known && start.files.is_empty() {
            self.settle_command(&command.id, CommandOutcome::Done { part_id: None });
        } else {
            self.say_as_the_customer(command, &start.text, &start.files);
        }
    }

    /// The customer wrote, and people have the chat.
    pub(super) fn say_as_the_customer(&mut self, command: &Command, text: &str, files: &[File]) {
        // A file without words leaves what was said last what it was.
        if let Some(transfer) = self.state.transfer.as_mut().filter(|_| !text.trim().is_empty()) {
            transfer.last_words = words_of(text);
        }
        let action = Action::Say { text: text.to_owned(), files: files.to_vec() };
        self.enqueue(Some(&command.id), Weight::Completes, action);
    }

    /// The customer ended the chat. What they said before still arrives, first.
    pub(super) fn end(&mut self, command: &Command, reason: Option<&str>) {
        if !self.is_relaying() {
            self.settle_command(&command.id, CommandOutcome::Done { part_id: None });
            return;
        }
        let before = self.state.epoch;
        for entry in self.state.outbox.iter_mut().filter(|entry| entry.epoch == before) {
            entry.epoch += 1;
        }
        self.over(Ender::Customer, Vec::new());
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let words = reason.map_or_else(
            || "The customer ended the chat.".to_owned(),
            |reason| format!("The customer ended the chat: {reason}"),
        );
        let html = crate::domain::render::plain(&words);
        self.enqueue(Some(&command.id), Weight::Optional, Action::Note { html });
        self.enqueue(Some(&command.id), Weight::Completes, Action::Close { html: None });
    }

    /// The bot has its chat by itself again, and is told what was said.
    pub(super) fn over(&mut self, by: Ender, stretch: Vec<crate::domain::content::Message>) {
        self.state.control = Control::Closed;
        if let Some(transfer) = &mut self.state.transfer {
            transfer.agent = None;
            transfer.waits.clear();
        }
        broken_as!(EndIsIgnored => for entry in &mut self.state.outbox {
            entry.epoch += 1;
        });
        self.new_epoch();
        self.note(Decision::TransferEnds);
        self.tell(EventKind::Returned { by, stretch });
    }

    /// The conversation was deleted in Intercom, as it seems. The next start tries it there once more, and
    /// opens another where it is gone.
    pub(super) fn conversation_is_gone(&mut self) {
        // What may have arrived is asked about once more: what says that it is gone can be wrong.
        let settle_at = self.now.plus_ms(self.workspace.settle_ms);
        let is_open =
            |entry: &OutboxEntry| entry.action.adds_a_message() && !matches!(entry.progress, Progress::Pending { .. });
        let (open, ended) = self.state.outbox.drain(..).partition::<Vec<_>, _>(|entry| is_open(entry));
        self.state.outbox = open.into();
        for entry in &mut self.state.outbox {
            if let Progress::Unknown { settle_at: due, .. } = &mut entry.progress {
                *due = settle_at;
            }
        }
        for entry in ended {
            self.finish(&entry, CommandOutcome::Superseded { by: Overtaker::Turn });
        }
        if self.state.control == Control::Human {
            self.over(Ender::Deletion, Vec::new());
        }
    }

    /// Intercom told whether people are there.
    pub(super) fn there(&mut self, position: usize, availability: Availability) {
        let Some(entry) = self.state.outbox.remove(position) else { return };
        let availability = self.by_the_clock(availability);
        let when_away = self.settings_of_transfer().map(|settings| settings.when_away.clone()).unwrap_or_default();
        let message = match when_away {
            _ if availability == Availability::Available => return,
            WhenAway::Ignore => return,
            WhenAway::Promise(message) => message,
            WhenAway::Refuse => String::new(),
        };
        let refused = message.is_empty();
        self.tell(EventKind::NobodyThere { availability, message });
        if refused {
            let message = match availability {
                Availability::Nobody => "no teammate could take the chat".to_owned(),
                Availability::Away { opens_at: Some(at) } => {
                    format!("nobody is there; people are again at {} (Unix seconds)", at.seconds())
                }
                _ => "nobody is there now".to_owned(),
            };
            let required = OutboxEntry { weight: Weight::Required, ..entry };
            self.finish(&required, CommandOutcome::Rejected { code: "unavailable".to_owned(), message });
            self.drop_the_rest(required.command.as_ref());
            self.have_not_relayed(&required);
        }
    }

    /// What Intercom says, by the company's own office hours.
    fn by_the_clock(&self, availability: Availability) -> Availability {
        let closed = self.workspace.office_hours.as_ref().filter(|hours| !hours.are_open(self.now));
        let opens_at = closed.and_then(|hours| hours.next_opening(self.now));
        match (availability, closed) {
            (Availability::Available, Some(_)) | (Availability::Away { opens_at: None }, _) => {
                Availability::Away { opens_at }
            }
            (availability, _) => availability,
        }
    }

    /// Intercom knows the customer.
    pub(super) fn found(&mut self, position: usize, contact: &Contact) {
        let Some(entry) = self.state.outbox.remove(position) else { return };
        let before = self.state.transfer.as_ref().and_then(|transfer| transfer.contact.as_ref());
        let another = before.is_some_and(|known| known.id != contact.id);
        if another {
            // Somebody else's words are not put into the conversation of the one before.
            self.state.leave();
        }
        if let Some(transfer) = &mut self.state.transfer {
            if another {
                transfer.changes_hands();
            }
            transfer.contact = Some(contact.clone());
        }
        self.finish(&entry, CommandOutcome::Done { part_id: None });
    }

    /// The conversation is opened.
    pub(super) fn begun(&mut self, position: usize, conversation: &ConversationId) {
        let Some(entry) = self.state.outbox.remove(position) else { return };
        self.has_conversation(conversation);
        self.state.seen.source = true;
        self.state.told.source = true;
        if let Some(transfer) = &mut self.state.transfer {
            transfer.began_after = Watermark { source: true, part: None };
        }
        self.finish(&entry, CommandOutcome::Done { part_id: None });
        self.is_passed_on(&entry, None);
    }

    /// The customer's words are in Intercom: that is what their command was about. What else it asks for
    /// follows, or is overtaken.
    fn is_passed_on(&mut self, entry: &OutboxEntry, part_id: Option<&PartId>) {
        broken_as!(StartDoneAtItsEnd => return);
        if let (Some(command), Weight::Required) = (&entry.command, entry.weight) {
            self.settle_command(command, CommandOutcome::Done { part_id: part_id.cloned() });
        }
    }

    pub(super) fn has_conversation(&mut self, conversation: &ConversationId) {
        if self.state.transfer.as_ref().and_then(|transfer| transfer.conversation.as_ref()) != Some(conversation) {
            self.state.leave();
        }
        if let Some(transfer) = &mut self.state.transfer {
            transfer.conversation = Some(conversation.clone());
            transfer.closed_by = None;
            transfer.held = None;
        }
        // What is known of the one before says nothing of this one.
        (self.state.seen, self.state.told) = (Watermark::default(), Watermark::default());
        self.state.own_parts.clear();
        self.state.given_up.retain(|given_up| matches!(given_up.likeness, Likeness::Opening { .. }));
        self.state.seen_count = None;
        self.state.assignee = None;
        self.state.rating = None;
    }

    /// Which conversations the customer has begun since an opening that is in doubt.
    pub(super) fn searched(&mut self, seq: u64, found: &[(ConversationId, Observation)]) {
        let Some(position) = self.state.outbox.iter().position(|entry| entry.seq == seq) else { return };
        let entry = self.state.outbox[position].clone();
        if !matches!(entry.progress, Progress::Unknown { .. }) {
            return;
        }
        let known =
            |id: &ConversationId| self.state.transfer.as_ref().is_some_and(|transfer| transfer.linked.contains(id));
        let opening = Likeness::of(&entry.action);
        let begins = |shown: &Observation| opening.as_ref().is_some_and(|opening| opening.begins(shown));
        let opened = found.iter().find(|(id, shown)| !known(id) && begins(shown));
        if let Some((id, _)) = opened {
            self.note(Decision::FoundSent);
            self.begun(position, id);
        } else {
            self.note(Decision::FoundNotSent);
            self.has_not_arrived(&entry);
            self.back_in_line(position, self.now);
        }
    }

    /// A row leads here now.
    pub(super) fn linked(&mut self, row: &ConversationId, led_elsewhere: bool) {
        let Some(transfer) = &mut self.state.transfer else { return };
        if !transfer.linked.contains(row) {
            remember(&mut transfer.linked, row.clone(), MAX_LINKED);
        }
        transfer.look |= transfer.conversation.as_ref() == Some(row);
        let is_contacts = transfer.contact.as_ref().and_then(|contact| contact_row(&contact.id)).as_ref() == Some(row);
        transfer.has_twin |= is_contacts && led_elsewhere;
        broken_as!(TwinTrusted => transfer.has_twin = false);
        broken_as!(BegunMeanwhileUnheard => return);
        transfer.look_beside |= is_contacts && transfer.started_at.plus_ms(FOUND_BY_SWEEPS_MS) <= self.now;
    }

    /// What was to be done in Intercom is done.
    pub(super) fn have_relayed(&mut self, entry: &OutboxEntry, part_id: Option<&PartId>, newest: bool) {
        match &entry.action {
            Action::Relay { .. } => {
                self.is_passed_on(entry, part_id);
                if let (Some(transfer), true) = (&mut self.state.transfer, entry.weight != Weight::Completes) {
                    transfer.began_with.extend(part_id.cloned());
                }
                if newest && self.state.control == Control::Closed && !self.is_closing() {
                    self.go_on(); // a message that was on its way opens what was closed meanwhile
                }
                self.customer_spoke();
            }
            Action::Assign { to, .. } => {
                self.state.assignee = Some(to.clone());
                if newest && self.state.control == Control::Closed && !self.is_closing() {
                    self.go_on();
                }
                self.waits_for_people(to);
                if let Some(transfer) = &mut self.state.transfer {
                    // Whoever had the conversation before may have it still.
                    transfer.look |= transfer.began_after.part.is_some();
                }
            }
            Action::Close { .. } => {
                part_id.into_iter().for_each(|part_id| self.ends_with(part_id));
                if newest && self.is_relaying() {
                    // What seemed to go on, because it was heard of first, came before this.
                    let by = if entry.command.is_some() { Ender::Customer } else { Ender::People };
                    self.over(by, Vec::new());
                }
            }
            _ => {}
        }
    }

    /// Whether the conversation is to be closed by us.
    pub(super) fn is_closing(&self) -> bool {
        self.state.outbox.iter().any(|entry| matches!(entry.action, Action::Close { .. }))
    }

    /// Intercom refused it for good.
    pub(super) fn have_not_relayed(&mut self, entry: &OutboxEntry) {
        let opens = matches!(
            entry.action,
            Action::LookWhoIsThere { .. }
                | Action::FindContact { .. }
                | Action::Begin { .. }
                | Action::Relay { .. }
                | Action::Say { .. }
        );
        if opens && entry.weight == Weight::Required && self.state.control == Control::Human {
            // Nothing was begun: the bot has its chat, and knows from the refusal.
            self.state.outbox.retain(|other| other.command.is_none() || other.command != entry.command);
            self.state.control = Control::Closed;
            self.new_epoch();
        }
    }

    /// It is said once more that the conversation is gone: what could not be asked about is lost with it.
    pub(super) fn is_still_gone(&mut self) {
        let now = self.now;
        self.is_lost(|entry| matches!(entry.progress, Progress::Unknown { settle_at, .. } if settle_at <= now));
    }

    fn is_lost(&mut self, is_it: impl Fn(&OutboxEntry) -> bool) {
        if let Some(position) = self.state.outbox.iter().position(is_it)
            && let Some(entry) = self.state.outbox.remove(position)
        {
            self.finish(&entry, CommandOutcome::Superseded { by: Overtaker::Turn });
        }
    }

    /// A conversation that is gone is opened anew where a chat begins; the start is repeated in it.
    pub(super) fn begins_anew(&mut self, position: usize, code: &str) -> bool {
        let Some(entry) = self.state.outbox.get_mut(position) else { return false };
        if code != GONE || self.state.transfer.is_none() || !matches!(entry.action, Action::Relay { .. }) {
            return false;
        }
        if entry.weight == Weight::Required {
            entry.progress = Progress::Pending { not_before: self.now };
            self.state.leave();
        } else {
            let seq = entry.seq;
            self.deleted(); // in the middle of a chat it is over
            self.is_lost(|entry| entry.seq == seq);
        }
        true
    }

    /// Who is waited for from now on.
    pub(super) fn waits_for_people(&mut self, to: &Assignee) {
        let has_one = self.state.transfer.as_ref().is_some_and(|transfer| transfer.agent.is_some());
        if has_one || self.state.control != Control::Human {
            return;
        }
        self.tell_waiting(to);
        self.wait_for(Patience::Nobody);
    }
}
