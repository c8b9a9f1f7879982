//! The product, wired to the world: the real handlers of every function, as their `main.rs` wire
//! them to AWS.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use lambda_http::{Body, Request, RequestExt as _};
use sha1::Sha1;
use shared::app::Desk;
use shared::app::catch_up::catch_up;
use shared::app::dead_letters::replay;
use shared::app::inbox::put_back;
use shared::app::sweep::sweep;
use shared::config::{Environment, Secrets};
use shared::domain::conversation::Lane;
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{self, BatchAnswer, SqsBatch};
use shared::lambda::messengers::Messengers;
use shared::lambda::queues::{Inbox, Queues};
use shared::lambda::work::Office;
use shared::ports::{Clock as _, Names as _, Worker as Whom};
use shared::wire::bot::CommandMessage;
use webhook_ingress::Doors;

use crate::intercom::Webhook;
use crate::limits::Budgeted;
use crate::mutants::Mutant;
use crate::ports::{Custodian, Fresh, Rows, Shelf, Sqs, Time, Ways};
use crate::world::{Party, QUEUES, QueueName, with};

/// The workspaces of every run. Their conversations have the same ids, as Intercom's may.
pub const WORKSPACES: [&str; 2] = ["abc123", "xyz789"];
/// Their bots.
pub const BOTS: [&str; 2] = ["one", "two"];
const CLIENT_SECRET: &str = "the-client-secret";

/// What an operator has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Setting {
    /// The bot resumes by itself.
    pub resumes: bool,
    /// Baton introduces itself.
    pub introduces: bool,
    /// People have what is reopened.
    pub reopened_to_people: bool,
    /// Doubtful sends are not left alone.
    pub unsettled: bool,
    /// What customers write in a row is one turn.
    pub bursts: bool,
    /// There are rules; what becomes of answers that none of them names.
    pub ruled: Option<&'static str>,
    /// The bot reads what comes in and nobody has.
    pub monitors: bool,
    /// Bots hand chats of their own over.
    pub transfers: bool,
    /// What is opened again stays with the bot.
    pub stays: bool,
    /// What is done when nobody is there.
    pub away: Away,
    /// Who is waited for, for so many minutes, and what becomes of the chat then; 0 for nobody.
    pub patience: [(u8, &'static str); 3],
}

/// What is done when nobody is there for a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Away {
    /// Nobody looks.
    #[default]
    Ignored,
    /// It starts with a promise.
    Promised,
    /// It does not start.
    Refused,
}

/// The functions.
pub struct Product {
    router: Desk<Rows, Queues<Sqs>, Time>,
    replier: Office<Rows, Sqs, Time, Budgeted, Fresh>,
    closer: Office<Rows, Sqs, Time, Budgeted, Fresh>,
    bots: Messengers<Ways, Sqs, Time>,
    doors: Doors,
    inbox: Inbox<Sqs, Rows, Time>,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Product")
    }
}

fn settings_text(setting: Setting) -> String {
    let mut text = "local = true\n".to_owned();
    for (app_id, bot) in WORKSPACES.iter().zip(BOTS) {
        text.push_str(&format!(
            r#"
[[workspace]]
app_id = "{app_id}"
webhook_path = "{app_id}-7f3k2q"
region = "us"
client_secret = "secret:{app_id}"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "{bot}"
settle_ms = {}
"#,
            if setting.unsettled { 1_000 } else { 30_000 }
        ));
        if setting.resumes {
            text.push_str("resume_after_minutes = 10\n");
        }
        if setting.introduces {
            text.push_str("introduction = \"I am a bot\"\n");
        }
        if setting.reopened_to_people {
            text.push_str("reopened = \"human\"\n");
        }
        if setting.monitors {
            text.push_str("monitor = true\n");
        }
        if let Some(default) = setting.ruled {
            text.push_str(&crate::ruled::turns::settings(default));
        }
        text.push_str("[workspace.handover]\ndefault_team = \"500001\"\n");
        if setting.transfers {
            text.push_str(&transfer_text(bot, setting));
        }
    }
    let bursts = if setting.bursts { "burst_seconds = 3\n" } else { "" };
    text.push_str(&format!(
        r#"
[[bot]]
id = "one"
{bursts}transport = "https"
url = "http://127.0.0.1:4030/events"
secret = "secret:one"
[[bot]]
id = "two"
{bursts}transport = "sqs"
queue_url = "http://127.0.0.1:4100/1/two.fifo"
sender_id = "AROABOT"
"#,
    ));
    text
}

