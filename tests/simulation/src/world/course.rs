//! The course of a run: what happens without a worker of ours, and when all is at rest.

use std::rc::Rc;

use shared::domain::ids::{AppId, Timestamp};
use shared::ports::Bookmark;
use shared::wire::queue::{InboxMessage, News, VERSION};

use super::{BEGINNING, Event, POISON, Party, QueueName, Role, World, cut};
use crate::bot::Style;
use crate::faults::Fate;
use crate::intercom::Made;
use crate::queue::Message;

impl World {
    /// Every workspace is to be searched from the beginning.
    pub fn search_anew(&mut self) {
        let began = Timestamp(BEGINNING);
        let first = Bookmark { since: began, began, newest: Timestamp(0), page: None };
        self.searched.clear();
        for app_id in crate::product::WORKSPACES {
            self.bookmarks.insert(AppId::parse(app_id).unwrap(), first.clone());
        }
    }

    /// The customer writes for the first time.
    pub fn begins(&mut self, talk: usize) {
        self.tell(7, |world| {
            format!("Intercom {}: the customer begins: {}", world.talks[talk].key, world.talks[talk].first)
        });
        self.talks[talk].updated_at = self.now;
        self.notify(talk, "conversation.user.created");
    }

    /// The present worker came to its end.
    pub fn ended_well(&mut self) {
        let worker = &mut self.workers[self.current];
        (worker.webhook, worker.command) = (None, None);
    }

    /// A worker was lost: whoever called it notices.
    pub fn lost(&mut self, worker: usize, how: &str) {
        let role = self.workers[worker].role;
        self.tell(worker as u64, |_| format!("{role:?} {how}"));
        if let Some(webhook) = self.workers[worker].webhook.take() {
            self.answered(webhook, false);
        }
        if let Some((party, command)) = self.workers[worker].command.take() {
            self.at(self.now + 5_000, Event::BotGives(party, command));
        }
        if let Role::Behind(name) = role {
            self.look_again(name);
        }
    }

    /// Whether the sweep has anything to find.
    #[must_use]
    pub fn is_something_due(&self) -> bool {
        let latest = self.now + self.manner.skew_ms;
        !self.inbox_rows.is_empty() || self.rows.values().any(|row| row.state.due_at().is_some_and(|at| at.0 <= latest))
    }

    /// Whether a search has anything to find.
    #[must_use]
    pub fn is_something_to_find(&self) -> bool {
        let reach = 180_000 + crate::ports::LAG_MS;
        self.talks.iter().any(|talk| {
            let app_id = &talk.key.app_id;
            let goes_on = self.bookmarks.get(app_id).is_none_or(|mark| mark.page.is_some());
            goes_on || self.searched.get(app_id).is_none_or(|(_, done)| talk.updated_second() + reach >= *done)
        })
    }

    /// Whether what webhooks never told of is still to be found.
    pub(super) fn is_something_unfound(&self) -> bool {
        let late = crate::ports::LAG_MS;
        self.talks.iter().any(|talk| {
            let searched = self.searched.get(&talk.key.app_id);
            talk.missed && searched.is_none_or(|(_, done)| talk.updated_second() + late >= *done)
        })
    }

    /// Whether nothing that goes wrong is to come: all is quiet, or nobody acts any more in a run of
    /// a schedule, which ends as soon as it can.
    #[must_use]
    pub fn may_end(&self) -> bool {
        self.peaceful || (self.manner.even && !self.is_something_to_act())
    }

    pub(super) fn is_something_to_act(&self) -> bool {
        !self.all_to_come(|event| {
            !matches!(
                event,
                Event::Act(..)
                    | Event::Step(..)
                    | Event::Wipe
                    | Event::WorkersDown(_)
                    | Event::RepliersDown(_)
                    | Event::BotDown(_)
                    | Event::Expire(_)
                    | Event::Release
                    | Event::Repeat
                    | Event::GiveAgain
            )
        })
    }

