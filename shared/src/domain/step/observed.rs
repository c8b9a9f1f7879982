//! What happens in Intercom: who has the conversation, and what the bot is told of it.
//!
//! A notification is a doorbell. What it carries is used when nothing is missing; otherwise the
//! step asks for the whole conversation ([`Effect::Fetch`]) and is repeated with it. The bot never
//! gets a conversation on a notification's word alone.

use super::{Decision, Effect, Stepper};
use crate::domain::agreement::Verdict;
use crate::domain::content::{AuthorKind, Message};
use crate::domain::conversation::{
    Action, CommandOutcome, Control, EventKind, MAX_EVENTS, MAX_REDACTED, Overtaker, Weight, remember,
};
use crate::domain::ids::{AdminId, PartId, TeamId};
use crate::domain::part::{Assignee, Observation, Part, PartKind};
use crate::domain::render;
use crate::domain::settings::Reopened;
use crate::domain::suggestion::Spent;

impl Stepper<'_> {
    pub(super) fn observed(&mut self, observation: &Observation) {
        if self.state.bot.is_none() {
            self.meet(observation);
            return;
        }
        if self.is_outdated(observation) {
            return;
        }
        if self.state.deleted {
            // What is said to be deleted and still speaks is looked at again: a 404 can be wrong.
            if !observation.complete {
                self.effects.push(Effect::Fetch);
                return;
            }
            self.state.deleted = false;
        }
        self.notice_redactions(observation);
        self.notice_rating(observation);
        let fresh: Vec<&Part> =
            observation.parts_in_order().into_iter().filter(|part| !self.state.seen.covers(&part.id)).collect();
        // While a hand-over is on its way, somebody may be ahead of it.
        let leaving = self.state.outbox.iter().any(|entry| entry.action.dies_with_its_epoch());
        let matters = self.state.control != Control::Human
            || leaving
            || self.state.relieved.is_some()
            || !self.state.given_up.is_empty()
            || self.state.transfer.is_some();
        if !observation.complete && self.state.returning {
            self.effects.push(Effect::Fetch); // who was first, only the whole conversation tells
            return;
        }
        // While people have it, too: what was missed may be a note for the bot, or words that an offer comes after.
        let missed = self.has_missed_something(observation, &fresh) || self.is_closed_unseen(observation, &fresh);
        if !observation.complete && (missed || (matters && self.is_flattened(&fresh))) {
            self.effects.push(Effect::Fetch);
            return;
        }
        if observation.complete || !fresh.is_empty() {
            self.state.traits.learn(&observation.traits);
        }
        let mut taking = false;
        self.relay_the_source(observation);
        self.state.seen.source |= observation.source.is_some();
        // A notification that shows nothing new leaves the mark where it is, and the count with it.
        let counts = observation.complete || !fresh.is_empty();
        let relays = self.state.transfer.is_some();
        let late = !observation.complete && fresh.is_empty();
        // What no part explains was so before the parts that are shown: a pause, or a person's words, count after it.
        if !relays && !fresh.iter().any(|part| part.assigned_to.is_some()) {
            self.heed_the_assignee(observation, late, &mut taking);
        }
        let mut waits = false;
        for part in fresh {
            waits = relays && self.must_wait(part, observation);
            if waits {
                break;
            }
            if relays {
                self.relay(part, observation);
                broken_as!(PeopleToldAgain => if part.author.kind == AuthorKind::Teammate && !part.is_by(&self.workspace.bot_teammate) {
                    continue;
                });
            } else {
                self.apply(part, observation, &mut taking);
            }
            self.state.seen.raise(&part.id);
        }
        let seen = &self.state.seen;
        self.state.unshown.take_if(|part| seen.covers(part));
        if relays {
            self.relay_the_assignee(observation);
            if waits {
                return;
            }
        } else {
            self.heed_the_assignee(observation, late, &mut taking);
        }
        broken_as!(CountTakenUnseen => self.state.seen_count = self.state.seen_count.max(observation.part_count));
        if counts {
            self.state.seen_count = self.state.seen_count.max(observation.part_count);
        }
        if taking {
            self.take(observation);
        }
        self.state.returning &= self.is_taking_back();
        self.relieve_an_overrun_bot();
        self.yield_to_another_bot();
    }

    /// A conversation that the bot never had. Nothing is kept of it until the bot gets it, or is asked
    /// something there.
    fn meet(&mut self, observation: &Observation) {
        let is_bots = |assignee: &Assignee| self.workspace.is_bots(assignee);
        if !observation.complete {
            let hinted = is_bots(&observation.owner()) || is_bots(&observation.assignee);
            let asks = observation.parts.iter().any(|part| self.asks_elsewhere(part, observation));
            if (hinted && observation.open) || asks || self.may_be_watched(observation) {
                self.effects.push(Effect::Fetch);
            }
            return;
        }
        if is_bots(&observation.owner()) && observation.open {
            self.noted_before_it_was_given(observation);
            self.state.control = Control::Bot;
            self.state.epoch += 1;
        } else if !self.watch(observation) {
            self.noted_elsewhere(observation);
            return;
        }
        match self.before_a_person_spoke(observation) {
            None => self.take(observation),
            Some(given) => {
                self.take(&given);
                self.observed(observation);
            }
        }
    }

    /// Where parts last give the conversation to the bot.
    pub(super) fn given_in(&self, parts: &[&Part]) -> Option<usize> {
        parts.iter().rposition(|part| part.assigned_to.as_ref().is_some_and(|to| self.workspace.is_bots(to)))
    }

    /// The conversation as it was when a person spoke after it was given to the bot, or asked the bot for something
    /// in a note, if one did: what came from then on is heeded as if it came later. What the bot itself said before
    /// is an answer already, where a row was lost and is made anew.
    fn before_a_person_spoke(&self, observation: &Observation) -> Option<Observation> {
        let parts = observation.parts_in_order();
        let given = self.given_in(&parts);
        let is_person = |part: &&Part| {
            let message = part.message().filter(|_| given.is_some() && !part.is_by(&self.workspace.bot_teammate));
            let speaks = message.is_some_and(|message| message.author.kind == AuthorKind::Teammate);
            speaks || self.asks_elsewhere(part, observation)
        };
        let from = given.map_or(0, |given| given + 1);
        let spoke = parts.iter().skip(from).position(is_person).map(|place| from + place);
        // A pause stands however old it is: the bot was silent by it before its row was lost, or would have been.
        let ends = |part: &&Part| matches!(part.kind, PartKind::Close | PartKind::Open);
        let since = parts.iter().rposition(ends).map_or(0, |last| last + 1).max(from);
        let pauses = self.standing_pause(parts.get(since..).unwrap_or_default()).map(|place| since + place);
        let spoke = spoke.into_iter().chain(pauses).min()?;
        Some(observation.begin(spoke))
    }

    /// Whether `GET` showed the conversation as it was before what is known of it.
    pub(super) fn is_outdated(&self, observation: &Observation) -> bool {
        broken_as!(StaleAnswerTaken => return false);
        let newest = observation.parts.iter().map(|part| &part.id).max();
        observation.complete && newest < self.state.last_known_part().as_ref()
    }

    /// Whether a hand-over is on its way.
    pub(super) fn is_handing_over(&self) -> bool {
        let is_away = |to: &Assignee| !self.workspace.is_bots(to);
        self.state.outbox.iter().any(|entry| matches!(&entry.action, Action::Assign { to, .. } if is_away(to)))
    }

    pub(super) fn is_with_people(&self) -> bool {
        matches!(self.state.control, Control::Human | Control::Paused)
    }

    fn is_engaged(&self) -> bool {
        matches!(self.state.control, Control::Bot | Control::Paused)
    }

    /// Whether it is shown closed, and nothing that is shown closes it: then that is still on its way, and
    /// would come behind what is shown.
    fn is_closed_unseen(&self, observation: &Observation, fresh: &[&Part]) -> bool {
        let explained = fresh.iter().any(|part| part.kind == PartKind::Close);
        !observation.open && !explained && !fresh.is_empty() && self.state.control != Control::Closed
    }

    /// Whether the conversation has more parts than are known with those that the notification
    /// shows. Parts of our own count as known from their confirmation on, but where something new is
    /// shown only those that lie before it: the count may be older than the others.
    fn has_missed_something(&self, observation: &Observation, fresh: &[&Part]) -> bool {
        broken_as!(GapIgnored => return false);
        broken_as!(NotesMissed => if self.state.control == Control::Human { return false; });
        broken_as!(CountTakenUnseen => if fresh.is_empty() { return self.state.seen_count.is_none() });
        let newest = fresh.last().map(|part| &part.id);
        let between = self
            .state
            .own_unseen(|own| newest.is_none_or(|newest| own < newest) && !fresh.iter().any(|part| part.id == *own));
        match (self.state.seen_count, observation.part_count) {
            (Some(before), Some(after)) => after > before + fresh.len() as u64 + between,
            _ => true,
        }
    }

    fn apply(&mut self, part: &Part, observation: &Observation, taking: &mut bool) {
        let own = part.is_by(&self.workspace.bot_teammate);
        // What we know to have done was heeded when it was confirmed, or is just now, by its echo.
        let mut heeded = self.state.own_parts.contains(&part.id);
        if own && !heeded {
            self.know_own(&part.id);
            heeded = self.settle_by_echo(part, observation);
            if !heeded
                && self.arrives_late(part)
                && part.kind == PartKind::Close
                && self.state.control != Control::Closed
            {
                // It was overtaken, or it was opened since: nobody wants it closed now.
                self.open_again();
                return;
            }
        }
        // What came after it and is known already, because it is our own, is not to be undone by it.
        let changes = part.kind == PartKind::Close || part.assigned_to.is_some();
        if changes && !own && !observation.complete && self.state.own_parts.iter().any(|own| *own > part.id) {
            self.effects.push(Effect::Fetch);
            return;
        }
        let acts = part.author.kind == AuthorKind::Teammate || part.kind == PartKind::Close;
        let gives = part.assigned_to.as_ref().is_some_and(|to| self.workspace.is_bots(to));
        // Who gives it to a bot that has caught up does what its return would have done.
        if !own && (acts || part.assigned_to.is_some()) && !(gives && self.has_caught_up()) {
            self.somebody_came();
        }
        let before = self.state.control;
        self.apply_in_order(part, own, heeded, observation, taking);
        if self.state.control != before {
            self.by = Some(named(part));
        }
    }

    fn apply_in_order(&mut self, part: &Part, own: bool, heeded: bool, observation: &Observation, taking: &mut bool) {
        // A reply that opens a closed conversation opens it first; one that closes or assigns it
        // is said first.
        if part.kind == PartKind::Open {
            self.opened(part, observation, taking);
        }
        if let (false, Some(message)) = (own, part.message()) {
            self.heard(part, message, observation, taking);
        }
        if let Some(to) = &part.assigned_to {
            self.assigned(part, to, observation, taking);
        }
        self.noted(part, observation, taking);
        if part.kind == PartKind::Close && !heeded {
            self.closed(own, taking);
        } else if part.kind == PartKind::Close && self.is_with_people() && !self.is_leaving() {
            // People took it over before our close, which was confirmed before that was seen.
            self.open_again();
        }
    }

    /// Somebody wrote something that the customer sees, or the customer did.
    fn heard(&mut self, part: &Part, message: Message, observation: &Observation, taking: &mut bool) {
        match message.author.kind {
            AuthorKind::Customer => {
                self.spend_suggestion(Spent::CustomerWrote);
                self.state.exchange.customer_speaks(&message, self.now, self.workspace.loops);
                if self.state.control == Control::Closed && self.was_closed_over(part, observation) {
                    self.give_to_bot(taking);
                } else if self.state.control == Control::Closed {
                    self.reopen(observation, taking);
                }
                if self.state.control == Control::Bot {
                    // While the bot is getting it, `take` tells everything at once, in order.
                    if !*taking {
                        self.tell_message(message);
                    }
                } else {
                    self.note(Decision::LeftToPeople);
                }
            }
            AuthorKind::Teammate => {
                self.judge_by_words(&message);
                if let Ok(teammate) = AdminId::parse(message.author.id) {
                    self.explain_the_silence(part);
                    self.person_spoke(teammate, message.author.name, taking);
                }
            }
            // Fin, Operator, workflows and other apps' bots are not people: what they say neither
            // silences the bot nor counts as an answer, unless they go on beside it.
            AuthorKind::Operator => self.state.exchange.another_bot_speaks(),
            AuthorKind::Other => {}
        }
    }

    /// Whether the bot closed the conversation without knowing this message, which is older than
    /// something of its own. Nobody reads it in a closed conversation, so the bot is to.
    fn was_closed_over(&self, part: &Part, observation: &Observation) -> bool {
        let is_older = part.kind == PartKind::Comment && self.state.own_parts.iter().any(|own| *own > part.id);
        is_older && self.workspace.is_bots(&observation.owner())
    }

    /// Tells the bot. What it wanted to close without knowing this message is not closed.
    pub(super) fn tell_message(&mut self, message: Message) {
        let message = self.understood(message);
        self.drop_a_waiting_close(Overtaker::Message);
        match &message.part_id {
            Some(part_id) => self.state.told.raise(part_id),
            None => self.state.told.source = true,
        }
        self.gather(message);
    }

    fn person_spoke(&mut self, teammate: AdminId, name: Option<String>, taking: &mut bool) {
        self.remember_offer(None, None);
        self.spend_suggestion(Spent::TeammateWrote);
        self.state.exchange.person_acted();
        if self.state.control == Control::Bot {
            self.fall_silent(taking);
        }
        if self.state.control == Control::Paused {
            let after = self.workspace.resume_after_minutes;
            self.state.resume_at = after.map(|minutes| self.now.plus_ms(minutes.saturating_mul(60_000)));
        }
        if self.state.control == Control::Human {
            self.drop_last_words();
        }
        if self.state.control != Control::Closed {
            self.announce(teammate, name);
        }
    }

    /// A person has the word. What is in the bot's inbox may come back to the bot by itself.
    pub(super) fn fall_silent(&mut self, taking: &mut bool) {
        *taking = false;
        self.state.control = if self.state.away { Control::Human } else { Control::Paused };
        self.new_epoch();
        self.note(Decision::Paused);
    }

    /// A person speaks while the bot's hand-over is on its way: what the bot wanted to say first comes
    /// too late, also where it is in doubt. The hand-over goes on.
    fn drop_last_words(&mut self) {
        let epoch = self.state.epoch;
        let is_reply = |action: &Action| matches!(action, Action::Reply { .. });
        if !self.state.outbox.iter().any(|entry| entry.epoch == epoch && is_reply(&entry.action)) {
            return;
        }
        for entry in self.state.outbox.iter_mut().filter(|entry| entry.epoch == epoch && !is_reply(&entry.action)) {
            entry.epoch += 1;
        }
        self.new_epoch();
    }

    /// Tells the bot which person it is dealing with, once per person in turn.
    pub(super) fn announce(&mut self, teammate: AdminId, name: Option<String>) {
        if self.state.announced.as_ref() != Some(&teammate) {
            self.state.announced = Some(teammate.clone());
            self.tell(EventKind::AgentJoined { teammate, name });
        }
    }

    fn assigned(&mut self, part: &Part, to: &Assignee, observation: &Observation, taking: &mut bool) {
        let own = part.is_by(&self.workspace.bot_teammate);
        let handing_over = self.is_handing_over();
        let leaves_later = self.leaves_after(part, observation);
        let by_person = part.author.kind == AuthorKind::Teammate && !own;
        if by_person {
            self.state.exchange.person_acted();
        }
        if self.workspace.is_bots(to) {
            self.state.away = false;
            if own && self.state.returning {
                self.returned(part, observation, taking);
                return;
            }
            if own && matches!(self.state.control, Control::Human | Control::Closed) {
                self.took_what_was_taken(part, observation);
            }
            if self.state.control == Control::Bot || own {
                return;
            }
            // A workflow that assigns to the bot may be older than the bot's own hand-over, which is
            // on its way or done; a person who does so means it. Which came first, only the whole
            // conversation tells.
            if !observation.complete {
                self.effects.push(Effect::Fetch);
                return;
            }
            if leaves_later && !by_person {
                return;
            }
            self.wanted |= by_person;
            if !by_person && self.goes_in_circles() {
                self.stay_out();
            } else {
                self.give_to_bot(taking);
            }
            return;
        }
        if by_person {
            self.judge_the_answer(Verdict::SteppedIn);
        }
        if !own && self.is_taking() {
            self.state.assignee = Some(to.clone()); // who gets it back, should that be on the wire
        }
        // The echo of our own hand-over says nothing new.
        if !own || self.state.control != Control::Human {
            self.give_to_people(to, *taking || handing_over, taking);
            if let Assignee::Teammate(teammate) = to {
                self.announce(teammate.clone(), None);
            }
        }
        if own && *to == Assignee::Nobody {
            self.left_the_seat(part, observation);
        }
    }

    pub(super) fn give_to_bot(&mut self, taking: &mut bool) {
        self.state.control = Control::Bot;
        self.state.away = false;
        self.keep_what_is_accepted();
        self.new_epoch();
        *taking = true;
    }

    pub(super) fn give_to_people(&mut self, to: &Assignee, overtakes: bool, taking: &mut bool) {
        let was_bots = self.is_engaged();
        *taking = false;
        self.state.control = Control::Human;
        self.state.resume_at = None;
        if was_bots || overtakes {
            self.new_epoch();
        }
        if was_bots {
            self.note(Decision::PeopleTake);
            self.tell_waiting(to);
        }
    }

    pub(super) fn tell_waiting(&mut self, to: &Assignee) {
        let team: Option<TeamId> = match to {
            Assignee::Team(team) => Some(team.clone()),
            Assignee::Nobody => None,
            Assignee::Teammate(_) => return, // `agent_joined` says it
        };
        self.tell(EventKind::HandoverWaiting { team });
    }

    /// Starts a new epoch: what was decided before, and is not on the wire yet, is not sent.
    pub(super) fn new_epoch(&mut self) {
        self.end_the_burst();
        self.state.epoch += 1;
        self.state.announced = None;
        self.state.granted = None;
        self.supersede_the_overtaken();
    }

    pub(super) fn closed(&mut self, by_bot: bool, taking: &mut bool) {
        if self.state.control == Control::Closed {
            return;
        }
        *taking = false;
        self.spend_suggestion(Spent::Closed);
        self.judge_the_answer(Verdict::Stood);
        self.state.control = Control::Closed;
        self.state.resume_at = None;
        self.new_epoch();
        self.note(Decision::Closed);
        self.tell(EventKind::Closed { by_bot });
    }

    fn opened(&mut self, part: &Part, observation: &Observation, taking: &mut bool) {
        // What a customer says opens it when it is heard; its text may have been deleted since.
        let is_heard = part.author.kind == AuthorKind::Customer && part.message().is_some();
        if self.state.control == Control::Closed && !is_heard {
            self.reopen(observation, taking);
        }
    }

    /// A closed conversation goes on, with whom it is assigned to.
    fn reopen(&mut self, observation: &Observation, taking: &mut bool) {
        let is_bots = self.workspace.is_bots(&observation.owner());
        if is_bots && !observation.complete {
            self.effects.push(Effect::Fetch); // a team may have it although the bot's seat is still named
        } else if is_bots && self.workspace.reopened == Reopened::Bot {
            self.give_to_bot(taking);
        } else {
            self.state.control = if is_bots { Control::Paused } else { Control::Human };
            self.new_epoch();
        }
    }

    /// Acts on an assignee that no part explains: a part was missed, or Intercom made none. An
    /// assignee that was judged before is not judged again. A notification with nothing new (`late`) may
    /// show whose the conversation was once: what is so now, only the whole conversation tells.
    fn heed_the_assignee(&mut self, observation: &Observation, late: bool, taking: &mut bool) {
        if self.state.assignee.as_ref() == Some(&observation.assignee) {
            return;
        }
        if late {
            self.effects.push(Effect::Fetch);
            return;
        }
        let owner = if observation.complete { observation.owner() } else { observation.assignee.clone() };
        let bots = self.workspace.is_bots(&owner);
        let agrees = match self.state.control {
            // A teammate gave it to the bot by a note, and the assignment is still on its way: it looks itself
            // whether somebody was ahead of it.
            Control::Bot if self.is_taking() => true,
            Control::Bot | Control::Paused => bots,
            // Where a hand-over is on its way, the bot's inbox is what it leaves: it is looked at when that is settled,
            // whoever had it before.
            Control::Human if bots && self.is_handing_over() => {
                self.state.assignee = None;
                return;
            }
            Control::Human => !bots,
            Control::Closed => true,
        };
        if !agrees {
            if !observation.complete {
                self.effects.push(Effect::Fetch);
                return;
            }
            if bots {
                self.give_to_bot(taking);
            } else {
                self.give_to_people(&owner, false, taking);
            }
        }
        self.state.assignee = Some(observation.assignee.clone());
    }

    /// The bot gets the conversation: it learns what it missed, then what is still unanswered.
    pub(super) fn take(&mut self, observation: &Observation) {
        if !observation.complete {
            self.effects.push(Effect::Fetch);
            return;
        }
        let first_time = self.state.bot.is_none();
        if first_time {
            self.state.born = self.now;
        }
        self.state.bot = Some(self.workspace.bot.clone());
        self.state.resume_at = None;
        self.state.assignee = Some(observation.assignee.clone());
        if let Some(profile) = &observation.profile {
            self.state.profile = profile.clone();
            self.state.traits = observation.traits.clone();
        }
        self.note(Decision::BotTakes);
        let (stretch, unanswered) = self.missed(observation);
        self.state.exchange.bot_takes(unanswered.len());
        self.state.relieved = None;
        self.drop_a_waiting_return();
        if !first_time || !stretch.is_empty() || unanswered.is_empty() {
            let stretch = stretch.into_iter().map(|message| self.understood(message)).collect();
            self.tell(EventKind::Resumed { stretch });
        }
        for message in unanswered {
            self.tell_message(message);
        }
        self.state.seen.source |= observation.source.is_some();
        self.state.told.source |= observation.source.is_some();
        for part in &observation.parts {
            self.state.seen.raise(&part.id);
            self.state.told.raise(&part.id);
        }
        self.state.seen_count = observation.part_count;
        if let (true, Some(introduction)) = (first_time && !self.state.away, &self.workspace.introduction) {
            let html = render::markdown(introduction);
            self.enqueue(None, Weight::Completes, Action::Reply { html, attachment_urls: Vec::new(), offer: None });
        }
        self.make_the_suggestion_good();
    }

    /// What was said since the bot last heard: what somebody has answered, or what needs no
    /// answer; and the customer's messages since.
    fn missed(&self, observation: &Observation) -> (Vec<Message>, Vec<Message>) {
        // What still waits for the bot is told to it anyway.
        let relieved = self.state.relieved.as_ref().filter(|_| self.has_caught_up());
        let is_told =
            |part: &PartId| self.state.told.covers(part) && !relieved.is_some_and(|relief| relief.covers(part));
        let source_is_told = self.state.told.source && !relieved.is_some_and(|relief| relief.source);
        let source = observation.source.iter().filter(|_| !source_is_told).cloned();
        let parts = observation.parts_in_order().into_iter().filter(|part| !is_told(&part.id));
        let said: Vec<Message> = source.chain(parts.filter_map(Part::message)).collect();
        // What the bot said without knowing a message does not answer it. Only where nothing is known any
        // more, or nobody knows what the bot took, are words of its own taken for answers.
        let forgotten = relieved.is_some() || (!self.state.told.source && self.state.told.part.is_none());
        let is_own = |message: &Message| {
            message.author.kind == AuthorKind::Teammate && message.author.id == self.workspace.bot_teammate.as_str()
        };
        let answers =
            |message: &Message| message.author.kind == AuthorKind::Teammate && (forgotten || !is_own(message));
        let answered = said.iter().rposition(answers);
        let (mut stretch, mut unanswered) = (Vec::new(), Vec::new());
        for (position, message) in said.into_iter().enumerate() {
            let is_customers = message.author.kind == AuthorKind::Customer;
            if is_customers && answered.is_none_or(|last| position > last) {
                unanswered.push(message);
            } else if !is_own(&message) {
                stretch.push(message);
            }
        }
        let surplus = stretch.len().saturating_sub(MAX_STRETCH);
        (stretch.split_off(surplus), unanswered)
    }

    fn notice_redactions(&mut self, observation: &Observation) {
        for part in observation.parts.iter().filter(|part| part.redacted) {
            if self.state.told.covers(&part.id) && !self.state.redacted.contains(&part.id) {
                remember(&mut self.state.redacted, part.id.clone(), MAX_REDACTED);
                if !self.forgets_untold(&part.id) {
                    self.tell(EventKind::MessageRedacted { part_id: part.id.clone() });
                }
            }
        }
    }

    fn notice_rating(&mut self, observation: &Observation) {
        if let Some(rating) = &observation.rating
            && self.state.rating.as_ref() != Some(rating)
        {
            self.state.rating = Some(rating.clone());
            self.tell(EventKind::Rated { rating: rating.clone() });
        }
    }

    /// A bot that takes nothing any more must not keep a customer waiting.
    fn relieve_an_overrun_bot(&mut self) {
        if self.state.backlog() >= MAX_EVENTS && self.state.control == Control::Bot {
            let why = format!("The bot has not taken the last {MAX_EVENTS} events of this conversation.");
            self.relieve(Decision::BotOverrun, &why);
        }
    }

    /// People get the conversation, and are told why.
    pub(super) fn relieve(&mut self, decision: Decision, why: &str) -> Assignee {
        self.note(decision);
        let to = self.workspace.handover.default.clone().unwrap_or(Assignee::Nobody);
        self.state.control = Control::Human;
        self.new_epoch();
        self.say_to_teammates(&format!("{why} Please take over."));
        let assign = Action::Assign { to: to.clone(), fallbacks: vec![Assignee::Nobody] };
        self.enqueue(None, Weight::Completes, assign);
        to
    }

    pub(super) fn deleted(&mut self) {
        if self.state.deleted && self.state.transfer.is_some() {
            self.is_still_gone();
        }
        if self.state.deleted || self.state.bot.is_none() {
            return;
        }
        self.state.deleted = true;
        let was_closed = self.state.control == Control::Closed;
        if self.state.transfer.is_some() {
            self.conversation_is_gone();
            return;
        }
        self.state.control = Control::Closed;
        self.state.resume_at = None;
        (self.state.relieved, self.state.returning) = (None, false);
        self.end_the_burst();
        self.state.epoch += 1;
        let ended: Vec<_> = self.state.outbox.drain(..).collect();
        for entry in ended {
            self.finish(&entry, CommandOutcome::Superseded { by: Overtaker::Turn });
        }
        if !was_closed {
            self.tell(EventKind::Closed { by_bot: false });
        }
    }

    /// A paused bot resumes by itself when no person has spoken for the configured time; one that could
    /// not be reached, and can be now, when nobody has taken the conversation.
    pub(super) fn tick(&mut self, observation: Option<&Observation>) {
        let due = self.state.resume_at.is_some_and(|due| due <= self.now);
        if self.state.transfer.is_some() {
            self.relay_tick(due, observation);
            return;
        }
        if observation.is_some_and(|observation| self.is_outdated(observation)) {
            return; // it stays due
        }
        let comes_back = self.state.relieved.is_some() || self.state.returning;
        let is_unclear = self.state.control == Control::Human && self.state.assignee.is_none();
        let may_resume = match self.state.control {
            Control::Paused => true,
            Control::Human => comes_back || is_unclear,
            Control::Bot | Control::Closed => false,
        };
        if due && !may_resume {
            self.state.resume_at = None; // somebody was faster
        }
        if !due || !may_resume {
            return;
        }
        let Some(observation) = observation else {
            self.effects.push(Effect::Fetch);
            return;
        };
        self.observed(observation);
        if is_unclear {
            if self.state.control == Control::Human {
                self.state.resume_at = None;
                self.look_whether_it_may_come_back();
            }
            return;
        }
        if self.state.control == Control::Paused && self.state.resume_at.is_some_and(|due| due <= self.now) {
            let owner = observation.owner();
            if self.workspace.is_bots(&owner) {
                self.state.control = Control::Bot;
                self.new_epoch();
                self.take(observation);
            } else {
                self.give_to_people(&owner, false, &mut false);
            }
        } else if comes_back {
            self.come_back(observation);
        }
    }
}

/// Who made a part, as teammates are told.
fn named(part: &Part) -> String {
    let kind = match part.author.kind {
        AuthorKind::Customer => return "the customer".to_owned(),
        AuthorKind::Teammate => "a teammate",
        AuthorKind::Operator | AuthorKind::Other => "a workflow",
    };
    part.author.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| kind.to_owned())
}

/// How many messages of a stretch the bot is told, at most: the newest.
pub(super) const MAX_STRETCH: usize = 100;
