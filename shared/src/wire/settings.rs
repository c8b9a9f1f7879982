//! The operator's TOML file, read into [`Settings`]: every mistake at once, each with its line.
//!
//! Secrets are not in the file. Where one is needed the file names it, as `secret:NAME`.

mod email;
mod hours;
mod rules;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::burst::Windows;
use crate::domain::ids::{AdminId, AppId, BotId, InvalidId, TeamId};
use crate::domain::part::Assignee;
use crate::domain::settings::{
    ApiVersion, Bot, HandoverSettings, LoopLimits, Region, Reopened, SecretName, Settings, Transport, Workspace,
};

/// One mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and where it helps, how it would be right.
    pub message: String,
}

/// Everything that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}line {}: {}", mistake.line, mistake.message)?;
        }
        Ok(())
    }
}

/// How long a doubtful send is left alone before Intercom is asked, unless set.
const DEFAULT_SETTLE_MS: u64 = 30_000;

/// The longest time, in minutes, that may be set: a year.
const MAX_MINUTES: u64 = 525_600;

/// After how long without reaching a bot people get its conversations, in minutes, unless set; and
/// the longest: an event is tried for three days.
const DEFAULT_HANDOVER_AFTER_MINUTES: u64 = 10;
const MAX_HANDOVER_AFTER_MINUTES: u64 = 4_320;

/// The longest time, in seconds, that may be waited for more of the customer's messages.
const MAX_BURST_SECONDS: u64 = 300;

/// Reads the file.
///
/// # Errors
/// [`Mistakes`]: all of them, in the order of their lines.
pub fn parse(text: &str) -> Result<Settings, Mistakes> {
    let lines = Lines::of(text);
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.line(&span));
        Mistakes(vec![Mistake { line, message: format!("this is not TOML: {}", error.message()) }])
    })?;
    let mut reader = Reader { lines: &lines, mistakes: Vec::new() };
    let settings = reader.settings(root.get_ref());
    if reader.mistakes.is_empty() {
        Ok(settings)
    } else {
        reader.mistakes.sort();
        Err(Mistakes(reader.mistakes))
    }
}

/// Whose conversations are the bot's.
struct Own {
    teammate: Option<AdminId>,
    teams: Vec<TeamId>,
}

impl Own {
    fn is(&self, assignee: &Assignee) -> bool {
        match assignee {
            Assignee::Teammate(teammate) => self.teammate.as_ref() == Some(teammate),
            Assignee::Team(team) => self.teams.contains(team),
            Assignee::Nobody => false,
        }
    }
}

/// Where the bot finds conversations.
struct Desk<'d> {
    own: &'d Own,
    monitor: Option<&'d Assignee>,
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        Self(std::iter::once(0).chain(breaks).collect())
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|start| *start <= span.start)
    }
}

struct Reader<'l> {
    lines: &'l Lines,
    mistakes: Vec<Mistake>,
}

/// A table of the file, and which of its keys were asked for.
struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    line: usize,
    name: String,
    known: BTreeSet<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.insert(key);
        self.table.get(key)
    }
}

