//! What can happen next, and what comes of it. A move is what one worker does between two awaits,
//! or one thing that happens outside; so every order of them is explored, and a worker that dies
//! between two of them has done the first and not the second.
//!
//! The order of effects is that of `shared::app`: `heed`, `carry_out`, `deliver`, `sweep`,
//! `catch_up`. A save is conditional there and decided anew on a conflict, so deciding and saving
//! are one move here. Wakes are not modelled: a worker may begin whenever the sweep would wake it
//! (`due_at`, `waiting`), which is whenever a wake could.

use shared::domain::command::{Ask as Asking, Command, HandoverTarget};
use shared::domain::content::{AuthorKind, Block, Message, TextFormat};
use shared::domain::conversation::{Control, Conversation, EventKind, Lane};
use shared::domain::ids::{BotId, ClaimId, CommandId};
use shared::domain::step::{self, Answer, Effect, Input, Vain};

use crate::intercom::{self, Happening, Request, To, What, Who, id_at, place_of};
use crate::model::{Model, Sight};
use crate::time::{self, NOW, TICK_MS};
use crate::world::{Ask, Asked, Broken, End, Hand, Limbo, Router, Said, Why, World};

/// What a person or a workflow does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Writes to the customer.
    Says,
    /// Assigns.
    Assigns(To),
    /// Closes.
    Closes,
    /// Opens again.
    Opens,
}

/// One move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// The customer writes.
    CustomerWrites,
    /// Somebody does something.
    Does(Who, Deed),
    /// A notification is lost.
    Lost(u8),
    /// The router hears a notification; it may come again, and `GET` may be a part behind.
    Hears {
        /// Of which part.
        place: u8,
        /// Whether it comes again.
        again: bool,
        /// Whether `GET` is behind.
        stale: bool,
    },
    /// The search finds more than is known, and the router fetches the conversation.
    Finds {
        /// Whether `GET` is behind.
        stale: bool,
    },
    /// The timer of a paused bot is due, and the router fetches the conversation.
    Due {
        /// Whether `GET` is behind.
        stale: bool,
    },
    /// The router decides on what it has fetched, and saves.
    Decides,
    /// The bot gets the first event and answers; the commands are put on the queue.
    Gives(Answers),
    /// The bot does not take the first event.
    GivesInVain,
    /// That the bot took the event is recorded.
    Records,
    /// The dispatcher dies before.
    DispatchDies,
    /// `bot-reply` hands a close on to the other queue.
    HandsOn,
    /// A hand begins: records the command at the head of its queue, claims.
    Begins(usize),
    /// A hand begins or goes on, and leaves what is next for later: Intercom is not to be called now.
    IsPutOff(usize),
    /// It reads the state that it is to set.
    Looks(usize),
    /// Its request arrives and is answered so.
    Sends(usize, Fate),
    /// It dies with a claim.
    Dies(usize),
    /// It records the answer or what it read back, and claims the next.
    Goes(usize),
    /// A request that nobody waits for arrives after all.
    Arrives(usize),
    /// It does not.
    NeverArrives(usize),
    /// A tick passes.
    Passes,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is carried out and answered.
    Done,
    /// No answer comes; it may arrive all the same.
    Doubtful,
    /// 429.
    Limited,
    /// A 4xx.
    Refused,
}

/// What the bot answers to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answers {
    /// Nothing: it is no message.
    Nothing,
    /// A reply.
    Reply,
    /// A reply and a hand-over.
    HandsOver,
    /// A reply and a close.
    Closes,
}

const LANES: [Lane; 2] = [Lane::Replies, Lane::Close];

/// Whether a close is next among the replies: it is handed on to the other queue.
fn is_close_first(world: &World) -> bool {
    world.replies.first().is_some_and(|head| world.commands[usize::from(*head)].ask == Ask::Close)
}

