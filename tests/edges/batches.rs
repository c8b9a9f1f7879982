//! Batches against a reference: which messages are given back, whatever happens to each of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::app::Unfinished;
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{Custody, NotHandled, SqsBatch, SqsRecord, work};
use shared::ports::Unavailable;

/// How many batches are tried.
const BATCHES: u32 = 100_000;
/// The most messages that a mapping gives at once from a FIFO queue.
const MOST: usize = 10;
/// The sweep serves better from here on.
const FAR: Timestamp = Timestamp(1_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Fails,
    Waits,
    WaitsLong,
    CannotBeRead,
    /// As the former, and the dead-letter queue is not there.
    CannotBeReadNorParked,
    Panics,
    PanicsForTheThirdTime,
}

const FATES: [Fate; 8] = [
    Fate::Done,
    Fate::Fails,
    Fate::Waits,
    Fate::WaitsLong,
    Fate::CannotBeRead,
    Fate::CannotBeReadNorParked,
    Fate::Panics,
    Fate::PanicsForTheThirdTime,
];

impl Fate {
    /// Whether the message and those behind it must come again.
    fn blocks(self) -> bool {
        matches!(self, Self::Fails | Self::Waits | Self::CannotBeReadNorParked | Self::Panics)
    }

    fn attempt(self) -> u32 {
        if self == Self::PanicsForTheThirdTime { 3 } else { 2 }
    }
}

struct Custodian {
    parked: RefCell<BTreeSet<String>>,
    hidden: RefCell<BTreeSet<String>>,
}

impl Custody for Custodian {
    fn is_far(&self, moment: Timestamp) -> bool {
        moment >= FAR
    }

    fn after_ms(&self, ms: u64) -> Timestamp {
        Timestamp(ms)
    }

    async fn hide_until(&self, receipt_handle: &str, _: Timestamp) {
        self.hidden.borrow_mut().insert(receipt_handle.to_owned());
    }

    async fn park(&self, record: &SqsRecord, _: &str) -> Result<(), Unavailable> {
        if record.body == format!("{:?}", Fate::CannotBeReadNorParked) {
            return Err(Unavailable { what: "the dead-letter queue", why: "on purpose".to_owned() });
        }
        assert!(self.parked.borrow_mut().insert(record.message_id.clone()), "parked twice");
        Ok(())
    }
}

fn batch_of(messages: &[(u8, Fate)]) -> SqsBatch {
    let records = messages.iter().enumerate().map(|(position, (group, fate))| {
        let id = format!("m{position}");
        let attributes = [
            ("MessageGroupId".to_owned(), format!("g{group}")),
            ("ApproximateReceiveCount".to_owned(), fate.attempt().to_string()),
        ];
        let (message_id, receipt_handle) = (id.clone(), id);
        SqsRecord {
            message_id,
            receipt_handle,
            body: format!("{fate:?}"),
            attributes: attributes.into(),
            message_attributes: BTreeMap::default(),
        }
    });
    SqsBatch { records: records.collect() }
}

async fn handle(record: SqsRecord, fate: Fate, seen: &RefCell<Vec<String>>) -> Result<&'static str, NotHandled> {
    seen.borrow_mut().push(record.message_id);
    match fate {
        Fate::Done => Ok("done"),
        Fate::Fails => Err(Unfinished::Contended.into()),
        Fate::Waits => Err(NotHandled::Waits(Timestamp(5))),
        Fate::WaitsLong => Err(NotHandled::Waits(FAR)),
        Fate::CannotBeRead | Fate::CannotBeReadNorParked => Err(NotHandled::Unreadable("on purpose".to_owned())),
        // As a panic, without its words on the terminal.
        Fate::Panics | Fate::PanicsForTheThirdTime => std::panic::resume_unwind(Box::new(())),
    }
}

fn as_the_reference_says(messages: &[(u8, Fate)]) {
    let mut blocked = BTreeSet::new();
    let (mut given_back, mut worked_on, mut parked) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for (position, (group, fate)) in messages.iter().enumerate() {
        let id = format!("m{position}");
        if !blocked.contains(group) {
            worked_on.push((*group, id.clone()));
            if matches!(fate, Fate::CannotBeRead | Fate::PanicsForTheThirdTime) {
                parked.insert(id.clone());
            }
            if fate.blocks() {
                blocked.insert(*group);
            }
        }
        if blocked.contains(group) {
            given_back.insert(id);
        }
    }

    let custodian = Custodian { parked: RefCell::default(), hidden: RefCell::default() };
    let seen = RefCell::new(Vec::new());
    let batch = batch_of(messages);
    let fates: BTreeMap<String, Fate> = FATES.into_iter().map(|fate| (format!("{fate:?}"), fate)).collect();
    let answer = work(&batch, &custodian, |record| {
        let fate = fates[&record.body];
        handle(record, fate, &seen)
    });
    let answer = answer.now_or_never().unwrap();

    let reported: Vec<String> = answer.batch_item_failures.into_iter().map(|item| item.item_identifier).collect();
    assert_eq!(reported.iter().cloned().collect::<BTreeSet<_>>(), given_back);
    assert_eq!(reported.len(), given_back.len(), "each is named once");
    assert_eq!(custodian.parked.into_inner(), parked);
    assert!(custodian.hidden.into_inner().is_subset(&given_back), "what is deleted is not hidden");
    let group_of = |id: &String| messages[id[1..].parse::<usize>().unwrap()].0;
    let seen: Vec<(u8, String)> = seen.into_inner().into_iter().map(|id| (group_of(&id), id)).collect();
    let of_group = |all: &[(u8, String)], group: u8| -> Vec<String> {
        all.iter().filter(|(of, _)| *of == group).map(|(_, id)| id.clone()).collect()
    };
    for group in 0..4 {
        assert_eq!(of_group(&seen, group), of_group(&worked_on, group), "in order, and none behind a failure");
    }
}

#[test]
fn what_is_given_back_is_what_the_reference_gives_back() {
    let fate = prop_oneof![3 => Just(Fate::Done), 2 => prop::sample::select(&FATES[..])];
    let messages = prop::collection::vec((0_u8..4, fate), 0..=MOST);
    let config = ProptestConfig { cases: BATCHES, failure_persistence: None, ..ProptestConfig::default() };
    let checked = |messages: Vec<(u8, Fate)>| {
        as_the_reference_says(&messages);
        Ok(())
    };
    TestRunner::new(config).run(&messages, checked).unwrap();
}
