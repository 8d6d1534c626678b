//! The vocabulary of an event: its fields, the metadata keys that rules speak of, and the kinds of value they can hold.

/// A place of an event that a rule can speak of: a top-level field, or a well-known key of `metadata`.
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
}

/// How many places there are.
pub const FIELD_COUNT: usize = Field::SourceSystem as usize + 1;

/// Every place with its key and what it holds, in the order of [`Field`].
pub const FIELDS: [(Field, &str, &str); FIELD_COUNT] = [
    (Field::Id, "id", "UUID; the idempotency key. Absent: the gate mints one"),
    (
        Field::OccurredAt,
        "occurred_at",
        "RFC 3339; the sender's clock, at most 5 minutes ahead of and 7 days behind receipt",
    ),
    (Field::UserId, "user_id", "UUID or null; who did it"),
    (Field::SessionId, "session_id", "text, 8 to 128; the session it happened in"),
    (Field::EventType, "event_type", "text, 3 to 64; an active entry of the event registry"),
    (Field::EventCategory, "event_category", "one of the six categories"),
    (Field::EventSource, "event_source", "text, at most 64; the system that saw it"),
    (Field::UtmSource, "utm_source", "text or null, at most 256"),
    (Field::UtmMedium, "utm_medium", "text or null, at most 256"),
    (Field::UtmCampaign, "utm_campaign", "text or null, at most 256"),
    (Field::UtmContent, "utm_content", "text or null, at most 256"),
    (Field::UtmTerm, "utm_term", "text or null, at most 256"),
    (Field::SiteId, "site_id", "UUID; absent: the default site"),
    (Field::Metadata, "metadata", "object, at most 8192 bytes"),
    (Field::Email, "email", "text; input only, replaced by metadata.email_hash, never stored"),
    (Field::ContentId, "content_id", "what was engaged with"),
    (Field::PagePath, "page_path", "the page it happened on"),
    (Field::DurationSeconds, "duration_seconds", "number, at least 0"),
    (Field::ScrollDepthPercent, "scroll_depth_percent", "number, 0 to 100"),
    (Field::Channel, "channel", "the channel subscribed to"),
    (Field::ConsentRecorded, "consent_recorded", "exactly true"),
    (Field::EmailHash, "email_hash", "64 lower-case hex digits"),
    (Field::Platform, "platform", "where it was shared"),
    (Field::ShareType, "share_type", "how it was shared; never a like"),
    (Field::OutboundTarget, "outbound_target", "where the referral leads"),
    (Field::PriorState, "prior_state", "a registered state"),
    (Field::NewState, "new_state", "a registered state"),
    (Field::InactivityDays, "inactivity_days", "number, at least 0"),
    (Field::RuleId, "rule_id", "an active rule of the registry"),
    (Field::LandingPage, "landing_page", "the page the visit began on"),
    (Field::ValidationRuleId, "validation_rule_id", "the rule that was violated first"),
    (Field::ValidationResult, "validation_result", "the outcome of the validation"),
    (Field::SourceSystem, "source_system", "the system that judged"),
];

impl Field {
    /// The key as a sender writes it.
    pub const fn key(self) -> &'static str {
        FIELDS[self as usize].1
    }

    /// Whether the place is a key of `metadata` rather than a top-level field.
    pub const fn in_metadata(self) -> bool {
        self as u8 > Field::Email as u8
    }

    /// The place as a JSON pointer.
    pub fn path(self) -> String {
        if self.in_metadata() { format!("/metadata/{}", self.key()) } else { format!("/{}", self.key()) }
    }

    /// The top-level field of that name.
    #[inline]
    pub fn top_level(key: &[u8]) -> Option<Field> {
        named(key, &TOP_LEVEL)
    }

    /// The well-known metadata key of that name.
    #[inline]
    pub fn of_metadata(key: &[u8]) -> Option<Field> {
        named(key, &OF_METADATA)
    }
}

