//! What becomes of an answer in a conversation: said, left to people, suggested; and what teammates
//! make of it.

use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::{AuthorKind, Block, TextFormat};
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane, Overtaker};
use shared::domain::ids::{AdminId, BotId, ClaimId, CommandId, TeamId, Timestamp};
use shared::domain::part::{Assignee, Observation};
use shared::domain::rules::{Candidate, Confidence, Intent, Node, Turn};
use shared::domain::settings::Workspace;
use shared::domain::step::{Answer, Effect, Input, step};
use shared::testing::Scene;

const RULES: &str = r#"
[workspace.rules]
[[workspace.rules.rule]]
nodes = "Refund"
action = "suggest"
team = "500003"
[[workspace.rules.rule]]
nodes = "Legal"
action = "nothing"
[[workspace.rules.rule]]
nodes = "Billing"
action = "send"
team = "500002"
[[workspace.rules.rule]]
nodes = "Trial"
action = "answer"
shadow = true
"#;

/// A conversation that the bot has, step by step.
pub(crate) struct Talk {
    pub(crate) workspace: Workspace,
    pub(crate) scene: Scene,
    pub(crate) state: Conversation,
    now: Timestamp,
    asked: u32,
    refusal: Option<Answer>,
}

impl Talk {
    pub(crate) fn of(scene: Scene) -> Self {
        let mut workspace = super::workspace(RULES);
        workspace.monitor = Some(Assignee::Nobody);
        let (state, now) = (Conversation::default(), Timestamp(1_768_040_000_000));
        Self { workspace, scene, state, now, asked: 0, refusal: None }
    }

    /// What Intercom answers to the next request, without doing anything.
    pub(crate) fn refuse_next(&mut self, answer: Answer) {
        self.refusal = Some(answer);
    }

    pub(crate) fn new() -> Self {
        let mut scene = Scene::default();
        scene.assign_to_bot();
        let mut talk = Self::of(scene);
        talk.look();
        talk.state.events.clear();
        talk
    }

    pub(crate) fn take(&mut self, input: &Input) -> Vec<Effect> {
        let outcome = step(&self.state, input, &self.workspace, self.now);
        let stored = serde_json::to_string(&outcome.state).unwrap();
        assert_eq!(serde_json::from_str::<Conversation>(&stored).unwrap(), outcome.state);
        self.state = outcome.state;
        outcome.effects
    }

    /// The last part is notified, and the whole fetched where it is asked for.
    pub(crate) fn hear(&mut self) {
        self.hear_of(&self.scene.notification());
    }

    /// A notification arrives, maybe late, and the whole is fetched where it is asked for.
    fn hear_of(&mut self, notification: &Observation) {
        if self.take(&Input::Observed(notification.clone())).contains(&Effect::Fetch) {
            let whole = self.scene.whole().with_parts_of(notification);
            assert!(!self.take(&Input::Observed(whole)).contains(&Effect::Fetch));
        }
    }

