//! What Baton asks Intercom to change: how such a request fails, in one place for every kind of it, and what it does
//! when it arrives, now or later. `Err` is how a request failed, as an answer.

use shared::domain::conversation::Action;
use shared::domain::ids::{AdminId, PartId, Timestamp};
use shared::domain::part::Assignee;
use shared::domain::step::Answer;
use shared::domain::transfer::{Availability, Contact, GONE};
use shared::ports::Clock as _;
use shared::testing::BOT;

use super::intercom::{denied, window_end};
use super::{TIME_OUT_MS, Time, begin, die, slow, wait};
use crate::faults::{Fault, Point};
use crate::intercom::{Deed, Made, Who};
use crate::limits::Taken;
use crate::mutants::Mutant;
use crate::world::{Event, Party, kept, with};

const THERE: Answer = Answer::Done { part_id: None };

fn refused(code: &str) -> Answer {
    Answer::Rejected { code: code.to_owned(), message: "simulated".to_owned() }
}

fn gone() -> Answer {
    Answer::Rejected { code: "not_found".to_owned(), message: "Resource Not Found".to_owned() }
}

fn not_sent(wait_ms: u64) -> Answer {
    Answer::NotSent { retry_at: Time.now().plus_ms(wait_ms) }
}

/// The token is refused: whatever changes something waits a minute, as the real client has it.
fn not_allowed() -> Answer {
    let _ = denied();
    not_sent(60_000)
}

/// A request reaches Intercom.
fn arrive(party: Party, what: &'static str) -> Result<(), Answer> {
    let talk = match party {
        Party::Talk(talk) => Some(talk),
        Party::Chat(_) => None,
    };
    let taken = with(|world| {
        let app_id = world.key_of(party).app_id.clone();
        world.arrives(&app_id, talk, what)
    });
    match taken {
        Taken::Served => Ok(()),
        Taken::Limited => Err(Answer::NotSent { retry_at: window_end() }),
        Taken::Denied => Err(not_allowed()),
    }
}

/// One `GET`, before something is changed.
async fn look_first(talk: Option<usize>) -> Result<usize, Answer> {
    let fault = begin(Point::Get, 40, 400).await;
    match fault {
        Some(Fault::Fails) => {
            slow(fault).await;
            Err(not_sent(2_000))
        }
        Some(Fault::Limited) => Err(Answer::NotSent { retry_at: window_end() }),
        Some(Fault::Denied) => Err(not_allowed()),
        _ => {
            let talk = talk.ok_or(gone())?;
            arrive(Party::Talk(talk), "get").map(|()| talk)
        }
    }
}

/// One request that changes something, in a conversation or for a chat that has none yet.
async fn request(party: Option<Party>, made: Option<Made>, action: &Action) -> Result<Answer, Answer> {
    with(|world| {
        let worker = &world.workers[world.current];
        let (deadline, role) = (worker.deadline, worker.role);
        if world.now > deadline {
            world.accuse(format!("{role:?} begins a request {} ms after its deadline", world.now - deadline));
        }
    });
    let fault = begin(Point::Post, 40, 500).await;
    let Some(party) = party else { return Err(missing(action)) };
    // A tag is created or found, and then attached.
    for _ in 0..=u32::from(matches!(action, Action::Tag { .. })) {
        arrive(party, action.as_str())?;
    }
    if matches!(party, Party::Talk(talk) if with(|world| world.talks[talk].deleted)) {
        return Err(missing(action));
    }
    with(|world| world.posts += 1);
    match fault {
        Some(Fault::Fails) => {
            slow(fault).await;
            return Err(Answer::Unknown);
        }
        Some(Fault::Late) => {
            let action = action.clone();
            with(|world| {
                let (least, most) = (world.manner.least_late_ms, world.manner.late_ms);
                let at = world.now + TIME_OUT_MS + world.wait(least, most);
                world.at(at, Event::Applies(party, action, made));
            });
            wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
            return Err(Answer::Unknown);
        }
        Some(Fault::Limited) => return Err(Answer::NotSent { retry_at: window_end() }),
        Some(Fault::Denied) => return Err(not_allowed()),
        Some(Fault::NotSent) => return Err(not_sent(2_000)),
        Some(Fault::Refused) => {
            with(|world| world.refuse(party, made.as_ref()));
            return Err(refused("parameter_invalid"));
        }
        _ => {}
    }
    let Ok(answer) = apply(party, action, made.clone()) else {
        with(|world| world.refuse(party, made.as_ref()));
        return Err(refused("assignee_not_found"));
    };
    match fault {
        Some(Fault::AnswerLost) => {
            slow(fault).await;
            return Err(Answer::Unknown);
        }
        Some(Fault::DiesAfter) => die::<()>().await,
        _ => wait(30, 300).await,
    }
    Ok(answer)
}

/// There is no conversation.
fn missing(action: &Action) -> Answer {
    if matches!(action, Action::Relay { .. }) { refused(GONE) } else { gone() }
}

/// There is nobody of this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAssignee;

