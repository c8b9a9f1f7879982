//! A conversation is opened, found again, and gone on with, as the customer.

use shared::domain::content::AuthorKind;
use shared::domain::incoming;
use shared::domain::part::{Observation, PartKind};
use shared::testing::ManualClock;

use super::super::run;
use super::*;

const WORDS: &str = "Where is <b>it</b>?\n\n  2 < 3 & \"more\"\nÜber";

async fn shown<C: Clock>(there: &Reached<C>, id: &ConversationId) -> Observation {
    there.api.observe(&there.workspace, id, false).await.unwrap()
}

fn text(body: Option<&shared::domain::content::Body>) -> String {
    incoming::text(body.unwrap())
}

#[test]
fn a_conversation_begins_with_the_customers_words_as_they_were_written_and_is_found_again() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("opening-{version}"), version).await;
            let since = SystemClock.now();
            for who in [contact(CARLA, "user"), contact(DAN, "lead")] {
                let photo = serde_json::from_value(json!({ "url": "https://files.example/a.png" })).unwrap();
                let begin = Action::Begin { contact: who.clone(), text: WORDS.to_owned(), files: vec![photo] };
                let answer = there.perform(&nowhere(), &begin).await;
                let Answer::Begun { conversation } = answer else { panic!("{answer:?}") };
                let seen = shown(&there, &conversation).await;
                let source = seen.source.unwrap();
                assert_eq!(text(source.body.as_ref()), WORDS.replace("\n  2", "\n2"), "nothing is read as markup");
                assert_eq!((source.author.kind, source.author.id.as_str()), (AuthorKind::Customer, who.id.as_str()));
                assert_eq!(source.attachments[0].url, "https://files.example/a.png");
                assert!(seen.open && seen.contact.as_ref() == Some(&who.id));

                let found = there.api.begun(&there.workspace, &who.id, since).await.unwrap();
                assert_eq!(found.iter().map(|one| &one.id).collect::<Vec<_>>(), [&conversation]);
                assert_eq!(found[0].shown.source.as_ref().unwrap().body, source.body);
                let later = there.api.begun(&there.workspace, &who.id, since.plus_ms(60_000)).await.unwrap();
                assert_eq!(later, [], "only what was begun since");
            }
        });
    }
}

#[test]
fn a_file_alone_opens_a_conversation() {
    run(async {
        let there = Reached::start("opening-with-a-file", "2.15").await;
        let fetched = json!({ "url": "https://files.example/a.png?until=soon", "fetch": true });
        let files = vec![serde_json::from_value(fetched).unwrap()];
        let begin = Action::Begin { contact: contact(CARLA, "user"), text: String::new(), files };
        let answer = there.perform(&nowhere(), &begin).await;
        let Answer::Begun { conversation } = answer else { panic!("{answer:?}") };
        let source = shown(&there, &conversation).await.source.unwrap();
        assert_eq!(source.attachments[0].url, "https://files.example/a.png?until=soon");
    });
}

#[test]
fn a_doubtful_opening_is_unknown_sent_once_and_found_where_it_arrived() {
    run(async {
        let there = Reached::start("doubtful-opening", "2.15").await;
        let (who, since) = (contact(CARLA, "user"), SystemClock.now());
        for (fault, arrives) in
            [("fail_before", 0), ("fail_after", 1), ("disconnect_after", 2), ("truncated", 3), ("garbled", 4)]
        {
            let after = there.last().await;
            there.fault(json!({ "fault": fault }), "POST", "/conversations").await;
            assert_eq!(there.begin(&who, "Hello").await, Answer::Unknown, "{fault}");
            assert_eq!(there.asked_since(after).await, ["POST /conversations"], "{fault}: no hidden retries");
            let found = there.api.begun(&there.workspace, &who.id, since).await.unwrap();
            assert_eq!(found.len(), arrives, "{fault}");
        }
    });
}

