//! Intercom, as far as one conversation needs it: a list of parts, from which assignee and openness
//! follow. So what `GET` shows, fresh or stale, is a prefix of the list, and a notification is one
//! place in it.
//!
//! Left out: snoozes, ratings, redactions, deletion. They decide nothing about who speaks.

use shared::domain::content::{Author, AuthorKind, Body, Message, QuickReplies};
use shared::domain::conversation::Action;
use shared::domain::ids::{AdminId, PartId, TeamId, Timestamp};
use shared::domain::part::{Assignee, Observation, Part, PartKind, Traits};
use shared::testing::{ALICE, BOT, BOT_TEAM, CUSTOMER, SUPPORT};

use crate::time::NOW;

/// A second teammate.
pub const BOB: &str = "900003";

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The customer.
    Customer,
    /// A teammate.
    Alice,
    /// Another teammate, who acts only after Alice has: they are alike.
    Bob,
    /// A workflow.
    Workflow,
    /// The bot's teammate.
    Bot,
}

/// Whom a conversation is assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum To {
    /// The bot's teammate.
    Bot,
    /// The bot's team.
    BotTeam,
    /// Alice.
    Alice,
    /// Bob.
    Bob,
    /// A team of people.
    Support,
    /// Nobody.
    Nobody,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Words for all; in a closed conversation they open it.
    Said,
    /// Words for teammates.
    Noted,
    /// An assignment; a closed conversation it opens.
    Assigned(To),
    /// Closed.
    Closed,
    /// Opened.
    Opened,
}

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Happening {
    /// Who made it.
    pub who: Who,
    /// What it is.
    pub what: What,
    /// The bot's command that asked for it.
    pub command: Option<u8>,
}

impl Happening {
    /// Whether a person takes the conversation from the bot by it.
    #[must_use]
    pub fn takes_over(&self) -> bool {
        let person = matches!(self.who, Who::Alice | Who::Bob);
        let away = match self.what {
            What::Said | What::Closed => true,
            What::Assigned(to) => !to.is_bots(),
            What::Noted | What::Opened => false,
        };
        person && away
    }
}

impl To {
    /// Whether the bot has what is assigned so.
    #[must_use]
    pub fn is_bots(self) -> bool {
        matches!(self, Self::Bot | Self::BotTeam)
    }

    fn assignee(self) -> Assignee {
        let admin = |id: &str| Assignee::Teammate(AdminId::parse(id).unwrap());
        let team = |id: &str| Assignee::Team(TeamId::parse(id).unwrap());
        match self {
            Self::Bot => admin(BOT),
            Self::BotTeam => team(BOT_TEAM),
            Self::Alice => admin(ALICE),
            Self::Bob => admin(BOB),
            Self::Support => team(SUPPORT),
            Self::Nobody => Assignee::Nobody,
        }
    }

    /// Reads an assignee.
    #[must_use]
    pub fn of(assignee: &Assignee) -> Self {
        let all = [Self::Bot, Self::BotTeam, Self::Alice, Self::Bob, Self::Support];
        all.into_iter().find(|to| to.assignee() == *assignee).unwrap_or(Self::Nobody)
    }
}

/// Whom it is assigned to, and whether it is open, after these parts.
#[must_use]
pub fn standing(parts: &[Happening]) -> (To, bool) {
    let (mut to, mut open) = (To::Nobody, true);
    for part in parts {
        match part.what {
            What::Said | What::Opened => open = true,
            What::Noted => {}
            What::Assigned(new) => (to, open) = (new, true),
            What::Closed => open = false,
        }
    }
    (to, open)
}

/// A request of the bot's to Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// What it makes.
    pub what: What,
    /// The command that asked for it.
    pub command: Option<u8>,
}

impl Request {
    /// The request that carries an action out.
    #[must_use]
    pub fn of(action: &Action, command: Option<u8>) -> Self {
        let what = match action {
            Action::Reply { .. } => What::Said,
            Action::Note { .. } => What::Noted,
            Action::Assign { to, .. } => What::Assigned(To::of(to)),
            Action::Close { .. } => What::Closed,
            Action::Open => What::Opened,
            Action::Tag { .. }
            | Action::SetAttributes { .. }
            | Action::Attachments { .. }
            | Action::Replay { .. }
            | Action::Snooze { .. }
            | Action::LookWhoIsThere { .. }
            | Action::FindContact { .. }
            | Action::Say { .. }
            | Action::Begin { .. }
            | Action::Relay { .. }
            | Action::Redact { .. }
            | Action::Unseat { .. }
            | Action::Take { .. } => {
                unreachable!("the bot of this model asks for no such thing")
            }
        };
        Self { what, command }
    }

