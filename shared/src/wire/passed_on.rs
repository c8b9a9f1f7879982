//! What travels beside a queue message, as message attributes, when it is put on a queue again in
//! its sender's stead: by a function that parks it, or by an operator who puts it back.
//!
//! SQS attests who puts a message, which would make the one who passes it on its author. So whoever
//! passes a message on writes the sender that SQS attested to them before the list of those who
//! passed it on earlier. The list is read from its beginning, and only as far as the senders are
//! trusted: a trusted sender may speak for any bot anyway, so naming another gives it no right, and
//! what anybody else has written there is not looked at.

/// Why a message was parked.
pub const REASON: &str = "reason";
/// How often it had been received when it was parked.
pub const ATTEMPT: &str = "attempt";
/// Who sent it, the last first.
pub const SENDERS: &str = "senders";
/// The replay that put it back last.
pub const REPLAY: &str = "replay";

/// Someone whom nobody trusts: stands for what is not to be read.
const NOBODY: &str = "?";
/// How many senders are told apart in a list.
const MAX_SENDERS: usize = 16;
/// How long a list is read, in bytes.
const MAX_LIST_BYTES: usize = 2_048;

/// Whom a sender that SQS attests stands for: of a role's id and its session's name, only the
/// former identifies.
#[must_use]
pub fn identity(sender: &str) -> &str {
    sender.split(':').next().unwrap_or(sender)
}

/// The list of senders of a message that is passed on: the one that SQS attests, then the list that
/// came with it. Nobody is in it twice. What is left out of it is replaced by somebody whom nobody
/// trusts, so a list that cannot be kept gives no right.
#[must_use]
pub fn handed_on(attested: &str, before: &str) -> String {
    let attested = identity(attested);
    let mut senders = vec![if is_sender(attested) { attested } else { NOBODY }];
    if before.len() > MAX_LIST_BYTES || !(before.is_empty() || before.split(',').all(is_sender)) {
        senders.push(NOBODY);
        return senders.join(",");
    }
    for sender in before.split(',').filter(|sender| !sender.is_empty()) {
        if !senders.contains(&sender) {
            senders.push(if senders.len() < MAX_SENDERS { sender } else { NOBODY });
        }
        if senders.len() > MAX_SENDERS {
            break;
        }
    }
    senders.join(",")
}

/// Whose message it is: the last sender that is not trusted, or else the one who sent it first.
#[must_use]
pub fn speaker<'a>(attested: &'a str, list: &'a str, trusted: &[String]) -> &'a str {
    let is_trusted = |sender: &str| trusted.iter().any(|one| one == sender);
    let mut speaker = identity(attested);
    for earlier in list.split(',').filter(|sender| !sender.is_empty()) {
        if !is_trusted(speaker) {
            break;
        }
        speaker = earlier;
    }
    speaker
}

/// Whether it has the form of a unique id in IAM, or of an account.
fn is_sender(text: &str) -> bool {
    text == NOBODY || (!text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> Vec<String> {
        ["INGRESS", "REPLY", "OPERATOR"].map(str::to_owned).into()
    }

    #[test]
    fn who_is_trusted_may_pass_on_and_is_not_the_speaker() {
        let by_sqs = handed_on("BOT", "");
        assert_eq!(speaker("OPERATOR:anna", &by_sqs, &trusted()), "BOT");
        let parked = handed_on("REPLY:session", &handed_on("BOT", ""));
        assert_eq!(speaker("OPERATOR", &parked, &trusted()), "BOT");
        let twice = handed_on("REPLY", &handed_on("OPERATOR", &parked));
        assert_eq!((twice.as_str(), speaker("OPERATOR", &twice, &trusted())), ("REPLY,OPERATOR,BOT", "BOT"));
        assert_eq!(speaker("OPERATOR", &handed_on("INGRESS", ""), &trusted()), "INGRESS");
        assert_eq!(speaker("OPERATOR", "", &trusted()), "OPERATOR");
    }

    #[test]
    fn who_is_not_trusted_speaks_for_nobody_else() {
        for list in ["", "INGRESS", "REPLY,INGRESS", "OTHERBOT", ",,INGRESS", "no list at all"] {
            assert_eq!(speaker("BOT", list, &trusted()), "BOT");
            // Nor after others have passed it on, however often.
            let mut passed_on = handed_on("BOT", list);
            for by in ["REPLY", "OPERATOR", "REPLY", "OPERATOR"] {
                assert_eq!(speaker(by, &passed_on, &trusted()), "BOT", "{passed_on}");
                passed_on = handed_on(by, &passed_on);
            }
        }
        // An operator who was not trusted yet when the message was passed on is its speaker.
        let list = handed_on("STRANGER", &handed_on("INGRESS", ""));
        assert_eq!(speaker("OPERATOR", &list, &trusted()), "STRANGER");
    }

    #[test]
    fn a_list_that_cannot_be_kept_gives_no_right() {
        let long = vec!["A".repeat(100); 40].join(",");
        let many = (0..40).map(|number| format!("A{number}")).collect::<Vec<_>>().join(",");
        for list in [long.as_str(), many.as_str(), "INGRESS, REPLY", "INGRESS\n", "\u{202e}"] {
            let passed_on = handed_on("OPERATOR", list);
            assert!(passed_on.len() < 200 && passed_on.ends_with(NOBODY), "{passed_on}");
        }
        assert_eq!(speaker("OPERATOR", &handed_on("REPLY", "INGRESS, REPLY"), &trusted()), NOBODY);
        assert_eq!(handed_on("", "INGRESS"), "?,INGRESS");
    }
}
