//! The page that asks a teammate whether an app may have the workspace. Works without scripts.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Request;
use crate::sandbox::Shared;
use crate::sandbox::text::escaped;

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
body{margin:0;padding:1rem;display:grid;min-height:90vh;place-items:center}\
main{max-width:30rem;width:100%}\
h1{font-size:1.4rem}\
select,button{font:inherit;min-height:2.75rem;width:100%;box-sizing:border-box;margin:.25rem 0 .75rem}\
:focus-visible{outline:3px solid Highlight;outline-offset:2px}\
";

/// Who may decide, and the two answers.
pub(super) fn question(shared: &Shared, request: &Request<'_>) -> Response {
    let name = escaped(&request.app.name);
    let mut teammates = String::new();
    for app_id in shared.workspaces.keys() {
        let Some(workspace) = shared.workspace(app_id) else { continue };
        teammates.push_str(&format!("<optgroup label=\"{} ({})\">", escaped(&workspace.name), escaped(app_id)));
        for admin in workspace.admins.values() {
            let who = escaped(&admin.name);
            let value = format!("{}/{}", escaped(app_id), admin.id);
            let of = escaped(&workspace.name);
            teammates.push_str(&format!("<option value=\"{value}\">{who}, {of}</option>"));
        }
        teammates.push_str("</optgroup>");
    }
    let hidden =
        |name: &str, value: &str| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value));
    let kept = [
        hidden("client_id", &request.app.client_id),
        hidden("redirect_uri", &request.redirect_uri),
        hidden("state", request.state.as_deref().unwrap_or_default()),
    ]
    .concat();
    let back = escaped(&request.redirect_uri);
    let may = match &request.app.scopes {
        None => "everything that the API can do".to_owned(),
        Some(scopes) => escaped(&scopes.join(", ")),
    };
    let body = format!(
        "<h1>{name} wants to connect to your workspace</h1>\
         <p>It may then do: {may}. You are taken back to <strong>{back}</strong>.</p>\
         <form method=\"post\" action=\"/oauth\">{kept}\
         <label for=\"teammate\">Workspace, and who decides</label>\
         <select id=\"teammate\" name=\"teammate\">{teammates}</select>\
         <button name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"deny\">Deny</button></form>"
    );
    page(StatusCode::OK, &format!("Connect {name}"), &body)
}

/// Why there is nothing to decide.
pub(super) fn problem(problem: &str) -> Response {
    let body = format!("<h1>This app cannot be connected</h1><p role=\"alert\">{}</p>", escaped(problem));
    page(StatusCode::BAD_REQUEST, "Not connected", &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ];
    (status, headers, html).into_response()
}
