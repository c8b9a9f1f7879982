//! People in Intercom's JSON: contacts, teammates and teams.
//!
//! As in `wire::intercom` nothing is taken for granted: what is missing, or of another kind, is none.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::intercom::{ContactItem, Id, loose, nullable};
use crate::domain::contacts::Known;
use crate::domain::ids::AdminId;
use crate::domain::transfer::{Agent, Contact, Customer};

/// A page of a search for contacts. One that cannot be read must not hide the others.
#[derive(Debug, Deserialize)]
pub struct ContactPage<'a> {
    /// The contacts.
    #[serde(borrow, default)]
    pub data: Vec<&'a RawValue>,
}

impl ContactPage<'_> {
    /// The contacts that can be read.
    #[must_use]
    pub fn known(&self) -> Vec<Known> {
        let items = self.data.iter().filter_map(|item| serde_json::from_str::<ContactItem>(item.get()).ok());
        items.filter_map(ContactItem::known).collect()
    }
}

/// The most of a contact's texts that is compared, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

impl ContactItem {
    /// The contact, if it has an id of Intercom's form: letters and digits.
    #[must_use]
    pub fn known(self) -> Option<Known> {
        let id = self.id.as_ref().and_then(Id::some).filter(|id| is_plain_id(id))?.to_owned();
        let text = |text: Option<String>| text.filter(|text| !text.is_empty() && text.len() <= MAX_TEXT_BYTES);
        let attributes = self.custom_attributes.unwrap_or_default();
        Some(Known {
            id,
            is_lead: self.role.as_deref() == Some("lead"),
            external_id: text(self.external_id.map(|id| id.0)),
            email: text(self.email),
            phone: text(self.phone),
            name: text(self.name),
            attributes: attributes.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            last_seen_at: self.last_seen_at.unwrap_or_default(),
        })
    }
}

/// Whether a text is an id as Intercom makes them, which may stand in a path: letters and digits.
#[must_use]
pub fn is_plain_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The contact that the message of a conflict names: "… already exists with id=…" (of versions 2.1 on, in
/// Intercom's documentation; an archived one is called so).
#[must_use]
pub fn named_in_conflict(message: &str) -> Option<&str> {
    let (_, after) = message.rsplit_once("id=")?;
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    after.get(..end).filter(|id| is_plain_id(id))
}

/// The contact to which the `Link` of a merged one leads: `</contacts/{id}>; rel="canonical"` (2.16).
#[must_use]
pub fn named_in_link(link: &str) -> Option<&str> {
    let canonical = link.split(',').find(|one| one.contains("canonical"))?;
    let (_, after) = canonical.rsplit_once("/contacts/")?;
    let (id, _) = after.split_once('>')?;
    Some(id).filter(|id| is_plain_id(id))
}

/// What is asked when a customer is looked for: anybody with the id, the address or the number. None
/// where there is nothing to look for.
#[must_use]
pub fn contact_query(customer: &Customer) -> Option<Value> {
    let signs = [("external_id", &customer.external_id), ("email", &customer.email), ("phone", &customer.phone)];
    let filters = signs.into_iter().filter_map(|(field, text)| {
        text.as_ref().map(|text| json!({ "field": field, "operator": "=", "value": text }))
    });
    let filters: Vec<Value> = filters.collect();
    (!filters.is_empty()).then(|| json!({ "operator": "OR", "value": filters }))
}

/// How much of a customer is told, the most first: what Intercom refuses is left out next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// All.
    Everything,
    /// Not the custom attributes.
    WithoutAttributes,
    /// The company's id and the name alone.
    Identity,
    /// Somebody with an address that a user has already: a lead may have it too.
    AsLead,
}

/// A customer as a contact that is to be made. With an id or an address it is a user, which Intercom
/// makes only once; else a lead. A lead's id is Intercom's own.
#[must_use]
pub fn new_contact(customer: &Customer, telling: Telling) -> Value {
    let mut body = changed_contact(customer);
    let is_user = match telling {
        Telling::Everything | Telling::WithoutAttributes => customer.external_id.is_some() || customer.email.is_some(),
        Telling::Identity => customer.external_id.is_some(),
        Telling::AsLead => false,
    };
    if telling != Telling::Everything {
        body.remove("custom_attributes");
    }
    if telling == Telling::Identity {
        body.remove("email");
        body.remove("phone");
    }
    if !is_user {
        body.remove("external_id");
    }
    body.insert("role".to_owned(), json!(if is_user { "user" } else { "lead" }));
    Value::Object(body)
}

