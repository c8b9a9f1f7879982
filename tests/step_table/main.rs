//! Every state × every input: what becomes of the conversation, and what is to be done. The table
//! is a reviewed snapshot; beside it, rules that must hold in every row whatever the snapshot says.

use std::fmt::Write as _;

use shared::domain::blocks::Said;
use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::{AuthorKind, Block, TextFormat};
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane, Progress};
use shared::domain::ids::{BotId, ClaimId, CommandId, TeamId, Timestamp};
use shared::domain::part::{Assignee, Rating};
use shared::domain::rules::{Confidence, Deed, Intent, Turn};
use shared::domain::step::{Answer, Effect, Input, Outcome, step};
use shared::domain::suggestion::{Held, Suggestion};
use shared::testing::{BOT_TEAM, SUPPORT, Scene, workspace};

const NOW: Timestamp = Timestamp(1_768_040_000_000);

fn command(id: &str, ask: Ask) -> Command {
    Command {
        id: CommandId::parse(id).unwrap(),
        bot: BotId::parse("demo").unwrap(),
        digest: id.to_owned(),
        epoch: None,
        seq: None,
        ask,
    }
}

fn text(words: &str) -> Vec<Block> {
    vec![Block::Text { text: words.to_owned(), format: TextFormat::Plain }]
}

fn answer(thousandths: u16) -> Ask {
    let intents = vec![Intent { name: "i".to_owned(), confidence: Confidence(thousandths) }];
    Ask::Answer { content: text("hi"), turn: Turn { intents, ..Turn::default() } }
}

fn handover(to: HandoverTarget) -> Ask {
    Ask::Handover {
        to,
        reason: Some("why".into()),
        note: None,
        content: text("bye"),
        tags: vec!["vip".into()],
        attributes: serde_json::Map::new(),
    }
}

fn after(state: &Conversation, input: &Input) -> Conversation {
    step(state, input, &workspace(), NOW).state
}

/// Carries out whatever waits, successfully.
fn quiet(mut state: Conversation) -> Conversation {
    state.events.clear();
    while let Some(entry) = state.outbox.front() {
        let (lane, seq) = (entry.action.lane(), entry.seq);
        let claim = ClaimId::parse("c").unwrap();
        state = after(&state, &Input::Claim { lane, claim: claim.clone(), until: NOW.plus_ms(60_000) });
        state = after(&state, &Input::Answered { seq, claim, answer: Answer::Done { part_id: None } });
    }
    state.events.clear();
    state
}

/// What would be suggested instead of what is about to be said.
fn suggestion_of(state: &Conversation) -> Suggestion {
    let said = state.outbox.iter().filter_map(|entry| match &entry.action {
        Action::Reply { html, .. } => Some(Said { html: html.clone(), ..Said::default() }),
        _ => None,
    });
    let answer = Held { label: None, messages: said.collect() };
    assert_eq!(answer.messages.len(), 1);
    let command = CommandId::parse("sg").unwrap();
    let (deed, candidates) = (Deed::Suggest, vec![]);
    Suggestion { command, root: None, deed, at: NOW, answer, candidates, shadow: false, spent: None, unsent: false }
}

