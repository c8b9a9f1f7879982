//! Directed worlds: each brings about one situation of the catalogue of failures, at the moment at which
//! it hurts, and asserts the figure that is promised for it. What must hold in every world is looked at
//! in these too, so each of them can also find a broken protocol out.
//!
//! Chance has no part in them but where a scene is played several times: then the seed is the number.

use shared::domain::conversation::Control;

use crate::bot::Style;
use crate::faults::{Fate, Fault, Point, Storm};
use crate::intercom::{Deed, Who, bot_team, bot_teammate, teammate};
use crate::relay::scenes as relay;
use crate::run::{Ending, Play, Trouble, View, run_and_look};
use crate::world::{BEGINNING, Manner, QueueName, Role, World};

/// A directed world.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// The row of the catalogue.
    pub row: &'static str,
    /// What happens in it.
    pub name: &'static str,
    /// Plays it.
    pub play: fn(View) -> Ending,
    /// Whether it takes long: such a one is not played with every mutant.
    pub long: bool,
}

const fn scene(row: &'static str, name: &'static str, play: fn(View) -> Ending) -> Scene {
    Scene { row, name, play, long: false }
}

const fn long(row: &'static str, name: &'static str, play: fn(View) -> Ending) -> Scene {
    Scene { row, name, play, long: true }
}

/// All of them.
pub const ALL: &[Scene] = &[
    scene("A4", "a deletion behind a lost webhook", a_deletion_behind_a_lost_webhook),
    scene("A9", "the first of a batch fails", a_batch_stops_its_group),
    scene("A14", "dead letters are put back in order", dead_letters_in_order),
    scene("C1", "Intercom takes nothing for a while", intercom_takes_nothing_for_a_while),
    scene("C2", "answer and echo are lost", answer_and_echo_are_lost),
    scene("C3", "a hand-over is lost on its way", a_hand_over_is_lost),
    scene("C3", "half of a hand-over is lost on its way", half_a_hand_over_is_lost),
    scene("C4", "requests arrive late", requests_arrive_late),
    scene("C5", "an answer that is older than its notification", a_stale_answer),
    scene("D6", "a message before the close is carried out", a_message_before_the_close),
    scene("D7", "a message while the hand-over waits", a_message_during_the_hand_over),
    scene("D11", "the same word again and again, in doubt", the_same_word),
    scene("A6", "queues are down at the edge for ten minutes", queues_are_down_at_the_edge),
    scene("A6", "all queues are down for ten minutes", all_queues_are_down),
    scene("D1", "every echo precedes its answer", every_echo_precedes_its_answer),
    scene("B7", "rows expire", rows_expire),
    scene("D4", "fifty flips in ten seconds", fifty_flips),
    scene("D10", "a bot's answer is lost", a_bots_answer_is_lost),
    scene("E4", "the whole history comes three times more", history_comes_again),
    scene("B3", "workers that stand still", workers_that_stand_still),
    long("A4", "no webhook for two hours", no_webhook_for_two_hours),
    long("A5", "the edge dies at every step", the_edge_dies_at_every_step),
    long("A1", "every webhook comes up to five times", every_webhook_several_times),
    long("A3", "a backlog in reverse", a_backlog_in_reverse),
    long("A7", "messages are received again", messages_are_received_again),
    long("A11", "a batch of ten is stopped at every step", a_batch_is_stopped_at_every_step),
    long("B4", "the table fails for five minutes", the_table_fails),
    long("B5", "the answer to every write is lost once", every_write_in_doubt_once),
    long("B6", "writes conflict", writes_conflict),
    long("B8", "clocks are ten minutes off", clocks_are_off),
    long("C3", "requests fail unapplied", requests_fail_unapplied),
    long("C7", "the token is refused for half an hour", the_token_is_refused),
    long("C9", "twelve hundred parts", twelve_hundred_parts),
    long("D6", "a reply at every moment of a close", a_reply_at_every_moment_of_a_close),
    scene("D3", "a teammate at every moment of a hand-over", a_teammate_at_every_moment_of_a_hand_over),
    scene("T1", "an opening in doubt", relay::an_opening_in_doubt),
    scene("T2", "a start comes twice", relay::a_start_comes_twice),
    scene("T4", "the same words through both doors", relay::the_same_words_through_both_doors),
    scene("T6", "both end a chat", relay::both_end_a_chat),
    scene("T5", "a message at every moment of an end", relay::a_message_at_every_moment_of_an_end),
    scene("T7", "time-outs", relay::whoever_is_waited_for_in_vain_is_told_of_once),
    scene("T10", "what is over is opened again", relay::what_is_over_is_opened_again),
    scene("T11", "people begin", relay::what_people_begin_reaches_the_chat),
    scene("T12", "from hand to hand", relay::a_chat_goes_from_hand_to_hand),
    scene("T1", "a start is stopped at every step", relay::a_start_is_stopped_at_every_step),
    scene("A7", "commands come again after a hundred others", commands_come_again_after_a_hundred_others),
    scene("C4", "a request is later than doubts settle", a_request_is_later_than_doubts_settle),
    scene("B8", "the sweep's clock is ahead", the_sweeps_clock_is_ahead),
    long("B8", "clocks are off and requests late", clocks_are_off_and_requests_late),
    scene("T19", "two chats of one customer", relay::two_chats_of_one_customer),
];

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// What a scene is made of.
#[derive(Debug, Clone)]
struct Stage {
    play: Play,
    manner: Manner,
    seed: u64,
    most_receives: u32,
}