impl Model {
    /// What people, workflows and the customer may do.
    pub(crate) fn happenings(&self, world: &World, moves: &mut Vec<Move>) {
        let left = &world.left;
        // A machine writes in answer to the bot.
        let is_asked = world.parts.last().is_some_and(|last| last.who == Who::Bot && last.what == What::Said);
        if left.customer > 0 && (self.bounds.machine.is_none() || is_asked) {
            moves.push(Move::CustomerWrites);
        }
        let (to, open) = intercom::standing(&world.parts);
        if left.people > 0 {
            let alice_acted = world.parts.iter().any(|part| part.who == Who::Alice);
            for (who, deed) in &self.bounds.deeds {
                let sensible = match deed {
                    Deed::Says => true,
                    Deed::Assigns(new) => *new != to || !open,
                    Deed::Closes => open,
                    Deed::Opens => !open,
                };
                // Bob is as Alice, so it is Alice who acts first.
                if sensible && (*who != Who::Bob || alice_acted) {
                    moves.push(Move::Does(*who, *deed));
                }
            }
        }
        if left.give_back > 0 && (to != To::Bot || !open) {
            moves.push(Move::Does(Who::Alice, Deed::Assigns(To::Bot)));
        }
    }

    /// What goes wrong.
    pub(crate) fn faults(&self, world: &World, moves: &mut Vec<Move>) {
        let idle = world.router == Router::Idle;
        if world.left.faults > 0 {
            for place in (0..world.parts.len() as u8).filter(|place| world.notifications & (1 << place) != 0) {
                moves.push(Move::Lost(place));
                if idle {
                    moves.push(Move::Hears { place, again: true, stale: false });
                    moves.push(Move::Hears { place, again: false, stale: true });
                }
            }
            if idle && self.is_behind(world) {
                moves.push(Move::Finds { stale: true });
            }
            if idle && self.resume_is_due(world) {
                moves.push(Move::Due { stale: true });
            }
            if world.given {
                moves.push(Move::DispatchDies);
            }
            for hand in 0..2 {
                if self.may_begin(world, hand)
                    || matches!(world.hands[hand], Hand::Answered { .. } | Hand::ReadBack { .. })
                {
                    moves.push(Move::IsPutOff(hand));
                }
                if let Hand::Claimed { request, looked, .. } = world.hands[hand] {
                    moves.push(Move::Dies(hand));
                    if looked || !request.looks_first() {
                        moves.push(Move::Sends(hand, Fate::Doubtful));
                        moves.push(Move::Sends(hand, Fate::Limited));
                        moves.push(Move::Sends(hand, Fate::Refused));
                    }
                }
            }
        }
        if world.left.refusals > 0 && self.can_give(world) {
            moves.push(Move::GivesInVain);
        }
    }

    /// What Baton, the bot and the network do of themselves. In a world without such a move all is
    /// quiet.
    pub(crate) fn works(&self, world: &World, moves: &mut Vec<Move>) {
        match world.router {
            Router::Fetched { .. } => moves.push(Move::Decides),
            Router::Idle => {
                for place in (0..world.parts.len() as u8).filter(|place| world.notifications & (1 << place) != 0) {
                    moves.push(Move::Hears { place, again: false, stale: false });
                }
                if self.is_behind(world) {
                    moves.push(Move::Finds { stale: false });
                }
                if self.resume_is_due(world) {
                    moves.push(Move::Due { stale: false });
                }
            }
        }
        if world.given {
            moves.push(Move::Records);
        } else if self.can_give(world) {
            self.answers(world, moves);
        }
        for hand in 0..LANES.len() {
            match world.hands[hand] {
                Hand::Idle if hand == 0 && is_close_first(world) => moves.push(Move::HandsOn),
                Hand::Idle if self.may_begin(world, hand) => moves.push(Move::Begins(hand)),
                Hand::Idle => {}
                Hand::Claimed { request, looked: false, .. } if request.looks_first() => moves.push(Move::Looks(hand)),
                Hand::Claimed { .. } => moves.push(Move::Sends(hand, Fate::Done)),
                Hand::Answered { .. } | Hand::ReadBack { .. } => moves.push(Move::Goes(hand)),
            }
        }
        for limbo in 0..world.limbo.len() {
            moves.push(Move::Arrives(limbo));
            moves.push(Move::NeverArrives(limbo));
        }
        // A worker is stopped before its claim runs out, and a request arrives within the time to settle.
        let sending = world.hands.iter().any(|hand| matches!(hand, Hand::Claimed { .. } | Hand::Answered { .. }));
        let may_pass = !sending && world.limbo.iter().all(|limbo| limbo.ticks > 0);
        if may_pass && time::waits(&world.row) {
            moves.push(Move::Passes);
        }
    }

