//! The webhook topics that the sandbox fires, under Intercom's names.

use super::version::ApiVersion;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Ping,
    UserCreated,
    UserReplied,
    AdminReplied,
    AdminNoted,
    AdminAssigned,
    AdminOpenAssigned,
    AdminClosed,
    AdminOpened,
    AdminSnoozed,
    AdminUnsnoozed,
    AdminSingleCreated,
    OperatorReplied,
    RatingAdded,
    Deleted,
    PartRedacted,
    PartTagCreated,
    ContactAttached,
    ContactDetached,
    Read,
    PriorityUpdated,
    ContactUserCreated,
    ContactUserUpdated,
    ContactLeadCreated,
    ContactLeadUpdated,
    ContactLeadAddedEmail,
    ContactLeadSignedUp,
    ContactEmailUpdated,
    ContactArchived,
    ContactUnarchived,
    ContactDeleted,
    ContactMerged,
    ContactSubscribed,
    ContactUnsubscribed,
    ContactUserTagCreated,
    ContactUserTagDeleted,
    ContactLeadTagCreated,
    ContactLeadTagDeleted,
    VisitorSignedUp,
    AwayModeUpdated,
    EventCreated,
}

impl Topic {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::UserCreated => "conversation.user.created",
            Self::UserReplied => "conversation.user.replied",
            Self::AdminReplied => "conversation.admin.replied",
            Self::AdminNoted => "conversation.admin.noted",
            Self::AdminAssigned => "conversation.admin.assigned",
            Self::AdminOpenAssigned => "conversation.admin.open.assigned",
            Self::AdminClosed => "conversation.admin.closed",
            Self::AdminOpened => "conversation.admin.opened",
            Self::AdminSnoozed => "conversation.admin.snoozed",
            Self::AdminUnsnoozed => "conversation.admin.unsnoozed",
            Self::AdminSingleCreated => "conversation.admin.single.created",
            Self::OperatorReplied => "conversation.operator.replied",
            Self::RatingAdded => "conversation.rating.added",
            Self::Deleted => "conversation.deleted",
            Self::PartRedacted => "conversation_part.redacted",
            Self::PartTagCreated => "conversation_part.tag.created",
            Self::ContactAttached => "conversation.contact.attached",
            Self::ContactDetached => "conversation.contact.detached",
            Self::Read => "conversation.read",
            Self::PriorityUpdated => "conversation.priority.updated",
            Self::ContactUserCreated => "contact.user.created",
            Self::ContactUserUpdated => "contact.user.updated",
            Self::ContactLeadCreated => "contact.lead.created",
            Self::ContactLeadUpdated => "contact.lead.updated",
            Self::ContactLeadAddedEmail => "contact.lead.added_email",
            Self::ContactLeadSignedUp => "contact.lead.signed_up",
            Self::ContactEmailUpdated => "contact.email.updated",
            Self::ContactArchived => "contact.archived",
            Self::ContactUnarchived => "contact.unarchive",
            Self::ContactDeleted => "contact.deleted",
            Self::ContactMerged => "contact.merged",
            Self::ContactSubscribed => "contact.subscribed",
            Self::ContactUnsubscribed => "contact.unsubscribed",
            Self::ContactUserTagCreated => "contact.user.tag.created",
            Self::ContactUserTagDeleted => "contact.user.tag.deleted",
            Self::ContactLeadTagCreated => "contact.lead.tag.created",
            Self::ContactLeadTagDeleted => "contact.lead.tag.deleted",
            Self::VisitorSignedUp => "visitor.signed_up",
            Self::AwayModeUpdated => "admin.away_mode_updated",
            Self::EventCreated => "event.created",
        }
    }

    /// Whether apps of that version can subscribe to it.
    pub(crate) fn exists_in(self, version: ApiVersion) -> bool {
        self != Self::OperatorReplied || version.has_operator_topic()
    }
}