    /// Time passes.
    pub(crate) fn later(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    pub(crate) fn look(&mut self) {
        self.take(&Input::Observed(self.scene.whole()));
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        self.ask_knowing(None, ask);
    }

    /// By a bot that knows events up to this one.
    fn ask_knowing(&mut self, seq: Option<u64>, ask: Ask) {
        self.asked += 1;
        let id = CommandId::parse(format!("c{}", self.asked)).unwrap();
        let bot = BotId::parse("demo").unwrap();
        let epoch = Some(self.state.epoch);
        self.take(&Input::Commanded(Command { id, bot, digest: String::new(), epoch, seq, ask }));
    }

    pub(crate) fn answer(&mut self, node: &str, turn: Turn) {
        self.answer_knowing(None, node, turn);
    }

    /// The same, to this event.
    pub(crate) fn answer_to(&mut self, event: u64, node: &str, turn: Turn) {
        self.answer_knowing(Some(event), node, turn);
    }

    fn answer_knowing(&mut self, seq: Option<u64>, node: &str, turn: Turn) {
        let name = Some(node.to_owned());
        let root = Node { id: format!("id-{node}"), external_name: name.clone(), name, ..Node::default() };
        let nodes = vec![Node { has_children: turn.nodes.len() > 1, ..root }];
        self.ask_knowing(seq, Ask::Answer { content: text("the answer"), turn: Turn { nodes, ..turn } });
    }

    /// Everything that waits for Intercom, carried out there; what it was.
    pub(crate) fn carry_out(&mut self) -> Vec<Action> {
        let mut done = Vec::new();
        while let Some(entry) = self.state.outbox.front() {
            let (lane, seq) = (entry.action.lane(), entry.seq);
            let claim = ClaimId::parse("c").unwrap();
            let claimed = self.take(&Input::Claim { lane, claim: claim.clone(), until: self.now.plus_ms(60_000) });
            let Some(Effect::Perform { action, .. }) = claimed.last() else { continue };
            let answer = match self.refusal.take() {
                Some(refusal) => refusal,
                None => {
                    done.push(action.clone());
                    Answer::Done { part_id: self.perform(action) }
                }
            };
            self.take(&Input::Answered { seq, claim, answer });
        }
        done
    }

    fn perform(&mut self, action: &Action) -> Option<shared::domain::ids::PartId> {
        match action {
            Action::Reply { html, .. } => self.scene.own_reply(html.trim_start_matches("<p>").trim_end_matches("</p>")),
            Action::Assign { to, .. } => self.scene.own_assign(to.clone()),
            Action::Take { .. } => self.scene.own_assign(Assignee::Teammate(self.workspace.bot_teammate.clone())),
            _ => return None,
        };
        self.scene.whole().parts.last().map(|part| part.id.clone())
    }

    pub(crate) fn told(&mut self) -> Vec<EventKind> {
        self.state.events.drain(..).map(|event| event.kind).collect()
    }
}

pub(crate) fn text(words: &str) -> Vec<Block> {
    vec![Block::Text { text: words.to_owned(), format: TextFormat::Plain }]
}

pub(crate) fn sure(thousandths: u16) -> Turn {
    Turn { intents: vec![Intent { name: "i".to_owned(), confidence: Confidence(thousandths) }], ..Turn::default() }
}

pub(crate) fn several() -> Turn {
    let candidate = |label: &str, text: &str, confidence: Option<u16>| Candidate {
        label: label.into(),
        text: text.into(),
        confidence: confidence.map(Confidence),
    };
    Turn { candidates: vec![candidate("One", "first", Some(820)), candidate("Two <b>", "*second*", None)], ..sure(900) }
}

pub(crate) fn team(id: &str) -> Assignee {
    Assignee::Team(TeamId::parse(id).unwrap())
}

pub(crate) fn notes(actions: &[Action]) -> String {
    let note = |action: &Action| match action {
        Action::Note { html } => Some(html.clone()),
        _ => None,
    };
    actions.iter().filter_map(note).collect::<Vec<_>>().join("\n")
}

pub(crate) fn replies(actions: &[Action]) -> Vec<&str> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Reply { html, .. } => Some(html.as_str()),
            _ => None,
        })
        .collect()
}

pub(crate) fn assigned(actions: &[Action]) -> Vec<Assignee> {
    let to = |action: &Action| match action {
        Action::Assign { to, .. } => Some(to.clone()),
        _ => None,
    };
    actions.iter().filter_map(to).collect()
}

#[test]
fn an_answer_that_the_rules_let_through_is_said() {
    let mut talk = Talk::new();
    talk.answer("Hours", sure(750));
    assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"]);
    assert!(matches!(talk.told()[..], [EventKind::CommandDone { .. }]));
    assert_eq!(talk.state.control, Control::Bot);
}

