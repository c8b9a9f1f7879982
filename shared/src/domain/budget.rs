//! How often Intercom may be called: a workspace's budget, shared by all workers.
//!
//! Intercom deals its limit out in windows of ten seconds and tells in every answer how much of the
//! window is left. While much is left nobody counts. Once half of a window is gone the workspace is
//! under pressure: then each call is taken out of the window before it is made, and the less urgent
//! it is, the more of the window it leaves to others. A token that is refused is a budget of
//! nothing: one call a minute tries whether it works again.
//!
//! This is arithmetic alone: what is known, how urgent, the time; go, take, or wait until then. The
//! budget is advice. The truth is Intercom's own 429, and whoever cannot read the budget goes on.

use serde::{Deserialize, Serialize};

use super::conversation::Action;
use super::ids::Timestamp;

/// The length of a window of Intercom's, in milliseconds.
pub const WINDOW_MS: u64 = 10_000;
/// How long pressure lasts after it was last noticed, in milliseconds.
pub const PRESSED_MS: u64 = 30_000;
/// How long nothing is called after the token was refused, in milliseconds.
pub const SHUT_MS: u64 = 60_000;
/// How long the others wait for what comes of a call that tries a refused token, in milliseconds: a little
/// longer than a call may take.
pub const TRIAL_MS: u64 = 16_000;
/// How long after a window's end those who waited for it begin to come again, in milliseconds:
/// Intercom names the end in whole seconds, and clocks differ.
const GUARD_MS: u64 = 1_000;
/// Over how long they come, in milliseconds.
const SPREAD_MS: u64 = 4_000;
/// For how long a conversation that had its turn lets others go first, in milliseconds, where there
/// is not enough for all.
pub const TURN_MS: u64 = 3_000;
/// No window is taken to end later than this, in milliseconds: then a clock is off.
const LONGEST_WINDOW_MS: u64 = 6 * WINDOW_MS;

/// How urgent a call is, the most urgent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    /// Tags and attributes.
    Tag,
    /// Notes for teammates.
    Note,
    /// Looking: a conversation is fetched, a workspace searched.
    Read,
    /// Whose a conversation is and whether it is open.
    Assignment,
    /// What the customer reads.
    Reply,
}

impl Urgency {
    /// All of them, the least urgent first.
    pub const ALL: [Self; 5] = [Self::Tag, Self::Note, Self::Read, Self::Assignment, Self::Reply];

    /// How much of a window it leaves to what is more urgent, in hundredths. The last tenth is
    /// nobody's: other apps, clocks and calls that arrive a window later live on it.
    #[must_use]
    pub fn leaves(self) -> u32 {
        match self {
            Self::Reply => 10,
            Self::Assignment => 15,
            Self::Read => 20,
            Self::Note => 25,
            Self::Tag => 30,
        }
    }

    /// How late in a window it comes when the window before was used up, in milliseconds: by then
    /// those who are more urgent have had their pick.
    #[must_use]
    pub fn comes_after_ms(self) -> u64 {
        match self {
            Self::Reply | Self::Assignment | Self::Read => 0,
            Self::Note => 4_000,
            Self::Tag => 6_000,
        }
    }
}

/// Something that is to be asked of Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// How urgent it is.
    pub urgency: Urgency,
    /// How many requests it takes.
    pub requests: u32,
}

impl Call {
    /// The requests that an action takes, where nothing is found to be so already.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        let (urgency, requests) = match action {
            Action::Reply { .. } => (Urgency::Reply, 1),
            Action::Close { html: Some(_) } => (Urgency::Reply, 2),
            // It is looked at, and so is who would find it.
            Action::Assign { .. } => (Urgency::Assignment, 3),
            Action::Take { .. } | Action::Unseat { .. } | Action::Close { html: None } | Action::Open => {
                (Urgency::Assignment, 2)
            }
            Action::Snooze { .. } => (Urgency::Assignment, 1),
            Action::Note { .. } => (Urgency::Note, 1),
            Action::Tag { .. } => (Urgency::Tag, 2),
            Action::Attachments { .. } | Action::Replay { .. } => (Urgency::Reply, 1),
            Action::SetAttributes { .. } => (Urgency::Tag, 1),
            // The customer is asked for by the company's id, searched for, and made.
            Action::FindContact { .. } => (Urgency::Reply, 3),
            Action::Say { .. } | Action::Begin { .. } | Action::Relay { .. } | Action::Redact { .. } => {
                (Urgency::Reply, 1)
            }
            Action::LookWhoIsThere { .. } => (Urgency::Reply, 3),
        };
        Self { urgency, requests }
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// What the call is about: the same waits until the same moment, others until another.
    pub about: &'a str,
    /// When a call about it was last admitted, as far as known; 0 where it is not.
    pub served_at: Timestamp,
}