/// What is to be set of a contact. Empty where that is nothing.
#[must_use]
pub fn changed_contact(news: &Customer) -> Map<String, Value> {
    let texts =
        [("external_id", &news.external_id), ("email", &news.email), ("phone", &news.phone), ("name", &news.name)];
    let texts = texts.into_iter().filter_map(|(field, text)| text.as_ref().map(|text| (field, json!(text))));
    let attributes = Some(("custom_attributes", json!(news.attributes))).filter(|_| !news.attributes.is_empty());
    texts.chain(attributes).map(|(field, value)| (field.to_owned(), value)).collect()
}

impl From<&Known> for Option<Contact> {
    fn from(known: &Known) -> Self {
        let role = if known.is_lead { "lead" } else { "user" };
        let id = crate::domain::ids::ContactId::parse(known.id.clone()).ok()?;
        Some(Contact { id, role: role.to_owned() })
    }
}

/// The custom attributes that contacts may have.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AttributeList {
    /// They, and what every contact has.
    #[serde(deserialize_with = "nullable")]
    pub data: Vec<AttributeItem>,
}

/// An attribute.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AttributeItem {
    /// Its name.
    #[serde(deserialize_with = "loose")]
    pub name: Option<String>,
    /// Whether it is the company's own.
    #[serde(deserialize_with = "loose")]
    pub custom: Option<bool>,
    /// Whether it may be set from outside.
    #[serde(deserialize_with = "loose")]
    pub api_writable: Option<bool>,
    /// Whether it is out of use.
    #[serde(deserialize_with = "loose")]
    pub archived: Option<bool>,
}

impl AttributeList {
    /// Those of the attributes that may be set.
    #[must_use]
    pub fn settable(&self, attributes: &Map<String, Value>) -> Map<String, Value> {
        let takes = |name: &str| {
            let mut same = self.data.iter().filter(|one| {
                one.name.as_deref() == Some(name) && one.custom != Some(false) && one.archived != Some(true)
            });
            // Of two with one name none can be set.
            same.next().is_some_and(|one| one.api_writable != Some(false)) && same.next().is_none()
        };
        let known = attributes.iter().filter(|(name, _)| takes(name));
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The message by which a conversation was opened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OpeningItem {
    /// The conversation.
    pub conversation_id: Option<Id>,
}

/// When a conversation was opened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OpenedItem {
    /// Unix seconds.
    pub created_at: u64,
}

/// The teammates of a workspace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AdminList {
    /// They.
    #[serde(deserialize_with = "nullable")]
    pub admins: Vec<AdminItem>,
}

/// A teammate.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AdminItem {
    /// The id.
    pub id: Option<Id>,
    /// The name.
    #[serde(deserialize_with = "loose")]
    pub name: Option<String>,
    /// Whether they see the inbox.
    #[serde(deserialize_with = "loose")]
    pub has_inbox_seat: Option<bool>,
    /// Whether they are away.
    #[serde(deserialize_with = "loose")]
    pub away_mode_enabled: Option<bool>,
    /// Their picture's address; with `display_avatar=true` alone.
    #[serde(deserialize_with = "picture")]
    pub avatar: Option<String>,
}

impl AdminItem {
    /// Whether it is this teammate.
    #[must_use]
    pub fn is(&self, teammate: &AdminId) -> bool {
        self.id.as_ref().and_then(Id::some) == Some(teammate.as_str())
    }

    /// The teammate, as bots are told of them.
    #[must_use]
    pub fn agent(self) -> Option<Agent> {
        let id = AdminId::parse(self.id.as_ref()?.some()?).ok()?;
        let name = self.name.filter(|name| !name.is_empty() && name.len() <= MAX_TEXT_BYTES);
        Some(Agent { id, name, avatar: self.avatar })
    }

    /// Whether conversations can be theirs.
    #[must_use]
    pub fn has_a_seat(&self) -> bool {
        self.has_inbox_seat != Some(false)
    }

    /// Whether they are away.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away_mode_enabled == Some(true)
    }
}

/// An address, by itself (as the description's schema has it) or in an object (as its words have it).
fn picture<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Picture {
        Address(String),
        Object { image_url: Option<String> },
    }
    let address = match loose(deserializer)? {
        Some(Picture::Address(address)) => Some(address),
        Some(Picture::Object { image_url }) => image_url,
        None => None,
    };
    Ok(address.filter(|address| address.starts_with("https://") && address.len() <= 2 * MAX_TEXT_BYTES))
}

