//! The use cases: the order of effects around the pure core, over ports. No JSON, no status
//! codes, no policy.
//!
//! Each use case may die at any await and be repeated from the start. What it had decided is in
//! the conversation's item by then, or never happened.

mod account;
pub mod carry_out;
pub mod catch_up;
pub mod dead_letters;
pub mod deliver;
pub mod heed;
pub mod inbox;
pub mod pace;
pub mod sweep;
pub mod tokens;

use crate::domain::conversation::{Control, Conversation, Lane};
use crate::domain::ids::{AppId, ConversationKey, Timestamp};
use crate::domain::settings::{Settings, Workspace};
use crate::domain::step::{self, Effect, Input};
use crate::ports::{Clock, Conversations, NotSaved, NotShown, Stored, Unavailable, Wakers, Worker};

/// Why a use case stopped before its end. Nothing is lost: the input is to be given again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// Nothing could be done, nor recorded; try again then.
    #[error("not before {at:?}: {why}")]
    Later {
        /// When.
        at: Timestamp,
        /// Why.
        why: &'static str,
    },
    /// Something outside failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Others kept saving in between.
    #[error("the conversation kept changing")]
    Contended,
    /// The settings know no such workspace.
    #[error("the settings have no workspace {0}")]
    UnknownWorkspace(AppId),
    /// The settings know no such bot.
    #[error("the settings have no bot {0}")]
    UnknownBot(crate::domain::ids::BotId),
    /// Intercom refuses the workspace's token.
    #[error("Intercom refuses the access token: {0}")]
    Denied(String),
}

impl From<NotShown> for Unfinished {
    fn from(reason: NotShown) -> Self {
        match reason {
            NotShown::Gone => {
                Self::Unavailable(Unavailable { what: "the conversation", why: "it does not exist".to_owned() })
            }
            NotShown::Later(at) => Self::Later { at, why: "Intercom's rate limit" },
            NotShown::Denied(why) => Self::Denied(why),
            NotShown::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

/// What a use case did, for the log and for its caller.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Who has the conversation now, where the use case looked at that.
    pub standing: Option<Standing>,
    /// How many actions were carried out in Intercom, or events taken by the bot.
    pub sent: u32,
    /// When there is more to do. All that there is to know is recorded; the worker is to be woken
    /// then, and the sweep does so too.
    pub due: Option<Timestamp>,
    /// The chat that is to be looked at at once: what waits for that waits for nothing else. The sweep does so
    /// too.
    pub look: Option<ConversationKey>,
    /// The command that was given, where it could not even be recorded; its bot is to be told.
    pub refusal: Option<Refusal>,
}

/// How a conversation stands after a piece of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who speaks for the company.
    pub owner: Control,
    /// The epoch.
    pub epoch: u64,
    /// Why the bot says nothing, where it says nothing.
    pub silent_because: Option<&'static str>,
}

/// A command that could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub command_id: crate::domain::ids::CommandId,
    /// Why, for programs.
    pub code: &'static str,
    /// Why, for people.
    pub message: String,
}

impl Report {
    fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Refuse { command_id, code, message } = effect {
                self.refusal = Some(Refusal { command_id: command_id.clone(), code, message: message.clone() });
            }
        }
    }
}

/// What every use case works with.
#[derive(Debug)]
pub struct Desk<S, W, C> {
    /// What the operator set.
    pub settings: Settings,
    /// The conversations.
    pub store: S,
    /// The other workers.
    pub wakers: W,
    /// The time.
    pub clock: C,
}

/// How often a decision is made again because somebody else saved first.
const MAX_CONFLICTS: u32 = 8;

impl<S: Conversations, W, C> Desk<S, W, C> {
    /// The row in which a conversation is kept, what is there, and whether it is about this one: one that is relayed from
    /// a bot platform's chat is kept under the chat's name, which may have left it and listens to it still. None where a
    /// row leads to a chat that knows nothing of it.
    async fn at_home(&self, key: &ConversationKey) -> Result<Option<(ConversationKey, Stored, bool)>, Unavailable> {
        let stored = self.store.load(key).await?;
        let Some(row) = stored.conversation.moved_to.clone() else { return Ok(Some((key.clone(), stored, true))) };
        let home = ConversationKey { app_id: key.app_id.clone(), conversation_id: row };
        let stored = self.store.load(&home).await?;
        let here = stored.conversation.in_intercom(&home) == Some(&key.conversation_id);
        let known = stored.conversation.transfer.as_ref().and_then(|chat| chat.beside(&key.conversation_id));
        Ok((here || known.is_some()).then_some((home, stored, here)))
    }
}

impl<S: Conversations, W: Wakers, C: Clock> Desk<S, W, C> {
    /// The workspace of a conversation.
    ///
    /// # Errors
    /// [`Unfinished::UnknownWorkspace`].
    pub fn workspace(&self, key: &ConversationKey) -> Result<&Workspace, Unfinished> {
        let workspace = self.settings.workspaces.get(&key.app_id);
        workspace.ok_or_else(|| Unfinished::UnknownWorkspace(key.app_id.clone()))
    }

    /// Makes rows lead to a chat whose names in Intercom were learnt. Each is put before it is recorded as
    /// put: a worker that dies in between puts it again.
    async fn link(&self, key: &ConversationKey, mut stored: Stored) -> Result<Stored, Unfinished> {
        broken_as!(NothingLeadsHome => return Ok(stored));
        while let Some(row) = stored.conversation.link_due() {
            let from = ConversationKey { app_id: key.app_id.clone(), conversation_id: row.clone() };
            let led_elsewhere = self.lead(&from, key, true).await?;
            (stored, _) = self.change_from(key, stored, &[Input::Linked { row, led_elsewhere }]).await?;
        }
        Ok(stored)
    }

