//! The seed: which workspaces a sandbox starts with, as a JSON file.
//!
//! A seed is checked as a whole before anything starts, and a mistake is named with its file
//! and its place. It holds people, settings, and whatever conversations are to be there already.

mod conversations;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::conversations::{ConversationSeed, MessageSeed, SeedState};
use super::automation::Automation;
use super::office_hours::Interval;
use super::version::ApiVersion;

/// The seed that is used when none is named.
const DEFAULT_SEED: &str = include_str!("../../../sandbox/seed.json");
/// What errors call it.
const DEFAULT_SEED_NAME: &str = "infra/sandbox/seed.json";

/// The content of a seed file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// How long after a failed webhook its one retry follows.
    #[serde(default = "one_minute")]
    pub retry_after_ms: u64,
    /// Apps that can be installed through OAuth, in any of the workspaces.
    #[serde(default)]
    pub apps: Vec<AppSeed>,
    /// The workspaces, which share nothing.
    pub workspaces: Vec<WorkspaceSeed>,
}

/// One workspace with the app that is installed in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceSeed {
    /// Intercom's id of the workspace, the `app_id` of its webhooks.
    pub app_id: String,
    /// What `GET /me` calls the workspace.
    pub name: String,
    /// `US`, `EU` or `AU`.
    #[serde(default = "us")]
    pub region: String,
    /// The key of the webhook signatures.
    pub client_secret: String,
    /// The id that workflow bots and Fin have as authors.
    #[serde(default = "operator_id")]
    pub operator_id: String,
    /// Tokens for the REST API.
    pub access_tokens: Vec<TokenSeed>,
    /// A subscription that exists from the start, neither probed nor pinged.
    #[serde(default)]
    pub webhook: Option<WebhookSeed>,
    /// The rate limit that all apps share.
    #[serde(default = "twenty_five_thousand")]
    pub workspace_calls_per_minute: u32,
    /// Apps besides the one that `client_secret` and `webhook` belong to.
    #[serde(default)]
    pub other_apps: Vec<OtherAppSeed>,
    /// Teammates.
    pub admins: Vec<AdminSeed>,
    /// Teams of teammates.
    #[serde(default)]
    pub teams: Vec<TeamSeed>,
    /// Tags that exist from the start.
    #[serde(default)]
    pub tags: Vec<TagSeed>,
    /// The custom attributes that a conversation may have.
    #[serde(default)]
    pub conversation_attributes: Vec<AttributeSeed>,
    /// The custom attributes that a contact may have, besides those of the contacts below.
    #[serde(default)]
    pub contact_attributes: Vec<AttributeSeed>,
    /// Why teammates can be away.
    #[serde(default)]
    pub away_status_reasons: Vec<AwayStatusReasonSeed>,
    /// Whether nobody may be away without a reason.
    #[serde(default)]
    pub away_status_reason_mandatory: bool,
    /// How long a search does not see a new or changed contact.
    #[serde(default = "two_seconds")]
    pub search_lag_ms: u64,
    /// People in the Messenger who have not written yet.
    #[serde(default)]
    pub visitors: Vec<VisitorSeed>,
    /// Customers.
    #[serde(default)]
    pub contacts: Vec<ContactSeed>,
    /// Conversations that are there from the start, the oldest first.
    #[serde(default)]
    pub conversations: Vec<ConversationSeed>,
    /// When somebody is there.
    #[serde(default)]
    pub office_hours_schedules: Vec<ScheduleSeed>,
    /// What the workspace does by itself.
    #[serde(default)]
    pub automation: Automation,
}

/// An access token and the app it belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSeed {
    /// The bearer token.
    pub token: String,
    /// The teammate that `GET /me` answers.
    pub admin_id: String,
    /// What parts made with this token carry as `app_package_code`.
    pub app_package_code: String,
    /// The version of calls without an `Intercom-Version` header.
    #[serde(default = "default_version")]
    pub default_version: ApiVersion,
    /// The rate limit of its app.
    #[serde(default = "ten_thousand")]
    pub calls_per_minute: u32,
    /// One of `other_apps`; the workspace's own app when absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// What it may do, such as `read_conversations`; everything when absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

