//! What Intercom never told is found by searching it.

use baton_tests::chat::Chat;
use baton_tests::{Bridge, now};
use shared::app::catch_up::{Found, catch_up};
use shared::app::heed::{News, heed};
use shared::domain::ids::{ConversationId, Timestamp};
use shared::domain::part::Rating;
use shared::domain::settings::Workspace;
use shared::ports::{Bookmarks, Changed, Clock as _, NotShown, Page, Unavailable};
use shared::testing::{FakeSearch, Scene, Surprise, key};

/// What a search shows of the scene's conversation.
fn shown(scene: &Scene) -> Changed {
    let mut shown = scene.whole();
    shown.complete = false;
    shown.parts.clear();
    Changed { id: key().conversation_id, updated_at: Timestamp::from_seconds(1_768_040_100), shown }
}

fn of(number: u32, scene: &Scene) -> Changed {
    Changed { id: ConversationId::parse(number.to_string()).unwrap(), ..shown(scene) }
}

fn page(changed: Vec<Changed>, next: Option<&str>) -> Result<Page, NotShown> {
    Ok(Page { changed, next: next.map(str::to_owned) })
}

fn search_for(bridge: &Bridge, search: &FakeSearch, ms: u64) -> Result<Found, Unavailable> {
    let deadline = bridge.desk.clock.now().plus_ms(ms);
    now(catch_up(&bridge.desk, search, deadline))
}

fn search(bridge: &Bridge, search: &FakeSearch) -> Found {
    search_for(bridge, search, 60_000).unwrap()
}

/// A bridge that has searched before, ten minutes ago.
fn searched(scene: &Scene) -> (Bridge, FakeSearch) {
    let bridge = Bridge::before(scene);
    let fake = FakeSearch::default();
    search(&bridge, &fake);
    bridge.desk.clock.advance_ms(600_000);
    fake.take_asked();
    (bridge, fake)
}

fn workspace(bridge: &Bridge) -> &Workspace {
    bridge.desk.workspace(&key()).unwrap()
}

#[test]
fn the_first_search_begins_now_and_leaves_the_backlog_alone() {
    let mut scene = Scene::new("Months ago");
    scene.assign_to_bot();
    let bridge = Bridge::before(&scene);
    let fake = FakeSearch::default();
    fake.expect([page(vec![shown(&scene)], None)]);
    assert_eq!(search(&bridge, &fake), Found::default());
    assert!(fake.take_asked().is_empty(), "nothing is searched before there is a bookmark");
    let mark = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap();
    assert_eq!(mark.since, bridge.desk.clock.now());
}

#[test]
fn a_conversation_of_the_bots_that_nobody_told_of_is_fetched_and_answered() {
    let mut scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    scene.assign_to_bot();
    bridge.intercom.change(|shown| *shown = scene.whole());
    fake.expect([page(vec![shown(&scene)], None)]);
    assert_eq!(search(&bridge, &fake), Found { changed: 1, rung: 1 });
    assert_eq!(bridge.desk.wakers.take_doorbells(), [key()]);
    bridge.heard(&News::Doorbell).unwrap();
    assert_eq!(bridge.told().len(), 1, "the customer's message");
    fake.expect([page(vec![shown(&scene)], None)]);
    assert_eq!(search(&bridge, &fake).rung, 0, "what is known rings no more");
}

#[test]
fn only_what_is_the_bots_or_was_rings() {
    let mut scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    fake.expect([page(vec![of(7, &scene)], None)]);
    assert_eq!(search(&bridge, &fake).rung, 0, "people's own conversations are not looked at");
    let with_bot = Bridge::with_the_bot(&mut scene);
    search(&with_bot, &FakeSearch::default());
    let known = FakeSearch::default();
    known.expect([page(vec![shown(&scene)], None)]);
    assert_eq!(search(&with_bot, &known).rung, 0);
    let mut rated = shown(&scene);
    rated.shown.rating = Some(Rating { rating: 5, remark: None });
    known.expect([page(vec![rated], None)]);
    assert_eq!(search(&with_bot, &known).rung, 1, "a rating makes no part");
    scene.customer("Are you there?");
    known.expect([page(vec![shown(&scene)], None)]);
    assert_eq!(search(&with_bot, &known).rung, 1, "a message that nobody told of");
}

#[test]
fn our_own_confirmed_reply_is_nothing_that_was_missed() {
    let mut scene = Scene::new("Hello?");
    let bridge = Bridge::with_the_bot(&mut scene);
    let fake = FakeSearch::default();
    search(&bridge, &fake);
    bridge.asked("c1", baton_tests::reply("Hi")).unwrap();
    let mut seen = shown(&scene);
    seen.shown.part_count = bridge.intercom.shown().part_count;
    fake.expect([page(vec![seen], None)]);
    assert_eq!(search(&bridge, &fake), Found { changed: 1, rung: 0 });
}

