//! Notes in which teammates speak to the bot. Each is heeded with the whole conversation in view, so
//! that what was written before it counts, and is answered by a note or by what it asks for. The
//! customer sees nothing of it but what a teammate has the bot send.

use super::{Decision, Effect, Stepper};
use crate::domain::content::{AuthorKind, Message};
use crate::domain::conversation::{Action, Control, Progress, Weight};
use crate::domain::ids::{AdminId, Timestamp};
use crate::domain::incoming;
use crate::domain::notes::{self, NoteCommand, moment};
use crate::domain::part::{Observation, Part, PartKind};
use crate::domain::render;
use crate::domain::rules::{Because, Deed};
use crate::domain::suggestion::{Ruled, Spent};

/// How old a note may be that is answered where nothing was kept of its conversation, in milliseconds.
const FRESH_MS: u64 = 3_600_000;
/// How much of a message a summary repeats, in characters.
const MAX_QUOTED: usize = 200;

impl Stepper<'_> {
    /// A note of a teammate's, if it is for the bot.
    pub(super) fn noted(&mut self, part: &Part, observation: &Observation, taking: &mut bool) {
        let commands = self.asked_in(part);
        if commands.is_empty() {
            return;
        }
        if !observation.complete {
            self.effects.push(Effect::Fetch);
            return;
        }
        self.note(Decision::NoteHeeded);
        if self.is_stale(part, observation) {
            self.heed_silently(&commands, part, observation, taking);
            return;
        }
        for command in commands {
            self.heed_note(command, part, observation, taking);
        }
    }

    /// A note from before this row: it was answered then, or nobody listened. What it made so is so again, and nothing is
    /// said of it.
    fn heed_silently(&mut self, commands: &[NoteCommand], part: &Part, observation: &Observation, taking: &mut bool) {
        for command in commands {
            match (command, self.state.control) {
                (NoteCommand::Pause(minutes), Control::Bot | Control::Paused) => {
                    let until = minutes.map(|minutes| part.created_at.plus_ms(minutes.saturating_mul(60_000)));
                    // One that is over ends the one before it.
                    if self.state.control == Control::Paused || until.is_none_or(|until| until > self.now) {
                        self.pause(part, until, taking);
                    }
                }
                (NoteCommand::Resume, Control::Human | Control::Paused) => self.resume_by_note(observation, taking),
                _ => {}
            }
        }
    }

    fn heed_note(&mut self, command: NoteCommand, part: &Part, observation: &Observation, taking: &mut bool) {
        match command {
            NoteCommand::Why => {
                let html = self.why();
                self.leave_note(html);
            }
            NoteCommand::Summary => {
                let html = self.summary(observation, part);
                self.leave_note(html);
            }
            NoteCommand::Help => self.leave_note(notes::HELP.to_owned()),
            NoteCommand::Unknown(words) => {
                let html = render::plain(&format!("I do not know “{words}”."));
                self.leave_note(html + notes::HELP);
            }
            NoteCommand::Pause(minutes) => self.pause_by_note(part, minutes, taking),
            NoteCommand::Resume => self.resume_by_note(observation, taking),
            NoteCommand::Send(number) => self.send_by_note(number),
            NoteCommand::Dismiss => self.dismiss_by_note(),
            NoteCommand::Retry => self.retry_by_note(observation, part),
        }
    }

    /// What a part asks of the bot; nothing, unless it is a teammate's note for it.
    fn asked_in(&self, part: &Part) -> Vec<NoteCommand> {
        let by_person = part.author.kind == AuthorKind::Teammate && !part.is_by(&self.workspace.bot_teammate);
        let body = part.body.as_ref().filter(|_| part.kind == PartKind::Note && by_person && !part.redacted);
        body.map(|body| notes::read(&incoming::text(body))).unwrap_or_default()
    }

    /// Whether a part of a conversation that the bot never had is a note for it that waits for an answer. A
    /// stale one waits no more.
    pub(super) fn asks_elsewhere(&self, part: &Part, observation: &Observation) -> bool {
        !self.is_stale(part, observation) && !self.state.seen.covers(&part.id) && !self.asked_in(part).is_empty()
    }

    /// Whether a note is of a time of which nothing is kept: rows are lost, and made anew from what Intercom shows. Then
    /// one that is old, or that something of our own follows, was answered.
    fn is_stale(&self, note: &Part, observation: &Observation) -> bool {
        let is_followed =
            || observation.parts.iter().any(|part| part.id > note.id && part.is_by(&self.workspace.bot_teammate));
        self.made_anew && (note.created_at.plus_ms(FRESH_MS) <= self.now || is_followed())
    }

    /// Where among these parts the last note stands that silences the bot, unless its time is over.
    pub(super) fn standing_pause(&self, parts: &[&Part]) -> Option<usize> {
        let minutes_of = |part: &Part| {
            self.asked_in(part).into_iter().rev().find_map(|asked| match asked {
                NoteCommand::Pause(minutes) => Some(minutes),
                _ => None,
            })
        };
        let mut pauses =
            parts.iter().enumerate().rev().filter_map(|(place, part)| Some((place, part, minutes_of(part)?)));
        let (place, part, minutes) = pauses.next()?;
        let is_over = |minutes: u64| part.created_at.plus_ms(minutes.saturating_mul(60_000)) <= self.now;
        (!minutes.is_some_and(is_over)).then_some(place)
    }

    /// Teammates may speak to the bot in a conversation that it never had, too: it answers there, or takes it.
    /// Of the conversation nothing is kept but that.
    pub(super) fn noted_elsewhere(&mut self, observation: &Observation) {
        for (place, note) in observation.parts_in_order().into_iter().enumerate() {
            if !self.asks_elsewhere(note, observation) {
                continue;
            }
            if self.noted_while_it_is_not_its(note, observation) {
                self.take(&observation.begin(place + 1));
                return self.observed(observation);
            }
        }
    }

    /// What was asked of the bot before a conversation was given to it, and is heard of only with that, is
    /// answered as it would have been then.
    pub(super) fn noted_before_it_was_given(&mut self, observation: &Observation) {
        let parts = observation.parts_in_order();
        let given = self.given_in(&parts).unwrap_or_default();
        for note in parts.into_iter().take(given) {
            if self.asks_elsewhere(note, observation) {
                self.noted_while_it_is_not_its(note, observation);
            }
        }
    }

    /// Answers a note in a conversation that is not the bot's. Whether the bot is to take it.
    fn noted_while_it_is_not_its(&mut self, note: &Part, observation: &Observation) -> bool {
        let mut taking = false;
        self.state.control = if observation.open { Control::Human } else { Control::Closed };
        self.state.seen.raise(&note.id);
        self.noted(note, observation, &mut taking);
        taking
    }

    fn leave_note(&mut self, html: String) {
        self.enqueue(None, Weight::Optional, Action::Note { html });
    }

    pub(super) fn say_to_teammates(&mut self, words: &str) {
        self.leave_note(render::plain(words));
    }

    fn pause_by_note(&mut self, part: &Part, minutes: Option<u64>, taking: &mut bool) {
        match self.state.control {
            Control::Human => return self.say_to_teammates("I am silent already: people have the conversation."),
            Control::Closed => return self.say_to_teammates("I am silent already: the conversation is closed."),
            Control::Bot => {
                broken_as!(PauseIgnored => return self.say_to_teammates("I am silent."));
            }
            Control::Paused => {}
        }
        self.pause(part, minutes.map(|minutes| self.now.plus_ms(minutes.saturating_mul(60_000))), taking);
        let until = self.state.resume_at.map_or_else(
            || "until it is assigned to me, or /bot resume".to_owned(),
            |at| format!("until {}, unless a teammate writes", moment(at)),
        );
        self.say_to_teammates(&format!("I am silent {until}."));
        broken_as!(PauseForgotten => self.state.resume_at = None);
    }

    /// The bot is silent by a teammate's note, until then where that is named.
    fn pause(&mut self, part: &Part, until: Option<Timestamp>, taking: &mut bool) {
        if self.state.control == Control::Bot {
            self.fall_silent(taking);
        }
        self.state.resume_at = until.filter(|_| self.state.control == Control::Paused);
        if let Ok(teammate) = AdminId::parse(part.author.id.clone()) {
            self.announce(teammate, part.author.name.clone());
        }
    }

    /// The bot gets the conversation, as if the teammate had assigned it; so it also is.
    fn resume_by_note(&mut self, observation: &Observation, taking: &mut bool) {
        match self.state.control {
            Control::Bot => return self.say_to_teammates("I have the conversation already."),
            Control::Closed => {
                return self.say_to_teammates("The conversation is closed; assign it to me to open it again.");
            }
            Control::Human | Control::Paused => {}
        }
        self.wanted = true;
        self.state.exchange.person_acted();
        self.give_to_bot(taking);
        if self.state.suggestion.as_ref().is_some_and(|suggestion| suggestion.unsent) {
            self.say_to_teammates("What I was to send is not sent: something came before it.");
        }
        // The teammate who writes this knows whose it is: an assignment that is heard of only now is
        // older, unless a part that comes behind it says otherwise.
        self.state.assignee = Some(observation.assignee.clone());
        if !self.workspace.is_bots(&observation.owner()) || !self.workspace.is_bots(&observation.assignee) {
            let from = observation.assignee.clone();
            self.enqueue(None, Weight::Completes, Action::Take { from });
            self.state.away = true;
        }
    }

    /// Sends a suggestion, in a teammate's name as it were: people keep the conversation.
    fn send_by_note(&mut self, number: usize) {
        broken_as!(OfferSentTwice => self.open_again_what_was(Spent::Sent));
        broken_as!(DismissedOfferSent => self.open_again_what_was(Spent::Dismissed));
        let Some(suggestion) = self.state.suggestion.clone().filter(|suggestion| !suggestion.shadow) else {
            return self.say_to_teammates("There is no suggestion to send.");
        };
        if let Some(spent) = suggestion.as_words() {
            let words = format!("I have not sent it: {spent}. /bot take lets me go on.");
            return self.say_to_teammates(&words);
        }
        if !matches!(self.state.control, Control::Human | Control::Bot) {
            return self.say_to_teammates("I have not sent it: I am silent in this conversation.");
        }
        let Some(held) = suggestion.numbered(number) else {
            return self
                .say_to_teammates(&format!("There is no number {number}; there are 1 to {}.", suggestion.count()));
        };
        let chosen = (!suggestion.candidates.is_empty()).then_some(number);
        self.send_held(&suggestion, held, chosen);
    }

    /// The suggestion is not sent; also where it was to be, and that has not begun.
    fn dismiss_by_note(&mut self) {
        let Some(suggestion) = self.state.suggestion.clone().filter(|suggestion| !suggestion.shadow) else {
            return self.say_to_teammates("There is nothing to dismiss.");
        };
        let words = match suggestion.spent {
            None => {
                self.spend_suggestion(Spent::Dismissed);
                "The suggestion is dismissed.".to_owned()
            }
            Some(Spent::Sent) if self.take_back(&suggestion) => {
                "The suggestion is dismissed; it had not been sent yet.".to_owned()
            }
            Some(Spent::Sent) if self.is_on_its_way(&suggestion) => {
                "I cannot take it back: it is being sent at this moment.".to_owned()
            }
            Some(spent) => {
                format!("There is nothing to dismiss: {}.", suggestion.as_words().unwrap_or(spent.as_words()))
            }
        };
        self.say_to_teammates(&words);
    }

    /// What a mutant makes of an offer that is spent.
    #[cfg(feature = "testing")]
    fn open_again_what_was(&mut self, why: Spent) {
        if let Some(suggestion) = &mut self.state.suggestion {
            suggestion.spent = suggestion.spent.filter(|spent| *spent != why);
        }
    }

    /// What waits for the bot or for Intercom waits no longer; a doubt is still settled first. Where nothing
    /// waits, the bot is asked again what nobody has answered.
    fn retry_by_note(&mut self, observation: &Observation, note: &Part) {
        if self.state.backlog() == 0 && self.state.outbox.is_empty() && self.state.control == Control::Bot {
            return self.ask_again(observation, note);
        }
        let now = self.now;
        let mut waited = 0;
        if let Some(event) = self.state.events.front_mut().filter(|event| event.due_at > now) {
            event.due_at = now;
            waited += 1;
        }
        if let Some(burst) = self.state.burst.as_mut().filter(|burst| !burst.is_due(now)) {
            burst.due_at = now;
            waited += 1;
        }
        if let Some(entry) = self.state.outbox.front_mut()
            && let Progress::Pending { not_before } = &mut entry.progress
            && *not_before > now
        {
            *not_before = now;
            waited += 1;
        }
        let (events, actions) = (self.state.backlog(), self.state.outbox.len());
        self.say_to_teammates(&if waited > 0 {
            format!("I try again now: {events} event(s) wait for the bot, {actions} action(s) for Intercom.")
        } else {
            "Nothing waits for a later time.".to_owned()
        });
    }

    /// The bot took what the customer said and has not answered: it is told of it once more, as new events.
    fn ask_again(&mut self, observation: &Observation, note: &Part) {
        let parts = observation.parts_in_order().into_iter().filter(|part| part.id < note.id);
        let said: Vec<Message> = observation.source.iter().cloned().chain(parts.filter_map(Part::message)).collect();
        let is_answer = |message: &Message| {
            broken_as!(RetryAsksEverything => return false);
            message.author.kind == AuthorKind::Teammate
        };
        let answered = said.iter().rposition(is_answer);
        let since = said.into_iter().skip(answered.map_or(0, |last| last + 1));
        let unanswered: Vec<Message> = since.filter(|message| message.author.kind == AuthorKind::Customer).collect();
        if unanswered.is_empty() {
            return self.say_to_teammates("Nothing waits for a later time, and everything is answered.");
        }
        let count = unanswered.len();
        self.state.exchange.person_acted();
        self.state.exchange.bot_takes(count);
        for message in unanswered {
            self.tell_message(message);
        }
        self.end_the_burst();
        self.say_to_teammates(&format!("I am asked again: {count} message(s) that nobody has answered."));
    }

    /// Who has the conversation, since when, what would change it; and what was decided last.
    fn why(&self) -> String {
        let since = self.state.stand.as_ref().map_or_else(String::new, |stand| {
            let by = if stand.by.is_empty() { String::new() } else { format!(", by {}", stand.by) };
            format!(" Since {}{by}.", moment(stand.since))
        });
        let (gate, change) = match self.state.control {
            Control::Bot => (
                "I have this conversation, and answer.",
                "A teammate's reply, an assignment or /bot pause makes me silent.",
            ),
            Control::Paused => (
                "I am silent: a teammate has spoken, or asked me to be.",
                "I go on when it is assigned to me, or at /bot resume.",
            ),
            Control::Human => {
                ("I am silent: people have this conversation.", "I go on when it is assigned to me, or at /bot take.")
            }
            Control::Closed => (
                "I am silent: the conversation is closed.",
                "I go on when it is assigned to me, or when the customer writes and it is mine.",
            ),
        };
        let resumes = match (self.state.control, self.state.resume_at) {
            (Control::Paused, Some(at)) => format!(" By itself, I go on at {}.", moment(at)),
            _ => String::new(),
        };
        let mut html = render::plain(&format!("{gate}{since} {change}{resumes}"));
        let (events, actions) = (self.state.backlog(), self.state.outbox.len());
        if events + actions > 0 {
            html.push_str(&render::plain(&format!(
                "{events} event(s) wait for the bot, {actions} action(s) for Intercom."
            )));
        }
        if let Some(suggestion) = self.state.suggestion.as_ref().filter(|suggestion| !suggestion.shadow) {
            let stands = suggestion.as_words().unwrap_or("a teammate decides on it");
            html.push_str(&render::plain(&format!("My suggestion of {}: {stands}.", moment(suggestion.at))));
        }
        if !self.state.ruled.is_empty() {
            html.push_str("<p>What I decided last:</p><ul>");
            for ruled in self.state.ruled.iter().rev() {
                html.push_str(&format!("<li>{}</li>", render::plain(&ruling_in_words(ruled))));
            }
            html.push_str("</ul>");
        }
        html
    }

    /// What was said, in short.
    fn summary(&self, observation: &Observation, until: &Part) -> String {
        let parts = observation.parts_in_order().into_iter().filter(|part| part.id < until.id);
        let said: Vec<Message> = observation.source.iter().cloned().chain(parts.filter_map(Part::message)).collect();
        let of = |kind: AuthorKind| said.iter().filter(move |message| message.author.kind == kind);
        let own = |message: &&Message| message.author.id == self.workspace.bot_teammate.as_str();
        let customers = of(AuthorKind::Customer).count();
        let bots = of(AuthorKind::Teammate).filter(own).count();
        let people = of(AuthorKind::Teammate).count().saturating_sub(bots);
        let mut html =
            render::plain(&format!("The customer wrote {customers} message(s), the bot {bots}, teammates {people}."));
        let mut line = |what: &str, message: Option<&Message>| {
            if let Some(message) = message {
                let words = message.body.as_ref().map(incoming::text).unwrap_or_default();
                let words = if words.is_empty() { "(no words)".to_owned() } else { shortened(&words) };
                html.push_str(&render::plain(&format!("{what}: “{words}”")));
            }
        };
        line("The customer's first words", of(AuthorKind::Customer).next());
        line("The customer's last words", of(AuthorKind::Customer).skip(1).last());
        line("The bot's last words", of(AuthorKind::Teammate).rfind(own));
        line("A teammate's last words", of(AuthorKind::Teammate).rfind(|message| !own(message)));
        if let Some(goal) = &self.state.goal {
            html.push_str(&render::plain(&format!("What the bot takes it to be about: {}.", goal.label())));
        }
        html
    }
}

