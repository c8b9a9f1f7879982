//! Who is there: teammates with a seat who are not away, and the workspace's office hours.

use shared::domain::ids::{AdminId, TeamId, Timestamp};
use shared::domain::part::Assignee;
use shared::domain::transfer::Availability;
use shared::testing::ManualClock;

use super::super::run;
use super::*;

fn team(id: &str) -> Assignee {
    Assignee::Team(TeamId::parse(id).unwrap())
}

fn teammate(id: &str) -> Assignee {
    Assignee::Teammate(AdminId::parse(id).unwrap())
}

async fn there<C: Clock>(reached: &Reached<C>, to: Assignee) -> Availability {
    match reached.perform(&nowhere(), &Action::LookWhoIsThere { to: to.clone() }).await {
        Answer::There(availability) => availability,
        answer => panic!("{to:?}: {answer:?}"),
    }
}

async fn set_away<C: Clock>(reached: &Reached<C>, teammate: &str, away: bool) {
    let body = json!({ "away_mode_enabled": away, "away_mode_reassign": false });
    reached.rest("PUT", &format!("/admins/{teammate}/away"), body).await;
}

const AWAY: Availability = Availability::Away { opens_at: None };

#[test]
fn people_are_there_while_one_of_them_has_a_seat_and_is_not_away() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let reached = Reached::start(&format!("presence-{version}"), version).await;
            for (to, expected) in [
                (team("500001"), Availability::Available),
                (team("500003"), Availability::Nobody), // without members
                (team("500009"), Availability::Nobody), // the bot alone
                (team("404404"), Availability::Nobody), // no team at all
                (teammate("900002"), Availability::Available),
                (teammate("900004"), Availability::Nobody), // without a seat
                (teammate("900001"), Availability::Nobody), // the bot
                (teammate("404404"), Availability::Nobody),
                (Assignee::Nobody, Availability::Available),
            ] {
                assert_eq!(there(&reached, to.clone()).await, expected, "{to:?}");
            }
            set_away(&reached, "900003", true).await;
            for (to, expected) in [
                (team("500001"), Availability::Available), // Alice
                (team("500002"), AWAY),                    // Bob alone
                (teammate("900003"), AWAY),
                (Assignee::Nobody, Availability::Available),
            ] {
                assert_eq!(there(&reached, to.clone()).await, expected, "{to:?}");
            }
            set_away(&reached, "900002", true).await;
            for to in [team("500001"), Assignee::Nobody] {
                assert_eq!(there(&reached, to).await, AWAY, "the bot is nobody to wait for");
            }
        });
    }
}

#[test]
fn a_look_that_is_refused_keeps_nobody_from_a_person_and_one_that_fails_is_made_again() {
    run(async {
        let reached = Reached::start("presence-failures", "2.15").await;
        let look = Action::LookWhoIsThere { to: team("500003") };
        reached.fault(json!({ "fault": "fail_before", "status": 403 }), "GET", "/teams").await;
        assert_eq!(there(&reached, team("500003")).await, Availability::Available);
        for fault in ["fail_before", "garbled", "rate_limit"] {
            reached.fault(json!({ "fault": fault }), "GET", "/admins").await;
            let answer = reached.perform(&nowhere(), &look).await;
            assert!(matches!(answer, Answer::NotSent { .. }), "{fault}: {answer:?}");
        }
        assert_eq!(there(&reached, team("500003")).await, Availability::Nobody);
    });
}

/// Hours of one Friday, 2026-01-09, by UTC.
fn friday(hour: u64) -> Timestamp {
    Timestamp::from_seconds(1_767_916_800 + hour * 3_600)
}

/// Nine to five, Monday to Friday.
fn weekdays() -> Value {
    let day = |day: u32| json!({ "start_minute": day * 1440 + 540, "end_minute": day * 1440 + 1020 });
    json!([day(0), day(1), day(2), day(3), day(4)])
}