/// An app that can be installed in several workspaces.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSeed {
    /// The app's id, as its Developer Hub page has it.
    pub client_id: String,
    /// The key of its webhook signatures, and its password when it asks for a token.
    pub client_secret: String,
    /// What the page that asks calls it.
    pub name: String,
    /// What parts made with its tokens carry.
    pub app_package_code: String,
    /// Where people may be taken back to; the first when the app names none.
    pub redirect_uris: Vec<String>,
    /// Who is told when a workspace takes the app out.
    #[serde(default)]
    pub uninstall_url: Option<String>,
    /// The version of calls without an `Intercom-Version` header.
    #[serde(default = "default_version")]
    pub default_version: ApiVersion,
    /// The rate limit of the app.
    #[serde(default = "ten_thousand")]
    pub calls_per_minute: u32,
    /// What its tokens may do; everything when absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Its subscription in every workspace that installs it, neither probed nor pinged.
    #[serde(default)]
    pub webhook: Option<WebhookSeed>,
}

/// Another app that is installed in a workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherAppSeed {
    /// What the app is called here; `client_id` of its tokens and subscriptions.
    pub client_id: String,
    /// The key of its webhook signatures.
    pub client_secret: String,
    /// Its subscription, neither probed nor pinged.
    #[serde(default)]
    pub webhook: Option<WebhookSeed>,
}

/// Where a workspace's webhooks go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSeed {
    /// The receiver.
    pub url: String,
    /// The topics subscribed to; all when absent.
    #[serde(default)]
    pub topics: Option<Vec<String>>,
    /// The version of the payloads.
    #[serde(default = "default_version")]
    pub version: ApiVersion,
    /// Whether the app is in the App Store: errors never suspend its subscription.
    #[serde(default)]
    pub is_public: bool,
}

/// A teammate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSeed {
    /// A decimal number.
    pub id: String,
    /// The name that customers see.
    pub name: String,
    /// The teammate's address.
    pub email: String,
    /// Whether the teammate can be given conversations.
    #[serde(default)]
    pub has_inbox_seat: bool,
    /// Whether the teammate is away.
    #[serde(default)]
    pub away_mode_enabled: bool,
    /// What the teammate does.
    #[serde(default)]
    pub job_title: Option<String>,
    /// The address of a picture.
    #[serde(default)]
    pub avatar: Option<String>,
    /// What the teammate may do.
    #[serde(default)]
    pub role: Option<AdminRoleSeed>,
}

/// What a teammate may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRoleSeed {
    /// Intercom's id of the role.
    pub id: String,
    /// The role's name.
    pub name: String,
}

/// Why a teammate can be away.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwayStatusReasonSeed {
    /// A decimal number.
    pub id: String,
    /// The reason in words.
    pub label: String,
    /// The reason as a picture.
    #[serde(default)]
    pub emoji: String,
    /// Whether it can no longer be chosen.
    #[serde(default)]
    pub deleted: bool,
}

/// Somebody in the Messenger who has not written yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitorSeed {
    /// 24 hexadecimal digits.
    pub id: String,
    /// The Messenger's id of the visitor.
    pub user_id: String,
    /// The name, if known.
    #[serde(default)]
    pub name: Option<String>,
    /// What the inbox calls somebody without a name.
    #[serde(default = "pseudonym")]
    pub pseudonym: String,
    /// Attributes of the company's own.
    #[serde(default)]
    pub custom_attributes: Map<String, Value>,
}

/// A team.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamSeed {
    /// A decimal number.
    pub id: String,
    /// The team's name.
    pub name: String,
    /// Its members.
    #[serde(default)]
    pub admin_ids: Vec<String>,
    /// How many open conversations a member can have.
    #[serde(default)]
    pub assignment_limit: Option<u64>,
    /// How its conversations are given to members.
    #[serde(default = "manual")]
    pub distribution_method: String,
}

/// A tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagSeed {
    /// A decimal number.
    pub id: String,
    /// The tag's name.
    pub name: String,
    /// Segments that are defined by it, which keep it from being deleted.
    #[serde(default)]
    pub segments: Vec<String>,
}

/// A custom attribute: its name alone, or with what it may hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeSeed {
    /// Takes any text, number or boolean.
    Name(String),
    /// Takes what its type allows.
    Typed {
        /// The attribute's name.
        name: String,
        /// What it may hold.
        data_type: DataType,
        /// The choices of a list.
        #[serde(default)]
        options: Vec<String>,
    },
}

impl AttributeSeed {
    /// The attribute's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Typed { name, .. } => name,
        }
    }
}

/// What a custom attribute may hold, under Intercom's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// Text.
    String,
    /// One of the options.
    List,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// True or false.
    Boolean,
    /// Unix seconds, or ISO 8601 text.
    DateTime,
    /// Ids of custom objects.
    Relationship,
    /// Uploads.
    Files,
}