fn said(words: &str) -> Deed {
    Deed::Say(format!("<p>{words}</p>"))
}

impl Stage {
    /// A conversation that begins with these words, and is the bot's after a second. In the second
    /// workspace (1) the bot uses queues.
    fn of(workspace: usize, words: &str) -> Self {
        let stage = Self { play: Play::default(), manner: Manner::default(), seed: 7, most_receives: 0 };
        stage.talk(workspace, words)
    }

    /// One more such conversation.
    fn talk(mut self, workspace: usize, words: &str) -> Self {
        let talk = self.play.talks.len();
        self.play.talks.push((workspace, 1 + talk as u64, format!("<p>{words}</p>"), false));
        self.act(SECOND, talk, Who::Workflow, Deed::Assign(bot_team()))
    }

    /// Somebody does something.
    fn act(mut self, at: u64, talk: usize, who: Who, deed: Deed) -> Self {
        self.play.acts.push((at, talk, who, deed));
        self.play.peace = self.play.peace.max(at + 10 * SECOND);
        self
    }

    /// The first conversation's customer writes.
    fn say(self, at: u64, words: &str) -> Self {
        self.act(at, 0, Who::Customer, said(words))
    }

    fn storm(mut self, storm: Storm) -> Self {
        self.play.storms.push(storm);
        self
    }

    fn trouble(mut self, at: u64, trouble: Trouble) -> Self {
        self.play.events.push((at, trouble));
        self
    }

    /// Nothing goes wrong from then on.
    fn until(mut self, at: u64) -> Self {
        self.play.peace = at;
        self
    }

    fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    fn run(&self, view: View, look: impl FnOnce(&World) -> Vec<String>) -> Ending {
        let view = View { most_receives: self.most_receives, ..view };
        run_and_look(&self.play, self.seed, Fate::Fair, self.manner.clone(), view, |world| {
            look(world).into_iter().for_each(|what| world.accuse(what));
        })
    }

    /// With nothing to look at but what must always hold.
    fn runs(&self, view: View) -> Ending {
        self.run(view, |_| Vec::new())
    }
}

/// Several plays of one scene: stops at the first that is bad.
pub(crate) fn each(endings: impl Iterator<Item = Ending>) -> Ending {
    let mut all = Ending::default();
    for ending in endings {
        all.messages += ending.messages;
        all.hash = all.hash.rotate_left(7) ^ ending.hash;
        if !ending.wrong.is_empty() {
            return Ending { messages: all.messages, ..ending };
        }
    }
    all
}

/// How long after it was written each of a conversation's messages was told, in milliseconds.
fn waits(world: &World, talk: usize) -> Vec<(u64, Option<u64>)> {
    let told = |id: u64, at: u64| (id, world.memories[talk].told_at.get(&id).map(|told| told.saturating_sub(at)));
    let written = world.talks[talk].parts.iter().filter(|part| part.who == Who::Customer && part.is_seen());
    written.map(|part| told(part.id, part.at)).collect()
}

/// Complains of messages that were told later than so long after they were written.
fn told_within(world: &World, talk: usize, most_ms: u64) -> Vec<String> {
    let late = waits(world, talk).into_iter().filter(|(_, wait)| wait.is_none_or(|wait| wait > most_ms));
    late.map(|(id, wait)| format!("message {id} was told after {wait:?} ms, which is more than {most_ms}")).collect()
}

pub(crate) fn unless(holds: bool, what: impl FnOnce() -> String) -> Vec<String> {
    if holds { Vec::new() } else { vec![what()] }
}

const REPLIES: Role = Role::Behind(QueueName::Replies);

// ── batches and queues ──────────────────────────────────────────────────────────────────────────

/// Ten commands of one conversation are handed over at once, and the table fails the first.
fn a_batch_stops_its_group(view: View) -> Ending {
    let fails = Storm::of(Point::Load, Fault::Fails).by(REPLIES).between(30 * SECOND, u64::MAX).most(1);
    Stage::of(1, "m1 ten")
        .trouble(4 * SECOND, Trouble::WorkersDown(20 * SECOND))
        .storm(fails)
        .until(10 * MINUTE)
        .runs(view)
}

/// Ten commands of one conversation die, and an operator puts them back; the queue fails at the third, and the
/// operator tries again.
fn dead_letters_in_order(view: View) -> Ending {
    let fails = || Storm::of(Point::Load, Fault::Fails).by(REPLIES);
    let mut stage = Stage::of(1, "m1 ten")
        // One is carried out when all are there, and the next one fails, so that those behind it die together.
        .storm(fails().most(2))
        .storm(fails().skip(1).most(1))
        .trouble(20 * SECOND, Trouble::WorkersDown(20 * MINUTE))
        .storm(Storm::of(Point::Put, Fault::Fails).by(Role::Operator).skip(2).most(1))
        .trouble(30 * MINUTE, Trouble::Redrive)
        .trouble(40 * MINUTE, Trouble::Redrive)
        .until(HOUR);
    stage.most_receives = 2;
    stage.run(view, |world| {
        let number = |text: &str| text.strip_prefix("<p>re m1 ")?.strip_suffix("</p>")?.parse().ok();
        let said: Vec<u64> = world.talks[0].parts.iter().filter_map(|part| number(&part.text)).collect();
        let together: Vec<u64> = said.iter().copied().filter(|number| *number >= 2).collect();
        unless(together.is_sorted() && said.len() == 10, || format!("the ten are in Intercom as {said:?}"))
    })
}

