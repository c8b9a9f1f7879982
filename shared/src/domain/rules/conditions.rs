//! When a rule holds: where the conversation is, how it came in, what is known of it, what time it
//! is. What is known is what the bot was told of when it last got the conversation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::ids::Timestamp;
use crate::domain::part::{Assignee, Profile};

/// The company's office hours, by a clock of a fixed distance from UTC: summer time is the
/// operator's to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeHours {
    /// How far the clock is ahead of UTC, in minutes.
    pub utc_offset_minutes: i32,
    /// The days, Monday first.
    pub days: [bool; 7],
    /// When they begin, in minutes after midnight.
    pub from_minute: u32,
    /// When they end, in minutes after midnight.
    pub to_minute: u32,
}

const MINUTES_A_DAY: i64 = 1440;

impl OfficeHours {
    /// Whether the office is open.
    #[must_use]
    pub fn are_open(&self, now: Timestamp) -> bool {
        let minutes = i64::try_from(now.seconds() / 60).unwrap_or(0) + i64::from(self.utc_offset_minutes);
        let (day, minute) = (minutes.div_euclid(MINUTES_A_DAY), minutes.rem_euclid(MINUTES_A_DAY));
        // The first of January 1970 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        let is_day = self.days.get(weekday).copied().unwrap_or(false);
        is_day && (i64::from(self.from_minute)..i64::from(self.to_minute)).contains(&minute)
    }
}

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
}

impl Conditions {
    /// Whether they hold. Office hours that are not set are never open and never closed; the
    /// settings' reader refuses such a rule.
    #[must_use]
    pub fn hold(&self, circumstances: &Circumstances<'_>, office: Option<&OfficeHours>) -> bool {
        let profile = circumstances.profile;
        let inbox = self.inboxes.is_empty() || self.inboxes.contains(circumstances.inbox);
        let channel =
            self.channels.is_empty() || profile.channel.as_ref().is_some_and(|channel| self.channels.contains(channel));
        let tag = self.tags.is_empty() || profile.tags.iter().any(|tag| self.tags.contains(tag));
        let attributes = self.attributes.iter().all(|(name, values)| {
            let of_conversation = profile.conversation_attributes.get(name);
            let value = of_conversation.or_else(|| profile.contact_attributes.get(name));
            value.and_then(as_text).is_some_and(|value| values.contains(&value))
        });
        let hours = match (self.hours, office) {
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

/// An attribute's value as the settings write it.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_office_is_open_by_its_own_clock() {
        let office = OfficeHours {
            utc_offset_minutes: 120,
            days: [true, true, true, true, true, false, false],
            from_minute: 9 * 60,
            to_minute: 18 * 60,
        };
        // 2026-01-09 was a Friday.
        let friday = 1_767_916_800;
        for (hour, minute, open) in [(6, 59, false), (7, 0, true), (15, 59, true), (16, 0, false), (22, 30, false)] {
            let now = Timestamp::from_seconds(friday + hour * 3600 + minute * 60);
            assert_eq!(office.are_open(now), open, "{hour}:{minute}");
        }
        assert!(!office.are_open(Timestamp::from_seconds(friday + 86_400 + 10 * 3600)), "Saturday");
        let west = OfficeHours { utc_offset_minutes: -600, ..office };
        assert!(west.are_open(Timestamp::from_seconds(friday + 86_400)), "in the west it is still Friday, 14:00");
    }

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