    /// Whether a hand has something to begin with.
    fn may_begin(&self, world: &World, hand: usize) -> bool {
        let queue = if hand == 0 { &world.replies } else { &world.closes };
        let may = world.hands[hand] == Hand::Idle && !(hand == 0 && is_close_first(world));
        may && (!queue.is_empty() || self.is_woken(world, LANES[hand]))
    }

    /// The sweep wakes a worker of a conversation in which anything is due; a hand that then has to
    /// wait changes nothing, so only what can go on is a move.
    fn is_woken(&self, world: &World, lane: Lane) -> bool {
        let waits = step::waiting(&world.row).action.is_some_and(|(waiting, _)| waiting == lane);
        waits && time::head_is_due(&world.row) && world.row.due_at().is_some_and(|due| due <= NOW)
    }

    fn is_behind(&self, world: &World) -> bool {
        step::is_behind(&world.row, &intercom::found(&world.parts), &self.workspace)
    }

    fn resume_is_due(&self, world: &World) -> bool {
        world.row.resume_at.is_some_and(|due| due <= NOW)
    }

    fn can_give(&self, world: &World) -> bool {
        !world.given && world.row.events.front().is_some_and(|event| event.due_at <= NOW)
    }

    fn answers(&self, world: &World, moves: &mut Vec<Move>) {
        let Some(event) = world.row.events.front() else { return };
        if world.heard.is_some() || !matches!(event.kind, EventKind::Message { .. }) {
            moves.push(Move::Gives(Answers::Nothing)); // or again what it answered before
            return;
        }
        moves.push(Move::Gives(Answers::Reply));
        if world.left.hand_overs > 0 {
            moves.push(Move::Gives(Answers::HandsOver));
        }
        if world.left.closes > 0 {
            moves.push(Move::Gives(Answers::Closes));
        }
    }

    /// Makes a move. Not where it is another one in disguise.
    pub(crate) fn make(&self, world: &mut World, next: Move) -> bool {
        match next {
            Move::CustomerWrites => {
                world.left.customer -= 1;
                world.happen(Happening { who: Who::Customer, what: What::Said, command: None });
            }
            Move::Does(who, deed) => self.does(world, who, deed),
            Move::Lost(place) => {
                world.left.faults -= 1;
                world.notifications &= !(1 << place);
            }
            Move::Hears { place, again, stale } => {
                self.hears(world, place, again, stale);
                if stale && world.router == Router::Idle {
                    return false;
                }
            }
            Move::Finds { stale } => self.fetches(world, Why::Found, stale),
            Move::Due { stale } => {
                let effects = self.decide(world, &[Input::Tick(None)]);
                if effects.contains(&Effect::Fetch) {
                    self.fetches(world, Why::Due, stale);
                }
            }
            Move::Decides => self.decides(world),
            Move::Gives(answers) => self.gives(world, answers),
            Move::GivesInVain => {
                world.left.refusals -= 1;
                let Some(seq) = world.row.events.front().map(|event| event.seq) else { return false };
                // People get it when the bot has failed as often as it may here.
                let handover_after_ms = if world.left.refusals == 0 { 0 } else { TICK_MS };
                let vain = Vain { seq, retry_after_ms: TICK_MS, failing_since: NOW, handover_after_ms };
                self.decide(world, &[Input::NotDelivered(vain)]);
            }
            Move::Records => {
                let Some(seq) = world.row.events.front().map(|event| event.seq) else { return false };
                (world.given, world.heard) = (false, None);
                self.decide(world, &[Input::Delivered { seq }]);
            }
            Move::DispatchDies => {
                world.left.faults -= 1;
                world.given = false;
            }
            Move::HandsOn => {
                let command = world.replies.remove(0);
                world.closes.push(command);
            }
            Move::Begins(hand) => {
                self.begins(world, hand, false);
            }
            Move::IsPutOff(hand) => {
                world.left.faults -= 1;
                let is_move = match world.hands[hand] {
                    Hand::Idle => self.begins(world, hand, true),
                    _ => self.goes(world, hand, true),
                };
                if !is_move {
                    return false;
                }
                self.sights.see(Sight::PutOff);
            }
            Move::Looks(hand) => looks(world, hand),
            Move::Sends(hand, fate) => self.sends(world, hand, fate),
            Move::Dies(hand) => self.dies(world, hand),
            Move::Goes(hand) => {
                self.goes(world, hand, false);
            }
            Move::Arrives(limbo) => {
                let limbo = world.limbo.remove(limbo);
                self.sights.see(Sight::ArrivedLate);
                world.happen(limbo.request.happening());
            }
            Move::NeverArrives(limbo) => {
                world.limbo.remove(limbo);
            }
            Move::Passes => world.pass(),
        }
        world.renumber();
        true
    }

