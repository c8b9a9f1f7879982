//! Where the webhooks of a workspace go, and how a change becomes one.
//!
//! Every app that is installed in a workspace may have a subscription; most workspaces have
//! one app. A notification is rendered at the moment of its change and once per subscription,
//! as their versions may differ. When and whether it is sent is decided in `health` and done
//! in `deliver`.

mod health;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use tokio::sync::Notify;

use self::health::Health;
pub(crate) use self::health::{Gate, Verdict};
use super::attached;
use super::deliver::Notice;
use super::ids;
use super::model::Part;
use super::render::{self, Style};
use super::seed::{WebhookSeed, WorkspaceSeed};
use super::topic::Topic;
use super::version::ApiVersion;
use super::workspace::Workspace;

/// What an app's developer has set up. Replaced as a whole, never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The app; none for the workspace's own.
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: String,
    pub(crate) url: String,
    /// All topics when absent.
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) version: ApiVersion,
    /// Whether the app is in the App Store, which spares it the suspension.
    pub(crate) is_public: bool,
}

/// A subscription as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptSubscription {
    settings: Settings,
    health: Health,
}

/// One app's subscription in one workspace.
#[derive(Debug, Deserialize)]
#[serde(from = "KeptSubscription")]
pub(crate) struct Subscription {
    pub(crate) settings: Settings,
    health: Mutex<Health>,
    /// True after a replacement or a reset: what is still queued is dropped.
    replaced: AtomicBool,
    /// Wakes those that wait for a better time.
    changed: Notify,
}

impl Settings {
    pub(crate) fn new(webhook: WebhookSeed, client_id: Option<String>, client_secret: String) -> Self {
        Self {
            client_id,
            client_secret,
            url: webhook.url,
            topics: webhook.topics,
            version: webhook.version,
            is_public: webhook.is_public,
        }
    }
}

impl From<KeptSubscription> for Subscription {
    fn from(kept: KeptSubscription) -> Self {
        Self {
            settings: kept.settings,
            health: Mutex::new(kept.health),
            replaced: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }
}

impl Serialize for Subscription {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kept().serialize(serializer)
    }
}

impl Subscription {
    pub(crate) fn new(settings: Settings, now_ms: u64) -> Arc<Self> {
        Arc::new(Self::from(KeptSubscription { settings, health: Health::new(now_ms) }))
    }

    fn kept(&self) -> KeptSubscription {
        KeptSubscription { settings: self.settings.clone(), health: self.health().clone() }
    }

    /// What to do now with a notification that was made at that moment.
    pub(crate) fn gate(&self, created_ms: u64, now_ms: u64) -> Gate {
        if self.replaced.load(Ordering::Relaxed) {
            return Gate::Drop("the subscription has been replaced");
        }
        self.health().gate(created_ms, now_ms)
    }

    pub(crate) fn answered(&self, verdict: Verdict, began_ms: u64, now_ms: u64) {
        self.health().answered(verdict, began_ms, now_ms, self.settings.is_public);
    }

    pub(crate) fn set_live(&self, now_ms: u64) {
        self.health().set_live(now_ms);
        self.changed.notify_waiters();
    }

    /// What wakes when waiting for a better time makes no sense any more.
    pub(crate) fn changes(&self) -> &Notify {
        &self.changed
    }

    /// For the control API.
    pub(crate) fn shown(&self, now_ms: u64) -> Value {
        let mut value = self.health().shown(now_ms);
        value["client_id"] = json!(self.settings.client_id);
        value["url"] = json!(self.settings.url);
        value["topics"] = json!(self.settings.topics);
        value["version"] = json!(self.settings.version);
        value["is_public"] = json!(self.settings.is_public);
        value
    }