#[test]
fn a_search_reaches_back_behind_the_one_before_and_goes_on_from_page_to_page() {
    let mut scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    scene.assign_to_bot();
    let began = bridge.desk.clock.now();
    let since = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap().since;
    fake.expect([page(vec![of(1, &scene)], Some("p2")), page(vec![of(2, &scene)], None)]);
    assert_eq!(search(&bridge, &fake), Found { changed: 2, rung: 2 });
    let asked = fake.take_asked();
    assert!(asked[0].0 < since, "Intercom's index lags");
    assert_eq!(asked.iter().map(|(_, page)| page.as_deref()).collect::<Vec<_>>(), [None, Some("p2")]);
    let shown_last = shown(&scene).updated_at;
    assert!(shown_last < began);
    let mark = || now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap();
    assert_eq!(mark().since, shown_last, "our own clock may be ahead of Intercom's");
    search(&bridge, &fake);
    assert_eq!(mark().since, shown_last, "a search that shows nothing tells nothing");
    let ahead = Changed { updated_at: bridge.desk.clock.now().plus_ms(600_000), ..shown(&scene) };
    fake.expect([page(vec![ahead], None)]);
    search(&bridge, &fake);
    assert_eq!(mark().since, bridge.desk.clock.now(), "nor does a moment that is still to come");
}

#[test]
fn a_search_without_time_goes_on_where_it_was() {
    let mut scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    scene.assign_to_bot();
    let since = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap().since;
    fake.expect([page(vec![of(1, &scene)], Some("p2")), Err(NotShown::Later(Timestamp(0)))]);
    assert_eq!(search(&bridge, &fake).changed, 1);
    assert_eq!(search_for(&bridge, &fake, 5_000).unwrap(), Found::default(), "there is no time for another page");
    let mark = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap();
    assert_eq!((mark.since, mark.page.as_deref()), (since, Some("p2")));
    fake.take_asked();
    fake.expect([page(vec![of(2, &scene)], None)]);
    assert_eq!(search(&bridge, &fake).changed, 1);
    assert_eq!(fake.take_asked()[0].1.as_deref(), Some("p2"));
}

#[test]
fn a_page_that_cannot_be_had_is_asked_for_from_the_start_and_nothing_is_skipped() {
    let scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    let since = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap().since;
    let broken = Unavailable { what: "Intercom", why: "scripted".to_owned() };
    fake.expect([page(Vec::new(), Some("p2")), Err(NotShown::Unavailable(broken))]);
    search(&bridge, &fake);
    let mark = now(bridge.desk.store.bookmark(&workspace(&bridge).app_id)).unwrap().unwrap();
    assert_eq!((mark.since, mark.page), (since, None));
}

#[test]
fn a_queue_that_is_down_keeps_the_bookmark_where_it_is() {
    let mut scene = Scene::new("Hello?");
    let (bridge, fake) = searched(&scene);
    scene.assign_to_bot();
    let before = now(bridge.desk.store.bookmark(&key().app_id)).unwrap();
    bridge.desk.wakers.set_broken(true);
    fake.expect([page(vec![of(1, &scene)], None)]);
    assert!(search_for(&bridge, &fake, 60_000).is_err());
    assert_eq!(now(bridge.desk.store.bookmark(&key().app_id)).unwrap(), before);
}

#[test]
fn of_a_chat_the_conversation_that_it_has_rings_and_the_one_that_it_has_left() {
    let chat = Chat::default();
    chat.started("s1", "I want a person");
    let before = chat.in_intercom().conversation_id;
    now(heed(&chat.desk, &chat.intercom, &chat.in_intercom(), &News::Deleted)).unwrap();
    chat.intercom.expect([Surprise::None, Surprise::Refused { code: "conversation_gone" }]);
    chat.started("s2", "a person, please");
    assert_eq!(chat.intercom.opened(), 2, "the one before is gone");
    let look = |fake: &FakeSearch| {
        let deadline = chat.desk.clock.now().plus_ms(60_000);
        now(catch_up(&chat.desk, fake, deadline)).unwrap()
    };
    look(&FakeSearch::default());
    let found = |id: ConversationId| {
        let mut shown = chat.intercom.shown();
        shown.part_count = shown.part_count.map(|count| count + 1);
        let fake = FakeSearch::default();
        fake.expect([page(vec![Changed { id, updated_at: Timestamp::from_seconds(1_768_040_100), shown }], None)]);
        look(&fake)
    };
    assert_eq!(found(before), Found { changed: 1, rung: 1 }, "it is listened to still");
    assert_eq!(found(chat.in_intercom().conversation_id), Found { changed: 1, rung: 1 });
}
