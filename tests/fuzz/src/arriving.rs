//! What arrives from outside: requests at the two edges, Intercom's JSON, bots' commands.

use std::sync::{LazyLock, Mutex};

use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt as _};
use sha1::Sha1;
use shared::app::inbox::Taken;
use shared::config::{Environment, Secrets};
use shared::domain::command::Ask;
use shared::domain::content::Block;
use shared::domain::ids::{BotId, ConversationKey, Timestamp};
use shared::domain::settings::ApiVersion;
use shared::domain::signature::{self, Key};
use shared::domain::transfer::Customer;
use shared::domain::{blocks, contacts, incoming};
use shared::ports::Unavailable;
use shared::testing::{ManualClock, settings};
use shared::wire::bot::CommandMessage;
use shared::wire::edge::{self, MAX_MESSAGE_BYTES, Received};
use shared::wire::intercom::{
    ChangedItem, ContactItem, ConversationContext, ConversationItem, ConversationPage, ErrorList, TagItem,
};
use shared::wire::people::{
    AdminList, AttributeList, ContactPage, OpeningItem, TeamItem, named_in_conflict, named_in_link,
};
use shared::wire::queue::InboxMessage;
use shared::wire::schedules::{ExceptionList, ScheduleList};

use super::words::assert_tame;

const APP_ID: &str = "abc123";
const PATH: &str = "acme-7f3k2q";
const CLIENT_SECRET: &str = "the-client-secret";
const BOT_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = Timestamp(1_768_040_000_000);

/// Intercom's signature, made here anew.
fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(CLIENT_SECRET.as_bytes()).unwrap();
    mac.update(body);
    let code: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha1={code}")
}

/// What comes to stand behind an edge.
#[derive(Default)]
struct Kept {
    notifications: Mutex<Vec<(InboxMessage, String)>>,
    commands: Mutex<Vec<(ConversationKey, String)>>,
}

impl webhook_ingress::Notifications for Kept {
    async fn put(&self, message: &InboxMessage, id: &str) -> Result<Taken, Unavailable> {
        self.notifications.lock().unwrap().push((message.clone(), id.to_owned()));
        Ok(Taken::Put)
    }
}

impl bot_ingress::CommandSink for Kept {
    async fn put(&self, key: &ConversationKey, bot: &str, _: &CommandMessage) -> Result<(), Unavailable> {
        self.commands.lock().unwrap().push((key.clone(), bot.to_owned()));
        Ok(())
    }
}

static DOORS: LazyLock<webhook_ingress::Doors> = LazyLock::new(|| {
    let secrets = Secrets::of(&[("acme", CLIENT_SECRET)]);
    let mut environment = Environment::of([]);
    let doors = webhook_ingress::Doors::new(&settings(), &secrets, &mut environment);
    environment.finish().unwrap();
    doors
});

static CALLERS: LazyLock<bot_ingress::Callers> =
    LazyLock::new(|| bot_ingress::Callers::new(&settings(), &Secrets::of(&[("demo", BOT_SECRET)])));

fn request(method: Method, parameter: (&str, &str), headers: &[(&str, &[u8])], body: &[u8]) -> Option<Request> {
    let mut builder = lambda_http::http::Request::builder().method(method).uri("https://edge.example/");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let request = builder.body(Body::Binary(body.to_vec())).ok()?;
    let parameters = std::collections::HashMap::from([(parameter.0.to_owned(), vec![parameter.1.to_owned()])]);
    Some(request.with_path_parameters(parameters))
}

/// A request at Intercom's edge: the first byte chooses method, path and signature, the rest is
/// the body, or signature and body, parted by the first line break.
pub fn edge_request(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let (header, body) = match how >> 4 & 3 {
        0 | 1 => (sign(rest).into_bytes(), rest),
        _ => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            (rest[..end].to_vec(), rest.get(end + 1..).unwrap_or_default())
        }
    };
    let method = [Method::POST, Method::POST, Method::HEAD, Method::GET][usize::from(how & 3)].clone();
    let path = if how & 4 == 0 { PATH } else { "acme-7f3k2Q" };
    let signed = header == sign(body).into_bytes();
    let genuine = signed && method == Method::POST && path == PATH;
    let headers: &[(&str, &[u8])] = if how & 8 == 0 {
        &[("x-hub-signature", &header)]
    } else {
        &[("x-hub-signature", &header), ("x-hub-signature", &header)]
    };
    let Some(request) = request(method.clone(), ("webhook_path", path), headers, body) else { return };
    let kept = Kept::default();
    let response = webhook_ingress::handle(&DOORS, &kept, &request).now_or_never().unwrap();
    let status = response.status().as_u16();
    assert!(matches!(status, 200 | 401 | 404 | 413), "status {status}");
    assert!(status != 200 || genuine || method == Method::HEAD);
    let taken = kept.notifications.into_inner().unwrap();
    assert!(taken.is_empty() || (genuine && headers.len() == 1 && taken.len() == 1));
    for (message, id) in &taken {
        assert_forwarded(message, id);
    }
}

