//! The model as the checker sees it, and what was met on the way.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use shared::domain::conversation::{Action, Control, Conversation, OutboxEntry, Progress};
use shared::domain::settings::Workspace;
use shared::domain::step::Input;
use stateright::Property;

use crate::graph::Graph;
use crate::intercom::{Happening, What, Who};
use crate::moves::{Deed, Move};
use crate::mutants::Mutant;
use crate::properties;
use crate::time::TICK_MS;
use crate::world::{Left, Row, World};

/// How much may happen.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How often.
    pub left: Left,
    /// What people and workflows may do.
    pub deeds: Vec<(Who, Deed)>,
    /// Whether the bot says the same words every time.
    pub same_words: bool,
    /// Whether a paused bot resumes by itself.
    pub resumes: bool,
    /// How much the bot may say without a person, where the customer is a machine: it writes only in
    /// answer to the bot, and at once.
    pub machine: Option<u32>,
}

impl Bounds {
    /// Whether the bot has said all that it may to a machine since a person last acted.
    #[must_use]
    pub fn has_talked_out(&self, world: &World) -> bool {
        let person = |part: &Happening| matches!(part.who, Who::Alice | Who::Bob);
        let since = world.parts.iter().rposition(person).map_or(0, |place| place + 1);
        self.machine.is_some_and(|most| said(&world.parts[since..]) >= most)
    }

    /// Whether it has said more than it ever might: each deed of a person's lets it begin anew.
    #[must_use]
    pub fn goes_in_circles(&self, world: &World) -> bool {
        let persons = world.parts.iter().filter(|part| matches!(part.who, Who::Alice | Who::Bob)).count() as u32;
        self.machine.is_some_and(|most| said(&world.parts) > most * (1 + persons))
    }
}

fn said(parts: &[Happening]) -> u32 {
    parts.iter().filter(|part| part.who == Who::Bot && part.what == What::Said).count() as u32
}

/// Something that only a step shows, not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// A notification told nothing new.
    HeardWhatIsKnown,
    /// The router decided on a conversation that had gone on.
    DecidedOnTheOld,
    /// An event was given again.
    ToldAgain,
    /// The bot was told that it has the conversation again.
    Resumed,
    /// A request arrived that nobody waited for.
    ArrivedLate,
    /// Our own echo settled an entry before its answer.
    SettledByEcho,
    /// Our own echo settled a doubtful entry.
    DoubtSettledByEcho,
    /// Reading back found a doubtful entry.
    FoundSent,
    /// Reading back did not find it.
    FoundNotSent,
    /// A take-over ended what was waiting.
    Superseded,
    /// A closed conversation came back to the bot.
    Reopened,
    /// A paused bot resumed by itself.
    ResumedByItself,
    /// People got the conversation from a bot that took nothing.
    Relieved,
    /// The bot could be reached again, and nobody had taken the conversation: it was assigned back.
    Returned,
    /// Somebody was ahead of that, and has it again.
    ReturnUndone,
    /// What was next was left for later, because Intercom was not to be called.
    PutOff,
    /// A refused hand-over went to the next.
    FellBack,
}

/// How often each was met.
#[derive(Debug, Default)]
pub struct Sights(Mutex<BTreeMap<Sight, u64>>);

impl Sights {
    pub(crate) fn see(&self, sight: Sight) {
        *self.0.lock().unwrap().entry(sight).or_default() += 1;
    }

    /// All that were met.
    #[must_use]
    pub fn met(&self) -> BTreeMap<Sight, u64> {
        self.0.lock().unwrap().clone()
    }

    /// Reads off a change what it was.
    pub(crate) fn look(&self, before: &Conversation, after: &Conversation, inputs: &[Input]) {
        let gone = before.outbox.front().filter(|head| !after.outbox.iter().any(|entry| entry.seq == head.seq));
        match (&inputs[0], gone) {
            (Input::Observed(_), Some(OutboxEntry { progress: Progress::Claimed { .. }, .. })) => {
                self.see(Sight::SettledByEcho);
            }
            (Input::Observed(_), Some(OutboxEntry { progress: Progress::Unknown { .. }, .. })) => {
                self.see(Sight::DoubtSettledByEcho);
            }
            (Input::Observed(_), Some(_)) => self.see(Sight::Superseded),
            (Input::ReadBack { .. }, Some(_)) => self.see(Sight::FoundSent),
            (Input::ReadBack { .. }, None) => self.see(Sight::FoundNotSent),
            (Input::Tick(Some(_)), _) if after.control == Control::Bot && before.control == Control::Paused => {
                self.see(Sight::ResumedByItself);
            }
            (_, _) if before.relieved.is_some() && before.returning && after.control == Control::Bot => {
                self.see(Sight::Returned);
            }
            (_, _) if before.returning && after.outbox.len() > before.outbox.len() => self.see(Sight::ReturnUndone),
            (Input::NotDelivered(_), _) if after.control != before.control => self.see(Sight::Relieved),
            _ => {}
        }
        if before.control == Control::Closed && after.control == Control::Bot {
            self.see(Sight::Reopened);
        }
        let fallbacks = |row: &Conversation| {
            row.outbox.front().map_or(0, |head| match &head.action {
                Action::Assign { fallbacks, .. } => fallbacks.len(),
                _ => 0,
            })
        };
        if gone.is_none() && fallbacks(after) < fallbacks(before) {
            self.see(Sight::FellBack);
        }
    }
}

/// The model.
#[derive(Debug)]
pub struct Model {
    /// How much may happen.
    pub bounds: Bounds,
    /// The step that decides.
    pub mutant: Mutant,
    /// What was met.
    pub sights: Sights,
    /// What leads where.
    pub graph: Graph,
    pub(crate) workspace: Workspace,
    rows: Mutex<HashSet<Row>>,
}

impl Model {
    /// A model of the product, or of a mutant of it.
    #[must_use]
    pub fn new(bounds: Bounds, mutant: Mutant) -> Self {
        let mut workspace = shared::testing::workspace();
        workspace.settle_ms = if mutant == Mutant::SettlesAtOnce { 0 } else { TICK_MS };
        workspace.resume_after_minutes = bounds.resumes.then_some(1);
        workspace.loops.messages = bounds.machine.unwrap_or(workspace.loops.messages);
        Self { bounds, mutant, sights: Sights::default(), graph: Graph::default(), workspace, rows: Mutex::default() }
    }

    /// Many worlds have the same row; it is kept once.
    fn share(&self, row: &mut Row) {
        let mut rows = self.rows.lock().unwrap();
        if let Some(known) = rows.get(row) {
            *row = known.clone();
        } else {
            rows.insert(row.clone());
        }
    }

    /// Whether nothing is under way: whatever happens next comes from outside.
    #[must_use]
    pub fn is_quiet(&self, world: &World) -> bool {
        let mut moves = Vec::new();
        self.works(world, &mut moves);
        moves.is_empty()
    }
}

impl stateright::Model for Model {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(self.bounds.left)]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        if world.broken.is_some() {
            return;
        }
        self.works(world, moves);
        self.happenings(world, moves);
        self.faults(world, moves);
    }

    fn next_state(&self, last: &World, next: Move) -> Option<World> {
        let mut world = last.clone();
        if !self.make(&mut world, next) || world == *last {
            return None;
        }
        self.share(&mut world.row);
        self.graph.leads(last, &world);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
