//! Who is waited for while people have a chat of the bot platform's: somebody who takes it, the teammate,
//! the customer. Each has its own time, and what becomes of the chat then.
//!
//! Before anything is done about it the whole conversation is looked at: an answer may be there that
//! nobody told of.

use super::{Decision, Effect, Stepper};
use crate::domain::conversation::{Action, Control, Ender, EventKind, Progress, Weight};
use crate::domain::ids::Timestamp;
use crate::domain::part::{Assignee, Observation};
use crate::domain::render;
use crate::domain::transfer::{Outcome, Patience};

impl Stepper<'_> {
    /// Begins to wait, where a time is set for it and nobody waits already.
    pub(super) fn wait_for(&mut self, patience: Patience) {
        let settings = self.settings_of_transfer();
        let Some(after_ms) = settings.and_then(|settings| settings.time_out(patience)).map(|out| out.after_ms) else {
            return;
        };
        let until = self.now.plus_ms(after_ms);
        let sent_on = self.state.transfer.as_ref().is_some_and(|transfer| transfer.sent_on);
        if patience == Patience::Nobody && sent_on {
            return; // the other team does not come either: that is told once
        }
        if let Some(transfer) = &mut self.state.transfer {
            transfer.waits.entry(patience).or_insert(until);
        }
    }

    fn wait_no_more_for(&mut self, patience: Patience) {
        if let Some(transfer) = &mut self.state.transfer {
            transfer.waits.remove(&patience);
        }
    }

    pub(super) fn customer_spoke(&mut self) {
        self.wait_no_more_for(Patience::Customer);
        let has_agent = self.state.transfer.as_ref().is_some_and(|transfer| transfer.agent.is_some());
        if self.is_relaying() && has_agent {
            self.wait_for(Patience::Teammate);
        }
    }

    pub(super) fn agent_spoke(&mut self) {
        self.wait_no_more_for(Patience::Teammate);
        self.wait_no_more_for(Patience::Nobody);
        if self.is_relaying() {
            self.wait_for(Patience::Customer);
        }
    }

    pub(super) fn agent_came(&mut self) {
        if let Some(transfer) = &mut self.state.transfer {
            transfer.sent_on = false;
        }
        self.wait_no_more_for(Patience::Nobody);
        self.wait_for(Patience::Teammate);
    }

    pub(super) fn agent_went(&mut self) {
        self.wait_no_more_for(Patience::Teammate);
        self.wait_for(Patience::Nobody);
    }

    /// When the row is to be looked at again: whoever is waited for first, or at once.
    pub(super) fn set_the_clock(&mut self) {
        let now = self.now;
        let is_open = self.state.outbox.front().is_some_and(|head| {
            matches!(head.action, Action::Relay { .. }) && !matches!(head.progress, Progress::Pending { .. })
        });
        let is_with_people = self.state.control == Control::Human;
        if let Some(transfer) = &mut self.state.transfer {
            if !is_with_people {
                transfer.waits.clear(); // nobody waits for anybody where the bot has the chat
            }
            // What was held back is looked at, unless it was ours, and the last that there was.
            let held = transfer.held.take_if(|_| !is_open);
            transfer.look |= held.is_some_and(|part| !self.state.own_parts.contains(&part));
            let looks = transfer.look || (transfer.look_beside && self.state.outbox.is_empty());
            let look = (looks && transfer.conversation.is_some() && !self.state.deleted).then_some(now);
            let look = look.map(|now| self.state.resume_at.filter(|at| *at <= now).unwrap_or(now));
            self.state.resume_at = transfer.waits.values().copied().chain(look).min();
        }
    }

    pub(super) fn relay_tick(&mut self, due: bool, observation: Option<&Observation>) {
        if !due {
            return;
        }
        let Some(observation) = observation else {
            self.effects.push(Effect::Fetch);
            return;
        };
        if self.is_outdated(observation) {
            return; // it stays due
        }
        self.observed(observation);
        if let Some(transfer) = &mut self.state.transfer {
            transfer.look = false;
        }
        for patience in Patience::ALL {
            if self.is_over(patience) {
                self.time_out(patience, observation);
            }
        }
    }

    fn is_over(&self, patience: Patience) -> bool {
        let waits = self.state.transfer.as_ref().and_then(|transfer| transfer.waits.get(&patience));
        self.state.control == Control::Human && waits.is_some_and(|until: &Timestamp| *until <= self.now)
    }

    fn time_out(&mut self, patience: Patience, observation: &Observation) {
        self.wait_no_more_for(patience);
        broken_as!(TimeOutAgain => self.wait_for(patience));
        let settings = self.settings_of_transfer();
        let Some(out) = settings.and_then(|settings| settings.time_out(patience)).cloned() else { return };
        self.note(Decision::TimedOut);
        self.tell(EventKind::TimedOut { patience, message: out.message.clone(), then: out.then.clone() });
        let mut words = match patience {
            Patience::Nobody => "Nobody has taken this chat in time.".to_owned(),
            Patience::Teammate => "The customer has waited for an answer in vain.".to_owned(),
            Patience::Customer => "The customer has not answered.".to_owned(),
        };
        if let Some(message) = &out.message {
            words = format!("{words} The customer was told: {message}");
        }
        match &out.then {
            Outcome::Bot | Outcome::Close => {
                if out.then == Outcome::Bot {
                    words = format!("{words}\n\nThe bot has the chat again.");
                }
                let stretch = self.stretch(observation);
                self.over(Ender::TimeOut, stretch);
                self.enqueue(None, Weight::Optional, Action::Note { html: render::plain(&words) });
                self.enqueue(None, Weight::Optional, Action::Close { html: None });
            }
            Outcome::Keep => self.enqueue(None, Weight::Optional, Action::Note { html: render::plain(&words) }),
            Outcome::Team(team) => {
                self.enqueue(None, Weight::Optional, Action::Note { html: render::plain(&words) });
                if let Some(agent) = self.state.transfer.as_mut().and_then(|transfer| transfer.agent.take()) {
                    self.enqueue(None, Weight::Optional, Action::Unseat { teammate: agent.id.clone() });
                    self.tell(EventKind::AgentLeft { agent });
                }
                if let Some(transfer) = &mut self.state.transfer {
                    transfer.sent_on = patience == Patience::Nobody;
                }
                let assign = self.assignment(Assignee::Team(team.clone()), None);
                self.enqueue(None, Weight::Optional, assign);
            }
        }
    }
}
