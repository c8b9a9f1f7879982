//! What can go wrong, where, and who decides that it does: chance, or a schedule that tries every
//! combination.

use crate::chance::Chance;
use crate::world::Role;

/// A place where something can go wrong: every call that the product makes, and every delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A row is read.
    Load,
    /// A row is written.
    Save,
    /// A message is put on a queue.
    Put,
    /// A conversation is fetched from Intercom.
    Get,
    /// Something is changed in Intercom.
    Post,
    /// A bot is given an event.
    Bot,
    /// A message's visibility is changed.
    Hide,
    /// An invocation's answer reaches the platform.
    Finish,
    /// Intercom delivers a webhook.
    Deliver,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The worker dies before the call has an effect.
    DiesBefore,
    /// The worker dies after the call had its effect.
    DiesAfter,
    /// The call has no effect, and fails.
    Fails,
    /// The call has its effect, and fails.
    AnswerLost,
    /// The call fails, and has its effect later.
    Late,
    /// Intercom answers 429.
    Limited,
    /// The request certainly never left.
    NotSent,
    /// The request is refused for good.
    Refused,
    /// The answer is older than what is known.
    Stale,
    /// A webhook is lost for good.
    Dropped,
    /// A webhook comes twice.
    Twice,
    /// A webhook comes much later.
    Delayed,
    /// A message that was handled is received once more.
    GivenAgain,
    /// Somebody else wrote the row just before. In storms only, as all that follow.
    Conflict,
    /// The access token is refused.
    Denied,
    /// The worker stands still for up to a minute.
    Pause,
    /// A webhook comes up to five times, half of them as other notifications of the same part.
    Copies,
    /// A webhook is held back until all that are held are let go, newest first.
    Held,
}

impl Point {
    /// What can go wrong here.
    #[must_use]
    pub fn faults(self) -> &'static [Fault] {
        use Fault::{
            AnswerLost, Delayed, DiesAfter, DiesBefore, Dropped, Fails, GivenAgain, Late, Limited, NotSent, Refused,
            Stale, Twice,
        };
        match self {
            Self::Load => &[DiesBefore, Fails],
            Self::Save | Self::Put => &[DiesBefore, DiesAfter, Fails, AnswerLost],
            Self::Get => &[DiesBefore, Fails, Stale, Limited],
            Self::Post => &[DiesBefore, DiesAfter, Fails, AnswerLost, Late, Limited, NotSent, Refused],
            Self::Bot => &[DiesBefore, DiesAfter, Fails, AnswerLost],
            Self::Hide => &[DiesBefore, DiesAfter, Fails],
            Self::Finish => &[DiesBefore, GivenAgain],
            Self::Deliver => &[Dropped, Twice, Delayed],
        }
    }
}

/// What goes wrong for a while, beside what chance or a schedule decides: directed worlds are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Where.
    pub point: Point,
    /// What.
    pub fault: Fault,
    /// To whom; to everybody where nobody is named.
    pub by: Option<Role>,
    /// From when on, in milliseconds after the beginning.
    pub from: u64,
    /// Until when.
    pub until: u64,
    /// In how many of ten thousand calls.
    pub per_myriad: u32,
    /// How often at most.
    pub most: u32,
    /// How many calls are spared first.
    pub skip: u32,
}

impl Storm {
    /// Every call of a kind, from beginning to end.
    #[must_use]
    pub fn of(point: Point, fault: Fault) -> Self {
        Self { point, fault, by: None, from: 0, until: u64::MAX, per_myriad: 10_000, most: u32::MAX, skip: 0 }
    }

    /// Only these workers'.
    #[must_use]
    pub fn by(self, role: Role) -> Self {
        Self { by: Some(role), ..self }
    }

    /// Only then, in milliseconds after the beginning.
    #[must_use]
    pub fn between(self, from: u64, until: u64) -> Self {
        Self { from, until, ..self }
    }

