//! Which operations there are: method, path, versions, and what answers.
//!
//! The table is the whole truth about the paths of the REST API. An operation that the call's
//! version does not know is refused for that, as Intercom refuses it; a path that no version
//! knows, or a known one with another method, is not found.

use serde_json::{Value, json};

use super::{
    Call, Reply, admins, attributes, contact_links, contact_search, contacts, conversations, events, messages,
    office_hours, participants, replies, search, tags, visitors,
};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::version::ApiVersion;
use crate::sandbox::workspace::Workspace;

/// What an operation does. One that only reads is kept from changing anything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Reads(fn(&Call<'_>, &Workspace) -> Answer<Reply>),
    Changes(fn(&Call<'_>, &mut Workspace) -> Answer<Reply>),
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Route {
    method: &'static str,
    /// Segments in braces are parameters, which `Call::param` gives by name.
    path: &'static str,
    /// The first version that knows it.
    since: ApiVersion,
    /// The last version that knows it.
    until: ApiVersion,
    handler: Handler,
}

const fn reads(method: &'static str, path: &'static str, handler: fn(&Call<'_>, &Workspace) -> Answer<Reply>) -> Route {
    Route { method, path, since: ApiVersion::OLDEST, until: ApiVersion::NEWEST, handler: Handler::Reads(handler) }
}

const fn changes(
    method: &'static str,
    path: &'static str,
    handler: fn(&Call<'_>, &mut Workspace) -> Answer<Reply>,
) -> Route {
    Route { method, path, since: ApiVersion::OLDEST, until: ApiVersion::NEWEST, handler: Handler::Changes(handler) }
}

impl Route {
    const fn since(self, version: ApiVersion) -> Self {
        Self { since: version, ..self }
    }

    const fn until(self, version: ApiVersion) -> Self {
        Self { until: version, ..self }
    }
}

/// By subject; within one, a path with a fixed word stands before one with a parameter there.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    reads("GET", "/me", admins::me),
    reads("GET", "/admins", admins::admins),
    reads("GET", "/admins/{id}", admins::admin),
    changes("PUT", "/admins/{id}/away", admins::set_away),
    reads("GET", "/away_status_reasons", admins::away_status_reasons).since(ApiVersion::V2_14),
    reads("GET", "/teams", admins::teams),
    reads("GET", "/teams/{id}", admins::team),
    reads("GET", "/teams/{id}/metrics", admins::team_metrics).since(ApiVersion::V2_16),

    reads("GET", "/office_hours_schedules", office_hours::list).since(ApiVersion::V2_16),
    changes("POST", "/office_hours_schedules", office_hours::create).since(ApiVersion::V2_16),
    reads("GET", "/office_hours_schedules/{id}", office_hours::get).since(ApiVersion::V2_16),
    changes("PUT", "/office_hours_schedules/{id}", office_hours::update).since(ApiVersion::V2_16),
    changes("DELETE", "/office_hours_schedules/{id}", office_hours::delete).since(ApiVersion::V2_16),
    reads("GET", "/office_hours_schedules/{schedule_id}/office_hours_exceptions", office_hours::exceptions).since(ApiVersion::V2_16),
    changes("POST", "/office_hours_schedules/{schedule_id}/office_hours_exceptions", office_hours::create_exception).since(ApiVersion::V2_16),
    reads("GET", "/office_hours_schedules/{schedule_id}/office_hours_exceptions/{id}", office_hours::get_exception).since(ApiVersion::V2_16),
    changes("PUT", "/office_hours_schedules/{schedule_id}/office_hours_exceptions/{id}", office_hours::update_exception).since(ApiVersion::V2_16),
    changes("DELETE", "/office_hours_schedules/{schedule_id}/office_hours_exceptions/{id}", office_hours::delete_exception).since(ApiVersion::V2_16),

    reads("GET", "/tags", tags::list),
    changes("POST", "/tags", tags::save),
    reads("GET", "/tags/{id}", tags::get),
    changes("DELETE", "/tags/{id}", tags::delete),

    reads("GET", "/contacts", contacts::list),
    changes("POST", "/contacts", contacts::create),
    reads("POST", "/contacts/search", contact_search::search),
    changes("POST", "/contacts/merge", contacts::merge),
    reads("GET", "/contacts/find_by_external_id/{external_id}", contacts::by_external_id).since(ApiVersion::V2_13),
    reads("GET", "/contacts/{id}", contacts::get),
    changes("PUT", "/contacts/{id}", contacts::update),
    changes("DELETE", "/contacts/{id}", contacts::delete),
    changes("POST", "/contacts/{id}/archive", contacts::archive),
    changes("POST", "/contacts/{id}/unarchive", contacts::unarchive),
    changes("POST", "/contacts/{id}/block", contacts::block).since(ApiVersion::V2_13),
    reads("GET", "/contacts/{id}/merge_history", contacts::merge_history).since(ApiVersion::V2_16),
    reads("GET", "/contacts/{id}/tags", contact_links::tags),
    changes("POST", "/contacts/{id}/tags", contact_links::tag),
    changes("DELETE", "/contacts/{id}/tags/{tag_id}", contact_links::untag),
    reads("GET", "/contacts/{id}/notes", contact_links::notes),
    changes("POST", "/contacts/{id}/notes", contact_links::add_note),
    reads("GET", "/contacts/{id}/segments", contact_links::none_of_contact),
    reads("GET", "/contacts/{id}/subscriptions", contact_links::none_of_contact),
    reads("POST", "/contacts/{id}/subscriptions", contact_links::attach_unknown),
    reads("DELETE", "/contacts/{id}/subscriptions/{subscription_id}", contact_links::detach_unknown),
    reads("GET", "/contacts/{id}/companies", contact_links::companies),
    reads("POST", "/contacts/{id}/companies", contact_links::attach_unknown),
    reads("DELETE", "/contacts/{id}/companies/{company_id}", contact_links::detach_unknown),
    reads("GET", "/notes/{id}", contact_links::note),
    reads("GET", "/segments", contact_links::segments),
    reads("GET", "/segments/{id}", contact_links::no_segment),
    reads("GET", "/subscription_types", contact_links::subscription_types),

    reads("GET", "/data_attributes", attributes::list),
    changes("POST", "/data_attributes", attributes::create),
    changes("PUT", "/data_attributes/{id}", attributes::update),

    changes("POST", "/messages", messages::create),

    changes("POST", "/events", events::create),
    reads("GET", "/events", events::list),
    changes("POST", "/events/summaries", events::create_summaries),

    reads("GET", "/visitors", visitors::get),
    changes("PUT", "/visitors", visitors::update),
    changes("POST", "/visitors/convert", visitors::convert),

    reads("GET", "/conversations/attributes", attributes::of_conversations).since(ApiVersion::V2_16),
    changes("POST", "/conversations/attributes", attributes::create_of_conversation).since(ApiVersion::V2_16),
    reads("GET", "/conversations/attributes/{id}", attributes::of_conversation).since(ApiVersion::V2_16),
    changes("PUT", "/conversations/attributes/{id}", attributes::update_of_conversation).since(ApiVersion::V2_16),
    changes("DELETE", "/conversations/attributes/{id}", attributes::archive_of_conversation).since(ApiVersion::V2_16),
    changes("POST", "/conversations/attributes/{id}/options", attributes::add_option).since(ApiVersion::V2_16),
    changes("PUT", "/conversations/attributes/{id}/options/{option_id}", attributes::rename_option).since(ApiVersion::V2_16),
    changes("DELETE", "/conversations/attributes/{id}/options/{option_id}", attributes::archive_option).since(ApiVersion::V2_16),

    reads("GET", "/conversations", search::list),
    changes("POST", "/conversations", conversations::create),
    reads("POST", "/conversations/search", search::search),
    reads("GET", "/conversations/deleted", search::deleted).since(ApiVersion::V2_16),
    changes("POST", "/conversations/redact", conversations::redact),
    reads("GET", "/conversations/{id}", conversations::get),
    changes("PUT", "/conversations/{id}", conversations::update),
    changes("DELETE", "/conversations/{id}", conversations::delete).since(ApiVersion::V2_13),
    changes("POST", "/conversations/{id}/reply", replies::reply),
    changes("POST", "/conversations/{id}/parts", replies::manage),
    changes("POST", "/conversations/{id}/tags", conversations::tag),
    changes("DELETE", "/conversations/{id}/tags/{tag_id}", conversations::untag),
    changes("POST", "/conversations/{id}/customers", participants::attach),
    changes("DELETE", "/conversations/{id}/customers/{contact_id}", participants::detach),
    reads("POST", "/conversations/{id}/convert", conversations::convert),
    changes("POST", "/conversations/{id}/merge", conversations::merge).since(ApiVersion::V2_16),
    changes("POST", "/conversations/{id}/run_assignment_rules", conversations::run_assignment_rules)
        .until(ApiVersion::V2_11),
    reads("GET", "/conversations/{id}/handling_events", conversations::handling_events).since(ApiVersion::V2_15),
    reads("GET", "/conversations/{id}/side_conversations", conversations::side_conversations).since(ApiVersion::V2_16),
];

/// All operations, for those who want to know what the sandbox has.
pub(crate) fn list() -> Value {
    let entry = |route: &Route| {
        json!({
            "method": route.method,
            "path": route.path,
            "since": route.since.to_string(),
            "until": route.until.to_string(),
        })
    };
    ROUTES.iter().map(entry).collect()
}

/// What the parameters of a path stand for in a request.
pub(crate) type Params = Vec<(&'static str, String)>;

/// The operation of a request, with its parameters.
///
/// # Errors
/// 404 when there is none in any version, 400 `intercom_version_invalid` when there is one but
/// not in this version.
pub(crate) fn find(method: &str, segments: &[String], version: ApiVersion) -> Answer<(Handler, Params)> {
    let matching = |route: &'static Route| Some((route, params(route.path, segments)?));
    let (route, params) =
        ROUTES.iter().filter(|route| route.method == method).find_map(matching).ok_or_else(ApiError::no_resource)?;
    if version < route.since || version > route.until {
        return Err(ApiError::not_in_version());
    }
    Ok((route.handler, params))
}

/// The parameters, if the pattern fits.
fn params(pattern: &'static str, segments: &[String]) -> Option<Params> {
    let mut found = Params::new();
    let mut segments = segments.iter();
    for wanted in pattern.split('/').skip(1) {
        let segment = segments.next()?;
        match name(wanted) {
            Some(name) => found.push((name, segment.clone())),
            None if wanted == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

fn name(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, find, name};
    use crate::sandbox::version::ApiVersion;

    fn segments(path: &str) -> Vec<String> {
        path.split('/').skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn every_operation_finds_itself_and_not_one_above_it() {
        for route in ROUTES {
            let (handler, params) = find(route.method, &segments(route.path), route.since).unwrap();
            let named = route.path.split('/').filter_map(name).count();
            assert_eq!(params.len(), named, "{} {}", route.method, route.path);
            assert_eq!(format!("{handler:?}"), format!("{:?}", route.handler), "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn a_version_that_does_not_know_a_path_says_so_and_a_wrong_method_is_not_found() {
        let status = |method: &str, path: &str, version: &str| {
            let version: ApiVersion = version.parse().unwrap();
            find(method, &segments(path), version).map(|_| 200).unwrap_or_else(|error| error.status.as_u16())
        };
        assert_eq!(status("DELETE", "/conversations/1", "2.13"), 200);
        assert_eq!(status("DELETE", "/conversations/1", "2.12"), 400);
        assert_eq!(status("GET", "/conversations/deleted", "2.16"), 200);
        assert_eq!(status("GET", "/conversations/deleted", "2.15"), 400);
        assert_eq!(status("POST", "/conversations/1/run_assignment_rules", "2.11"), 200);
        assert_eq!(status("POST", "/conversations/1/run_assignment_rules", "2.12"), 400);
        assert_eq!(status("PATCH", "/conversations/1", "2.12"), 404);
        assert_eq!(status("GET", "/conversations/1/nonsense", "2.16"), 404);
        assert_eq!(status("GET", "/conversations/1/tags/2/3", "2.16"), 404);
    }
}
