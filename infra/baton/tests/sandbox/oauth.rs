//! How an app is installed and leaves: the page, the code, the token, the notice.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use baton_cli::sandbox::{AppSeed, Options, Seed};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::Lab;

const CALLBACK: &str = "http://localhost:3000/callback";
const APPROVED: &str = "client_id=sandbox-app&state=s%26t&decision=approve&teammate=sandbox2/900002";

/// The address that a decision leads to.
async fn decided(lab: &Lab, form: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
    let url = format!("{}/oauth", lab.sandbox.url());
    let answer = client.build().unwrap().post(url).body(form.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The code of an approval, as it was before it stood in an address.
async fn code(lab: &Lab) -> String {
    let address = decided(lab, APPROVED).await;
    let rest = address.strip_prefix(&format!("{CALLBACK}?code=")).unwrap();
    let (code, state) = rest.split_once('&').unwrap();
    assert_eq!(state, "state=s%26t");
    code.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

fn exchange(code: &str, secret: &str) -> Value {
    json!({"code": code, "client_id": "sandbox-app", "client_secret": secret})
}

async fn page(lab: &Lab, query: &str) -> (u16, String) {
    let url = format!("{}/oauth?{query}", lab.sandbox.url());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_page_names_who_asks_and_sends_no_stranger_anywhere() {
    let lab = Lab::start().await;
    let (status, html) = page(&lab, "client_id=sandbox-app&state=%22%3E%3Cscript%3E").await;
    assert_eq!(status, 200);
    for words in ["Sandbox App", "Sandbox One", "Greta, Sandbox Two", "Approve", "Deny", CALLBACK] {
        assert!(html.contains(words), "{words}");
    }
    assert!(html.contains("&quot;&gt;&lt;script&gt;") && !html.contains("<script>"));
    assert_eq!(page(&lab, "client_id=nobody").await.0, 400);
    assert_eq!(page(&lab, "client_id=sandbox-app&redirect_uri=http://elsewhere.example").await.0, 400);
    let denied = decided(&lab, "client_id=sandbox-app&state=x&decision=deny").await;
    assert!(denied.starts_with(&format!("{CALLBACK}?error=access_denied&error_description=")), "{denied}");
    assert!(denied.ends_with("&state=x"), "{denied}");
}

#[tokio::test]
async fn a_code_ends_in_an_equals_sign_and_is_good_for_one_token() {
    let lab = Lab::start().await;
    let code = code(&lab).await;
    assert!(code.ends_with('='));
    let path = "/auth/eagle/token";
    let call = async |body: Value| lab.send("POST", path, &[], &body.to_string()).await.unwrap();
    let wrong = call(exchange(&code, "wrong")).await;
    assert_eq!(wrong.refusal(), (401, "unauthorized"));
    let cut = call(exchange(code.trim_end_matches('='), "sandbox-app-secret")).await;
    assert_eq!(
        (cut.refusal(), &cut.body["errors"][0]["message"]),
        ((401, "unauthorized"), &json!("Unauthorized Code"))
    );
    let granted = call(exchange(&code, "sandbox-app-secret")).await.ok();
    assert_eq!((&granted["token_type"], &granted["token"]), (&json!("Bearer"), &granted["access_token"]));
    assert_eq!(call(exchange(&code, "sandbox-app-secret")).await.refusal(), (401, "unauthorized"));
    let missing = call(json!({"client_id": "sandbox-app"})).await;
    assert_eq!(missing.refusal(), (400, "parameter_not_found"));

    let bearer = format!("Bearer {}", granted["token"].as_str().unwrap());
    let headers = [("Authorization", bearer.as_str())];
    let me = lab.send("GET", "/me", &headers, "").await.unwrap().ok();
    assert_eq!((&me["id"], &me["app"]["id_code"]), (&json!("900002"), &json!("sandbox2")));
    lab.send("POST", "/auth/uninstall", &headers, "").await.unwrap().ok();
    assert_eq!(lab.send("GET", "/me", &headers, "").await.unwrap().status, 401);
    lab.send("GET", "/me", &[("Authorization", "Bearer sandbox2-token")], "").await.unwrap().ok();
}

#[tokio::test]
async fn a_form_is_taken_as_well_and_a_late_code_is_not() {
    let lab = Lab::start().await;
    let form = |code: &str| format!("client_id=sandbox-app&client_secret=sandbox-app-secret&code={code}");
    let in_time = form(&code(&lab).await);
    lab.send("POST", "/auth/eagle/token", &[], &in_time).await.unwrap().ok();
    let late = form(&code(&lab).await);
    lab.control("POST", "/clock", json!({"advance_seconds": 600})).await.ok();
    let answer = lab.send("POST", "/auth/eagle/token", &[], &late).await.unwrap();
    assert_eq!(answer.refusal(), (401, "unauthorized"));
}

#[tokio::test]
async fn an_app_that_is_taken_out_by_hand_is_told_and_its_tokens_end() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let sender = Arc::new(sender);
    let notices = Router::new().route(
        "/gone",
        post(move |body: Bytes| {
            let sender = sender.clone();
            async move { sender.send(serde_json::from_slice::<Value>(&body).unwrap()).unwrap() }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, notices).await });
    let mut seed = Seed::embedded().unwrap();
    let app: &mut AppSeed = seed.apps.first_mut().unwrap();
    app.uninstall_url = Some(format!("http://{address}/gone"));
    let lab = Lab::start_with(Options { seed: Some(seed), ..Options::default() }).await;

    let code = code(&lab).await;
    let body = exchange(&code, "sandbox-app-secret").to_string();
    let granted = lab.send("POST", "/auth/eagle/token", &[], &body).await.unwrap().ok();
    let bearer = format!("Bearer {}", granted["token"].as_str().unwrap());
    let app = json!({"client_id": "sandbox-app"});
    assert_eq!(lab.control("POST", "/sandbox1/uninstall", app.clone()).await.status, 404);
    lab.control("POST", "/sandbox2/uninstall", app).await.ok();
    assert_eq!(told.recv().await.unwrap(), json!({"app_id": "sandbox2"}));
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(lab.send("GET", "/me", &headers, "").await.unwrap().status, 401);
}