/// Does in Intercom what an action says; what Intercom answers.
///
/// # Errors
/// [`NoAssignee`].
pub fn apply(party: Party, action: &Action, made: Option<Made>) -> Result<Answer, NoAssignee> {
    let talk = match party {
        Party::Talk(talk) => talk,
        Party::Chat(chat) => return Ok(open(chat, action, made)),
    };
    let mut who = Who::Bot;
    let deed = match action {
        Action::Reply { html, .. } => Deed::Say(html.clone()),
        Action::Note { html } => Deed::Note(html.clone()),
        Action::Assign { to: Assignee::Teammate(id), .. } if id.as_str() == "909090" => return Err(NoAssignee),
        Action::Assign { to: Assignee::Nobody, .. } if with(|world| world.talks[talk].face.team.is_some()) => {
            Deed::LeaveSeat
        }
        Action::Assign { to, .. } => Deed::Assign(to.clone()),
        Action::Take { .. } => Deed::Assign(crate::intercom::bot_teammate()),
        Action::Close { html } => Deed::Close(html.clone()),
        Action::Unseat { .. } => Deed::LeaveSeat,
        Action::Open => Deed::Open,
        Action::Snooze { .. } => Deed::Snooze,
        Action::Relay { text, files, .. } => {
            who = Who::Customer;
            let (words, files) = (kept(text).to_string(), crate::relay::chat::names_of(files));
            if files.is_empty() { Deed::Say(words) } else { Deed::Send(words, files) }
        }
        Action::Redact { part_id } => {
            Deed::RedactPart(part_id.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0))
        }
        _ => return Ok(THERE),
    };
    let part = with(|world| world.happens(talk, who, &deed, made));
    Ok(Answer::Done { part_id: part.and_then(|id| PartId::parse(id.to_string()).ok()) })
}

/// Does what is asked for a chat before it has a conversation.
fn open(chat: usize, action: &Action, made: Option<Made>) -> Answer {
    with(|world| match action {
        Action::FindContact { customer, session } => {
            let workspace = world.chats[chat].workspace;
            let id = world.find_contact(workspace, customer.external_id.as_deref(), session);
            Answer::Contact(Contact { id, role: "user".to_owned() })
        }
        Action::LookWhoIsThere { .. } => {
            let half_hours = world.now / 1_800_000;
            let opens_at = Some(Timestamp((half_hours + 1) * 1_800_000));
            Answer::There(if half_hours % 2 == 0 { Availability::Available } else { Availability::Away { opens_at } })
        }
        action => world.begin(chat, action, made).map_or_else(gone, |conversation| Answer::Begun { conversation }),
    })
}

fn bot_seat() -> Option<AdminId> {
    AdminId::parse(BOT).ok()
}

/// Whether the answer to a request shows that a teammate took the bot's seat since so many parts.
fn was_taken(talk: usize, known: usize, own: &PartId) -> bool {
    with(|world| {
        let since = world.talks[talk].parts[known..].iter().take_while(|part| part.id.to_string() != own.as_str());
        let last = since.filter_map(|part| part.to.as_ref()).last();
        last.is_some_and(|to| matches!(to, Assignee::Teammate(id) if Some(id) != bot_seat().as_ref()))
    })
}

/// Carries out an action, as the real client does: what sets a state looks first.
pub(super) async fn perform(party: Option<Party>, made: Option<Made>, action: &Action) -> Result<Answer, Answer> {
    let sets_a_state = matches!(
        action,
        Action::Assign { .. } | Action::Take { .. } | Action::Unseat { .. } | Action::Open | Action::Close { .. }
    );
    if !sets_a_state {
        return request(party, made, action).await;
    }
    if matches!(action, Action::Unseat { .. }) && with(|world| world.mutant) == Some(Mutant::SeatNotLeft) {
        return Ok(THERE);
    }
    let talk = look_first(match party {
        Some(Party::Talk(talk)) => Some(talk),
        _ => None,
    })
    .await?;
    let face = with(|world| world.talks[talk].face.clone());
    let is_to_change = match action {
        Action::Assign { to, fallbacks } => return assign(talk, made, to, fallbacks).await,
        Action::Take { .. } if face.open && with(|world| world.talks[talk].is_bots()) => false,
        Action::Take { from } => {
            if !(face.open && with(|world| world.talks[talk].is_assigned_to(from))) {
                return Err(Answer::Rejected { code: "taken".to_owned(), message: String::new() });
            }
            true
        }
        Action::Unseat { teammate } => face.open && face.admin.as_ref() == Some(teammate),
        Action::Open => !face.open,
        _ => face.open,
    };
    if is_to_change { request(party, made, action).await } else { Ok(THERE) }
}

/// A hand-over is two requests: the team gets it, and the bot leaves its seat.
async fn assign(talk: usize, made: Option<Made>, to: &Assignee, fallbacks: &[Assignee]) -> Result<Answer, Answer> {
    if with(|world| world.talks[talk].face.open && world.talks[talk].is_assigned_to(to)) {
        return Ok(THERE);
    }
    let face = with(|world| world.talks[talk].face.clone());
    let seat = face.admin == bot_seat();
    if matches!(to, Assignee::Teammate(id) if Some(id) == bot_seat().as_ref()) && face.admin.is_some() && !seat {
        return Err(Answer::Rejected { code: "taken".to_owned(), message: "a teammate has it".to_owned() });
    }
    let there = matches!(to, Assignee::Team(team) if face.team.as_ref() == Some(team));
    let known = with(|world| world.talks[talk].parts.len());
    let party = Some(Party::Talk(talk));
    let one = |to: &Assignee| Action::Assign { to: to.clone(), fallbacks: fallbacks.to_vec() };
    let mut answer = THERE;
    if !(seat && there) {
        answer = request(party, made.clone(), &one(to)).await?;
    }
    let taken = matches!(&answer, Answer::Done { part_id: Some(own) } if was_taken(talk, known, own));
    if matches!(to, Assignee::Team(_)) && seat && !taken {
        answer = request(party, made, &one(&Assignee::Nobody)).await?;
    }
    Ok(answer)
}
