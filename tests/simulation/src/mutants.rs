//! Ways to break the protocol, to see that the simulation finds out. Most are broken promises of
//! the ports; the rest live in the product behind the feature `testing` and are
//! [`shared::testing::Mutant`]s.

use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Conversation, Progress};
use shared::domain::ids::PartId;
use shared::domain::part::Observation;
use shared::domain::step::Answer;
use shared::testing::BOT;

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A row is written whatever version it has.
    NoCompareAndSwap,
    /// A doubtful send is not left alone before Intercom is asked.
    NoSettle,
    /// A doubtful send counts as refused.
    DoubtIsFailure,
    /// A doubtful send counts as done.
    DoubtIsSuccess,
    /// A doubtful send is simply made again.
    DoubtIsRepeated,
    /// A 429 counts as refused.
    LimitIsRefusal,
    /// A claim is not saved before the send.
    ClaimNotSaved,
    /// What is read back may be older than the claim.
    NoReadBackMarker,
    /// Intercom is not asked before a doubtful send is repeated.
    NoReadBack,
    /// The watermark of what was acted on is one too low.
    WatermarkTooLow,
    /// What the bot was told is not remembered.
    ToldNotRemembered,
    /// Commands that were seen are forgotten.
    CommandsForgotten,
    /// The numbers of events begin anew when none waits.
    EventNumbersReused,
    /// An event's id is another one for each delivery.
    EventIdsChange,
    /// Whatever is put on a queue has the same deduplication id.
    DeduplicationIdConstant,
    /// Queues know no groups.
    NoMessageGroups,
    /// Messages that failed are acknowledged.
    FailuresAcknowledged,
    /// A batch goes on after a failure in a group.
    BatchGoesOn,
    /// A failure to put something on a queue is swallowed.
    PutFailuresSwallowed,
    /// An event counts as taken although the bot's answer was lost.
    LostEventsTaken,
    /// Dead letters are put back in reverse.
    DeadLettersReversed,
    /// Dead letters are deleted before they are put back.
    DeadLettersDeletedFirst,
    /// Dead letters are put back in the operator's own name.
    DeadLettersOwned,
    /// A worker believes that it has all the time in the world.
    DeadlineIgnored,
    /// A command's epoch is ignored.
    CommandEpochIgnored,
    /// Nothing is swept.
    NoSweep,
    /// An entry whose send was put off stays claimed.
    RetryKeepsClaim,
    /// Commands of the same words are taken for one.
    DeduplicatedByWords,
    /// A hand-over in doubt counts as done.
    HandoverNotVerified,
    /// A row is forgotten although the inbox did not take what is in it.
    InboxRowsForgotten,
    /// Nobody looks for a conversation whose opening is in doubt: it is opened again.
    OpeningNotSearched,
    /// A teammate who does not answer keeps the chat that another team gets.
    SeatNotLeft,
    /// The product's own.
    Core(shared::testing::Mutant),
}