/// Nothing that the edge or the sweep puts on a queue arrives for ten minutes, while people write, and
/// one conversation is deleted, which no search tells of.
fn queues_are_down_at_the_edge(view: View) -> Ending {
    let down = |role| Storm::of(Point::Put, Fault::Fails).by(role).between(MINUTE, 11 * MINUTE);
    let mut stage = Stage::of(0, "m0 ok")
        .talk(1, "m0 ok")
        .talk(0, "m0 ok")
        .storm(down(Role::Edge))
        .storm(down(Role::Sweeper))
        .act(5 * MINUTE, 2, Who::Alice, Deed::Delete);
    for number in 1..=12 {
        stage = stage.say(number * 50 * SECOND + 10 * SECOND, &format!("m{number} ok"));
        stage = stage.act(number * 50 * SECOND + 20 * SECOND, 1, Who::Customer, said(&format!("m{number} reply")));
    }
    stage.run(view, |world| {
        let end = BEGINNING + 11 * MINUTE;
        let late = |told: &u64| *told > end + 90 * SECOND;
        let mut wrong = Vec::new();
        for talk in [0, 1] {
            wrong.extend(
                world.memories[talk]
                    .told_at
                    .values()
                    .find(|told| late(told))
                    .map(|told| format!("a message is told {} ms after the queues are back", told - end)),
            );
        }
        wrong.extend(unless(world.tally.kept >= 20, || format!("only {} messages were kept", world.tally.kept)));
        let gone = world.rows.get(&world.talks[2].key).is_some_and(|row| row.state.deleted);
        wrong.extend(unless(gone, || "a deletion that the queue did not take was lost".to_owned()));
        wrong
    })
}

/// The same, and nobody else's messages arrive either.
fn all_queues_are_down(view: View) -> Ending {
    let mut stage =
        Stage::of(0, "m0 ok").talk(1, "m0 ok").storm(Storm::of(Point::Put, Fault::Fails).between(MINUTE, 11 * MINUTE));
    for number in 1..=12 {
        stage = stage.say(number * 50 * SECOND + 10 * SECOND, &format!("m{number} two"));
        stage = stage.act(number * 50 * SECOND + 20 * SECOND, 1, Who::Customer, said(&format!("m{number} ok")));
    }
    stage.runs(view)
}

/// What was handled is received again in a fifth of the cases, and is not deleted in a twentieth.
fn messages_are_received_again(view: View) -> Ending {
    let stage = many_words(0).storm(Storm::of(Point::Finish, Fault::GivenAgain).per_myriad(2_000));
    let stage = stage.storm(Storm::of(Point::Finish, Fault::DiesBefore).per_myriad(500));
    each((0..10).map(|seed| uneven(&stage, seed).runs(view)))
}

/// A bot gives each of a hundred commands once more, long after. Nothing is done again, and nothing is told again.
fn commands_come_again_after_a_hundred_others(view: View) -> Ending {
    each([0, 1].into_iter().map(|workspace| {
        let mut stage = Stage::of(workspace, "m0 ok").storm(Storm::of(Point::Save, Fault::AnswerLost).per_myriad(100));
        for number in 1..=50 {
            let wish = if number % 10 == 0 { "note" } else { "two" };
            stage = stage.say(number * 20 * SECOND, &format!("m{number} {wish}"));
        }
        stage = stage.trouble(20 * MINUTE, Trouble::GiveAgain).until(HOUR);
        stage.manner(Manner { remembers: true, ..Manner::default() }).run(view, |world| {
            let (replies, aside) = (world.tally.replies, world.aside.len());
            let mut wrong = unless(replies == 96, || format!("96 replies to 51 messages are {replies}"));
            wrong.extend(unless(aside > 30, || format!("only {aside} commands were put aside")));
            wrong
        })
    }))
}

/// A batch of ten commands; its worker dies at every one of its calls, before it and after it. A send
/// that was not in doubt costs no look at Intercom, one that was costs one.
fn a_batch_is_stopped_at_every_step(view: View) -> Ending {
    let stage = Stage::of(1, "m1 ten").trouble(4 * SECOND, Trouble::WorkersDown(20 * SECOND)).until(HOUR);
    let mut all = Ending::default();
    let points = [Point::Load, Point::Save, Point::Put, Point::Post, Point::Hide, Point::Finish];
    for (point, fault) in points.into_iter().flat_map(|point| [(point, Fault::DiesBefore), (point, Fault::DiesAfter)]) {
        if !point.faults().contains(&fault) {
            continue;
        }
        for skip in 0..60 {
            let storm = Storm::of(point, fault).by(REPLIES).between(30 * SECOND, u64::MAX).most(1).skip(skip);
            let mut struck = false;
            let ending = stage.clone().storm(storm).run(view, |world| {
                struck = world.struck > 0;
                let gets = world.tally.gets;
                unless(gets <= 2, || format!("{point:?} {fault:?} {skip}: {gets} looks at Intercom for one doubt"))
            });
            all.messages += ending.messages;
            if !ending.wrong.is_empty() {
                return ending;
            }
            if !struck {
                break;
            }
        }
    }
    all
}