    fn does(&self, world: &mut World, who: Who, deed: Deed) {
        if deed == Deed::Assigns(To::Bot) && world.left.give_back > 0 {
            world.left.give_back -= 1;
        } else {
            world.left.people -= 1;
        }
        let what = match deed {
            Deed::Says => What::Said,
            Deed::Assigns(to) => What::Assigned(to),
            Deed::Closes => What::Closed,
            Deed::Opens => What::Opened,
        };
        world.happen(Happening { who, what, command: None });
    }

    fn hears(&self, world: &mut World, place: u8, again: bool, stale: bool) {
        world.left.faults -= u8::from(again) + u8::from(stale);
        if world.row.bot.is_some() && world.row.seen.covers(&id_at(usize::from(place))) {
            self.sights.see(Sight::HeardWhatIsKnown);
        }
        let observation = intercom::notification(&world.parts, usize::from(place), self.bounds.same_words);
        let effects = self.decide(world, &[Input::Observed(observation)]);
        if effects.contains(&Effect::Fetch) {
            world.left.faults += u8::from(stale); // counted where it is fetched
            self.fetches(world, Why::Notified(place), stale);
        }
        // A notification in work is out of the queue; it comes back when its worker fails.
        if !again {
            world.notifications &= !(1 << place);
        }
    }

    /// `GET`: what is there, or one part less.
    fn fetches(&self, world: &mut World, why: Why, stale: bool) {
        let all = world.parts.len() as u8;
        let count = if stale { all - 1 } else { all };
        world.left.faults -= u8::from(stale);
        world.router = Router::Fetched { why, count };
    }

    fn decides(&self, world: &mut World) {
        let Router::Fetched { why, count } = std::mem::replace(&mut world.router, Router::Idle) else { return };
        if usize::from(count) < world.parts.len() {
            self.sights.see(Sight::DecidedOnTheOld);
        }
        let seen = intercom::whole(&world.parts, usize::from(count), self.bounds.same_words);
        let input = match why {
            // Older than its notification: the notification comes again.
            Why::Notified(place) if count <= place => {
                world.notifications |= 1 << place;
                return;
            }
            Why::Notified(place) => {
                let notification = intercom::notification(&world.parts, usize::from(place), self.bounds.same_words);
                Input::Observed(seen.with_parts_of(&notification))
            }
            Why::Found => Input::Observed(seen),
            Why::Due => Input::Tick(Some(seen)),
        };
        let effects = self.decide(world, &[input]);
        if effects.contains(&Effect::Fetch) {
            world.breaks(Broken::FetchedForNothing);
        }
    }