/// What Intercom said of its limit in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How many calls a window has.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// When the window ends.
    pub ends_at: Timestamp,
}

impl Reading {
    fn used(self) -> u32 {
        self.limit.saturating_sub(self.remaining)
    }

    /// The one that tells more: of the later window, and there the one with less left.
    #[must_use]
    pub fn or_newer(self, other: Self) -> Self {
        let rank = |reading: Self| (reading.ends_at, std::cmp::Reverse(reading.remaining));
        if rank(other) > rank(self) { other } else { self }
    }
}

/// What answers of Intercom's told of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Of its limit, where they told of it.
    pub reading: Option<Reading>,
    /// Whether its token was refused; nothing where no answer came.
    pub denied: Option<bool>,
}

impl Heard {
    /// With what was heard later.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        let reading = match (self.reading, later.reading) {
            (Some(one), Some(other)) => Some(one.or_newer(other)),
            (one, other) => other.or(one),
        };
        Self { reading, denied: later.denied.or(self.denied) }
    }
}

/// What is known of a workspace's budget, as all its workers share it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Raised by every change but the taking of calls.
    pub version: u64,
    /// How many calls a window has; 0 where nobody knows yet.
    pub limit: u32,
    /// When the present window ends.
    pub ends_at: Timestamp,
    /// How many of its calls are taken, by us or by others.
    pub taken: u32,
    /// Whether the window before was used up.
    pub after_full: bool,
    /// Until then calls are taken out of the window before they are made.
    pub pressed_until: Timestamp,
    /// Until then nothing is called, the token being refused; 0 while it is not.
    pub shut_until: Timestamp,
}

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made.
    Go,
    /// It may be made once it has been taken out of the window, of which fewer than `most` calls may
    /// be taken before.
    Take {
        /// How many.
        most: u32,
    },
    /// It may be made by whoever writes this first.
    Write(Budget),
    /// Not before then.
    Wait(Timestamp),
}

/// What is to be done about a call, by what is known of the budget.
#[must_use]
pub fn decide(budget: Option<&Budget>, call: Call, caller: Caller<'_>, now: Timestamp) -> Verdict {
    broken_as!(LanesIgnored => return decide_urgent(budget, Call { urgency: Urgency::Reply, ..call }, caller, now));
    decide_urgent(budget, call, caller, now)
}

fn decide_urgent(budget: Option<&Budget>, call: Call, caller: Caller<'_>, now: Timestamp) -> Verdict {
    let about = caller.about;
    let Some(known) = budget else { return Verdict::Go };
    if let Some(shut_until) = known.is_shut_until(now) {
        return if now < shut_until {
            Verdict::Wait(spread(shut_until, SPREAD_MS, about))
        } else {
            // Whoever moves it on tries; everybody else waits for what comes of it.
            Verdict::Write(Budget { shut_until: now.plus_ms(TRIAL_MS), ..known.next() })
        };
    }
    if !known.is_pressed(now) {
        return Verdict::Go;
    }
    let renewed = known.renewed(now);
    let window = renewed.as_ref().unwrap_or(known);
    let late = call.urgency.comes_after_ms();
    let within = SPREAD_MS.min(WINDOW_MS - GUARD_MS - late);
    let opens_at = Timestamp(window.ends_at.0.saturating_sub(WINDOW_MS)).plus_ms(late);
    if window.after_full && now < opens_at {
        return Verdict::Wait(spread(opens_at, within, about));
    }
    let most = window.most(call.urgency);
    // Whoever had a turn just now lets the others have theirs.
    let next_turn = caller.served_at.plus_ms(TURN_MS);
    if window.after_full && now < next_turn && next_turn <= now.plus_ms(TURN_MS) {
        return Verdict::Wait(next_turn);
    }
    if window.taken >= most {
        return Verdict::Wait(spread(window.ends_at.plus_ms(GUARD_MS + late), within, about));
    }
    match renewed {
        Some(renewed) => Verdict::Write(Budget { taken: call.requests, ..renewed }),
        None => Verdict::Take { most },
    }
}

