//! Directed worlds of agent transfer: each brings one situation about at every moment at which it hurts.

use super::chat::{Cast, Step};
use super::heard::PSST;
use crate::faults::{Fate, Fault, Point, Storm};
use crate::intercom::{Deed, Who, support, teammate};
use crate::product::Setting;
use crate::run::{Ending, Play, View, run_and_look};
use crate::scenes::{each, unless};
use crate::world::{BEGINNING, Manner, QueueName, Role, World};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const REPLIES: Role = Role::Behind(QueueName::Replies);

/// What a scene is made of: one chat.
#[derive(Debug, Clone)]
struct Stage {
    play: Play,
    manner: Manner,
    seed: u64,
}

fn says(words: &str) -> Deed {
    Deed::Say(format!("<p>{words}</p>"))
}

impl Stage {
    /// A chat that is given to people with these words after a second.
    fn of(workspace: usize, words: &str) -> Self {
        let cast = Cast {
            workspace,
            session: "s".to_owned(),
            customer: Some("u".to_owned()),
            channel: "web",
            steps: Vec::new(),
        };
        let setting = Setting { transfers: true, ..Setting::default() };
        let play = Play { chats: vec![cast], setting, ..Play::default() };
        Self { play, manner: Manner::default(), seed: 7 }.step(SECOND, Step::Start(words.to_owned()))
    }

    fn step(mut self, at: u64, step: Step) -> Self {
        self.play.chats[0].steps.push((at, step));
        self.play.peace = self.play.peace.max(at + 10 * SECOND);
        self
    }

    fn say(self, at: u64, words: &str) -> Self {
        self.step(at, Step::Say(words.to_owned()))
    }

    fn act(self, at: u64, who: Who, deed: Deed) -> Self {
        self.step(at, Step::InIntercom(who, deed))
    }

    fn storm(mut self, storm: Storm) -> Self {
        self.play.storms.push(storm);
        self
    }

    fn set(mut self, set: impl FnOnce(&mut Setting)) -> Self {
        set(&mut self.play.setting);
        self
    }

    fn until(mut self, at: u64) -> Self {
        self.play.peace = at;
        self
    }

    fn uneven(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.manner.even = false;
        self
    }

    fn run(&self, view: View, look: impl FnOnce(&World) -> Vec<String>) -> Ending {
        run_and_look(&self.play, self.seed, Fate::Fair, self.manner.clone(), view, |world| {
            look(world).into_iter().for_each(|what| world.accuse(what));
        })
    }

    fn runs(&self, view: View) -> Ending {
        self.run(view, |_| Vec::new())
    }
}

fn heard(world: &World, kind: &str) -> u64 {
    world.chats[0].heard.kinds.get(kind).copied().unwrap_or_default()
}

fn one_conversation(world: &World) -> Vec<String> {
    let opened = world.chats[0].talks.len();
    unless(opened == 1, || format!("{opened} conversations were opened"))
}

/// The second request of a start, which opens the conversation.
fn at_the_opening(fault: Fault) -> Storm {
    Storm::of(Point::Post, fault).by(REPLIES).skip(1).most(1)
}

/// The answer to an opening is lost; its echo tells of it, or, where no webhook comes, the search.
pub(crate) fn an_opening_in_doubt(view: View) -> Ending {
    let stage = Stage::of(0, "hello").say(3 * SECOND, "are you there").act(4 * MINUTE, Who::Alice, says("yes"));
    let silence = || Storm::of(Point::Deliver, Fault::Dropped).between(0, 2 * MINUTE);
    let faults = [Fault::AnswerLost, Fault::Late, Fault::Fails, Fault::DiesAfter, Fault::DiesBefore];
    each(faults.into_iter().flat_map(|fault| [(fault, true), (fault, false)]).flat_map(|(fault, echo)| {
        let stage = stage.clone().storm(at_the_opening(fault));
        let stage = if echo { stage } else { stage.storm(silence()) };
        (0..6).map(move |seed| stage.clone().uneven(seed).run(view, one_conversation))
    }))
}

/// A start comes a second time at every moment of the first.
pub(crate) fn a_start_comes_twice(view: View) -> Ending {
    each((0..24).map(|moment| {
        let stage = Stage::of((moment % 2) as usize, "hello").step(SECOND + moment * 150, Step::StartAgain);
        stage.say(MINUTE, "are you there").run(view, one_conversation)
    }))
}

