//! What the page is made of: its files, its lists, the stream of changes, the timeline.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab};

const OWN_ORIGIN: &[(&str, &str)] = &[];

#[tokio::test]
async fn a_browser_is_led_to_the_page_and_a_program_to_the_api() {
    let lab = Lab::start().await;
    let browser = lab.send("GET", "/_sandbox/", &[("Accept", "text/html")], "").await.unwrap();
    assert_eq!(browser.status, 200);
    assert!(browser.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let tag = browser.headers["etag"].to_str().unwrap().to_owned();
    let again = lab.send("GET", "/_sandbox/", &[("If-None-Match", &tag)], "").await.unwrap();
    assert_eq!(again.status, 304);
    let program = lab.send("GET", "/", OWN_ORIGIN, "").await.unwrap();
    assert_eq!(program.refusal().0, 401);
    assert_eq!(lab.send("GET", "/_sandbox/page/secret.js", OWN_ORIGIN, "").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_kept_out_of_the_control_api() {
    let lab = Lab::start().await;
    let foreign = [("Origin", "https://elsewhere.example")];
    let refused = lab.send("POST", "/_sandbox/reset", &foreign, "").await.unwrap();
    assert_eq!(refused.status, 403);
    let own = [("Origin", lab.sandbox.url())];
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(lab.send("POST", "/_sandbox/reset", &own, "").await.unwrap().status, 200);
}

#[tokio::test]
async fn rows_come_newest_first_page_by_page_and_narrowed() {
    let lab = Lab::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(lab.started(&format!("Number {n}")).await);
    }
    lab.by_hand(
        &ids[1],
        "teammate",
        json!({"admin_id": ALICE, "action": "assign", "assignee": {"type": "admin", "id": BOT}}),
    )
    .await;
    let rows = |query: String| {
        let lab = &lab;
        async move { lab.control("GET", &format!("/sandbox1/rows{query}"), Value::Null).await.ok() }
    };
    let named = |answer: &Value| -> Vec<String> {
        answer["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let answer = rows(query).await;
        assert_eq!(answer["total"], 5);
        seen.extend(named(&answer));
        let Some(next) = answer["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(seen.len(), 5);
    let bots = rows(format!("?view=admin:{BOT}")).await;
    assert_eq!((named(&bots), &bots["counts"]["unassigned"]), (vec![ids[1].clone()], &json!(4)));
    assert_eq!(named(&rows("?q=number%203".to_owned()).await), [ids[3].clone()]);
    assert_eq!(rows("?state=closed".to_owned()).await["total"], 0);
    assert_eq!(rows(format!("?contact_id={CARLA}&view=unassigned")).await["total"], 4);
}

#[tokio::test]
async fn the_timeline_tells_people_requests_and_steps_in_the_order_of_time() {
    let lab = Lab::start().await;
    let id = lab.started("Hello").await;
    let step =
        json!({"at_ms": 1, "app_id": "sandbox1", "conversation_id": id, "function": "event-worker", "outcome": "told"});
    lab.control("POST", "/trace", json!({"steps": [step]})).await.ok();
    let note = json!({"message_type": "note", "type": "admin", "admin_id": BOT, "body": "seen"});
    lab.post(&format!("/conversations/{id}/reply"), note).await;
    let path = format!("/sandbox1/conversations/{id}/timeline");
    let first = lab.control("GET", &path, Value::Null).await.ok();
    let kinds: Vec<&str> =
        first["entries"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[1]), ("step", "event"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "request").count(), 1);
    assert_eq!(kinds.iter().filter(|kind| **kind == "event").count(), 2);
    let rest = format!("{path}?after={}", first["next"].as_str().unwrap());
    assert_eq!(lab.control("GET", &rest, Value::Null).await.ok()["entries"], json!([]));
    lab.control("POST", "/reset", Value::Null).await.ok();
    assert_eq!(lab.control("GET", &path, Value::Null).await.ok()["entries"], json!([]));
}

#[tokio::test]
async fn an_uploaded_file_never_runs_where_the_page_runs() {
    let lab = Lab::start().await;
    let headers = [("Content-Type", "text/html")];
    let kept = lab.send("POST", "/_sandbox/sandbox1/files?name=a.html", &headers, "<script>1</script>").await.unwrap();
    let url = kept.ok()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&lab.sandbox.url()).unwrap();
    let file = lab.send("GET", path, OWN_ORIGIN, "").await.unwrap();
    assert_eq!(file.headers["content-disposition"], "attachment");
    assert!(file.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox;"));
}

#[tokio::test]
async fn the_stream_tells_changes_and_goes_on_where_a_reader_was() {
    let lab = Lab::start().await;
    let url = format!("{}/_sandbox/sandbox1/live", lab.sandbox.url());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let mut stream = client.get(&url).send().await.unwrap();
    let hello = read_until(&mut stream, "event: hello").await;
    let last = hello.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let id = lab.started("Hello").await;
    assert!(read_until(&mut stream, &id).await.contains("event: changes"));
    drop(stream);

    let mut back = client.get(&url).header("last-event-id", &last).send().await.unwrap();
    assert!(!read_until(&mut back, &id).await.contains("event: resync"));
    let mut lost = client.get(&url).header("last-event-id", "another-run.7").send().await.unwrap();
    read_until(&mut lost, "event: resync").await;
}

async fn read_until(stream: &mut reqwest::Response, text: &str) -> String {
    let mut seen = String::new();
    while !(seen.contains(text) && seen.ends_with("\n\n")) {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.unwrap().unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    seen
}
