//! Answers whose turn the bot names: said, or left to people, as the workspace's rules have it. A
//! suggestion waits here for a teammate; what the teammate writes about it is `noted`'s matter.

use super::{Decision, Stepper};
use crate::domain::blocks::Said;
use crate::domain::command::Command;
use crate::domain::content::Block;
use crate::domain::conversation::{
    Accepted, Action, CommandOutcome, EventKind, OutboxEntry, Overtaker, Progress, Weight, remember,
};
use crate::domain::part::{Assignee, Profile, Traits};
use crate::domain::render;
use crate::domain::rules::{self, Candidate, Circumstances, Deed, Root, Ruling, Turn};
use crate::domain::suggestion::{Held, MAX_RULED, Ruled, Spent, Suggestion};

/// The most nodes, intents or candidates that a turn names.
const MAX_TURN: usize = 50;
/// The most candidates: a teammate is to choose at a glance.
const MAX_CANDIDATES: usize = 10;
/// The longest name of a node, an intent or a candidate, in bytes.
const MAX_NAME_BYTES: usize = 500;

impl Stepper<'_> {
    /// The bot answers, and names its turn: the rules decide what becomes of it.
    pub(super) fn answer_by_rules(&mut self, command: &Command, content: &[Block], turn: &Turn) {
        let known = self.known_by_now();
        let circumstances = self.circumstances(&known, command.seq);
        let ruling = rules::decide(&self.workspace.rules, turn, &circumstances, self.state.granted.as_deref());
        self.follow(&ruling, command, content, turn);
    }

    /// The bot answers, and does not name its turn: it is said, unless it is an e-mail and the settings
    /// have it otherwise.
    pub(super) fn answer(&mut self, command: &Command, content: &[Block]) {
        let known = self.known_by_now();
        if let Some(ruling) = rules::decide_unnamed(&self.workspace.rules, &self.circumstances(&known, command.seq)) {
            return self.follow(&ruling, command, content, &Turn::default());
        }
        self.take_what_is_watched();
        self.await_judgement(None);
        let messages = self.messages(command, content);
        self.say(Some(&command.id), Weight::Completes, messages);
    }

    fn follow(&mut self, ruling: &Ruling, command: &Command, content: &[Block], turn: &Turn) {
        let root = self.came_by(turn);
        let node = root.as_ref().map(|root| root.label().to_owned());
        let ruled = Ruled { at: self.now, node, confidence: turn.confidence(), ruling: ruling.clone() };
        remember(&mut self.state.ruled, ruled, MAX_RULED);
        let is_said = || {
            broken_as!(OfferSaidAtOnce => return matches!(ruling.deed, Deed::Answer | Deed::Suggest) && !ruling.shadow);
            broken_as!(ShadowActs => return ruling.deed == Deed::Answer);
            ruling.deed == Deed::Answer && !ruling.shadow
        };
        if is_said() {
            self.take_what_is_watched();
            self.await_judgement(root.as_ref());
            let messages = self.messages(command, content);
            self.say(Some(&command.id), Weight::Completes, messages);
            return;
        }
        self.judge_what_came_before(root.as_ref());
        self.settle_command(&command.id, CommandOutcome::Superseded { by: Overtaker::Rule });
        self.note(match ruling.deed {
            _ if ruling.shadow => Decision::RuledShadow,
            Deed::Send => Decision::RuledSend,
            Deed::Suggest => Decision::RuledSuggest,
            Deed::Nothing | Deed::Answer => Decision::RuledNothing,
        });
        if ruling.deed == Deed::Suggest || (ruling.shadow && ruling.deed == Deed::Answer) {
            self.state.suggestion = Some(self.suggestion(command, content, turn, root.clone(), ruling));
        }
        // What is only watched lies where people find it, and the customer's next message may be one for
        // the bot.
        let posts = matches!(ruling.deed, Deed::Send | Deed::Suggest) && !ruling.shadow;
        if self.state.away && !posts {
            return;
        }
        let note = self.note_of(ruling, root.as_ref(), turn);
        self.leave_to_people(ruling, command.seq, note);
    }

    /// Remembers where the bot's dialog is. Its root node.
    pub(super) fn came_by(&mut self, turn: &Turn) -> Option<Root> {
        let root = turn.root();
        if let Some(root) = root.as_ref().filter(|root| root.external_name.is_some()) {
            self.state.goal = Some(root.clone());
        }
        root
    }

    /// What is known of the conversation, with the tags and attributes that the bot has asked for and that
    /// are still on their way: a rule that asks for them holds from then on.
    fn known_by_now(&self) -> Profile {
        let mut known = self.state.profile.clone();
        known.learn(&self.state.traits);
        self.state.outbox.iter().for_each(|entry| mark(&mut known, &entry.action));
        known
    }

    /// A tag or attributes that the bot has asked for are there.
    pub(super) fn is_marked(&mut self, action: &Action) {
        if !matches!(action, Action::Tag { .. } | Action::SetAttributes { .. }) {
            return;
        }
        let mut known = self.state.profile.clone();
        known.learn(&self.state.traits);
        mark(&mut known, action);
        self.state.traits = Traits { tags: Some(known.tags), attributes: Some(known.conversation_attributes) };
    }

    /// What rules go by where a bot answers what an event told: the inbox is where that happened.
    fn circumstances<'a>(&'a self, known: &'a Profile, event: Option<u64>) -> Circumstances<'a> {
        Circumstances {
            inbox: self.state.inbox_at(event),
            profile: known,
            now: self.now,
            office: self.workspace.office_hours.as_ref(),
        }
    }

    /// Whom people are to be found among when nobody is named: the target of the node that the dialog
    /// last came by, else the default, else nobody.
    pub(super) fn escalation(&self, event: Option<u64>) -> Assignee {
        let goal = self.state.goal.as_ref();
        let target = rules::escalation(&self.workspace.rules, goal, &self.circumstances(&self.known_by_now(), event));
        target.or_else(|| self.workspace.handover.default.clone()).unwrap_or(Assignee::Nobody)
    }

    fn suggestion(
        &self,
        command: &Command,
        content: &[Block],
        turn: &Turn,
        root: Option<Root>,
        ruling: &Ruling,
    ) -> Suggestion {
        let answer = Held { label: None, messages: self.messages(command, content) };
        let held = |candidate: &Candidate| {
            let said = Said { html: render::markdown(&candidate.text), ..Said::default() };
            let sure = candidate.confidence.map(|confidence| format!(" ({confidence})")).unwrap_or_default();
            Held { label: Some(format!("{}{sure}", candidate.label)), messages: vec![said] }
        };
        let several = turn.candidates.len() > 1;
        let candidates = turn.candidates.iter().filter(|_| several).map(held).collect();
        let (deed, shadow) = (ruling.deed, ruling.shadow);
        Suggestion {
            command: command.id.clone(),
            root,
            deed,
            at: self.now,
            answer,
            candidates,
            shadow,
            spent: None,
            unsent: false,
        }
    }

    /// What the teammates read. Nothing where the rule wants nothing, or is only tried out.
    fn note_of(&self, ruling: &Ruling, root: Option<&Root>, turn: &Turn) -> Option<String> {
        if ruling.shadow {
            return None;
        }
        let sure = turn.confidence().map(|confidence| format!(" ({confidence})")).unwrap_or_default();
        let about = root.map(|root| format!("“{}”{sure}", root.label()));
        match ruling.deed {
            Deed::Send => {
                let about = about.map(|about| format!(" The bot takes it for {about}.")).unwrap_or_default();
                Some(render::plain(&format!("Sent here by the workspace's rules.{about}")))
            }
            Deed::Suggest => {
                let suggestion = self.state.suggestion.as_ref()?;
                let about = about.unwrap_or_else(|| "this".to_owned());
                Some(suggestion_note(suggestion, &about))
            }
            Deed::Nothing | Deed::Answer => None,
        }
    }

    /// From here on the bot is silent, and people have the conversation.
    fn leave_to_people(&mut self, ruling: &Ruling, event: Option<u64>, note: Option<String>) {
        let to = ruling.to.clone().unwrap_or_else(|| self.escalation(event));
        let had_it = !self.state.away;
        self.begin_to_leave();
        if had_it && !ruling.shadow {
            self.say_farewell(None);
        }
        if let Some(html) = note {
            self.enqueue(None, Weight::Optional, Action::Note { html });
        }
        self.leave_to(None, &to);
    }

    /// The bot gets the conversation while its suggestion is open: a teammate wants it to go on, so
    /// what it would have said is said.
    pub(super) fn make_the_suggestion_good(&mut self) {
        let Some(suggestion) = self.state.suggestion.clone().filter(Suggestion::is_open) else { return };
        broken_as!(WorkflowAccepts => self.wanted = true);
        if !self.wanted {
            return; // it came back for want of people, and nobody has decided
        }
        self.state.granted = suggestion.root.as_ref().map(|root| root.id.clone());
        self.send_held(&suggestion, &suggestion.answer, None);
    }

    pub(super) fn send_held(&mut self, suggestion: &Suggestion, held: &Held, number: Option<usize>) {
        self.spend_suggestion(Spent::Sent);
        let before = self.state.last_out;
        self.say(None, Weight::Completes, held.messages.clone());
        let accepted = Accepted { command: suggestion.command.clone(), number };
        for entry in self.state.outbox.iter_mut().filter(|entry| entry.seq > before) {
            entry.accepted = Some(accepted.clone());
        }
    }

    /// Part of a suggestion is in Intercom: with the last of it the bot is told.
    pub(super) fn is_sent(&mut self, entry: &OutboxEntry) {
        if let Some(Accepted { command, number }) = entry.accepted.clone().filter(|_| entry.weight == Weight::Completes)
        {
            self.tell(EventKind::SuggestionSent { command_id: command, number });
        }
    }

    /// A suggestion that was to be sent is not, or not all of it.
    pub(super) fn is_not_sent(&mut self, entry: &OutboxEntry) {
        let command = entry.accepted.as_ref().map(|accepted| &accepted.command);
        if let Some(suggestion) = self.state.suggestion.as_mut().filter(|one| Some(&one.command) == command) {
            suggestion.unsent = true;
        }
    }

    /// What a teammate has accepted goes on where the bot gets the conversation: nobody has overtaken it.
    pub(super) fn keep_what_is_accepted(&mut self) {
        let epoch = self.state.epoch;
        for entry in self.state.outbox.iter_mut().filter(|entry| entry.accepted.is_some() && entry.epoch == epoch) {
            entry.epoch += 1;
        }
    }

    /// Whether a suggestion is on its way to the customer.
    pub(super) fn is_on_its_way(&self, suggestion: &Suggestion) -> bool {
        let of = |entry: &OutboxEntry| entry.accepted.as_ref().is_some_and(|of| of.command == suggestion.command);
        self.state.outbox.iter().any(of)
    }

    /// A suggestion that is on its way and not begun is not sent after all. Whether it was so.
    pub(super) fn take_back(&mut self, suggestion: &Suggestion) -> bool {
        let is_of_it = |entry: &OutboxEntry| entry.accepted.as_ref().is_some_and(|of| of.command == suggestion.command);
        let of_it: Vec<&OutboxEntry> = self.state.outbox.iter().filter(|entry| is_of_it(entry)).collect();
        let number = of_it.first().and_then(|entry| entry.accepted.as_ref()).and_then(|accepted| accepted.number);
        let held = number.map_or(Some(&suggestion.answer), |number| suggestion.numbered(number));
        let waits = |entry: &&OutboxEntry| {
            matches!(entry.progress, Progress::Pending { .. }) && self.given_up_after(entry).is_none()
        };
        let is_whole = held.is_some_and(|held| held.messages.len() == of_it.len());
        if of_it.is_empty() || !is_whole || !of_it.iter().all(waits) {
            return false;
        }
        self.state.outbox.retain(|entry| !is_of_it(entry));
        if number.is_none() {
            self.state.granted = None;
        }
        self.judge_it_dismissed();
        true
    }
}

