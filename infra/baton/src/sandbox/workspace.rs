//! One workspace in memory, and how a change in it becomes known.
//!
//! Everything here runs under the workspace's lock and does no I/O: a notification is rendered
//! at the moment of its change, so that later changes cannot leak into it, and handed to the
//! deliverer (`deliver`), which sends it. The rules of the changes are in `actions`.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::attached;
use super::clock::Clock;
use super::deliver::{Notice, Outbox};
use super::error::{Answer, ApiError};
use super::history::History;
use super::ids::{self, Counters};
use super::kept::Kept;
use super::limits::RateWindow;
use super::model::{Admin, Author, AuthorKind, Contact, Conversation, Deleted, Part, StoredFile, Team};
use super::render::{self, Style};
use super::seed::{AttributeSeed, Role, WebhookSeed, WorkspaceSeed};
use super::texts::Texts;
use super::topic::Topic;
use super::version::ApiVersion;

/// How many events a workspace remembers for its pollers.
const EVENTS_KEPT: usize = 50_000;

/// Where the webhooks of a workspace go. Replaced as a whole, never changed.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) url: String,
    /// All topics when absent.
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) version: ApiVersion,
    pub(crate) client_secret: String,
    /// False after a 410, a replacement or a reset: what is still queued is dropped.
    active: AtomicBool,
}

impl Subscription {
    pub(crate) fn new(webhook: WebhookSeed, client_secret: String) -> Self {
        Self {
            url: webhook.url,
            topics: webhook.topics,
            version: webhook.version,
            client_secret,
            active: AtomicBool::new(true),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn disable(&self) {
        self.active.store(false, Ordering::Relaxed);
    }

    fn wants(&self, topic: Topic) -> bool {
        let chosen = self.topics.as_ref().is_none_or(|topics| topics.iter().any(|name| name == topic.name()));
        self.is_active() && chosen && topic.exists_in(self.version)
    }
}

/// One entry of what happened, for those who poll.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) n: u64,
    pub(crate) conversation_id: u64,
    pub(crate) entry: Value,
}

/// The state of one workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) client_secret: String,
    pub(crate) operator_id: u64,
    pub(crate) created_at: u64,
    pub(crate) admins: BTreeMap<u64, Admin>,
    pub(crate) teams: BTreeMap<u64, Team>,
    pub(crate) tags: BTreeMap<u64, String>,
    pub(crate) conversation_attributes: Vec<AttributeSeed>,
    pub(crate) contacts: Kept<String, Contact>,
    pub(crate) conversations: Kept<u64, Conversation>,
    /// What was deleted, in that order.
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) files: Kept<u64, StoredFile>,
    /// What can be made again from the conversations.
    pub(crate) texts: RefCell<Texts>,
    pub(crate) rates: HashMap<String, RateWindow>,
    pub(crate) counters: Counters,
    pub(crate) events: VecDeque<Event>,
    pub(crate) history: History,
    pub(crate) clock: Clock,
    subscription: Option<Arc<Subscription>>,
    outbox: Outbox,
}

impl Workspace {
    /// A workspace as its seed has it. The seed has been checked, so every id is a number.
    pub(crate) fn from_seed(seed: &WorkspaceSeed, clock: Clock, outbox: Outbox) -> Self {
        let now = clock.now();
        let teams: BTreeMap<u64, Team> = seed.teams.iter().map(team).collect();
        let subscription =
            seed.webhook.clone().map(|webhook| Arc::new(Subscription::new(webhook, seed.client_secret.clone())));
        Self {
            app_id: seed.app_id.clone(),
            name: seed.name.clone(),
            region: seed.region.clone(),
            client_secret: seed.client_secret.clone(),
            operator_id: number(&seed.operator_id),
            created_at: now,
            admins: seed
                .admins
                .iter()
                .map(|admin| {
                    let id = number(&admin.id);
                    let in_team = |team: &&Team| team.admin_ids.contains(&id);
                    let admin = Admin {
                        id,
                        name: admin.name.clone(),
                        email: admin.email.clone(),
                        has_inbox_seat: admin.has_inbox_seat,
                        away_mode_enabled: admin.away_mode_enabled,
                        team_ids: teams.values().filter(in_team).map(|t| t.id).collect(),
                    };
                    (id, admin)
                })
                .collect(),
            teams,
            tags: seed.tags.iter().map(|tag| (number(&tag.id), tag.name.clone())).collect(),
            conversation_attributes: seed.conversation_attributes.clone(),
            contacts: contacts(seed, now),
            conversations: Kept::default(),
            deleted: Vec::new(),
            files: Kept::default(),
            texts: RefCell::default(),
            rates: seed
                .access_tokens
                .iter()
                .map(|token| (token.token.clone(), RateWindow::new(token.calls_per_minute)))
                .collect(),
            counters: Counters::default(),
            events: VecDeque::new(),
            history: History::default(),
            clock,
            subscription,
            outbox,
        }
    }

    /// Puts another subscription in the place of the present one.
    pub(crate) fn subscribe(&mut self, subscription: Arc<Subscription>) {
        self.unsubscribe();
        self.subscription = Some(subscription);
    }

    /// Ends the subscription; what is queued for it is not sent any more.
    pub(crate) fn unsubscribe(&mut self) {
        if let Some(old) = self.subscription.take() {
            old.disable();
        }
    }

    pub(crate) fn conversation(&self, id: u64) -> Answer<&Conversation> {
        self.conversations.get(&id).ok_or_else(ApiError::no_resource)
    }

    /// A conversation that is about to be changed.
    pub(crate) fn conversation_mut(&mut self, id: u64) -> Answer<&mut Conversation> {
        let conversation = self.conversations.get_mut(&id).ok_or_else(ApiError::no_resource)?;
        self.history.keep(id, Some(conversation));
        Ok(conversation)
    }