    /// So many of them at most.
    #[must_use]
    pub fn most(self, most: u32) -> Self {
        Self { most, ..self }
    }

    /// Not the first so many.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// So many of ten thousand.
    #[must_use]
    pub fn per_myriad(self, per_myriad: u32) -> Self {
        Self { per_myriad, ..self }
    }
}

/// How often what goes wrong, in ten thousandths of the calls.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// Workers die.
    pub deaths: u32,
    /// The table fails.
    pub table: u32,
    /// Queues fail.
    pub queues: u32,
    /// Requests to Intercom end in doubt.
    pub doubt: u32,
    /// Intercom refuses for now.
    pub limits: u32,
    /// Intercom refuses for good.
    pub refusals: u32,
    /// Answers are stale.
    pub stale: u32,
    /// Bots fail.
    pub bots: u32,
    /// Webhooks are lost.
    pub dropped: u32,
    /// Webhooks come twice.
    pub twice: u32,
    /// Webhooks come late.
    pub delayed: u32,
    /// Handled messages come again.
    pub again: u32,
}

impl Weather {
    fn of(&self, point: Point, fault: Fault) -> u32 {
        match (fault, point) {
            (Fault::DiesBefore | Fault::DiesAfter, _) => self.deaths,
            (Fault::Late | Fault::NotSent, _) => self.doubt,
            (Fault::Limited, _) => self.limits,
            (Fault::Refused, _) => self.refusals,
            (Fault::Stale, _) => self.stale,
            (Fault::Dropped, _) => self.dropped,
            (Fault::Twice, _) => self.twice,
            (Fault::Delayed, _) => self.delayed,
            (Fault::GivenAgain, _) => self.again,
            (_, Point::Load | Point::Save) => self.table,
            (_, Point::Put | Point::Hide) => self.queues,
            (_, Point::Bot) => self.bots,
            (_, _) => self.doubt,
        }
    }

    /// The weather of a seed: mostly mixed, sometimes fine, sometimes a storm of one kind.
    #[must_use]
    pub fn of_chance(chance: &mut Chance) -> Self {
        let strength = chance.one_of(&[0, 30, 100, 300, 1_000]);
        let mut some = || {
            let factor = chance.one_of(&[0, 0, 1, 1, 3]);
            strength * factor / 2
        };
        Self {
            deaths: some() / 2,
            table: some() / 2,
            queues: some() / 2,
            doubt: some(),
            limits: some(),
            refusals: some() / 8,
            stale: some() * 2,
            bots: some(),
            dropped: some(),
            twice: some() * 2,
            delayed: some() * 2,
            again: some(),
        }
    }
}

/// Who decides what goes wrong.
#[derive(Debug, Clone)]
pub enum Fate {
    /// Chance.
    Chance(Box<Weather>),
    /// A schedule: at the call of this number, the fault of this number. Everything else is fine.
    Schedule {
        /// What is to go wrong, by the number of the call.
        faults: Vec<(u32, u8)>,
        /// At which calls something could go wrong, in order.
        points: Vec<Point>,
        /// Whether these are to be remembered.
        remembers: bool,
        /// How many calls there were.
        calls: u32,
    },
    /// Nothing goes wrong any more.
    Fair,
}

impl Fate {
    /// What goes wrong at this call, if anything.
    pub fn strikes(&mut self, point: Point, chance: &mut Chance) -> Option<Fault> {
        match self {
            Self::Fair => None,
            Self::Chance(weather) => {
                let faults = point.faults();
                let fault = chance.one_of(faults);
                let per_myriad = weather.of(point, fault) * faults.len() as u32 / 3;
                chance.strikes(per_myriad).then_some(fault)
            }
            Self::Schedule { faults, points, remembers, calls } => {
                if *remembers {
                    points.push(point);
                }
                let number = *calls;
                *calls += 1;
                let (_, kind) = faults.iter().find(|(call, _)| *call == number)?;
                point.faults().get(usize::from(*kind)).copied()
            }
        }
    }
}
