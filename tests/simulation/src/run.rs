//! One run: everything happens in its order, until all is at rest, and is looked at.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use shared::domain::conversation::Conversation;

use crate::check;
use crate::faults::{Fate, Storm};
use crate::intercom::{Deed, Said, Talk, Who};
use crate::limits::{Limit, Limits};
use crate::mutants::Mutant;
use crate::ports::apply;
use crate::product::{Product, Setting};
use crate::world::{BEGINNING, Event, Manner, QUEUES, QueueName, Role, World, with};

/// What happens in a run by itself: conversations, and what is done in them.
#[derive(Debug, Clone, Default)]
pub struct Play {
    /// The conversations: workspace, number, first words, and whether it begins with the bot.
    pub talks: Vec<(usize, u64, String, bool)>,
    /// What is done, by whom, in which conversation, when after the beginning.
    pub acts: Vec<(u64, usize, Who, Deed)>,
    /// What else happens, when after the beginning.
    pub events: Vec<(u64, Trouble)>,
    /// What goes wrong while it lasts.
    pub storms: Vec<Storm>,
    /// When nothing goes wrong any more, after the beginning.
    pub peace: u64,
    /// What the operator has set.
    pub setting: Setting,
    /// Intercom's rate limits, where the run is about them.
    pub limit: Option<Limit>,
    /// The machine that answers in the customers' name.
    pub machine: Option<crate::machines::Machine>,
    /// Chats of bot platforms.
    pub chats: Vec<crate::relay::chat::Cast>,
}

/// Trouble that lasts.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// The bots are down for so many milliseconds.
    BotDown(u64),
    /// All workers fail for so many milliseconds.
    WorkersDown(u64),
    /// Those that carry out what bots ask fail for so many milliseconds.
    RepliersDown(u64),
    /// Every row is lost.
    Wipe,
    /// An operator puts the dead letters back.
    Redrive,
    /// A message that nobody can read is on the inbox, in the first conversation's group.
    Poison,
    /// The first conversation cannot be fetched, and so many messages ask for it.
    Stuck(u32),
    /// A conversation's row goes.
    Expire(usize),
    /// The webhooks that are held back are let go.
    Release,
    /// Every webhook so far comes once more.
    Repeat,
    /// Every command so far comes once more.
    GiveAgain,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Whether it ended before all was at rest, because what follows is known.
    pub is_part: bool,
    /// What was wrong.
    pub wrong: Vec<String>,
    /// How many messages of customers there were.
    pub messages: u64,
    /// The whole run as a number.
    pub hash: u64,
    /// The run in words, where they were wanted.
    pub log: Vec<String>,
    /// At which calls something could have gone wrong, where they were to be remembered.
    pub points: Vec<crate::faults::Point>,
    /// How long customers waited for an answer, by conversation, where that was to be measured.
    pub answers_ms: Vec<(usize, u64)>,
    /// How many messages were parked, and after how many tries.
    pub parked: Vec<u32>,
    /// How many milliseconds passed in the world.
    pub lasted_ms: u64,
    /// What was counted.
    pub tally: crate::world::Tally,
    /// What came up against the rate limits, where there were any.
    pub limits: Option<Limits>,
}

/// How a run is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// In words.
    pub words: bool,
    /// With a mutant.
    pub mutant: Option<Mutant>,
    /// How often a message is received before it is dead; 0 for the template's number.
    pub most_receives: u32,
    /// How long customers wait is measured.
    pub measures: bool,
}

/// How long after the peace everything must be at rest, in milliseconds.
const REST_MS: u64 = 12 * 3_600_000;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Plays.
#[must_use]
pub fn run(play: &Play, seed: u64, fate: Fate, manner: Manner, view: View) -> Ending {
    run_and_look(play, seed, fate, manner, view, |_| ())
}

/// Plays, and lets `look` look at the world when all is at rest.
#[must_use]
pub fn run_and_look(
    play: &Play,
    seed: u64,
    fate: Fate,
    manner: Manner,
    view: View,
    look: impl FnOnce(&mut World),
) -> Ending {
    run_watched(play, seed, fate, manner, view, look, |_, _| false)
}

/// Plays, and asks `is_known` whenever nobody works, just before the next thing happens, whether what
/// follows is known already; if so, ends there.
#[must_use]
pub fn run_watched(
    play: &Play,
    seed: u64,
    fate: Fate,
    manner: Manner,
    view: View,
    look: impl FnOnce(&mut World),
    mut is_known: impl FnMut(&World, &Event) -> bool,
) -> Ending {
    let mut setting = play.setting;
    setting.unsettled |= view.mutant == Some(Mutant::NoSettle);
    let product = Product::set(setting);
    let core = match view.mutant {
        Some(Mutant::Core(core)) => Some(core),
        _ => None,
    };
    shared::testing::break_as(core);
    let mut world = World::new(seed, fate, manner);
    world.mutant = view.mutant;
    world.log = view.words.then(Vec::new);
    world.limits = play.limit.clone().map(Limits::of);
    crate::limits::forget();
    with(|present| *present = world);
    with(|world| prepare(world, play, view));
    let mut works: Vec<Option<Work>> = Vec::new();
    while let Some(event) = with(|world| next(world, play.peace)) {
        if works.iter().all(Option::is_none) && with(|world| world.is_to_matter(&event) && is_known(world, &event)) {
            return with(part_of_a_run);
        }
        happen(event, &product, &mut works);
        if with(|world| world.wrong.len() > 20) {
            break;
        }
    }
    drop(works);
    let ending = with(|world| {
        look(world);
        conclude(world, view)
    });
    shared::testing::break_as(None);
    ending
}

