//! Fakes of the ports with scripted failures, a clock that is moved by hand, builders. For tests
//! only: the feature `testing` reaches no release binary.

mod budgets;
mod fakes;
mod kept;
mod mutants;
mod scene;
mod tokens;

pub use budgets::{FakeBudgets, may_replace, take as take_calls};
pub use fakes::{
    CONTACT, FakeBots, FakeFifo, FakeInboxRows, FakeIntercom, FakeSearch, FakeStore, FakeWakers, ManualClock, Mishap,
    Mishaps, Numbered, StoreFault, Surprise,
};
pub use kept::KeptLog;
pub use mutants::{Mutant, break_as, is_broken_as};
pub use scene::{ALICE, BOT, BOT_TEAM, CUSTOMER, SUPPORT, Scene, key, next_part, settings, settings_with, workspace};
pub use tokens::{FakeSeals, FakeTokenRows, HeldTokens};
