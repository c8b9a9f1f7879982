//! `[workspace.rules]`: read, and every rule refused that can never match.
//!
//! Whether a team, teammate or tag exists only Intercom knows; `baton check` asks it.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::DeValue;

use super::hours::Office;
use super::{Desk, Own, Reader, Section};
use crate::domain::hours::OfficeHours;
use crate::domain::ids::{AdminId, TeamId};
use crate::domain::part::Assignee;
use crate::domain::rules::{Conditions, Confidence, Deed, Hours, Rule, Rules};

/// What Intercom calls the ways by which a conversation comes in (`source.type`).
const CHANNELS: [&str; 10] = [
    "conversation",
    "email",
    "facebook",
    "instagram",
    "phone_call",
    "phone_switch",
    "push",
    "sms",
    "twitter",
    "whatsapp",
];

impl Reader<'_> {
    /// Reads the rules, and the office hours where they stand here.
    pub(super) fn rules(&mut self, workspace: &mut Section<'_, '_>, desk: &Desk<'_>, office: &mut Office) -> Rules {
        let mut rules = Rules::default();
        let Some(mut section) = self.subsection(workspace, "rules", "[workspace.rules]") else { return rules };
        if let Some((confidence, _)) = self.confidence(&mut section) {
            rules.confidence = confidence;
        }
        rules.default = Rule { line: section.line, ..Rule::default() };
        if let Some((deed, line)) = self.deed(&mut section, "default") {
            (rules.default.deed, rules.default.line) = (deed, line);
        }
        rules.default.to = self.whom(&mut section, "default_team", "default_teammate", desk.own);
        rules.default.shadow = self.boolean(&mut section, "default_shadow", false);
        self.office(&mut section, "[workspace.rules.office_hours]", office);
        for mut rule in self.tables(&mut section, "rule", "[[workspace.rules.rule]]") {
            rules.rules.extend(self.rule(&mut rule, office, desk));
            self.close(&rule);
        }
        self.close(&section);
        self.check_target(&rules.default);
        self.check_order(&rules);
        rules
    }

    /// `true` or `"unassigned"`, or the id of a team.
    pub(super) fn monitor(&mut self, workspace: &mut Section<'_, '_>, own: &Own) -> Option<Assignee> {
        let value = workspace.get("monitor")?;
        let line = self.line_of(value);
        let monitor = match value.get_ref() {
            DeValue::Boolean(on) => on.then_some(Assignee::Nobody),
            DeValue::String(text) if text == "unassigned" => Some(Assignee::Nobody),
            DeValue::String(text) => {
                self.id("monitor", Some((text.to_string(), line)), TeamId::parse).map(Assignee::Team)
            }
            _ => {
                self.mistake(line, "`monitor` must be true, false, \"unassigned\" or the id of a team in quotes");
                None
            }
        };
        if monitor.as_ref().is_some_and(|inbox| own.is(inbox)) {
            self.mistake(
                line,
                "`monitor` names the bot's own team; what comes in there is the bot's anyway, leave it out",
            );
        }
        monitor
    }

    /// Which rules leave nothing to others.
    fn check_order(&mut self, rules: &Rules) {
        for (position, rule) in rules.rules.iter().enumerate() {
            let earlier: Vec<String> =
                rules.overshadowed_by(position).into_iter().map(|earlier| earlier.line.to_string()).collect();
            let hold = match earlier.as_slice() {
                [] => continue,
                [line] => format!("the one on line {line} holds"),
                lines => format!("those on lines {} hold", lines.join(", ")),
            };
            let message = format!("this rule can never match: {hold} wherever it does; put it before, or leave it out");
            self.mistake(rule.line, message);
        }
    }

    pub(super) fn check_target(&mut self, rule: &Rule) {
        if rule.to.is_none() && matches!(rule.deed, Deed::Send | Deed::Suggest) {
            let message = format!("\"{}\" needs a team or a teammate to go to; name one", rule.deed.as_str());
            self.mistake(rule.line, message);
        }
    }

    fn rule(&mut self, section: &mut Section<'_, '_>, office: &Office, desk: &Desk<'_>) -> Option<Rule> {
        let line = section.line;
        let nodes = self.set(section, "nodes");
        let deed = self.deed(section, "action");
        if !section.table.contains_key("action") {
            self.mistake(line, "[[workspace.rules.rule]] needs `action`");
        }
        let to = self.whom(section, "team", "teammate", desk.own);
        let confidence = self.confidence(section);
        let inboxes = self.inboxes(section, desk);
        let channels = self.channels(section);
        // Intercom tells no case apart in tags.
        let tags = self.set(section, "tags").iter().map(|tag| tag.to_lowercase()).collect();
        let attributes = self.attributes(section);
        let hours = self.hours(section, office);
        let shadow = self.boolean(section, "shadow", false);
        let (deed, _) = deed?;
        if let (Deed::Nothing, Some((_, line))) = (deed, confidence) {
            self.mistake(line, "`confidence` is without effect: to say nothing the bot need not be sure; leave it out");
        }
        let when = Conditions { inboxes, channels, tags, attributes, hours };
        let rule = Rule { nodes, deed, to, confidence: confidence.map(|(share, _)| share), when, shadow, line };
        self.check_target(&rule);
        Some(rule)
    }

    pub(super) fn deed(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Option<(Deed, usize)> {
        let (text, line) = self.text(section, key)?;
        let deeds = [Deed::Nothing, Deed::Send, Deed::Suggest, Deed::Answer];
        let deed = deeds.into_iter().find(|deed| deed.as_str() == text);
        if deed.is_none() {
            self.mistake(line, format!("`{key}` must be \"nothing\", \"send\", \"suggest\" or \"answer\""));
        }
        Some((deed?, line))
    }

    pub(super) fn whom(
        &mut self,
        section: &mut Section<'_, '_>,
        team_key: &'static str,
        teammate_key: &'static str,
        own: &Own,
    ) -> Option<Assignee> {
        let team = self.text(section, team_key);
        let team_line = team.as_ref().map(|(_, line)| *line);
        let team = self.id(team_key, team, TeamId::parse).map(Assignee::Team);
        let teammate = self.text(section, teammate_key);
        let line = team_line.or(teammate.as_ref().map(|(_, line)| *line)).unwrap_or(section.line);
        let teammate = self.id(teammate_key, teammate, AdminId::parse).map(Assignee::Teammate);
        if team.is_some() && teammate.is_some() {
            self.mistake(line, format!("set `{team_key}` or `{teammate_key}`, not both"));
        }
        let to = team.or(teammate);
        if to.as_ref().is_some_and(|to| own.is(to)) {
            self.mistake(
                line,
                format!("this is the bot's own; it must be people whom `{team_key}` or `{teammate_key}` names"),
            );
        }
        to
    }

    fn confidence(&mut self, section: &mut Section<'_, '_>) -> Option<(Confidence, usize)> {
        let value = section.get("confidence")?;
        let line = self.line_of(value);
        let share = match value.get_ref() {
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let confidence = share.and_then(Confidence::of);
        if confidence.is_none() {
            self.mistake(line, "`confidence` must be a number from 0 to 1, like 0.75");
        }
        Some((confidence?, line))
    }

    fn inboxes(&mut self, section: &mut Section<'_, '_>, desk: &Desk<'_>) -> Vec<Assignee> {
        let mut inboxes = Vec::new();
        for (text, line) in self.list(section, "inboxes") {
            let inbox = match text.as_str() {
                "bot" => desk.own.teammate.clone().map(Assignee::Teammate),
                "unassigned" => Some(Assignee::Nobody),
                _ => self.id("inboxes", Some((text.clone(), line)), TeamId::parse).map(Assignee::Team),
            };
            if inbox.as_ref().is_some_and(|inbox| !desk.own.is(inbox) && desk.monitor != Some(inbox)) {
                let message = format!(
                    "this rule can never match by \"{text}\": the bot does not have what is there; `inboxes` are \
                     \"bot\", ids of `bot_teams`, and what `monitor` names"
                );
                self.mistake(line, message);
            }
            inboxes.extend(inbox);
        }
        inboxes
    }

    fn channels(&mut self, section: &mut Section<'_, '_>) -> BTreeSet<String> {
        let mut channels = BTreeSet::new();
        for (text, line) in self.list(section, "channels") {
            if CHANNELS.contains(&text.as_str()) {
                channels.insert(text);
            } else {
                let message = format!("\"{text}\" is no channel of Intercom's; they are {}", CHANNELS.join(", "));
                self.mistake(line, message);
            }
        }
        channels
    }

    fn attributes(&mut self, section: &mut Section<'_, '_>) -> BTreeMap<String, BTreeSet<String>> {
        let mut attributes = BTreeMap::new();
        let Some(value) = section.get("attributes") else { return attributes };
        let line = self.line_of(value);
        let DeValue::Table(table) = value.get_ref() else {
            self.mistake(line, "`attributes` must be a table of names and values");
            return attributes;
        };
        for (name, value) in table {
            attributes.insert(name.get_ref().to_string(), self.values(name.get_ref(), value));
        }
        attributes
    }

    /// The values that an attribute may have: texts, numbers, `true` or `false`.
    fn values(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> BTreeSet<String> {
        let plain = |value: &DeValue<'_>| match value {
            DeValue::Boolean(boolean) => Some(boolean.to_string()),
            DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
            DeValue::Float(number) => Some(number.as_str().replace('_', "")),
            _ => None,
        };
        let elements: Vec<_> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let mut values = BTreeSet::new();
        for element in &elements {
            match plain(element.get_ref()) {
                Some(text) => _ = values.insert(text),
                None if matches!(element.get_ref(), DeValue::Array(_)) => {
                    self.mistake(self.line_of(element), format!("`{name}` must be a value, or a list of values"));
                }
                None => values.extend(self.texts(name, element).into_iter().map(|(text, _)| text)),
            }
        }
        if elements.is_empty() {
            self.mistake(self.line_of(value), format!("`{name}` is empty, and would match nothing; leave it out"));
        }
        values
    }

    fn hours(&mut self, section: &mut Section<'_, '_>, office: &Office) -> Option<Hours> {
        let (text, line) = self.text(section, "hours")?;
        let hours = match text.as_str() {
            "open" => Some(Hours::Open),
            "closed" => Some(Hours::Closed),
            _ => None,
        };
        if hours.is_none() {
            self.mistake(line, "`hours` must be \"open\" or \"closed\"");
        } else if office.line.is_none() {
            let message =
                "this rule can never match: there is no [workspace.office_hours]; add it, or leave `hours` out";
            self.mistake(line, message);
        } else if hours == Some(Hours::Closed) && office.hours.as_ref().is_some_and(OfficeHours::never_close) {
            self.mistake(line, "this rule can never match: the office hours never end; leave the rule out");
        }
        hours
    }

    fn set(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> BTreeSet<String> {
        self.list(section, key).into_iter().map(|(text, _)| text).collect()
    }

    /// A text, or a list of them; an empty one is a mistake, because it would match nothing.
    pub(super) fn list(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Vec<(String, usize)> {
        section.get(key).map_or_else(Vec::new, |value| self.texts(key, value))
    }

    pub(super) fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<(String, usize)> {
        let line = self.line_of(value);
        let elements = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::new();
        for element in &elements {
            match element.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => {
                    texts.push((text.trim().to_owned(), self.line_of(element)));
                }
                _ => self.mistake(self.lines.line(&element.span()), format!("`{key}` must be texts in quotes")),
            }
        }
        if elements.is_empty() {
            self.mistake(line, format!("`{key}` is empty, and would match nothing; leave it out"));
        }
        texts
    }
}
