//! What teammates do about what the bot offers them, by chance, and what follows from their notes for what bots may be
//! told.

use super::notes::{Wanted, wanted};
use crate::intercom::{Deed, Who, bot_team, bot_teammate};
use crate::world::{Event, World};

/// Somebody did something: what comes of it in a workspace with rules.
pub fn hear(world: &mut World, talk: usize, id: u64) {
    let Some(part) = world.talks[talk].parts.iter().rev().find(|part| part.id == id) else { return };
    if wanted(part) == Some(Wanted::Retry) {
        world.memories[talk].retries.insert(id, std::collections::BTreeSet::new());
    }
    let offers = part.who == Who::Bot && part.kind == "note" && part.text.contains("<b>/bot dismiss</b>");
    if offers && !world.manner.even {
        decide(world, talk);
    }
}

/// A teammate decides on an offer, or somebody comes before.
fn decide(world: &mut World, talk: usize) {
    let note = |words: &str| Deed::Note(format!("<p>/bot {words}</p>"));
    let person = world.chance.one_of(&[Who::Alice, Who::Bob]);
    let other = if person == Who::Alice { Who::Bob } else { Who::Alice };
    let says = |words: &str| Deed::Say(format!("<p>{words}</p>"));
    let deeds = match world.chance.below(16) {
        0..=3 => vec![(person, note("send 1"))],
        4 => vec![(person, note("send 2"))],
        5 => vec![(person, note("send 1")), (other, note("send 1"))],
        6 => vec![(person, note("dismiss"))],
        7 => vec![(person, note("dismiss")), (other, note("send 1"))],
        8 => vec![(person, note("send 1")), (other, note("dismiss"))],
        9 => vec![(person, note("take"))],
        10 => vec![(person, Deed::Assign(bot_teammate()))],
        11 => vec![(other, says("I know this one")), (person, note("send 1"))],
        12 => vec![(Who::Customer, says("o says")), (person, note("send 1"))],
        13 => vec![(person, note("send 1")), (Who::Customer, says("o offers"))],
        14 => vec![(Who::Workflow, Deed::Assign(bot_team())), (person, note("send 1"))],
        _ => vec![(person, note("take")), (other, Deed::Assign(bot_teammate()))],
    };
    let mut at = world.now + world.wait(300, 60_000);
    for (who, deed) in deeds {
        world.at(at, Event::Act(talk, who, deed));
        at += world.wait(50, 8_000);
    }
}