/// What an action sets of the conversation's tags and attributes.
fn mark(known: &mut Profile, action: &Action) {
    match action {
        Action::Tag { name } => known.tag(name),
        Action::SetAttributes { attributes } => known.conversation_attributes.extend(attributes.clone()),
        _ => {}
    }
}

/// The note that offers a suggestion. A root node with children is a whole interaction: the bot offers to
/// have it. Without children there is the answer, with several candidates the list of them.
fn suggestion_note(suggestion: &Suggestion, about: &str) -> String {
    let take = "assign the conversation to the bot, or write a note <b>/bot take</b>";
    let dismiss = "<b>/bot dismiss</b> to say no";
    if !suggestion.candidates.is_empty() {
        let mut html = render::plain(&format!("The bot has several answers for {about}:"));
        html.push_str("<ol>");
        for candidate in &suggestion.candidates {
            let label = render::plain(candidate.label.as_deref().unwrap_or_default());
            html.push_str(&format!("<li>{}{}</li>", as_bold(&label), candidate.shown()));
        }
        html.push_str("</ol>");
        html.push_str(&format!(
            "<p>Write a note <b>/bot send 1</b> (or another number) to send one, {dismiss}. To let the bot go on, {take}.</p>"
        ));
        return html;
    }
    if suggestion.root.as_ref().is_some_and(|root| root.has_children) {
        let mut html = render::plain(&format!("The bot can handle {about}, and offers to."));
        html.push_str(&format!("<p>To let it, {take}; {dismiss}.</p>"));
        return html;
    }
    let mut html = render::plain(&format!("The bot suggests this answer for {about}:"));
    html.push_str(&format!("<blockquote>{}</blockquote>", suggestion.answer.shown()));
    html.push_str(&format!(
        "<p>Write a note <b>/bot send 1</b> to send it, {dismiss}. To let the bot go on, {take}.</p>"
    ));
    html
}

