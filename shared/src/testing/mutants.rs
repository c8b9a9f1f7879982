//! Ways to break the product on purpose, to see that the simulation finds out. A mutant is on for
//! one thread; the product asks for it only where the feature `testing` is.

use std::cell::Cell;

/// A way to break the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// What was decided in an epoch that is over is still sent.
    EpochIgnored,
    /// The bot keeps the conversation when it has handed it over.
    HandoverLeavesTheBot,
    /// A notification's part count is not looked at.
    GapIgnored,
    /// `GET` may show less than the notification counted, and than is known.
    StaleAnswerTaken,
    /// A close goes on when the customer writes meanwhile.
    CloseGoesOn,
    /// Our own part does not settle what is in doubt.
    EchoSettlesNothing,
    /// A send goes on although saving its claim took too long.
    LateSendGoesOn,
    /// A hand-over of two requests counts as done with the first.
    HalfAHandoverCounts,
    /// Whoever took the seat that a late request emptied does not get it back.
    EmptiedSeatStaysEmpty,
    /// A conversation that begins in the words of an opening is that one's, although the customer has another chat.
    TwinTrusted,
    /// What is passed on beside a chat is told to whichever chat of the customer's is the newest.
    BesideForgotten,
    /// What people have begun while nobody knew whose chat it was is not looked for.
    BegunMeanwhileUnheard,
    /// What is said in a conversation that the chat has left is not passed on.
    LeftIsLeft,
    /// A count of parts is taken for known from a notification that shows nothing new.
    CountTakenUnseen,
    /// Whoever a conversation waits for is not woken; the sweep alone does so.
    NobodyIsWoken,
    /// The least urgent call to Intercom counts as the most urgent.
    LanesIgnored,
    /// A wait for Intercom's limit counts as a failure of the message that waits.
    LimitIsFailure,
    /// Each worker keeps what it knows of the budget to itself.
    BudgetNotShared,
    /// A bot may talk with a machine for ever.
    LoopGoesOn,
    /// A second start of a chat that people have says the customer's words again.
    StartOpensAnother,
    /// The notification of a conversation that is being opened is not known for it.
    OpeningHasNoEcho,
    /// The customer's words by the other door are taken for our own for good.
    WordsAreProof,
    /// A note is told to the bot platform's customer.
    NoteRelayed,
    /// No row leads from Intercom's names to a chat.
    NothingLeadsHome,
    /// Who was waited for in vain is waited for again.
    TimeOutAgain,
    /// What people said is not remembered as told.
    PeopleToldAgain,
    /// What the customer said goes on its way after people have ended the chat.
    EndIsIgnored,
    /// An end is taken to be what was heard of last.
    EndGoesBack,
    /// A doubtful opening is searched for without regard for how far the index lags.
    IndexIsFresh,
    /// A start is done with the last that it asks for, not when the customer's words are there.
    StartDoneAtItsEnd,
    /// Nobody tells the bot that its chat goes on.
    GoingOnNotTold,
    /// Nobody looks who has a chat that goes on.
    HolderNotAsked,
    /// What the rules leave to a teammate's decision is said at once.
    OfferSaidAtOnce,
    /// An offer that was sent can be sent again.
    OfferSentTwice,
    /// An offer that was dismissed can be sent.
    DismissedOfferSent,
    /// An offer outlives what the customer writes after it.
    StaleOfferSent,
    /// A workflow's assignment accepts an offer.
    WorkflowAccepts,
    /// What is only tried out is done.
    ShadowActs,
    /// However unsure the bot is, it answers.
    ConfidenceIgnored,
    /// A pause has no end.
    PauseForgotten,
    /// A pause is promised, and the bot goes on.
    PauseIgnored,
    /// A bot that is asked again is asked what has been answered, too.
    RetryAsksEverything,
    /// Notes are lost where their notification is.
    NotesMissed,
    /// Nobody notices what arrives after it was given up.
    LateGoesUnseen,
    /// Commands that were put aside are forgotten.
    NothingIsRecalled,
    /// Changes count as known up to when our own clock says that they were searched.
    OwnClockTrusted,
}

thread_local! {
    static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Breaks the product so, on this thread; or repairs it.
pub fn break_as(mutant: Option<Mutant>) {
    BROKEN.set(mutant);
}

/// Whether the product is broken so.
#[must_use]
pub fn is_broken_as(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}
