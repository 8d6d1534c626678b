//! `contract.d.ts`: the types of the contract, which the package carries.

use super::PREAMBLE;
use audience_gate::contract::rule::{Expr, Rule};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{CATEGORIES, Category, FIELDS, Field};
use std::fmt::Write;

const CATEGORY: [Category; 6] = [
    Category::Engagement,
    Category::Subscription,
    Category::Advocacy,
    Category::Retention,
    Category::Attribution,
    Category::System,
];

/// The whole file.
pub fn render() -> String {
    let mut out = format!(
        "// {PREAMBLE}\n\n/** The id of a rule: public, and it never changes its meaning. */\nexport type RuleId =\n"
    );
    for rule in RULES {
        let _ = writeln!(out, "  | \"{}\"", rule.id);
    }
    out.truncate(out.trim_end().len());
    let _ = write!(
        out,
        ";\n\nexport type EventCategory = \"{}\";\n\n/** What every event has, whatever its category. */\nexport interface EventBase {{\n",
        CATEGORIES.join("\" | \"")
    );
    for (field, key, meaning) in FIELDS.iter().filter(|(field, ..)| !field.in_metadata()) {
        let Some(kind) = base_type(*field) else {
            continue;
        };
        let _ = writeln!(out, "  /** {meaning} */\n  {key}{}: {kind};", if is_required(*field) { "" } else { "?" });
    }
    out += "}\n";
    for category in CATEGORY {
        let name = category.name();
        let title = name.get(..1).unwrap_or_default().to_uppercase() + name.get(1..).unwrap_or_default();
        let keys: Vec<_> = FIELDS
            .iter()
            .filter(|(field, ..)| field.in_metadata() && RULES.iter().any(|rule| binds(rule, category, *field)))
            .collect();
        let _ = write!(
            out,
            "\nexport interface {title}Event extends EventBase {{\n  event_category: \"{name}\";\n  metadata"
        );
        let is_needed = keys.iter().any(|(field, ..)| demanded(*field, category));
        let _ = writeln!(out, "{}: {{", if is_needed { "" } else { "?" });
        for (field, key, meaning) in keys {
            let optional = if demanded(*field, category) { "" } else { "?" };
            let _ = writeln!(out, "    /** {meaning} */\n    {key}{optional}: {};", metadata_type(*field));
        }
        out += "    [key: string]: unknown;\n  };\n}\n";
    }
    out += "\n/** An event as its sender writes it. */\nexport type AudienceEvent =\n  | EngagementEvent\n  | SubscriptionEvent\n  | AdvocacyEvent\n  | RetentionEvent\n  | AttributionEvent\n  | SystemEvent;\n";
    out
}

fn is_required(field: Field) -> bool {
    matches!(field, Field::SessionId | Field::EventType | Field::EventSource)
}

fn base_type(field: Field) -> Option<&'static str> {
    match field {
        Field::EventCategory | Field::Metadata => None,
        Field::UserId
        | Field::UtmSource
        | Field::UtmMedium
        | Field::UtmCampaign
        | Field::UtmContent
        | Field::UtmTerm => Some("string | null"),
        _ => Some("string"),
    }
}

fn metadata_type(field: Field) -> &'static str {
    match field {
        Field::DurationSeconds | Field::ScrollDepthPercent | Field::InactivityDays => "number",
        Field::ConsentRecorded => "true",
        Field::EmailHash | Field::PriorState | Field::NewState => "string",
        _ => "unknown",
    }
}

fn binds(rule: &Rule, category: Category, field: Field) -> bool {
    rule.category == Some(category) && mentions(&rule.must, field)
}

/// Whether a rule without a guard of its own demands the key.
fn demanded(field: Field, category: Category) -> bool {
    RULES.iter().any(|rule| {
        rule.category == Some(category)
            && matches!(rule.when, Expr::Always)
            && match rule.must {
                Expr::Present(one) | Expr::Listed(one, _) | Expr::Number(one, ..) | Expr::Is(one, _) => one == field,
                _ => false,
            }
    })
}

fn mentions(expr: &Expr, field: Field) -> bool {
    match *expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| mentions(part, field)),
        Expr::Not(part) => mentions(part, field),
        Expr::Present(one)
        | Expr::Is(one, _)
        | Expr::NonEmptyText(one)
        | Expr::Uuid(one)
        | Expr::Length(one, ..)
        | Expr::OneOf(one, _)
        | Expr::Number(one, ..)
        | Expr::Sha256(one)
        | Expr::Like(one)
        | Expr::Listed(one, _) => one == field,
        Expr::Always
        | Expr::Readable(_)
        | Expr::Timestamp
        | Expr::Email
        | Expr::RuleTermsAgree
        | Expr::OnlyKnownFields
        | Expr::MetadataWithin(_)
        | Expr::OccurredWithin(..)
        | Expr::EmailAgrees
        | Expr::NoScoreKey
        | Expr::NoBlockedJump
        | Expr::NoRawEmail
        | Expr::NoPersonalKey
        | Expr::NoPersonalValue
        | Expr::NoSecret
        | Expr::TrustedCaller
        | Expr::OwnUser
        | Expr::SiteAccepts
        | Expr::CategoryAgrees
        | Expr::PayloadAgrees
        | Expr::NoIdReuse
        | Expr::NoTwinWithin(_) => false,
    }
}