#[test]
fn a_contact_that_intercom_does_not_know_yet_is_tried_again_for_two_minutes_and_no_longer() {
    run(async {
        let there = Reached::start("new-contact", "2.15").await;
        let who = there.found(&customer(json!({ "email": "new@new.example" }))).await;
        there.fault(json!({ "fault": "fail_before", "status": 404 }), "POST", "/conversations").await;
        let now = SystemClock.now();
        let answer = there.begin(&who, "Hello").await;
        assert!(matches!(answer, Answer::NotSent { retry_at } if retry_at < now.plus_ms(10_000)), "{answer:?}");
        assert!(matches!(there.begin(&who, "Hello").await, Answer::Begun { .. }));

        let there = there.by(ManualClock::at(SystemClock.now().plus_ms(180_000).0));
        there.fault(json!({ "fault": "fail_before", "status": 404 }), "POST", "/conversations").await;
        rejected_as(&there.begin(&who, "Hello").await, "contact_gone");
        there.rest("DELETE", &format!("/contacts/{}", who.id), Value::Null).await;
        rejected_as(&there.begin(&who, "Hello").await, "contact_gone");
    });
}

#[test]
fn who_was_merged_meanwhile_goes_on_as_whom_they_were_merged_into() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("merged-meanwhile-{version}"), version).await;
            let who = there.found(&customer(json!({ "phone": "+441" }))).await;
            let id = there.begun(&who, "Hello").await;
            there.control(&format!("sandbox1/contacts/{}/merge", who.id), &json!({ "into": CARLA })).await;
            let answer = there.relay(&id, &who, "Still me", Vec::new()).await;
            let Answer::Done { part_id: Some(part) } = answer else { panic!("{version}: {answer:?}") };
            let seen = shown(&there, &id).await;
            let part = seen.parts.iter().find(|one| one.id == part).unwrap();
            assert_eq!((text(part.body.as_ref()).as_str(), part.author.id.as_str()), ("Still me", CARLA));
            let answer = there.begin(&who, "Anew").await;
            let Answer::Begun { conversation } = answer else { panic!("{version}: {answer:?}") };
            assert_eq!(shown(&there, &conversation).await.contact, Some(contact(CARLA, "user").id));
        });
    }
}

#[test]
fn what_is_relayed_is_the_customers_part_in_their_words() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("relaying-{version}"), version).await;
            let who = contact(CARLA, "user");
            let id = there.begun(&who, "Hello").await;
            let photo = serde_json::from_value(json!({ "url": "https://files.example/a.png" })).unwrap();
            let answer = there.relay(&id, &who, WORDS, vec![photo]).await;
            let Answer::Done { part_id: Some(first) } = answer else { panic!("{answer:?}") };
            // Files alone.
            let photo = serde_json::from_value(json!({ "url": "https://files.example/b.png" })).unwrap();
            let answer = there.relay(&id, &who, "", vec![photo]).await;
            let Answer::Done { part_id: Some(second) } = answer else { panic!("{answer:?}") };
            assert!(second > first);
            let seen = shown(&there, &id).await;
            let part = |id| seen.parts.iter().find(|one| one.id == id).unwrap();
            assert_eq!(text(part(first.clone()).body.as_ref()), WORDS.replace("\n  2", "\n2"));
            assert_eq!(part(first.clone()).attachments[0].url, "https://files.example/a.png");
            assert_eq!(part(second).attachments[0].url, "https://files.example/b.png");
            assert_eq!(part(first.clone()).author.kind, AuthorKind::Customer);
            assert!(part(first).by_app || version == "2.10", "from 2.13 it tells that an app made it");

            let close = Action::Close { html: None };
            assert!(matches!(there.perform(&id, &close).await, Answer::Done { .. }));
            let answer = there.relay(&id, &who, "One more thing", Vec::new()).await;
            let Answer::Done { part_id: Some(again) } = answer else { panic!("{answer:?}") };
            let seen = shown(&there, &id).await;
            assert!(seen.open, "the customer's word opens it again");
            assert_eq!(seen.parts.iter().find(|one| one.id == again).unwrap().kind, PartKind::Open);
        });
    }
}