// ── webhooks ────────────────────────────────────────────────────────────────────────────────────

/// Of two hours no webhook arrives. What is written is found by the search.
fn no_webhook_for_two_hours(view: View) -> Ending {
    each((0..5).map(|seed| {
        let mut stage = Stage::of(0, "m0 ok").talk(1, "m0 ok").talk(0, "m0 ok");
        stage.play.acts.retain(|(_, talk, ..)| *talk != 2);
        stage = stage.act(HOUR, 2, Who::Workflow, Deed::Assign(bot_team()));
        for number in 1..=18 {
            stage = stage.say(number * 400 * SECOND, &format!("m{number} ok"));
            stage = stage.act(number * 400 * SECOND + 7 * SECOND, 1, Who::Customer, said(&format!("m{number} two")));
        }
        stage = stage.act(2 * HOUR - MINUTE, 2, Who::Alice, Deed::Assign(teammate(Who::Alice)));
        stage = stage.storm(Storm::of(Point::Deliver, Fault::Dropped).between(MINUTE, MINUTE + 2 * HOUR));
        uneven(&stage, seed).run(view, |world| {
            // A sweep each minute, a minute that the index lags behind, and what it takes to tell.
            [0, 1].into_iter().flat_map(|talk| told_within(world, talk, 2 * MINUTE + 30 * SECOND)).collect()
        })
    }))
}

/// A 200 means durable (which is looked at in every world), also where the edge dies at any call.
fn the_edge_dies_at_every_step(view: View) -> Ending {
    let faults = [Fault::DiesBefore, Fault::DiesAfter, Fault::Fails, Fault::AnswerLost];
    let storms = faults.into_iter().flat_map(|fault| (0..8).map(move |skip| (fault, skip)));
    each(storms.map(|(fault, skip)| {
        let storm = Storm::of(Point::Put, fault).by(Role::Edge).most(2).skip(skip);
        let rows = Storm::of(Point::Save, fault).by(Role::Edge).most(1);
        Stage::of(0, "m1 ok").say(20 * SECOND, "m2 two").storm(storm).storm(rows).until(5 * MINUTE).runs(view)
    }))
}

/// Every webhook comes up to five times within two hours, half of the copies under new ids, as for a part
/// that is told of under two topics.
fn every_webhook_several_times(view: View) -> Ending {
    each((0..10).map(|seed| {
        let stage = many_words(0).storm(Storm::of(Point::Deliver, Fault::Copies));
        let mut stage = uneven(&stage, seed).until(3 * HOUR);
        stage.manner.delay_ms = 2 * HOUR;
        stage.runs(view)
    }))
}

/// A thousand messages in forty conversations, whose webhooks come all at once, newest first.
fn a_backlog_in_reverse(view: View) -> Ending {
    let mut stage = Stage::of(0, "m0 ok");
    for talk in 1..40 {
        stage = stage.talk(talk % 2, "m0 ok");
    }
    for number in 1..=25 {
        for talk in 0..40 {
            let at = 10 * SECOND + number * 400 + talk as u64;
            stage = stage.act(at, talk, Who::Customer, said(&format!("m{number} silent")));
        }
    }
    stage = stage.storm(Storm::of(Point::Deliver, Fault::Held).between(10 * SECOND, 29 * SECOND));
    stage = stage.trouble(30 * SECOND, Trouble::Release).until(HOUR);
    stage.manner.sweeps = false;
    stage.runs(view)
}

/// All webhooks of a whole life are delivered three times more: nobody notices.
fn history_comes_again(view: View) -> Ending {
    let mut stage = many_words(0).manner(Manner { remembers: true, ..Manner::default() }).until(4 * HOUR);
    let mut before = 0;
    let first = stage.run(view, |world| {
        before = heard(world);
        Vec::new()
    });
    for hour in [1, 2, 3] {
        stage = stage.trouble(hour * HOUR, Trouble::Repeat);
    }
    let again = stage.run(view, |world| {
        let now = heard(world);
        unless(now == before, || format!("{before} events and requests became {now}"))
    });
    each([first, again].into_iter())
}

/// How many events bots took, and requests Intercom.
fn heard(world: &World) -> u64 {
    world.posts + world.memories.iter().flat_map(|memory| memory.kinds.values()).sum::<u64>()
}

// ── the table and workers ───────────────────────────────────────────────────────────────────────