/// A table of names without collisions: one look and one comparison find a field.
type Names = [Option<(Field, &'static str)>; 64];

const TOP_LEVEL: Names = names(false);
const OF_METADATA: Names = names(true);

const fn names(in_metadata: bool) -> Names {
    let mut names: Names = [None; 64];
    let mut index = 0;
    while index < FIELD_COUNT {
        let (field, key, _) = FIELDS[index];
        if field.in_metadata() == in_metadata {
            let bytes = key.as_bytes();
            let slot = slot(bytes[0], bytes[bytes.len() - 1], bytes.len());
            assert!(names[slot].is_none(), "two fields share a slot: choose other factors");
            names[slot] = Some((field, key));
        }
        index += 1;
    }
    names
}

const fn slot(first: u8, last: u8, length: usize) -> usize {
    (first as usize + last as usize + length * 18) & 63
}

#[inline]
fn named(key: &[u8], names: &Names) -> Option<Field> {
    let slot = slot(*key.first()?, *key.last()?, key.len());
    let (field, name) = names.get(slot).copied().flatten()?;
    crate::text::is_same(key, name.as_bytes()).then_some(field)
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

    /// The category of that exact name.
    pub fn named(name: &[u8]) -> Option<Category> {
        Some(match name {
            b"engagement" => Category::Engagement,
            b"subscription" => Category::Subscription,
            b"advocacy" => Category::Advocacy,
            b"retention" => Category::Retention,
            b"attribution" => Category::Attribution,
            b"system" => Category::System,
            _ => return None,
        })
    }
}

/// What a JSON value is; `Absent` where the key is not there.
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

/// A value as a span of the input. For text the quotes are outside the span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// What was seen in a text: see [`Value::ESCAPED`] and its neighbours.
    pub flags: u8,
    /// Its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Value {
    /// The text holds a backslash escape.
    pub const ESCAPED: u8 = 1;
    /// The text holds a byte outside ASCII.
    pub const NON_ASCII: u8 = 2;
    /// The text holds `@`, `%` or `+`, without which there is neither an e-mail address nor a phone number.
    pub const AT: u8 = 4;
    /// The text holds enough digits for a card or social security number.
    pub const DIGITS: u8 = 8;

    /// The bytes of the value in the text it was read from.
    #[inline]
    pub fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether a text has any of these flags.
    #[inline]
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags != 0
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

/// A set of [`Fault`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults(u8);

impl Faults {
    /// Adds one.
    #[inline]
    pub fn add(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }

    /// Whether it is among them.
    #[inline]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// Whether it holds none but these.
    pub const fn is_within(self, others: Faults) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One member of `metadata`, kept for the payload schemas.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its key.
    pub key: Value,
    /// Its value.
    pub value: Value,
}

/// An event, read: spans into the text it was read from.
#[derive(Debug)]
pub struct Event {
    /// Its first byte in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Why it cannot be judged, if it cannot.
    pub faults: Faults,
    /// The value of every [`Field`], in their order.
    pub values: [Value; FIELD_COUNT],
    /// Whether a top-level field outside the vocabulary was there.
    pub unknown_field: bool,
    /// The bytes of `metadata` as Postgres writes a `jsonb`: the one measure of its size that every engine shares.
    pub metadata_size: usize,
    /// The members of `metadata`.
    pub members: Vec<Member>,
    /// Texts and keys of `metadata`, at any depth, that need a closer look for personal data.
    pub suspects: Vec<Value>,
    /// Keys of `metadata`, at any depth, that are not well known.
    pub keys: Vec<Value>,
}

impl Default for Event {
    fn default() -> Self {
        Event {
            start: 0,
            end: 0,
            faults: Faults::default(),
            values: [Value::default(); FIELD_COUNT],
            unknown_field: false,
            metadata_size: 0,
            members: Vec::new(),
            suspects: Vec::new(),
            keys: Vec::new(),
        }
    }
}

impl Event {
    /// The value at a place.
    #[inline]
    pub fn value(&self, field: Field) -> Value {
        self.values[field as usize]
    }

    /// Makes the event empty again, keeping what it has allocated.
    pub fn clear(&mut self) {
        self.faults = Faults::default();
        self.values = [Value::default(); FIELD_COUNT];
        self.unknown_field = false;
        self.metadata_size = 0;
        self.members.clear();
        self.suspects.clear();
        self.keys.clear();
    }
}