fn as_bold(paragraph: &str) -> String {
    paragraph.replacen("<p>", "<p><b>", 1).replacen("</p>", "</b></p>", 1)
}

/// What a turn may hold at most.
pub(super) fn check_turn(turn: &Turn) -> Result<(), (&'static str, String)> {
    if turn.nodes.len() > MAX_TURN || turn.intents.len() > MAX_TURN || turn.candidates.len() > MAX_CANDIDATES {
        let message = format!("a turn names at most {MAX_TURN} nodes, {MAX_TURN} intents, {MAX_CANDIDATES} candidates");
        return Err(("bad_turn", message));
    }
    let of_nodes = turn
        .nodes
        .iter()
        .flat_map(|node| std::iter::once(&node.id).chain(node.name.as_ref()).chain(node.external_name.as_ref()));
    let labels = turn.candidates.iter().map(|candidate| &candidate.label);
    let mut names = of_nodes.chain(turn.intents.iter().map(|intent| &intent.name)).chain(labels);
    if names.any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(("bad_turn", format!("a name in a turn has at most {MAX_NAME_BYTES} bytes")));
    }
    if turn.nodes.iter().any(|node| node.id.trim().is_empty()) {
        return Err(("bad_turn", "a node needs an id".to_owned()));
    }
    if turn.candidates.iter().any(|candidate| candidate.text.trim().is_empty()) {
        return Err(("bad_turn", "a candidate is empty".to_owned()));
    }
    Ok(())
}
