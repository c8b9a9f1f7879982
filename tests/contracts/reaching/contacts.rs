//! The customer is found, or made known.

use super::*;

const VERSIONS: [&str; 5] = ["2.10", "2.12", "2.13", "2.15", "2.16"];

use super::super::run;

#[test]
fn who_has_the_companys_id_is_found_at_once_in_every_version() {
    for version in VERSIONS {
        run(async {
            let there = Reached::start(&format!("external-id-{version}"), version).await;
            let known = there.found(&customer(json!({ "external_id": "cust-1001", "name": "Carla" }))).await;
            assert_eq!(known, contact(CARLA, "user"));
            let asked = there.asked_since(0).await;
            let direct = there.workspace.api_version.finds_by_external_id();
            let way = if direct { "GET /contacts/find_by_external_id/cust-1001" } else { "POST /contacts/search" };
            assert_eq!(asked, [way], "nothing is new, so nothing else is asked or set");
            let lead = there.found(&customer(json!({ "external_id": DANS_ID }))).await;
            assert_eq!(lead, contact(DAN, "lead"), "a lead is not asked for directly, and is searched");
            let odd = "a/b?c#d e%20";
            let id = there.made(json!({ "external_id": odd })).await;
            assert_eq!(there.found(&customer(json!({ "external_id": odd }))).await.id.as_str(), id);
            let dots = there.made(json!({ "external_id": ".." })).await;
            assert_eq!(there.found(&customer(json!({ "external_id": ".." }))).await.id.as_str(), dots);
        });
    }
}

#[test]
fn who_has_the_address_or_the_number_is_found_and_of_several_always_the_same() {
    for version in ["2.10", "2.16"] {
        run(async {
            let there = Reached::start(&format!("address-{version}"), version).await;
            let found = async |fields: Value| there.found(&customer(fields)).await;
            assert_eq!(found(json!({ "email": "carla@customer.example" })).await, contact(CARLA, "user"));
            assert_eq!(found(json!({ "phone": "+4930123450" })).await, contact(CARLA, "user"));

            // A lead and two users with one address: users first, and of them who was seen last.
            let email = "shared@customer.example";
            let lead = there.made(json!({ "role": "lead", "email": email, "last_seen_at": 30 })).await;
            assert_eq!(found(json!({ "email": email })).await, contact(&lead, "lead"));
            let early = there.made(json!({ "external_id": "e1", "email": email, "last_seen_at": 10 })).await;
            assert_eq!(found(json!({ "email": email })).await, contact(&early, "user"));
            let late = there.made(json!({ "external_id": "e2", "email": email, "last_seen_at": 20 })).await;
            assert_eq!(found(json!({ "email": email })).await, contact(&late, "user"));
            assert_eq!(found(json!({ "external_id": "e1", "email": email })).await, contact(&early, "user"));

            // Who has another id of the company's is somebody else; a lead is not.
            let e3 = found(json!({ "external_id": "e3", "email": email })).await;
            assert_eq!(e3, contact(&lead, "lead"));
            let e4 = found(json!({ "external_id": "e4", "email": "carla@customer.example" })).await;
            assert!(e4.id.as_str() != CARLA && e4.role == "user", "{e4:?}");
            // Nor is who has the number alone, and another address.
            let other = found(json!({ "email": "else@customer.example", "phone": "+4930123450" })).await;
            assert_ne!(other.id.as_str(), CARLA);
        });
    }
}

