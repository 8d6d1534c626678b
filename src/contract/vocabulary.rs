//! The vocabulary of an event: its fields, the metadata keys that rules mention, and the kinds of value they can hold.

/// A place in an event that a rule can mention: a top-level field, or a well-known key of `metadata`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Field {
    Id,
    OccurredAt,
    UserId,
    SessionId,
    EventType,
    EventCategory,
    EventSource,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmContent,
    UtmTerm,
    SiteId,
    Metadata,
    Email,
    ContentId,
    PagePath,
    DurationSeconds,
    ScrollDepthPercent,
    Channel,
    ConsentRecorded,
    EmailHash,
    Platform,
    ShareType,
    OutboundTarget,
    PriorState,
    NewState,
    InactivityDays,
    RuleId,
    LandingPage,
    ValidationRuleId,
    ValidationResult,
    SourceSystem,
    RejectionReason,
    OriginalPayloadSnapshot,
}

/// How many places there are.
pub const FIELD_COUNT: usize = Field::OriginalPayloadSnapshot as usize + 1;

/// Every place with its key and what it holds, in the order of [`Field`].
pub const FIELDS: [(Field, &str, &str); FIELD_COUNT] = [
    (Field::Id, "id", "UUID; the idempotency key; if it is absent, the gate makes one"),
    (
        Field::OccurredAt,
        "occurred_at",
        "RFC 3339; the sender's clock, at most 5 minutes after and 7 days before receipt; microseconds, further digits are cut",
    ),
    (Field::UserId, "user_id", "UUID or null; who did it"),
    (Field::SessionId, "session_id", "string of 8 to 128 characters; the session it happened in"),
    (Field::EventType, "event_type", "string of 3 to 64 characters; an active entry of the event registry"),
    (Field::EventCategory, "event_category", "one of the six categories"),
    (Field::EventSource, "event_source", "string of at most 64 characters; the system that saw it"),
    (Field::UtmSource, "utm_source", "string of at most 256 characters, or null"),
    (Field::UtmMedium, "utm_medium", "string of at most 256 characters, or null"),
    (Field::UtmCampaign, "utm_campaign", "string of at most 256 characters, or null"),
    (Field::UtmContent, "utm_content", "string of at most 256 characters, or null"),
    (Field::UtmTerm, "utm_term", "string of at most 256 characters, or null"),
    (Field::SiteId, "site_id", "UUID; if it is absent, the default site"),
    (Field::Metadata, "metadata", "object, at most 8192 bytes"),
    (Field::Email, "email", "string; input only: replaced by metadata.email_hash, never stored"),
    (Field::ContentId, "content_id", "string or number; what the visitor engaged with"),
    (Field::PagePath, "page_path", "string or number; the page it happened on"),
    (Field::DurationSeconds, "duration_seconds", "number of at least 0"),
    (Field::ScrollDepthPercent, "scroll_depth_percent", "number from 0 to 100"),
    (Field::Channel, "channel", "the channel subscribed to"),
    (Field::ConsentRecorded, "consent_recorded", "exactly true"),
    (Field::EmailHash, "email_hash", "64 lower-case hex digits"),
    (Field::Platform, "platform", "where it was shared"),
    (Field::ShareType, "share_type", "how it was shared; never a like"),
    (Field::OutboundTarget, "outbound_target", "where the referral leads"),
    (Field::PriorState, "prior_state", "a registered state"),
    (Field::NewState, "new_state", "a registered state"),
    (Field::InactivityDays, "inactivity_days", "number of at least 0"),
    (Field::RuleId, "rule_id", "an active rule of the registry"),
    (Field::LandingPage, "landing_page", "the page the visit began on"),
    (Field::ValidationRuleId, "validation_rule_id", "the rule that was violated first"),
    (Field::ValidationResult, "validation_result", "the outcome of the validation"),
    (Field::SourceSystem, "source_system", "the system that judged"),
    (Field::RejectionReason, "rejection_reason", "why the event was rejected"),
    (Field::OriginalPayloadSnapshot, "original_payload_snapshot", "the rejected event, redacted"),
];

/// Their keys alone: the module needs no word about what they hold.
static NAMES: [&str; FIELD_COUNT] = {
    let mut names = [""; FIELD_COUNT];
    let mut index = 0;
    while index < FIELD_COUNT {
        names[index] = FIELDS[index].1;
        index += 1;
    }
    names
};