#[test]
fn what_a_rule_leaves_to_people_is_not_said_and_the_bot_is_told() {
    for (node, confidence, to, words) in [
        ("Legal", 990, team("500001"), ""),
        ("Hours", 740, team("500001"), ""),
        ("Billing", 900, team("500002"), "Sent here by the workspace's rules. The bot takes it for “Billing” (0.90)."),
    ] {
        let mut talk = Talk::new();
        talk.answer(node, sure(confidence));
        let told = talk.told();
        assert!(
            matches!(
                told[..],
                [EventKind::CommandSuperseded { by: Overtaker::Rule, .. }, EventKind::HandoverWaiting { .. }]
            ),
            "{told:?}"
        );
        assert_eq!(talk.state.control, Control::Human);
        let done = talk.carry_out();
        assert!(replies(&done).is_empty(), "{node}: {done:?}");
        assert_eq!(assigned(&done), [to], "{node}");
        assert!(notes(&done).contains(words) && notes(&done).is_empty() == words.is_empty(), "{node}: {done:?}");
    }
}

#[test]
fn a_rule_that_is_tried_out_posts_nothing() {
    let mut talk = Talk::new();
    talk.answer("Trial", sure(900));
    let done = talk.carry_out();
    assert!(replies(&done).is_empty() && notes(&done).is_empty(), "{done:?}");
    assert_eq!(assigned(&done), [team("500001")], "the customer is not left with nobody");
    assert!(talk.state.suggestion.as_ref().is_some_and(|suggestion| suggestion.shadow && !suggestion.is_open()));
    talk.scene.give_back();
    talk.hear();
    assert!(replies(&talk.carry_out()).is_empty(), "nobody was shown it, so nobody has accepted it");
}

#[test]
fn the_bots_handover_goes_where_the_last_node_with_an_external_name_says() {
    let mut talk = Talk::new();
    talk.ask(Ask::Escalate { content: text("bye"), note: None, turn: None });
    assert_eq!(assigned(&talk.carry_out()), [team("500001")], "nothing is known: the default");
    let mut talk = Talk::new();
    talk.answer("Hours", sure(900));
    let unnamed = Node { id: "human".to_owned(), name: Some("Connect".to_owned()), ..Node::default() };
    let refund =
        Node { id: "r".into(), name: Some("Refund".into()), external_name: Some("Refunds".into()), ..Node::default() };
    let turn = |node: &Node| Some(Turn { nodes: vec![node.clone()], ..Turn::default() });
    talk.ask(Ask::Escalate { content: text("bye"), note: Some("psst".into()), turn: turn(&refund) });
    let done = talk.carry_out();
    assert_eq!(assigned(&done), [team("500003")]);
    assert_eq!(replies(&done), ["<p>the answer</p>", "<p>bye</p>"]);
    let mut talk = Talk::new();
    talk.state.goal = turn(&refund).unwrap().root();
    talk.ask(Ask::Escalate { content: vec![], note: None, turn: turn(&unnamed) });
    assert_eq!(assigned(&talk.carry_out()), [team("500003")], "a node without an external name is no goal");
    let mut talk = Talk::new();
    talk.state.goal = turn(&refund).unwrap().root();
    let to = HandoverTarget::Default;
    let none = serde_json::Map::new();
    talk.ask(Ask::Handover { to, reason: None, note: None, content: vec![], tags: vec![], attributes: none });
    assert_eq!(assigned(&talk.carry_out()), [team("500003")], "a hand-over that names nobody");
}

#[test]
fn a_suggestion_is_a_note_and_what_it_is_depends_on_the_node() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    let done = talk.carry_out();
    assert!(replies(&done).is_empty());
    assert_eq!(assigned(&done), [team("500003")]);
    assert!(notes(&done).contains("suggests this answer for “Refund” (0.90)") && notes(&done).contains("the answer"));

    let mut talk = Talk::new();
    let children = Turn { nodes: vec![Node::default(), Node::default()], ..sure(900) };
    talk.answer("Refund", children);
    let note = notes(&talk.carry_out());
    assert!(
        note.contains("can handle “Refund”") && note.contains("/bot take") && !note.contains("the answer"),
        "{note}"
    );

    let mut talk = Talk::new();
    talk.answer("Refund", several());
    let note = notes(&talk.carry_out());
    assert!(note.contains("<ol><li>") && note.contains("/bot send 1") && note.contains("first"), "{note}");
    assert!(note.contains("Two &lt;b&gt;"), "a label is no HTML: {note}");
}

