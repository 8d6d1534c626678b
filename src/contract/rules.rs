//! The contract: the table of rules, and nothing else.
//!
//! The order is the order in which violations are reported. Ids are public and never change their meaning.

use super::limits::SESSION_LENGTH;
use super::rule::{Explanation, Expr, List, Rule, RuleKind};
use super::vocabulary::{CATEGORIES, Category, Fault, Field, Kind};
use Category::{Advocacy, Attribution, Engagement, Retention, Subscription, System};
use Expr::{
    All, Always, Any, CategoryAgrees, Email, EmailAgrees, Is, Length, Like, Listed, MetadataWithin, NoBlockedJump,
    NoPersonalKey, NoPersonalValue, NoRawEmail, NoScoreKey, NoTwinWithin, NonEmptyText, Not, Number, OccurredWithin,
    OneOf, OnlyKnownFields, OwnUser, PayloadAgrees, Present, Readable, Sha256, SiteAccepts, Timestamp, TrustedCaller,
    Uuid,
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

/// Where the field is present, the expression holds.
macro_rules! optional {
    ($field:expr, $holds:expr) => {
        Any(&[Not(&Present($field)), $holds])
    };
}

/// Text, null or not there.
macro_rules! text_or_null {
    ($field:expr) => {
        Any(&[Is($field, Kind::Text), Is($field, Kind::Absent), Is($field, Kind::Null)])
    };
}

/// Where the field is text, it is at most so long.
macro_rules! at_most {
    ($field:expr, $most:literal) => {
        Any(&[Not(&Is($field, Kind::Text)), Length($field, 0, $most)])
    };
}

const CONTENT_VIEW: Expr = OneOf(F::EventType, &["content_view"]);
const EMAIL_SUBSCRIBE: Expr =
    All(&[OneOf(F::EventCategory, &["subscription"]), OneOf(F::EventType, &["email_subscribe"])]);

/// The jumps that skip too many states to be believed, until the registry says otherwise.
pub const BLOCKED_JUMPS: [(&str, &str); 3] = [("S0", "S3"), ("S1", "S4"), ("S0", "S5")];

/// The registered states, until the registry says otherwise.
pub const STATES: [&str; 6] = ["S0", "S1", "S2", "S3", "S4", "S5"];

/// The version of the user's document that the table implements.
pub const VERSION: &str = "1.1";

/// Every rule, in order.
pub const RULES: &[Rule] = &[
    Rule {
        id: "parse.json",
        kind: Guard,
        category: None,
        when: Always,
        must: Readable(Fault::Json),
        reason: "the text is not RFC 8259 JSON in UTF-8, so nothing in it can be judged; send one JSON object, an array of them, or one per line",
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
        reason: "an event is a JSON object, and this is another kind of value; send {\"session_id\": …}",
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
        reason: "the event is nested deeper than 32 levels, which no reader needs and some cannot follow; flatten metadata",
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
        reason: "a text holds U+0000 or half of a surrogate pair, which Postgres cannot store; remove it or send the whole character",
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
        reason: "a number is longer than 64 characters or beyond double precision, so engines would read it differently; round it, or send it as text",
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
        reason: "an object names a key twice, and readers disagree on which one counts; send each key once",
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
        reason: "a top-level field is not part of the event, so it would be lost; move it into metadata or correct its name",
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
        reason: "`id`, the idempotency key, is not a UUID; send the form 00000000-0000-4000-8000-000000000000, or leave it out",
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
        reason: "`user_id`, the user, is not a UUID; send the form 00000000-0000-4000-8000-000000000000, or leave it out",
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
        reason: "`site_id`, the site, is not a UUID; send the form 00000000-0000-4000-8000-000000000000, or leave it out",
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
        reason: "`session_id` is missing or empty, and without it events could not be told apart by visit; send it as non-empty text",
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
        reason: "`event_type` is missing or empty, and without it nobody could say what happened; send it as non-empty text",
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
        reason: "`event_category` is missing or empty, and without it no category rule could be applied; send it as non-empty text",
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
        reason: "`event_source` is missing or empty, and without it the event could not be traced to a system; send it as non-empty text",
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
        reason: "a `utm_*` field is neither text nor null, so campaigns could not be compared; send text, or leave it out",
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
        reason: "`metadata` is not an object, so no rule could find its keys; send {\"key\": value}",
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
        reason: "`occurred_at` is not an RFC 3339 time, so it could not be ordered; send for example 2026-11-21T09:30:00Z",
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
        reason: "`email` is not a valid address or contradicts `metadata.email_hash`, so it cannot be replaced by its hash; correct it or leave it out",
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
        reason: "`event_type` has fewer than 3 or more than 64 characters, which no registered event has; send the id of a registered event",
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
        reason: "`session_id` has fewer than 8 or more than 128 characters, so sessions could collide or bloat the index; send a random id such as a UUID",
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
            at_most!(F::UtmSource, 256),
            at_most!(F::UtmMedium, 256),
            at_most!(F::UtmCampaign, 256),
            at_most!(F::UtmContent, 256),
            at_most!(F::UtmTerm, 256),
        ]),
        reason: "`event_source` has more than 64 or a `utm_*` field more than 256 characters, which would break an index; shorten it",
        path: "",
        accepts: CAMPAIGN,
        rejects: r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww","metadata":{"page_path":"/pricing"}}"#,
    },
    Rule {
        id: "sanity.metadata_size",
        kind: Contract,
        category: None,
        when: Is(F::Metadata, Kind::Object),
        must: MetadataWithin(8192),
        reason: "`metadata` has more than 8192 bytes, which is beyond what an event should carry; keep ids and measures, and store documents elsewhere",
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
        reason: "`event_category` is none of engagement, subscription, advocacy, retention, attribution, system, so no category rule could be applied; send one of them, in lower case",
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
        reason: "`occurred_at` is more than 5 minutes ahead of or 7 days behind the receipt, so it would rewrite settled history; correct the sender's clock, or load history by the documented path",
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
        must: Any(&[Present(F::ContentId), Present(F::PagePath)]),
        reason: "neither `content_id` nor `page_path` says what was engaged with; send one of them in metadata",
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
        reason: "`duration_seconds` is not a number of at least 0, or `scroll_depth_percent` not one from 0 to 100, so scores would be wrong; send plain numbers",
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
        reason: "a content view carries neither `duration_seconds` nor `scroll_depth_percent`, so nothing shows that it was a view; send at least one of them",
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
        reason: "the view lasted under 20 seconds and reached under 30 percent of the page, so counting it would inflate the score; send it once one of the two is reached",
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
        reason: "`channel` does not say what was subscribed to; send it in metadata",
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
        reason: "`consent_recorded` is not exactly true, and without consent a subscription may not be recorded; ask for it, then send true",
        path: "/metadata/consent_recorded",
        accepts: SUBSCRIBE,
        rejects: event!("push_subscribe", "subscription", r#"{"channel":"web-push","consent_recorded":"true"}"#),
    },
    Rule {
        id: "subscription.email_hash",
        kind: Contract,
        category: Some(Subscription),
        when: OneOf(F::EventType, &["email_subscribe"]),
        must: All(&[
            Any(&[Present(F::Email), Present(F::EmailHash)]),
            optional!(F::Email, Email),
            optional!(F::EmailHash, Sha256(F::EmailHash)),
            EmailAgrees,
        ]),
        reason: "an e-mail subscription needs one valid e-mail hash; send `metadata.email_hash` as 64 lower-case hex digits, or `email` for the gate to hash, and let both agree",
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
        reason: "`platform` does not say where it was shared; send it in metadata",
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
        reason: "`share_type` does not say how it was shared; send it in metadata",
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
        reason: "a referral click does not say where it leads; send `outbound_target` in metadata",
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
        reason: "a like is not advocacy, and counting it would inflate reach; send it as engagement, or not at all",
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
        reason: "`prior_state` is missing or not a registered state, so the change has no beginning; send one of the registered states, S0 to S5",
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
        reason: "`new_state` is missing or not a registered state, so the change has no end; send one of the registered states, S0 to S5",
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
        reason: "`inactivity_days` is not a number of at least 0, so the change cannot be explained; send the days since the last activity",
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
        reason: "`rule_id` is missing, so nobody could say which rule changed the state; send the id of a registered rule",
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
        reason: "`rule_id` is not an active rule of the registry, so the change cannot be traced; register the rule, or send a registered one",
        path: "/metadata/rule_id",
        accepts: INACTIVE,
        rejects: event!(
            "inactivity_detected",
            "retention",
            r#"{"prior_state":"S2","new_state":"S1","inactivity_days":14,"rule_id":"hunch"}"#
        ),
    },
    Rule {
        id: "attribution.landing_page",
        kind: Contract,
        category: Some(Attribution),
        when: Always,
        must: Present(F::LandingPage),
        reason: "`landing_page` does not say where the visit began; send it in metadata",
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
        reason: "`utm_campaign` came without `utm_source` and `utm_medium`, so the campaign cannot be attributed; send all three, or none",
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
        reason: "`validation_rule_id` does not say which rule was applied; send it in metadata",
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
        reason: "`validation_result` does not say how the validation ended; send it in metadata",
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
        reason: "`source_system` does not say which system speaks; send it in metadata",
        path: "/metadata/source_system",
        accepts: SIGNED_IN,
        rejects: event!("auth_signed_in", "system", r#"{"validation_rule_id":"none","validation_result":"accepted"}"#),
    },
    Rule {
        id: "system.no_score",
        kind: Contract,
        category: Some(System),
        when: Always,
        must: NoScoreKey,
        reason: "a system event names a score, and system events may not move one; remove every key that begins with `score` and `engagement_score`",
        path: "/metadata",
        accepts: SIGNED_IN,
        rejects: event!(
            "auth_signed_in",
            "system",
            r#"{"validation_rule_id":"none","validation_result":"accepted","source_system":"auth","engagement_score":5}"#
        ),
    },
    Rule {
        id: "system.trusted_caller",
        kind: Guard,
        category: Some(System),
        when: Always,
        must: TrustedCaller,
        reason: "system events come from a trusted back end only, so that nobody can forge the record; send them with a secret key",
        path: "/event_category",
        accepts: SIGNED_IN,
        rejects: SIGNED_IN,
    },
    Rule {
        id: "state.escalation",
        kind: Contract,
        category: None,
        when: All(&[Is(F::PriorState, Kind::Text), Is(F::NewState, Kind::Text)]),
        must: NoBlockedJump,
        reason: "the jump from `prior_state` to `new_state` is blocked because it skips the states between; send each step as its own event",
        path: "/metadata/new_state",
        accepts: INACTIVE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","prior_state":"S0","new_state":"S3"}"#),
    },
    Rule {
        id: "privacy.raw_email",
        kind: Contract,
        category: None,
        when: Always,
        must: NoRawEmail,
        reason: "a text or key holds a raw e-mail address, which must never be stored; send it in `email` for the gate to hash, or remove it",
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
        reason: "a metadata key names personal data, and none may be collected; remove it, or send a pseudonymous id under another name",
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
        reason: "a text holds what looks like a card, social security or phone number, and none may be collected; remove it",
        path: "",
        accepts: PAGE,
        rejects: event!("page_view", "engagement", r#"{"page_path":"/pricing","note":"call +14155552671"}"#),
    },
    Rule {
        id: "identity.user_id",
        kind: Contract,
        category: None,
        when: Always,
        must: OwnUser,
        reason: "the caller may not speak for this `user_id`; leave it out, sign in as that user, or send from a trusted back end",
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
        id: "identity.site",
        kind: Contract,
        category: None,
        when: Any(&[Not(&Present(F::SiteId)), Uuid(F::SiteId)]),
        must: SiteAccepts,
        reason: "the site is not registered, or does not list the origin that this came from; register the site, or add the origin to its list",
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
        reason: "`event_type` is not an active entry of the event registry, and event ids are controlled values; register it, or send a registered one",
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
        reason: "the registry files this `event_type` under another category, so it would be counted as what it is not; send the category of the registry",
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
        reason: "metadata does not satisfy the payload schema of this `event_type`; see the registry for the keys it binds",
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
        reason: "the same user, session and site recorded this `event_type` less than 3 seconds before or after, so it is a double fire; send an action once, and retry with the same `id`",
        path: "",
        accepts: PAGE,
        rejects: PAGE,
    },
];

/// What is told of every rule, in order: all that a running gate needs of the table.
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