impl Reader<'_> {
    fn mistake(&mut self, line: usize, message: impl Into<String>) {
        self.mistakes.push(Mistake { line, message: message.into() });
    }

    fn line_of(&self, value: &Spanned<DeValue<'_>>) -> usize {
        self.lines.line(&value.span())
    }

    /// Reports keys that nobody asked for: a misspelt setting must not be silently without effect.
    fn close(&mut self, section: &Section<'_, '_>) {
        for (key, _) in section.table {
            let name: &str = key.get_ref();
            if !section.known.contains(name) {
                let known: Vec<&str> = section.known.iter().copied().collect();
                let line = self.lines.line(&key.span());
                self.mistake(
                    line,
                    format!("`{name}` is no setting of {}; known are {}", section.name, known.join(", ")),
                );
            }
        }
    }

    fn text(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Option<(String, usize)> {
        let value = section.get(key)?;
        let line = self.line_of(value);
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), line)),
            _ => {
                self.mistake(line, format!("`{key}` must be a text in quotes"));
                None
            }
        }
    }

    fn needed(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Option<(String, usize)> {
        if section.table.get(key).is_none() {
            section.known.insert(key);
            self.mistake(section.line, format!("{} needs `{key}`", section.name));
            return None;
        }
        self.text(section, key)
    }

    fn id<T>(
        &mut self,
        key: &str,
        given: Option<(String, usize)>,
        parse: fn(String) -> Result<T, InvalidId>,
    ) -> Option<T> {
        let (text, line) = given?;
        parse(text).map_err(|error| self.mistake(line, format!("`{key}`: {error}"))).ok()
    }

    fn secret(&mut self, key: &str, given: Option<(String, usize)>) -> Option<SecretName> {
        let (text, line) = given?;
        match text.strip_prefix("secret:").filter(|name| !name.is_empty()) {
            Some(name) => Some(SecretName(name.to_owned())),
            None => {
                // The value is not repeated: it may be the secret itself.
                self.mistake(
                    line,
                    format!("`{key}` must name a secret, as \"secret:NAME\"; secrets do not belong in this file"),
                );
                None
            }
        }
    }

    fn boolean(&mut self, section: &mut Section<'_, '_>, key: &'static str, default: bool) -> bool {
        let Some(value) = section.get(key) else { return default };
        if let DeValue::Boolean(boolean) = value.get_ref() {
            return *boolean;
        }
        let line = self.line_of(value);
        self.mistake(line, format!("`{key}` must be true or false"));
        default
    }

    fn number(
        &mut self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = section.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => integer.as_str().replace('_', "").parse::<u64>().ok(),
            _ => None,
        };
        let valid = number.filter(|number| range.contains(number));
        if valid.is_none() {
            let line = self.line_of(value);
            self.mistake(line, format!("`{key}` must be a whole number from {} to {}", range.start(), range.end()));
        }
        valid
    }

    fn sections<'t, 'i>(&mut self, root: &mut Section<'t, 'i>, key: &'static str) -> Vec<Section<'t, 'i>> {
        let Some(value) = root.get(key) else {
            self.mistake(1, format!("there is no [[{key}]]; at least one is needed"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        if let DeValue::Array(array) = value.get_ref() {
            for element in array {
                if let DeValue::Table(table) = element.get_ref() {
                    let line = self.line_of(element);
                    sections.push(Section { table, line, name: format!("[[{key}]]"), known: BTreeSet::new() });
                }
            }
            if sections.len() == array.len() {
                return sections;
            }
        }
        let line = self.line_of(value);
        self.mistake(line, format!("`{key}` must be written as [[{key}]]"));
        sections
    }

    /// Tables of which there may be any number, none as well.
    fn tables<'t, 'i>(&mut self, section: &mut Section<'t, 'i>, key: &'static str, name: &str) -> Vec<Section<'t, 'i>> {
        let Some(value) = section.get(key) else { return Vec::new() };
        let mut tables = Vec::new();
        let elements = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        for element in elements {
            let line = self.line_of(element);
            match element.get_ref() {
                DeValue::Table(table) => {
                    tables.push(Section { table, line, name: name.to_owned(), known: BTreeSet::new() });
                }
                _ => self.mistake(line, format!("`{key}` must be written as {name}")),
            }
        }
        tables
    }

    fn subsection<'t, 'i>(
        &mut self,
        section: &mut Section<'t, 'i>,
        key: &'static str,
        name: &str,
    ) -> Option<Section<'t, 'i>> {
        let value = section.get(key)?;
        let line = self.line_of(value);
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Section { table, line, name: name.to_owned(), known: BTreeSet::new() });
        }
        self.mistake(line, format!("`{key}` must be written as {name}"));
        None
    }

    fn settings(&mut self, table: &DeTable<'_>) -> Settings {
        let mut root = Section { table, line: 1, name: "the file".to_owned(), known: BTreeSet::new() };
        let local = self.boolean(&mut root, "local", false);
        let mut bots = BTreeMap::new();
        for mut section in self.sections(&mut root, "bot") {
            let line = section.line;
            let bot = self.bot(&mut section, local);
            self.close(&section);
            if let Some(bot) = bot
                && let Some(former) = bots.insert(bot.id.clone(), bot)
            {
                self.mistake(line, format!("there are two bots with the id \"{}\"; give each its own", former.id));
            }
        }
        let mut workspaces = BTreeMap::new();
        for mut section in self.sections(&mut root, "workspace") {
            let line = section.line;
            let workspace = self.workspace(&mut section, local, &bots);
            self.close(&section);
            if let Some(workspace) = workspace
                && let Some(former) = workspaces.insert(workspace.app_id.clone(), workspace)
            {
                let message = format!("there are two workspaces with the app_id \"{}\"; keep one", former.app_id);
                self.mistake(line, message);
            }
        }
        self.close(&root);
        Settings { local, workspaces, bots }
    }

    fn workspace(
        &mut self,
        section: &mut Section<'_, '_>,
        local: bool,
        bots: &BTreeMap<BotId, Bot>,
    ) -> Option<Workspace> {
        let app_id = self.needed(section, "app_id");
        let app_id = self.id("app_id", app_id, AppId::parse);
        let webhook_path = self.webhook_path(section);
        let api_url = self.api_url(section, local);
        let api_version = self.api_version(section);
        let client_secret = self.needed(section, "client_secret");
        let client_secret = self.secret("client_secret", client_secret);
        let previous = self.text(section, "previous_client_secret");
        let previous_client_secret = self.secret("previous_client_secret", previous);
        let bot_teammate = self.needed(section, "bot_teammate");
        let bot_teammate = self.id("bot_teammate", bot_teammate, AdminId::parse);
        let bot_teams = self.ids(section, "bot_teams", "team", TeamId::parse);
        let own = Own { teammate: bot_teammate.clone(), teams: bot_teams.clone() };
        let other_bots = self.other_bots(section, bot_teammate.as_ref());
        let monitor = self.monitor(section, &own);
        let bot = self.bot_of(section, bots);
        let introduction = self.words(section, "introduction");
        let take_back = self.boolean(section, "take_back", true);
        let reopened = self.reopened(section);
        let resume_after_minutes = self.number(section, "resume_after_minutes", 1..=MAX_MINUTES);
        let settle_ms = self.number(section, "settle_ms", 1_000..=600_000).unwrap_or(DEFAULT_SETTLE_MS);
        let loops = self.loops(section);
        let line = section.line;
        let handover = self.handover(section, &own);
        let mut office = hours::Office::default();
        self.office(section, "[workspace.office_hours]", &mut office);
        let mut rules = self.rules(section, &Desk { own: &own, monitor: monitor.as_ref() }, &mut office);
        let email = self.email(section, &own);
        rules.email = email.rule;
        let ms = bot.as_ref().and_then(|id| bots.get(id)).map_or(0, |bot| bot.burst_ms);
        let bursts = Windows { email_ms: email.burst_ms.unwrap_or(ms), ms };
        let transfers = self.transfers(section, bots);
        let workspace = Workspace {
            app_id: app_id?,
            webhook_path: webhook_path?,
            api_url: api_url?,
            api_version: api_version?,
            client_secret: client_secret?,
            previous_client_secret,
            bot_teammate: bot_teammate?,
            bot_teams,
            other_bots,
            monitor,
            bot: bot?,
            introduction,
            handover,
            office_hours: office.hours,
            rules,
            take_back,
            reopened,
            resume_after_minutes,
            settle_ms,
            loops,
            transfers,
            bursts,
        };
        self.check_transfers(&workspace, line);
        Some(workspace)
    }

    fn webhook_path(&mut self, section: &mut Section<'_, '_>) -> Option<String> {
        let (path, line) = self.needed(section, "webhook_path")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (8..=64).contains(&path.len()) && path.bytes().all(fits) {
            return Some(path);
        }
        self.mistake(line, "`webhook_path` must be 8 to 64 letters, digits, '-' and '_'; make it hard to guess");
        None
    }

    fn api_url(&mut self, section: &mut Section<'_, '_>, local: bool) -> Option<String> {
        let region = self.needed(section, "region").and_then(|(text, line)| {
            let region = match text.to_ascii_lowercase().as_str() {
                "us" => Some(Region::Us),
                "eu" => Some(Region::Eu),
                "au" => Some(Region::Au),
                _ => None,
            };
            if region.is_none() {
                self.mistake(line, "`region` must be \"us\", \"eu\" or \"au\"");
            }
            region
        });
        let Some((url, line)) = self.text(section, "api_url") else {
            return region.map(|region| region.api_url().to_owned());
        };
        if local && is_local_url(&url) {
            return region.map(|_| url.trim_end_matches('/').to_owned());
        }
        self.mistake(line, "`api_url` is for stacks on one machine only: with `local = true`, and an http address of 127.0.0.1 or localhost");
        None
    }

    fn api_version(&mut self, section: &mut Section<'_, '_>) -> Option<ApiVersion> {
        let (text, line) = match section.table.get("api_version") {
            Some(_) => self.text(section, "api_version")?,
            None => {
                section.known.insert("api_version");
                ("2.15".to_owned(), section.line)
            }
        };
        let version = ApiVersion::parse(&text);
        if version.is_none() {
            self.mistake(line, "`api_version` must be \"2.10\" to \"2.16\", in quotes");
        }
        version
    }

    /// A list of ids in quotes.
    fn ids<T>(
        &mut self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        what: &str,
        parse: fn(String) -> Result<T, InvalidId>,
    ) -> Vec<T> {
        self.ids_with_lines(section, key, what, parse).into_iter().map(|(id, _)| id).collect()
    }

    fn ids_with_lines<T>(
        &mut self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        what: &str,
        parse: fn(String) -> Result<T, InvalidId>,
    ) -> Vec<(T, usize)> {
        let Some(value) = section.get(key) else { return Vec::new() };
        let mut ids = Vec::new();
        if let DeValue::Array(array) = value.get_ref() {
            for element in array {
                let line = self.line_of(element);
                match element.get_ref() {
                    DeValue::String(text) => {
                        let id = self.id(key, Some((text.to_string(), line)), parse);
                        ids.extend(id.map(|id| (id, line)));
                    }
                    _ => self.mistake(line, format!("`{key}` must be {what} ids in quotes")),
                }
            }
        } else {
            let line = self.line_of(value);
            self.mistake(line, format!("`{key}` must be a list of {what} ids in quotes"));
        }
        ids
    }

    fn other_bots(&mut self, section: &mut Section<'_, '_>, own: Option<&AdminId>) -> Vec<AdminId> {
        let bots = self.ids_with_lines(section, "other_bots", "teammate", AdminId::parse);
        for (_, line) in bots.iter().filter(|(id, _)| own == Some(id)) {
            self.mistake(*line, "`other_bots` names the bot's own teammate; it is for bots of other apps");
        }
        bots.into_iter().map(|(id, _)| id).collect()
    }

    fn loops(&mut self, section: &mut Section<'_, '_>) -> LoopLimits {
        let unless_set = LoopLimits::default();
        let messages = self.number(section, "loop_messages", 1..=100).and_then(|number| u32::try_from(number).ok());
        let minutes = self.number(section, "loop_minutes", 1..=MAX_MINUTES);
        LoopLimits { messages: messages.unwrap_or(unless_set.messages), minutes: minutes.unwrap_or(unless_set.minutes) }
    }

    fn bot_of(&mut self, section: &mut Section<'_, '_>, bots: &BTreeMap<BotId, Bot>) -> Option<BotId> {
        let (text, line) = self.needed(section, "bot")?;
        let bot = self.id("bot", Some((text, line)), BotId::parse)?;
        if !bots.contains_key(&bot) {
            let known: Vec<String> = bots.keys().map(|id| format!("\"{id}\"")).collect();
            let known =
                if known.is_empty() { "there is none".to_owned() } else { format!("there is {}", known.join(", ")) };
            self.mistake(line, format!("there is no valid [[bot]] with the id \"{bot}\"; {known}"));
        }
        Some(bot)
    }

    fn words(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Option<String> {
        self.text(section, key).map(|(text, _)| text).filter(|text| !text.trim().is_empty())
    }

    fn reopened(&mut self, section: &mut Section<'_, '_>) -> Reopened {
        let Some((text, line)) = self.text(section, "reopened") else { return Reopened::default() };
        match text.as_str() {
            "bot" => Reopened::Bot,
            "human" => Reopened::Human,
            _ => {
                self.mistake(line, "`reopened` must be \"bot\" or \"human\"");
                Reopened::default()
            }
        }
    }

    fn handover(&mut self, section: &mut Section<'_, '_>, own: &Own) -> HandoverSettings {
        let Some(mut handover) = self.subsection(section, "handover", "[workspace.handover]") else {
            return HandoverSettings::default();
        };
        let default = self.whom(&mut handover, "default_team", "default_teammate", own);
        let message = self.words(&mut handover, "message");
        self.close(&handover);
        HandoverSettings { default, message }
    }

    fn bot(&mut self, section: &mut Section<'_, '_>, local: bool) -> Option<Bot> {
        let id = self.needed(section, "id");
        let id = self.id("id", id, BotId::parse);
        let transport = self.needed(section, "transport");
        let transport = match transport {
            Some((kind, _)) if kind == "https" => self.https(section, local),
            Some((kind, _)) if kind == "sqs" => self.sqs(section, local),
            Some((_, line)) => {
                self.mistake(line, "`transport` must be \"https\" or \"sqs\"");
                None
            }
            None => None,
        };
        let handover_after_minutes = self
            .number(section, "handover_after_minutes", 1..=MAX_HANDOVER_AFTER_MINUTES)
            .unwrap_or(DEFAULT_HANDOVER_AFTER_MINUTES);
        let burst_ms = self.number(section, "burst_seconds", 0..=MAX_BURST_SECONDS).unwrap_or(0) * 1_000;
        Some(Bot { id: id?, transport: transport?, handover_after_minutes, burst_ms })
    }

    fn https(&mut self, section: &mut Section<'_, '_>, local: bool) -> Option<Transport> {
        let url = self.needed(section, "url").and_then(|(url, line)| {
            let allowed = url.starts_with("https://") || (local && is_local_url(&url));
            if !allowed {
                let message =
                    "`url` must be an https address (plain http only with `local = true`, to 127.0.0.1 or localhost)";
                self.mistake(line, message);
            }
            allowed.then_some(url)
        });
        let secret = self.needed(section, "secret");
        let secret = self.secret("secret", secret);
        Some(Transport::Https { url: url?, secret: secret? })
    }

    fn sqs(&mut self, section: &mut Section<'_, '_>, local: bool) -> Option<Transport> {
        let queue_url = self.needed(section, "queue_url").and_then(|(url, line)| {
            let allowed = url.starts_with("https://") || (local && is_local_url(&url));
            if !(allowed && url.ends_with(".fifo")) {
                self.mistake(line, "`queue_url` must be the https address of a FIFO queue (its name ends in .fifo)");
                return None;
            }
            Some(url)
        });
        let sender_id = self.needed(section, "sender_id").and_then(|(text, line)| {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                self.mistake(
                    line,
                    "`sender_id` must be the unique id of the bot's IAM role (AROA…) or user (AIDA…), or an account id",
                );
                return None;
            }
            Some(text)
        });
        Some(Transport::Sqs { queue_url: queue_url?, sender_id: sender_id? })
    }
}