#[test]
fn out_of_the_workspaces_own_hours_nobody_is_there_and_the_next_opening_is_told() {
    run(async {
        let reached = Reached::start("hours-2.16", "2.16").await;
        let berlin = json!({ "name": "Berlin", "time_zone_name": "Europe/Berlin", "time_intervals": weekdays() });
        let berlin = reached.rest("POST", "/office_hours_schedules", berlin).await["id"].as_str().unwrap().to_owned();
        let clock = ManualClock::at(friday(7).0);
        let reached = reached.by(clock.clone());
        let opens = |at: Timestamp| Availability::Away { opens_at: Some(at) };
        assert_eq!(there(&reached, team("500001")).await, opens(friday(8)), "nine o'clock in Berlin");
        clock.advance_ms(3_600_000);
        assert_eq!(there(&reached, team("500001")).await, Availability::Available);
        set_away(&reached, "900003", true).await;
        assert_eq!(
            there(&reached, team("500002")).await,
            AWAY,
            "it is open, and Bob is away: nobody knows for how long"
        );
        clock.advance_ms(8 * 3_600_000);
        for to in [team("500001"), team("500002"), Assignee::Nobody] {
            assert_eq!(there(&reached, to).await, opens(friday(3 * 24 + 8)), "Monday");
        }
        assert_eq!(there(&reached, team("500003")).await, Availability::Nobody, "at no hour");

        // Monday is a holiday, and Tuesday begins later.
        let exceptions = format!("/office_hours_schedules/{berlin}/office_hours_exceptions");
        let closed = json!({ "exception_date": "2026-01-12", "exception_type": "closed" });
        reached.rest("POST", &exceptions, closed).await;
        let later = json!({ "exception_date": "2026-01-13", "exception_type": "custom_hours",
                            "time_intervals": [{ "start_minute": 720, "end_minute": 780 }] });
        reached.rest("POST", &exceptions, later).await;
        assert_eq!(there(&reached, team("500001")).await, opens(friday(4 * 24 + 11)));

        // A schedule that is called like a team is the team's; for the others all count.
        let billing = json!({ "name": "Billing, all day", "time_zone_name": "UTC",
                              "time_intervals": [{ "start_minute": 0, "end_minute": 10_080 }] });
        reached.rest("POST", "/office_hours_schedules", billing).await;
        set_away(&reached, "900003", false).await;
        assert_eq!(there(&reached, team("500002")).await, Availability::Available);
        assert_eq!(there(&reached, team("500001")).await, Availability::Available, "one of the two is open");
        clock.advance_ms(3_600_000);
        let support = json!({ "name": "Support", "time_zone_name": "UTC", "time_intervals": weekdays() });
        reached.rest("POST", "/office_hours_schedules", support).await;
        assert_eq!(there(&reached, team("500001")).await, opens(friday(3 * 24 + 9)));

        // What is refused keeps nobody away; what fails is looked up again.
        reached.fault(json!({ "fault": "fail_before", "status": 403 }), "GET", "/office_hours_schedules").await;
        assert_eq!(there(&reached, team("500001")).await, Availability::Available);
        reached.fault(json!({ "fault": "fail_before" }), "GET", "/office_hours_schedules").await;
        let answer = reached.perform(&nowhere(), &Action::LookWhoIsThere { to: team("500001") }).await;
        assert!(matches!(answer, Answer::NotSent { .. }), "{answer:?}");
        reached.fault(json!({ "fault": "fail_before", "status": 404 }), "GET", "/office_hours_exceptions").await;
        assert_eq!(there(&reached, team("500001")).await, opens(friday(3 * 24 + 9)), "as if it had no exceptions");
    });
}

#[test]
fn before_2_16_nobody_asks_for_the_workspaces_hours() {
    run(async {
        let reached = Reached::start("hours-2.15", "2.15").await;
        let never = json!({ "name": "Never", "time_zone_name": "UTC",
                            "time_intervals": [{ "start_minute": 0, "end_minute": 15 }] });
        reached.rest("POST", "/office_hours_schedules", never).await;
        let after = reached.last().await;
        assert_eq!(there(&reached, Assignee::Nobody).await, Availability::Available);
        assert_eq!(reached.asked_since(after).await, ["GET /admins"]);
    });
}

#[test]
fn teammates_are_known_by_name_and_picture_and_asked_for_once() {
    for version in ["2.10", "2.16"] {
        run(async {
            let picture = "https://static.example/alice.png";
            let reached = Reached::seeded(&format!("crew-{version}"), version, |seed| {
                seed.admins[1].avatar = Some(picture.to_owned());
            })
            .await;
            let clock = ManualClock::at(SystemClock.now().0);
            let reached = reached.by(clock.clone());
            let id = |id: &str| AdminId::parse(id).unwrap();
            let crew = async |asked: &[AdminId]| reached.api.crew(&reached.workspace, asked).await;
            let told = crew(&[id("900002"), id("900003")]).await;
            let told: Vec<_> = told.iter().map(|one| (one.name.as_deref().unwrap(), one.avatar.as_deref())).collect();
            assert_eq!(told, [("Alice", Some(picture)), ("Bob", None)]);
            clock.advance_ms(599_000);
            assert_eq!(crew(&[id("900004")]).await.len(), 1);
            assert_eq!(reached.asked_since(0).await, ["GET /admins"]);
            // Of somebody new it is asked anew, no more than once a minute.
            for _ in 0..2 {
                assert_eq!(crew(&[id("404404")]).await, []);
            }
            assert_eq!(reached.asked_since(0).await.len(), 2);
            // A failure is not asked again at once, and who they were they still are.
            clock.advance_ms(600_000);
            reached.fault(json!({ "fault": "fail_before" }), "GET", "/admins").await;
            for _ in 0..2 {
                assert_eq!(crew(&[id("900002")]).await.len(), 1);
            }
            assert_eq!(reached.asked_since(0).await.len(), 3);
        });
    }
}

#[test]
fn nobody_waits_long_for_a_name() {
    run(async {
        let reached = Reached::start("crew-late", "2.15").await;
        reached.fault(json!({ "fault": "delay", "delay_ms": 6_000 }), "GET", "/admins").await;
        let began = std::time::Instant::now();
        assert_eq!(reached.api.crew(&reached.workspace, &[AdminId::parse("900002").unwrap()]).await, []);
        assert!(began.elapsed() < std::time::Duration::from_secs(4));
    });
}