#[test]
fn who_is_not_found_is_made_once_however_often_it_is_asked() {
    for version in ["2.10", "2.13", "2.16"] {
        run(async {
            let there = Reached::start(&format!("made-{version}"), version).await;
            for (fields, role) in [
                (json!({ "external_id": "new-1", "email": "n1@new.example", "phone": "+331", "name": "Neo" }), "user"),
                (json!({ "email": "n2@new.example" }), "user"),
                (json!({ "phone": "+332", "name": "Trinity" }), "lead"),
            ] {
                let asked = customer(fields.clone());
                let first = there.found(&asked).await;
                assert_eq!(first.role, role, "{fields}");
                let shown = there.rest("GET", &format!("/contacts/{}", first.id), Value::Null).await;
                for (field, told) in fields.as_object().unwrap() {
                    assert_eq!(shown[field], *told, "{fields}");
                }
                assert_eq!(there.found(&asked).await, first, "{fields}");
            }
            let nobody = there.found(&Customer::default()).await;
            assert_eq!(nobody.role, "lead");
            assert_ne!(there.found(&Customer::default()).await, nobody, "strangers have nothing in common");
        });
    }
}

#[test]
fn what_a_search_does_not_see_yet_the_conflict_names() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::seeded(&format!("lag-{version}"), version, |seed| seed.search_lag_ms = 600_000).await;
            let id = there.made(json!({ "external_id": "fresh", "email": "fresh@new.example" })).await;
            let seen = json!({ "query": { "field": "email", "operator": "=", "value": "fresh@new.example" } });
            assert_eq!(there.rest("POST", "/contacts/search", seen).await["total_count"], 0);
            for fields in [json!({ "external_id": "fresh" }), json!({ "email": "fresh@new.example" })] {
                assert_eq!(there.found(&customer(fields)).await, contact(&id, "user"));
            }
            let after = there.last().await;
            there.found(&customer(json!({ "email": "fresh@new.example" }))).await;
            let asked = there.asked_since(after).await;
            assert_eq!(asked, ["POST /contacts/search", "POST /contacts", &format!("GET /contacts/{id}")]);
        });
    }
}

#[test]
fn a_conflict_that_names_nobody_is_looked_up_again_and_keeps_nobody_from_a_person() {
    run(async {
        let there = Reached::seeded("nameless", "2.15", |seed| seed.search_lag_ms = 300).await;
        // It comes to be seen between the two searches.
        let id = there.made(json!({ "email": "soon@new.example" })).await;
        there.fault(json!({ "fault": "delay_after", "delay_ms": 700 }), "POST", "/contacts/search").await;
        there.fault(json!({ "fault": "fail_before", "status": 409 }), "POST", "/contacts").await;
        assert_eq!(there.found(&customer(json!({ "email": "soon@new.example" }))).await, contact(&id, "user"));

        there.fault(json!({ "fault": "delay_after", "delay_ms": 1 }), "POST", "/contacts/search").await;
        there.fault(json!({ "fault": "fail_before", "status": 409 }), "POST", "/contacts").await;
        let fields = json!({ "external_id": "x", "email": "never@new.example", "name": "Nina" });
        // From 2.13 on the id is asked for before, which is no search.
        let made = there.found(&customer(fields)).await;
        assert_eq!(made.role, "lead");
        let shown = there.rest("GET", &format!("/contacts/{}", made.id), Value::Null).await;
        assert_eq!((&shown["email"], &shown["name"]), (&json!("never@new.example"), &json!("Nina")));
    });
}

#[test]
fn who_is_archived_is_brought_back_and_who_is_blocked_is_not() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("archived-{version}"), version).await;
            let asked = customer(json!({ "external_id": "old-1", "email": "old@new.example" }));
            let id = there.made(json!({ "external_id": "old-1", "email": "old@new.example" })).await;
            there.rest("POST", &format!("/contacts/{id}/archive"), Value::Null).await;
            assert_eq!(there.found(&asked).await, contact(&id, "user"));
            assert_eq!(there.rest("GET", &format!("/contacts/{id}"), Value::Null).await["id"], json!(id));
            there.rest("POST", &format!("/contacts/{id}/block"), Value::Null).await;
            rejected_as(&there.find(&asked).await, "contact_blocked");

            // A lead is nobody's duplicate, so nothing says that it is in the archive: there is a new one.
            let lead = there.made(json!({ "role": "lead", "phone": "+339" })).await;
            there.rest("POST", &format!("/contacts/{lead}/archive"), Value::Null).await;
            let new = there.found(&customer(json!({ "phone": "+339" }))).await;
            assert!(new.id.as_str() != lead && new.role == "lead");
        });
    }
}