    fn gives(&self, world: &mut World, answers: Answers) {
        let Some(event) = world.row.events.front().cloned() else { return };
        world.given = true;
        if let Some((from, to)) = world.heard {
            self.sights.see(Sight::ToldAgain);
            world.replies.extend(from..to);
            return;
        }
        match &event.kind {
            EventKind::Message { message, .. } => hear(world, message),
            EventKind::Resumed { stretch } => {
                self.sights.see(Sight::Resumed);
                for message in stretch.iter().filter(|message| message.author.kind == AuthorKind::Customer) {
                    hear(world, message);
                }
            }
            _ => {}
        }
        let from = world.commands.len() as u8;
        let asks: &[Ask] = match answers {
            Answers::Nothing => &[],
            Answers::Reply => &[Ask::Reply],
            Answers::HandsOver => &[Ask::Reply, Ask::HandOver],
            Answers::Closes => &[Ask::Reply, Ask::Close],
        };
        world.left.hand_overs -= u8::from(answers == Answers::HandsOver);
        world.left.closes -= u8::from(answers == Answers::Closes);
        for ask in asks {
            world.commands.push(Asked {
                ask: *ask,
                epoch: event.epoch,
                recorded: false,
                overtaken: false,
                parts: 0,
                end: None,
            });
        }
        let to = world.commands.len() as u8;
        world.replies.extend(from..to);
        world.heard = Some((from, to));
    }

    fn begins(&self, world: &mut World, hand: usize, is_put_off: bool) -> bool {
        let mut inputs = Vec::new();
        if let Some(head) = world.queue(hand).first().copied() {
            world.in_work[hand] = true;
            inputs.push(Input::Commanded(self.command(world, head)));
        }
        let is_move = self.goes_on(world, hand, &mut inputs, is_put_off);
        let effects = self.decide(world, &inputs);
        if let (true, Some(head)) = (world.in_work[hand], world.queue(hand).first().copied()) {
            let asked = &mut world.commands[usize::from(head)];
            (asked.recorded, asked.epoch) = (true, 0);
        }
        self.follow(world, hand, &effects);
        is_move
    }

    /// What a hand does about what is next: it claims it, or leaves it for later. Whether there is anything to
    /// leave, as `carry_out` sees it.
    fn goes_on(&self, world: &World, hand: usize, inputs: &mut Vec<Input>, is_put_off: bool) -> bool {
        if !is_put_off {
            inputs.push(claim(hand));
            return true;
        }
        let (lane, until) = (LANES[hand], NOW.plus_ms(TICK_MS));
        let after = |state: Conversation, input| self.mutant.step(&state, input, &self.workspace).state;
        let next = step::next_call(&inputs.iter().fold((*world.row).clone(), after), lane, NOW);
        inputs.push(Input::PutOff { lane, until });
        next.is_some()
    }

    fn goes(&self, world: &mut World, hand: usize, is_put_off: bool) -> bool {
        let input = match world.hands[hand] {
            Hand::Answered { seq, answer } => Input::Answered { seq, claim: claim_id(hand), answer: answer.given() },
            Hand::ReadBack { seq, count } => Input::ReadBack {
                seq,
                observation: intercom::whole(&world.parts, usize::from(count), self.bounds.same_words),
            },
            Hand::Idle | Hand::Claimed { .. } => return false,
        };
        world.hands[hand] = Hand::Idle;
        let mut inputs = vec![input];
        let is_move = self.goes_on(world, hand, &mut inputs, is_put_off);
        let effects = self.decide(world, &inputs);
        self.follow(world, hand, &effects);
        is_move
    }

    /// What a hand does after a save: as `carry_out`, by the last effect.
    fn follow(&self, world: &mut World, hand: usize, effects: &[Effect]) {
        match effects.last() {
            Some(Effect::Perform { seq, action }) => {
                let entry = world.row.outbox.iter().find(|entry| entry.seq == *seq);
                let command = entry.and_then(|entry| entry.command.as_ref()).map(number_of);
                self.check_the_send(world, command);
                let request = Request::of(action, command);
                world.hands[hand] = Hand::Claimed { seq: *seq, request, looked: false };
            }
            Some(Effect::ReadBack { seq }) => {
                world.hands[hand] = Hand::ReadBack { seq: *seq, count: world.parts.len() as u8 };
            }
            _ => {
                world.hands[hand] = Hand::Idle;
                if std::mem::take(&mut world.in_work[hand]) {
                    world.queue(hand).remove(0);
                }
            }
        }
    }