impl DataType {
    const ALL: [(Self, &str); 8] = [
        (Self::String, "string"),
        (Self::Integer, "integer"),
        (Self::List, "list"),
        (Self::Decimal, "decimal"),
        (Self::Boolean, "boolean"),
        (Self::DateTime, "datetime"),
        (Self::Relationship, "relationship"),
        (Self::Files, "files"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(one, _)| *one)
    }
}

/// Whether a contact is known to the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signed in somewhere, with an `external_id` of the company's own.
    User,
    /// Anonymous in the Messenger.
    Lead,
}

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactSeed {
    /// 24 hexadecimal digits.
    pub id: String,
    /// User or lead.
    pub role: Role,
    /// The company's own id of a user.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The address, if known.
    #[serde(default)]
    pub email: Option<String>,
    /// The name, if known.
    #[serde(default)]
    pub name: Option<String>,
    /// The telephone number, if known.
    #[serde(default)]
    pub phone: Option<String>,
    /// The teammate who looks after the contact.
    #[serde(default)]
    pub owner_id: Option<String>,
    /// The language that the company set.
    #[serde(default)]
    pub language_override: Option<String>,
    /// `country`, `region`, `city`, `country_code`, `continent_code`.
    #[serde(default)]
    pub location: BTreeMap<String, String>,
    /// Attributes of the company's own.
    #[serde(default)]
    pub custom_attributes: Map<String, Value>,
}

/// Office hours.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSeed {
    /// What they are called.
    pub name: String,
    /// The name of an IANA time zone.
    #[serde(default = "utc")]
    pub time_zone_name: String,
    /// When the week is open.
    pub time_intervals: Vec<Interval>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A seed that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file cannot be read.
    #[error("seed {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not a seed; serde names line and column.
    #[error("seed {}: {source}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// The file contradicts itself.
    #[error("seed {}: {place}: {problem}", file.display())]
    Inconsistent {
        /// The file.
        file: PathBuf,
        /// A path into the JSON.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Lead => "lead",
        }
    }
}

impl Seed {
    /// The embedded seed: workspaces `sandbox1` and `sandbox2`.
    ///
    /// # Errors
    /// When the embedded file is not a seed, which a test rules out.
    pub fn embedded() -> Result<Self, SeedError> {
        Self::parse(DEFAULT_SEED, Path::new(DEFAULT_SEED_NAME))
    }

    /// Reads and checks a seed file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a seed, or contradicts itself.
    pub fn read(file: &Path) -> Result<Self, SeedError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| SeedError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Checks a seed given as text; `file` is only what errors call it.
    ///
    /// # Errors
    /// When the text is not a seed, or contradicts itself.
    pub fn parse(text: &str, file: &Path) -> Result<Self, SeedError> {
        let seed: Self =
            serde_json::from_str(text).map_err(|source| SeedError::Malformed { file: file.to_owned(), source })?;
        seed.check().map_err(|(place, problem)| SeedError::Inconsistent { file: file.to_owned(), place, problem })?;
        Ok(seed)
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.workspaces.is_empty() {
            return Err(("workspaces".to_owned(), "at least one is needed".to_owned()));
        }
        let mut client_ids = HashSet::new();
        for (n, app) in self.apps.iter().enumerate() {
            if !client_ids.insert(&app.client_id) {
                return Err((format!("apps[{n}].client_id"), format!("{:?} is used twice", app.client_id)));
            }
            if app.redirect_uris.is_empty() {
                return Err((format!("apps[{n}].redirect_uris"), "at least one is needed".to_owned()));
            }
        }
        let mut app_ids = HashSet::new();
        let mut tokens = HashSet::new();
        for (n, workspace) in self.workspaces.iter().enumerate() {
            let place = format!("workspaces[{n}]");
            if !app_ids.insert(&workspace.app_id) {
                return Err((format!("{place}.app_id"), format!("{:?} is used twice", workspace.app_id)));
            }
            for (t, token) in workspace.access_tokens.iter().enumerate() {
                if !tokens.insert(&token.token) {
                    return Err((format!("{place}.access_tokens[{t}].token"), "is used twice".to_owned()));
                }
            }
            workspace.check().map_err(|(inner, problem)| (format!("{place}.{inner}"), problem))?;
        }
        Ok(())
    }
}

