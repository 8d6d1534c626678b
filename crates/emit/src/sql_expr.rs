//! An expression of the contract as SQL.
//!
//! Every atom is total: it yields true or false, never null and never an error, because no SQL operator promises to look
//! at its left side first. Casts stand behind `case`.

use super::sql::{fields, telling_words};
use super::taxonomy_sql::quote;
use audience_gate::contract::limits::EMAIL_HASH_BYTES;
use audience_gate::contract::rule::{Expr, List};
use audience_gate::contract::vocabulary::{Fault, Field, Kind};

/// What SQL trims as white space.
pub const BLANK: &str = r"E' \t\n\f\r'";
/// The canonical form of a UUID.
const UUID: &str = "~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'";

/// What every text with a card, social security or phone number holds, in this order, and few others do.
const NUMBER_SIGN: &str = "[0-9]([ -]?[0-9]){12}|[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}|([+]|%2[Bb])[1-9]";

/// What an event is read from, and so what is known of it before any rule is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The `jsonb` that a sender wrote, `event`: anything may be anywhere.
    Document,
    /// A row of the table, `sent`: a column is null or of its type, so that most of what a document must be asked is settled.
    Row,
}

/// What a column of a row can hold besides null.
#[derive(PartialEq, Eq)]
enum Column {
    Text,
    /// A value whose text is always well-formed.
    Typed,
    Json,
    /// There is no such column.
    Missing,
}

fn column(field: Field) -> Column {
    match field {
        Field::Id | Field::UserId | Field::SiteId | Field::OccurredAt => Column::Typed,
        Field::Metadata => Column::Json,
        Field::Email => Column::Missing,
        _ => Column::Text,
    }
}

fn not(holds: &str) -> String {
    match holds {
        "true" => "false".into(),
        "false" => "true".into(),
        _ => format!("(not {holds})"),
    }
}

impl Source {
    /// What is known of a top-level field by its column.
    fn column(self, field: Field) -> Option<Column> {
        (self == Source::Row && !field.in_metadata()).then(|| column(field))
    }

    /// A field as `jsonb`.
    pub fn json(self, field: Field) -> String {
        let key = field.key();
        match self.column(field) {
            Some(Column::Json) => format!("sent.{key}"),
            Some(Column::Missing) => "null::jsonb".into(),
            Some(_) => format!("to_jsonb(sent.{key})"),
            None if field.in_metadata() => format!("metadata -> '{key}'"),
            None => format!("event -> '{key}'"),
        }
    }

    /// A field as text.
    pub fn text(self, field: Field) -> String {
        let key = field.key();
        match self.column(field) {
            Some(Column::Text) => format!("sent.{key}"),
            Some(Column::Typed) => format!("sent.{key}::text"),
            Some(Column::Json) => format!("(sent.{key} #>> '{{}}')"),
            Some(Column::Missing) => "null::text".into(),
            None if field.in_metadata() => format!("(metadata ->> '{key}')"),
            None => format!("(event ->> '{key}')"),
        }
    }

    /// A field as text, null where it is none.
    pub fn text_only(self, field: Field) -> String {
        match self.is(field, Kind::Text).as_str() {
            _ if self.column(field) == Some(Column::Text) => self.text(field),
            is_text => format!("case when {is_text} then {} end", self.text(field)),
        }
    }

    /// That the text of a field passes a test.
    fn on_text(self, field: Field, test: &str) -> String {
        match self.column(field) {
            Some(Column::Text | Column::Typed) => format!("coalesce({} {test}, false)", self.text(field)),
            Some(Column::Missing) => "false".into(),
            _ => format!(
                "coalesce(jsonb_typeof({}) = 'string' and {} {test}, false)",
                self.json(field),
                self.text(field)
            ),
        }
    }

    /// That the text of a field, put through a function, passes a test.
    fn on_text_of(self, field: Field, function: &str, test: &str) -> String {
        let tested = format!("{function}({}{test}", self.text(field));
        match self.column(field) {
            Some(Column::Text | Column::Typed) => format!("coalesce({tested}, false)"),
            Some(Column::Missing) => "false".into(),
            _ => format!("coalesce(jsonb_typeof({}) = 'string' and {tested}, false)", self.json(field)),
        }
    }