    /// A send is begun by its claim: the last moment at which Baton can know.
    fn check_the_send(&self, world: &mut World, command: Option<u8>) {
        let Some(asked) = command.map(|command| world.commands[usize::from(command)]) else { return };
        let handed_over = world.commands.iter().any(|asked| asked.ask == Ask::HandOver && asked.recorded);
        let silent = match world.row.control {
            Control::Bot => false,
            Control::Human => !handed_over,
            Control::Paused => true,
            Control::Closed => asked.ask != Ask::Close,
        };
        if asked.overtaken || silent || matches!(asked.end, Some(End::Superseded | End::Rejected)) {
            world.breaks(Broken::SpokeOverAPerson);
        }
    }

    fn sends(&self, world: &mut World, hand: usize, fate: Fate) {
        let Hand::Claimed { seq, request, .. } = world.hands[hand] else { return };
        world.left.faults -= u8::from(fate != Fate::Done);
        let answer = match fate {
            Fate::Done => {
                world.happen(request.happening());
                Said::Done(Some(world.parts.len() as u8 - 1))
            }
            Fate::Doubtful => {
                world.limbo.push(Limbo { request, ticks: 0 });
                Said::Nothing
            }
            Fate::Limited => Said::Limited,
            Fate::Refused => Said::Refused,
        };
        world.hands[hand] = Hand::Answered { seq, answer };
    }

    fn dies(&self, world: &mut World, hand: usize) {
        let Hand::Claimed { request, looked, .. } = world.hands[hand] else { return };
        world.left.faults -= 1;
        world.hands[hand] = Hand::Idle;
        world.in_work[hand] = false; // its message comes again
        if looked || !request.looks_first() {
            world.limbo.push(Limbo { request, ticks: 1 });
        }
    }

    fn command(&self, world: &World, number: u8) -> Command {
        let asked = world.commands[usize::from(number)];
        let text = || intercom::words_of(number, self.bounds.same_words);
        let ask = match asked.ask {
            Ask::Reply => Asking::Reply { content: vec![Block::Text { text: text(), format: TextFormat::Plain }] },
            Ask::HandOver => Asking::Handover {
                to: HandoverTarget::Default,
                reason: None,
                note: None,
                content: Vec::new(),
                tags: Vec::new(),
                attributes: Default::default(),
            },
            Ask::Close => {
                Asking::Close { reason: Some(format!("bye{number}")), tags: Vec::new(), attributes: Default::default() }
            }
        };
        let id = CommandId::parse(format!("k{number}")).unwrap();
        let digest = id.to_string();
        // A command that comes again is known by its id, whatever its epoch.
        let epoch = (!asked.recorded).then_some(asked.epoch);
        Command { id, bot: BotId::parse("demo").unwrap(), digest, epoch, seq: None, ask }
    }

    /// Steps, saves, and compares before and after.
    fn decide(&self, world: &mut World, inputs: &[Input]) -> Vec<Effect> {
        let before = (*world.row).clone();
        let mut after = before.clone();
        let mut effects = Vec::new();
        for input in inputs {
            let outcome = self.mutant.step(&after, input, &self.workspace);
            after = outcome.state;
            effects.extend(outcome.effects);
        }
        if after == before {
            return effects;
        }
        self.compare(world, &before, &after, inputs);
        world.row = crate::world::Row::new(after);
        effects
    }

