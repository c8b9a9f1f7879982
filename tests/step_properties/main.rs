//! Random lives of a conversation: whatever people, bots, queues and Intercom do in whatever
//! order, the rules hold.

use proptest::prelude::*;
use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::{AuthorKind, Block, TextFormat};
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane, PendingEvent};
use shared::domain::ids::{BotId, ClaimId, CommandId, PartId, TeamId, Timestamp};
use shared::domain::part::Assignee;
use shared::domain::rules::{Deed, Turn};
use shared::domain::settings::Workspace;
use shared::domain::step::{Answer, Effect, Input, Vain, step};
use shared::domain::suggestion::{Spent, Suggestion};
use shared::testing::{SUPPORT, Scene};

/// The workspace of the tests, in which an answer whose turn is named is suggested.
fn workspace(bursts: bool) -> Workspace {
    let mut workspace = shared::testing::workspace();
    workspace.bursts.ms = if bursts { 5_000 } else { 0 };
    workspace.rules.default.deed = Deed::Suggest;
    workspace.monitor = Some(Assignee::Nobody);
    workspace
}

/// The parts that an event tells of, in order.
fn parts_told(event: &EventKind) -> Vec<Option<PartId>> {
    match event {
        EventKind::Message { message, earlier } => {
            earlier.iter().chain([message]).map(|one| one.part_id.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// What can happen next.
#[derive(Debug, Clone)]
enum Move {
    Happens(u8),
    Notified,
    NotifiedAgain(u8),
    Seen,
    Asked(u8, u8, Option<u8>),
    Works(bool, u8),
    Delivered,
    NotTaken(u8),
    Gathered,
    Later(u16),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0_u8..13).prop_map(Move::Happens),
        4 => Just(Move::Notified),
        1 => any::<u8>().prop_map(Move::NotifiedAgain),
        1 => Just(Move::Seen),
        4 => (0_u8..6, 0_u8..6, prop::option::of(0_u8..4)).prop_map(|(ask, id, behind)| Move::Asked(ask, id, behind)),
        4 => (any::<bool>(), 0_u8..5).prop_map(|(close, answer)| Move::Works(close, answer)),
        2 => Just(Move::Delivered),
        1 => any::<u8>().prop_map(Move::NotTaken),
        1 => any::<u16>().prop_map(Move::Later),
        1 => (0_u16..8).prop_map(Move::Later),
        2 => Just(Move::Gathered),
    ];
    prop::collection::vec(one, 1..60)
}

struct Life {
    workspace: Workspace,
    scene: Scene,
    heard: Vec<Input>,
    state: Conversation,
    now: Timestamp,
    claims: u64,
    told: Vec<EventKind>,
    last_told: u64,
    last_message: u64,
}

impl Life {
    fn begin(assigned: bool, bursts: bool) -> Self {
        let mut scene = Scene::default();
        if assigned {
            scene.assign_to_bot();
        }
        Self {
            workspace: workspace(bursts),
            scene,
            heard: Vec::new(),
            state: Conversation::default(),
            now: Timestamp(1_768_040_000_000),
            claims: 0,
            told: Vec::new(),
            last_told: 0,
            last_message: 0,
        }
    }

    /// Steps, and where the whole conversation is asked for, steps with it.
    fn take(&mut self, input: &Input) -> Vec<Effect> {
        let outcome = step(&self.state, input, &self.workspace, self.now);
        self.check(&outcome.state);
        self.may_hear_again(&outcome.state);
        let message = |event: &&PendingEvent| matches!(event.kind, EventKind::Message { .. });
        let last = outcome.state.events.iter().filter(message).map(|event| event.seq).max();
        self.last_message = self.last_message.max(last.unwrap_or(0));
        let fetch = outcome.effects.contains(&Effect::Fetch);
        assert!(!fetch || outcome.state == self.state, "a step that asks for more changes nothing");
        self.state = outcome.state;
        if !fetch {
            return outcome.effects;
        }
        let whole = match input {
            Input::Observed(part) => Input::Observed(self.scene.whole().with_parts_of(part)),
            _ => Input::Tick(Some(self.scene.whole())),
        };
        let outcome = step(&self.state, &whole, &self.workspace, self.now);
        assert!(!outcome.effects.contains(&Effect::Fetch), "with the whole conversation nothing more is asked for");
        self.check(&outcome.state);
        self.may_hear_again(&outcome.state);
        let message = |event: &&PendingEvent| matches!(event.kind, EventKind::Message { .. });
        let last = outcome.state.events.iter().filter(message).map(|event| event.seq).max();
        self.last_message = self.last_message.max(last.unwrap_or(0));
        self.state = outcome.state;
        outcome.effects
    }

    /// What holds after every step.
    fn check(&self, after: &Conversation) {
        assert!(after.epoch >= self.state.epoch, "epochs only grow");
        assert!(after.last_event >= self.state.last_event);
        let seqs: Vec<u64> = after.events.iter().map(|event| event.seq).collect();
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "events are numbered without gaps: {seqs:?}");
        let outs: Vec<u64> = after.outbox.iter().map(|entry| entry.seq).collect();
        assert!(
            outs.windows(2).all(|pair| pair[0] < pair[1]) || after.outbox.len() < 2,
            "actions stay in order: {outs:?}"
        );
        if self.state.control == Control::Bot && after.control != Control::Bot {
            assert!(after.epoch > self.state.epoch, "losing the conversation begins an epoch");
        }
        let stored = serde_json::to_string(after).unwrap();
        assert_eq!(&serde_json::from_str::<Conversation>(&stored).unwrap(), after, "what is stored comes back");
    }

    /// What a bot took while people had it only because it could not be reached is told once more.
    fn may_hear_again(&mut self, after: &Conversation) {
        let is_message = |event: &PendingEvent| matches!(event.kind, EventKind::Message { .. });
        let waits = self.state.burst.is_some() || self.state.events.iter().any(is_message);
        let relief = self.state.relieved.as_ref().filter(|_| after.control == Control::Bot && !waits);
        let Some(relief) = relief else { return };
        let again = |part: &Option<PartId>| part.as_ref().map_or(relief.source, |part| relief.covers(part));
        self.told.retain(|event| !parts_told(event).iter().any(again));
    }

    fn happens(&mut self, what: u8) {
        let scene = &mut self.scene;
        match what {
            0 => scene.customer("Hi"), // long ago, by its time
            1 => scene.customer_now("Hi", self.now),
            2 => scene.alice("Hello"),
            3 => scene.give_back(),
            4 => scene.alice_takes(),
            5 => scene.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(SUPPORT).unwrap())),
            6 => scene.assign_to_bot(),
            7 => scene.close(),
            8 => scene.note("psst"),
            9 => scene.note("/bot take"),
            10 => scene.note("/bot send"),
            11 => scene.note("/bot pause 1m"),
            _ => scene.note("/bot why"),
        };
    }

    /// The bot asks for something; it says what it knew, and may be some events behind.
    fn asked(&mut self, ask: u8, id: u8, behind: Option<u8>) {
        let seq = behind.map(|behind| self.state.last_event.saturating_sub(behind.into()));
        let content = vec![Block::Text { text: format!("{ask}"), format: TextFormat::Plain }];
        let none = serde_json::Map::new;
        let ask = match ask {
            0 | 1 => Ask::Reply { content },
            2 => Ask::Note { text: "n".to_owned() },
            5 => Ask::Answer { content, turn: Turn::default() },
            3 => Ask::Handover {
                to: HandoverTarget::Default,
                reason: None,
                note: None,
                content,
                tags: Vec::new(),
                attributes: none(),
            },
            _ => Ask::Close { reason: Some("bye".to_owned()), tags: Vec::new(), attributes: none() },
        };
        let command = Command {
            id: CommandId::parse(format!("c{id}")).unwrap(),
            bot: BotId::parse("demo").unwrap(),
            digest: format!("{ask:?}"),
            epoch: None,
            seq,
            ask,
        };
        let had = self.state.control == Control::Bot;
        let before = self.state.outbox.len();
        let last_message = self.last_message;
        self.take(&Input::Commanded(command.clone()));
        let closes = matches!(command.ask, Ask::Close { .. }) && self.state.outbox.len() > before;
        if had
            && closes
            && let Some(seq) = seq
        {
            assert!(seq >= last_message, "a close that knew of {seq} was taken over message {last_message}");
        }
        let speaks = matches!(command.ask, Ask::Reply { .. } | Ask::Handover { .. });
        assert!(had || !speaks || self.state.outbox.len() == before, "a bot that does not have it was heard");
    }

    fn works(&mut self, close: bool, answer: u8) {
        let lane = if close { Lane::Close } else { Lane::Replies };
        self.claims += 1;
        let claim = ClaimId::parse(format!("claim{}", self.claims)).unwrap();
        let effects = self.take(&Input::Claim { lane, claim: claim.clone(), until: self.now.plus_ms(30_000) });
        match effects.last() {
            Some(Effect::Perform { seq, action }) => {
                let entry = self.state.outbox.iter().find(|entry| entry.seq == *seq).unwrap();
                if action.dies_with_its_epoch() {
                    assert_eq!(entry.epoch, self.state.epoch, "an action of an epoch that is over was sent");
                }
                if matches!(action, Action::Reply { .. }) && self.state.control != Control::Bot {
                    let farewell = self.state.outbox.iter().any(|other| matches!(other.action, Action::Assign { .. }));
                    let sent = |suggestion: &Suggestion| suggestion.spent == Some(Spent::Sent);
                    let wanted = entry.command.is_none() && self.state.suggestion.as_ref().is_some_and(sent);
                    assert!(farewell || wanted, "the bot speaks while it is {:?}", self.state.control);
                }
                let takes = matches!(action, Action::Take { .. });
                let answer = match answer {
                    0 | 1 if takes => {
                        let bot = self.workspace.bot_teammate.clone();
                        let whole = self.scene.own_assign(Assignee::Teammate(bot)).whole();
                        Answer::Done { part_id: whole.parts.last().map(|part| part.id.clone()) }
                    }
                    0 | 1 => Answer::Done { part_id: None },
                    2 => Answer::Unknown,
                    3 => Answer::NotSent { retry_at: self.now.plus_ms(1_000) },
                    _ => Answer::Rejected { code: "x".to_owned(), message: "x".to_owned() },
                };
                let seq = *seq;
                self.take(&Input::Answered { seq, claim, answer });
            }
            Some(Effect::ReadBack { seq }) => {
                let (seq, observation) = (*seq, self.scene.whole());
                self.take(&Input::ReadBack { seq, observation });
            }
            _ => {}
        }
    }

    fn live(&mut self, step: &Move) {
        match step {
            Move::Happens(what) => self.happens(*what),
            Move::Notified => {
                let input = Input::Observed(self.scene.notification());
                self.heard.push(input.clone());
                self.take(&input);
            }
            Move::NotifiedAgain(which) => {
                if let Some(input) = self.heard.get(usize::from(*which) % self.heard.len().max(1)).cloned() {
                    self.take(&input);
                }
            }
            Move::Seen => {
                self.take(&Input::Observed(self.scene.whole()));
            }
            Move::Asked(ask, id, behind) => self.asked(*ask, *id, *behind),
            Move::Works(close, answer) => self.works(*close, *answer),
            Move::Delivered => {
                if let Some(event) = self.state.events.front().cloned() {
                    assert_eq!(event.seq, self.last_told + 1, "the bot is told in order, without gaps");
                    self.last_told = event.seq;
                    self.told.push(event.kind);
                    self.take(&Input::Delivered { seq: event.seq });
                }
            }
            Move::NotTaken(minutes) => self.not_taken(*minutes),
            Move::Gathered => {
                let due = self.state.burst.as_ref().map(|burst| burst.due_at);
                let last = self.state.last_event;
                self.take(&Input::Gathered);
                let is_told = self.state.last_event > last;
                assert_eq!(is_told, due.is_some_and(|due| due <= self.now), "a turn is told when it is complete");
            }
            Move::Later(seconds) => {
                self.now = self.now.plus_ms(u64::from(*seconds) * 1_000);
                self.take(&Input::Tick(None));
            }
        }
    }

    /// The bot does not take an event, and has taken nothing for so long.
    fn not_taken(&mut self, minutes: u8) {
        let Some(event) = self.state.events.front().cloned().filter(|event| event.attempts < 11) else { return };
        let failing_since = Timestamp(self.now.0 - u64::from(minutes) * 60_000);
        let (had, waiting) = (self.state.control == Control::Bot, self.state.events.len());
        self.take(&Input::NotDelivered(Vain {
            seq: event.seq,
            retry_after_ms: 0,
            failing_since,
            handover_after_ms: 600_000,
        }));
        assert!(self.state.events.front().is_some_and(|next| next.seq == event.seq && next.due_at > self.now));
        assert!(self.state.events.len() >= waiting, "nothing is forgotten");
        assert_eq!(self.state.control == Control::Bot, had && minutes < 10, "people have it after ten minutes");
    }

    /// Everything is heard, carried out and told.
    fn come_to_rest(&mut self) {
        self.take(&Input::Observed(self.scene.whole()));
        for _ in 0..400 {
            self.now = self.now.plus_ms(40_000);
            self.works(false, 0);
            self.works(true, 0);
            self.live(&Move::Gathered);
            self.live(&Move::Delivered);
            if self.state.outbox.is_empty() && self.state.backlog() == 0 {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", self.state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_in_every_life(moves in moves(), assigned in any::<bool>(), bursts in any::<bool>()) {
        let mut life = Life::begin(assigned, bursts);
        for step in &moves {
            life.live(step);
        }
        life.come_to_rest();

        let mut messages: Vec<_> = life.told.iter().flat_map(parts_told).collect();
        let count = messages.len();
        prop_assert!(messages.windows(2).all(|pair| pair[0] < pair[1]), "messages come in order");
        messages.dedup();
        prop_assert_eq!(messages.len(), count, "no message is told twice");

        let told = format!("{:?}", life.told);
        prop_assert!(!told.contains("psst"), "a note was told");
        let mut results: Vec<_> = life.told.iter().filter_map(|event| match event {
            EventKind::CommandDone { command_id, .. } | EventKind::CommandSuperseded { command_id, .. } => Some(command_id.clone()),
            EventKind::CommandRejected { command_id, code, .. } if code != "id_reused" => Some(command_id.clone()),
            _ => None,
        }).collect();
        results.sort();
        let count = results.len();
        results.dedup();
        prop_assert_eq!(results.len(), count, "no command has two results");
        prop_assert_eq!(count, life.state.commands.len(), "every command has its result");

        let whole = life.scene.whole();
        let bots = life.workspace.is_bots(&whole.assignee);
        match life.state.control {
            Control::Human if life.state.bot.is_some() => {}
            Control::Bot if life.state.away => prop_assert_eq!(whole.assignee, Assignee::Nobody, "it is watched"),
            Control::Bot | Control::Paused => prop_assert!(bots || life.state.bot.is_none(), "{:?}", whole.assignee),
            _ => {}
        }
    }
}