/// The worker that carries a start out dies at every call, before it and after it.
pub(crate) fn a_start_is_stopped_at_every_step(view: View) -> Ending {
    let stage = Stage::of(0, "hello").say(90 * SECOND, "are you there").act(5 * MINUTE, Who::Alice, says("yes"));
    let points = [Point::Load, Point::Save, Point::Post, Point::Put];
    let faults = [Fault::DiesBefore, Fault::DiesAfter, Fault::AnswerLost];
    let all = points.into_iter().flat_map(|point| faults.map(|fault| (point, fault)));
    each(all.filter(|(point, fault)| point.faults().contains(fault)).flat_map(|(point, fault)| {
        let stage = stage.clone().until(HOUR);
        (0..16).map(move |skip| {
            let storm = Storm::of(point, fault).by(REPLIES).between(0, MINUTE).most(1).skip(skip);
            stage.clone().storm(storm).run(view, |world| {
                let mut wrong = one_conversation(world);
                let told = heard(world, "agent_message");
                wrong.extend(unless(told == 1, || format!("Alice was heard {told} times")));
                wrong
            })
        })
    }))
}

/// The customer writes the same words through both doors, at every moment of the relaying of them, which is
/// in doubt or is not.
pub(crate) fn the_same_words_through_both_doors(view: View) -> Ending {
    let sure = (0..24).map(|moment| (moment * 50, None));
    let doubtful = [Fault::AnswerLost, Fault::Late, Fault::Fails, Fault::NotSent, Fault::DiesAfter];
    let doubtful = doubtful.into_iter().flat_map(|fault| (0..12).map(move |moment| (moment * 1_000, Some(fault))));
    each(sure.chain(doubtful).map(|(after, fault)| {
        let stage = Stage::of(0, "hello").say(MINUTE, "again").say(MINUTE + 20, "and more");
        let stage =
            stage.act(MINUTE + 100 + after, Who::Customer, says("again")).act(5 * MINUTE, Who::Alice, says("yes"));
        match fault {
            None => stage.runs(view),
            Some(fault) => stage
                .storm(Storm::of(Point::Post, fault).by(REPLIES).between(MINUTE, HOUR).most(1))
                .until(10 * MINUTE)
                .runs(view),
        }
    }))
}

/// The customer ends the chat while a teammate closes it, at every moment; or after it was closed and opened again
/// unheard of, so that what came first is heard of last.
pub(crate) fn both_end_a_chat(view: View) -> Ending {
    let unheard = Stage::of(0, "hello").act(30 * SECOND, Who::Alice, says("yes"));
    let unheard = unheard.storm(Storm::of(Point::Deliver, Fault::Dropped).between(MINUTE, 100 * SECOND));
    let unheard = unheard.act(61 * SECOND, Who::Alice, Deed::Close(None)).act(63 * SECOND, Who::Bob, says("wait"));
    let unheard = unheard.step(66 * SECOND, Step::End).until(10 * MINUTE).runs(view);
    if !unheard.wrong.is_empty() {
        return unheard;
    }
    each((0..30).map(|moment| {
        let stage = Stage::of((moment % 2) as usize, "hello").act(30 * SECOND, Who::Alice, says("yes"));
        let stage = stage.say(MINUTE - 200, "thanks").step(MINUTE, Step::End);
        stage.act(MINUTE - SECOND + moment * 100, Who::Alice, Deed::Close(None)).run(view, |world| {
            let closed = heard(world, "closed");
            let open = world.talks.iter().any(|talk| talk.face.open);
            let mut wrong = unless(closed >= 1, || "the platform was not told of the end".to_owned());
            wrong.extend(unless(!open, || "it is open after both have ended it".to_owned()));
            wrong
        })
    }))
}

/// The customer writes at every moment of a close: it is in Intercom, or its refusal is told.
pub(crate) fn a_message_at_every_moment_of_an_end(view: View) -> Ending {
    let waits = Stage::of(1, "hello").say(MINUTE, "one more");
    let waits = waits.storm(Storm::of(Point::Post, Fault::Limited).by(REPLIES).between(MINUTE, 90 * SECOND));
    let waits = waits.act(70 * SECOND, Who::Alice, Deed::Close(None)).until(10 * MINUTE).run(view, |world| {
        let told = heard(world, "command_superseded");
        unless(told == 1, || format!("{told} of one message that was left to the bot were told"))
    });
    if !waits.wrong.is_empty() {
        return waits;
    }
    each((0..30).map(|moment| {
        let stage = Stage::of((moment % 2) as usize, "hello").act(30 * SECOND, Who::Alice, says("yes"));
        let stage = stage.act(MINUTE, Who::Alice, Deed::Close(Some("<p>bye</p>".to_owned())));
        let stage = stage.step(MINUTE - SECOND + moment * 100, Step::SayAnyway("one more".to_owned()));
        stage.step(3 * MINUTE, Step::Start("hello again".to_owned())).run(view, one_conversation)
    }))
}