#[test]
fn a_teammate_who_gives_the_conversation_to_the_bot_accepts_its_offer() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.told();
    talk.scene.give_back();
    talk.hear();
    assert_eq!(talk.state.control, Control::Bot);
    assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"]);
    let told = talk.told();
    assert!(
        matches!(told[..], [EventKind::Resumed { .. }, EventKind::SuggestionSent { number: None, .. }]),
        "{told:?}"
    );
    talk.scene.customer("and then?");
    talk.hear();
    talk.answer("Refund", sure(900));
    assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"], "for this node the bot has been let");
    talk.scene.alice("I go on");
    talk.hear();
    talk.scene.give_back();
    talk.hear();
    talk.answer("Refund", sure(900));
    assert!(replies(&talk.carry_out()).is_empty(), "that ended when a person took over");
}

#[test]
fn an_offer_is_stale_once_somebody_has_written() {
    type Happen = fn(&mut Scene);
    let happenings: [(&str, Happen); 3] = [
        ("customer", |scene| {
            scene.customer("hello?");
        }),
        ("teammate", |scene| {
            scene.alice("I am on it");
        }),
        ("closed", |scene| {
            scene.close();
        }),
    ];
    for (name, happen) in happenings {
        let mut talk = Talk::new();
        talk.answer("Refund", sure(900));
        talk.carry_out();
        happen(&mut talk.scene);
        talk.hear();
        talk.scene.give_back();
        talk.hear();
        assert!(replies(&talk.carry_out()).is_empty(), "{name}");
    }
}

#[test]
fn a_workflow_that_gives_it_back_accepts_nothing() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    let bot = Assignee::Teammate(AdminId::parse("900001").unwrap());
    talk.scene.assign(AuthorKind::Operator, bot);
    talk.hear();
    assert!(replies(&talk.carry_out()).is_empty());
}

#[test]
fn a_repeated_command_is_ruled_once() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    let before = talk.state.clone();
    talk.asked -= 1;
    talk.answer("Refund", sure(900));
    assert_eq!(talk.state, before);
}

#[test]
fn the_lane_of_what_is_left_to_people_is_the_replies() {
    let mut talk = Talk::new();
    talk.answer("Billing", sure(900));
    assert!(talk.state.outbox.iter().all(|entry| entry.action.lane() == Lane::Replies));
}

/// Alice writes a note, and it is carried out; what came of it.
pub(crate) fn note(talk: &mut Talk, words: &str) -> Vec<Action> {
    talk.scene.note(words);
    talk.hear();
    talk.carry_out()
}

#[test]
fn a_teammate_sends_a_suggestion_by_its_number_and_only_once() {
    let mut talk = Talk::new();
    talk.answer("Refund", several());
    talk.carry_out();
    talk.told();
    assert!(notes(&note(&mut talk, "/bot send 3")).contains("There is no number 3; there are 1 to 2."));
    let done = note(&mut talk, "/Bot  SEND 2");
    assert_eq!(replies(&done), ["<p><i>second</i></p>"]);
    assert_eq!(talk.state.control, Control::Human, "people keep the conversation");
    let told = talk.told();
    assert!(matches!(told[..], [EventKind::SuggestionSent { number: Some(2), .. }]), "{told:?}");
    let again = note(&mut talk, "/bot send 2");
    assert!(replies(&again).is_empty() && notes(&again).contains("it has been sent already"), "{again:?}");
}

#[test]
fn what_is_stale_is_not_sent() {
    type Happen = fn(&mut Scene);
    let happenings: [(&str, Happen); 3] = [
        ("the customer has written since", |scene| {
            scene.customer("hello?");
        }),
        ("a teammate has answered since", |scene| {
            scene.alice("I am on it");
        }),
        ("the conversation was closed since", |scene| {
            scene.close();
        }),
    ];
    for (why, happen) in happenings {
        for heard in [true, false] {
            let mut talk = Talk::new();
            talk.answer("Refund", sure(900));
            talk.carry_out();
            happen(&mut talk.scene);
            if heard {
                talk.hear();
            }
            let done = note(&mut talk, "/bot send 1");
            assert!(replies(&done).is_empty() && notes(&done).contains(why), "{why}, heard: {heard}: {done:?}");
        }
    }
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    assert!(notes(&note(&mut talk, "/bot dismiss")).contains("is dismissed"));
    let done = note(&mut talk, "/bot send 1");
    assert!(replies(&done).is_empty() && notes(&done).contains("it was dismissed"));
}