    fn present(self, field: Field) -> String {
        match self.column(field) {
            Some(Column::Typed) => format!("(sent.{} is not null)", field.key()),
            Some(Column::Missing) => "false".into(),
            _ => format!("(coalesce(btrim({}, {BLANK}), '') <> '')", self.text(field)),
        }
    }

    fn is(self, field: Field, kind: Kind) -> String {
        match (self.column(field), kind) {
            (Some(Column::Missing), _) => (kind == Kind::Absent).to_string(),
            (Some(_), Kind::Absent) => format!("(sent.{} is null)", field.key()),
            (Some(Column::Text | Column::Typed), Kind::Text) => format!("(sent.{} is not null)", field.key()),
            (Some(Column::Text | Column::Typed), _) => "false".into(),
            (_, Kind::Absent) => format!("({} is null)", self.json(field)),
            (_, Kind::True | Kind::False) => {
                format!("coalesce({} = '{}', false)", self.json(field), kind == Kind::True)
            }
            _ => format!("coalesce(jsonb_typeof({}) = '{}', false)", self.json(field), kind.name()),
        }
    }

    /// Several expressions joined by `and` or `or`, less those that are settled.
    fn joined(self, parts: &[Expr], word: &str, neutral: bool) -> String {
        let mut parts: Vec<_> = parts.iter().map(|part| self.sql(part)).collect();
        if parts.contains(&(!neutral).to_string()) {
            return (!neutral).to_string();
        }
        parts.retain(|part| *part != neutral.to_string());
        match parts.as_slice() {
            [] => neutral.to_string(),
            [part] => part.clone(),
            _ => format!("({})", parts.join(word)),
        }
    }

    /// What a `jsonb` can still show of a fault in the text; Postgres itself has refused the others.
    fn readable(self, fault: Fault) -> String {
        let (searched, value, depth) = match self {
            Source::Document => ("whole", "event", 32),
            Source::Row => ("metadata_text", "sent.metadata", 31),
        };
        match fault {
            Fault::Json | Fault::Text | Fault::DuplicateKey => "true".into(),
            Fault::Shape if self == Source::Row => "true".into(),
            Fault::Shape => "(jsonb_typeof(event) = 'object')".into(),
            Fault::Depth => format!(
                "case when octet_length({searched}) - octet_length(replace(replace({searched}, '{{', ''), '[', '')) > {depth} then audience_gate.depth({value}) <= {depth} else true end"
            ),
            Fault::Number => format!(
                "case when {searched} ~ '[0-9.]{{65}}' then not audience_gate.any_number_is_unstorable({value}) else true end"
            ),
        }
    }

    fn listed(self, field: Field, list: List) -> String {
        let (is_text, text) = (self.is(field, Kind::Text), self.text(field));
        match list {
            List::EventTypes if field == Field::EventType => format!("(is_registered and {is_text})"),
            List::EventTypes => format!(
                "({is_text} and exists (select from public.audience_event_types known where known.id = {text} and known.active))"
            ),
            List::RetentionRules => format!(
                "({is_text} and exists (select from public.audience_rules known where known.id = {text} and known.active))"
            ),
            List::States => {
                format!("({is_text} and exists (select from public.audience_states known where known.id = {text}))")
            }
        }
    }

