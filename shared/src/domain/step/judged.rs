//! How the bot's suggestions and answers met with the teammates: noted down where it shows, for
//! [`crate::domain::agreement`] to count. Nothing is decided by it.

use super::Stepper;
use crate::domain::agreement::{Agreement, MAX_AGREEMENTS, Origin, Verdict, are_alike};
use crate::domain::content::{Body, Message};
use crate::domain::conversation::{Control, remember};
use crate::domain::incoming;
use crate::domain::rules::{Deed, Root};
use crate::domain::suggestion::{Held, Spent};

impl Stepper<'_> {
    /// A person wrote: beside the bot's suggestion, or right after its answer.
    pub(super) fn judge_by_words(&mut self, message: &Message) {
        if self.state.control == Control::Bot {
            self.judge_the_answer(Verdict::SteppedIn);
        }
        let Some(suggestion) = self.state.suggestion.as_ref().filter(|suggestion| suggestion.spent.is_none()) else {
            return;
        };
        let written = message.body.as_ref().map(incoming::text).unwrap_or_default();
        let is_alike = |held: &Held| are_alike(&incoming::text(&Body::html(held.shown())), &written);
        let alike = is_alike(&suggestion.answer) || suggestion.candidates.iter().any(is_alike);
        self.judge_the_suggestion(if alike { Verdict::Alike } else { Verdict::Different });
    }

    /// The suggestion has met with a teammate.
    pub(super) fn judge_the_suggestion(&mut self, verdict: Verdict) {
        let Some(suggestion) = &self.state.suggestion else { return };
        let (deed, shadow) = (suggestion.deed, suggestion.shadow);
        if let Some(origin) = suggestion.root.as_ref().map(origin_of) {
            let agreement = Agreement { at: self.now, origin, deed, shadow, verdict };
            remember(&mut self.state.agreements, agreement, MAX_AGREEMENTS);
        }
    }

    /// What a teammate had accepted is dismissed before it was sent.
    pub(super) fn judge_it_dismissed(&mut self) {
        let Some(suggestion) = &mut self.state.suggestion else { return };
        suggestion.spent = Some(Spent::Dismissed);
        let origin = suggestion.root.as_ref().map(origin_of);
        let accepted = |one: &&mut Agreement| one.verdict == Verdict::Accepted && Some(&one.origin) == origin.as_ref();
        if let Some(agreement) = self.state.agreements.iter_mut().rev().find(accepted) {
            (agreement.at, agreement.verdict) = (self.now, Verdict::Dismissed);
        }
    }

    /// The bot answers by a node; how that meets shows later.
    pub(super) fn await_judgement(&mut self, root: Option<&Root>) {
        self.judge_the_answer(Verdict::Stood);
        self.state.answered = root.map(origin_of);
    }

    /// The bot leaves the conversation to people, at a node where it names one. Its last answer did, if its
    /// dialog has gone on to another node since; else that answer was not enough.
    pub(super) fn judge_what_came_before(&mut self, root: Option<&Root>) {
        let node = self.state.answered.as_ref().map(|origin| origin.node.as_str());
        let went_on = root.is_some_and(|root| Some(root.id.as_str()) != node);
        self.judge_the_answer(if went_on { Verdict::Stood } else { Verdict::SteppedIn });
    }

    /// It shows how the bot's last answer met.
    pub(super) fn judge_the_answer(&mut self, verdict: Verdict) {
        if let Some(origin) = self.state.answered.take() {
            let agreement = Agreement { at: self.now, origin, deed: Deed::Answer, shadow: false, verdict };
            remember(&mut self.state.agreements, agreement, MAX_AGREEMENTS);
        }
    }

    /// The suggestion is no more to be acted on. What a teammate makes of it is judged by that.
    pub(super) fn spend_suggestion(&mut self, why: Spent) {
        if self.state.suggestion.as_ref().is_none_or(|suggestion| suggestion.spent.is_some()) {
            return;
        }
        broken_as!(StaleOfferSent => if why == Spent::CustomerWrote { return; });
        match why {
            Spent::Sent => self.judge_the_suggestion(Verdict::Accepted),
            Spent::Dismissed => self.judge_the_suggestion(Verdict::Dismissed),
            Spent::CustomerWrote | Spent::TeammateWrote | Spent::Closed => {}
        }
        if let Some(suggestion) = &mut self.state.suggestion {
            suggestion.spent = Some(why);
        }
    }
}

fn origin_of(root: &Root) -> Origin {
    Origin { node: root.id.clone(), label: root.label().to_owned() }
}