#[test]
fn teammates_are_told_what_intercom_did_not_take() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.note("/bot send 1");
    talk.hear();
    talk.refuse_next(Answer::Rejected { code: "too_bad".to_owned(), message: String::new() });
    let done = talk.carry_out();
    assert!(
        replies(&done).is_empty() && notes(&done).contains("did not take what was to be sent (too_bad)"),
        "{done:?}"
    );
}

#[test]
fn a_note_may_ask_several_things_and_say_others_beside_them() {
    let mut talk = Talk::new();
    talk.answer("Refund", several());
    talk.carry_out();
    let done = note(&mut talk, "<p>The second is right.</p><p>/bot send two</p><p>/bot why</p>");
    assert_eq!(replies(&done), ["<p><i>second</i></p>"]);
    assert!(notes(&done).contains("has been sent already"), "{done:?}");
}

#[test]
fn who_writes_between_the_note_and_the_sending_comes_first() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.note("/bot send 1");
    talk.hear();
    talk.scene.alice("I answer myself");
    talk.hear();
    assert!(replies(&talk.carry_out()).is_empty());
}

#[test]
fn take_assigns_to_the_bot_and_sends_what_it_offered() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.told();
    let done = note(&mut talk, "/bot take");
    assert!(matches!(done[..], [Action::Take { .. }, Action::Reply { .. }]), "{done:?}");
    assert_eq!(talk.state.control, Control::Bot);
    assert!(matches!(talk.told()[..], [EventKind::Resumed { .. }, EventKind::SuggestionSent { number: None, .. }]));
    talk.look();
    assert_eq!(talk.state.control, Control::Bot, "what Intercom shows agrees");
    assert!(notes(&note(&mut talk, "/bot take")).contains("have the conversation already"));
}

#[test]
fn notifications_from_before_the_note_do_not_take_it_from_the_bot_again() {
    for order in [[0, 1], [1, 0]] {
        let mut talk = Talk::new();
        // Each shows whose the conversation was when it was sent: the bot's, then the team's.
        let given = talk.scene.notification();
        talk.answer("Refund", sure(900));
        talk.carry_out();
        let late = [given, talk.scene.notification()];
        assert_ne!(late[0].assignee, late[1].assignee);
        talk.scene.note("/bot take");
        talk.hear();
        for which in order {
            talk.hear_of(&late[which]);
        }
        assert_eq!(talk.state.control, Control::Bot, "{order:?}");
        let done = talk.carry_out();
        assert!(matches!(done[..], [Action::Take { .. }, Action::Reply { .. }]), "{order:?}: {done:?}");
    }
}

#[test]
fn take_is_heeded_where_the_assignment_before_it_is_heard_of_with_it() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.assign(AuthorKind::Teammate, team("500001"));
    talk.scene.note("/bot take");
    talk.hear();
    assert_eq!(talk.state.control, Control::Bot);
    assert!(matches!(talk.carry_out()[..], [Action::Take { .. }, Action::Reply { .. }]));
    talk.look();
    assert_eq!(talk.state.control, Control::Bot, "what Intercom shows agrees");
}

#[test]
fn what_cannot_be_taken_is_left_and_nothing_is_said() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.note("/bot take");
    talk.hear();
    let claim = ClaimId::parse("c").unwrap();
    let seq = talk.state.outbox.front().unwrap().seq;
    talk.take(&Input::Claim { lane: Lane::Replies, claim: claim.clone(), until: talk.now.plus_ms(60_000) });
    let answer = Answer::Rejected { code: "taken".to_owned(), message: String::new() };
    talk.take(&Input::Answered { seq, claim, answer });
    assert_eq!(talk.state.control, Control::Human);
    let done = talk.carry_out();
    assert!(replies(&done).is_empty() && notes(&done).contains("could not take the conversation (taken)"), "{done:?}");
}