    /// An expression, `true` or `false` where the source settles it.
    pub fn sql(self, expr: &Expr) -> String {
        match *expr {
            Expr::Always | Expr::NoTwinWithin(_) => "true".into(),
            Expr::All(parts) => self.joined(parts, " and ", true),
            Expr::Any(parts) => self.joined(parts, " or ", false),
            Expr::Not(part) => not(&self.sql(part)),
            Expr::Readable(fault) => self.readable(fault),
            Expr::Present(field) => self.present(field),
            Expr::Is(field, kind) => self.is(field, kind),
            Expr::NonEmptyText(field) => self.on_text_of(field, "btrim", &format!(", {BLANK}) <> ''")),
            Expr::Uuid(field) if self.column(field) == Some(Column::Typed) => self.present(field),
            Expr::Uuid(field) => self.on_text(field, UUID),
            Expr::Timestamp => "(occurred_at is not null)".into(),
            Expr::Length(field, least, most) => {
                self.on_text_of(field, "char_length", &format!(") between {least} and {most}"))
            }
            Expr::OneOf(field, choices) => {
                let choices: Vec<_> = choices.iter().map(|choice| quote(choice)).collect();
                self.on_text(field, &format!("in ({})", choices.join(", ")))
            }
            Expr::Number(field, least, most) => format!(
                "case when jsonb_typeof({json}) = 'number' then ({json})::numeric >= {least}{} else false end",
                most.map(|most| format!(" and ({})::numeric <= {most}", self.json(field))).unwrap_or_default(),
                json = self.json(field)
            ),
            Expr::Sha256(field) => self.on_text(field, "~ '^[0-9a-f]{64}$'"),
            Expr::Like(field) => self.on_text_of(field, "lower", " collate \"C\") ~ '^(like|liked|likes)$|_like$'"),
            Expr::Email if self == Source::Row => "false".into(),
            Expr::Email => "(email is not null)".into(),
            Expr::Listed(field, list) => self.listed(field, list),
            Expr::OnlyKnownFields if self == Source::Row => "true".into(),
            Expr::OnlyKnownFields => format!("(event - {} = '{{}}')", fields()),
            Expr::MetadataWithin(most) if self == Source::Row => format!("(octet_length(metadata_text) <= {most})"),
            Expr::MetadataWithin(most) => format!(
                "(coalesce(octet_length(metadata_text), 0) + case when {} and not {} then {EMAIL_HASH_BYTES} else 0 end <= {most})",
                self.present(Field::Email), self.present(Field::EmailHash)
            ),
            Expr::OccurredWithin(ahead, behind) => format!(
                "coalesce(occurred_at between received_at - interval '{behind} seconds' and received_at + interval '{ahead} seconds', false)"
            ),
            Expr::EmailAgrees if self == Source::Row => "true".into(),
            Expr::EmailAgrees => format!(
                "(not {} or not {} or coalesce(jsonb_typeof({}) = 'string' and {} = encode(sha256(convert_to(email, 'UTF8')), 'hex'), false))",
                self.present(Field::Email), self.present(Field::EmailHash), self.json(Field::EmailHash), self.text(Field::EmailHash)
            ),
            Expr::NoScoreKey => {
                "(not exists (select from jsonb_object_keys(metadata) key where lower(key collate \"C\") = 'engagement_score' or lower(key collate \"C\") like 'score%'))".into()
            }
            Expr::NoBlockedJump => format!(
                "(not exists (select from public.audience_blocked_jumps jump where jump.from_state = {} and jump.to_state = {}))",
                self.text(Field::PriorState), self.text(Field::NewState)
            ),
            // An address stands in the text of the metadata as it stands in a text of it; the rest is asked where one does.
            Expr::NoRawEmail => format!(
                r"(not case when texts like '%@%' or texts like '%\%%40%' then audience_gate.holds_email(columns) or coalesce(audience_gate.holds_email(metadata_text) and audience_gate.any_text_holds_email({}), false) else false end)",
                self.json(Field::Metadata)
            ),
            // Most events name no key but those that the contract and the taxonomy know to be none.
            Expr::NoPersonalKey => format!(
                "(not case when lower(other_keys) like any (array[{}]) or other_keys ~ '[iI][pP]([^a-z]|$)' then coalesce(audience_gate.any_key_is_personal({}), false) else false end)",
                telling_words(), self.json(Field::Metadata)
            ),
            Expr::NoPersonalValue => format!(
                "(not case when texts ~ '{NUMBER_SIGN}' then audience_gate.holds_personal_value(columns) or coalesce(audience_gate.any_text_is_personal({}), false) else false end)",
                self.json(Field::Metadata)
            ),
            Expr::TrustedCaller => "(caller = 'trusted')".into(),
            Expr::OwnUser => format!(
                "(caller = 'trusted' or not {} or coalesce(caller = 'user' and {}, false))",
                self.present(Field::UserId), self.is_caller()
            ),
            Expr::SiteAccepts => "site_accepts".into(),
            Expr::CategoryAgrees => "coalesce(registered_category = category, false)".into(),
            Expr::PayloadAgrees => {
                "case when payload_schema is null then true else audience_gate.payload_agrees(payload_schema, metadata) end".into()
            }
        }
    }

    fn is_caller(self) -> String {
        match self {
            Source::Row => "sent.user_id = caller_id".into(),
            Source::Document => {
                "jsonb_typeof(event -> 'user_id') = 'string' and lower((event ->> 'user_id')) = caller_id::text".into()
            }
        }
    }
}