    fn replace(&self) {
        self.replaced.store(true, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    fn wants(&self, topic: Topic) -> bool {
        let Settings { topics, version, .. } = &self.settings;
        let chosen = topics.as_ref().is_none_or(|topics| topics.iter().any(|name| name == topic.name()));
        chosen && topic.exists_in(*version) && self.health().is_on()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The subscriptions that a workspace has from the start.
pub(crate) fn from_seed(seed: &WorkspaceSeed, now_ms: u64) -> Vec<Arc<Subscription>> {
    let own = (None, &seed.client_secret, &seed.webhook);
    let others = seed.other_apps.iter().map(|app| (Some(app.client_id.clone()), &app.client_secret, &app.webhook));
    std::iter::once(own)
        .chain(others)
        .filter_map(|(client_id, client_secret, webhook)| {
            let settings = Settings::new(webhook.clone()?, client_id, client_secret.clone());
            Some(Subscription::new(settings, now_ms))
        })
        .collect()
}

impl Workspace {
    /// Puts a subscription in the place of the one that its app has.
    pub(crate) fn subscribe(&mut self, subscription: Arc<Subscription>) {
        self.subscriptions.retain(|old| {
            let stays = old.settings.client_id != subscription.settings.client_id;
            if !stays {
                old.replace();
            }
            stays
        });
        self.subscriptions.push(subscription);
    }

    /// Ends the subscription of an app that leaves.
    pub(crate) fn unsubscribe_app(&mut self, client_id: &str) {
        self.subscriptions.retain(|one| {
            let stays = one.settings.client_id.as_deref() != Some(client_id);
            if !stays {
                one.replace();
            }
            stays
        });
    }

    /// Ends all subscriptions; what is queued for them is not sent any more.
    pub(crate) fn unsubscribe(&mut self) {
        self.subscriptions.drain(..).for_each(|old| old.replace());
    }

    /// Fires a topic about a conversation with the parts that caused it.
    pub(crate) fn notify(&mut self, topic: Topic, conversation_id: u64, part_ids: &[u64]) {
        self.fire(topic, Some(conversation_id), |workspace, version| {
            let Some(conversation) = workspace.conversations.get(&conversation_id) else {
                // The real payload of a deletion has no `id`.
                return json!({"type": "conversation", "conversation_id": conversation_id.to_string()});
            };
            let parts: Vec<&Part> = part_ids.iter().filter_map(|id| conversation.part(*id)).collect();
            render::conversation(workspace, conversation, &parts, Style::webhook(version))
        });
    }

    /// Fires `conversation.contact.attached`, which has a shape of its own.
    pub(crate) fn notify_attached(&mut self, conversation_id: u64, contact_id: &str, part_id: u64) {
        self.fire(Topic::ContactAttached, Some(conversation_id), |workspace, _| {
            match (workspace.conversations.get(&conversation_id), workspace.contacts.get(contact_id)) {
                (Some(conversation), Some(contact)) => {
                    attached::item(workspace, conversation, contact, conversation.part(part_id))
                }
                _ => Value::Null,
            }
        });
    }

    /// Fires a topic to every app that wants it; the item is made in each one's version. What is
    /// about a conversation is also told to the pollers, whether or not an app wants it.
    pub(crate) fn fire(
        &mut self,
        topic: Topic,
        conversation_id: Option<u64>,
        item: impl Fn(&Self, ApiVersion) -> Value,
    ) {
        let wanting: Vec<_> = self.subscriptions.iter().filter(|one| one.wants(topic)).cloned().collect();
        if wanting.is_empty() {
            self.record_notification(topic, conversation_id, &notification_id(), None);
        }
        for subscription in wanting {
            let notification_id = notification_id();
            self.record_notification(topic, conversation_id, &notification_id, Some(&subscription));
            let item = item(self, subscription.settings.version);
            let notice = Notice::new(self, topic, conversation_id, notification_id, item, subscription);
            self.outbox.put(notice);
        }
    }

    fn record_notification(
        &mut self,
        topic: Topic,
        conversation_id: Option<u64>,
        notification_id: &str,
        subscription: Option<&Subscription>,
    ) {
        let Some(conversation_id) = conversation_id else { return };
        let entry = json!({
            "kind": "notification",
            "topic": topic.name(),
            "notification_id": notification_id,
            "subscribed": subscription.is_some(),
            "client_id": subscription.and_then(|one| one.settings.client_id.as_ref()),
        });
        self.record(conversation_id, entry);
    }
}

fn notification_id() -> String {
    format!("notif_{}", ids::uuid())
}
