//! Workspaces with rules: bots name how they came to an answer, rules leave some answers to people, and teammates
//! speak to the bot in notes: they take what it offers, dismiss it, silence it for a while, give it back the word, have it
//! asked again.
//!
//! What must hold beside all the other rules: what is left to people is not said, and what is only tried out shows
//! nowhere; an offer is sent once, and only if a teammate wants it before anybody else has written; a bot that is
//! silenced is silent until its time is over, and speaks then; each note is heeded once.

pub mod check;
pub mod life;
pub mod notes;
pub mod offers;
pub mod teammates;
pub mod turns;