/// A fifth of the table's requests fail for five minutes, and each is made three times, so one call in 125
/// fails: a minute later all is as if nothing had been.
fn the_table_fails(view: View) -> Ending {
    let fails = |point, fault| Storm::of(point, fault).per_myriad(80).between(MINUTE, 6 * MINUTE);
    each((0..10).map(|seed| {
        let mut stage = Stage::of(0, "m0 ok")
            .storm(fails(Point::Load, Fault::Fails))
            .storm(fails(Point::Save, Fault::Fails).per_myriad(40))
            .storm(fails(Point::Save, Fault::AnswerLost).per_myriad(40));
        for number in 1..=30 {
            stage = stage.say(MINUTE + number * 10 * SECOND, &format!("m{number} ok"));
        }
        uneven(&stage, seed).run(view, |world| {
            let end = BEGINNING + 6 * MINUTE;
            let last = world.memories[0].told_at.values().max().copied().unwrap_or(0);
            let said = world.talks[0].parts.iter().filter(|part| part.who == Who::Bot).map(|part| part.at).max();
            let last = last.max(said.unwrap_or(0));
            unless(last <= end + MINUTE, || format!("it took {} ms to recover", last - end))
        })
    }))
}

/// Each write in turn is applied, and its answer lost.
fn every_write_in_doubt_once(view: View) -> Ending {
    each((0..60).map(|skip| {
        let storm = Storm::of(Point::Save, Fault::AnswerLost).most(1).skip(skip);
        few_words().storm(storm).runs(view)
    }))
}

/// A tenth of the writes meet somebody else's.
fn writes_conflict(view: View) -> Ending {
    let stage = many_words(0).storm(Storm::of(Point::Save, Fault::Conflict).per_myriad(1_000));
    each((0..10).map(|seed| uneven(&stage, seed).runs(view)))
}

/// Workers stand still for up to a minute at any call of the table or of a queue, and are stopped up to a
/// minute late. No request is begun after a deadline, which is looked at in every world.
fn workers_that_stand_still(view: View) -> Ending {
    let points = [Point::Load, Point::Save, Point::Put, Point::Hide];
    let stage = points
        .into_iter()
        .fold(many_words(0), |stage, point| stage.storm(Storm::of(point, Fault::Pause).per_myriad(600)));
    each((0..10).map(|seed| {
        let mut stage = uneven(&stage, seed);
        stage.manner.stopped_late_ms = MINUTE;
        stage.runs(view)
    }))
}

/// Rows go that were kept long enough, and so do rows two days too early; then people go on where they were,
/// and old webhooks come once more.
fn rows_expire(view: View) -> Ending {
    let day = 24 * HOUR;
    Stage::of(0, "m1 ok")
        .talk(1, "m1 reply")
        .say(20 * SECOND, "m2 handover")
        .act(40 * SECOND, 0, Who::Alice, said("I am here"))
        .act(40 * SECOND, 1, Who::Customer, said("m2 shut"))
        .trouble(28 * day, Trouble::Expire(0))
        .trouble(28 * day, Trouble::Expire(1))
        .act(28 * day + MINUTE, 0, Who::Customer, said("m3 ok"))
        .act(28 * day + 2 * MINUTE, 0, Who::Alice, Deed::Assign(bot_teammate()))
        .act(28 * day + 2 * MINUTE, 1, Who::Customer, said("m3 ok"))
        .trouble(28 * day + 3 * MINUTE, Trouble::Repeat)
        .act(28 * day + 10 * MINUTE, 0, Who::Customer, said("m4 two"))
        .manner(Manner { remembers: true, ..Manner::default() })
        .run(view, |world| {
            let of = |talk: usize, words: &str| world.talks[talk].parts.iter().any(|part| part.text.contains(words));
            let told = |talk: usize, id: u64| world.memories[talk].known.contains(&id);
            let last = |talk: usize| waits(world, talk).last().map_or(0, |(id, _)| *id);
            let mut wrong = unless(of(0, "re m4 two"), || "the bot did not go on".to_owned());
            wrong.extend(unless(told(1, last(1)), || "what opened it again was not told".to_owned()));
            wrong
        })
}

/// Clocks are up to ten minutes off, and set again and again, while answers are old and saves lost: only times change.
fn clocks_are_off(view: View) -> Ending {
    each((0..40).map(|seed| {
        let mut stage = uneven(&many_words((seed % 2) as usize), seed);
        (stage.manner.skew_ms, stage.manner.jumps) = (10 * MINUTE, seed % 4 >= 2);
        unsettled(stage).runs(view)
    }))
}

/// They are up to six seconds off, which is twelve between two of them, and requests late: as long as doubts settle later
/// than both together, only times change.
fn clocks_are_off_and_requests_late(view: View) -> Ending {
    each((0..40).map(|seed| {
        let mut stage = uneven(&many_words((seed % 2) as usize), seed);
        (stage.manner.skew_ms, stage.manner.jumps) = (6 * SECOND, seed % 4 >= 2);
        (stage.manner.late_ms, stage.manner.stale_ms) = (11 * SECOND, 5 * SECOND);
        unsettled(stage).storm(Storm::of(Point::Post, Fault::Late).per_myriad(1_500)).runs(view)
    }))
}

/// A bit of everything goes wrong.
fn unsettled(stage: Stage) -> Stage {
    let all = [
        (Point::Deliver, Fault::Dropped, 500),
        (Point::Post, Fault::AnswerLost, 1_000),
        (Point::Post, Fault::Fails, 1_000),
        (Point::Get, Fault::Stale, 1_000),
        (Point::Save, Fault::AnswerLost, 300),
        (Point::Save, Fault::Fails, 300),
        (Point::Finish, Fault::DiesBefore, 300),
    ];
    all.into_iter()
        .fold(stage, |stage, (point, fault, per_myriad)| stage.storm(Storm::of(point, fault).per_myriad(per_myriad)))
}

