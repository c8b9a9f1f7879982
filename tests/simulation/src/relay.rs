//! Agent transfer: chats that live at the bot platform, and are relayed to people in Intercom.
//!
//! The platform's customers write, ask for people, begin again and end; teammates answer in Intercom, leave
//! notes, close, open, begin conversations of their own; and the same customers write in Intercom itself,
//! through the other door, also with the very same words.

pub mod chat;
pub mod check;
pub mod heard;
pub mod life;
pub mod recovery;
pub mod scenes;