fn prepare(world: &mut World, play: &Play, view: View) {
    if view.most_receives > 0 {
        for name in QUEUES {
            world.queue(name).most_receives = view.most_receives;
        }
    }
    world.search_anew();
    world.storms.clone_from(&play.storms);
    world.machine = play.machine;
    world.setting = play.setting;
    for (chat, cast) in play.chats.iter().enumerate() {
        world.add_chat(cast);
        for (at, step) in &cast.steps {
            world.at(BEGINNING + at, Event::Step(chat, step.clone()));
        }
    }
    for (workspace, number, ..) in &play.talks {
        let app_id = crate::product::WORKSPACES[*workspace];
        let key = format!("{app_id}#2154700000{number:05}").parse().unwrap();
        world.add(key);
    }
    for (at, talk, who, deed) in &play.acts {
        world.at(BEGINNING + at, Event::Act(*talk, *who, deed.clone()));
    }
    for (at, trouble) in &play.events {
        let at = BEGINNING + at;
        let event = match trouble {
            Trouble::BotDown(ms) => Event::BotDown(at + ms),
            Trouble::WorkersDown(ms) => Event::WorkersDown(at + ms),
            Trouble::RepliersDown(ms) => Event::RepliersDown(at + ms),
            Trouble::Wipe => Event::Wipe,
            Trouble::Redrive => Event::Redrive,
            Trouble::Poison => Event::Poison,
            Trouble::Stuck(count) => Event::Stuck(*count),
            Trouble::Expire(talk) => Event::Expire(*talk),
            Trouble::Release => Event::Release,
            Trouble::Repeat => Event::Repeat,
            Trouble::GiveAgain => Event::GiveAgain,
        };
        world.at(at, event);
    }
    for (talk, (_, _, first, with_the_bot)) in play.talks.iter().enumerate() {
        world.talks[talk].first = first.as_str().into();
        if *with_the_bot {
            world.talks[talk].face.team = Some(shared::domain::ids::TeamId::parse(shared::testing::BOT_TEAM).unwrap());
        }
        world.begins(talk);
    }
    world.at(BEGINNING + play.peace, Event::Peace);
    if world.manner.sweeps && world.mutant != Some(Mutant::NoSweep) {
        world.at(BEGINNING + 45_000, Event::Sweep);
    }
}

/// What happens next, until all is at rest, or should have been long ago.
fn next(world: &mut World, peace: u64) -> Option<Event> {
    let end = BEGINNING + peace + REST_MS;
    if world.may_end() && world.is_at_rest() {
        return None;
    }
    let event = world.next(end);
    if event.is_none() && world.manner.sweeps {
        world.accuse("it does not come to rest".to_owned());
    }
    event
}

fn happen(event: Event, product: &Rc<Product>, works: &mut Vec<Option<Work>>) {
    match event {
        Event::Poll(worker) => poll(worker, works),
        Event::Deadline(worker) => {
            if works.get_mut(worker).and_then(Option::take).is_some() {
                with(|world| world.lost(worker, "was stopped at its deadline"));
            }
        }
        Event::Pump(name, look) => {
            let Some(batch) = with(|world| world.receive(name, look)) else { return };
            let (worker, deadline) =
                with(|world| (world.hire(Role::Behind(name)), world.shown_time_of_all() + crate::world::INVOCATION_MS));
            if with(|world| world.is_down(name)) {
                with(|world| world.lost(worker, "cannot start"));
                works.push(None);
                return;
            }
            begin(worker, Box::pin(Rc::clone(product).work(name, batch, deadline)), works);
        }
        Event::Deliver(webhook) => {
            let worker = with(|world| {
                let worker = world.hire(Role::Edge);
                world.workers[worker].webhook = Some(webhook.clone());
                world.tell(webhook.id, |_| format!("webhook {}: {}", webhook.id, topic(&webhook.body)));
                worker
            });
            begin(worker, Box::pin(Rc::clone(product).receive(webhook)), works);
        }
        Event::BotGives(party, command) => {
            if with(|world| world.puts_itself(party, &command)) {
                return;
            }
            let worker = with(|world| world.hire(Role::BotEdge));
            with(|world| world.workers[worker].command = Some((party, command.clone())));
            begin(worker, Box::pin(Rc::clone(product).post(party, command)), works);
        }
        Event::Sweep => {
            let due = with(|world| {
                let at = world.now + 60_000;
                world.at(at, Event::Sweep);
                world.is_something_due() || world.is_something_to_find()
            });
            if due {
                let worker = with(|world| world.hire(Role::Sweeper));
                begin(worker, Box::pin(Rc::clone(product).sweep()), works);
            }
        }
        Event::Redrive => {
            if with(World::is_anything_dead) {
                let worker = with(|world| world.hire(Role::Operator));
                begin(worker, Box::pin(Rc::clone(product).replay_dead_letters()), works);
            }
        }
        Event::Applies(party, action, made) => {
            let _ = apply(party, &action, made);
        }
        other => with(|world| world.plain(other)),
    }
}