#[test]
fn who_takes_it_while_the_bot_is_taking_it_gets_it_back() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.note("/bot take");
    talk.hear();
    let claim = ClaimId::parse("c").unwrap();
    let seq = talk.state.outbox.front().unwrap().seq;
    talk.take(&Input::Claim { lane: Lane::Replies, claim: claim.clone(), until: talk.now.plus_ms(60_000) });
    talk.scene.alice_takes();
    talk.hear();
    let bot = Assignee::Teammate(AdminId::parse("900001").unwrap());
    talk.scene.own_assign(bot);
    let part_id = talk.scene.whole().parts.last().map(|part| part.id.clone());
    talk.take(&Input::Answered { seq, claim, answer: Answer::Done { part_id } });
    let done = talk.carry_out();
    assert!(replies(&done).is_empty(), "{done:?}");
    assert_eq!(assigned(&done), [Assignee::Teammate(AdminId::parse("900002").unwrap())]);
    assert_eq!(talk.state.control, Control::Human);
}

#[test]
fn pause_and_resume() {
    let mut talk = Talk::new();
    assert!(notes(&note(&mut talk, "/bot pause 2h")).contains("I am silent until 2026-01-10 12:13 UTC"));
    assert_eq!(talk.state.control, Control::Paused);
    assert!(matches!(talk.told()[..], [EventKind::AgentJoined { .. }]));
    talk.now = talk.now.plus_ms(3_600_000);
    talk.take(&Input::Tick(None));
    assert_eq!(talk.state.control, Control::Paused);
    talk.now = talk.now.plus_ms(3_600_000);
    assert_eq!(talk.take(&Input::Tick(None)), [Effect::Fetch]);
    let whole = talk.scene.whole();
    talk.take(&Input::Tick(Some(whole)));
    assert_eq!(talk.state.control, Control::Bot);
    note(&mut talk, "/bot pause");
    assert_eq!((talk.state.control, talk.state.resume_at), (Control::Paused, None));
    let done = note(&mut talk, "/bot resume");
    assert_eq!(talk.state.control, Control::Bot);
    assert!(done.is_empty(), "it is in the bot's inbox already: {done:?}");
}

#[test]
fn why_says_who_since_when_and_what_would_change_it() {
    let mut talk = Talk::new();
    talk.answer("Hours", sure(740));
    talk.carry_out();
    let why = notes(&note(&mut talk, "/bot why"));
    for words in [
        "people have this conversation",
        "Since 2026-01-10 10:13 UTC, by the bot.",
        "/bot take",
        "“Hours” (0.74) was left to people",
        "0.74 is below 0.75",
    ] {
        assert!(why.contains(words), "{words} is not in {why}");
    }
    talk.scene.give_back();
    talk.hear();
    let why = notes(&note(&mut talk, "/bot why"));
    assert!(why.contains("I have this conversation") && why.contains("by Alice"), "{why}");
}

#[test]
fn a_summary_counts_and_quotes() {
    let mut talk = Talk::new();
    talk.scene.customer("I want my money back");
    talk.hear();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.look();
    let summary = notes(&note(&mut talk, "/bot summary"));
    for words in
        ["2 message(s), the bot 1, teammates 0", "first words: “Hello”", "last words: “I want my money back”", "Hours"]
    {
        assert!(summary.contains(words), "{words} is not in {summary}");
    }
}

#[test]
fn retry_makes_what_waits_due() {
    let mut talk = Talk::new();
    talk.scene.customer("hello?");
    talk.hear();
    let later = talk.now.plus_ms(3_600_000);
    talk.state.events[0].due_at = later;
    assert!(notes(&note(&mut talk, "/bot retry")).contains("I try again now"));
    assert!(talk.state.events[0].due_at <= talk.now);
    // Once it is due, another try changes nothing.
    let before = talk.state.events.len();
    assert!(notes(&note(&mut talk, "/bot retry")).contains("Nothing waits"));
    assert_eq!(talk.state.events.len(), before);
}

