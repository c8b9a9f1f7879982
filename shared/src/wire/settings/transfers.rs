//! `[[workspace.transfer]]`: bots whose own chats are handed over to the workspace's people, by which
//! channels and to whom, and how long who is waited for.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{MAX_MINUTES, Reader, Section};
use crate::domain::ids::AdminId;
use crate::domain::ids::{BotId, TeamId};
use crate::domain::part::Assignee;
use crate::domain::settings::{Bot, Workspace};
use crate::domain::transfer::{Again, Outcome, Patience, TimeOut, TransferSettings, WhenAway};

impl Reader<'_> {
    pub(super) fn transfers(
        &mut self,
        workspace: &mut Section<'_, '_>,
        bots: &BTreeMap<BotId, Bot>,
    ) -> Vec<TransferSettings> {
        let mut transfers: Vec<TransferSettings> = Vec::new();
        for mut section in self.tables(workspace, "transfer", "[[workspace.transfer]]") {
            let line = section.line;
            let Some(transfer) = self.transfer(&mut section, bots) else { continue };
            if transfers.iter().any(|other| other.bot == transfer.bot) {
                self.mistake(line, format!("there are two [[workspace.transfer]] of the bot \"{}\"", transfer.bot));
            } else if transfer.default && transfers.iter().any(|other| other.default) {
                self.mistake(line, "only one [[workspace.transfer]] of a workspace can be the `default`");
            }
            transfers.push(transfer);
        }
        transfers
    }

    /// What only the whole workspace tells: chats go to people.
    pub(super) fn check_transfers(&mut self, workspace: &Workspace, line: usize) {
        let targets = workspace.transfers.iter().flat_map(|transfer| transfer.channels.values());
        if targets.into_iter().any(|target| workspace.is_bots(target)) {
            self.mistake(line, "[workspace.transfer.channels] names the bot's own team; chats go to people");
        }
    }

    fn transfer(&mut self, section: &mut Section<'_, '_>, bots: &BTreeMap<BotId, Bot>) -> Option<TransferSettings> {
        let bot = self.bot_of(section, bots);
        let default = self.boolean(section, "default", false);
        let when_away = self.when_away(section);
        let again = match self.text(section, "reopened") {
            None => Again::default(),
            Some((text, _)) if text == "relay" => Again::Relay,
            Some((text, _)) if text == "stay" => Again::Stay,
            Some((_, line)) => {
                self.mistake(line, "`reopened` must be \"relay\" or \"stay\"");
                Again::default()
            }
        };
        let channels = self.mapped(section);
        let mut time_outs = BTreeMap::new();
        for patience in Patience::ALL {
            let key = patience.as_str();
            let name = match patience {
                Patience::Nobody => "[workspace.transfer.nobody]",
                Patience::Teammate => "[workspace.transfer.teammate]",
                Patience::Customer => "[workspace.transfer.customer]",
            };
            if let Some(mut table) = self.subsection(section, key, name) {
                time_outs.extend(self.time_out(&mut table, patience).map(|out| (key, out)));
                self.close(&table);
            }
        }
        self.close(section);
        Some(TransferSettings { bot: bot?, default, channels: channels?, when_away, again, time_outs })
    }

    fn when_away(&mut self, section: &mut Section<'_, '_>) -> WhenAway {
        let promise = self.words(section, "promise");
        match self.text(section, "availability") {
            None => WhenAway::Ignore,
            Some((text, _)) if text == "ignore" => WhenAway::Ignore,
            Some((text, _)) if text == "refuse" => WhenAway::Refuse,
            Some((text, line)) if text == "promise" => promise.map_or_else(
                || {
                    self.mistake(line, "`availability = \"promise\"` needs `promise`, what the customer is told");
                    WhenAway::Ignore
                },
                WhenAway::Promise,
            ),
            Some((_, line)) => {
                self.mistake(line, "`availability` must be \"ignore\", \"promise\" or \"refuse\"");
                WhenAway::Ignore
            }
        }
    }

    /// To whom each channel's chats go.
    fn mapped(&mut self, section: &mut Section<'_, '_>) -> Option<BTreeMap<String, Assignee>> {
        let line = section.line;
        let Some(table) = self.subsection(section, "channels", "[workspace.transfer.channels]") else {
            self.mistake(line, "[[workspace.transfer]] needs [workspace.transfer.channels]: no channel is handed over");
            return None;
        };
        let mut channels = BTreeMap::new();
        for (channel, value) in table.table {
            let line = self.lines.line(&value.span());
            let target = match value.get_ref() {
                DeValue::String(text) => target_of(text),
                _ => None,
            };
            match target {
                Some(target) => {
                    channels.insert(channel.get_ref().to_string(), target);
                }
                None => self.mistake(
                    line,
                    format!(
                        "the channel `{}` must go to \"team:ID\", \"teammate:ID\" or \"unassigned\"",
                        channel.get_ref()
                    ),
                ),
            }
        }
        if table.table.is_empty() {
            self.mistake(table.line, "[workspace.transfer.channels] maps no channel; nothing could be handed over");
        }
        Some(channels)
    }

    fn time_out(&mut self, section: &mut Section<'_, '_>, patience: Patience) -> Option<TimeOut> {
        // Seconds are for stacks on one machine, whose clock cannot be turned.
        let seconds = self.number(section, "after_seconds", 1..=MAX_MINUTES * 60);
        let minutes = self.number(section, "after_minutes", 1..=MAX_MINUTES);
        let after_ms = match (minutes, seconds) {
            (Some(minutes), None) => Some(minutes.saturating_mul(60_000)),
            (None, Some(seconds)) => Some(seconds.saturating_mul(1_000)),
            (Some(_), Some(_)) => {
                self.mistake(
                    section.line,
                    format!("{}: set `after_minutes` or `after_seconds`, not both", section.name),
                );
                None
            }
            (None, None) => {
                self.mistake(section.line, format!("{} needs `after_minutes`", section.name));
                None
            }
        };
        let message = self.words(section, "message");
        let (text, line) = self.needed(section, "then")?;
        let then = match text.as_str() {
            "bot" => Some(Outcome::Bot),
            "close" => Some(Outcome::Close),
            "keep" => Some(Outcome::Keep),
            other => match target_of(other) {
                Some(Assignee::Team(team)) if patience != Patience::Customer => Some(Outcome::Team(team)),
                _ => {
                    let teams = if patience == Patience::Customer { "" } else { ", or \"team:ID\"" };
                    self.mistake(line, format!("`then` must be \"bot\", \"close\" or \"keep\"{teams}"));
                    None
                }
            },
        };
        Some(TimeOut { after_ms: after_ms?, message, then: then? })
    }
}