fn topic(body: &str) -> &str {
    body.split(r#""topic":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn begin(worker: usize, work: Work, works: &mut Vec<Option<Work>>) {
    debug_assert_eq!(worker, works.len());
    works.push(Some(work));
    poll(worker, works);
}

fn poll(worker: usize, works: &mut [Option<Work>]) {
    let Some(work) = works.get_mut(worker).and_then(Option::as_mut) else { return };
    with(|world| world.current = worker);
    let ended = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let dead = with(|world| world.workers[worker].dead);
    if dead || matches!(ended, Poll::Ready(())) {
        works[worker] = None;
        if dead {
            with(|world| world.lost(worker, "died"));
        }
    }
}

/// How long customers waited for the bot's next words.
fn waits(world: &World) -> Vec<(usize, u64)> {
    let of_talk = |(number, talk): (usize, &Talk)| {
        let asked = talk.parts.iter().filter(|part| part.who == Who::Customer && part.is_seen());
        let answered = |asked: &Said| {
            let answer = talk.parts.iter().find(|part| part.id > asked.id && part.who == Who::Bot && part.is_seen());
            (number, answer.map_or(u64::MAX, |answer| answer.at - asked.at))
        };
        asked.map(answered).collect::<Vec<_>>()
    };
    world.talks.iter().enumerate().flat_map(of_talk).collect()
}

/// A run that ends where another went on.
fn part_of_a_run(world: &mut World) -> Ending {
    shared::testing::break_as(None);
    Ending {
        is_part: true,
        wrong: std::mem::take(&mut world.wrong),
        points: points(world),
        log: world.log.take().unwrap_or_default(),
        ..Ending::default()
    }
}

fn points(world: &mut World) -> Vec<crate::faults::Point> {
    let fate = if world.peaceful { &mut world.fate_before } else { &mut world.fate };
    match fate {
        Fate::Schedule { points, .. } => std::mem::take(points),
        _ => Vec::new(),
    }
}

fn conclude(world: &mut World, view: View) -> Ending {
    let mut messages = 0;
    let mut wrong = Vec::new();
    let overtaken = std::mem::take(&mut world.queue(QueueName::Replies).overtaken);
    let died = std::mem::take(&mut world.queue(QueueName::Replies).died);
    for (position, talk) in world.talks.iter().enumerate().filter(|(_, talk)| talk.chat.is_none()) {
        messages += 1 + talk.parts.iter().filter(|part| part.who == Who::Customer && part.is_seen()).count() as u64;
        let state = world.rows.get(&talk.key).map_or_else(Conversation::default, |row| row.state.clone());
        let mut found = Vec::new();
        check::at_rest(talk, &state, &world.memories[position], world.life, &mut found);
        if world.setting.ruled.is_some() {
            let offers = world.offers.entry(position).or_default();
            world.tally.offers += offers.len() as u64;
            world.tally.sent += offers.values().filter(|offer| offer.accepted).count() as u64;
            crate::ruled::check::at_rest(talk, &state, &world.memories[position], offers, &mut found);
        }
        let posts = world.manner.style == crate::bot::Style::Posts && position % 2 == 0;
        if !world.manner.outlasts {
            check::said_once(talk, &world.memories[position], &mut found);
        }
        if !posts && !world.manner.outlasts {
            check::answers_in_order(talk, &overtaken, &mut found);
        }
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", talk.key)));
    }
    for (number, chat) in world.chats.iter().enumerate() {
        messages += crate::relay::check::messages(world, chat);
        let found = crate::relay::check::at_rest(world, number, &died);
        wrong.extend(found.into_iter().map(|what| format!("chat {}: {what}", chat.session)));
    }
    for name in QUEUES {
        let (left, dead) = (world.queue(name).len(), world.queue(name).dead.len());
        if left + dead > 0 {
            wrong.push(format!("{name:?} still has {left} messages, and {dead} dead"));
        }
    }
    wrong.into_iter().for_each(|what| world.accuse(what));
    let points = points(world);
    Ending {
        is_part: false,
        wrong: std::mem::take(&mut world.wrong),
        messages,
        hash: world.hash,
        log: world.log.take().unwrap_or_default(),
        points,
        answers_ms: if view.measures { waits(world) } else { Vec::new() },
        parked: std::mem::take(&mut world.parked),
        lasted_ms: world.now - BEGINNING,
        tally: world.tally,
        limits: world.limits.take(),
    }
}
