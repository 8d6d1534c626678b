//! The contract: the table of rules, and nothing else.
//!
//! The order is the order in which violations are reported. Ids are public and never change their meaning.

use super::limits::{METADATA_BYTES, SESSION_LENGTH, UTM_LENGTH};
use super::rule::{Explanation, Expr, List, Rule, RuleKind};
use super::vocabulary::{CATEGORIES, Category, Fault, Field, Kind};
use Category::{Advocacy, Attribution, Engagement, Retention, Subscription, System};
use Expr::{
    All, Always, Any, CategoryAgrees, Email, EmailAgrees, Is, Length, Like, Listed, MetadataWithin, NoBlockedJump,
    NoIdReuse, NoPersonalKey, NoPersonalValue, NoRawEmail, NoScoreKey, NoSecret, NoTwinWithin, NonEmptyText, Not,
    Number, OccurredWithin, OneOf, OnlyKnownFields, OwnUser, PayloadAgrees, Present, Readable, RuleTermsAgree, Sha256,
    SiteAccepts, Timestamp, TrustedCaller, Uuid,
};
use Field as F;
use RuleKind::{Contract, Guard};

/// An example event: its type, category and metadata, and any further top-level members.
macro_rules! event {
    ($kind:literal, $category:literal, $metadata:literal $(, $more:literal)?) => {
        concat!(
            r#"{"session_id":"session-0001","event_type":""#, $kind, r#"","event_category":""#, $category,
            r#"","event_source":"web""#, $(",", $more,)? r#","metadata":"#, $metadata, "}"
        )
    };
}