#[test]
fn who_was_merged_is_followed_where_they_can_be_asked_for_and_made_anew_where_not() {
    for version in ["2.10", "2.13", "2.15", "2.16"] {
        run(async {
            let there = Reached::start(&format!("merged-{version}"), version).await;
            let mut chain = Vec::new();
            for n in 0..4 {
                chain.push(there.made(json!({ "external_id": format!("hop-{n}") })).await);
            }
            chain.push(CARLA.to_owned());
            for pair in chain.windows(2) {
                let path = format!("sandbox1/contacts/{}/merge", pair[0]);
                there.control(&path, &json!({ "into": pair[1] })).await;
            }
            // Three merges on one answer; this one takes two.
            let found = there.found(&customer(json!({ "external_id": "hop-0" }))).await;
            if there.workspace.api_version.finds_by_external_id() {
                assert_eq!(found, contact(CARLA, "user"));
            } else {
                assert!(found.id.as_str() != CARLA && found.role == "user", "{found:?}");
                assert_eq!(there.found(&customer(json!({ "external_id": "hop-0" }))).await, found, "once");
            }
        });
    }
}

#[test]
fn what_is_new_about_somebody_is_set_and_what_people_entered_stays() {
    run(async {
        let there = Reached::start("news", "2.15").await;
        let asked = customer(json!({
            "external_id": DANS_ID, "email": "dan@new.example", "phone": "+3312", "name": "Daniel",
            "attributes": { "plan": "free", "shoe size": 44, "seats": "many" },
        }));
        assert_eq!(there.found(&asked).await, contact(DAN, "lead"));
        let dan = there.rest("GET", &format!("/contacts/{DAN}"), Value::Null).await;
        assert_eq!((&dan["name"], &dan["external_id"]), (&json!("Dan"), &json!(DANS_ID)));
        // What does not exist is left out; what it cannot have takes the other attributes with it, and no more.
        assert_eq!((&dan["custom_attributes"], &dan["email"]), (&json!({}), &json!("dan@new.example")));

        let asked = customer(json!({
            "external_id": DANS_ID, "email": "dan@new.example", "attributes": { "plan": "free", "shoe size": 44 },
        }));
        there.found(&asked).await;
        let dan = there.rest("GET", &format!("/contacts/{DAN}"), Value::Null).await;
        assert_eq!(dan["custom_attributes"], json!({ "plan": "free" }));
        let plain = customer(json!({ "external_id": DANS_ID, "email": "dan@new.example", "phone": "+3312" }));
        there.found(&plain).await;
        let dan = there.rest("GET", &format!("/contacts/{DAN}"), Value::Null).await;
        assert_eq!((&dan["email"], &dan["phone"]), (&json!("dan@new.example"), &json!("+3312")));
        let after = there.last().await;
        there.found(&plain).await;
        assert!(there.asked_since(after).await.iter().all(|asked| !asked.starts_with("PUT")), "nothing is new");

        let carla = json!({ "external_id": "cust-1001", "name": "C.", "email": "c@new.example", "attributes": { "plan": "free" } });
        there.found(&customer(carla)).await;
        let carla = there.rest("GET", &format!("/contacts/{CARLA}"), Value::Null).await;
        assert_eq!((&carla["name"], &carla["email"]), (&json!("Carla"), &json!("carla@customer.example")));
        assert_eq!(carla["custom_attributes"]["plan"], "pro");
    });
}