fn assert_forwarded(message: &InboxMessage, id: &str) {
    assert_eq!(message.app_id, APP_ID, "a message of another workspace");
    assert!(ConversationKey::parse(&message.app_id, &message.conversation_id).is_ok());
    assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    let written = serde_json::to_vec(message).unwrap();
    assert!(written.len() <= MAX_MESSAGE_BYTES, "{} bytes", written.len());
    assert_eq!(serde_json::from_slice::<InboxMessage>(&written).unwrap(), *message);
}

/// Headers with signatures: Intercom's, and those of Standard Webhooks. Lines: id, time,
/// signatures; what follows is the body.
pub fn signature_header(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (id, time, signatures, body) = (line(), line(), line(), line());
    let keys = [Key::new(CLIENT_SECRET)];
    for header in [id, time, signatures] {
        assert_eq!(signature::is_intercoms(header, body, &keys), header == sign(body).as_bytes());
    }
    assert!(signature::is_intercoms(sign(body).as_bytes(), body, &keys));
    let key = Key::from_whsec(BOT_SECRET).unwrap();
    let (id, time) = (String::from_utf8_lossy(id), String::from_utf8_lossy(time));
    let signatures = String::from_utf8_lossy(signatures);
    if signature::verify(&key, &id, &time, &signatures, body, NOW).is_ok() {
        let at = Timestamp::from_seconds(time.parse().unwrap());
        assert!(at.seconds().abs_diff(NOW.seconds()) <= signature::TOLERANCE_SECONDS);
        // Written as it is signed: with no other spelling of the time, `007` say.
        assert!(time.bytes().all(|byte| byte.is_ascii_digit()));
        if time == at.seconds().to_string() {
            let right = signature::sign(&key, &id, at, body);
            assert!(signatures.split(' ').any(|given| given == right), "{signatures:?} passed");
        }
    }
    let right = signature::sign(&key, &id, NOW, body);
    let at = NOW.seconds().to_string();
    assert!(signature::verify(&key, &id, &at, &right, body, NOW).is_ok());
    assert!(signature::verify(&key, &format!("{id}x"), &at, &right, body, NOW).is_err());
    let _ = Key::from_whsec(&signatures);
}

/// A notification whose signature held.
pub fn notification(data: &[u8]) {
    let received = edge::receive(data, |app_id| app_id == APP_ID);
    if let Received::Forward { message, notification_id } = &received {
        assert_forwarded(message, notification_id);
    }
    assert_eq!(edge::receive(data, |app_id| app_id == APP_ID), received, "another time, another outcome");
    assert!(!matches!(edge::receive(data, |_| false), Received::Forward { .. }));
}

/// A conversation, from a notification or the REST API.
pub fn conversation(data: &[u8]) {
    let _ = serde_json::from_slice::<ConversationContext>(data);
    let Ok(mut item) = serde_json::from_slice::<ConversationItem>(data) else { return };
    item.legacy = false;
    let written = serde_json::to_vec(&item).unwrap();
    let slim: ConversationItem = serde_json::from_slice(&written).unwrap();
    assert_eq!(slim, item, "not the same after the queue");
    for complete in [false, true] {
        let seen = item.observation(complete);
        assert_eq!(slim.observation(complete), seen);
        let attachments = seen.parts.iter().map(|part| part.attachments.len());
        assert!(attachments.max().unwrap_or(0) <= 20);
        let bodies = seen.parts.iter().filter_map(|part| part.body.as_ref());
        for body in bodies.chain(seen.source.as_ref().and_then(|source| source.body.as_ref())) {
            assert!(body.text.len() <= 64 * 1024);
            let (text, markdown) = (incoming::text(body), incoming::markdown(body));
            assert!(text.len().max(markdown.len()) <= 16 * body.text.len() + 64);
        }
    }
}

/// What Intercom's REST API answers, errors too.
pub fn intercom_answer(data: &[u8]) {
    let errors: ErrorList = serde_json::from_slice(data).unwrap_or_default();
    let first = errors.errors.into_iter().next().unwrap_or_default();
    assert!(first.code.unwrap_or_default().len() + first.message.unwrap_or_default().len() <= 3 * data.len());
    if let Ok(page) = serde_json::from_slice::<ConversationPage<'_>>(data) {
        for conversation in page.conversations {
            let _ = serde_json::from_str::<ChangedItem>(conversation.get());
        }
    }
    let _ = serde_json::from_slice::<ContactItem>(data);
    let _ = serde_json::from_slice::<ConversationContext>(data);
    let _ = serde_json::from_slice::<TagItem>(data);
    let _ = serde_json::from_slice::<ConversationItem>(data).map(|item| item.observation(true));
    let _ = serde_json::from_slice::<OpeningItem>(data);
    people(data);
    office_hours(data);
}

