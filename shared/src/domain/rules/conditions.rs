//! When a rule holds: where the conversation is, how it came in, what is known of it, what time it
//! is. The conversation's tags and attributes are those that Intercom showed last, with what the bot has
//! asked for since; the customer's attributes are those of when the bot last got the conversation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::hours::OfficeHours;
use crate::domain::ids::Timestamp;
use crate::domain::part::{Assignee, Profile};

/// When, by the office hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hours {
    /// While the office is open.
    Open,
    /// While it is closed.
    Closed,
}

/// When a rule holds. What is not set holds always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// In one of these inboxes.
    pub inboxes: Vec<Assignee>,
    /// Come in by one of these channels, as Intercom calls them (`conversation`, `email`, …).
    pub channels: BTreeSet<String>,
    /// With one of these tags.
    pub tags: BTreeSet<String>,
    /// With each of these attributes, of the conversation or the customer, of one of the values.
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    /// At this time.
    pub hours: Option<Hours>,
}

/// How things stand with a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whose inbox it is in.
    pub inbox: &'a Assignee,
    /// What is known of it.
    pub profile: &'a Profile,
    /// The time.
    pub now: Timestamp,
    /// When the company is there, where that is set.
    pub office: Option<&'a OfficeHours>,
}

impl Conditions {
    /// Whether they hold. Office hours that are not set are never open and never closed; the
    /// settings' reader refuses such a rule.
    #[must_use]
    pub fn hold(&self, circumstances: &Circumstances<'_>) -> bool {
        let profile = circumstances.profile;
        let inbox = self.inboxes.is_empty() || self.inboxes.contains(circumstances.inbox);
        let channel =
            self.channels.is_empty() || profile.channel.as_ref().is_some_and(|channel| self.channels.contains(channel));
        let tag = self.tags.is_empty() || self.tags.iter().any(|tag| profile.is_tagged(tag));
        let attributes = self.attributes.iter().all(|(name, values)| {
            profile.attribute(name).is_some_and(|value| values.iter().any(|wanted| is_written(value, wanted)))
        });
        let hours = match (self.hours, circumstances.office) {
            (None, _) => true,
            (Some(Hours::Open), Some(office)) => office.are_open(circumstances.now),
            (Some(Hours::Closed), Some(office)) => !office.are_open(circumstances.now),
            (Some(_), None) => false,
        };
        inbox && channel && tag && attributes && hours
    }

    /// Whether they hold wherever the others do.
    #[must_use]
    pub fn are_implied_by(&self, other: &Self) -> bool {
        let inboxes = self.inboxes.is_empty()
            || (!other.inboxes.is_empty() && other.inboxes.iter().all(|inbox| self.inboxes.contains(inbox)));
        let within = |mine: &BTreeSet<String>, others: &BTreeSet<String>| {
            mine.is_empty() || (!others.is_empty() && others.is_subset(mine))
        };
        let attributes = self
            .attributes
            .iter()
            .all(|(name, values)| other.attributes.get(name).is_some_and(|others| others.is_subset(values)));
        inboxes
            && within(&self.channels, &other.channels)
            && within(&self.tags, &other.tags)
            && attributes
            && (self.hours.is_none() || self.hours == other.hours)
    }
}

/// Whether the settings mean an attribute's value by this. A number is one however it is written.
fn is_written(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text.trim() == wanted,
        Value::Number(number) => number.as_f64().is_some_and(|number| wanted.parse() == Ok(number)),
        Value::Bool(boolean) => wanted.parse() == Ok(*boolean),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_imply_those_that_ask_for_less() {
        let set = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>();
        let none = Conditions::default();
        let email = Conditions { channels: set(&["email"]), ..Conditions::default() };
        let both = Conditions { channels: set(&["email", "conversation"]), ..Conditions::default() };
        let vip = Conditions { tags: set(&["vip"]), ..email.clone() };
        assert!(none.are_implied_by(&email) && both.are_implied_by(&email) && email.are_implied_by(&vip));
        assert!(!email.are_implied_by(&none) && !email.are_implied_by(&both) && !vip.are_implied_by(&email));
    }
}