    /// Whether it sets a state, which is read before.
    #[must_use]
    pub fn looks_first(&self) -> bool {
        matches!(self.what, What::Assigned(_) | What::Closed | What::Opened)
    }

    /// Whether the conversation is so already.
    #[must_use]
    pub fn is_so(&self, parts: &[Happening]) -> bool {
        let (to, open) = standing(parts);
        match self.what {
            What::Assigned(new) => new == to && open,
            What::Closed => !open,
            What::Opened => open,
            _ => false,
        }
    }

    /// Whether it would take the conversation from a teammate and give it to the bot.
    #[must_use]
    pub fn is_taken(&self, parts: &[Happening]) -> bool {
        self.what == What::Assigned(To::Bot) && matches!(standing(parts).0, To::Alice | To::Bob)
    }

    /// The part that it makes.
    #[must_use]
    pub fn happening(&self) -> Happening {
        Happening { who: Who::Bot, what: self.what, command: self.command }
    }
}

/// The id of the part at a place.
#[must_use]
pub fn id_at(place: usize) -> PartId {
    PartId::parse((place + 1).to_string()).unwrap()
}

/// The place of a part.
#[must_use]
pub fn place_of(id: &PartId) -> usize {
    id.as_str().parse::<usize>().unwrap() - 1
}

fn author(who: Who) -> Author {
    let (kind, id) = match who {
        Who::Customer => (AuthorKind::Customer, CUSTOMER),
        Who::Alice => (AuthorKind::Teammate, ALICE),
        Who::Bob => (AuthorKind::Teammate, BOB),
        Who::Workflow => (AuthorKind::Operator, "1"),
        Who::Bot => (AuthorKind::Teammate, BOT),
    };
    Author { kind, id: id.to_owned(), name: None }
}

/// The words of a bot's command; all the same where the bot repeats itself.
#[must_use]
pub fn words_of(command: u8, same_words: bool) -> String {
    if same_words { "so".to_owned() } else { format!("r{command}") }
}

fn part_at(place: usize, parts: &[Happening], same_words: bool) -> Part {
    let happening = parts[place];
    let was_open = standing(&parts[..place]).1;
    let words = match (happening.what, happening.command) {
        (What::Closed, Some(command)) => Some(format!("bye{command}")),
        (What::Said, Some(command)) => Some(words_of(command, same_words)),
        (What::Said | What::Noted, _) => Some(format!("p{place}")),
        _ => None,
    };
    Part {
        id: id_at(place),
        kind: match happening.what {
            What::Said if was_open => PartKind::Comment,
            What::Said | What::Opened => PartKind::Open,
            What::Noted => PartKind::Note,
            What::Assigned(_) => PartKind::Assignment,
            What::Closed => PartKind::Close,
        },
        author: author(happening.who),
        body: words.map(|words| Body::html(format!("<p>{words}</p>"))),
        assigned_to: match happening.what {
            What::Assigned(to) => Some(to.assignee()),
            _ => None,
        },
        attachments: Vec::new(),
        created_at: NOW,
        redacted: false,
        quick_replies: QuickReplies::default(),
        by_app: false,
    }
}

fn shown(parts: &[Happening]) -> Observation {
    let (to, open) = standing(parts);
    Observation {
        complete: false,
        assignee: to.assignee(),
        open,
        source: Some(Message {
            part_id: None,
            author: author(Who::Customer),
            body: Some(Body::html("<p>source</p>")),
            attachments: Vec::new(),
            created_at: Timestamp(NOW.0),
            pressed: None,
            choice: None,
        }),
        parts: Vec::new(),
        part_count: Some(parts.len() as u64),
        rating: None,
        profile: None,
        traits: Traits::default(),
        contact: None,
        external_id: None,
        crew: Vec::new(),
    }
}

/// What `GET` shows after so many parts.
#[must_use]
pub fn whole(parts: &[Happening], count: usize, same_words: bool) -> Observation {
    let parts = &parts[..count];
    let told = (0..count).map(|place| part_at(place, parts, same_words)).collect();
    Observation { complete: true, parts: told, ..shown(parts) }
}

/// The notification of the part at a place.
#[must_use]
pub fn notification(parts: &[Happening], place: usize, same_words: bool) -> Observation {
    let parts = &parts[..=place];
    Observation { parts: vec![part_at(place, parts, same_words)], ..shown(parts) }
}

/// What a search shows.
#[must_use]
pub fn found(parts: &[Happening]) -> Observation {
    shown(parts)
}