/// What the budget becomes by what answers of Intercom's told; nothing where that is nothing that
/// others have to know.
#[must_use]
pub fn heed(budget: Option<&Budget>, heard: &Heard, now: Timestamp) -> Option<Budget> {
    let known = budget.cloned().unwrap_or_default();
    let mut next = known.clone();
    match heard.denied {
        Some(true) if known.shut_until <= now.plus_ms(TRIAL_MS) => next.shut_until = now.plus_ms(SHUT_MS),
        Some(false) => next.shut_until = Timestamp(0),
        _ => {}
    }
    if let Some(reading) = heard.reading {
        next.heed_reading(reading, now);
    }
    (next != known).then(|| next.next())
}

impl Budget {
    /// The same, as the next to be written.
    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// How many calls of a window may be taken before one of this urgency.
    #[must_use]
    pub fn most(&self, urgency: Urgency) -> u32 {
        let most = u64::from(self.limit) * u64::from(100 - urgency.leaves()) / 100;
        u32::try_from(most).unwrap_or(u32::MAX).max(1)
    }

    /// Until when it is shut, if it is; at most a minute from now, whatever other clocks show.
    fn is_shut_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.shut_until > Timestamp(0)).then(|| self.shut_until.min(now.plus_ms(SHUT_MS)))
    }

    /// Whether calls are taken out of its window before they are made.
    #[must_use]
    pub fn is_pressed(&self, now: Timestamp) -> bool {
        self.limit > 0 && now < self.pressed_until && self.pressed_until <= now.plus_ms(2 * PRESSED_MS)
    }

    fn is_of_this_window(&self, now: Timestamp) -> bool {
        now < self.ends_at && self.ends_at <= now.plus_ms(LONGEST_WINDOW_MS)
    }

    /// The window after this one, of which nothing is taken, where this one is over.
    fn renewed(&self, now: Timestamp) -> Option<Self> {
        if self.is_of_this_window(now) {
            return None;
        }
        let past = now.0.checked_sub(self.ends_at.0).filter(|past| *past < LONGEST_WINDOW_MS);
        // A window that ended long ago, or ends in a far future, says nothing of when this one does.
        let rest = past.map_or(WINDOW_MS, |past| WINDOW_MS - past % WINDOW_MS);
        let directly = past.is_some_and(|past| past < WINDOW_MS);
        let mut next = Self { ends_at: now.plus_ms(rest), taken: 0, ..self.next() };
        next.after_full = directly && self.is_full();
        next.stays_pressed(self.taken, now);
        Some(next)
    }

    fn is_full(&self) -> bool {
        self.taken >= self.most(Urgency::Reply)
    }

    fn stays_pressed(&mut self, taken: u32, now: Timestamp) {
        if u64::from(taken) * 2 >= u64::from(self.limit) {
            self.pressed_until = self.pressed_until.max(now.plus_ms(PRESSED_MS));
        }
    }

    fn heed_reading(&mut self, reading: Reading, now: Timestamp) {
        let used = reading.used();
        let is_of_now = reading.ends_at > now && reading.ends_at <= now.plus_ms(LONGEST_WINDOW_MS);
        let is_half = u64::from(used) * 2 >= u64::from(reading.limit);
        // While much is left nobody counts.
        if reading.limit == 0 || !is_of_now || !(is_half || self.is_pressed(now)) {
            return;
        }
        let was_pressed = self.is_pressed(now);
        // What of a window may be taken unnoticed by others before it is worth a write.
        let slack = reading.limit / 10;
        // Ends are told in whole seconds.
        let is_later = reading.ends_at > self.ends_at.plus_ms(GUARD_MS);
        if is_later || !was_pressed {
            self.after_full = was_pressed && self.is_full();
            self.ends_at = reading.ends_at;
            self.taken = used;
        } else if used > self.taken.saturating_add(slack) || reading.remaining == 0 && self.taken < used {
            self.taken = used;
        }
        self.limit = reading.limit;
        if is_half && self.pressed_until < now.plus_ms(PRESSED_MS / 2) {
            self.pressed_until = now.plus_ms(PRESSED_MS);
        }
    }
}

/// A moment at or after this one, the same for the same thing: those who wait for one moment do not
/// all come at it. Who comes when goes round from window to window by the golden ratio, so whoever
/// came too late in one is early in one of the next.
fn spread(at: Timestamp, within_ms: u64, about: &str) -> Timestamp {
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let place = about.bytes().fold(0xcbf2_9ce4_8422_2325, hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let turn = (at.0 / WINDOW_MS).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    at.plus_ms(((place.wrapping_add(turn) >> 32) * within_ms) >> 32)
}
