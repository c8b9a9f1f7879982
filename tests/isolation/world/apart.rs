//! What goes on by itself, for all workspaces at once: what is put back, what is due, what is searched, what
//! is parked. Each stays with its own.

use serde_json::{Value, json};
use shared::app::catch_up::catch_up;
use shared::app::inbox::put_back;
use shared::app::sweep::sweep;
use shared::domain::conversation::{Control, Conversation};
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{self, SqsBatch};
use shared::ports::{Clock as _, Stored};

use super::ports::{Keeper, Time, Touch, whose, with};
use super::{COUNT, MARK, World, app, key_of, notification, record, words};

impl World {
    /// What the inbox did not take goes back, each into its own group.
    pub(crate) async fn keeps_apart_what_is_put_back(&self) {
        self.set_inbox_down(true);
        for n in 0..COUNT {
            assert_eq!(self.post_webhook(n, n, &notification(&json!(app(n)))).await, 200);
            assert_eq!(self.take(), [Touch::Kept(app(n))]);
        }
        self.set_inbox_down(false);
        let back = put_back(&self.inbox.queue, &self.inbox.rows, &Time, self.deadline()).await.unwrap();
        assert_eq!(back.put as usize, COUNT);
        self.take();
        let messages = self.take_messages("inbox");
        assert_eq!(messages.len(), COUNT);
        for (group, body) in messages {
            let message: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(message["app_id"], whose(&group));
        }
    }

    /// One workspace's timer wakes that workspace's conversation.
    pub(crate) async fn keeps_apart_what_is_due(&self) {
        for n in 0..COUNT {
            let name = key_of(n).to_string();
            let before = with(|state| state.rows[&name].clone());
            let paused =
                Conversation { control: Control::Paused, resume_at: Some(Time.now()), ..before.conversation.clone() };
            with(|state| state.rows.insert(name.clone(), Stored { conversation: paused, ..before.clone() }));
            let swept = sweep(&self.desk).await.unwrap();
            assert_eq!((swept.due, swept.woken), (1, 1), "{n}");
            assert_eq!(self.take(), [Touch::Read(app(n)), Touch::Put("inbox", app(n))]);
            with(|state| state.rows.insert(name, before));
        }
        self.take_messages("inbox");
    }

    /// Each workspace is searched with its own token, from its own bookmark, and rings its own bell;
    /// one whose token is another's is not searched, and keeps nobody from it.
    pub(crate) async fn keeps_apart_what_is_searched(&self) {
        let deadline = || Time.now().plus_ms(600_000);
        catch_up(&self.desk, &self.replier.intercom, deadline()).await.unwrap();
        with(|state| {
            state.now = Self::real_now();
            for mark in state.marks.values_mut() {
                mark.since = Timestamp(state.now - 3_600_000);
            }
            for n in 0..COUNT {
                state.rows.remove(&key_of(n).to_string());
            }
        });
        let kept = self.swap_token(7, 8);
        self.take();
        let found = catch_up(&self.desk, &self.replier.intercom, deadline()).await.unwrap();
        assert_eq!((found.changed as usize, found.rung as usize), (COUNT - 1, COUNT - 1), "all but one");
        let mut turn = String::new();
        for touch in self.take() {
            match touch {
                Touch::Marked(app_id) => turn = app_id,
                Touch::Read(app_id)
                | Touch::TokenRead(app_id)
                | Touch::Budgeted(app_id)
                | Touch::Put("inbox", app_id) => assert_eq!(app_id, turn),
                other => panic!("{other:?}"),
            }
        }
        let rung: Vec<_> = self.take_messages("inbox").into_iter().map(|(group, _)| whose(&group)).collect();
        assert_eq!(rung, (0..COUNT).filter(|n| *n != 7).map(app).collect::<Vec<_>>());
        self.give_token_back(7, kept);
    }

    #[expect(clippy::disallowed_methods, reason = "the sandbox's conversations are as old as the test")]
    fn real_now() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    }

    /// What cannot be read is parked in the group that it came in, and its reason says nothing of it.
    pub(crate) async fn parks_in_the_own_group(&self) {
        let records =
            (0..COUNT).map(|n| record("AROASTRANGER", &key_of(n).to_string(), &format!("{{\"{}\"", words(n))));
        let batch = SqsBatch { records: records.collect() };
        let answer =
            batch::work(&batch, &Keeper, |record| async move { self.replier.handle(&record, self.deadline()).await });
        assert!(answer.await.batch_item_failures.is_empty());
        let parked = with(|state| std::mem::take(&mut state.parked));
        assert_eq!(
            parked.iter().map(|(group, _)| group.clone()).collect::<Vec<_>>(),
            (0..COUNT).map(|n| key_of(n).to_string()).collect::<Vec<_>>()
        );
        assert!(parked.iter().all(|(_, why)| !why.contains(MARK)), "{parked:?}");
        assert_eq!(self.take(), []);
    }
}