/// The sweep's clock is three minutes ahead of Intercom's, and no webhook arrives for half an hour: what was written is
/// found as if it were not.
fn the_sweeps_clock_is_ahead(view: View) -> Ending {
    each([0, 3 * MINUTE, HOUR].into_iter().map(|ahead| {
        let mut stage =
            Stage::of(0, "m0 ok").storm(Storm::of(Point::Deliver, Fault::Dropped).between(MINUTE, 31 * MINUTE));
        stage.manner.sweeper_ahead_ms = ahead;
        for number in 1..=10 {
            stage = stage.say(number * 170 * SECOND, &format!("m{number} ok"));
        }
        uneven(&stage, 3).run(view, |world| told_within(world, 0, 2 * MINUTE + 30 * SECOND))
    }))
}

// ── Intercom ────────────────────────────────────────────────────────────────────────────────────

/// The request that assigns is lost, and not known to be.
fn a_hand_over_is_lost(view: View) -> Ending {
    let lost = Storm::of(Point::Post, Fault::Fails).by(REPLIES).most(1);
    Stage::of(0, "m1 handover").storm(lost).until(5 * MINUTE).runs(view)
}

/// A message's webhook is lost; what comes next tells of an older one that was deleted.
fn a_deletion_behind_a_lost_webhook(view: View) -> Ending {
    Stage::of(0, "m1 ok")
        .say(20 * SECOND, "m2 ok")
        .storm(Storm::of(Point::Deliver, Fault::Dropped).between(30_000, 31_000))
        .say(30 * SECOND, "m3 ok")
        .act(40 * SECOND, 0, Who::Alice, Deed::RedactFirst)
        .say(50 * SECOND, "m4 ok")
        .until(5 * MINUTE)
        .runs(view)
}

/// A webhook is lost, the next one shows the gap, and what is fetched is older than both.
fn a_stale_answer(view: View) -> Ending {
    Stage::of(0, "m1 ok")
        .storm(Storm::of(Point::Deliver, Fault::Dropped).between(20_000, 20_300))
        .storm(Storm::of(Point::Get, Fault::Stale).by(Role::Behind(QueueName::Inbox)).between(20_000, 30_000).most(1))
        .say(20_100, "m2 ok")
        .say(20_600, "m3 ok")
        .until(5 * MINUTE)
        .runs(view)
}

/// A hand-over of two requests, one to the team and one that leaves the bot's seat, of which the second is
/// lost.
fn half_a_hand_over_is_lost(view: View) -> Ending {
    let mut stage = Stage::of(0, "m1 handover").storm(Storm::of(Point::Post, Fault::Fails).by(REPLIES).skip(1).most(1));
    stage.play.acts.clear();
    let stage = stage.act(SECOND, 0, Who::Workflow, Deed::Assign(bot_teammate())).until(5 * MINUTE);
    stage.run(view, |world| {
        let seat = &world.talks[0].face.admin;
        unless(seat.is_none(), || "the bot still has its seat".to_owned())
    })
}

/// A request is applied; neither its answer nor its echo arrives.
fn answer_and_echo_are_lost(view: View) -> Ending {
    let stage = Stage::of(0, "m1 ok").say(20 * SECOND, "m2 two").storm(Storm::of(Point::Post, Fault::AnswerLost));
    let stage = stage.storm(Storm::of(Point::Deliver, Fault::Dropped).by(REPLIES)).until(10 * MINUTE);
    stage.run(view, |world| {
        let (posts, replies) = (world.posts, world.tally.replies);
        unless(posts == 3 && replies == 3, || format!("3 replies: {posts} requests, {replies} parts"))
    })
}

/// Intercom answers 429 for twenty seconds: nothing is lost, and nothing counts as refused.
fn intercom_takes_nothing_for_a_while(view: View) -> Ending {
    let stage = Stage::of(0, "m1 ok").say(20 * SECOND, "m2 two").say(25 * SECOND, "m3 farewell");
    let limited = |point| Storm::of(point, Fault::Limited).between(20_000, 40_000);
    stage.storm(limited(Point::Post)).storm(limited(Point::Get)).until(5 * MINUTE).runs(view)
}

/// A word is said again and again, and so is the answer to it; every other one is lost on its way.
fn the_same_word(view: View) -> Ending {
    let mut stage = Stage::of(0, "ok");
    for number in 1..=8 {
        let at = number * MINUTE;
        stage = stage.say(at, "ok");
        if number % 2 == 0 {
            stage = stage.storm(Storm::of(Point::Post, Fault::Fails).between(at, at + 30 * SECOND).most(1));
        }
    }
    stage.run(view, |world| {
        let replies = world.tally.replies;
        unless(replies == 9, || format!("9 messages have {replies} replies"))
    })
}

/// The answer to every request is lost, so our own part is heard of before: each is said once, by one
/// request, and told to nobody.
fn every_echo_precedes_its_answer(view: View) -> Ending {
    let mut stage = Stage::of(0, "m0 ok").storm(Storm::of(Point::Post, Fault::AnswerLost));
    for number in 1..=60 {
        stage = stage.say(number * 20 * SECOND, &format!("m{number} ok"));
    }
    stage.run(view, |world| {
        let (posts, tally) = (world.posts, world.tally);
        unless(posts == 61 && tally.replies == 61 && tally.echoes == 0, || {
            format!("61 messages: {posts} requests, {} replies, {} echoes", tally.replies, tally.echoes)
        })
    })
}

