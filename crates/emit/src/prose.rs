//! Expressions in words, for people who read the rules.

use audience_gate::contract::limits::{HASH_LENGTH, MOST_DEPTH, MOST_EXPONENT, NUMBER_LENGTH};
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::vocabulary::{Fault, Field, Kind, LIKE_SIGNS, LIKE_WORDS, SCORE_WORDS};

/// When a rule applies.
pub fn when(rule: &Rule) -> String {
    let category = rule.category.map(|category| format!("the category is {}", category.name()));
    match (category, rule.when) {
        (None, Expr::Always) => "always".into(),
        (Some(category), Expr::Always) => category,
        (None, when) => prose(&when),
        (Some(category), when) => format!("{category}, and {}", prose(&when)),
    }
}

/// What must hold then.
pub fn must(rule: &Rule) -> String {
    prose(&rule.must)
}

fn name(field: Field) -> String {
    if field.in_metadata() { format!("`metadata.{}`", field.key()) } else { format!("`{}`", field.key()) }
}

fn joined(parts: &[Expr], word: &str) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| match part {
            Expr::All(_) | Expr::Any(_) => format!("({})", prose(part)),
            _ => prose(part),
        })
        .collect();
    parts.join(word)
}

fn prose(expr: &Expr) -> String {
    match *expr {
        Expr::Always => "always".into(),
        Expr::All(parts) => joined(parts, " and "),
        Expr::Any(&[Expr::Not(&Expr::Present(field)), ref holds]) => {
            format!("{} is not present, or {}", name(field), prose(holds))
        }
        Expr::Any(parts) => joined(parts, " or "),
        Expr::Not(&Expr::Present(field)) => format!("{} is not present", name(field)),
        Expr::Not(part) => format!("not: {}", prose(part)),
        Expr::Readable(Fault::Json) => "the text is RFC 8259 JSON in UTF-8".into(),
        Expr::Readable(Fault::Shape) => "the event is a JSON object".into(),
        Expr::Readable(Fault::Depth) => format!("nesting is at most {MOST_DEPTH}"),
        Expr::Readable(Fault::Text) => "no string contains U+0000 or an unpaired surrogate".into(),
        Expr::Readable(Fault::Number) => format!(
            "every number is finite in double precision, at most {NUMBER_LENGTH} characters long, and its exponent at most {MOST_EXPONENT} either way"
        ),
        Expr::Readable(Fault::DuplicateKey) => "no object contains the same key twice".into(),
        Expr::Present(field) => format!("{} is present", name(field)),
        Expr::Is(field, Kind::Absent) => format!("{} is absent", name(field)),
        Expr::Is(field, Kind::True) => format!("{} is exactly true", name(field)),
        Expr::Is(field, kind) => format!("{} is {}", name(field), kind_in_words(kind)),
        Expr::NonEmptyText(field) => format!("{} is a non-empty string", name(field)),
        Expr::Uuid(field) => format!("{} is a UUID", name(field)),
        Expr::Timestamp => "`occurred_at` is an RFC 3339 timestamp in the years 1 to 9999 of UTC".into(),
        Expr::Length(field, 0, most) => format!("{} has at most {most} characters", name(field)),
        Expr::Length(field, least, most) => format!("{} has {least} to {most} characters", name(field)),
        Expr::OneOf(field, &[only]) => format!("{} is `{only}`", name(field)),
        Expr::OneOf(field, choices) => format!("{} is one of `{}`", name(field), choices.join("`, `")),
        Expr::Number(field, least, None) => format!("{} is a number of at least {least}", name(field)),
        Expr::Number(field, least, Some(most)) => format!("{} is a number from {least} to {most}", name(field)),
        Expr::Sha256(field) => format!(
            "{} is {HASH_LENGTH} lower-case hex digits, not all alike and not the hash of the empty string",
            name(field)
        ),
        Expr::Like(field) => format!(
            "{} has one of the words `{}`, or is nothing but {}",
            name(field),
            LIKE_WORDS.join("`, `"),
            LIKE_SIGNS.join(", ")
        ),
        Expr::Email => "`email` is a valid e-mail address".into(),
        Expr::Listed(field, list) => format!("{} is {}", name(field), list_in_words(list)),
        Expr::RuleTermsAgree => {
            "the states are those that the rule gives, if it does, and `inactivity_days` at least its days".into()
        }
        Expr::OnlyKnownFields => "every top-level field is part of the event".into(),
        Expr::MetadataWithin(most) => format!("`metadata` has at most {most} bytes as Postgres writes it, with what the gate adds for an e-mail address"),
        Expr::OccurredWithin(ahead, behind) => format!(
            "`occurred_at` is at most {} minutes after and {} days before the time of receipt",
            ahead / 60,
            behind / 86_400
        ),
        Expr::EmailAgrees => "`email` and `metadata.email_hash` match if both are present".into(),
        Expr::NoScoreKey => format!(
            "no key of `metadata`, at any depth, has the word `{}`; `original_payload_snapshot` may",
            SCORE_WORDS.join("` or `")
        ),
        Expr::NoBlockedJump => "neither `metadata` nor an object within it names a blocked jump from `prior_state` to `new_state`, in whatever case and spelling (`priorState`); `original_payload_snapshot` may".into(),
        Expr::NoRawEmail => {
            "no string or key of `metadata`, and no top-level string, contains a raw e-mail address".into()
        }
        Expr::NoPersonalKey => "no key of `metadata` names personal data".into(),
        Expr::NoPersonalValue => {
            "no string, key or number of `metadata`, and no top-level string, contains a card, social security, telephone or bank account number, is an IP address (unless its key speaks of a version), or holds a query string with a parameter whose name is that of personal data and a value"
                .into()
        }
        Expr::NoSecret => "no string or key of `metadata`, and no top-level string, contains a credential".into(),
        Expr::TrustedCaller => "the caller is trusted".into(),
        Expr::OwnUser => "`user_id` is null or that of the signed-in user, or the caller is trusted".into(),
        Expr::SiteAccepts => "the site exists and, if the request comes from a browser, allows its origin".into(),
        Expr::CategoryAgrees => "the registry lists the event type under the event's category".into(),
        Expr::PayloadAgrees => "`metadata` satisfies the payload schema of the event type, and holds no key beside it if the schema is closed".into(),
        Expr::NoIdReuse => "no event that was recorded before has the same `id` and other contents".into(),
        Expr::NoTwinWithin(seconds) => {
            format!("no accepted event of the same user, event type and session is less than {seconds} seconds away")
        }
    }
}

fn kind_in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Absent => "absent",
        Kind::Null => "null",
        Kind::False => "false",
        Kind::True => "true",
        Kind::Number => "a number",
        Kind::Text => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

fn list_in_words(list: List) -> &'static str {
    match list {
        List::EventTypes => "an active entry of the event registry",
        List::RetentionRules => "an active rule of the registry",
        List::States => "a registered state",
    }
}