impl Mutant {
    /// All of them. Not among them: rows that are put back on the inbox in another order. The inbox is a
    /// doorbell, so that order is no promise: it costs a look at Intercom, and changes nothing else.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use shared::testing::Mutant as Core;
        let core = [
            Core::EpochIgnored,
            Core::HandoverLeavesTheBot,
            Core::GapIgnored,
            Core::StaleAnswerTaken,
            Core::CloseGoesOn,
            Core::EchoSettlesNothing,
            Core::NobodyIsWoken,
            Core::LateSendGoesOn,
            Core::HalfAHandoverCounts,
            Core::EmptiedSeatStaysEmpty,
            Core::CountTakenUnseen,
            Core::LoopGoesOn,
            Core::StartOpensAnother,
            Core::OpeningHasNoEcho,
            Core::WordsAreProof,
            Core::NoteRelayed,
            Core::NothingLeadsHome,
            Core::TimeOutAgain,
            Core::PeopleToldAgain,
            Core::EndIsIgnored,
            Core::EndGoesBack,
            Core::IndexIsFresh,
            Core::StartDoneAtItsEnd,
            Core::GoingOnNotTold,
            Core::BegunMeanwhileUnheard,
            Core::LeftIsLeft,
            Core::TwinTrusted,
            Core::BesideForgotten,
            Core::HolderNotAsked,
            Core::LateGoesUnseen,
            Core::NothingIsRecalled,
            Core::OwnClockTrusted,
        ];
        let of_the_rules = [
            Core::OfferSaidAtOnce,
            Core::OfferSentTwice,
            Core::DismissedOfferSent,
            Core::StaleOfferSent,
            Core::WorkflowAccepts,
            Core::ShadowActs,
            Core::ConfidenceIgnored,
            Core::PauseForgotten,
            Core::PauseIgnored,
            Core::RetryAsksEverything,
            Core::NotesMissed,
        ];
        let of_the_ports = [
            Self::NoCompareAndSwap,
            Self::NoSettle,
            Self::DoubtIsFailure,
            Self::DoubtIsSuccess,
            Self::DoubtIsRepeated,
            Self::LimitIsRefusal,
            Self::ClaimNotSaved,
            Self::NoReadBackMarker,
            Self::NoReadBack,
            Self::WatermarkTooLow,
            Self::ToldNotRemembered,
            Self::CommandsForgotten,
            Self::EventNumbersReused,
            Self::EventIdsChange,
            Self::DeduplicationIdConstant,
            Self::NoMessageGroups,
            Self::FailuresAcknowledged,
            Self::BatchGoesOn,
            Self::PutFailuresSwallowed,
            Self::LostEventsTaken,
            Self::DeadLettersReversed,
            Self::DeadLettersDeletedFirst,
            Self::DeadLettersOwned,
            Self::DeadlineIgnored,
            Self::CommandEpochIgnored,
            Self::NoSweep,
            Self::RetryKeepsClaim,
            Self::DeduplicatedByWords,
            Self::HandoverNotVerified,
            Self::InboxRowsForgotten,
            Self::OpeningNotSearched,
            Self::SeatNotLeft,
        ];
        of_the_ports.into_iter().chain(core.into_iter().chain(of_the_rules).map(Self::Core)).collect()
    }

    /// What finds it out first: a directed world, or one of so many lives of each kind; and by which rule.
    #[must_use]
    pub fn killer(self, seeds: u64) -> Option<(String, String)> {
        let found = |name: String, ending: crate::run::Ending| Some((name, ending.wrong.into_iter().next()?));
        let view = crate::run::View { mutant: Some(self), ..Default::default() };
        let mut scenes = crate::scenes::ALL.iter().filter(|scene| !scene.long);
        let in_scenes = scenes.find_map(|scene| found(format!("{}: {}", scene.row, scene.name), (scene.play)(view)));
        let in_lives = |seed| {
            found(format!("life {seed}"), crate::life::live(seed, false, Some(self)))
                .or_else(|| found(format!("unswept life {seed}"), crate::life::live_unswept(seed, false, Some(self))))
                .or_else(|| found(format!("life {seed} with rules"), crate::ruled::life::live(seed, false, Some(self))))
                .or_else(|| found(format!("life {seed} of chats"), crate::relay::life::live(seed, false, Some(self))))
        };
        let with_a_machine = || {
            let talk = crate::machines::talk(crate::machines::Machine::Echo(400), false, false, Some(self));
            found("a talk with a machine".to_owned(), talk)
        };
        in_scenes.or_else(with_a_machine).or_else(|| (0..seeds).find_map(in_lives))
    }

    /// Spoils what is put on a queue: its deduplication id and its body.
    #[must_use]
    pub fn spoils_message(self, id: String, body: String) -> (String, String) {
        match self {
            Self::DeduplicationIdConstant => ("same".to_owned(), body),
            Self::DeduplicatedByWords if body.contains(r#""type":"reply""#) => {
                let words = body.rsplit(r#""type":"reply""#).next().unwrap_or_default();
                (words.to_owned(), body)
            }
            Self::CommandEpochIgnored => {
                let without = body.split_once(r#""epoch":"#).and_then(|(before, rest)| {
                    let (_, after) = rest.split_once(',')?;
                    Some(format!("{before}{after}"))
                });
                (id, without.unwrap_or(body))
            }
            _ => (id, body),
        }
    }

    /// Spoils a row as it is written.
    pub fn spoils_row(self, before: &Conversation, after: &mut Conversation) {
        match self {
            Self::ClaimNotSaved => {
                for entry in &mut after.outbox {
                    if matches!(entry.progress, Progress::Claimed { .. }) {
                        entry.progress = Progress::Pending { not_before: shared::domain::ids::Timestamp(0) };
                    }
                }
            }
            Self::NoReadBackMarker => {
                for entry in &mut after.outbox {
                    if let Progress::Claimed { after, .. } | Progress::Unknown { after, .. } = &mut entry.progress {
                        *after = None;
                    }
                }
            }
            Self::WatermarkTooLow => {
                let number = after.seen.part.as_ref().and_then(|part| part.as_str().parse::<u64>().ok());
                after.seen.part = number.and_then(|number| PartId::parse((number - 1).to_string()).ok());
            }
            Self::ToldNotRemembered => after.told = before.told.clone(),
            Self::CommandsForgotten => {
                after.commands.retain(|record| record.outcome == shared::domain::conversation::CommandOutcome::Accepted)
            }
            Self::EventNumbersReused if after.events.is_empty() => after.last_event = 0,
            Self::RetryKeepsClaim => {
                for entry in &mut after.outbox {
                    let was = before.outbox.iter().find(|other| other.seq == entry.seq);
                    if let (Progress::Pending { .. }, Some(was)) = (&entry.progress, was)
                        && matches!(was.progress, Progress::Claimed { .. })
                    {
                        entry.progress = was.progress.clone();
                    }
                }
            }
            _ => {}
        }
    }

    /// Spoils what Intercom shows.
    pub fn spoils_observation(self, seen: &mut Observation, for_the_router: bool) {
        if self == Self::NoReadBack && !for_the_router {
            seen.parts.retain(|part| part.author.kind != AuthorKind::Teammate || part.author.id != BOT);
        }
    }

    /// Spoils what became of a request.
    #[must_use]
    pub fn spoils_answer(self, action: &Action, answer: Answer) -> Answer {
        let failed = || Answer::Rejected { code: "failed".to_owned(), message: "mutant".to_owned() };
        match (self, &answer) {
            (Self::DoubtIsFailure, Answer::Unknown) | (Self::LimitIsRefusal, Answer::NotSent { .. }) => failed(),
            (Self::HandoverNotVerified, Answer::Unknown) if matches!(action, Action::Assign { .. }) => {
                Answer::Done { part_id: None }
            }
            (Self::DoubtIsSuccess, Answer::Unknown) => Answer::Done { part_id: None },
            (Self::DoubtIsRepeated, Answer::Unknown) => Answer::NotSent { retry_at: shared::domain::ids::Timestamp(0) },
            _ => answer,
        }
    }

    /// Spoils an event on its way to the bot.
    #[must_use]
    pub fn spoils_event(self, id: &str, body: String, now: u64) -> String {
        if self == Self::EventIdsChange { body.replace(id, &format!("{id}_{now}")) } else { body }
    }
}
