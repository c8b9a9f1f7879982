//! Conversations that are searched for. The index lags behind the conversations.

use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{RestApi, not_shown};
use crate::domain::ids::{ContactId, ConversationId, Timestamp};
use crate::domain::part::Observation;
use crate::domain::settings::Workspace;
use crate::ports::{Changed, Clock, NotShown, Page, Search, Tokens, Unavailable};
use crate::wire::intercom::{ChangedItem, ConversationItem, ConversationPage};
use crate::wire::people::OpenedItem;

/// How many conversations a page of a search has: Intercom's most.
const PAGE: u32 = 150;

/// One condition of a search.
fn condition(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "operator": operator, "value": value.into() })
}

/// How much earlier than asked for is searched, in seconds: Intercom may compare days alone, and in the
/// workspace's own time zone. What is too old is left out here.
const EARLIER_SECONDS: u64 = 2 * 86_400;

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// The conversations that a contact has begun since a moment.
    pub(super) async fn begun_by(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        let query = json!({ "operator": "AND", "value": [
            condition("contact_ids", "=", contact.as_str()),
            condition("created_at", ">", since.seconds().saturating_sub(EARLIER_SECONDS)),
        ]});
        let bytes = self.search(workspace, query, json!({ "per_page": PAGE })).await?;
        let answer = page_of(&bytes)?;
        let is_new = |item: &&RawValue| {
            let opened: OpenedItem = serde_json::from_str(item.get()).unwrap_or_default();
            opened.created_at >= since.seconds()
        };
        Ok(answer.conversations.into_iter().filter(is_new).filter_map(changed).collect())
    }

    async fn search(&self, workspace: &Workspace, query: Value, pagination: Value) -> Result<Vec<u8>, NotShown> {
        let body = json!({ "query": query, "pagination": pagination });
        self.request(workspace, Method::POST, "/conversations/search", Some(&body)).await.map_err(not_shown)
    }
}

fn page_of(bytes: &[u8]) -> Result<ConversationPage<'_>, NotShown> {
    let unreadable = |_| Unavailable { what: "Intercom", why: "the answer cannot be read".to_owned() };
    serde_json::from_slice(bytes).map_err(unreadable).map_err(NotShown::Unavailable)
}

/// A conversation of a search; none where it has no usable id.
fn changed(item: &RawValue) -> Option<Changed> {
    let when: ChangedItem = serde_json::from_str(item.get()).ok()?;
    let shown: ConversationItem = serde_json::from_str(item.get()).ok()?;
    Some(Changed {
        id: ConversationId::parse(when.id.0).ok()?,
        updated_at: Timestamp::from_seconds(when.updated_at),
        // As the API writes it, but without its parts.
        shown: Observation { complete: false, ..shown.observation(true) },
    })
}

impl<C: Clock, T: Tokens> Search for RestApi<C, T> {
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        let mut pagination = json!({ "per_page": PAGE });
        if let Some(page) = page {
            pagination["starting_after"] = json!(page);
        }
        // "Greater than" is the one comparison that every version has.
        let query = condition("updated_at", ">", since.seconds().saturating_sub(1));
        let bytes = self.search(workspace, query, pagination).await?;
        let answer = page_of(&bytes)?;
        let next = answer.pages.and_then(|pages| pages.next).and_then(|next| next.starting_after);
        Ok(Page { changed: answer.conversations.into_iter().filter_map(changed).collect(), next })
    }

    async fn waiting_for_the_bot(&self, workspace: &Workspace, before: Timestamp) -> Result<u64, NotShown> {
        // These fields are integers to Intercom.
        let number = |id: &str| id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number));
        let mut of_the_bot = vec![condition("admin_assignee_id", "=", number(workspace.bot_teammate.as_str()))];
        let teams = workspace.bot_teams.iter().map(|team| condition("team_assignee_id", "=", number(team.as_str())));
        of_the_bot.extend(teams);
        let query = json!({ "operator": "AND", "value": [
            { "operator": "OR", "value": of_the_bot },
            condition("open", "=", true),
            condition("waiting_since", "<", before.seconds()),
            condition("waiting_since", ">", 0),
        ]});
        let bytes = self.search(workspace, query, json!({ "per_page": 1 })).await?;
        Ok(page_of(&bytes)?.total_count.unwrap_or_default())
    }
}