#[test]
fn a_bot_that_took_a_message_and_said_nothing_is_asked_again_at_retry() {
    let mut talk = Talk::new();
    talk.ask(Ask::Reply { content: text("Hello!") });
    talk.carry_out();
    talk.scene.customer("my parcel");
    talk.hear();
    talk.scene.customer("is it on its way?");
    talk.hear();
    let numbers = |talk: &Talk| talk.state.events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let parts = |told: &[EventKind]| {
        let part = |event: &EventKind| match event {
            EventKind::Message { message, .. } => message.part_id.clone(),
            _ => None,
        };
        told.iter().filter_map(part).collect::<Vec<_>>()
    };
    let first = numbers(&talk);
    let told = parts(&talk.told());
    assert_eq!(told.len(), 2);
    assert!(notes(&note(&mut talk, "/bot retry")).contains("2 message(s) that nobody has answered"));
    assert!(numbers(&talk).iter().all(|seq| first.iter().all(|earlier| earlier < seq)), "they are new events");
    assert_eq!(parts(&talk.told()), told, "of the same messages");
    // What is answered is not asked again, and neither is what people have.
    talk.ask(Ask::Reply { content: text("On its way") });
    talk.carry_out();
    let _ = talk.told();
    assert!(notes(&note(&mut talk, "/bot retry")).contains("everything is answered"));
    assert!(parts(&talk.told()).is_empty());
    talk.scene.customer("thanks");
    talk.scene.alice_takes();
    talk.look();
    let _ = talk.told();
    assert!(notes(&note(&mut talk, "/bot retry")).contains("Nothing waits"));
    assert!(parts(&talk.told()).is_empty());
}

#[test]
fn an_unknown_note_is_answered_with_the_list_and_other_notes_are_nobodys() {
    let mut talk = Talk::new();
    let done = notes(&note(&mut talk, "/bot dance &lt;b&gt;"));
    assert!(done.contains("I do not know “dance &lt;b&gt;”") && done.contains("/bot summary"), "{done}");
    assert!(note(&mut talk, "let us ask the /bot why").is_empty());
}

/// A conversation of Support's that the bot never had, in which a teammate writes this note just now.
fn elsewhere(words: &str, more: impl FnOnce(&mut Scene)) -> Talk {
    let mut scene = Scene::default();
    scene.assign(AuthorKind::Operator, team("500001"));
    more(&mut scene);
    let mut talk = Talk::of(scene);
    talk.hear();
    assert_eq!(talk.state, Conversation::default(), "nothing is kept of it");
    talk.now = Timestamp::from_seconds(1_768_031_789 + 60);
    talk.scene.note(words);
    talk.hear();
    talk
}

#[test]
fn a_teammate_is_answered_in_a_conversation_that_the_bot_never_had() {
    for (words, answer) in [
        ("/bot why", "people have this conversation"),
        ("/bot summary", "“Hello”"),
        ("/bot dance", "I do not know"),
        ("/bot send 1", "no suggestion"),
        ("/bot pause", "silent already"),
        ("/bot retry", "Nothing waits"),
    ] {
        let mut talk = elsewhere(words, |_| ());
        let done = talk.carry_out();
        assert!(notes(&done).contains(answer) && done.len() == 1, "{words}: {done:?}");
        assert!(talk.state.bot.is_none() && talk.told().is_empty(), "the bot knows nothing of it");
        talk.hear();
        talk.look();
        assert!(talk.carry_out().is_empty(), "{words}: once is enough");
    }
    assert!(elsewhere("let us see", |_| ()).state == Conversation::default());
    assert!(notes(&elsewhere("/bot take", |scene| _ = scene.close()).carry_out()).contains("is closed"));
}

#[test]
fn a_teammate_can_give_the_bot_a_conversation_that_it_never_had_by_a_note() {
    let mut talk = elsewhere("/bot take", |scene| _ = scene.customer("my parcel"));
    let told = talk.told();
    assert!(matches!(told[..], [EventKind::Message { .. }, EventKind::Message { .. }]), "{told:?}");
    let done = talk.carry_out();
    assert!(matches!(done[..], [Action::Take { .. }]), "{done:?}");
    talk.hear();
    talk.ask(Ask::Reply { content: text("On its way") });
    assert_eq!(replies(&talk.carry_out()), ["<p>On its way</p>"]);
    assert!(talk.state.control == Control::Bot && !talk.state.away);
}