fn transfer_text(bot: &str, setting: Setting) -> String {
    let reopened = if setting.stays { "stay" } else { "relay" };
    let away = match setting.away {
        Away::Ignored => "",
        Away::Promised => "availability = \"promise\"\npromise = \"We write tomorrow\"\n",
        Away::Refused => "availability = \"refuse\"\n",
    };
    let mut text = format!(
        "[[workspace.transfer]]\nbot = \"{bot}\"\ndefault = true\nreopened = \"{reopened}\"\n{away}\
         [workspace.transfer.channels]\nweb = \"team:500001\"\n\"*\" = \"unassigned\"\n"
    );
    for (who, (minutes, then)) in ["nobody", "teammate", "customer"].iter().zip(setting.patience) {
        if minutes > 0 {
            text.push_str(&format!(
                "[workspace.transfer.{who}]\nafter_minutes = {minutes}\nmessage = \"Sorry\"\nthen = \"{then}\"\n"
            ));
        }
    }
    text
}

thread_local! {
    static PRODUCTS: RefCell<BTreeMap<Setting, Rc<Product>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Product {
    /// The product as this operator has set it.
    #[must_use]
    pub fn set(setting: Setting) -> Rc<Self> {
        PRODUCTS.with_borrow_mut(|products| {
            Rc::clone(products.entry(setting).or_insert_with(|| Rc::new(Self::new(setting))))
        })
    }

    fn new(setting: Setting) -> Self {
        let settings = shared::wire::settings::parse(&settings_text(setting)).unwrap_or_else(|why| panic!("{why}"));
        let queues = || Queues {
            inbox: Some(Sqs(QueueName::Inbox)),
            bot_events: Some(Sqs(QueueName::BotEvents)),
            replies: Some(Sqs(QueueName::Replies)),
            close: Some(Sqs(QueueName::Close)),
        };
        let desk = || Desk { settings: settings.clone(), store: Rows, wakers: queues(), clock: Time };
        let office = |lane| Office {
            desk: desk(),
            intercom: Budgeted,
            names: Fresh,
            trusted_senders: ["AROAWORKER", "AROABOTEDGE", "AROAOPERATOR"].map(str::to_owned).into(),
            lane,
        };
        let pairs = WORKSPACES.map(|app_id| (app_id, CLIENT_SECRET));
        let doors = Doors::new(&settings, &Secrets::of(&pairs), &mut Environment::of([]));
        Self {
            router: desk(),
            replier: office(Lane::Replies),
            closer: office(Lane::Close),
            bots: Messengers { lines: Ways, queues: queues(), clock: Time },
            doors,
            inbox: Inbox { queue: Sqs(QueueName::Inbox), rows: Rows, clock: Time },
        }
    }

    /// Posts a webhook to the edge, signed; tells Intercom how it was answered.
    pub async fn receive(self: Rc<Self>, webhook: Webhook) {
        let app_id = with(|world| world.talks[webhook.talk].key.app_id.to_string());
        let mut mac = Hmac::<Sha1>::new_from_slice(CLIENT_SECRET.as_bytes()).unwrap();
        mac.update(webhook.body.as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut request = Request::new(Body::Text(webhook.body.to_string()));
        *request.method_mut() = lambda_http::http::Method::POST;
        request.headers_mut().insert("x-hub-signature", format!("sha1={signature}").parse().unwrap());
        let parameters =
            std::collections::HashMap::from([("webhook_path".to_owned(), vec![format!("{app_id}-7f3k2q")])]);
        let request = request.with_path_parameters(parameters);
        let response = webhook_ingress::handle(&self.doors, &self.inbox, &request).await;
        let status = response.status().as_u16();
        with(|world| {
            let id = webhook.body.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            if status == 200 && !world.is_durable(id) {
                world.accuse(format!("the edge answered 200 to {id}, which is nowhere"));
            }
            if !matches!(status, 200 | 500) {
                world.accuse(format!("the edge answered {status} to {}", webhook.body));
            }
            world.ended_well();
            world.answered(webhook, status == 200);
        });
    }

    /// A bot posts a command, which `bot-ingress` puts on the queue.
    pub async fn post(self: Rc<Self>, party: Party, command: Box<CommandMessage>) {
        let key = with(|world| world.key_of(party).clone());
        let put = self.bots.queues.put_command(Whom::Reply, &key, "one", &command).await;
        with(|world| {
            world.ended_well();
            if put.is_err() {
                let at = world.now + 5_000;
                world.at(at, crate::world::Event::BotGives(party, command));
            } else {
                world.is_given(party, &command);
            }
        });
    }

    /// The minute's sweep.
    pub async fn sweep(self: Rc<Self>) {
        let deadline = Time.now().plus_ms(crate::world::INVOCATION_MS - 5_000);
        // Where one fails, all are made again in a minute.
        let back = put_back(&self.inbox.queue, &self.inbox.rows, &Time, deadline).await;
        if back.is_ok() && sweep(&self.router).await.is_ok() {
            let _ = catch_up(&self.router, &Budgeted, deadline).await;
        }
        with(crate::world::World::ended_well);
    }

    /// An operator puts every dead letter back, as `baton dlq replay --all` does.
    pub async fn replay_dead_letters(self: Rc<Self>) {
        let name = Fresh.claim();
        for queue in QUEUES {
            let done = replay(&Shelf(queue), &Time, name.as_str(), |_| true).await;
            with(|world| world.tell(done.put.len() as u64, |_| format!("{queue:?}: {done:?}")));
            if done.stopped.is_some() {
                break; // the rest is for the next time
            }
        }
        with(crate::world::World::ended_well);
    }

    /// Works through a batch of a queue, as the function behind it.
    pub async fn work(self: Rc<Self>, name: QueueName, batch: SqsBatch, deadline: u64) {
        let mutant = with(|world| world.mutant);
        let deadline =
            Timestamp(if mutant == Some(Mutant::DeadlineIgnored) { deadline + 86_400_000 } else { deadline });
        let answer = if mutant == Some(Mutant::BatchGoesOn) {
            let mut whole = BatchAnswer::default();
            for record in &batch.records {
                let one = SqsBatch { records: vec![record.clone()] };
                whole.batch_item_failures.extend(self.answer(name, &one, deadline).await.batch_item_failures);
            }
            whole
        } else {
            self.answer(name, &batch, deadline).await
        };
        with(|world| {
            world.ended_well();
            world.finish(name, &batch, &answer);
        });
    }

    async fn answer(&self, name: QueueName, batch: &SqsBatch, deadline: Timestamp) -> BatchAnswer {
        let keeper = Custodian(name);
        match name {
            QueueName::Inbox => {
                let handle = |record| async move {
                    conversation_router::handle(&self.router, &Budgeted, &record, deadline).await
                };
                batch::work(batch, &keeper, handle).await
            }
            QueueName::BotEvents => {
                let handle =
                    |record| async move { bot_dispatch::handle(&self.router, &self.bots, &record, deadline).await };
                batch::work(batch, &keeper, handle).await
            }
            QueueName::Replies => {
                let handle = |record| async move { self.replier.handle(&record, deadline).await };
                batch::work(batch, &keeper, handle).await
            }
            QueueName::Close => {
                let handle = |record| async move { self.closer.handle(&record, deadline).await };
                batch::work(batch, &keeper, handle).await
            }
        }
    }
}
