//! Machines that answer machines: the bot that talks without a person, and two bots that answer the
//! same customer. The bot falls silent, people get the conversation and are told why, the bot is
//! told what of its words was not sent. What is noticed, and how, is [`crate::domain::exchange`]'s
//! matter.
//!
//! A person who gives the conversation back lets the bot begin anew. A workflow does not: where it
//! gives back what the bot hands over, it is one of the machines.

use super::commanded::speaks;
use super::{Decision, Stepper};
use crate::domain::command::{Ask, Command};
use crate::domain::conversation::{Control, EventKind};
use crate::domain::part::Part;

/// The code of a command that was one too many without a person's word.
const LOOP: &str = "loop";
/// The code of a command that would have been the second answer.
const TWO_BOTS: &str = "two_bots";

impl Stepper<'_> {
    /// Whether the bot has said all it may without a person's word.
    pub(super) fn goes_in_circles(&self) -> bool {
        self.state.exchange.goes_in_circles(self.now, self.workspace.loops)
    }

    /// Why this command is not carried out, and the bot's turn ends with it. A hand-over is the way
    /// out and never refused.
    pub(super) fn breaks_off(&self, command: &Command) -> Option<(&'static str, String)> {
        if self.state.control != Control::Bot
            || !speaks(command)
            || matches!(command.ask, Ask::Handover { .. } | Ask::Escalate { .. })
        {
            return None;
        }
        if self.goes_in_circles() {
            let message = "the bot said too much without a word of a person; people have the conversation";
            return Some((LOOP, message.to_owned()));
        }
        let is_second = self.state.exchange.would_answer_beside_another();
        is_second.then(|| (TWO_BOTS, "another bot answers this conversation; people have it".to_owned()))
    }

    /// People get the conversation.
    pub(super) fn break_off(&mut self, code: &'static str) {
        let (decision, why) = if code == TWO_BOTS {
            let why = "Another bot (Fin, a workflow or an app) and this one both answered the customer's last messages. \
                       This bot is silent now. See to it that only one of them gets this inbox; \
                       assign the conversation to the bot to let it go on.";
            (Decision::TwoBots, why.to_owned())
        } else {
            let limits = self.workspace.loops;
            let why = format!(
                "The bot is silent: it sent {} messages within {} minutes without a word of a person. It may be talking \
                 with another machine, such as an out-of-office message. Assign the conversation to \
                 the bot to let it go on.",
                limits.messages, limits.minutes
            );
            (Decision::LoopBroken, why)
        };
        let to = self.relieve(decision, &why);
        self.tell_waiting(&to);
    }

    /// Another bot has answered once too often: this one is silent.
    pub(super) fn yield_to_another_bot(&mut self) {
        if self.state.control == Control::Bot && self.state.exchange.answers_beside_another() {
            self.break_off(TWO_BOTS);
        }
    }

    /// A workflow gives back what the bot was relieved of, or hands over again and again. The
    /// conversation stays in the bot's inbox, and the bot silent, until a person decides.
    pub(super) fn stay_out(&mut self) {
        if self.state.control == Control::Paused {
            return;
        }
        self.note(Decision::LoopBroken);
        self.state.control = Control::Paused;
        self.state.resume_at = None;
        self.new_epoch();
        self.tell(EventKind::HandoverWaiting { team: None });
        self.say_to_teammates(
            "A workflow gave this conversation back to the bot, which had talked long enough without a person. The bot \
             stays silent. Please take over, or assign the conversation to the bot by hand to let it go on.",
        );
    }

    /// A teammate's words that came over the API silence the bot as a person's do: they may be a
    /// person's, who works in another tool. Should they be a bot's, somebody has to know.
    pub(super) fn explain_the_silence(&mut self, part: &Part) {
        if part.by_app && self.state.control == Control::Bot {
            self.note(Decision::TwoBots);
            self.say_to_teammates(&format!(
                "An app answered here in the name of teammate {}, so the bot is silent as if a person had taken over. \
                 If that teammate is another bot, name it in the setting `other_bots`; assign the conversation to the \
                 bot to let it go on.",
                part.author.id
            ));
        }
    }
}
