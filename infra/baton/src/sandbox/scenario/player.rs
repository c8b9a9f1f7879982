//! Plays a scenario: does what its steps say, one after the other, and waits for what must be.
//!
//! Nothing is waited for by the clock alone: a step that must come true is over as soon as it
//! is. What a step does goes through the control API (`hands`), what it sees is in `expect`.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::Shared;
use super::super::journal::Wanted;
use super::cast::Cast;
use super::chat::ChatSight;
use super::deeds;
use super::expect::{self, Finding};
use super::hands::Hands;
use super::invariants;
use super::runs::{Outcome, Run};
use super::script::{Deed, Scenario, Step};
use super::sight::Sight;

/// How often things are looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(120);
/// How long nothing must move until all counts as over.
const QUIET: Duration = Duration::from_millis(1_800);
/// How many conversations are begun elsewhere until one has the id that is wanted.
const TRIES_FOR_AN_ID: usize = 500;
/// How long the end waits for what must hold in every scenario, in seconds.
const END_WITHIN_SECONDS: u64 = 60;

/// Begins to play; the run's number. None when the workspace is not there or has no token.
///
/// # Errors
/// In words, when no HTTP client can be made.
pub(crate) fn play(
    shared: &Arc<Shared>,
    app_id: &str,
    name: &str,
    scenario: Arc<Scenario>,
) -> Result<Option<u64>, String> {
    let Some(cast) = cast_of(shared, app_id) else { return Ok(None) };
    let hands = Hands::new(&shared.base_url)?;
    let (number, run) = shared.scenarios.runs.open(name, app_id);
    let (app_id, cast) = (app_id.to_owned(), Arc::new(cast));
    let player = Player {
        shared: shared.clone(),
        app_id,
        cast,
        hands,
        scenario,
        run,
        conversations: BTreeMap::new(),
        chats: BTreeMap::new(),
        faults: Vec::new(),
    };
    tokio::spawn(player.play());
    Ok(Some(number))
}

/// The people of a workspace; none when it is not there or has no token.
fn cast_of(shared: &Shared, app_id: &str) -> Option<Cast> {
    let bot = shared.workspaces.get(app_id)?.seed.access_tokens.first()?.admin_id.parse().ok()?;
    Some(Cast::of(&*shared.workspace(app_id)?, bot))
}

/// A conversation of a scenario, and who is who there.
#[derive(Debug, Clone)]
struct Place {
    app_id: String,
    cast: Arc<Cast>,
    id: u64,
}

impl Place {
    fn path(&self, rest: &str) -> String {
        format!("/{}/conversations/{}{rest}", self.app_id, self.id)
    }

    /// What the logs say of it.
    fn wanted(&self) -> Wanted {
        Wanted::about(&self.app_id, self.id)
    }
}

struct Player {
    shared: Arc<Shared>,
    app_id: String,
    cast: Arc<Cast>,
    hands: Hands,
    scenario: Arc<Scenario>,
    run: Arc<Mutex<Run>>,
    /// By the scenario's names for them.
    conversations: BTreeMap<String, Place>,
    /// The chats on the bot platform, by the same names.
    chats: BTreeMap<String, String>,
    /// The faults that were asked for, by their ids.
    faults: Vec<String>,
}

impl Player {
    async fn play(mut self) {
        let scenario = self.scenario.clone();
        let mut good = true;
        for step in &scenario.steps {
            self.note(|run| run.begin(step.deed.to_string()));
            let finding = self.step(step).await;
            good = finding.is_ok();
            self.note(|run| run.end(finding));
            if !good {
                break;
            }
        }
        if good {
            self.note(|run| run.begin("what must hold in every scenario, holds".to_owned()));
            let finding = self.end().await;
            good = finding.is_ok();
            self.note(|run| run.end(finding));
        }
        for fault in std::mem::take(&mut self.faults) {
            // Those that have struck as often as they were to are not there any more.
            drop(self.hands.delete(&format!("/faults/{fault}")).await);
        }
        self.note(|run| run.finish(if good { Outcome::Passed } else { Outcome::Failed }));
    }

