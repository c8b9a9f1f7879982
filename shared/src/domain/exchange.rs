//! The to and fro of a conversation, as far as it tells a person from a machine: whether the bot
//! talks without anybody answering, talks with a customer who is a machine, or answers beside
//! another bot. What follows from that is [`super::step`]'s matter.
//!
//! Intercom marks no customer as a machine: another bot, an auto-responder or an out-of-office
//! message comes as the customer's. So these rules look at what no person does. A teammate's word or
//! deed ends every suspicion. The customer's word counts as a person's unless it
//! - answers the bot within [`AT_ONCE_MS`] of its last one, counted from when that was there to be
//!   read, or
//! - is the same long text as the customer's last one, whatever numbers stand in it.
//!
//! Only what was written after something of the bot's, and is the first since, answers it. The rest of
//! several messages in a row, and what crosses the bot's words, tells nothing about who writes.
//!
//! The bot goes round in circles when it has said as much as the operator allows within the time
//! that the operator sets, and
//! - nobody at all has said anything in between, or
//! - a machine has: the customer's last words, [`ROUNDS_THAT_TELL`] of them, were no person's.
//!
//! What answers a backlog, one message for each of the customer's but the last, is not counted: a bot
//! that was down for a while, and answers all that was written meanwhile, does not go in circles.
//!
//! It does so, too, when the customer has said the same long text as often as the bot may speak,
//! however slowly; and when it has answered a customer [`ROUNDS_TO_A_MESSAGE`] times as often within
//! that time, for nobody reads and writes a message every ten seconds for ten minutes. A machine that
//! takes its time and varies its words is not told from a person by these rules.
//!
//! Two bots answer the same conversation when both this one and another (Fin, a workflow, an app's)
//! have answered [`MESSAGES_THAT_BOTH_ANSWER`] of the customer's messages in a row.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::content::Message;
use super::conversation::remember;
use super::ids::{PartId, Timestamp};
use super::incoming;
use super::settings::LoopLimits;

/// Nobody reads a message and writes an answer in less time, again and again. Intercom gives whole
/// seconds, so this is up to a second more.
pub const AT_ONCE_MS: u64 = 2_000;
/// How many of the customer's words in a row have to look like a machine's: somebody who types
/// quickly may answer once or twice at once.
pub const ROUNDS_THAT_TELL: u32 = 5;
/// How many rounds with the customer are too many, for each message that the bot may say.
pub const ROUNDS_TO_A_MESSAGE: u32 = 6;
/// After how many of the customer's messages in a row that were answered twice.
pub const MESSAGES_THAT_BOTH_ANSWER: u32 = 3;
/// The longest backlog that is counted.
const MAX_UNANSWERED: u32 = 100;
/// A text of at least so many letters is more than a button or a yes: to send it again and again is
/// a machine's way.
const LONG_LETTERS: usize = 24;

/// What is remembered of the to and fro. Bounded, whatever is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Exchange {
    /// When the bot spoke since a person last did, oldest first; as many as it may say.
    pub said: VecDeque<Timestamp>,
    /// How often it spoke since anybody else did.
    pub alone: u32,
    /// How many of the customer's messages the bot has not answered.
    pub unanswered: u32,
    /// How many of the customer's words in a row look like a machine's.
    pub mechanical: u32,
    /// The first message of the bot's that is there since the customer's last was seen.
    pub first: Option<PartId>,
    /// When that was there.
    pub first_there: Timestamp,
    /// When its last one was there.
    pub last_there: Timestamp,
    /// The customer's last words, where they were long, as a digest.
    pub words: Option<u64>,
    /// How often they were said again.
    pub repeated: u32,
    /// When the rounds began to be counted.
    pub rounds_since: Timestamp,
    /// How many rounds there were since.
    pub rounds: u32,
    /// Whether the bot has answered the customer's last message.
    pub answered: bool,
    /// Whether another bot has.
    pub answered_by_another: bool,
    /// How many of the customer's messages in a row both have answered.
    pub answered_twice: u32,
}

impl Exchange {
    /// A person other than the customer spoke, or gave the conversation to somebody.
    pub fn person_acted(&mut self) {
        *self = Self::default();
    }

    /// The bot gets the conversation, with so many messages that nobody has answered: whoever answered
    /// before did so in its stead.
    pub fn bot_takes(&mut self, unanswered: usize) {
        self.unanswered = u32::try_from(unanswered).unwrap_or(MAX_UNANSWERED).min(MAX_UNANSWERED);
        (self.answered, self.answered_by_another, self.answered_twice) = (false, false, 0);
    }