/// The states, each with the scene that led to it.
fn states() -> Vec<(&'static str, Conversation, Scene)> {
    let observed = |state: &Conversation, scene: &Scene| after(state, &Input::Observed(scene.whole()));
    let mut scene = Scene::default();
    let new = (Conversation::default(), scene.clone());
    scene.assign_to_bot();
    let bot = (quiet(observed(&new.0, &scene)), scene.clone());
    let mut spoken = scene.clone();
    spoken.alice("I am on it");
    let paused = (quiet(observed(&bot.0, &spoken)), spoken);
    let mut handed = scene.clone();
    handed.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    let human = (quiet(observed(&bot.0, &handed)), handed);
    let mut shut = scene.clone();
    shut.close();
    let closed = (quiet(observed(&bot.0, &shut)), shut);
    let deleted = (quiet(after(&bot.0, &Input::Deleted)), scene.clone());
    let sent = Input::Commanded(command("sg", answer(700)));
    let mut suggested = quiet(after(&bot.0, &sent));
    let asks = Input::Commanded(command("sg", answer(900)));
    suggested.suggestion = Some(suggestion_of(&after(&bot.0, &asks)));
    let mut left = scene.clone();
    left.own_assign(Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    let suggested = (quiet(after(&suggested, &Input::Observed(left.whole()))), left);
    let talking = |mut state: Conversation, count: usize| {
        for number in 0..count {
            let said = command(&format!("said-{}-{number}", state.last_out), Ask::Reply { content: text("and") });
            state = quiet(after(&state, &Input::Commanded(said)));
        }
        state
    };
    let talked_out = (talking(bot.0.clone(), 10), scene.clone());
    let (mut beside, mut twice) = (talking(bot.0.clone(), 1), scene.clone());
    for _ in 0..2 {
        beside = observed(&beside, twice.operator("I can help"));
        beside = quiet(talking(observed(&beside, twice.customer("And?")), 1));
    }
    let beside_fin = (beside, twice);
    vec![
        ("new", new.0, new.1),
        ("bot", bot.0, bot.1),
        ("suggested", suggested.0, suggested.1),
        ("paused", paused.0, paused.1),
        ("human", human.0, human.1),
        ("closed", closed.0, closed.1),
        ("deleted", deleted.0, deleted.1),
        ("bot, talked out", talked_out.0, talked_out.1),
        ("bot, beside Fin", beside_fin.0, beside_fin.1),
    ]
}

type Make = fn(&Scene) -> Input;

type Happen = fn(&mut Scene);

/// What can happen in Intercom, as notifications and as the whole.
const HAPPENINGS: [(&str, Happen); 22] = [
    ("customer writes", |scene| {
        scene.customer("Hi");
    }),
    ("teammate writes", |scene| {
        scene.alice("Hello");
    }),
    ("teammate writes over the API", |scene| {
        scene.alice("Hello").over_the_api();
    }),
    ("teammate notes", |scene| {
        scene.note("psst");
    }),
    ("teammate asks why", |scene| {
        scene.note("/bot why");
    }),
    ("teammate pauses the bot", |scene| {
        scene.note("/bot pause 2h");
    }),
    ("teammate gives it to the bot by note", |scene| {
        scene.note("/bot take");
    }),
    ("teammate sends a suggestion", |scene| {
        scene.note("/bot send 1");
    }),
    ("customer pretends to be a teammate", |scene| {
        scene.customer("/bot take");
    }),
    ("Fin writes", |scene| {
        scene.operator("Hello");
    }),
    ("bot's teammate writes", |scene| {
        scene.bot("Hello");
    }),
    ("workflow assigns to bot", |scene| {
        scene.assign_to_bot();
    }),
    ("teammate assigns to bot", |scene| {
        scene.give_back();
    }),
    ("teammate takes", |scene| {
        scene.alice_takes();
    }),
    ("assigned to Support", |scene| {
        scene.assign(AuthorKind::Teammate, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    }),
    ("unassigned", |scene| {
        scene.assign(AuthorKind::Teammate, Assignee::Nobody);
    }),
    ("closed", |scene| {
        scene.close();
    }),
    ("opened", |scene| {
        scene.reopen();
    }),
    ("snoozed", |scene| {
        scene.snooze();
    }),
    ("last part redacted", |scene| {
        scene.redact_last();
    }),
    ("writes, then taken", |scene| {
        scene.customer("Hi").alice_takes();
    }),
    ("answered, given back, writes", |scene| {
        scene.alice("Hello").give_back().customer("Thanks");
    }),
];

fn commands() -> Vec<(&'static str, Make)> {
    vec![
        ("bot: reply", |_| Input::Commanded(command("r", Ask::Reply { content: text("hi") }))),
        ("bot: reply from an older epoch", |_| {
            Input::Commanded(Command { epoch: Some(0), ..command("old", Ask::Reply { content: text("hi") }) })
        }),
        ("bot: empty reply", |_| Input::Commanded(command("e", Ask::Reply { content: vec![] }))),
        ("bot: answer that it is sure of", |_| Input::Commanded(command("as", answer(900)))),
        ("bot: answer that it is not sure of", |_| Input::Commanded(command("au", answer(700)))),
        ("bot: connect to people", |_| {
            Input::Commanded(command("x", Ask::Escalate { content: text("bye"), note: None, turn: None }))
        }),
        ("bot: note", |_| Input::Commanded(command("n", Ask::Note { text: "n".into() }))),
        ("bot: hand over", |_| Input::Commanded(command("h", handover(HandoverTarget::Default)))),
        ("bot: hand over to itself", |_| {
            Input::Commanded(command("hb", handover(HandoverTarget::Team(TeamId::parse(BOT_TEAM).unwrap()))))
        }),
        ("bot: close", |_| {
            Input::Commanded(command(
                "c",
                Ask::Close { reason: Some("done".into()), tags: vec![], attributes: serde_json::Map::new() },
            ))
        }),
        ("bot: close that does not know the message", |_| {
            let close = Ask::Close { reason: Some("done".into()), tags: vec![], attributes: serde_json::Map::new() };
            Input::Commanded(Command { seq: Some(0), ..command("cm", close) })
        }),
        ("bot: close that knows it", |_| {
            let close = Ask::Close { reason: Some("done".into()), tags: vec![], attributes: serde_json::Map::new() };
            Input::Commanded(Command { seq: Some(1), ..command("ck", close) })
        }),
        ("bot: close that knows the future", |_| {
            let close = Ask::Close { reason: Some("done".into()), tags: vec![], attributes: serde_json::Map::new() };
            Input::Commanded(Command { seq: Some(99), ..command("cf", close) })
        }),
        ("bot: tag", |_| Input::Commanded(command("t", Ask::Tag { tags: vec!["a".into(), "b".into()] }))),
        ("bot: snooze", |_| Input::Commanded(command("s", Ask::Snooze { until: NOW.plus_ms(1) }))),
        ("another bot: reply", |_| {
            Input::Commanded(Command {
                bot: BotId::parse("other").unwrap(),
                ..command("o", Ask::Reply { content: text("hi") })
            })
        }),
        ("time passes", |_| Input::Tick(None)),
        ("deleted", |_| Input::Deleted),
        ("rated", |scene| {
            let mut seen = scene.notification();
            seen.parts.clear();
            seen.rating = Some(Rating { rating: 5, remark: None });
            Input::Observed(seen)
        }),
    ]
}

fn actions(state: &Conversation) -> Vec<&'static str> {
    let name = |action: &Action| match action {
        Action::Reply { .. } => "reply",
        Action::Note { .. } => "note",
        Action::Assign { .. } => "assign",
        Action::Take { .. } => "take",
        Action::Close { .. } => "close",
        Action::Tag { .. } => "tag",
        Action::SetAttributes { .. } => "attributes",
        Action::Open => "open",
        Action::Attachments { .. } => "attachments",
        Action::Replay { .. } => "replay",
        Action::Snooze { .. } => "snooze",
        of_chats => of_chats.as_str(),
    };
    state.outbox.iter().map(|entry| name(&entry.action)).collect()
}

fn events(state: &Conversation) -> Vec<String> {
    let name = |kind: &EventKind| match kind {
        EventKind::Message { .. } => "message".to_owned(),
        EventKind::MessageRedacted { .. } => "message_redacted".to_owned(),
        EventKind::HandoverWaiting { team } => {
            format!("handover_waiting({})", team.as_ref().map_or("-", |team| team.as_str()))
        }
        EventKind::AgentJoined { .. } => "agent_joined".to_owned(),
        EventKind::Resumed { stretch } => format!("resumed({})", stretch.len()),
        EventKind::Closed { .. } => "closed".to_owned(),
        EventKind::Rated { .. } => "rated".to_owned(),
        EventKind::Attachments { .. } => "attachments".to_owned(),
        EventKind::Replayed { messages, .. } => format!("replayed({})", messages.len()),
        EventKind::CommandDone { .. } => "done".to_owned(),
        EventKind::CommandRejected { code, .. } => format!("rejected({code})"),
        EventKind::CommandSuperseded { by, .. } => format!("superseded({})", by.as_str()),
        EventKind::SuggestionSent { .. } => "suggestion_sent".to_owned(),
        of_chats => of_chats.as_str().to_owned(),
    };
    state.events.iter().map(|event| name(&event.kind)).collect()
}

fn row(out: &mut String, before: &Conversation, input: &str, outcome: &Outcome) {
    let state = &outcome.state;
    let control = if state.bot.is_none() { "-".to_owned() } else { state.control.as_str().to_owned() };
    let mut effects: Vec<String> = Vec::new();
    if outcome.effects.contains(&Effect::Fetch) {
        effects.push("FETCH".to_owned());
    }
    effects.extend(outcome.effects.iter().filter_map(|effect| match effect {
        Effect::Refuse { code, .. } => Some(format!("refuse({code})")),
        _ => None,
    }));
    effects.extend(events(state));
    effects.extend(actions(state).into_iter().map(|action| format!("→{action}")));
    let epochs = state.epoch - before.epoch;
    let _ = writeln!(out, "  {input:<44} {control:<7} +{epochs}  {}", effects.join(" "));
}

fn all_rows(mut look: impl FnMut(&str, &str, &Conversation, &Input, &Outcome)) {
    for (name, state, scene) in states() {
        for (happening, happen) in HAPPENINGS {
            let mut scene = scene.clone();
            happen(&mut scene);
            let notified = Input::Observed(scene.notification());
            let outcome = step(&state, &notified, &workspace(), NOW);
            look(name, &format!("{happening} [notified]"), &state, &notified, &outcome);
            let whole = Input::Observed(scene.whole());
            let outcome = step(&state, &whole, &workspace(), NOW);
            look(name, &format!("{happening} [whole]"), &state, &whole, &outcome);
        }
        for (asked, make) in commands() {
            let input = make(&scene);
            let outcome = step(&state, &input, &workspace(), NOW);
            look(name, asked, &state, &input, &outcome);
        }
    }
}

#[test]
fn every_state_meets_every_input() {
    let mut table = String::new();
    let (mut last, mut rows) = (String::new(), 0);
    all_rows(|name, input, before, _, outcome| {
        if last != name {
            let _ = writeln!(table, "{name}");
            last = name.to_owned();
        }
        row(&mut table, before, input, outcome);
        rows += 1;
    });
    assert_eq!(rows, 9 * (22 * 2 + 19));
    insta::assert_snapshot!("step_table", table);
}

#[test]
fn whatever_happens_twice_happens_once() {
    all_rows(|name, input_name, _, input, outcome| {
        if matches!(input, Input::Commanded(_))
            && outcome.effects.iter().any(|effect| matches!(effect, Effect::Refuse { .. }))
        {
            return; // leaves no trace, so it is refused each time
        }
        let again = step(&outcome.state, input, &workspace(), NOW);
        assert_eq!(again.state, outcome.state, "{name} × {input_name}, repeated, changed something");
    });
}

#[test]
fn a_bot_that_does_not_have_it_says_nothing_to_the_customer() {
    all_rows(|name, input, _, _, outcome| {
        if outcome.state.control == Control::Bot {
            return;
        }
        let speaks = outcome.state.outbox.iter().any(|entry| {
            // A hand-over's own farewell is of the epoch that the hand-over began.
            let farewell = outcome.state.outbox.iter().any(|other| matches!(other.action, Action::Assign { .. }));
            matches!(entry.action, Action::Reply { .. } | Action::Close { .. }) && !farewell
        });
        let asked = name == "suggested" && input.starts_with("teammate sends a suggestion");
        assert!(
            !speaks || asked || (name == "closed" && input.starts_with("bot: close")),
            "{name} × {input} lets the bot speak"
        );
    });
}

#[test]
fn epochs_only_grow_and_events_are_numbered_without_gaps() {
    all_rows(|name, input, before, _, outcome| {
        assert!(outcome.state.epoch >= before.epoch);
        for (position, event) in outcome.state.events.iter().enumerate() {
            assert_eq!(event.seq, before.last_event + 1 + position as u64, "{name} × {input}");
        }
    });
}

#[test]
fn nothing_is_kept_of_a_conversation_that_the_bot_never_had() {
    all_rows(|name, input, _, _, outcome| {
        if name == "new" && outcome.state.bot.is_none() {
            // But for the answer to a teammate's note, and that it was heeded.
            let mut kept = outcome.state.clone();
            if kept.outbox.iter().any(|entry| matches!(entry.action, Action::Note { .. })) {
                assert!(input.starts_with("teammate ") && kept.outbox.len() == 1, "new × {input}");
                (kept.seen, kept.last_out) = Default::default();
                kept.outbox.clear();
            }
            assert_eq!(kept, Conversation::default(), "new × {input}");
        }
    });
}

#[test]
fn a_note_never_reaches_the_bot() {
    all_rows(|name, input, _, _, outcome| {
        let told = format!("{:?}", outcome.state.events);
        assert!(!told.contains("psst"), "{name} × {input} told a note");
    });
}

/// While Intercom is not to be called, what is next waits in its place: nothing else changes, and it is not
/// begun before.
#[test]
fn what_is_put_off_keeps_its_place_and_is_begun_then() {
    let mut put_off = 0;
    all_rows(|name, input, _, _, outcome| {
        let Some(head) = outcome.state.outbox.front() else { return };
        let lane = head.action.lane();
        let until = NOW.plus_ms(7_000);
        let waits = step(&outcome.state, &Input::PutOff { lane, until }, &workspace(), NOW);
        assert_eq!(waits.effects, [Effect::Wait { until }], "{name} × {input}");
        let mut expected = outcome.state.clone();
        expected.outbox[0].progress = Progress::Pending { not_before: until };
        assert_eq!(waits.state, expected, "{name} × {input}");
        let claim = Input::Claim { lane, claim: ClaimId::parse("c").unwrap(), until: until.plus_ms(60_000) };
        let early = step(&waits.state, &claim, &workspace(), NOW.plus_ms(6_999));
        assert_eq!(
            (early.effects, early.state),
            (vec![Effect::Wait { until }], waits.state.clone()),
            "{name} × {input}"
        );
        let then = step(&waits.state, &claim, &workspace(), until);
        assert!(matches!(then.effects[..], [Effect::Perform { .. }]), "{name} × {input}: {:?}", then.effects);
        let other = if lane == Lane::Close { Lane::Replies } else { Lane::Close };
        let of_the_other = step(&outcome.state, &Input::PutOff { lane: other, until }, &workspace(), NOW);
        assert_eq!(of_the_other.state, outcome.state, "{name} × {input}: the other lane's turn");
        put_off += 1;
    });
    assert!(put_off > 60, "{put_off}");
}

#[test]
fn only_the_lane_of_an_action_claims_it() {
    let (_, bot, _) = states().swap_remove(1);
    let state = after(&bot, &commands()[9].1(&Scene::default()));
    let claim = |lane| Input::Claim { lane, claim: ClaimId::parse("c").unwrap(), until: NOW.plus_ms(1) };
    assert!(step(&state, &claim(Lane::Replies), &workspace(), NOW).effects.is_empty());
    assert!(matches!(step(&state, &claim(Lane::Close), &workspace(), NOW).effects[..], [Effect::Perform { .. }]));
}