    pub(crate) fn admin_author(&self, id: u64) -> Answer<Author> {
        let admin = self.admins.get(&id).ok_or_else(ApiError::no_admin)?;
        Ok(Author {
            kind: AuthorKind::Admin,
            id: admin.id.to_string(),
            name: Some(admin.name.clone()),
            email: Some(admin.email.clone()),
            from_ai_agent: false,
        })
    }

    pub(crate) fn contact_author(&self, id: &str) -> Answer<Author> {
        let contact = self.contacts.get(id).ok_or_else(ApiError::no_contact)?;
        Ok(Author {
            kind: match contact.role {
                Role::User => AuthorKind::User,
                Role::Lead => AuthorKind::Lead,
            },
            id: contact.id.clone(),
            name: contact.name.clone(),
            // A contact without an address has an empty one in real payloads, not null.
            email: Some(contact.email.clone().unwrap_or_default()),
            from_ai_agent: false,
        })
    }

    /// The author of what workflows (`Operator`) and the AI agent (`Fin`) write.
    pub(crate) fn operator_author(&self, from_ai_agent: bool) -> Author {
        Author {
            kind: AuthorKind::Bot,
            id: self.operator_id.to_string(),
            name: Some(if from_ai_agent { "Fin" } else { "Operator" }.to_owned()),
            email: Some(format!("operator+{}@intercom.io", self.app_id)),
            from_ai_agent,
        }
    }

    /// Makes a new part the conversation's last and tells the pollers.
    pub(crate) fn append(&mut self, conversation_id: u64, part: Part) -> Answer<u64> {
        let style = Style::control();
        let entry = json!({"kind": "part", "part": render::part(&part, style)});
        let id = part.id;
        let conversation = self.conversation_mut(conversation_id)?;
        conversation.updated_at = conversation.updated_at.max(part.created_at);
        conversation.parts.push(part);
        self.record(conversation_id, entry);
        Ok(id)
    }

    /// Fires a topic about a conversation with the parts that caused it.
    pub(crate) fn notify(&mut self, topic: Topic, conversation_id: u64, part_ids: &[u64]) {
        let wanted = self.wanting(topic).cloned();
        let item = match (&wanted, self.conversations.get(&conversation_id)) {
            (None, _) => Value::Null,
            (Some(subscription), Some(conversation)) => {
                let style = Style::webhook(subscription.version);
                let parts: Vec<&Part> = part_ids.iter().filter_map(|id| conversation.part(*id)).collect();
                render::conversation(self, conversation, &parts, style)
            }
            (Some(_), None) => {
                // The real payload of a deletion has no `id`.
                json!({"type": "conversation", "conversation_id": conversation_id.to_string()})
            }
        };
        self.send(topic, conversation_id, wanted, item);
    }

    /// Fires `conversation.contact.attached`, which has a shape of its own.
    pub(crate) fn notify_attached(&mut self, conversation_id: u64, contact_id: &str, part_id: u64) {
        let wanted = self.wanting(Topic::ContactAttached).cloned();
        let conversation = self.conversations.get(&conversation_id);
        let item = match (&wanted, conversation, self.contacts.get(contact_id)) {
            (Some(_), Some(conversation), Some(contact)) => {
                attached::item(self, conversation, contact, conversation.part(part_id))
            }
            _ => Value::Null,
        };
        self.send(Topic::ContactAttached, conversation_id, wanted, item);
    }

    fn wanting(&self, topic: Topic) -> Option<&Arc<Subscription>> {
        self.subscription.as_ref().filter(|subscription| subscription.wants(topic))
    }

    fn send(&mut self, topic: Topic, conversation_id: u64, wanted: Option<Arc<Subscription>>, item: Value) {
        let notification_id = format!("notif_{}", ids::uuid());
        let entry = json!({
            "kind": "notification",
            "topic": topic.name(),
            "notification_id": notification_id,
            "subscribed": wanted.is_some(),
        });
        self.record(conversation_id, entry);
        if let Some(subscription) = wanted {
            self.outbox.put(Notice {
                app_id: self.app_id.clone(),
                topic,
                notification_id: Some(notification_id),
                conversation_id: Some(conversation_id),
                item,
                created_at: self.clock.now(),
                subscription,
                fault: None,
            });
        }
    }

    /// Adds an entry to what the pollers see, under the next running number.
    pub(crate) fn record(&mut self, conversation_id: u64, mut entry: Value) {
        let n = self.counters.event();
        entry["n"] = json!(n);
        entry["at"] = json!(self.clock.now());
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event { n, conversation_id, entry });
    }
}

fn team(seed: &super::seed::TeamSeed) -> (u64, Team) {
    let id = number(&seed.id);
    let team = Team { id, name: seed.name.clone(), admin_ids: seed.admin_ids.iter().map(|id| number(id)).collect() };
    (id, team)
}

fn contacts(seed: &WorkspaceSeed, now: u64) -> Kept<String, Contact> {
    let contact = |seed: &super::seed::ContactSeed| Contact {
        id: seed.id.clone(),
        role: seed.role,
        external_id: seed.external_id.clone(),
        email: seed.email.clone(),
        name: seed.name.clone(),
        phone: seed.phone.clone(),
        language_override: seed.language_override.clone(),
        location: seed.location.clone(),
        custom_attributes: seed.custom_attributes.clone(),
        created_at: now,
        updated_at: now,
        last_seen_at: None,
        last_replied_at: None,
    };
    seed.contacts.iter().map(|seed| (seed.id.clone(), contact(seed))).collect()
}

/// An id of a checked seed.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}