    /// The bot says something to the customer, or hands over.
    pub fn bot_speaks(&mut self, now: Timestamp, limits: LoopLimits) {
        self.is_answered(true, self.answered_by_another);
        if self.unanswered > 1 {
            self.unanswered -= 1;
            return;
        }
        self.unanswered = 0;
        remember(&mut self.said, now, limits.messages as usize);
        self.alone = self.alone.saturating_add(1);
    }

    /// So many messages and one more are told to the bot as one turn: one answer is to all of them.
    pub fn are_one_turn(&mut self, earlier: usize) {
        let earlier = u32::try_from(earlier).unwrap_or(MAX_UNANSWERED);
        if earlier > 0 {
            self.unanswered = self.unanswered.saturating_sub(earlier).max(1);
        }
    }

    /// The bot has taken one message of a backlog: what it says next is about the next one.
    pub fn bot_goes_on(&mut self) {
        self.alone = 0;
        if self.mechanical == 0 {
            self.said.clear();
        }
    }

    /// A message of the bot's is there, as this part where that is known.
    pub fn message_is_there(&mut self, part: Option<PartId>, now: Timestamp) {
        if self.first.is_none() {
            (self.first, self.first_there) = (part, now);
        }
        self.last_there = now;
    }

    /// Another bot says something to the customer.
    pub fn another_bot_speaks(&mut self) {
        self.is_answered(self.answered, true);
    }

    /// Whether the bot's next words would make it the second to answer once too often.
    #[must_use]
    pub fn would_answer_beside_another(&self) -> bool {
        let mut next = self.clone();
        next.is_answered(true, next.answered_by_another);
        next.answers_beside_another()
    }

    /// Whether another bot answers the same conversation.
    #[must_use]
    pub fn answers_beside_another(&self) -> bool {
        self.answered_twice >= MESSAGES_THAT_BOTH_ANSWER
    }

    fn is_answered(&mut self, by_bot: bool, by_another: bool) {
        let was = self.answered && self.answered_by_another;
        (self.answered, self.answered_by_another) = (by_bot, by_another);
        if by_bot && by_another && !was {
            self.answered_twice = self.answered_twice.saturating_add(1);
        }
    }

    /// The customer says something.
    pub fn customer_speaks(&mut self, message: &Message, now: Timestamp, limits: LoopLimits) {
        let typed = message.pressed.is_none(); // a button is pressed in no time, and often
        let words = long_words(message).filter(|_| typed);
        let again = words.is_some() && words == self.words;
        self.repeated = if again { self.repeated.saturating_add(1) } else { 0 };
        self.words = words;
        let answers = self.first.is_some() && message.part_id > self.first;
        if again || (answers && typed && self.is_at_once(message.created_at)) {
            self.mechanical = self.mechanical.saturating_add(1);
        } else {
            self.unanswered = MAX_UNANSWERED.min(self.unanswered + 1);
            if answers {
                self.mechanical = 0;
                self.said.clear();
            }
        }
        if now > self.rounds_since.plus_ms(limits.ms()) {
            (self.rounds_since, self.rounds) = (now, 0);
        }
        self.rounds = self.rounds.saturating_add(u32::from(self.answered));
        if !(self.answered && self.answered_by_another) {
            self.answered_twice = 0;
        }
        (self.answered, self.answered_by_another) = (false, false);
        (self.alone, self.first) = (0, None);
    }

    /// Whether this moment, in whole seconds of another clock, is right behind the bot's words. One
    /// well before them is of a clock that is off, and tells nothing.
    fn is_at_once(&self, at: Timestamp) -> bool {
        self.first_there.seconds() <= at.seconds() + 1 && at <= self.last_there.plus_ms(AT_ONCE_MS)
    }

    /// Whether the bot has said all it may without a person's word.
    #[must_use]
    pub fn goes_in_circles(&self, now: Timestamp, limits: LoopLimits) -> bool {
        broken_as!(LoopGoesOn => return false);
        let tells = ROUNDS_THAT_TELL.min(limits.messages);
        let is_full = self.said.len() >= limits.messages as usize;
        let is_recent = self.said.front().is_some_and(|first| now < first.plus_ms(limits.ms()));
        let without_a_person = self.alone >= limits.messages || self.mechanical >= tells;
        let too_many_rounds = self.rounds > limits.messages.saturating_mul(ROUNDS_TO_A_MESSAGE)
            && now <= self.rounds_since.plus_ms(limits.ms());
        let always_the_same = self.repeated >= limits.messages.saturating_sub(1).max(1);
        (is_full && is_recent && without_a_person) || always_the_same || too_many_rounds
    }
}