/// A ruling in words: what, why, and what would change it.
fn ruling_in_words(ruled: &Ruled) -> String {
    let node = ruled.node.as_deref().unwrap_or("no node");
    let sure = ruled.confidence.map(|confidence| format!(" ({confidence})")).unwrap_or_default();
    let deed = match ruled.ruling.deed {
        Deed::Nothing => "left to people",
        Deed::Send => "sent to people",
        Deed::Suggest => "suggested",
        Deed::Answer => "answered",
    };
    let shadow = if ruled.ruling.shadow { ", only tried out: nothing was posted" } else { "" };
    let why = match ruled.ruling.because {
        Because::Rule { line } => format!("by the rule on line {line} of the settings; its `action` would change it"),
        Because::Default => "no rule names the node; `default` in the settings, or a rule, would change it".to_owned(),
        Because::Email => "it is an e-mail; `action` of [workspace.email] in the settings would change it".to_owned(),
        Because::Unsure { is, needed } => {
            format!("the bot's {is} is below {needed}; a surer bot, or a lower `confidence`, would change it")
        }
        Because::Granted => "a teammate gave it to the bot for this node".to_owned(),
    };
    format!("{}: “{node}”{sure} was {deed}{shadow}; {why}.", moment(ruled.at))
}

fn shortened(words: &str) -> String {
    let joined = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= MAX_QUOTED {
        return joined;
    }
    joined.chars().take(MAX_QUOTED).chain(['…']).collect()
}