    fn compare(&self, world: &mut World, before: &Conversation, after: &Conversation, inputs: &[Input]) {
        let changed_hands = (before.control == Control::Bot) != (after.control == Control::Bot);
        if after.epoch < before.epoch || (changed_hands && after.epoch == before.epoch) {
            world.breaks(Broken::Epoch);
        }
        let newly = |place: usize| after.seen.covers(&id_at(place)) && !before.seen.covers(&id_at(place));
        let taken_over = |words: bool| {
            let over = |part: &Happening| part.takes_over() && (words || part.what != What::Said);
            (0..world.parts.len()).any(|place| newly(place) && over(&world.parts[place]))
        };
        // A hand-over says nothing: a person's word does not take it back, an assignment or a close does.
        let (over_words, over_hand_over) = (taken_over(true), taken_over(false));
        for asked in world.commands.iter_mut().filter(|asked| asked.end.is_none()) {
            let is_leaving = asked.ask == Ask::HandOver && asked.recorded;
            asked.overtaken |= if is_leaving { over_hand_over } else { over_words };
        }
        for event in after.events.iter().filter(|event| event.seq > before.last_event) {
            let (id, end) = match &event.kind {
                EventKind::CommandDone { command_id, .. } => (command_id, End::Done),
                EventKind::CommandRejected { command_id, .. } => (command_id, End::Rejected),
                EventKind::CommandSuperseded { command_id, .. } => (command_id, End::Superseded),
                _ => continue,
            };
            self.ends(world, usize::from(number_of(id)), end);
        }
        // What the bot took while people had it, or may have taken, is told again at its return.
        let waits = before.events.iter().any(|event| matches!(event.kind, EventKind::Message { .. }));
        if let Some(relief) = before.relieved.as_ref().filter(|_| after.control == Control::Bot && !waits) {
            world.told &= !u32::from(relief.source);
            for place in (0..world.parts.len()).filter(|place| relief.covers(&id_at(*place))) {
                world.told &= !(1 << (place + 1));
            }
        }
        self.sights.look(before, after, inputs);
    }

    fn ends(&self, world: &mut World, number: usize, end: End) {
        let asked = &mut world.commands[number];
        let again = asked.end.replace(end).is_some();
        let truth = match (asked.ask, end) {
            (Ask::Reply, End::Done) => asked.parts == 1,
            (Ask::Reply, _) => asked.parts == 0,
            _ => true,
        };
        if again {
            world.breaks(Broken::EndedTwice);
        }
        if !truth {
            world.breaks(Broken::FalseReport);
        }
    }
}

/// It reads the state that it is to set: whether it is so already.
fn looks(world: &mut World, hand: usize) {
    let Hand::Claimed { seq, request, .. } = world.hands[hand] else { return };
    world.hands[hand] = if request.is_so(&world.parts) {
        Hand::Answered { seq, answer: Said::Done(None) }
    } else if request.is_taken(&world.parts) {
        Hand::Answered { seq, answer: Said::Refused }
    } else {
        Hand::Claimed { seq, request, looked: true }
    };
}

impl Said {
    fn given(self) -> Answer {
        match self {
            Self::Done(place) => Answer::Done { part_id: place.map(|place| id_at(usize::from(place))) },
            Self::Limited => Answer::NotSent { retry_at: NOW.plus_ms(TICK_MS) },
            Self::Refused => Answer::Rejected { code: "refused".to_owned(), message: String::new() },
            Self::Nothing => Answer::Unknown,
        }
    }
}

/// The bot reads a message of the customer's.
fn hear(world: &mut World, message: &Message) {
    let bit = 1 << message.part_id.as_ref().map_or(0, |id| place_of(id) + 1);
    if world.told & bit != 0 {
        world.breaks(Broken::ToldTwice);
    } else if world.told > bit {
        world.breaks(Broken::ToldOutOfOrder);
    }
    world.told |= bit;
}

fn claim_id(hand: usize) -> ClaimId {
    ClaimId::parse(if hand == 0 { "replies" } else { "close" }).unwrap()
}

fn claim(hand: usize) -> Input {
    Input::Claim { lane: LANES[hand], claim: claim_id(hand), until: NOW.plus_ms(TICK_MS) }
}

fn number_of(id: &CommandId) -> u8 {
    id.as_str().trim_start_matches('k').parse().unwrap()
}