    /// Whether nothing is on its way or waits.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let idle = |event: &Event| {
            matches!(event, Event::Sweep | Event::Redrive | Event::Peace | Event::Deadline(_) | Event::Pump(..))
        };
        !self.is_something_unfound()
            && self.queues.iter().all(|queue| queue.is_empty() && queue.dead.is_empty())
            && self.inbox_rows.is_empty()
            && self.rows.values().all(|row| row.state.due_at().is_none())
            && self.all_to_come(idle)
    }

    /// What happens without a worker of ours.
    pub fn plain(&mut self, event: Event) {
        match event {
            Event::Act(talk, who, deed) => {
                self.happens(talk, who, &deed, None);
            }
            Event::BotReads(party) => {
                if !self.is_bot_up() {
                    self.at(self.now + 30_000, Event::BotReads(party));
                    return;
                }
                let body = match party {
                    Party::Talk(talk) => self.bot_queues[talk].pop_front(),
                    Party::Chat(chat) => self.chats[chat].incoming.pop_front(),
                };
                if let Some(body) = body {
                    self.bot_takes(&body, Style::Queues);
                }
            }
            Event::Step(chat, step) => self.step(chat, step),
            Event::BotDown(until) => self.bot_goes_down(until),
            Event::WorkersDown(until) => {
                self.tell(until, |_| "all workers are down".to_owned());
                self.workers_down_until = until;
            }
            Event::Poison => self.floods(1, POISON.into()),
            Event::Stuck(count) => {
                self.sick = Some(0);
                let key = &self.talks[0].key;
                let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
                let doorbell = InboxMessage { v: VERSION, app_id, conversation_id, news: News::Doorbell };
                self.floods(count, serde_json::to_string(&doorbell).unwrap_or_default().into());
            }
            Event::RepliersDown(until) => {
                self.tell(until, |_| "the workers that carry out commands are down".to_owned());
                self.repliers_down_until = until;
            }
            Event::Wipe => {
                self.tell(8, |_| "every row is lost".to_owned());
                self.rows.clear();
                self.inbox_rows.clear();
                self.life += 1;
                // A search from the beginning rebuilds them.
                self.search_anew();
                self.talks.iter_mut().for_each(|talk| talk.missed = true);
            }
            Event::Expire(talk) => {
                self.tell(9, |_| format!("the row of conversation {talk} goes"));
                let key = self.talks[talk].key.clone();
                self.rows.remove(&key);
                self.life += 1;
            }
            Event::Release => self.release(),
            Event::Repeat => self.repeat(),
            Event::GiveAgain => self.give_again(),
            Event::Peace => self.peace(),
            Event::Poll(_)
            | Event::Deadline(_)
            | Event::Pump(..)
            | Event::Deliver(_)
            | Event::Applies(..)
            | Event::BotGives(..)
            | Event::Redrive
            | Event::Sweep => {}
        }
    }

    /// So many messages are on the inbox, in the first conversation's group.
    pub(super) fn floods(&mut self, count: u32, body: Rc<str>) {
        self.tell(u64::from(count), |_| format!("{count} times on the inbox: {}", cut(&body)));
        for _ in 0..count {
            self.receipts += 1;
            let message = Message {
                number: self.receipts,
                group: Rc::clone(&self.talks[0].group),
                body: Rc::clone(&body),
                sender: Role::Edge.sender(),
                beside: Default::default(),
                received: 0,
                hidden_until: 0,
                receipt: 0,
            };
            self.queue(QueueName::Inbox).push(message);
        }
        self.pump_soon(QueueName::Inbox);
    }

    /// From here on nothing goes wrong; what webhooks never told of is found by the search.
    pub(super) fn peace(&mut self) {
        self.tell(5, |_| "nothing goes wrong any more".to_owned());
        self.fate_before = std::mem::replace(&mut self.fate, Fate::Fair);
        self.peaceful = true;
        self.sick = None;
        self.storms.clear();
        self.at(self.now + 1_200_000, Event::Redrive);
    }

    /// An action was refused for good.
    pub fn refuse(&mut self, party: Party, made: Option<&Made>) {
        let Some(command) = made.and_then(|made| made.command.clone()) else {
            if let Party::Talk(talk) = party {
                self.memories[talk].unasked_refused = true;
            }
            return;
        };
        let of_chat = match party {
            Party::Chat(chat) => Some(chat),
            Party::Talk(talk) => self.talks[talk].chat,
        };
        match (of_chat, party) {
            (Some(chat), _) | (None, Party::Chat(chat)) => self.chats[chat].refused.insert(command),
            (None, Party::Talk(talk)) => self.memories[talk].refused.insert(command),
        };
    }
}