impl Field {
    /// The key as a sender writes it.
    pub const fn key(self) -> &'static str {
        NAMES[self as usize]
    }

    /// Whether the place is a key of `metadata` rather than a top-level field.
    pub const fn in_metadata(self) -> bool {
        self as u8 > Field::Email as u8
    }

    /// The place as a JSON pointer.
    pub fn path(self) -> String {
        if self.in_metadata() { format!("/metadata/{}", self.key()) } else { format!("/{}", self.key()) }
    }
}

/// The six canonical categories, as they are written.
pub const CATEGORIES: [&str; 6] = ["engagement", "subscription", "advocacy", "retention", "attribution", "system"];

/// One of the six canonical categories, in the order of [`CATEGORIES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Category {
    Engagement,
    Subscription,
    Advocacy,
    Retention,
    Attribution,
    System,
}

impl Category {
    /// The category as it is written.
    pub const fn name(self) -> &'static str {
        CATEGORIES[self as usize]
    }

    /// The category with exactly that name.
    pub fn named(name: &[u8]) -> Option<Category> {
        let place =
            CATEGORIES.iter().position(|category| category.len() == name.len() && category.as_bytes() == name)?;
        ALL_CATEGORIES.get(place).copied()
    }
}

const ALL_CATEGORIES: [Category; 6] = [
    Category::Engagement,
    Category::Subscription,
    Category::Advocacy,
    Category::Retention,
    Category::Attribution,
    Category::System,
];

/// The kind of a JSON value; `Absent` if the key is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    #[default]
    Absent,
    Null,
    False,
    True,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    /// The kind as JSON Schema and `jsonb_typeof` name it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Absent => "absent",
            Kind::Null => "null",
            Kind::False | Kind::True => "boolean",
            Kind::Number => "number",
            Kind::Text => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

/// A reason why a text cannot be taken as an event at all, in the order of the `parse` rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Fault {
    Json,
    Shape,
    Depth,
    Text,
    Number,
    DuplicateKey,
}

/// The words of which one makes a text the name of a like, in lower case.
pub const LIKE_WORDS: [&str; 20] = [
    "like",
    "likes",
    "liked",
    "liking",
    "unlike",
    "unliked",
    "thumb",
    "thumbs",
    "thumbsup",
    "heart",
    "hearts",
    "hearted",
    "reaction",
    "reactions",
    "react",
    "reacted",
    "upvote",
    "upvotes",
    "upvoted",
    "kudos",
];

/// The signs of a like, each of which is one if it stands alone: thumbs up, a heart, heart-shaped eyes and a star.
pub const LIKE_SIGNS: [&str; 4] = ["\u{1f44d}", "\u{2764}", "\u{1f60d}", "\u{2b50}"];

/// What may follow a sign without changing it: how it is shown, and the colour of a skin.
pub const SIGN_VARIANTS: [&str; 7] =
    ["\u{fe0e}", "\u{fe0f}", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"];

/// The words of which one makes a key the name of a score, in lower case.
pub const SCORE_WORDS: [&str; 2] = ["score", "scores"];

/// The characters of which one may stand between the two words of `prior_state` and `new_state` in a key.
pub const STATE_JOINTS: &str = "_ .-";

/// The SHA-256 of the empty text, which is the hash of nobody's address.
pub const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The metadata keys that are no part of what happened: the tracker adds them to every event, and the gate the hash of an
/// address. Each event type takes them, also one whose payload schema is closed.
pub const OWN_KEYS: [&str; 7] = [
    "tracker",
    "automated",
    "tracking_consent",
    "tracking_consent_at",
    "tracking_consent_version",
    "email_hash",
    "email_hash_kind",
];

/// The metadata keys that the gate itself adds, to audit rows and beside a hash, and that are no fields.
pub const RECORD_KEYS: [&str; 8] = [
    "email_hash_kind",
    "event_id",
    "contract",
    "payload_digest",
    "payload_bytes",
    "snapshot_shortened",
    "violations",
    "path",
];

/// The columns that hold text from the sender.
pub const TEXT_COLUMNS: [Field; 9] = [
    Field::SessionId,
    Field::EventType,
    Field::EventCategory,
    Field::EventSource,
    Field::UtmSource,
    Field::UtmMedium,
    Field::UtmCampaign,
    Field::UtmContent,
    Field::UtmTerm,
];