/// `team:ID`, `teammate:ID` or `unassigned`.
fn target_of(text: &str) -> Option<Assignee> {
    match text.split_once(':') {
        Some(("team", id)) => TeamId::parse(id).ok().map(Assignee::Team),
        Some(("teammate", id)) => AdminId::parse(id).ok().map(Assignee::Teammate),
        None if text == "unassigned" => Some(Assignee::Nobody),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::ids::TeamId;
    use crate::domain::part::Assignee;
    use crate::domain::transfer::{Again, Outcome, Patience, WhenAway};
    use crate::wire::settings::parse;

    fn file(transfer: &str) -> String {
        format!(
            r#"
[[workspace]]
app_id = "abc123"
webhook_path = "acme-7f3k2q"
region = "eu"
client_secret = "secret:acme"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "demo"
{transfer}
[[bot]]
id = "demo"
transport = "https"
url = "https://bot.example/events"
secret = "secret:demo"
"#
        )
    }

    const GOOD: &str = r#"
[[workspace.transfer]]
bot = "demo"
default = true
availability = "promise"
promise = "We answer in the morning."
reopened = "stay"
[workspace.transfer.channels]
web = "team:500001"
"*" = "unassigned"
[workspace.transfer.nobody]
after_minutes = 5
message = "Everybody is busy."
then = "team:500002"
[workspace.transfer.customer]
after_minutes = 60
then = "close"
"#;

    #[test]
    fn channels_go_to_whom_they_are_mapped_and_to_nobody_else() {
        let settings = parse(&file(GOOD)).unwrap();
        let workspace = settings.workspaces.values().next().unwrap();
        let transfer = workspace.transfer(&workspace.bot).unwrap();
        assert!(transfer.default && transfer.again == Again::Stay);
        assert_eq!(transfer.target("web"), Some(&Assignee::Team(TeamId::parse("500001").unwrap())));
        assert_eq!(transfer.target("sms"), Some(&Assignee::Nobody));
        assert_eq!(transfer.when_away, WhenAway::Promise("We answer in the morning.".to_owned()));
        let nobody = transfer.time_out(Patience::Nobody).unwrap();
        assert_eq!((nobody.after_ms, &nobody.then), (300_000, &Outcome::Team(TeamId::parse("500002").unwrap())));
        assert_eq!(transfer.time_out(Patience::Teammate), None);
        let only_web = file(&GOOD.replace("\"*\" = \"unassigned\"\n", ""));
        let settings = parse(&only_web).unwrap();
        let workspace = settings.workspaces.values().next().unwrap();
        assert_eq!(workspace.transfer(&workspace.bot).unwrap().target("sms"), None);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        for (from, to, words) in [
            ("bot = \"demo\"\ndefault", "bot = \"nobody\"\ndefault", "no valid [[bot]]"),
            ("\"promise\"\npromise", "\"perhaps\"\npromise", "`availability` must be"),
            ("promise = \"We answer in the morning.\"\n", "", "needs `promise`"),
            ("\"stay\"", "\"leave\"", "`reopened` must be"),
            ("\"team:500001\"", "\"500001\"", "the channel `web` must go to"),
            ("\"team:500001\"", "\"team:500009\"", "chats go to people"),
            ("after_minutes = 5", "after_minutes = 0", "`after_minutes` must be"),
            ("after_minutes = 5\n", "", "needs `after_minutes`"),
            ("then = \"close\"", "then = \"team:500002\"", "`then` must be"),
            ("message = ", "mesage = ", "`mesage` is no setting"),
        ] {
            let good = file(GOOD);
            assert!(good.contains(from), "{from}");
            let mistakes = parse(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(mistakes.contains(words), "{words}: {mistakes}");
        }
        let twice = parse(&file(&format!("{GOOD}{GOOD}"))).unwrap_err().to_string();
        assert!(twice.contains("two [[workspace.transfer]]"), "{twice}");
        let unmapped = parse(&file("[[workspace.transfer]]\nbot = \"demo\"\n")).unwrap_err().to_string();
        assert!(unmapped.contains("needs [workspace.transfer.channels]"), "{unmapped}");
    }
}