/// Half of the requests are lost, not known to be, and made again once they have settled: at most two
/// seconds later.
fn requests_fail_unapplied(view: View) -> Ending {
    let mut stage = Stage::of(0, "m0 ok");
    for number in 1..=30 {
        let at = number * 2 * MINUTE;
        stage = stage.say(at, &format!("m{number} reply"));
        if number % 2 == 0 {
            stage = stage.storm(Storm::of(Point::Post, Fault::Fails).between(at, at + MINUTE).most(1));
        }
    }
    stage.run(view, |world| {
        let mut wrong = Vec::new();
        for number in 1..=30 {
            let at = |words: &str| world.talks[0].parts.iter().find(|part| *part.text == *words).map(|part| part.at);
            let (asked, said) = (at(&format!("<p>m{number} reply</p>")), at(&format!("<p>re m{number}</p>")));
            let wait = said.zip(asked).map_or(u64::MAX, |(said, asked)| said - asked);
            // Two seconds to be told and to answer, ten until the request is given up, and the doubt.
            let most = if number % 2 == 0 { 2_000 + 10_000 + 30_000 + 2_000 } else { 3_000 };
            wrong.extend(unless(wait <= most, || format!("reply {number} took {wait} ms")));
        }
        wrong
    })
}

/// A request arrives late, for every lateness up to the time that doubts settle in: it is said once. A read
/// that is older than the request does no harm up to ten seconds.
fn requests_arrive_late(view: View) -> Ending {
    let plays = (0..29).flat_map(|late_s| [0, 10].map(|stale_s| (late_s, stale_s)));
    each(plays.filter(|(late_s, stale_s)| late_s + stale_s < 29).map(|(late_s, stale_s)| {
        let late = Storm::of(Point::Post, Fault::Late).most(1);
        let stale = Storm::of(Point::Get, Fault::Stale).by(REPLIES);
        let stage = Stage::of(0, "m1 ok").say(20 * SECOND, "m2 ok").storm(late).storm(stale).until(10 * MINUTE);
        // Even waits are the middle of their bounds.
        let manner = Manner { late_ms: 2_000 * late_s, stale_ms: 2_000 * stale_s, ..Manner::default() };
        stage.manner(manner).run(view, |world| {
            let replies = world.tally.replies;
            unless(replies == 2, || format!("{late_s} s late, {stale_s} s stale: {replies} replies to 2 messages"))
        })
    }))
}

/// A request is applied a minute after it was given up. That is noticed, whatever it was.
fn a_request_is_later_than_doubts_settle(view: View) -> Ending {
    each((0..8).map(|seed| {
        let (play, manner) = crate::lateness::play(60 * SECOND, 0, 0, seed);
        crate::lateness::run(&play, manner, seed, view).0
    }))
}

/// The token is refused for half an hour: each worker asks once a minute, and everything comes in order once it is
/// allowed again.
fn the_token_is_refused(view: View) -> Ending {
    let refused = |point| Storm::of(point, Fault::Denied).between(MINUTE, 31 * MINUTE);
    let mut stage = Stage::of(0, "m0 ok").storm(refused(Point::Post)).storm(refused(Point::Get));
    for number in 1..=20 {
        stage = stage.say(MINUTE + number * 80 * SECOND, &format!("m{number} ok"));
    }
    stage.run(view, |world| {
        // The conversation's own, and the search of each of two workspaces.
        let denied = world.tally.denied;
        let last = world.talks[0].parts.iter().filter(|part| part.who == Who::Bot).map(|part| part.at).max();
        let took = last.unwrap_or(u64::MAX).saturating_sub(BEGINNING + 31 * MINUTE);
        let mut wrong = unless(denied <= 3 * 30 + 3, || format!("{denied} calls in half an hour"));
        wrong.extend(unless(took <= 2 * MINUTE, || format!("the last reply came {took} ms after")));
        wrong
    })
}

/// More parts than Intercom shows, and a webhook in twenty is lost: each message is told once.
fn twelve_hundred_parts(view: View) -> Ending {
    let mut stage = Stage::of(0, "m0 ok").storm(Storm::of(Point::Deliver, Fault::Dropped).per_myriad(500));
    for number in 1..=1_200 {
        stage = stage.say(number * 5 * SECOND, &format!("m{number} silent"));
    }
    uneven(&stage, 2).run(view, |world| {
        let parts = world.talks[0].parts.len();
        let told = world.memories[0].told_at.len();
        unless(parts > 1_200 && told == 1_201, || format!("{parts} parts, {told} messages told"))
    })
}

// ── who has the conversation ────────────────────────────────────────────────────────────────────

/// The bot closes; before the close is carried out, it is told of one more message.
fn a_message_before_the_close(view: View) -> Ending {
    Stage::of(0, "m1 reply")
        .say(20 * SECOND, "m2 close")
        .storm(Storm::of(Point::Load, Fault::Fails).by(Role::Behind(QueueName::Close)).between(20_000, 26_000))
        .say(23 * SECOND, "m3 ok")
        .until(5 * MINUTE)
        .runs(view)
}

