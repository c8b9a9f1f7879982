//! One workspace in memory, and how a change in it becomes known.
//!
//! Everything here runs under the workspace's lock and does no I/O: a notification is rendered
//! at the moment of its change, so that later changes cannot leak into it, and handed to the
//! deliverer (`deliver`), which sends it. The rules of the changes are in `actions`.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarms::Alarms;
use super::attributes::{Attributes, Model};
use super::automation::Automation;
use super::clock::Clock;
use super::contact_index::ContactIndex;
use super::deliver::Outbox;
use super::error::{Answer, ApiError};
use super::feed::Subject;
use super::history::History;
use super::ids::Counters;
use super::kept::Kept;
use super::limits::Limits;
use super::model::{
    Admin, Author, AuthorKind, AwayStatusReason, Contact, Conversation, Deleted, Part, People, StoredFile, Team,
    Visitor,
};
use super::office_hours::Schedule;
use super::render::{self, Style};
use super::seed::{Role, WorkspaceSeed};
use super::subscription::{self, Subscription};
use super::texts::Texts;

/// How many events a workspace remembers for its pollers.
const EVENTS_KEPT: usize = 50_000;

/// One entry of what happened, for those who poll.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) n: u64,
    pub(crate) conversation_id: u64,
    pub(crate) entry: Value,
}

/// The state of one workspace. What is skipped is stored apart (`store`), made again, or ends
/// with the process.
#[derive(Debug, Serialize, Deserialize)]
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
    pub(crate) attributes: Attributes,
    #[serde(skip)]
    pub(crate) contacts: Kept<String, Contact>,
    pub(crate) contact_index: ContactIndex,
    pub(crate) people: People,
    #[serde(skip)]
    pub(crate) conversations: Kept<u64, Conversation>,
    /// What was deleted, in that order.
    pub(crate) deleted: Vec<Deleted>,
    #[serde(default)]
    pub(crate) office_hours: BTreeMap<u64, Schedule>,
    #[serde(default)]
    pub(crate) automation: Automation,
    #[serde(default)]
    pub(crate) alarms: Alarms,
    #[serde(skip)]
    pub(crate) files: Kept<u64, StoredFile>,
    /// What can be made again from the conversations.
    #[serde(skip)]
    pub(crate) texts: RefCell<Texts>,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    #[serde(skip)]
    pub(crate) events: VecDeque<Event>,
    #[serde(skip)]
    pub(crate) history: History,
    #[serde(skip)]
    pub(crate) clock: Clock,
    pub(crate) subscriptions: Vec<Arc<Subscription>>,
    #[serde(skip, default = "Outbox::nowhere")]
    pub(crate) outbox: Outbox,
    /// Whether nothing that was saved of it before is to stay.
    #[serde(skip)]
    anew: bool,
}