/// Contacts, teammates and teams, and the texts in which Intercom names a contact.
fn people(data: &[u8]) {
    let customer = Customer {
        external_id: Some("c1".to_owned()),
        email: Some("ann@customer.example".to_owned()),
        phone: Some("+49 30 1".to_owned()),
        ..Customer::default()
    };
    if let Ok(page) = serde_json::from_slice::<ContactPage<'_>>(data) {
        let mut known = page.known();
        let chosen = contacts::choose(&customer, &known).cloned();
        known.reverse();
        assert_eq!(contacts::choose(&customer, &known).cloned(), chosen, "the order decides");
        for one in known {
            assert!(one.id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "an id that is more than a segment");
            let news = contacts::news(&customer, &one);
            assert!(one.email.is_none() || news.email.is_none(), "what people entered is overwritten");
        }
    }
    let named = |text: &str| {
        for id in [named_in_conflict(text), named_in_link(text)].into_iter().flatten() {
            assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    };
    named(&String::from_utf8_lossy(data));
    let attributes = serde_json::from_slice(data).unwrap_or_default();
    let list: AttributeList = serde_json::from_slice(data).unwrap_or_default();
    assert!(list.settable(&attributes).len() <= attributes.len());
    let teammates: AdminList = serde_json::from_slice(data).unwrap_or_default();
    for avatar in teammates.admins.iter().filter_map(|one| one.avatar.as_ref()) {
        assert!(avatar.starts_with("https://"));
    }
    let _ = serde_json::from_slice::<TeamItem>(data);
}

/// Schedules, held against the same text read as their exceptions.
fn office_hours(data: &[u8]) {
    let list: ScheduleList = serde_json::from_slice(data).unwrap_or_default();
    let exceptions: ExceptionList = serde_json::from_slice(data).unwrap_or_default();
    for schedule in list.of(Some("Support")) {
        let Some(hours) = schedule.hours(&exceptions, NOW) else { continue };
        let opens_at = hours.next_opening(NOW);
        assert_eq!(hours.are_open(NOW), opens_at == Some(NOW));
        assert!(opens_at.is_none_or(|at| at >= NOW && hours.are_open(at)));
    }
}

/// A bot's command, at the edge and beyond.
pub fn bot_command(data: &[u8]) {
    let bot = BotId::parse("demo").unwrap();
    let key = Key::from_whsec(BOT_SECRET).unwrap();
    let (time, signature) = (NOW.seconds().to_string(), signature::sign(&key, "m", NOW, data));
    let headers: [(&str, &[u8]); 3] =
        [("webhook-id", b"m"), ("webhook-timestamp", time.as_bytes()), ("webhook-signature", signature.as_bytes())];
    let request = request(Method::POST, ("bot", "demo"), &headers, data).unwrap();
    let (kept, clock) = (Kept::default(), ManualClock::at(NOW.0));
    let handled = bot_ingress::handle(&CALLERS, &kept, &clock, &request);
    let status = handled.now_or_never().unwrap().status().as_u16();
    let taken = kept.commands.into_inner().unwrap();
    assert!(matches!((status, taken.len()), (202, 1..=20) | (400 | 413, 0)), "{status}, {}", taken.len());
    assert!(taken.iter().all(|(_, named)| named == "demo"));

    let Ok(message) = CommandMessage::from_json(data) else { return };
    let written = serde_json::to_vec(&message).unwrap();
    let read = CommandMessage::from_json(&written).unwrap();
    assert_eq!(read, message, "not the same after the queue");
    let checked = message.checked(&bot);
    let Ok(command) = message.into_domain(bot.clone()) else {
        assert!(checked.is_err());
        return;
    };
    assert_eq!(read.into_domain(bot).unwrap(), command, "another digest after the queue");
    let content: &[Block] = match &command.ask {
        Ask::Reply { content } | Ask::Handover { content, .. } => content,
        _ => &[],
    };
    // Wild ones too, which are refused: what is rendered is tame whoever looked at it before.
    let _ = blocks::check(content);
    for api in ["2.10", "2.15"] {
        let messages = blocks::messages(content, ApiVersion::parse(api).unwrap(), command.id.as_str());
        assert_eq!(blocks::messages(content, ApiVersion::parse(api).unwrap(), command.id.as_str()), messages);
        for said in messages {
            assert_tame(&said.html);
        }
    }
}
