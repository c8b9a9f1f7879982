//! What happens in Intercom while people have a chat of the bot platform's: who has it, what they say, and
//! what the customer writes there directly, through the other door.
//!
//! Notes are not messages, so nothing of them is told. What is told is told once: parts at or below the
//! mark are known, and our own are told from others by their ids, or by their words while one is on the wire.

use super::observed::MAX_STRETCH;
use super::sending::may_have_made;
use super::{Decision, Effect, Stepper};
use crate::domain::content::{AuthorKind, Message};
use crate::domain::conversation::{Action, Control, Ender, EventKind, Weight};
use crate::domain::ids::{AdminId, PartId};
use crate::domain::part::{Assignee, Observation, Part, PartKind};
use crate::domain::render;
use crate::domain::transfer::{Again, Agent, Patience};

impl Stepper<'_> {
    /// The first message, where people have begun the conversation.
    pub(super) fn relay_the_source(&mut self, observation: &Observation) {
        if self.state.transfer.is_none() {
            return;
        }
        if let Some(profile) = &observation.profile {
            self.state.profile = profile.clone();
        }
        if self.state.seen.source {
            return;
        }
        let Some(source) = observation.source.clone() else { return };
        self.state.told.source = true;
        match source.author.kind {
            AuthorKind::Customer => self.customer_wrote(source),
            _ => self.people_said(source, observation),
        }
    }

    /// Whether a part may be our own: of the bot's teammate, or the customer's where the chat is relayed
    /// and nobody knows better.
    pub(super) fn may_be_ours(&self, part: &Part) -> bool {
        let relays = self.state.transfer.is_some() && part.author.kind == AuthorKind::Customer;
        part.is_by(&self.workspace.bot_teammate) || (relays && !self.state.own_parts.contains(&part.id))
    }

    pub(super) fn relay(&mut self, part: &Part, observation: &Observation) {
        let by_bot = part.is_by(&self.workspace.bot_teammate);
        let ours = self.is_ours(part, by_bot, observation);
        if part.kind == PartKind::Open && !ours {
            self.is_open_again(part);
        }
        broken_as!(NoteRelayed => if part.kind == PartKind::Note && !ours {
            let comment = Part { kind: PartKind::Comment, ..part.clone() };
            comment.message().into_iter().for_each(|message| self.people_said(message, observation));
        });
        if part.author.kind == AuthorKind::Customer && !ours {
            self.arrives_late(part); // or the customer wrote the same: either way it is told
        }
        if let (false, Some(message)) = (ours, part.message()) {
            match message.author.kind {
                AuthorKind::Customer => self.customer_wrote_after(part, message),
                _ => self.people_said_after(part, message, observation),
            }
        }
        if let (false, Some(to)) = (ours, &part.assigned_to) {
            self.is_assigned(to, observation);
        }
        if part.kind == PartKind::Close && !ours {
            self.is_closed(part, observation);
        }
        self.state.told.raise(&part.id);
    }

    /// Whether we made it: known by its id, or settled by it just now.
    fn is_ours(&mut self, part: &Part, by_bot: bool, observation: &Observation) -> bool {
        if self.state.own_parts.contains(&part.id) {
            return true;
        }
        if by_bot {
            self.know_own(&part.id);
            if !self.settle_by_echo(part, observation) {
                self.comes_late(part);
            }
            return true;
        }
        if part.author.kind != AuthorKind::Customer {
            return false;
        }
        broken_as!(WordsAreProof => return self.settle_by_echo(part, observation));
        false
    }

    /// A part of ours that nothing on the wire has made. A close that comes so late is undone where the chat goes on.
    fn comes_late(&mut self, part: &Part) {
        if self.arrives_late(part) && part.kind == PartKind::Close && self.is_relaying() {
            self.open_again();
        }
    }

    /// Whether nobody can tell yet who wrote this: the customer's own words of the same text are on the wire,
    /// or in doubt, and the customer may have written them in Intercom too. It is looked at when it is known
    /// which part ours are, and what comes behind it then.
    pub(super) fn must_wait(&mut self, part: &Part, observation: &Observation) -> bool {
        broken_as!(WordsAreProof => return false);
        let by_customer = part.author.kind == AuthorKind::Customer && !self.state.own_parts.contains(&part.id);
        let waits = by_customer && self.state.outbox.front().is_some_and(|head| may_have_made(head, part));
        if let (true, Some(transfer)) = (waits, &mut self.state.transfer) {
            transfer.held = observation.parts.iter().map(|part| &part.id).max().cloned();
        }
        waits
    }

    /// What the customer wrote in Intercom itself.
    fn customer_wrote_after(&mut self, part: &Part, message: Message) {
        if self.state.control == Control::Closed && self.is_after_the_end(part) && self.goes_on_again() {
            self.go_on();
        }
        self.customer_wrote(message);
    }

    fn customer_wrote(&mut self, message: Message) {
        self.tell(EventKind::Message { message, earlier: Vec::new() });
        self.customer_spoke();
    }

    /// What people, or machines of Intercom's, said to the customer.
    fn people_said_after(&mut self, part: &Part, message: Message, observation: &Observation) {
        let is_person = message.author.kind == AuthorKind::Teammate;
        if self.state.control == Control::Closed && self.is_after_the_end(part) {
            if !is_person {
                return; // what is sent automatically when a chat is over
            }
            if !self.goes_on_again() {
                self.is_not_passed_on();
                return;
            }
            self.go_on();
        }
        self.people_said(message, observation);
    }

    fn people_said(&mut self, message: Message, observation: &Observation) {
        let agent =
            AdminId::parse(message.author.id.clone()).ok().filter(|_| message.author.kind == AuthorKind::Teammate);
        if let Some(id) = agent {
            if self.is_relaying() && self.agent().is_none() {
                self.agent_is(observation.agent(&id, message.author.name.as_ref()));
            }
            self.agent_spoke();
        }
        self.tell(EventKind::AgentMessage { message });
    }

    fn agent(&self) -> Option<&Agent> {
        self.state.transfer.as_ref().and_then(|transfer| transfer.agent.as_ref())
    }

    /// Whether a part came after the chat's end.
    fn is_after_the_end(&self, part: &Part) -> bool {
        let end = self.state.transfer.as_ref().and_then(|transfer| transfer.closed_by.as_ref());
        end.is_some_and(|end| part.id > *end)
    }

    fn goes_on_again(&self) -> bool {
        self.settings_of_transfer().is_none_or(|settings| settings.again == Again::Relay)
    }

    /// A chat that was over is with people again.
    pub(super) fn go_on(&mut self) {
        self.state.control = Control::Human;
        self.state.assignee = None; // whoever has it has the chat again
        self.state.deleted = false; // whether it is, the look shows that follows
        if let Some(transfer) = &mut self.state.transfer {
            transfer.closed_by = None;
            transfer.began_after = self.state.seen.clone();
            (transfer.look, transfer.sent_on) = (true, false);
            broken_as!(HolderNotAsked => transfer.look = false);
        }
        self.new_epoch();
        self.note(Decision::TransferGoesOn);
        broken_as!(GoingOnNotTold => return);
        self.tell(EventKind::Reopened);
    }

    fn is_open_again(&mut self, part: &Part) {
        let said = part.message().is_some(); // then who said it is heard
        if self.state.control == Control::Closed && !said && self.is_after_the_end(part) {
            if self.goes_on_again() {
                self.go_on();
                self.wait_for(Patience::Nobody);
            } else {
                self.is_not_passed_on();
            }
        }
    }

    /// Somebody writes to a customer who is with the bot.
    fn is_not_passed_on(&mut self) {
        self.note(Decision::NotPassedOn);
        let words = "This is not passed on: the customer has the bot again, in its own chat.";
        let html = render::plain(words);
        let is_said = |action: &Action| matches!(action, Action::Note { html: said } if *said == html);
        if !self.state.outbox.iter().any(|entry| is_said(&entry.action)) {
            self.enqueue(None, Weight::Optional, Action::Note { html });
        }
    }

    /// Somebody has it now.
    fn agent_is(&mut self, agent: Agent) {
        let Some(transfer) = &mut self.state.transfer else { return };
        let agent = agent.as_known(transfer.agent.as_ref());
        let former = transfer.agent.replace(agent.clone());
        match former {
            Some(former) if former.id == agent.id => return,
            Some(former) => self.tell(EventKind::AgentChanged { agent, former }),
            None => self.tell(EventKind::AgentJoined { teammate: agent.id, name: agent.name }),
        }
        self.agent_came();
    }

    fn is_assigned(&mut self, to: &Assignee, observation: &Observation) {
        if self.workspace.is_bots(to) {
            self.is_given_back(observation);
            return;
        }
        match to {
            Assignee::Teammate(id) if self.is_relaying() => self.agent_is(observation.agent(id, None)),
            Assignee::Teammate(_) => {}
            Assignee::Team(_) | Assignee::Nobody => self.is_left(to),
        }
    }

    /// Nobody has it any more.
    fn is_left(&mut self, to: &Assignee) {
        let left = self.state.transfer.as_mut().and_then(|transfer| transfer.agent.take());
        if !self.is_relaying() {
            return;
        }
        if let Some(agent) = left {
            self.tell(EventKind::AgentLeft { agent });
        }
        self.tell_waiting(to);
        self.agent_went();
    }

    /// People give the chat to the bot: it is over in Intercom.
    fn is_given_back(&mut self, observation: &Observation) {
        if !self.is_relaying() {
            return;
        }
        if !observation.complete {
            self.effects.push(Effect::Fetch);
            return;
        }
        self.over(Ender::People, self.stretch(observation));
        self.enqueue(None, Weight::Optional, Action::Close { html: None });
    }

    fn is_closed(&mut self, part: &Part, observation: &Observation) {
        self.ends_with(&part.id);
        if !self.is_relaying() {
            self.last_words_are_too_late();
            return;
        }
        if !observation.complete {
            self.effects.push(Effect::Fetch); // what was said belongs to it
            return;
        }
        self.over(Ender::People, self.stretch(observation));
    }

    /// People have closed a chat that its customer had ended: what is not on the wire of their last words is
    /// not said into it any more. The note and the close go on.
    fn last_words_are_too_late(&mut self) {
        let epoch = self.state.epoch;
        let is_said = |action: &Action| {
            matches!(action, Action::Say { .. } | Action::Relay { .. } | Action::Begin { .. } | Action::Assign { .. })
        };
        // As if they were of the time before the end, whose epoch the bot knows: nothing new begins.
        for entry in self.state.outbox.iter_mut().filter(|entry| entry.epoch == epoch && is_said(&entry.action)) {
            entry.epoch = epoch.saturating_sub(1);
        }
        self.supersede_the_overtaken();
    }

    /// What came before this part came before the chat's end. Never less: our own close may be known before
    /// what others did ahead of it.
    pub(super) fn ends_with(&mut self, part: &PartId) {
        broken_as!(EndGoesBack => {
            self.state.transfer.iter_mut().for_each(|transfer| transfer.closed_by = Some(part.clone()));
            return;
        });
        if let Some(transfer) = &mut self.state.transfer
            && transfer.closed_by.as_ref().is_none_or(|end| end < part)
        {
            transfer.closed_by = Some(part.clone());
        }
    }

    /// What was said since the chat was given to people, oldest first: not what it was given to them with.
    pub(super) fn stretch(&self, observation: &Observation) -> Vec<Message> {
        let Some(transfer) = &self.state.transfer else { return Vec::new() };
        let source = observation.source.iter().filter(|_| !transfer.began_after.source).cloned();
        let parts = observation.parts_in_order().into_iter();
        let parts = parts.filter(|part| !transfer.began_after.covers(&part.id));
        let parts = parts.filter(|part| !transfer.began_with.contains(&part.id));
        let parts = parts.filter(|part| !part.is_by(&self.workspace.bot_teammate));
        let mut said: Vec<Message> = source.chain(parts.filter_map(Part::message)).collect();
        let surplus = said.len().saturating_sub(MAX_STRETCH);
        said.split_off(surplus)
    }

    /// Whom it is assigned to, where no part says so.
    pub(super) fn relay_the_assignee(&mut self, observation: &Observation) {
        if !observation.complete || self.state.assignee.as_ref() == Some(&observation.assignee) {
            return;
        }
        self.state.assignee = Some(observation.assignee.clone());
        if let (true, Assignee::Teammate(id)) = (self.is_relaying(), &observation.assignee)
            && !self.workspace.is_bots(&observation.assignee)
        {
            self.agent_is(observation.agent(id, None));
        }
    }
}