#[test]
fn what_intercom_refuses_about_somebody_keeps_nobody_from_a_person() {
    run(async {
        let there = Reached::start("refused", "2.15").await;
        let shown =
            async |contact: &Contact| there.rest("GET", &format!("/contacts/{}", contact.id), Value::Null).await;
        // Attributes that do not exist are left out, the others are told.
        let asked =
            json!({ "external_id": "r1", "email": "r1@new.example", "attributes": { "plan": "pro", "shoe size": 44 } });
        let one = shown(&there.found(&customer(asked)).await).await;
        assert_eq!((&one["custom_attributes"], &one["email"]), (&json!({ "plan": "pro" }), &json!("r1@new.example")));
        let asked = json!({ "email": "r2@new.example", "attributes": { "shoe size": 44 } });
        let one = shown(&there.found(&customer(asked)).await).await;
        assert_eq!((&one["custom_attributes"], &one["email"]), (&json!({}), &json!("r2@new.example")));
        // An address that is none.
        let asked = json!({ "external_id": "r3", "email": "nowhere", "name": "Rita", "attributes": { "plan": "pro" } });
        let one = shown(&there.found(&customer(asked)).await).await;
        assert_eq!((&one["external_id"], &one["name"], &one["role"]), (&json!("r3"), &json!("Rita"), &json!("user")));
        let one = there.found(&customer(json!({ "email": "nowhere", "name": "Rita" }))).await;
        assert_eq!(one.role, "lead");

        // An address that is somebody else's: found by the id, and not changed.
        let first = there.made(json!({ "external_id": "r4" })).await;
        there.made(json!({ "email": "taken@new.example" })).await;
        let asked = json!({ "external_id": "r4", "email": "taken@new.example", "name": "Rob" });
        let found = there.found(&customer(asked)).await;
        assert_eq!(found, contact(&first, "user"));
        assert_eq!(shown(&found).await["name"], "Rob", "the rest is told");
        // And one that may not be made at all.
        there.fault(json!({ "fault": "fail_before", "status": 403 }), "POST", "/contacts").await;
        let answer = there.find(&customer(json!({ "name": "Rudi" }))).await;
        rejected_as(&answer, "contact_refused");
    });
}

#[test]
fn a_lost_answer_is_no_second_user_and_nothing_is_rejected_for_it() {
    run(async {
        let there = Reached::seeded("lost", "2.15", |seed| seed.search_lag_ms = 600_000).await;
        let asked = customer(json!({ "email": "lost@new.example" }));
        for (fault, path) in [
            (json!({ "fault": "rate_limit" }), "/contacts/search"),
            (json!({ "fault": "fail_before" }), "/contacts/search"),
            (json!({ "fault": "garbled" }), "/contacts/search"),
        ] {
            there.fault(fault.clone(), "POST", path).await;
            let answer = there.find(&asked).await;
            assert!(matches!(answer, Answer::NotSent { .. }), "{fault}: {answer:?}");
        }
        // What matches the first search matches this too, so it strikes the second request.
        there.fault(json!({ "fault": "delay_after", "delay_ms": 1 }), "POST", "/contacts/search").await;
        there.fault(json!({ "fault": "fail_after" }), "POST", "/contacts").await;
        let answer = there.find(&asked).await;
        assert!(matches!(answer, Answer::NotSent { .. }), "{answer:?}");
        let found = there.found(&asked).await;
        assert_eq!(found, there.found(&asked).await);
        let all = there.rest("GET", "/contacts", Value::Null).await;
        let theirs = all["data"].as_array().unwrap().iter().filter(|one| one["email"] == "lost@new.example");
        assert_eq!(theirs.count(), 1);
    });
}

#[test]
fn a_stranger_whose_making_got_no_answer_leaves_a_lead_behind_without_a_conversation() {
    run(async {
        let there = Reached::start("stranger", "2.15").await;
        there.fault(json!({ "fault": "fail_after" }), "POST", "/contacts").await;
        let before = there.rest("GET", "/contacts", Value::Null).await["total_count"].as_u64().unwrap();
        assert!(matches!(there.find(&Customer::default()).await, Answer::NotSent { .. }));
        assert_eq!(there.found(&Customer::default()).await.role, "lead");
        let after = there.rest("GET", "/contacts", Value::Null).await["total_count"].as_u64().unwrap();
        assert_eq!(after - before, 2, "a lead has nothing by which Intercom would know it again");
    });
}
