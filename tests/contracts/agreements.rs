//! An operator's report reads what conversations keep, of one workspace, whatever else is in the table.

use shared::adapters::agreement_rows::agreements;
use shared::domain::agreement::{Agreement, Origin, Verdict};
use shared::domain::conversation::Conversation;
use shared::domain::ids::{AppId, ConversationKey, Timestamp};
use shared::domain::rules::Deed;
use shared::ports::Conversations as _;

use super::aws::LocalAws;
use super::run;
use super::store::create_table;

const NOW: Timestamp = Timestamp(1_768_040_000_000);

fn judged(node: &str, verdict: Verdict) -> Agreement {
    let origin = Origin { node: node.to_owned(), label: node.to_owned() };
    Agreement { at: NOW, origin, deed: Deed::Suggest, shadow: false, verdict }
}

#[test]
fn the_judgements_of_a_workspace_are_found_page_by_page() {
    run(async {
        let aws = LocalAws::start();
        let table = create_table(aws.port).await;
        let mut expected = Vec::new();
        for number in 0..30 {
            let key: ConversationKey = format!("abc123#{number}").parse().unwrap();
            let one = judged(&format!("node{number:02}"), Verdict::Accepted);
            expected.push(one.clone());
            // Rows of some size, so that there is more than one page.
            let long = "x".repeat(40_000);
            let remark = Some(shared::domain::part::Rating { rating: 1, remark: Some(long) });
            let state = Conversation { agreements: [one].into(), rating: remark, ..Conversation::default() };
            table.save(&key, &state, 0, NOW).await.unwrap();
        }
        let nothing: ConversationKey = "abc123#31".parse().unwrap();
        table.save(&nothing, &Conversation { epoch: 1, ..Conversation::default() }, 0, NOW).await.unwrap();
        let elsewhere: ConversationKey = "abc1234#1".parse().unwrap();
        let other = Conversation { agreements: [judged("n", Verdict::Different)].into(), ..Conversation::default() };
        table.save(&elsewhere, &other, 0, NOW).await.unwrap();

        let client = LocalAws::connection(aws.port).dynamodb();
        let app_id = |text: &str| AppId::parse(text).unwrap();
        let mut found = agreements(&client, "conversations", &app_id("abc123")).await.unwrap();
        found.sort_by(|one, other| one.origin.node.cmp(&other.origin.node));
        assert_eq!(found, expected);
        assert_eq!(agreements(&client, "conversations", &app_id("abc1234")).await.unwrap().len(), 1);
        assert!(agreements(&client, "conversations", &app_id("nobody")).await.unwrap().is_empty());
    });
}
