//! What must hold. "Always" of every world; "sometimes" of at least one, so that the first kind is
//! not kept by nothing ever happening.

use shared::domain::conversation::{Control, Progress};
use stateright::Property;

use crate::graph::Kind;
use crate::intercom::{self, What, Who};
use crate::model::Model;
use crate::world::{Ask, Asked, Broken, End, Hand, World};

/// All properties.
#[must_use]
pub fn all() -> Vec<Property<Model>> {
    let mut all = safety();
    all.extend(at_rest());
    all.extend(situations());
    all
}

macro_rules! never {
    ($name:literal, $rule:ident) => {
        Property::always($name, |_: &Model, world: &World| world.broken != Some(Broken::$rule))
    };
}

fn safety() -> Vec<Property<Model>> {
    vec![
        never!("no send is begun after a take-over is saved", SpokeOverAPerson),
        never!("nothing is said twice", SaidTwice),
        never!("what the bot says stays in order", SaidOutOfOrder),
        never!("the bot is told the truth about its commands", FalseReport),
        never!("a command ends once", EndedTwice),
        never!("a message is told once", ToldTwice),
        never!("messages are told in order", ToldOutOfOrder),
        never!("every change of hands begins an epoch, and epochs only grow", Epoch),
        never!("the whole conversation is enough to decide", FetchedForNothing),
        Property::always("the bot does not talk with a machine for ever", |model: &Model, world: &World| {
            !model.bounds.goes_in_circles(world)
        }),
    ]
}

fn at_rest() -> Vec<Property<Model>> {
    vec![
        Property::always("at rest, nothing is left to do", |model: &Model, world: &World| {
            let quiet = model.is_quiet(world);
            model.graph.is(world, || Kind {
                quiet,
                bots: world.row.control == Control::Bot && world.row.bot.is_some(),
                can_be_given: world.left.give_back > 0,
            });
            !quiet || (world.row.outbox.is_empty() && world.row.events.is_empty())
        }),
        Property::always("at rest, every command has ended", |model: &Model, world: &World| {
            world.commands.iter().all(|asked| asked.end.is_some()) || !model.is_quiet(world)
        }),
        Property::always("at rest, every message is told or with people", |model: &Model, world: &World| {
            !has_untold(world) || !model.is_quiet(world) || people_have_it(model, world)
        }),
        Property::always("at rest, Baton and Intercom agree who has it", |model: &Model, world: &World| {
            agrees(model, world) || !model.is_quiet(world)
        }),
    ]
}

/// Whether a message of the customer's has not been told to the bot.
fn has_untold(world: &World) -> bool {
    let customers = (1..).zip(&world.parts).filter(|(_, part)| part.who == Who::Customer);
    world.told & 1 == 0 || customers.into_iter().any(|(bit, _)| world.told & (1 << bit) == 0)
}

/// Whether people have it in Intercom: it is theirs, or one of them was the last to act and keeps
/// the bot silent, or closed it; or the bot had talked with a machine for long enough, and a note asks
/// for a person.
fn people_have_it(model: &Model, world: &World) -> bool {
    let (to, open) = intercom::standing(&world.parts);
    let since = world.parts.iter().rposition(|part| matches!(part.what, What::Assigned(to) if to.is_bots()));
    let spoken = world.parts[since.unwrap_or_default()..].iter().any(crate::intercom::Happening::takes_over);
    !to.is_bots() || !open || spoken || model.bounds.has_talked_out(world)
}

fn agrees(model: &Model, world: &World) -> bool {
    let (to, open) = intercom::standing(&world.parts);
    match world.row.control {
        _ if world.row.bot.is_none() => !to.is_bots() || !open, // nothing is kept of what the bot never had
        Control::Bot => to.is_bots(),
        Control::Paused => to.is_bots() && open && people_have_it(model, world),
        // What people have is not followed part by part: their closing it may be missed. That makes
        // no difference to who speaks.
        Control::Human => !to.is_bots(),
        Control::Closed => !open,
    }
}

fn situations() -> Vec<Property<Model>> {
    vec![
        Property::sometimes("a take-over is saved between claim and send", |_: &Model, world: &World| {
            matches!(world.hands[0], Hand::Claimed { request, .. }
                if request.command.is_some_and(|command| world.commands[usize::from(command)].overtaken))
        }),
        Property::sometimes("a person writes between claim and send, unseen", |_: &Model, world: &World| {
            matches!(world.hands[0], Hand::Claimed { .. })
                && world.parts.last().is_some_and(|part| part.takes_over())
                && world.row.control == Control::Bot
        }),
        Property::sometimes("a close crosses a message", |_: &Model, world: &World| {
            let closed = world.parts.iter().position(|part| part.who == Who::Bot && part.what == What::Closed);
            matches!(world.hands[1], Hand::Answered { .. })
                && closed.is_some_and(|place| place > 0 && world.parts[place - 1].who == Who::Customer)
        }),
        Property::sometimes("a customer opens what the bot has closed", |_: &Model, world: &World| {
            let closed = world.parts.iter().position(|part| part.who == Who::Bot && part.what == What::Closed);
            closed.is_some_and(|place| world.parts[place..].iter().any(|part| part.who == Who::Customer))
                && world.row.control == Control::Bot
        }),
        Property::sometimes("the bot has it again after people had it", |_: &Model, world: &World| {
            world.row.control == Control::Bot && world.parts.iter().any(|part| part.takes_over())
        }),
        Property::sometimes("the bot has handed over", |model: &Model, world: &World| {
            world.commands.iter().any(|asked| asked.ask == Ask::HandOver && asked.end == Some(End::Done))
                && model.is_quiet(world)
        }),
        Property::sometimes("a reply is superseded", |_: &Model, world: &World| {
            world.commands.iter().any(|asked| asked.ask == Ask::Reply && asked.end == Some(End::Superseded))
        }),
        Property::sometimes("the bot breaks off its talk with a machine", |model: &Model, world: &World| {
            let refused = |asked: &Asked| asked.ask == Ask::Reply && asked.end == Some(End::Rejected);
            model.bounds.has_talked_out(world) && world.commands.iter().any(refused) && model.is_quiet(world)
        }),
        Property::sometimes("a reply is in doubt", |_: &Model, world: &World| {
            world.row.outbox.front().is_some_and(|head| matches!(head.progress, Progress::Unknown { .. }))
        }),
        Property::sometimes("all is quiet and the bot has it", |model: &Model, world: &World| {
            world.row.control == Control::Bot && model.is_quiet(world)
        }),
    ]
}