impl WorkspaceSeed {
    fn check(&self) -> Result<(), (String, String)> {
        let admins = numbers("admins", self.admins.iter().map(|a| a.id.as_str()))?;
        let teams = numbers("teams", self.teams.iter().map(|t| t.id.as_str()))?;
        numbers("tags", self.tags.iter().map(|t| t.id.as_str()))?;
        numbers("operator_id", [self.operator_id.as_str()])?;
        numbers("away_status_reasons", self.away_status_reasons.iter().map(|reason| reason.id.as_str()))?;
        let known = |id: &str| id.parse().is_ok_and(|id: u64| admins.contains(&id));
        for (n, token) in self.access_tokens.iter().enumerate() {
            if !known(&token.admin_id) {
                return Err((
                    format!("access_tokens[{n}].admin_id"),
                    format!("there is no admin {:?}", token.admin_id),
                ));
            }
        }
        for (n, team) in self.teams.iter().enumerate() {
            if let Some(id) = team.admin_ids.iter().find(|id| !known(id)) {
                return Err((format!("teams[{n}].admin_ids"), format!("there is no admin {id:?}")));
            }
        }
        let mut seen = HashSet::new();
        unique_hex("contacts", self.contacts.iter().map(|contact| contact.id.as_str()), &mut seen)?;
        unique_hex("visitors", self.visitors.iter().map(|visitor| visitor.id.as_str()), &mut seen)?;
        for (n, contact) in self.contacts.iter().enumerate() {
            if let Some(id) = contact.owner_id.as_deref().filter(|id| !known(id)) {
                return Err((format!("contacts[{n}].owner_id"), format!("there is no admin {id:?}")));
            }
        }
        let is_team = |id: &str| id.parse().is_ok_and(|id: u64| teams.contains(&id));
        for (n, conversation) in self.conversations.iter().enumerate() {
            let place = format!("conversations[{n}]");
            if !seen.contains(conversation.contact_id.as_str()) {
                return Err((
                    format!("{place}.contact_id"),
                    format!("there is no contact {:?}", conversation.contact_id),
                ));
            }
            if let Some((inner, problem)) = conversation.check(&known, &is_team) {
                return Err((format!("{place}.{inner}"), problem));
            }
        }
        let problem = self.automation.problem(|id| admins.contains(&id), |id| teams.contains(&id));
        problem.map_or(Ok(()), |problem| Err(("automation".to_owned(), problem)))
    }
}

/// Checks that ids have the form of contacts' and that nobody else has them.
fn unique_hex<'a>(
    list: &str,
    ids: impl IntoIterator<Item = &'a str>,
    seen: &mut HashSet<&'a str>,
) -> Result<(), (String, String)> {
    for (n, id) in ids.into_iter().enumerate() {
        let hex = id.bytes().all(|b| b.is_ascii_hexdigit());
        if id.len() != 24 || !hex || !seen.insert(id) {
            return Err((format!("{list}[{n}].id"), format!("{id:?} is not a unique id of 24 hex digits")));
        }
    }
    Ok(())
}

/// Checks that ids are decimal numbers and unique.
fn numbers<'a>(list: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<HashSet<u64>, (String, String)> {
    let mut seen = HashSet::new();
    for (n, id) in ids.into_iter().enumerate() {
        let fresh = id.parse().is_ok_and(|number: u64| seen.insert(number));
        if !fresh {
            return Err((format!("{list}[{n}].id"), format!("{id:?} is not a unique decimal number")));
        }
    }
    Ok(seen)
}

fn one_minute() -> u64 {
    60_000
}

fn us() -> String {
    "US".to_owned()
}

fn operator_id() -> String {
    "900900".to_owned()
}

fn two_seconds() -> u64 {
    2_000
}

fn manual() -> String {
    "manual".to_owned()
}

fn pseudonym() -> String {
    "Violet Suitcase".to_owned()
}

fn default_version() -> ApiVersion {
    ApiVersion::DEFAULT
}

fn ten_thousand() -> u32 {
    10_000
}

fn twenty_five_thousand() -> u32 {
    25_000
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Seed;

    #[test]
    fn the_embedded_seed_is_sound() {
        let seed = Seed::embedded().unwrap();
        assert_eq!(seed.workspaces[0].app_id, "sandbox1");
    }

    #[test]
    fn a_mistake_is_named_with_its_file_and_place() {
        let file = Path::new("my-seed.json");
        let typo = Seed::parse("{\n \"workspace\": []}", file).unwrap_err();
        assert!(typo.to_string().contains("my-seed.json"), "{typo}");
        assert!(typo.to_string().contains("line 2 column"), "{typo}");

        let text = r#"{"workspaces":[{"app_id":"a","name":"A","client_secret":"s",
            "access_tokens":[],"admins":[{"id":"1","name":"x","email":"x@y.example"}],
            "teams":[{"id":"5","name":"T","admin_ids":["9"]}]}]}"#;
        let stranger = Seed::parse(text, file).unwrap_err();
        assert_eq!(
            stranger.to_string(),
            "seed my-seed.json: workspaces[0].teams[0].admin_ids: there is no admin \"9\""
        );
    }
}