    /// Makes a row lead to a chat; whether it led to another, where it is left unless it is to be `turned`. Who comes again
    /// after dying in between finds that it leads here already, and takes the chat for its customer's only one: then an
    /// opening's echo is trusted, as of any other.
    async fn lead(&self, from: &ConversationKey, home: &ConversationKey, turned: bool) -> Result<bool, Unfinished> {
        for _ in 0..MAX_CONFLICTS {
            let there = self.store.load(from).await?;
            if there.conversation.moved_to.as_ref() == Some(&home.conversation_id) {
                return Ok(false);
            }
            if !turned && there.conversation.moved_to.is_some() {
                return Ok(true);
            }
            let sign = Conversation { moved_to: Some(home.conversation_id.clone()), ..Conversation::default() };
            match self.store.save(from, &sign, there.version, self.clock.now()).await {
                Ok(_) => return Ok(there.conversation.moved_to.is_some()),
                Err(NotSaved::Conflict) => {}
                Err(NotSaved::Unavailable(unavailable)) => return Err(unavailable.into()),
            }
        }
        Err(Unfinished::Contended)
    }

    /// What a conversation would be after these inputs. Nothing is saved.
    fn foresee(&self, key: &ConversationKey, stored: &Stored, inputs: &[Input]) -> Result<Conversation, Unfinished> {
        let (workspace, now) = (self.workspace(key)?, self.clock.now());
        let after = |state: Conversation, input| step::step(&state, input, workspace, now).state;
        Ok(inputs.iter().fold(stored.conversation.clone(), after))
    }

    /// Decides on inputs, one after the other, and saves the result in one conditional update. When
    /// somebody else saved first, decides again on what they saved. A state that did not change is not
    /// saved.
    async fn change_from(
        &self,
        key: &ConversationKey,
        mut stored: Stored,
        inputs: &[Input],
    ) -> Result<(Stored, Vec<Effect>), Unfinished> {
        let workspace = self.workspace(key)?;
        let about = stored.conversation.in_intercom(key).cloned();
        for _ in 0..MAX_CONFLICTS {
            let now = self.clock.now();
            let mut effects = Vec::new();
            self.recall(key, &mut stored.conversation, inputs).await?;
            let mut state = stored.conversation.clone();
            // A chat may have another conversation by now: what was seen of the one before says nothing of it.
            let is_another = stored.conversation.in_intercom(key) != about.as_ref();
            for input in inputs.iter().filter(|input| !(is_another && input.tells_of_a_conversation())) {
                let outcome = step::step(&state, input, workspace, now);
                state = outcome.state;
                effects.extend(outcome.effects);
            }
            if state == stored.conversation {
                return Ok((stored, effects));
            }
            self.put_aside(key, &stored.conversation, &state, now).await?;
            match self.store.save(key, &state, stored.version, now).await {
                Ok(version) => {
                    let saved = Stored { conversation: state, version };
                    account::record(self, key, inputs, &stored.conversation, &saved, &effects);
                    return Ok((saved, effects));
                }
                Err(NotSaved::Conflict) => stored = self.store.load(key).await?,
                Err(NotSaved::Unavailable(unavailable)) => return Err(unavailable.into()),
            }
        }
        Err(Unfinished::Contended)
    }

    /// Makes the row remember the commands that are given, as if it forgot none.
    async fn recall(
        &self,
        key: &ConversationKey,
        state: &mut Conversation,
        inputs: &[Input],
    ) -> Result<(), Unavailable> {
        broken_as!(NothingIsRecalled => return Ok(()));
        if !state.has_more_commands {
            return Ok(());
        }
        for input in inputs {
            let Input::Commanded(command) = input else { continue };
            if state.command(&command.id).is_none()
                && let Some(record) = self.store.aside(key, &command.id).await?
            {
                state.commands.push_front(record);
            }
        }
        Ok(())
    }

    /// Puts aside what the row is to forget of its commands, before it does. A worker that dies in between has put
    /// aside what the row still has, which does no harm.
    async fn put_aside(
        &self,
        key: &ConversationKey,
        before: &Conversation,
        after: &Conversation,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        if !after.has_more_commands {
            return Ok(());
        }
        for record in before.commands.iter().filter(|record| after.command(&record.id).is_none()) {
            self.store.put_aside(key, record, now).await?;
        }
        Ok(())
    }

    /// Wakes whoever the conversation is waiting for. Called after every save, also when nothing
    /// changed: an input that comes again after its worker died between save and queue repairs
    /// what was left out.
    async fn wake_the_waiting(
        &self,
        key: &ConversationKey,
        state: &Conversation,
        except: Option<Worker>,
    ) -> Result<(), Unavailable> {
        broken_as!(NobodyIsWoken => return Ok(()));
        let waiting = step::waiting(state);
        if let Some(since) = waiting.burst
            && except != Some(Worker::Dispatch)
        {
            self.wakers.wake(Worker::Dispatch, key, &format!("burst{}", since.0)).await?;
        }
        if let Some(seq) = waiting.event
            && except != Some(Worker::Dispatch)
        {
            self.wakers.wake(Worker::Dispatch, key, &format!("event{seq}")).await?;
        }
        if let Some((lane, seq)) = waiting.action {
            let worker = worker_of(lane);
            if except != Some(worker) {
                self.wakers.wake(worker, key, &format!("action{seq}")).await?;
            }
        }
        Ok(())
    }
}

/// The worker of a lane.
#[must_use]
pub fn worker_of(lane: Lane) -> Worker {
    match lane {
        Lane::Replies => Worker::Reply,
        Lane::Close => Worker::Close,
    }
}
