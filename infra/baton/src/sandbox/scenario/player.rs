//! Plays a scenario: does what its steps say, one after the other, and waits for what must be.
//!
//! Nothing is waited for by the clock alone: a step that must come true is over as soon as it
//! is. What a step does goes through the control API (`hands`), what it sees is in `expect`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::Shared;
use super::super::journal::Wanted;
use super::cast::{Cast, Owner};
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
    let bot = shared.workspaces.get(app_id).and_then(|one| one.seed.access_tokens.first()?.admin_id.parse().ok());
    let cast = bot.and_then(|bot| Some(Cast::of(&*shared.workspace(app_id)?, bot)));
    let Some(cast) = cast else { return Ok(None) };
    let hands = Hands::new(&shared.base_url)?;
    let (number, run) = shared.scenarios.runs.open(name, app_id);
    let app_id = app_id.to_owned();
    let conversations = BTreeMap::new();
    let player =
        Player { shared: shared.clone(), app_id, cast, hands, scenario, run, conversations, faults: Vec::new() };
    tokio::spawn(player.play());
    Ok(Some(number))
}

struct Player {
    shared: Arc<Shared>,
    app_id: String,
    cast: Cast,
    hands: Hands,
    scenario: Arc<Scenario>,
    run: Arc<Mutex<Run>>,
    /// By the scenario's names for them.
    conversations: BTreeMap<String, u64>,
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
        match &step.deed {
            Deed::CustomerWrites { customer_writes, files, times } => {
                for n in 1..=*times {
                    let words = customer_writes.replace("{n}", &n.to_string());
                    self.customer_writes(&step.conversation, &words, files).await?;
                }
                Ok(())
            }
            Deed::TeammateStarts { teammate_starts, by } => {
                let body = json!({"admin_id": self.cast.teammate(by)?, "body": teammate_starts});
                self.begin(&step.conversation, body).await
            }
            Deed::IntercomFails { .. } | Deed::WebhooksFail { .. } => self.fault(step).await,
            Deed::ClockMoves { clock_moves } => {
                self.hands.post("/clock", &json!({"advance_seconds": clock_moves})).await.map(drop)
            }
            Deed::PauseSeconds { pause_seconds } => {
                tokio::time::sleep(seconds(*pause_seconds)).await;
                Ok(())
            }
            Deed::Control { control, body } => self.control(step, control, body).await,
            Deed::QuietWithin { quiet_within } => self.quiet(*quiet_within).await,
            Deed::BotIsSilentFor { bot_is_silent_for } => self.bot_is_silent(step, seconds(*bot_is_silent_for)).await,
            deed => match self.deed_in_conversation(deed)? {
                Some((path, body)) => self.in_conversation(step, path, body).await,
                None => self.expect(step).await,
            },
        }
    }

    // ── What people do ──────────────────────────────────────────────────────────────────────

    async fn customer_writes(&mut self, conversation: &str, words: &str, files: &[String]) -> Finding {
        let mut body = json!({"body": self.cast.fill_in(words)?, "attachments": files});
        match self.conversations.get(conversation) {
            Some(id) => {
                let path = self.path(*id, "/customer");
                self.hands.post(&path, &body).await.map(drop)
            }
            None => {
                if !self.scenario.customer.is_empty() {
                    body["contact_name"] = json!(self.scenario.customer);
                }
                self.begin(conversation, body).await
            }
        }
    }

    async fn begin(&mut self, conversation: &str, body: Value) -> Finding {
        let begun = self.hands.post(&format!("/{}/conversations", self.app_id), &body).await?;
        let id = begun["conversation_id"].as_str().and_then(|id| id.parse().ok());
        let id: u64 = id.ok_or_else(|| format!("no conversation was begun: {begun}"))?;
        self.conversations.insert(conversation.to_owned(), id);
        self.note(|run| run.plays_in(id));
        Ok(())
    }

    /// A deed of people in a conversation, as the control API takes it; none when the step only
    /// looks at something.
    fn deed_in_conversation(&self, deed: &Deed) -> Result<Option<(&'static str, Value)>, String> {
        let by_teammate = |who: &str, action: &str, more: Value| {
            let mut body = json!({"admin_id": self.cast.teammate(who)?, "action": action});
            for (key, value) in more.as_object().into_iter().flatten() {
                body[key] = value.clone();
            }
            Ok::<_, String>(Some(("/teammate", body)))
        };
        match deed {
            Deed::TeammateReplies { teammate_replies, by } => {
                by_teammate(by, "reply", json!({"body": teammate_replies}))
            }
            Deed::TeammateNotes { teammate_notes, by } => by_teammate(by, "note", json!({"body": teammate_notes})),
            Deed::AssignedTo { assigned_to, by, saying } => {
                let assignee = match self.cast.find(assigned_to)? {
                    Owner::Teammate(id) => json!({"type": "admin", "id": id}),
                    Owner::Team(id) => json!({"type": "team", "id": id}),
                    Owner::Nobody => json!({"type": "nobody"}),
                };
                by_teammate(by, "assign", json!({"assignee": assignee, "body": saying}))
            }
            Deed::ClosedBy { closed_by, saying } => by_teammate(closed_by, "close", json!({"body": saying})),
            Deed::OpenedBy { opened_by } => by_teammate(opened_by, "open", json!({})),
            Deed::SnoozedBy { snoozed_by, seconds } => {
                let until = self.shared.clock.now() + seconds;
                by_teammate(snoozed_by, "snooze", json!({"snoozed_until": until}))
            }
            Deed::WokenBy { woken_by } => by_teammate(woken_by, "unsnooze", json!({})),
            Deed::WorkflowSays { workflow_says } => Ok(Some(("/operator", json!({"body": workflow_says})))),
            Deed::FinSays { fin_says } => Ok(Some(("/operator", json!({"body": fin_says, "from_ai_agent": true})))),
            Deed::CustomerRates { customer_rates, remark } => {
                Ok(Some(("/rating", json!({"rating": customer_rates, "remark": remark}))))
            }
            Deed::Tagged { tagged, by } => {
                Ok(Some(("/tag", json!({"name": tagged, "admin_id": self.cast.teammate(by)?}))))
            }
            _ => Ok(None),
        }
    }

    async fn in_conversation(&self, step: &Step, path: &str, body: Value) -> Finding {
        let path = self.path(self.conversation(step)?, path);
        self.hands.post(&path, &body).await.map(drop)
    }

    async fn control(&self, step: &Step, control: &str, body: &toml::Table) -> Finding {
        let id = self.conversations.get(&step.conversation).map(u64::to_string).unwrap_or_default();
        let filled = |text: &str| -> Result<String, String> {
            self.cast.fill_in(&text.replace("{id}", &id).replace("{app_id}", &self.app_id))
        };
        let body: Value =
            serde_json::from_str(&filled(&json!(body).to_string())?).map_err(|error| error.to_string())?;
        let (method, path) = control.split_once(' ').ok_or("`control` must be such as `POST /clock`")?;
        let path = filled(path)?;
        match method {
            "POST" => self.hands.post(&path, &body).await.map(drop),
            "DELETE" => self.hands.delete(&path).await.map(drop),
            other => Err(format!("`control` knows POST and DELETE, not {other}")),
        }
    }

    // ── What goes wrong ─────────────────────────────────────────────────────────────────────

    /// Asks for a fault, in this conversation alone unless the scenario plays alone.
    async fn fault(&mut self, step: &Step) -> Finding {
        let id = self.conversations.get(&step.conversation).map(u64::to_string);
        let (kind, mut wanted, fault, with) = match &step.deed {
            Deed::IntercomFails { intercom_fails, on, with } if on == "everything" => {
                ("match", json!({}), intercom_fails, with)
            }
            Deed::IntercomFails { intercom_fails, on, with } => {
                let (method, path) = on.split_once(' ').unwrap_or((on, ""));
                let wanted = json!({"method": method, "path_contains": path, "conversation_id": id});
                ("match", wanted, intercom_fails, with)
            }
            Deed::WebhooksFail { webhooks_fail, topic, with } => {
                ("webhook", json!({"topic": topic, "conversation_id": id}), webhooks_fail, with)
            }
            _ => return Err("this is no fault".to_owned()),
        };
        if wanted["conversation_id"].is_null() && !self.scenario.alone {
            return Err("a fault that is not of this conversation alone hits others: it needs `alone`".to_owned());
        }
        wanted["app_id"] = json!(self.app_id);
        let mut body = json!(with);
        body["fault"] = json!(fault);
        body[kind] = wanted;
        let added = self.hands.post("/faults", &body).await?;
        self.faults.extend(added["id"].as_u64().map(|id| id.to_string()));
        Ok(())
    }

    // ── What must be ────────────────────────────────────────────────────────────────────────

    async fn expect(&self, step: &Step) -> Finding {
        let cast = &self.cast;
        let (wait_seconds, check): (u64, Check<'_>) = match &step.deed {
            Deed::BotSays { bot_says, times, within } => {
                (*within, Box::new(|sight| expect::bot_says(sight, bot_says, *times)))
            }
            Deed::BotSaysHtml { bot_says_html, within } => {
                (*within, Box::new(|sight| expect::bot_says_html(sight, bot_says_html)))
            }
            Deed::BotSendsFile { bot_sends_file, within } => {
                (*within, Box::new(|sight| expect::bot_sends_file(sight, bot_sends_file)))
            }
            Deed::CustomerSees { customer_sees, within } => {
                (*within, Box::new(|sight| expect::customer_sees(sight, cast, customer_sees)))
            }
            Deed::NoteSays { note_says, times, within } => {
                (*within, Box::new(|sight| expect::note_says(sight, note_says, *times)))
            }
            Deed::OwnerIs { owner_is, within } => (*within, Box::new(|sight| expect::owner_is(sight, cast, owner_is))),
            Deed::StateIs { state_is, within } => (*within, Box::new(|sight| expect::state_is(sight, state_is))),
            Deed::TagIs { tag_is, within } => (*within, Box::new(|sight| expect::tag_is(sight, tag_is))),
            Deed::AttributeIs { attribute_is, value, within } => {
                (*within, Box::new(|sight| expect::attribute_is(sight, attribute_is, value)))
            }
            Deed::IntercomAnswered { intercom_answered, with, within } => {
                return self
                    .until(*within, async || {
                        expect::answered(&self.requests(self.conversation(step)?, intercom_answered), with)
                    })
                    .await;
            }
            Deed::WebhooksAnswered { webhooks_answered, with, within } => {
                return self
                    .until(*within, async || {
                        expect::answered(&self.deliveries(self.conversation(step)?, webhooks_answered), with)
                    })
                    .await;
            }
            Deed::Redacted { redacted } => return self.redact(step, redacted).await,
            Deed::DeletedBy { .. } => {
                return self.hands.delete(&self.path(self.conversation(step)?, "")).await.map(drop);
            }
            _ => return Err("this step cannot be played".to_owned()),
        };
        let id = self.conversation(step)?;
        self.until(wait_seconds, async || check(&self.sight(id).await?)).await
    }

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

    async fn redact(&self, step: &Step, words: &str) -> Finding {
        let id = self.conversation(step)?;
        let sight = self.sight(id).await?;
        let newest = sight.entries.iter().rev().find(|entry| entry.text.contains(words));
        let part_id = newest.ok_or_else(|| format!("nothing says “{words}”"))?.id;
        self.hands.post(&self.path(id, "/redact"), &json!({"part_id": part_id})).await.map(drop)
    }

    async fn bot_is_silent(&self, step: &Step, time: Duration) -> Finding {
        let id = self.conversation(step)?;
        let before = self.sight(id).await?.said_by_bot().count();
        let over = Instant::now() + time;
        while Instant::now() < over {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(entry) = self.sight(id).await?.said_by_bot().nth(before) {
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
            let now = self.mark();
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
        let journal = &self.shared.journal;
        let wanted: Vec<Wanted> = self.conversations.values().map(|id| Wanted::about(&self.app_id, *id)).collect();
        let tried: Vec<Value> = wanted.iter().flat_map(|wanted| journal.deliveries(wanted).0).collect();
        let workspace = self.shared.workspace(&self.app_id)?;
        let is_ours = |id: u64| self.conversations.values().any(|ours| *ours == id);
        let due = workspace.events.iter().filter(|event| is_ours(event.conversation_id));
        let mut due = due.filter(|event| event.entry["subscribed"] == json!(true)).map(|event| &event.entry);
        let all_tried = due.all(|event| tried.iter().any(|one| one["notification_id"] == event["notification_id"]));
        drop(workspace);
        let asked: usize = wanted.iter().map(|wanted| journal.requests(wanted).0.len()).sum();
        all_tried.then_some((tried.len(), asked))
    }

    /// What must hold in every scenario, and what this one says of its end.
    async fn end(&self) -> Finding {
        self.quiet(END_WITHIN_SECONDS).await?;
        for (name, id) in &self.conversations {
            if self.is_deleted(*id) {
                continue;
            }
            self.until(END_WITHIN_SECONDS, async || none_of(invariants::missing(&self.sight(*id).await?, &self.cast)))
                .await?;
            self.quiet(END_WITHIN_SECONDS).await?;
            let sight = self.sight(*id).await?;
            none_of(invariants::broken(&sight, &self.cast, self.scenario.bot_repeats_itself))?;
            if name == "main" && !self.scenario.customer_has_seen.is_empty() {
                expect::customer_sees(&sight, &self.cast, &self.scenario.customer_has_seen)?;
            }
        }
        Ok(())
    }

    // ── Looking ─────────────────────────────────────────────────────────────────────────────

    async fn sight(&self, id: u64) -> Result<Sight, String> {
        Ok(Sight::read(&self.hands.get(&self.path(id, "")).await?, &self.cast))
    }

    /// The answers to the requests of a kind, such as `POST /reply`, about a conversation.
    fn requests(&self, id: u64, kind: &str) -> Vec<u16> {
        let (method, rest) = kind.split_once(' ').unwrap_or((kind, ""));
        let path = format!("/conversations/{id}{rest}");
        let (about, _) = self.shared.journal.requests(&Wanted::about(&self.app_id, id));
        about.iter().filter(|one| one["method"] == json!(method) && one["path"] == json!(path)).map(status).collect()
    }

    fn deliveries(&self, id: u64, topic: &str) -> Vec<u16> {
        let (about, _) = self.shared.journal.deliveries(&Wanted::about(&self.app_id, id));
        about.iter().filter(|one| one["topic"] == json!(topic)).map(status).collect()
    }

    fn is_deleted(&self, id: u64) -> bool {
        self.shared.workspace(&self.app_id).is_none_or(|workspace| !workspace.conversations.contains_key(&id))
    }

    fn conversation(&self, step: &Step) -> Result<u64, String> {
        let id = self.conversations.get(&step.conversation).copied();
        id.ok_or_else(|| format!("the conversation {:?} has not begun", step.conversation))
    }

    fn path(&self, id: u64, rest: &str) -> String {
        format!("/{}/conversations/{id}{rest}", self.app_id)
    }
}

/// A look at a conversation.
type Check<'a> = Box<dyn Fn(&Sight) -> Finding + Send + Sync + 'a>;

fn none_of(findings: Vec<String>) -> Finding {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("; ")) }
}

fn status(entry: &Value) -> u16 {
    entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default()
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