impl Workspace {
    /// A workspace as its seed has it. The seed has been checked, so every id is a number.
    pub(crate) fn from_seed(seed: &WorkspaceSeed, clock: Clock, outbox: Outbox) -> Self {
        let now = clock.now();
        let teams: BTreeMap<u64, Team> = seed.teams.iter().map(team).collect();
        let mut counters = Counters::default();
        let attributes = attributes(seed, &mut counters, now);
        let contacts = contacts(seed, now);
        let mut contact_index = ContactIndex::new(seed.search_lag_ms);
        contacts.values().for_each(|contact| contact_index.note_at_start(contact));
        let mut workspace = Self {
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
                        job_title: admin.job_title.clone(),
                        avatar: admin.avatar.clone(),
                        role: admin.role.as_ref().map(|role| (role.id.clone(), role.name.clone())),
                        has_inbox_seat: admin.has_inbox_seat,
                        away_mode_enabled: admin.away_mode_enabled,
                        away_mode_reassign: false,
                        away_status_reason_id: None,
                        team_ids: teams.values().filter(in_team).map(|t| t.id).collect(),
                    };
                    (id, admin)
                })
                .collect(),
            teams,
            tags: seed.tags.iter().map(|tag| (number(&tag.id), tag.name.clone())).collect(),
            attributes,
            contacts,
            contact_index,
            people: people(seed, now),
            conversations: Kept::default(),
            deleted: Vec::new(),
            office_hours: BTreeMap::new(),
            automation: Automation::default(),
            alarms: Alarms::new(),
            files: Kept::default(),
            texts: RefCell::default(),
            limits: Limits::new(seed.workspace_calls_per_minute),
            counters,
            events: VecDeque::new(),
            history: History::default(),
            clock,
            subscriptions: Vec::new(),
            outbox,
            anew: false,
        };
        for schedule in &seed.office_hours_schedules {
            let id = workspace.counters.thing();
            workspace.office_hours.insert(id, Schedule::from_seed(schedule, id, now));
        }
        for conversation in &seed.conversations {
            // The seed has been checked, so that everybody named in it exists.
            drop(workspace.add_from_seed(conversation));
        }
        workspace.subscriptions = subscription::from_seed(seed, workspace.clock.now_ms());
        workspace.automation = seed.automation.clone();
        workspace
    }

    /// A workspace that was stored, with the clock and the outbox of this sandbox.
    pub(crate) fn connected(mut self, clock: Clock, outbox: Outbox) -> Self {
        self.contacts.values().for_each(|contact| self.contact_index.note_at_start(contact));
        self.contacts.remember_changes();
        self.conversations.remember_changes();
        self.files.remember_changes();
        Self { clock, outbox, ..self }
    }

    /// Lets nothing count as saved, and what is stored of it as to be forgotten.
    pub(crate) fn save_anew(&mut self) {
        self.anew = true;
        self.contacts.remember_all();
        self.conversations.remember_all();
        self.files.remember_all();
        let ids: Vec<u64> = self.conversations.keys().copied().collect();
        for id in ids {
            if let Some(conversation) = self.conversations.get_to_save(&id) {
                conversation.parts.forget_saved();
            }
        }
    }

    /// Whether what is stored of it is to be forgotten; says so once.
    pub(crate) fn take_anew(&mut self) -> bool {
        std::mem::take(&mut self.anew)
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

    /// Adds an entry to what the pollers see, under the next running number.
    pub(crate) fn record(&mut self, conversation_id: u64, mut entry: Value) {
        let n = self.counters.event();
        entry["n"] = json!(n);
        entry["at"] = json!(self.clock.now());
        entry["at_ms"] = json!(self.clock.now_ms());
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event { n, conversation_id, entry });
        self.outbox.feed().changed(&self.app_id, Subject::Conversation(conversation_id));
    }
}

fn team(seed: &super::seed::TeamSeed) -> (u64, Team) {
    let id = number(&seed.id);
    let team = Team {
        id,
        name: seed.name.clone(),
        admin_ids: seed.admin_ids.iter().map(|id| number(id)).collect(),
        assignment_limit: seed.assignment_limit,
        distribution_method: seed.distribution_method.clone(),
    };
    (id, team)
}

fn attributes(seed: &WorkspaceSeed, counters: &mut Counters, now: u64) -> Attributes {
    let mut attributes = Attributes::default();
    let values = seed.contacts.iter().flat_map(|contact| &contact.custom_attributes);
    attributes.seed(Model::Conversation, &seed.conversation_attributes, now, || counters.thing());
    attributes.seed(Model::Contact, &seed.contact_attributes, now, || counters.thing());
    attributes.seed_from_values(values, now, || counters.thing());
    attributes
}

fn people(seed: &WorkspaceSeed, now: u64) -> People {
    let visitor = |seed: &super::seed::VisitorSeed| Visitor {
        id: seed.id.clone(),
        user_id: seed.user_id.clone(),
        name: seed.name.clone(),
        pseudonym: seed.pseudonym.clone(),
        custom_attributes: seed.custom_attributes.clone(),
        created_at: now,
        updated_at: now,
    };
    let reason = |seed: &super::seed::AwayStatusReasonSeed| AwayStatusReason {
        id: number(&seed.id),
        label: seed.label.clone(),
        emoji: seed.emoji.clone(),
        deleted: seed.deleted,
    };
    let segments = seed.tags.iter().filter(|tag| !tag.segments.is_empty());
    People {
        visitors: seed.visitors.iter().map(|seed| (seed.id.clone(), visitor(seed))).collect(),
        away_status_reasons: seed.away_status_reasons.iter().map(reason).collect(),
        away_status_reason_mandatory: seed.away_status_reason_mandatory,
        tag_segments: segments.map(|tag| (number(&tag.id), tag.segments.clone())).collect(),
        ..People::default()
    }
}

fn contacts(seed: &WorkspaceSeed, now: u64) -> Kept<String, Contact> {
    let contact = |seed: &super::seed::ContactSeed| Contact {
        external_id: seed.external_id.clone(),
        email: seed.email.clone(),
        name: seed.name.clone(),
        phone: seed.phone.clone(),
        language_override: seed.language_override.clone(),
        location: seed.location.clone(),
        owner_id: seed.owner_id.as_deref().map(number),
        custom_attributes: seed.custom_attributes.clone(),
        ..Contact::new(seed.id.clone(), seed.role, now)
    };
    seed.contacts.iter().map(|seed| (seed.id.clone(), contact(seed))).collect()
}

/// An id of a checked seed.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}