    fn note(&self, what: impl FnOnce(&mut Run)) {
        what(&mut self.run.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn step(&mut self, step: &Step) -> Finding {
        if let Some(finding) = self.in_chat(step).await {
            return finding;
        }
        let elsewhere = matches!(
            step.deed,
            Deed::Control { .. } | Deed::ClockMoves { .. } | Deed::PauseSeconds { .. } | Deed::QuietWithin { .. }
        );
        let in_a_chat = self.chats.contains_key(&step.conversation);
        if in_a_chat && !elsewhere && !self.conversations.contains_key(&step.conversation) {
            self.meet(&step.conversation).await?;
        }
        match &step.deed {
            Deed::CustomerWrites { customer_writes, files, quoted, times } => {
                for n in 1..=*times {
                    let words = customer_writes.replace("{n}", &n.to_string());
                    let words = self.cast.fill_in(&words, self.shared.clock.now())?;
                    let mut body = json!({"body": words, "attachments": files});
                    if let Some(quoted) = quoted {
                        body["quoted"] = json!(quoted);
                    }
                    self.customer_writes(&step.conversation, body).await?;
                }
                Ok(())
            }
            Deed::TeammateStarts { teammate_starts, by, to } => {
                let mut body = json!({"admin_id": self.cast.teammate(by)?, "body": teammate_starts});
                if let Some(to) = to {
                    let found = self.hands.get(&format!("/{}/people?q={to}&limit=1", self.app_id)).await?;
                    body["contact_id"] = found["people"][0]["id"].clone();
                }
                self.begin(&step.conversation, body).await
            }
            Deed::TeammateNotes { teammate_notes, by, times } => {
                let place = self.place(step)?;
                for n in 1..=*times {
                    let words = teammate_notes.replace("{n}", &n.to_string());
                    let body = json!({"admin_id": place.cast.teammate(by)?, "action": "note", "body": words});
                    self.hands.post(&place.path("/teammate"), &body).await?;
                }
                Ok(())
            }
            Deed::SameIdElsewhere { same_id_elsewhere } => self.begin_elsewhere(step, same_id_elsewhere).await,
            Deed::Redacted { redacted } => self.redact(step, redacted).await,
            Deed::CustomerPresses { customer_presses } => self.press(step, customer_presses).await,
            Deed::Control { control, body } => self.control(step, control, body).await,
            Deed::ClockMoves { clock_moves } => {
                self.hands.post("/clock", &json!({"advance_seconds": clock_moves})).await.map(drop)
            }
            Deed::PauseSeconds { pause_seconds } => {
                tokio::time::sleep(seconds(*pause_seconds)).await;
                Ok(())
            }
            Deed::QuietWithin { quiet_within } => self.quiet(*quiet_within).await,
            Deed::BotIsSilentFor { bot_is_silent_for } => self.bot_is_silent(step, seconds(*bot_is_silent_for)).await,
            Deed::IntercomAnswered { intercom_answered, with, within } => {
                let place = self.place(step)?;
                let look = async || expect::answered(&self.requests(&place, intercom_answered), with);
                self.until(*within, look).await
            }
            Deed::WebhooksAnswered { webhooks_answered, with, within } => {
                let place = self.place(step)?;
                let look = async || expect::answered(&self.deliveries(&place, webhooks_answered), with);
                self.until(*within, look).await
            }
            deed => self.deed_or_look(step, deed).await,
        }
    }

    /// A step that one request does, or that looks at the conversation.
    async fn deed_or_look(&mut self, step: &Step, deed: &Deed) -> Finding {
        let id = self.conversations.get(&step.conversation).map(|place| place.id);
        if let Some(fault) = deeds::fault(deed, &self.app_id, id, self.scenario.alone)? {
            let added = self.hands.post("/faults", &fault).await?;
            self.faults.extend(added["id"].as_u64().map(|id| id.to_string()));
            return Ok(());
        }
        let place = self.place(step)?;
        if let Some((method, path, body)) = deeds::request(deed, &place.cast, self.shared.clock.now())? {
            return self.hands.send(method, &place.path(path), &body).await.map(drop);
        }
        let patience = expect::patience(deed).ok_or("this step cannot be played")?;
        self.until(patience, async || expect::look(deed, &self.sight(&place).await?, &place.cast)).await
    }

    // ── What people do ──────────────────────────────────────────────────────────────────────

    async fn customer_writes(&mut self, conversation: &str, mut body: Value) -> Finding {
        if let Some(place) = self.conversations.get(conversation) {
            return self.hands.post(&place.path("/customer"), &body).await.map(drop);
        }
        if !self.scenario.customer.is_empty() {
            body["contact_name"] = json!(self.scenario.customer);
        }
        if self.scenario.by_email {
            body["email"] = json!({"subject": self.scenario.title});
        }
        self.begin(conversation, body).await
    }

    async fn begin(&mut self, conversation: &str, body: Value) -> Finding {
        if self.scenario.steps.iter().any(|step| matches!(step.deed, Deed::SameIdElsewhere { .. })) {
            self.get_ahead_of(&self.elsewhere()?).await?;
        }
        let id = self.begun(&self.app_id, &body).await?;
        let place = Place { app_id: self.app_id.clone(), cast: self.cast.clone(), id };
        self.conversations.insert(conversation.to_owned(), place);
        self.note(|run| run.plays_in(id));
        Ok(())
    }

    async fn begun(&self, app_id: &str, body: &Value) -> Result<u64, String> {
        let begun = self.hands.post(&format!("/{app_id}/conversations"), body).await?;
        let id = begun["conversation_id"].as_str().and_then(|id| id.parse().ok());
        id.ok_or_else(|| format!("no conversation was begun: {begun}"))
    }

    fn elsewhere(&self) -> Result<String, String> {
        let other = self.shared.workspaces.keys().find(|app_id| **app_id != self.app_id).cloned();
        other.ok_or_else(|| "there is no other workspace".to_owned())
    }

    /// Begins conversations until the other workspace has not reached the ids that come next here.
    async fn get_ahead_of(&self, other: &str) -> Finding {
        let body = json!({"body": "Nothing happens here."});
        let reached = self.begun(other, &body).await?;
        for _ in 0..TRIES_FOR_AN_ID {
            if self.begun(&self.app_id, &body).await? >= reached {
                return Ok(());
            }
        }
        Err(format!("this workspace is more than {TRIES_FOR_AN_ID} conversations behind"))
    }

    /// Workspaces number their conversations for themselves, so that the same ids come up.
    async fn begin_elsewhere(&mut self, step: &Step, words: &str) -> Finding {
        let wanted = self.conversations.get("main").ok_or("the conversation has not begun")?.id;
        let app_id = self.elsewhere()?;
        let cast = cast_of(&self.shared, &app_id).ok_or("the other workspace has no access token")?;
        let place = Place { app_id, cast: Arc::new(cast), id: wanted };
        for _ in 0..TRIES_FOR_AN_ID {
            let id = self.begun(&place.app_id, &json!({"body": words})).await?;
            if id >= wanted {
                self.conversations.insert(step.conversation.clone(), place);
                let is_same = (id == wanted).then_some(());
                return is_same.ok_or_else(|| "the other workspace has given that id away".to_owned());
            }
        }
        Err(format!("the other workspace is more than {TRIES_FOR_AN_ID} conversations behind"))
    }

    async fn control(&self, step: &Step, control: &str, body: &toml::Table) -> Finding {
        let id = self.conversations.get(&step.conversation).map(|place| place.id.to_string()).unwrap_or_default();
        let filled = |text: &str| {
            let text = text.replace("{id}", &id).replace("{app_id}", &self.app_id);
            self.cast.fill_in(&text, self.shared.clock.now())
        };
        let body = serde_json::from_str(&filled(&json!(body).to_string())?).map_err(|error| error.to_string())?;
        let (method, path) = control.split_once(' ').ok_or("`control` must be such as `POST /clock`")?;
        self.hands.send(method, &filled(path)?, &body).await.map(drop)
    }

    async fn press(&self, step: &Step, label: &str) -> Finding {
        let place = self.place(step)?;
        let sight = self.sight(&place).await?;
        let uuid = sight.offered(label).ok_or_else(|| format!("no button reads “{label}”"))?;
        self.hands.post(&place.path("/customer"), &json!({"quick_reply_uuid": uuid})).await.map(drop)
    }

    async fn redact(&self, step: &Step, words: &str) -> Finding {
        let place = self.place(step)?;
        let sight = self.sight(&place).await?;
        let newest = sight.entries.iter().rev().find(|entry| entry.text.contains(words));
        let part_id = newest.ok_or_else(|| format!("nothing says “{words}”"))?.id;
        self.hands.post(&place.path("/redact"), &json!({"part_id": part_id})).await.map(drop)
    }

    // ── Chats on the bot platform ───────────────────────────────────────────────────────────

    /// A step in a chat, or one that looks at it; none for any other step.
    async fn in_chat(&mut self, step: &Step) -> Option<Finding> {
        Some(match &step.deed {
            Deed::ChatBegins { chat_begins, who } => self.chat_begins(step, chat_begins, who).await,
            Deed::ChatWrites { chat_writes, files, times } => {
                let mut finding = Ok(());
                for n in 1..=*times {
                    let words = chat_writes.replace("{n}", &n.to_string());
                    let file = |file: &String| match file.contains("://") {
                        true => json!({"url": file}),
                        false => json!({"sample": file}),
                    };
                    let files: Vec<Value> = files.iter().map(file).collect();
                    finding = match self.cast.fill_in(&words, self.shared.clock.now()) {
                        Ok(words) => self.asks(step, "/messages", &json!({"text": words, "files": files})).await,
                        Err(why) => Err(why),
                    };
                    if finding.is_err() {
                        break;
                    }
                }
                finding
            }
            Deed::ChatPresses { chat_presses } => match self.chat(&step.conversation).await {
                Ok(chat) => match chat.offered(chat_presses) {
                    Some(value) => {
                        let body = json!({"text": chat_presses, "choice": {"value": value}});
                        self.asks(step, "/messages", &body).await
                    }
                    None => Err(format!("no button reads “{chat_presses}”")),
                },
                Err(why) => Err(why),
            },
            Deed::ChatRemoves { chat_removes } => match self.chat(&step.conversation).await {
                Ok(chat) => match chat.written(chat_removes) {
                    Some(line) => self.asks(step, "/remove", &json!({"n": line.number})).await,
                    None => Err(format!("the customer has not written “{chat_removes}”")),
                },
                Err(why) => Err(why),
            },
            Deed::ChatEndedBy { chat_ended_by } if chat_ended_by == "customer" => {
                self.asks(step, "/end", &json!({})).await
            }
            Deed::ChatEndedBy { .. } => Err("a chat is ended by the `customer`".to_owned()),
            deed @ (Deed::ChatShows { within, .. } | Deed::ChatSees { within, .. } | Deed::ChatIs { within, .. }) => {
                self.until(*within, async || self.chat(&step.conversation).await?.look(deed)).await
            }
            _ => return None,
        })
    }

    async fn chat_begins(&mut self, step: &Step, channel: &str, who: &toml::Table) -> Finding {
        let begun = self.hands.post("/bot/sessions", &json!({"channel": channel, "customer": who})).await?;
        let id = begun["id"].as_str().ok_or("the bot platform began no chat")?;
        self.chats.insert(step.conversation.clone(), id.to_owned());
        Ok(())
    }

    /// Something that the customer does in a chat.
    async fn asks(&self, step: &Step, what: &str, body: &Value) -> Finding {
        let id = self.chat_id(&step.conversation)?;
        self.hands.post(&format!("/bot/sessions/{id}{what}"), body).await.map(drop)
    }

    async fn chat(&self, name: &str) -> Result<ChatSight, String> {
        let id = self.chat_id(name)?;
        Ok(ChatSight::read(&self.hands.get(&format!("/bot/sessions/{id}")).await?))
    }

    fn chat_id(&self, name: &str) -> Result<&str, String> {
        self.chats.get(name).map(String::as_str).ok_or_else(|| format!("the chat {name:?} has not begun"))
    }

    /// The conversation that is opened for a chat, once it is.
    async fn meet(&mut self, name: &str) -> Finding {
        let opened = async || match self.chat(name).await?.conversation_id {
            Some(_) => Ok(()),
            None => Err("no conversation was opened for the chat".to_owned()),
        };
        self.until(END_WITHIN_SECONDS, opened).await?;
        let id = self.chat(name).await?.conversation_id.ok_or("no conversation was opened for the chat")?;
        let place = Place { app_id: self.app_id.clone(), cast: self.cast.clone(), id };
        self.conversations.insert(name.to_owned(), place);
        self.note(|run| run.plays_in(id));
        Ok(())
    }

    // ── What must be ────────────────────────────────────────────────────────────────────────

    /// Looks until it is true; when time is up, says what is the case instead.
    async fn until<F: Future<Output = Finding>>(&self, wait_seconds: u64, look: impl Fn() -> F) -> Finding {
        let due = Instant::now() + Duration::from_secs(wait_seconds);
        loop {
            let finding = look().await;
            if finding.is_ok() || Instant::now() > due {
                return finding.map_err(|is| format!("after {wait_seconds} s: {is}"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn bot_is_silent(&self, step: &Step, time: Duration) -> Finding {
        let place = self.place(step)?;
        let before = self.sight(&place).await?.said_by_bot().count();
        let over = Instant::now() + time;
        while Instant::now() < over {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(entry) = self.sight(&place).await?.said_by_bot().nth(before) {
                return Err(format!("it said “{}”", entry.text));
            }
        }
        Ok(())
    }

    /// Waits until every webhook of these conversations has been tried and nothing has moved
    /// for a while.
    async fn quiet(&self, wait_seconds: u64) -> Finding {
        let due = Instant::now() + Duration::from_secs(wait_seconds);
        let (mut mark, mut since) = (None, Instant::now());
        loop {
            let mut told = 0;
            for name in self.chats.keys() {
                told += self.chat(name).await?.version;
            }
            let now = self.mark().map(|moved| (moved, told));
            if now.is_none() || now != mark {
                (mark, since) = (now, Instant::now());
            } else if since.elapsed() >= QUIET {
                return Ok(());
            }
            if Instant::now() > due {
                return Err(format!("after {wait_seconds} s there is still something under way"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A mark that changes with every request and delivery; none while a webhook is to come.
    fn mark(&self) -> Option<(usize, usize)> {
        let mut moved = (0, 0);
        for place in self.conversations.values() {
            let delivered = self.shared.journal.deliveries(&place.wanted()).0;
            let tried: BTreeSet<&str> = delivered.iter().filter_map(|one| one["notification_id"].as_str()).collect();
            let workspace = self.shared.workspace(&place.app_id)?;
            let events = workspace.events.iter().filter(|event| event.conversation_id == place.id);
            let mut due = events.filter(|event| event.entry["subscribed"] == json!(true));
            if due.any(|event| event.entry["notification_id"].as_str().is_none_or(|id| !tried.contains(id))) {
                return None;
            }
            drop(workspace);
            moved.0 += delivered.len();
            moved.1 += self.shared.journal.requests(&place.wanted()).0.len();
        }
        Some(moved)
    }

    /// What must hold in every scenario, and what this one says of its end.
    async fn end(&self) -> Finding {
        self.quiet(END_WITHIN_SECONDS).await?;
        for (name, place) in &self.conversations {
            if self.is_deleted(place) {
                continue;
            }
            let look = async || none_of(invariants::missing(&self.sight(place).await?, &place.cast));
            self.until(END_WITHIN_SECONDS, look).await?;
            self.quiet(END_WITHIN_SECONDS).await?;
            let sight = self.sight(place).await?;
            none_of(invariants::broken(&sight, &place.cast, self.scenario.bot_repeats_itself))?;
            if name == "main" && !self.scenario.customer_has_seen.is_empty() {
                expect::customer_sees(&sight, &place.cast, &self.scenario.customer_has_seen)?;
            }
        }
        for name in self.chats.keys() {
            self.until(END_WITHIN_SECONDS, async || none_of(self.chat(name).await?.missing())).await?;
            let chat = self.chat(name).await?;
            if let Some(place) = self.conversations.get(name).filter(|place| !self.is_deleted(place)) {
                none_of(chat.broken(&self.sight(place).await?))?;
            }
        }
        Ok(())
    }

    // ── Looking ─────────────────────────────────────────────────────────────────────────────

    async fn sight(&self, place: &Place) -> Result<Sight, String> {
        Ok(Sight::read(&self.hands.get(&place.path("")).await?, &place.cast))
    }

    /// The answers to the requests of a kind, such as `POST /reply`, about a conversation.
    fn requests(&self, place: &Place, kind: &str) -> Vec<u16> {
        let (method, rest) = kind.split_once(' ').unwrap_or((kind, ""));
        let path = format!("/conversations/{}{rest}", place.id);
        let is_wanted = |one: &&Value| one["method"] == json!(method) && one["path"] == json!(path);
        self.shared.journal.requests(&place.wanted()).0.iter().filter(is_wanted).map(status).collect()
    }

    fn deliveries(&self, place: &Place, topic: &str) -> Vec<u16> {
        let is_wanted = |one: &&Value| one["topic"] == json!(topic);
        self.shared.journal.deliveries(&place.wanted()).0.iter().filter(is_wanted).map(status).collect()
    }

    fn is_deleted(&self, place: &Place) -> bool {
        let workspace = self.shared.workspace(&place.app_id);
        workspace.is_none_or(|workspace| !workspace.conversations.contains_key(&place.id))
    }

    fn place(&self, step: &Step) -> Result<Place, String> {
        let place = self.conversations.get(&step.conversation).cloned();
        place.ok_or_else(|| format!("the conversation {:?} has not begun", step.conversation))
    }
}

fn none_of(findings: Vec<String>) -> Finding {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("; ")) }
}

fn status(entry: &Value) -> u16 {
    entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default()
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