/// Whoever is waited for in vain is told of once, in time, and what follows is done.
pub(crate) fn whoever_is_waited_for_in_vain_is_told_of_once(view: View) -> Ending {
    let set = |patience| move |setting: &mut Setting| setting.patience = patience;
    let none = (0, "");
    let nobody = Stage::of(0, "hello").set(set([(2, "team:500002"), none, none])).until(HOUR);
    let keeps = Stage::of(1, "hello").set(set([(2, "keep"), none, none])).until(HOUR);
    let teammate_ = |then| {
        Stage::of(0, "hello")
            .set(set([none, (3, then), none]))
            .act(30 * SECOND, Who::Alice, Deed::Assign(teammate(Who::Alice)))
            .say(MINUTE, "are you there")
            .until(HOUR)
    };
    let customer =
        Stage::of(1, "hello").set(set([none, none, (5, "close")])).act(MINUTE, Who::Bob, says("who are you"));
    let all = [
        (nobody, 2 * MINUTE, false),
        (keeps, 2 * MINUTE, false),
        (teammate_("team:500002"), 3 * MINUTE, false),
        (teammate_("bot"), 3 * MINUTE, true),
        (customer.until(HOUR), 6 * MINUTE, true),
    ];
    each(all.into_iter().map(|(stage, at, ends)| {
        stage.run(view, |world| {
            let (timed_out, closed) = (heard(world, "timed_out"), heard(world, "closed"));
            let first = world.chats[0].heard.timed_out_at.first().map(|at| at - BEGINNING);
            let in_time = first.is_some_and(|first| (at..at + 2 * MINUTE).contains(&first));
            let mut wrong = unless(timed_out == 1, || format!("somebody was waited for in vain {timed_out} times"));
            wrong.extend(unless(in_time, || format!("it was told after {first:?} ms")));
            wrong.extend(unless((closed == 1) == ends, || format!("it ended {closed} times")));
            wrong
        })
    }))
}

/// What is over is opened again by each who can: relayed again, or left to the bot with a word to the teammate.
pub(crate) fn what_is_over_is_opened_again(view: View) -> Ending {
    let ways = [
        (Who::Alice, says("one thing more")),
        (Who::Alice, Deed::Open),
        (Who::Customer, says("by mail")),
        (Who::Workflow, says("how was it?")),
    ];
    let all = [false, true].into_iter().flat_map(|stays| ways.clone().map(|way| (stays, way)));
    each(all.map(|(stays, (who, deed))| {
        let stage = Stage::of(0, "hello").set(|setting| setting.stays = stays);
        let stage = stage.act(30 * SECOND, Who::Alice, says("yes")).act(MINUTE, Who::Alice, Deed::Close(None));
        stage.act(3 * MINUTE, who, deed.clone()).say(5 * MINUTE, "thank you").run(view, |world| {
            let again = heard(world, "reopened");
            let expected = u64::from(!stays && who != Who::Workflow);
            unless(again == expected, || format!("{who:?} {deed:?}, stays={stays}: reopened was told {again} times"))
        })
    }))
}