/// A bot takes an event, and what it answers at once does not arrive.
fn a_bots_answer_is_lost(view: View) -> Ending {
    let lost = Storm::of(Point::Bot, Fault::AnswerLost).most(1).skip(2);
    Stage::of(0, "m1 ok").say(20 * SECOND, "m2 two").storm(lost).until(5 * MINUTE).runs(view)
}

/// The bot hands over, Intercom takes nothing for ten seconds, and the customer writes meanwhile.
fn a_message_during_the_hand_over(view: View) -> Ending {
    Stage::of(0, "m1 reply")
        .say(20 * SECOND, "m2 handover")
        .storm(Storm::of(Point::Post, Fault::Limited).by(REPLIES).between(20_000, 29_000))
        .say(24 * SECOND, "m3 reply")
        .until(5 * MINUTE)
        .runs(view)
}

/// The customer answers at every moment of a close: the bot is told, answers, and it is open.
fn a_reply_at_every_moment_of_a_close(view: View) -> Ending {
    each((0..80).map(|step| {
        let stage = Stage::of(0, "m1 reply").say(20 * SECOND, "m2 shut").say(20 * SECOND + step * 100, "m3 reply");
        stage.until(5 * MINUTE).run(view, |world| {
            let talk = &world.talks[0];
            let answered = talk.parts.iter().any(|part| &*part.text == "<p>re m3</p>");
            let step = step * 100;
            let mut wrong = unless(talk.face.open, || format!("after {step} ms: it is left closed"));
            wrong.extend(unless(answered, || format!("after {step} ms: the message is not answered")));
            wrong
        })
    }))
}

/// A teammate takes the conversation at every moment of a hand-over of two requests, the second of which
/// arrives late: it is the teammate's in the end.
fn a_teammate_at_every_moment_of_a_hand_over(view: View) -> Ending {
    each((0..30).map(|step| {
        let at = 20 * SECOND + 500 + step * 100;
        let mut stage = Stage::of(0, "m1 reply").say(20 * SECOND, "m2 handover");
        stage.play.acts[0] = (SECOND, 0, Who::Workflow, Deed::Assign(bot_teammate()));
        let stage = stage.act(at, 0, Who::Alice, Deed::Assign(teammate(Who::Alice)));
        let second = Storm::of(Point::Post, Fault::Late).by(REPLIES).between(20_000, 40_000).skip(1).most(1);
        stage.storm(second).until(5 * MINUTE).run(view, |world| {
            let talk = &world.talks[0];
            unless(talk.is_assigned_to(&teammate(Who::Alice)), || {
                format!("taken after {} ms: it is {:?}'s in the end", at - 20 * SECOND, talk.face.admin)
            })
        })
    }))
}

/// People take it and give it back fifty times in ten seconds, while the customer writes.
fn fifty_flips(view: View) -> Ending {
    each([0, 1].into_iter().map(|last| {
        let mut stage = Stage::of(0, "m1 reply").say(25_050, "m2 reply");
        for flip in 0..50_u64 {
            let to = if flip % 2 == last { teammate(Who::Alice) } else { bot_teammate() };
            stage = stage.act(20 * SECOND + flip * 200, 0, Who::Bob, Deed::Assign(to));
        }
        stage.until(5 * MINUTE).run(view, |world| {
            let expected = if last == 0 { Control::Bot } else { Control::Human };
            let control = world.rows.get(&world.talks[0].key).map(|row| row.state.control);
            let notices: u64 = ["agent_joined", "handover_waiting", "resumed"]
                .iter()
                .filter_map(|kind| world.memories[0].kinds.get(kind))
                .sum();
            let mut wrong = unless(control == Some(expected), || format!("it is {control:?} in the end"));
            wrong.extend(unless(notices <= 50, || format!("{notices} notices of 50 flips")));
            wrong
        })
    }))
}

// ── plays that several scenes share ─────────────────────────────────────────────────────────────

/// A conversation with a bit of everything.
fn many_words(workspace: usize) -> Stage {
    let wishes = ["reply", "ok", "two", "note", "tag", "ok", "farewell", "reply", "ok", "shut", "ok", "close", "two"];
    let mut stage = Stage::of(workspace, "m0 reply");
    for (number, wish) in (1..).zip(wishes) {
        stage = stage.say(number * 45 * SECOND, &format!("m{number} {wish}"));
        if wish == "farewell" {
            let at = number * 45 * SECOND;
            stage = stage.act(at + 15 * SECOND, 0, Who::Alice, said("I am here"));
            stage = stage.act(at + 30 * SECOND, 0, Who::Alice, Deed::Assign(bot_teammate()));
        }
    }
    stage
}

/// Three messages and a hand-over.
fn few_words() -> Stage {
    Stage::of(0, "m1 reply").say(9 * SECOND, "m2 ok").say(18 * SECOND, "m3 farewell").until(5 * MINUTE)
}

/// The same with waits by chance.
fn uneven(stage: &Stage, seed: u64) -> Stage {
    let style = if seed.is_multiple_of(2) { Style::Same } else { Style::Posts };
    let manner = Manner { even: false, style, ..stage.manner.clone() };
    Stage { seed, ..stage.clone() }.manner(manner)
}
