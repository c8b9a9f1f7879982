//! A fault as the control API takes it: whom it hits, what it does, how often.
//!
//! Only the words and whether they fit together; `faults` keeps count and strikes.

use serde::{Deserialize, Deserializer, Serialize};

/// A fault that somebody orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// The REST requests that it hits; all when absent.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<RequestMatch>,
    /// Present for a fault of webhooks instead of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) webhook: Option<WebhookMatch>,
    pub(super) fault: Kind,
    /// Of `fail_before` and `fail_after`: 503 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// Of all that wait: a second when absent, except that a repetition then follows at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delay_ms: Option<u64>,
    /// Of `reverse`: how long the first one is held at most, five seconds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hold_ms: Option<u64>,
    /// Of `stale_read`: how old the answer is; as old as the fault when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stale_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Times>,
    /// The share of what matches that is hit, all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chance: Option<f64>,
    /// Which ones those are: the same seed, the same ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
}

/// Which requests a fault hits. What is absent is not asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestMatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) app_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path_contains: Option<String>,
    /// The conversation in the path.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "id")]
    pub(super) conversation_id: Option<String>,
}

/// Which webhooks a fault hits. What is absent is not asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookMatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) app_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "id")]
    pub(super) conversation_id: Option<String>,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    FailBefore,
    FailAfter,
    DisconnectBefore,
    DisconnectAfter,
    RateLimit,
    Delay,
    DelayAfter,
    StaleRead,
    Garbled,
    Truncated,
    Drop,
    Repeat,
    Reverse,
    Unordered,
    Unsigned,
    WrongSignature,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Times {
    Count(u32),
    Word(Always),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Always {
    Always,
}

const OF_REQUESTS: &str = "fail_before, fail_after, disconnect_before, disconnect_after, rate_limit, delay, \
     delay_after, stale_read, garbled and truncated";
const OF_WEBHOOKS: &str = "drop, repeat, delay, reverse, unordered, unsigned and wrong_signature";

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FailBefore => "fail_before",
            Self::FailAfter => "fail_after",
            Self::DisconnectBefore => "disconnect_before",
            Self::DisconnectAfter => "disconnect_after",
            Self::RateLimit => "rate_limit",
            Self::Delay => "delay",
            Self::DelayAfter => "delay_after",
            Self::StaleRead => "stale_read",
            Self::Garbled => "garbled",
            Self::Truncated => "truncated",
            Self::Drop => "drop",
            Self::Repeat => "repeat",
            Self::Reverse => "reverse",
            Self::Unordered => "unordered",
            Self::Unsigned => "unsigned",
            Self::WrongSignature => "wrong_signature",
        }
    }

    fn is_of_requests(self) -> bool {
        match self {
            Self::FailBefore
            | Self::FailAfter
            | Self::DisconnectBefore
            | Self::DisconnectAfter
            | Self::RateLimit
            | Self::Delay
            | Self::DelayAfter
            | Self::StaleRead
            | Self::Garbled
            | Self::Truncated => true,
            Self::Drop | Self::Repeat | Self::Reverse | Self::Unordered | Self::Unsigned | Self::WrongSignature => {
                false
            }
        }
    }

    fn is_of_webhooks(self) -> bool {
        self == Self::Delay || !self.is_of_requests()
    }

    fn waits(self) -> bool {
        matches!(self, Self::Delay | Self::DelayAfter | Self::Repeat | Self::Unordered)
    }
}