/// A long text as a number: its letters, without numbers, which are dates and cases in an
/// auto-responder's text.
fn long_words(message: &Message) -> Option<u64> {
    let letters: String =
        incoming::comparable(message.body.as_ref()?).chars().filter(|character| !character.is_numeric()).collect();
    if letters.chars().count() < LONG_LETTERS {
        return None;
    }
    let digest = Sha256::digest(letters.as_bytes());
    Some(digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::{Author, AuthorKind, Body};

    const LIMITS: LoopLimits = LoopLimits { messages: 10, minutes: 10 };
    const BEGIN: u64 = 1_768_040_000_400;
    const LONG: &str = "I am out of the office until Monday the 4th, case 1.";

    /// A conversation that goes on for some time.
    struct Talk {
        exchange: Exchange,
        now: u64,
        parts: u64,
    }

    impl Talk {
        fn new() -> Self {
            Self { exchange: Exchange::default(), now: BEGIN, parts: 0 }
        }

        /// The bot speaks, unless it may not; whether it did.
        fn bot(&mut self) -> bool {
            let now = Timestamp(self.now);
            if self.exchange.goes_in_circles(now, LIMITS) {
                return false;
            }
            self.exchange.bot_speaks(now, LIMITS);
            self.now += 300;
            let part = self.part();
            self.exchange.message_is_there(part, Timestamp(self.now));
            true
        }

        fn part(&mut self) -> Option<PartId> {
            self.parts += 1;
            PartId::parse(self.parts.to_string()).ok()
        }

        fn customer(&mut self, after_ms: u64, words: &str) {
            self.now += after_ms;
            let part = self.part();
            self.customer_as(part, words);
        }

        fn customer_as(&mut self, part_id: Option<PartId>, words: &str) {
            let message = Message {
                part_id,
                author: Author { kind: AuthorKind::Customer, id: "c".into(), name: None },
                body: Some(Body::html(words)),
                attachments: vec![],
                created_at: Timestamp::from_seconds(self.now / 1000),
                pressed: None,
                choice: None,
            };
            self.now += 200;
            self.exchange.customer_speaks(&message, Timestamp(self.now), LIMITS);
        }

        /// How often the bot speaks in so many rounds with a customer who answers so.
        fn rounds(mut self, rounds: usize, mut answer: impl FnMut(&mut Self, usize)) -> usize {
            (0..rounds)
                .filter(|round| {
                    let spoke = self.bot();
                    if spoke {
                        answer(&mut self, *round);
                    }
                    spoke
                })
                .count()
        }
    }

    #[test]
    fn nobody_answers_a_bot_that_talks_on() {
        assert_eq!(Talk::new().rounds(30, |_, _| ()), 10);
    }

    #[test]
    fn what_is_slow_enough_may_go_on() {
        assert_eq!(Talk::new().rounds(30, |talk, _| talk.now += 61_000), 30);
    }

    #[test]
    fn a_machine_that_answers_at_once_is_no_person() {
        for delay in [0, 300, 900, 1_500, 2_000] {
            assert_eq!(
                Talk::new().rounds(40, |talk, round| talk.customer(delay, &format!("no {round}"))),
                10,
                "{delay}"
            );
        }
    }

    #[test]
    fn somebody_who_writes_quickly_is_a_person() {
        // Four seconds for a word are quick; one slow answer among fast ones is enough.
        assert_eq!(Talk::new().rounds(50, |talk, _| talk.customer(4_000, "next")), 50);
        let mixed = |talk: &mut Talk, round: usize| talk.customer(if round % 5 == 4 { 4_000 } else { 500 }, "next");
        assert_eq!(Talk::new().rounds(50, mixed), 50);
    }

    #[test]
    fn a_customer_of_a_chatty_bot_is_a_person() {
        let mut talk = Talk::new();
        for _ in 0..15 {
            for _ in 0..4 {
                assert!(talk.bot());
            }
            talk.customer(5_000, "go on");
        }
    }

    #[test]
    fn what_crosses_the_bots_words_is_no_answer_to_them() {
        // The customer writes while the bot does, whose words are there before the customer's are seen.
        let mut talk = Talk::new();
        for _ in 0..30 {
            let before = talk.part();
            assert!(talk.bot());
            talk.customer_as(before, "and");
        }
    }

    #[test]
    fn only_the_first_of_many_messages_in_a_row_answers_the_bot() {
        let mut talk = Talk::new();
        assert!(talk.bot());
        (0..12).for_each(|_| talk.customer(100, "and another thing"));
        assert_eq!(talk.exchange.mechanical, 1);
        assert!((0..12).all(|_| talk.bot()));
    }

    #[test]
    fn a_machine_that_writes_twice_each_time_is_one() {
        let twice = |talk: &mut Talk, round: usize| {
            talk.customer(300, &format!("no {round}"));
            talk.customer(300, "really");
        };
        assert_eq!(Talk::new().rounds(40, twice), 10);
    }

    #[test]
    fn an_out_of_office_message_is_no_persons_however_slow() {
        let answer = |talk: &mut Talk, round: usize| talk.customer(300_000, &LONG.replace("1", &round.to_string()));
        assert_eq!(Talk::new().rounds(40, answer), 10);
        let quicker = |talk: &mut Talk, _| talk.customer(15_000, LONG);
        assert_eq!(Talk::new().rounds(40, quicker), 10);
    }

    #[test]
    fn a_backlog_is_answered() {
        // Told one by one, or all at once to a bot that answers later.
        for is_told in [true, false] {
            let mut talk = Talk::new();
            (0..25).for_each(|_| talk.customer(4_000, "and another thing"));
            for message in 0..25 {
                assert!(talk.bot(), "{message}");
                if is_told {
                    talk.exchange.bot_goes_on();
                    assert!(talk.bot() && talk.bot(), "{message}");
                }
            }
            let surplus = talk.rounds(30, |_, _| ());
            assert!(surplus <= 10, "{surplus}");
        }
    }

    #[test]
    fn the_same_short_word_again_and_again_is_a_persons() {
        assert_eq!(Talk::new().rounds(40, |talk, _| talk.customer(5_000, "More, please")), 40);
    }

    #[test]
    fn nobody_reads_and_writes_sixty_times_in_ten_minutes() {
        assert_eq!(Talk::new().rounds(200, |talk, round| talk.customer(5_000, &format!("{round} is my answer"))), 61);
        assert_eq!(Talk::new().rounds(200, |talk, round| talk.customer(12_000, &format!("{round} is it"))), 200);
    }

    #[test]
    fn a_teammate_ends_every_suspicion() {
        let mut talk = Talk::new();
        while talk.bot() {}
        talk.exchange.person_acted();
        assert_eq!(talk.rounds(30, |_, _| ()), 10);
    }

    #[test]
    fn three_messages_in_a_row_that_two_bots_answer() {
        let mut talk = Talk::new();
        let turn = |talk: &mut Talk, ours: bool, theirs: bool| {
            talk.customer(9_000, "and");
            if theirs {
                talk.exchange.another_bot_speaks();
            }
            if ours {
                talk.bot();
            }
            talk.exchange.answers_beside_another()
        };
        assert!(
            ![(true, true), (true, true), (true, false), (true, true), (false, true), (true, true), (true, true)]
                .into_iter()
                .any(|(ours, theirs)| turn(&mut talk, ours, theirs))
        );
        assert!(!talk.exchange.would_answer_beside_another());
        talk.customer(9_000, "and");
        talk.exchange.another_bot_speaks();
        talk.exchange.another_bot_speaks();
        assert!(talk.exchange.would_answer_beside_another() && !talk.exchange.answers_beside_another());
        talk.bot();
        assert!(talk.exchange.answers_beside_another());
        talk.exchange.bot_takes(0);
        assert!(!talk.exchange.answers_beside_another());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut talk = Talk::new();
        for _ in 0..1_000 {
            talk.exchange.bot_speaks(Timestamp(talk.now), LIMITS);
        }
        assert_eq!(talk.exchange.said.len(), 10);
        let stored = serde_json::to_string(&talk.exchange).unwrap();
        assert!(stored.len() < 600, "{stored}");
        assert_eq!(serde_json::from_str::<Exchange>("{}").unwrap(), Exchange::default());
        assert_eq!(serde_json::from_str::<Exchange>(&stored).unwrap(), talk.exchange);
    }
}