/// Whether an address is http to this very machine.
fn is_local_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[workspace]]
app_id = "abc123"
webhook_path = "acme-7f3k2q"
region = "eu"
client_secret = "secret:acme"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "demo"
[workspace.handover]
default_team = "500001"

[[bot]]
id = "demo"
transport = "https"
url = "https://bot.example/events"
secret = "secret:demo"
"#;

    #[test]
    fn a_good_file_is_read() {
        let settings = parse(GOOD).unwrap();
        let workspace = settings.workspaces.values().next().unwrap();
        assert_eq!(workspace.api_url, "https://api.eu.intercom.io");
        assert_eq!(workspace.api_version.to_string(), "2.15");
        assert_eq!(workspace.settle_ms, 30_000);
        assert_eq!(workspace.handover.default, Some(Assignee::Team(TeamId::parse("500001").unwrap())));
        assert!(!settings.local);
    }

    #[test]
    fn every_mistake_is_reported_at_once_with_its_line() {
        let text = r#"
[[workspace]]
app_id = "a b"
webhook_path = "short"
region = "mars"
api_version = "2.9"
previous_client_secret = "dG9rZW4="
bot_teammate = 900001
bot_teams = ["500009", 7]
bot = "nobody"
reopend = "bot"
[workspace.handover]
default_team = "1"
default_teammate = "2"

[[bot]]
id = "demo"
transport = "http"
"#;
        let mistakes = parse(text).unwrap_err();
        let found: Vec<(usize, &str)> =
            mistakes.0.iter().map(|mistake| (mistake.line, mistake.message.as_str())).collect();
        let expected = [
            (2, "needs `client_secret`"),
            (3, "`app_id`"),
            (4, "`webhook_path`"),
            (5, "`region`"),
            (6, "`api_version`"),
            (7, "must name a secret"),
            (8, "`bot_teammate` must be a text"),
            (9, "`bot_teams`"),
            (10, "no valid [[bot]]"),
            (11, "`reopend` is no setting"),
            (13, "not both"),
            (18, "`transport`"),
        ];
        assert_eq!(found.len(), expected.len(), "{mistakes}");
        for ((line, message), (expected_line, words)) in found.iter().zip(expected) {
            assert!(
                *line == expected_line && message.contains(words),
                "expected {expected_line}: {words}, got {line}: {message}"
            );
        }
        assert!(!mistakes.to_string().contains("dG9rZW4="), "a secret was repeated");
    }

    #[test]
    fn a_bot_that_cannot_be_reached_is_waited_for_at_most_as_long_as_its_events_are_tried() {
        let minutes = |text: &str| parse(text).map(|settings| settings.bots.into_values().next().unwrap());
        assert_eq!(minutes(GOOD).unwrap().handover_after_minutes, 10);
        let set = |value: &str| minutes(&format!("{GOOD}handover_after_minutes = {value}\n"));
        assert_eq!(set("4320").unwrap().handover_after_minutes, 4_320);
        for bad in ["0", "4321", "\"10\""] {
            assert!(set(bad).unwrap_err().to_string().contains("from 1 to 4320"), "{bad}");
        }
    }

    #[test]
    fn a_file_that_is_no_toml_says_where() {
        let mistakes = parse("local = true\nx = = 1\n").unwrap_err();
        assert_eq!(mistakes.0[0].line, 2);
    }

    #[test]
    fn an_empty_file_lacks_everything() {
        let mistakes = parse("").unwrap_err();
        assert!(mistakes.to_string().contains("[[workspace]]") && mistakes.to_string().contains("[[bot]]"));
    }

    #[test]
    fn plain_http_is_for_one_machine_only() {
        let http = GOOD.replace("https://bot.example/events", "http://127.0.0.1:4030/events");
        assert!(parse(&http).is_err());
        assert!(parse(&format!("local = true\n{http}")).is_ok());
        let elsewhere = GOOD.replace("https://bot.example/events", "http://127.0.0.1.evil.example/events");
        assert!(parse(&format!("local = true\n{elsewhere}")).is_err());
    }

    #[test]
    fn what_is_the_bots_own_is_no_place_for_people_nor_for_other_bots() {
        for (old, new, line, words) in [
            ("default_team = \"500001\"", "default_team = \"500009\"", 11, "must be people"),
            ("default_team = \"500001\"", "default_teammate = \"900001\"", 11, "must be people"),
            ("bot = \"demo\"", "bot = \"demo\"\nmonitor = \"500009\"", 10, "`monitor` names the bot's own"),
            ("bot = \"demo\"", "bot = \"demo\"\nother_bots = [\"1\",\n\"900001\"]", 11, "of other apps"),
            ("bot = \"demo\"", "bot = \"dmeo\"", 9, "there is \"demo\""),
        ] {
            let mistakes = parse(&GOOD.replacen(old, new, 1)).unwrap_err();
            assert_eq!(mistakes.0.len(), 1, "{mistakes}");
            assert!(mistakes.0[0].line == line && mistakes.0[0].message.contains(words), "{mistakes}");
        }
    }

    #[test]
    fn a_mistake_hides_no_other() {
        let rules = "[workspace.rules]\n[[workspace.rules.rule]]\naction = \"nothing\"\n\
                     [[workspace.rules.rule]]\naction = \"send\"\nteam = \"500009\"\n\n[[bot]]";
        let text = GOOD.replace("app_id = \"abc123\"", "app_id = \"a b\"").replace("[[bot]]", rules);
        let text = text.replace("default_team = \"500001\"", "default_team = \"500009\"");
        let mistakes = parse(&text).unwrap_err();
        let found: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(found, [3, 11, 16, 18], "{mistakes}");
    }
}