/// A teammate begins a conversation with somebody whose chat the bot has: it reaches them there. Where others
/// have the chat, its first words do, once; the rest when the chat is over. So does what is said later in the conversation
/// that the chat has left.
pub(crate) fn what_people_begin_reaches_the_chat(view: View) -> Ending {
    let beside = Stage::of(1, "hello").step(MINUTE, Step::PeopleBegin("we have found it".to_owned()));
    let beside = beside.step(2 * MINUTE, Step::End).act(3 * MINUTE, Who::Alice, says("are you there"));
    let beside = beside.run(view, |world| {
        let (told, again) = (heard(world, "agent_message"), heard(world, "reopened"));
        unless((told, again) == (2, 1), || {
            format!("{told} of two messages were told, and {again} times that it goes on")
        })
    });
    if !beside.wrong.is_empty() {
        return beside;
    }
    // Nobody knows whose it is: the workers that carry the start out have died when the customer was known in Intercom.
    // Others write meanwhile, so that no search reaches back to it.
    let unknown = Storm::of(Point::Post, Fault::DiesAfter).by(REPLIES).between(0, 4 * MINUTE);
    let unknown = Stage::of(0, "hello").storm(unknown).step(30 * SECOND, Step::PeopleBegin("we have it".to_owned()));
    let mut unknown = unknown.act(40 * SECOND, Who::Alice, says("really")).until(20 * MINUTE);
    unknown.play.talks.push((0, 1, "<p>hello</p>".to_owned(), false));
    let others = (1..=20).map(|minute| (minute * MINUTE, 0, Who::Customer, says("hello")));
    unknown.play.acts.extend(others);
    let unknown = unknown.run(view, |world| {
        let told = heard(world, "agent_message");
        unless(told == 2, || format!("{told} of two messages were told that came while nobody knew whose they were"))
    });
    if !unknown.wrong.is_empty() {
        return unknown;
    }
    let stage = Stage::of(0, "hello").act(20 * SECOND, Who::Alice, Deed::Close(None));
    let stage = stage.step(2 * MINUTE, Step::PeopleBegin("we have found it".to_owned()));
    let stage = stage.say(3 * MINUTE, "wonderful").act(4 * MINUTE, Who::Alice, says("bye"));
    // In the conversation that the chat has left by that, too: while people have the chat, and when the bot has it.
    let stage = stage.step(5 * MINUTE, Step::InTheFirst(Who::Bob, says("the invoice is on its way")));
    let stage = stage.step(6 * MINUTE, Step::End).step(8 * MINUTE, Step::InTheFirst(Who::Bob, says("it is there")));
    stage.run(view, |world| {
        let told = heard(world, "agent_message");
        unless(told == 4, || format!("{told} of four messages of Alice's and Bob's were told"))
    })
}

/// A customer has two chats at once, begun in the same words at every moment: each has a conversation of its own, and
/// hears what is said there. What people begin beside the first stays beside it when the second begins.
pub(crate) fn two_chats_of_one_customer(view: View) -> Ending {
    let with_another = |mut stage: Stage, at: u64, words: &str| {
        let mut other = Cast { session: "t".to_owned(), ..stage.play.chats[0].clone() };
        other.steps =
            vec![(at, Step::Start(words.to_owned())), (at + 90 * SECOND, Step::Say(format!("{words} again")))];
        stage.play.peace = stage.play.peace.max(at + 2 * MINUTE);
        stage.play.chats.push(other);
        stage
    };
    let at_once = (0..48).map(|moment| {
        let stage = Stage::of((moment % 2) as usize, "hello").act(MINUTE, Who::Alice, says("yes")).uneven(moment);
        with_another(stage, SECOND + moment * 30, "hello").run(view, |world| {
            let opened: Vec<usize> = world.chats.iter().map(|chat| chat.talks.len()).collect();
            unless(opened == [1, 1], || format!("{opened:?} conversations were opened for two chats"))
        })
    });
    let beside = (0..6).map(|seed| {
        let stage = Stage::of(0, "hello").step(20 * SECOND, Step::PeopleBegin("we have found it".to_owned()));
        let stage = stage.act(MINUTE, Who::Alice, says("really")).uneven(seed);
        with_another(stage, 30 * SECOND, "good day").run(view, |world| {
            let told = heard(world, "agent_message");
            unless(told == 2, || format!("{told} of two messages beside the first chat were told there"))
        })
    });
    each(at_once.chain(beside))
}

/// Teammates talk about the customer, hand the chat round and come back; nothing of the notes is told, and who
/// has it always is.
pub(crate) fn a_chat_goes_from_hand_to_hand(view: View) -> Ending {
    each((0..6).map(|seed| {
        let mut stage = Stage::of((seed % 2) as usize, "hello").uneven(seed);
        for round in 0..6 {
            let at = (1 + round) * MINUTE;
            let (one, other) = if round % 2 == 0 { (Who::Alice, Who::Bob) } else { (Who::Bob, Who::Alice) };
            stage = stage.act(at, one, Deed::Assign(teammate(one))).act(
                at + SECOND,
                other,
                Deed::Note(format!("<p>{PSST}</p>")),
            );
            stage = stage
                .act(at + 2 * SECOND, one, says(&format!("round {round}")))
                .say(at + 2_100, &format!("yes {round}"));
            stage = stage.act(at + 30 * SECOND, one, Deed::Assign(support()));
        }
        stage.storm(Storm::of(Point::Deliver, Fault::Twice).per_myriad(5_000)).until(20 * MINUTE).run(view, |world| {
            let told = heard(world, "agent_message");
            unless(told == 6, || format!("{told} of six messages were told"))
        })
    }))
}