/// A team.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TeamItem {
    /// Its name.
    #[serde(deserialize_with = "loose")]
    pub name: Option<String>,
    /// Its members.
    #[serde(deserialize_with = "nullable")]
    pub admin_ids: Vec<Id>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_and_a_merge_name_the_contact_that_is_there() {
        for (message, id) in [
            (
                "A contact matching those details already exists with id=5da6f18e3d7cf967e4582d05",
                Some("5da6f18e3d7cf967e4582d05"),
            ),
            ("An archived contact matching those details already exists with id=5ff25dc6.", Some("5ff25dc6")),
            ("Multiple existing users match this email address - must be more specific using user_id", None),
            ("id=", None),
            ("id=../x", None),
        ] {
            assert_eq!(named_in_conflict(message), id, "{message}");
        }
        for (link, id) in [
            (r#"</contacts/6762f0df>; rel="canonical""#, Some("6762f0df")),
            (
                r#"<https://api.intercom.io/x>; rel="next", <https://api.intercom.io/contacts/ab>; rel=canonical"#,
                Some("ab"),
            ),
            (r#"</contacts/a/b>; rel="canonical""#, None),
            (r#"</contacts/ab>; rel="next""#, None),
            ("", None),
        ] {
            assert_eq!(named_in_link(link), id, "{link}");
        }
    }

    #[test]
    fn who_has_an_id_or_an_address_becomes_a_user_and_everybody_else_a_lead() {
        let customer: Customer = serde_json::from_value(
            json!({"external_id": "c1", "email": "a@b.example", "phone": "+1", "name": "Ann", "attributes": {"plan": "pro"}}),
        )
        .unwrap();
        assert_eq!(
            new_contact(&customer, Telling::Everything),
            json!({"role": "user", "external_id": "c1", "email": "a@b.example", "phone": "+1", "name": "Ann", "custom_attributes": {"plan": "pro"}})
        );
        assert_eq!(
            new_contact(&customer, Telling::Identity),
            json!({"role": "user", "external_id": "c1", "name": "Ann"})
        );
        assert_eq!(
            new_contact(&customer, Telling::AsLead),
            json!({"role": "lead", "email": "a@b.example", "phone": "+1", "name": "Ann"})
        );
        let nobody = Customer::default();
        assert_eq!(new_contact(&nobody, Telling::Everything), json!({"role": "lead"}));
        let by_email = Customer { email: Some("a@b".to_owned()), ..Customer::default() };
        assert_eq!(new_contact(&by_email, Telling::WithoutAttributes)["role"], "user");
        assert_eq!(new_contact(&by_email, Telling::Identity), json!({"role": "lead"}));
    }

    #[test]
    fn a_picture_is_an_address_by_itself_or_in_an_object_and_nothing_else() {
        let avatar = |json: &str| serde_json::from_str::<AdminItem>(json).unwrap().avatar;
        let address = Some("https://a.example/1.png".to_owned());
        assert_eq!(avatar(r#"{"avatar":"https://a.example/1.png"}"#), address);
        assert_eq!(avatar(r#"{"avatar":{"type":"avatar","image_url":"https://a.example/1.png"}}"#), address);
        for odd in
            [r#"{"avatar":""}"#, r#"{"avatar":null}"#, r#"{"avatar":7}"#, r#"{"avatar":{"image_url":null}}"#, "{}"]
        {
            assert_eq!(avatar(odd), None, "{odd}");
        }
    }

    #[test]
    fn attributes_that_do_not_exist_twice_or_may_not_be_set_are_left_out() {
        let list: AttributeList = serde_json::from_value(json!({"data": [
            {"name": "plan", "custom": true, "api_writable": true},
            {"name": "twice", "custom": true}, {"name": "twice", "custom": true},
            {"name": "old", "custom": true, "archived": true},
            {"name": "fixed", "custom": true, "api_writable": false},
            {"name": "email", "custom": false},
            {"name": 7},
        ]}))
        .unwrap();
        let given = json!({"plan": "pro", "twice": 1, "old": 1, "fixed": 1, "email": "x", "shoe size": 44});
        assert_eq!(Value::Object(list.settable(given.as_object().unwrap())), json!({"plan": "pro"}));
    }
}