impl Order {
    /// Whether the members fit together.
    ///
    /// # Errors
    /// In words for the caller.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = self.fault.name();
        if self.webhook.is_some() && self.requests.is_some() {
            return Err("a fault is of requests (match) or of webhooks (webhook), not of both".to_owned());
        }
        if self.webhook.is_some() && !self.fault.is_of_webhooks() {
            return Err(format!("{name} is no fault of webhooks, which are {OF_WEBHOOKS}"));
        }
        if self.webhook.is_none() && !self.fault.is_of_requests() {
            return Err(format!("{name} needs webhook; faults of requests are {OF_REQUESTS}"));
        }
        let fails = matches!(self.fault, Kind::FailBefore | Kind::FailAfter);
        let misplaced = [
            ("status", self.status.is_some() && !fails),
            ("delay_ms", self.delay_ms.is_some() && !self.fault.waits()),
            ("hold_ms", self.hold_ms.is_some() && self.fault != Kind::Reverse),
            ("stale_ms", self.stale_ms.is_some() && self.fault != Kind::StaleRead),
            ("seed", self.seed.is_some() && self.chance.is_none() && self.fault != Kind::Unordered),
        ];
        if let Some((member, _)) = misplaced.iter().find(|(_, misplaced)| *misplaced) {
            return Err(format!("{name} has no {member} here"));
        }
        if self.times == Some(Times::Count(0)) {
            return Err("times must be at least 1, or \"always\"".to_owned());
        }
        if self.status.is_some_and(|status| !(400..600).contains(&status)) {
            return Err("status must be from 400 to 599".to_owned());
        }
        if self.chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("chance must be from 0 to 1".to_owned());
        }
        Ok(())
    }

    /// How many times it strikes; none for no end.
    ///
    /// A share of all that comes has no end by itself, and one notification alone cannot be
    /// sent in the opposite order.
    pub(super) fn strikes(&self) -> Option<u32> {
        match self.times {
            Some(Times::Count(count)) => Some(count),
            Some(Times::Word(Always::Always)) => None,
            None if self.chance.is_some() => None,
            None if self.fault == Kind::Reverse => Some(2),
            None => Some(1),
        }
    }
}

/// An id as a number or as text, as both are natural to write.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(u64),
        Text(String),
    }
    let id = Option::<Id>::deserialize(deserializer)?;
    Ok(id.map(|id| match id {
        Id::Number(number) => number.to_string(),
        Id::Text(text) => text,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Order;

    fn checked(order: Value) -> Result<Order, String> {
        let order: Order = serde_json::from_value(order).map_err(|error| error.to_string())?;
        order.check().map(|()| order)
    }

    #[test]
    fn an_order_is_shown_as_it_was_given() {
        let given = json!({"match": {"app_id": "a", "conversation_id": "7"}, "fault": "delay_after", "delay_ms": 5, "times": "always"});
        let order = checked(given.clone()).unwrap();
        assert_eq!(serde_json::to_value(&order).unwrap(), given);
        assert_eq!(order.strikes(), None);
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_what_would() {
        let wrong = [
            (json!({"fault": "drop"}), "needs webhook"),
            (json!({"webhook": {}, "fault": "fail_before"}), "no fault of webhooks"),
            (json!({"webhook": {}, "match": {}, "fault": "delay"}), "not of both"),
            (json!({"fault": "delay", "status": 500}), "no status"),
            (json!({"fault": "fail_after", "stale_ms": 5}), "no stale_ms"),
            (json!({"fault": "fail_after", "seed": 5}), "no seed"),
            (json!({"fault": "fail_after", "times": 0}), "at least 1"),
            (json!({"fault": "fail_after", "status": 200}), "400 to 599"),
            (json!({"fault": "fail_after", "chance": 1.5}), "0 to 1"),
            (json!({"fault": "melt"}), "unknown variant"),
            (json!({"fault": "delay", "time": 1}), "unknown field"),
        ];
        for (order, why) in wrong {
            let problem = checked(order.clone()).unwrap_err();
            assert!(problem.contains(why), "{order}: {problem}");
        }
    }

    #[test]
    fn a_share_goes_on_and_a_reversal_takes_two() {
        let strikes = |order| checked(order).unwrap().strikes();
        assert_eq!(strikes(json!({"fault": "fail_before"})), Some(1));
        assert_eq!(strikes(json!({"fault": "fail_before", "chance": 0.1})), None);
        assert_eq!(strikes(json!({"fault": "fail_before", "chance": 0.1, "times": 3})), Some(3));
        assert_eq!(strikes(json!({"webhook": {}, "fault": "reverse"})), Some(2));
    }
}