const PAGE: &str = event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#);
const VIEW: &str = event!("content_view", "engagement", r#"{"content_id":"guide-7","duration_seconds":42}"#);
const SUBSCRIBE: &str = event!(
    "email_subscribe",
    "subscription",
    r#"{"channel":"newsletter","consent_recorded":true}"#,
    r#""email":"ada@example.com""#
);
const REFERRAL: &str = event!(
    "referral_click",
    "advocacy",
    r#"{"platform":"mastodon","share_type":"link","outbound_target":"https://example.com/guide"}"#
);
const INACTIVE: &str = event!(
    "inactivity_detected",
    "retention",
    r#"{"prior_state":"S2","new_state":"S1","inactivity_days":14,"rule_id":"inactivity_14d"}"#
);
const LANDING: &str = event!("campaign_landing", "attribution", r#"{"landing_page":"/start"}"#);
const CAMPAIGN: &str = event!(
    "campaign_landing",
    "attribution",
    r#"{"landing_page":"/start"}"#,
    r#""utm_source":"news","utm_medium":"email","utm_campaign":"spring""#
);
const SIGNED_IN: &str = event!(
    "auth_signed_in",
    "system",
    r#"{"validation_rule_id":"none","validation_result":"accepted","source_system":"auth"}"#
);
const AUDIT: &str = event!(
    "event_validation_fail",
    "system",
    r#"{"validation_rule_id":"base.id","validation_result":"rejected","source_system":"crm","rejection_reason":"`id` is not a UUID","original_payload_snapshot":{"id":"42"}}"#
);
const OWNED: &str = event!(
    "page_view",
    "engagement",
    r#"{"page_path":"/pricing"}"#,
    r#""id":"3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e","user_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","site_id":"00000000-0000-4000-8000-000000000001""#
);
const TIMED: &str =
    event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""occurred_at":"2026-11-21T12:00:00Z""#);

/// An event whose metadata has one byte too many.
const TOO_LARGE: &str = include_str!("too_large.json");

/// If the field is present, the expression holds.
macro_rules! optional {
    ($field:expr, $holds:expr) => {
        Any(&[Not(&Present($field)), $holds])
    };
}

/// Text, null or absent.
macro_rules! text_or_null {
    ($field:expr) => {
        Any(&[Is($field, Kind::Text), Is($field, Kind::Absent), Is($field, Kind::Null)])
    };
}

/// If the field is text, it has at most this many characters.
macro_rules! at_most {
    ($field:expr, $most:expr) => {
        Any(&[Not(&Is($field, Kind::Text)), Length($field, 0, $most)])
    };
}

const CONTENT_VIEW: Expr = OneOf(F::EventType, &["content_view"]);
const BY_EMAIL: Expr = OneOf(F::EventType, &["email_subscribe"]);
const EMAIL_SUBSCRIBE: Expr = All(&[OneOf(F::EventCategory, &["subscription"]), BY_EMAIL]);

/// The jumps that skip too many states to be believed, until the registry says otherwise.
pub const BLOCKED_JUMPS: [(&str, &str); 3] = [("S0", "S3"), ("S1", "S4"), ("S0", "S5")];

/// The registered states, until the registry says otherwise.
pub const STATES: [&str; 6] = ["S0", "S1", "S2", "S3", "S4", "S5"];

/// The version of the user's document that the table implements.
pub const VERSION: &str = "1.2";

/// Every rule, in order.
pub const RULES: &[Rule] = &[
    Rule {
        id: "parse.json",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Json),
        reason: "the text is not JSON (RFC 8259) in UTF-8, so nothing in it can be judged; send one JSON object, an array of objects, or one object per line",
        path: "",
        accepts: PAGE,
        rejects: r#"{"session_id":"session-0001","#,
    },
    Rule {
        id: "parse.shape",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Shape),
        reason: "this is JSON but not an object, and an event is always an object; send one such as {\"session_id\": …}",
        path: "",
        accepts: PAGE,
        rejects: "[42]",
    },
    Rule {
        id: "parse.depth",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Depth),
        reason: "the event is nested more than 32 levels deep, which some readers cannot follow; flatten `metadata`",
        path: "/metadata",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    },
    Rule {
        id: "parse.text",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Text),
        reason: "a string contains U+0000 or an unpaired surrogate, which Postgres cannot store; remove it, or send the whole character",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/a\u0000b"}"#),
    },
    Rule {
        id: "parse.number",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Number),
        reason: "a number is longer than 64 characters or too large for double precision, so two systems could read it differently; round it, or send it as a string",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","ratio":1e400}"#),
    },
    Rule {
        id: "parse.duplicate_key",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::DuplicateKey),
        reason: "an object contains the same key twice, and readers disagree about which one counts; send each key once",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/a","page_path":"/b"}"#),
    },
    Rule {
        id: "base.field_known",
        kind: Guard,
        category: None,
        when: Always,
        must: OnlyKnownFields,
        reason: "a top-level field is not part of the event, so its value would be lost; move it into `metadata`, or correct its name",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""colour":"red""#),
    },
    Rule {
        id: "base.id",
        kind: Guard,
        category: None,
        when: Present(F::Id),
        must: Uuid(F::Id),
        reason: "`id` is not a UUID, so a retry could not be recognised; send a UUID of 36 characters, or leave it out",
        path: "/id",
        accepts: OWNED,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""id":"42""#),
    },
    Rule {
        id: "base.user_id",
        kind: Guard,
        category: None,
        when: Present(F::UserId),
        must: Uuid(F::UserId),
        reason: "`user_id` is not a UUID, so it cannot be a user of the project; send the user's UUID of 36 characters, or leave it out",
        path: "/user_id",
        accepts: OWNED,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""user_id":"42""#),
    },
    Rule {
        id: "base.site_id",
        kind: Guard,
        category: None,
        when: Present(F::SiteId),
        must: Uuid(F::SiteId),
        reason: "`site_id` is not a UUID, so it cannot be one of the sites; send the site's UUID of 36 characters, or leave it out",
        path: "/site_id",
        accepts: OWNED,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""site_id":"42""#),
    },
    Rule {
        id: "base.session_id",
        kind: Contract,
        category: None,
        when: Always,
        must: NonEmptyText(F::SessionId),
        reason: "`session_id` is missing or empty, so the event cannot be grouped with the rest of its visit; send a non-empty string",
        path: "/session_id",
        accepts: PAGE,
        rejects: r#"{"event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "base.event_type",
        kind: Contract,
        category: None,
        when: Always,
        must: NonEmptyText(F::EventType),
        reason: "`event_type` is missing or empty, so nobody can tell what happened; send the id of a registered event type",
        path: "/event_type",
        accepts: PAGE,
        rejects: r#"{"session_id":"session-0001","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "base.event_category",
        kind: Contract,
        category: None,
        when: Always,
        must: NonEmptyText(F::EventCategory),
        reason: "`event_category` is missing or empty, so the rules of its category cannot be applied; send the category of the event type",
        path: "/event_category",
        accepts: PAGE,
        rejects: r#"{"session_id":"session-0001","event_type":"page_view","event_source":"web","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "base.event_source",
        kind: Contract,
        category: None,
        when: Always,
        must: NonEmptyText(F::EventSource),
        reason: "`event_source` is missing or empty, so the event cannot be traced to the system that saw it; send that system's name",
        path: "/event_source",
        accepts: PAGE,
        rejects: r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "base.utm",
        kind: Guard,
        category: None,
        when: Always,
        must: All(&[
            text_or_null!(F::UtmSource),
            text_or_null!(F::UtmMedium),
            text_or_null!(F::UtmCampaign),
            text_or_null!(F::UtmContent),
            text_or_null!(F::UtmTerm),
        ]),
        reason: "a `utm_*` field is neither a string nor null, so campaigns could not be compared; send a string, or leave it out",
        path: "",
        accepts: CAMPAIGN,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""utm_term":7"#),
    },
    Rule {
        id: "base.metadata",
        kind: Contract,
        category: None,
        when: Not(&Any(&[Is(F::Metadata, Kind::Absent), Is(F::Metadata, Kind::Null)])),
        must: Is(F::Metadata, Kind::Object),
        reason: "`metadata` is not an object, so the rules cannot find its keys; send an object, or leave it out",
        path: "/metadata",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"["page_path"]"#),
    },
    Rule {
        id: "base.occurred_at",
        kind: Guard,
        category: None,
        when: Present(F::OccurredAt),
        must: Timestamp,
        reason: "`occurred_at` is not an RFC 3339 timestamp, so the event cannot be put in order; send for example 2026-11-21T09:30:00Z",
        path: "/occurred_at",
        accepts: TIMED,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""occurred_at":"yesterday""#),
    },
    Rule {
        id: "base.email",
        kind: Guard,
        category: None,
        when: All(&[Present(F::Email), Not(&EMAIL_SUBSCRIBE)]),
        must: All(&[Email, EmailAgrees]),
        reason: "`email` is not a valid address or does not match `metadata.email_hash`, so the gate cannot replace it with its hash; correct it, or leave it out",
        path: "/email",
        accepts: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""email":"ada@example.com""#),
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing"}"#, r#""email":"ada""#),
    },
    Rule {
        id: "sanity.event_type_length",
        kind: Contract,
        category: None,
        when: NonEmptyText(F::EventType),
        must: Length(F::EventType, 3, 64),
        reason: "`event_type` has fewer than 3 or more than 64 characters, which no registered event type has; send the id of a registered event type",
        path: "/event_type",
        accepts: PAGE,
        rejects: event!("pv", "engagement", r#"{"page_path":"/pricing"}"#),
    },
    Rule {
        id: "sanity.session_id_length",
        kind: Contract,
        category: None,
        when: NonEmptyText(F::SessionId),
        must: Length(F::SessionId, SESSION_LENGTH.0, SESSION_LENGTH.1),
        reason: "`session_id` has fewer than 8 or more than 128 characters, so it could collide with another session or bloat the index; send a random id such as a UUID",
        path: "/session_id",
        accepts: PAGE,
        rejects: r#"{"session_id":"s-1","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "sanity.text_length",
        kind: Guard,
        category: None,
        when: Always,
        must: All(&[
            at_most!(F::EventSource, 64),
            at_most!(F::UtmSource, UTM_LENGTH),
            at_most!(F::UtmMedium, UTM_LENGTH),
            at_most!(F::UtmCampaign, UTM_LENGTH),
            at_most!(F::UtmContent, UTM_LENGTH),
            at_most!(F::UtmTerm, UTM_LENGTH),
        ]),
        reason: "`event_source` has more than 64 characters or a `utm_*` field more than 256, which is too long to index; shorten it",
        path: "",
        accepts: CAMPAIGN,
        rejects: r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "sanity.metadata_size",
        kind: Contract,
        category: None,
        when: Is(F::Metadata, Kind::Object),
        must: MetadataWithin(METADATA_BYTES as u32),
        reason: "`metadata` is larger than 8192 bytes, which is more than an event should carry; send ids and measures, and keep documents elsewhere",
        path: "/metadata",
        accepts: PAGE,
        rejects: TOO_LARGE,
    },
    Rule {
        id: "sanity.event_category",
        kind: Contract,
        category: None,
        when: NonEmptyText(F::EventCategory),
        must: OneOf(F::EventCategory, &CATEGORIES),
        reason: "`event_category` is not one of engagement, subscription, advocacy, retention, attribution and system, so the rules of no category apply; send one of them, in lower case",
        path: "/event_category",
        accepts: PAGE,
        rejects: event!("page_view", "Engagement", r#"{"page_path":"/pricing"}"#),
    },
    Rule {
        id: "sanity.occurred_at_window",
        kind: Guard,
        category: None,
        when: Timestamp,
        must: OccurredWithin(300, 604_800),
        reason: "`occurred_at` is more than 5 minutes after or 7 days before the time of receipt, so it would rewrite settled history; correct the sender's clock, or load old events with `audience-gate load`",
        path: "/occurred_at",
        accepts: TIMED,
        rejects: event!(
            "page_view",
            "engagement",
            r#"{"page_path":"/pricing"}"#,
            r#""occurred_at":"2020-01-01T00:00:00Z""#
        ),
    },
    Rule {
        id: "engagement.subject",
        kind: Contract,
        category: Some(Engagement),
        when: Always,
        must: Any(&[
            NonEmptyText(F::ContentId),
            Is(F::ContentId, Kind::Number),
            NonEmptyText(F::PagePath),
            Is(F::PagePath, Kind::Number),
        ]),
        reason: "neither `content_id` nor `page_path` says what the visitor engaged with; send one of them in `metadata`, as a string or a number",
        path: "/metadata",
        accepts: VIEW,
        rejects: event!("page_view", "engagement", r#"{}"#),
    },
    Rule {
        id: "engagement.measure",
        kind: Guard,
        category: Some(Engagement),
        when: Always,
        must: All(&[
            optional!(F::DurationSeconds, Number(F::DurationSeconds, 0, None)),
            optional!(F::ScrollDepthPercent, Number(F::ScrollDepthPercent, 0, Some(100))),
        ]),
        reason: "`duration_seconds` is not a number of 0 or more, or `scroll_depth_percent` is not a number from 0 to 100, so scores would be wrong; send plain numbers",
        path: "/metadata",
        accepts: VIEW,
        rejects: event!(
            "content_view",
            "engagement",
            r#"{"content_id":"guide-7","duration_seconds":42,"scroll_depth_percent":101}"#
        ),
    },
    Rule {
        id: "engagement.content_view_evidence",
        kind: Contract,
        category: Some(Engagement),
        when: CONTENT_VIEW,
        must: Any(&[Present(F::DurationSeconds), Present(F::ScrollDepthPercent)]),
        reason: "a content view has neither `duration_seconds` nor `scroll_depth_percent`, so nothing shows that the content was viewed; send at least one of them",
        path: "/metadata",
        accepts: VIEW,
        rejects: event!("content_view", "engagement", r#"{"content_id":"guide-7"}"#),
    },
    Rule {
        id: "engagement.content_view_threshold",
        kind: Contract,
        category: Some(Engagement),
        when: CONTENT_VIEW,
        must: Any(&[Number(F::DurationSeconds, 20, None), Number(F::ScrollDepthPercent, 30, None)]),
        reason: "the view lasted less than 20 seconds and reached less than 30 percent of the page, so counting it would inflate the score; send it once either threshold is reached",
        path: "/metadata",
        accepts: VIEW,
        rejects: event!(
            "content_view",
            "engagement",
            r#"{"content_id":"guide-7","duration_seconds":19.9,"scroll_depth_percent":29}"#
        ),
    },
    Rule {
        id: "subscription.channel",
        kind: Contract,
        category: Some(Subscription),
        when: Always,
        must: Present(F::Channel),
        reason: "`channel` is missing or empty, so nobody can tell what was subscribed to; send it in `metadata`",
        path: "/metadata/channel",
        accepts: SUBSCRIBE,
        rejects: event!("push_subscribe", "subscription", r#"{"consent_recorded":true}"#),
    },
    Rule {
        id: "subscription.consent",
        kind: Contract,
        category: Some(Subscription),
        when: Always,
        must: Is(F::ConsentRecorded, Kind::True),
        reason: "`consent_recorded` is not exactly true, and a subscription must not be recorded without consent; ask for consent, then send true",
        path: "/metadata/consent_recorded",
        accepts: SUBSCRIBE,
        rejects: event!("push_subscribe", "subscription", r#"{"channel":"web-push","consent_recorded":"true"}"#),
    },
    Rule {
        id: "subscription.email_hash",
        kind: Contract,
        category: Some(Subscription),
        when: Always,
        must: All(&[
            optional!(F::EmailHash, Sha256(F::EmailHash)),
            Any(&[
                Not(&BY_EMAIL),
                All(&[Any(&[Present(F::Email), Present(F::EmailHash)]), optional!(F::Email, Email), EmailAgrees]),
            ]),
        ]),
        reason: "an e-mail subscription needs exactly one address, and only as its hash; send `metadata.email_hash` as the 64 lower-case hex digits of a real hash, or `email` for the gate to hash; if you send both, they must match",
        path: "/metadata/email_hash",
        accepts: SUBSCRIBE,
        rejects: event!("email_subscribe", "subscription", r#"{"channel":"newsletter","consent_recorded":true}"#),
    },
    Rule {
        id: "advocacy.platform",
        kind: Contract,
        category: Some(Advocacy),
        when: Always,
        must: Present(F::Platform),
        reason: "`platform` is missing or empty, so nobody can tell where it was shared; send it in `metadata`",
        path: "/metadata/platform",
        accepts: REFERRAL,
        rejects: event!("content_share", "advocacy", r#"{"share_type":"link"}"#),
    },
    Rule {
        id: "advocacy.share_type",
        kind: Contract,
        category: Some(Advocacy),
        when: Always,
        must: Present(F::ShareType),
        reason: "`share_type` is missing or empty, so nobody can tell how it was shared; send it in `metadata`",
        path: "/metadata/share_type",
        accepts: REFERRAL,
        rejects: event!("content_share", "advocacy", r#"{"platform":"mastodon"}"#),
    },
    Rule {
        id: "advocacy.outbound_target",
        kind: Contract,
        category: Some(Advocacy),
        when: OneOf(F::EventType, &["referral_click"]),
        must: Present(F::OutboundTarget),
        reason: "`outbound_target` is missing or empty, so nobody can tell where the referral leads; send it in `metadata`",
        path: "/metadata/outbound_target",
        accepts: REFERRAL,
        rejects: event!("referral_click", "advocacy", r#"{"platform":"mastodon","share_type":"link"}"#),
    },
    Rule {
        id: "advocacy.not_like",
        kind: Contract,
        category: Some(Advocacy),
        when: Always,
        must: Not(&Any(&[Like(F::EventType), Like(F::ShareType)])),
        reason: "a like or another reaction is not advocacy, and counting it would inflate reach; send it as engagement, or not at all",
        path: "/metadata/share_type",
        accepts: REFERRAL,
        rejects: event!("content_share", "advocacy", r#"{"platform":"mastodon","share_type":"Like"}"#),
    },
    Rule {
        id: "retention.prior_state",
        kind: Contract,
        category: Some(Retention),
        when: Always,
        must: Listed(F::PriorState, List::States),
        reason: "`prior_state` is missing or not a registered state, so nobody can tell where the change began; send a registered state, such as S2",
        path: "/metadata/prior_state",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S9","new_state":"S1","inactivity_days":14,"rule_id":"inactivity_14d"}"#
        ),
    },
    Rule {
        id: "retention.new_state",
        kind: Contract,
        category: Some(Retention),
        when: Always,
        must: Listed(F::NewState, List::States),
        reason: "`new_state` is missing or not a registered state, so nobody can tell where the change ended; send a registered state, such as S1",
        path: "/metadata/new_state",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S2","new_state":"s1","inactivity_days":14,"rule_id":"inactivity_14d"}"#
        ),
    },
    Rule {
        id: "retention.inactivity_days",
        kind: Contract,
        category: Some(Retention),
        when: Always,
        must: Number(F::InactivityDays, 0, None),
        reason: "`inactivity_days` is not a number of 0 or more, so the change cannot be explained; send the number of days since the last activity",
        path: "/metadata/inactivity_days",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S2","new_state":"S1","inactivity_days":-1,"rule_id":"inactivity_14d"}"#
        ),
    },
    Rule {
        id: "retention.rule_id",
        kind: Contract,
        category: Some(Retention),
        when: Always,
        must: Present(F::RuleId),
        reason: "`rule_id` is missing or empty, so nobody can tell which rule changed the state; send the id of a registered rule",
        path: "/metadata/rule_id",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S2","new_state":"S1","inactivity_days":14}"#
        ),
    },
    Rule {
        id: "retention.rule_recognised",
        kind: Contract,
        category: Some(Retention),
        when: Present(F::RuleId),
        must: Listed(F::RuleId, List::RetentionRules),
        reason: "`rule_id` is not an active rule of the registry, so the change cannot be traced; register the rule, or send the id of a registered one",
        path: "/metadata/rule_id",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S2","new_state":"S1","inactivity_days":14,"rule_id":"hunch"}"#
        ),
    },
    Rule {
        id: "retention.rule_terms",
        kind: Contract,
        category: Some(Retention),
        when: Listed(F::RuleId, List::RetentionRules),
        must: RuleTermsAgree,
        reason: "the rule that `rule_id` names is about other states or needs more days of inactivity, so it does not explain this change; send the states of that rule and at least as many days as it needs, or the id of the rule that was applied",
        path: "/metadata/rule_id",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S5","new_state":"S0","inactivity_days":14,"rule_id":"inactivity_14d"}"#
        ),
    },
    Rule {
        id: "retention.trusted_caller",
        kind: Guard,
        category: Some(Retention),
        when: Always,
        must: TrustedCaller,
        reason: "only a trusted back end may send retention events, because nobody decides about their own state; send them from your server, with a secret key",
        path: "/event_category",
        accepts: INACTIVE,
        rejects: INACTIVE,
    },
    Rule {
        id: "attribution.landing_page",
        kind: Contract,
        category: Some(Attribution),
        when: Always,
        must: Present(F::LandingPage),
        reason: "`landing_page` is missing or empty, so nobody can tell where the visit began; send it in `metadata`",
        path: "/metadata/landing_page",
        accepts: LANDING,
        rejects: event!("campaign_landing", "attribution", r#"{}"#),
    },
    Rule {
        id: "attribution.utm_complete",
        kind: Contract,
        category: Some(Attribution),
        when: Present(F::UtmCampaign),
        must: All(&[Present(F::UtmSource), Present(F::UtmMedium)]),
        reason: "`utm_campaign` was sent without both `utm_source` and `utm_medium`, so the visit cannot be attributed; send all three, or none",
        path: "/utm_campaign",
        accepts: CAMPAIGN,
        rejects: event!(
            "campaign_landing",
            "attribution",
            r#"{"landing_page":"/start"}"#,
            r#""utm_campaign":"spring","utm_source":"news""#
        ),
    },
    Rule {
        id: "system.validation_rule_id",
        kind: Contract,
        category: Some(System),
        when: Always,
        must: Present(F::ValidationRuleId),
        reason: "`validation_rule_id` is missing or empty, so nobody can tell which rule was applied; send it in `metadata`",
        path: "/metadata/validation_rule_id",
        accepts: SIGNED_IN,
        rejects: event!("auth_signed_in", "system", r#"{"validation_result":"accepted","source_system":"auth"}"#),
    },
    Rule {
        id: "system.validation_result",
        kind: Contract,
        category: Some(System),
        when: Always,
        must: Present(F::ValidationResult),
        reason: "`validation_result` is missing or empty, so nobody can tell how the validation ended; send it in `metadata`",
        path: "/metadata/validation_result",
        accepts: SIGNED_IN,
        rejects: event!("auth_signed_in", "system", r#"{"validation_rule_id":"none","source_system":"auth"}"#),
    },
    Rule {
        id: "system.source_system",
        kind: Contract,
        category: Some(System),
        when: Always,
        must: Present(F::SourceSystem),
        reason: "`source_system` is missing or empty, so nobody can tell which system reported the event; send it in `metadata`",
        path: "/metadata/source_system",
        accepts: SIGNED_IN,
        rejects: event!("auth_signed_in", "system", r#"{"validation_rule_id":"none","validation_result":"accepted"}"#),
    },
    Rule {
        id: "system.audit_complete",
        kind: Contract,
        category: Some(System),
        when: OneOf(F::EventType, &["event_validation_fail"]),
        must: All(&[Present(F::RejectionReason), Not(&Is(F::OriginalPayloadSnapshot, Kind::Absent))]),
        reason: "the record of a rejection has no `rejection_reason` or no `original_payload_snapshot`, so nobody could look into it; send both in `metadata`",
        path: "/metadata",
        accepts: AUDIT,
        rejects: event!(
            "event_validation_fail",
            "system",
            r#"{"validation_rule_id":"base.id","validation_result":"rejected","source_system":"crm"}"#
        ),
    },
    Rule {
        id: "system.no_score",
        kind: Contract,
        category: Some(System),
        when: Always,
        must: NoScoreKey,
        reason: "a system event contains a score, and system events must not change one; remove every key with the word score, such as `engagement_score`",
        path: "/metadata",
        accepts: SIGNED_IN,
        rejects: event!(
            "auth_signed_in",
            "system",
            r#"{"validation_rule_id":"none","validation_result":"accepted","source_system":"auth","leadScore":5}"#
        ),
    },
    Rule {
        id: "system.trusted_caller",
        kind: Guard,
        category: Some(System),
        when: Always,
        must: TrustedCaller,
        reason: "only a trusted back end may send system events, so that nobody can forge the record; send them from your server, with a secret key",
        path: "/event_category",
        accepts: SIGNED_IN,
        rejects: SIGNED_IN,
    },
    Rule {
        id: "state.escalation",
        kind: Contract,
        category: None,
        when: Always,
        must: NoBlockedJump,
        reason: "the step from `prior_state` to `new_state` is blocked because it skips the states in between; send each step as an event of its own",
        path: "/metadata",
        accepts: INACTIVE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","prior_state":"S0","new_state":"S3"}"#),
    },
    Rule {
        id: "privacy.raw_email",
        kind: Contract,
        category: None,
        when: Always,
        must: NoRawEmail,
        reason: "a string or key contains a raw e-mail address, which must never be stored; send it in `email` for the gate to hash, or remove it",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/thanks?to=ada%40example.com"}"#),
    },
    Rule {
        id: "privacy.personal_key",
        kind: Contract,
        category: None,
        when: Always,
        must: NoPersonalKey,
        reason: "a `metadata` key names personal data, which must not be collected; remove it, or send a pseudonymous id under another key",
        path: "/metadata",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","firstName":"Ada"}"#),
    },
    Rule {
        id: "privacy.personal_value",
        kind: Contract,
        category: None,
        when: Always,
        must: NoPersonalValue,
        reason: "a string or number contains what looks like a card, social security, telephone or bank account number, is an IP address or has a query string that names personal data, which must not be collected; remove it",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","note":"call +14155552671"}"#),
    },
    Rule {
        id: "privacy.secret",
        kind: Guard,
        category: None,
        when: Always,
        must: NoSecret,
        reason: "a string contains a credential, which would let whoever reads it act for its owner; remove it, and revoke the credential",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/reset?token=4f9c21d07b"}"#),
    },
    Rule {
        id: "identity.user_id",
        kind: Contract,
        category: None,
        when: Always,
        must: OwnUser,
        reason: "this caller may not send events for this `user_id`; leave it out, sign in as that user, or send from a trusted back end",
        path: "/user_id",
        accepts: OWNED,
        rejects: event!(
            "page_view",
            "engagement",
            r#"{"page_path":"/pricing"}"#,
            r#""user_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7""#
        ),
    },
    Rule {
        id: "identity.id_reuse",
        kind: Guard,
        category: None,
        when: Present(F::Id),
        must: NoIdReuse,
        reason: "an event with this `id` but other contents was recorded before, and an id belongs to one event; send a new id, or retry with the very same contents",
        path: "/id",
        accepts: OWNED,
        rejects: OWNED,
    },
    Rule {
        id: "identity.site",
        kind: Contract,
        category: None,
        when: Any(&[Not(&Present(F::SiteId)), Uuid(F::SiteId)]),
        must: SiteAccepts,
        reason: "the site is not registered, or does not allow the origin that sent this; register the site, or add the origin to its list",
        path: "/site_id",
        accepts: OWNED,
        rejects: event!(
            "page_view",
            "engagement",
            r#"{"page_path":"/pricing"}"#,
            r#""site_id":"11111111-1111-4111-8111-111111111111""#
        ),
    },
    Rule {
        id: "registry.event_type",
        kind: Contract,
        category: None,
        when: NonEmptyText(F::EventType),
        must: Listed(F::EventType, List::EventTypes),
        reason: "`event_type` is not an active event type of the registry, and only those are accepted; register it, or send a registered one",
        path: "/event_type",
        accepts: PAGE,
        rejects: event!("page_veiw", "engagement", r#"{"page_path":"/pricing"}"#),
    },
    Rule {
        id: "registry.event_category",
        kind: Contract,
        category: None,
        when: All(&[Listed(F::EventType, List::EventTypes), OneOf(F::EventCategory, &CATEGORIES)]),
        must: CategoryAgrees,
        reason: "the registry lists this `event_type` under another category, so it would be counted in the wrong place; send the category that the registry gives",
        path: "/event_category",
        accepts: PAGE,
        rejects: event!("site_search", "attribution", r#"{"landing_page":"/start"}"#),
    },
    Rule {
        id: "registry.payload",
        kind: Contract,
        category: None,
        when: Listed(F::EventType, List::EventTypes),
        must: PayloadAgrees,
        reason: "`metadata` does not match the payload schema of this `event_type`, so nobody could rely on what it says; send the keys and types that the registry lists, and no others if the schema is closed",
        path: "/metadata",
        accepts: VIEW,
        rejects: event!("content_view", "engagement", r#"{"content_id":7,"duration_seconds":42}"#),
    },
    Rule {
        id: "duplicate.double_fire",
        kind: Contract,
        category: None,
        when: Always,
        must: NoTwinWithin(3),
        reason: "this `event_type` was already recorded for the same user and session less than 3 seconds before or after, so this looks like a double fire; send each action once, and retry with the same `id`",
        path: "",
        accepts: PAGE,
        rejects: PAGE,
    },
];

/// What senders are told about every rule, in order; a running gate needs nothing else of the table.
pub static EXPLANATIONS: [Explanation; RULES.len()] = {
    let mut told = [Explanation { id: "", reason: "", path: "" }; RULES.len()];
    let mut index = 0;
    while index < RULES.len() {
        let Rule { id, reason, path, .. } = RULES[index];
        told[index] = Explanation { id, reason, path };
        index += 1;
    }
    told
};