#[test]
fn an_old_note_in_a_conversation_that_the_bot_never_had_is_not_answered() {
    let mut scene = Scene::default();
    scene.assign(AuthorKind::Operator, team("500001"));
    scene.note_now("/bot why", Timestamp(1_768_036_400_000));
    let mut talk = Talk::of(scene);
    talk.look();
    assert_eq!(talk.state, Conversation::default());
}

#[test]
fn only_teammates_command_and_only_in_notes() {
    for happen in [
        |scene: &mut Scene| {
            scene.customer("/bot take");
        },
        |scene: &mut Scene| {
            scene.operator("/bot send 1");
        },
    ] {
        let mut talk = Talk::new();
        talk.answer("Refund", sure(900));
        talk.carry_out();
        happen(&mut talk.scene);
        talk.hear();
        assert_eq!(talk.state.control, Control::Human);
        assert!(talk.carry_out().is_empty());
    }
}

#[test]
fn a_note_that_comes_twice_is_heeded_once() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    assert_eq!(replies(&note(&mut talk, "/bot send 1")).len(), 1);
    talk.hear();
    talk.look();
    assert!(talk.carry_out().is_empty());
}

/// What teammates read, note by note; the page shows the same.
#[test]
fn the_notes_that_teammates_read() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    let answer = notes(&talk.carry_out());
    let mut talk = Talk::new();
    talk.answer("Refund", Turn { nodes: vec![Node::default(), Node::default()], ..sure(900) });
    let offer = notes(&talk.carry_out());
    let mut talk = Talk::new();
    talk.answer("Refund", several());
    let list = notes(&talk.carry_out());
    let why = notes(&note(&mut talk, "/bot why"));
    let unknown = notes(&note(&mut talk, "/bot dance"));
    let all = [("answer", answer), ("offer", offer), ("list", list), ("why", why), ("unknown", unknown)];
    let text: Vec<String> = all.iter().map(|(name, html)| format!("{name}\n  {html}\n")).collect();
    insta::assert_snapshot!("notes", text.join(""));
}

#[test]
fn a_note_right_behind_the_assignment_is_heeded_when_both_are_seen_at_once() {
    let now = Timestamp(1_768_040_000_000);
    let mut scene = Scene::default();
    scene.assign_to_bot().note_now("/bot pause 5", now);
    let mut talk = Talk::of(scene);
    talk.look();
    assert_eq!(talk.state.control, Control::Paused);
    assert_eq!(talk.state.resume_at, Some(now.plus_ms(300_000)));
    // The same in a conversation that was the bot's from its beginning, and in a monitored inbox.
    let mut scene = Scene::default();
    scene.note_now("/bot pause 5", now);
    let mut talk = Talk::of(scene);
    talk.look();
    assert_eq!((talk.state.control, talk.state.away), (Control::Human, true), "it watches no more");
}

#[test]
fn a_note_whose_notification_is_lost_is_found_behind_what_comes_next_while_people_have_it() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.look();
    assert_eq!(talk.state.control, Control::Human);
    talk.scene.note("/bot send 1"); // nobody tells of it
    talk.scene.customer("and another thing");
    talk.hear();
    assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"]);
}

#[test]
fn words_that_nobody_told_of_spoil_an_offer_all_the_same() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.look();
    talk.scene.customer("never mind"); // nobody tells of it
    talk.scene.assign(AuthorKind::Operator, team("500002"));
    talk.hear();
    assert!(replies(&note(&mut talk, "/bot send 1")).is_empty());
}

#[test]
fn an_old_notification_does_not_undo_a_take_that_is_on_its_way() {
    let mut talk = Talk::new();
    let before = talk.scene.notification();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.look();
    talk.scene.note("/bot take");
    talk.hear();
    assert_eq!(talk.state.control, Control::Bot);
    if talk.take(&Input::Observed(before)).contains(&Effect::Fetch) {
        talk.look();
    }
    assert_eq!(talk.state.control, Control::Bot);
    assert!(matches!(talk.carry_out()[..], [Action::Take { .. }, Action::Reply { .. }]));
}