#[test]
fn what_has_no_place_any_more_is_refused_and_what_is_doubtful_is_unknown() {
    run(async {
        let there = Reached::start("relay-failures", "2.15").await;
        let who = contact(CARLA, "user");
        let id = there.begun(&who, "Hello").await;
        for (fault, arrives) in [("fail_before", 0), ("fail_after", 1), ("disconnect_after", 2), ("garbled", 3)] {
            let after = there.last().await;
            there.fault(json!({ "fault": fault }), "POST", "/reply").await;
            assert_eq!(there.relay(&id, &who, "Hi", Vec::new()).await, Answer::Unknown, "{fault}");
            assert_eq!(there.asked_since(after).await.len(), 1, "{fault}: no hidden retries");
            assert_eq!(shown(&there, &id).await.parts.len(), arrives, "{fault}");
        }
        there.fault(json!({ "fault": "rate_limit" }), "POST", "/reply").await;
        assert!(matches!(there.relay(&id, &who, "Hi", Vec::new()).await, Answer::NotSent { .. }));
        let stranger = contact("65a0c0ffee000000000fffff", "lead");
        let answer = there.relay(&id, &stranger, "Hi", Vec::new()).await;
        assert!(matches!(answer, Answer::Done { part_id: Some(_) }), "the conversation knows its customer: {answer:?}");
        let dan = json!({ "admin_id": "900002", "customer": { "intercom_user_id": DAN } });
        there.rest("POST", &format!("/conversations/{id}/customers"), dan).await;
        let answer = there.relay(&id, &stranger, "Hi", Vec::new()).await;
        rejected_as(&answer, "contact_gone"); // of two nobody knows who they are
        there.rest("DELETE", &format!("/contacts/{CARLA}"), Value::Null).await;
        rejected_as(&there.relay(&id, &who, "Hi", Vec::new()).await, "contact_gone");
        there.rest("DELETE", &format!("/conversations/{id}"), Value::Null).await;
        rejected_as(&there.relay(&id, &who, "Hi", Vec::new()).await, "conversation_gone");
    });
}

#[test]
fn what_is_taken_back_is_taken_back_once_and_for_all() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("redacting-{version}"), version).await;
            let who = contact(CARLA, "user");
            let id = there.begun(&who, "Hello").await;
            let answer = there.relay(&id, &who, "My password is 1234", Vec::new()).await;
            let Answer::Done { part_id: Some(part_id) } = answer else { panic!("{answer:?}") };
            let redact = Action::Redact { part_id: Some(part_id.clone()) };
            for _ in 0..2 {
                assert_eq!(there.perform(&id, &redact).await, Answer::Done { part_id: None });
            }
            let seen = shown(&there, &id).await;
            let part = seen.parts.iter().find(|one| one.id == part_id).unwrap();
            assert!(part.redacted && !text(part.body.as_ref()).contains("1234"));
            // Where Intercom refuses what is taken back already, it is done.
            there.fault(json!({ "fault": "fail_before", "status": 400 }), "POST", "/redact").await;
            assert_eq!(there.perform(&id, &redact).await, Answer::Done { part_id: None });
            there.fault(json!({ "fault": "fail_after" }), "POST", "/redact").await;
            assert!(matches!(there.perform(&id, &redact).await, Answer::NotSent { .. }), "it may be repeated");
            let unknown = Action::Redact { part_id: shared::domain::ids::PartId::parse("404404").ok() };
            rejected_as(&there.perform(&id, &unknown).await, "unknown_message");
            // What it begins with has no part, and goes as well.
            let first = Action::Redact { part_id: None };
            there.fault(json!({ "fault": "fail_after" }), "POST", "/redact").await;
            assert!(matches!(there.perform(&id, &first).await, Answer::NotSent { .. }), "it may be repeated");
            assert_eq!(there.perform(&id, &first).await, Answer::Done { part_id: None });
            assert!(shown(&there, &id).await.source.is_none(), "nobody reads it any more");
            there.rest("DELETE", &format!("/conversations/{id}"), Value::Null).await;
            rejected_as(&there.perform(&id, &first).await, "not_found");
        });
    }
}
