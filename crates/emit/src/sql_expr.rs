//! An expression of the contract as SQL.
//!
//! Every atom is total: it yields true or false, never null and never an error, because no SQL operator promises to look
//! at its left side first. Casts stand inside a `case`.

use crate::sql_condition::{Condition, WIDTH};
use crate::taxonomy_sql::quote;
use Condition::Settled;
use audience_gate::contract::limits::{EMAIL_HASH_BYTES, HASH_KIND_BYTES, MOST_DEPTH, NUMBER_LENGTH};
use audience_gate::contract::rule::{Expr, List};
use audience_gate::contract::vocabulary::{Fault, Field, Kind, TEXT_COLUMNS};
use audience_gate::privacy::email;
use audience_gate::privacy::find::Found;

/// What an event is read from, and so what is known about it before any rule is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The `jsonb` that a sender wrote, `event`: anything may be anywhere. A variable holds the text of each text column.
    Document,
    /// A row of the table, `sent`: a column is null or of its type, so that most of what a document must be asked is settled.
    Row,
}

/// What a column of a row can hold apart from null.
#[derive(Clone, Copy, PartialEq, Eq)]
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

impl Source {
    /// What its column tells about a top-level field.
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

    /// A field as text, whatever it is.
    fn raw(self, field: Field) -> String {
        let key = field.key();
        match self.column(field) {
            Some(Column::Text) => format!("sent.{key}"),
            Some(Column::Typed) => format!("sent.{key}::text"),
            Some(Column::Json) => format!("sent.{key} #>> '{{}}'"),
            Some(Column::Missing) => "null::text".into(),
            None if field.in_metadata() => format!("metadata ->> '{key}'"),
            None => format!("event ->> '{key}'"),
        }
    }

    /// The variable or column that holds a field's text, or null if the field is not text.
    pub fn variable(self, field: Field) -> Option<String> {
        match self {
            Source::Row if self.column(field) == Some(Column::Text) => Some(self.raw(field)),
            Source::Document if TEXT_COLUMNS.contains(&field) => Some(field.key().into()),
            _ => None,
        }
    }

    /// A test of a field's text, written after or around it; a field that is not text fails it.
    fn on_text(self, field: Field, test: impl Fn(&str) -> String) -> Condition {
        if let Some(variable) = self.variable(field) {
            return Condition::tested(&[&test(&variable)], false);
        }
        match self.column(field) {
            Some(Column::Typed) => Condition::tested(&[&test(&self.raw(field))], false),
            Some(Column::Missing) => Settled(false),
            _ => {
                let raw = self.raw(field);
                // An operator binds as strongly as a comparison does.
                let raw = if test("").starts_with(' ') { format!("({raw})") } else { raw };
                Condition::tested(&[&format!("jsonb_typeof({}) = 'string'", self.json(field)), &test(&raw)], false)
            }
        }
    }

    fn present(self, field: Field) -> Condition {
        match self.column(field) {
            Some(Column::Typed) => {
                Condition::pair(format!("sent.{} is not null", field.key()), format!("sent.{} is null", field.key()))
            }
            Some(Column::Missing) => Settled(false),
            _ => {
                let text = format!("coalesce(ltrim({}, blank), '')", self.raw(field));
                Condition::pair(format!("{text} <> ''"), format!("{text} = ''"))
            }
        }
    }

    fn is(self, field: Field, kind: Kind) -> Condition {
        let null = |value: &str| Condition::pair(format!("{value} is null"), format!("{value} is not null"));
        match (self.column(field), kind) {
            (Some(Column::Missing), _) => Settled(kind == Kind::Absent),
            (Some(_), Kind::Absent) => null(&format!("sent.{}", field.key())),
            (Some(Column::Typed), Kind::Text) => null(&format!("sent.{}", field.key())).negated(),
            (_, Kind::Text) if self.variable(field).is_some() => {
                null(&self.variable(field).unwrap_or_default()).negated()
            }
            (Some(Column::Text | Column::Typed), _) => Settled(false),
            (_, Kind::Absent) => null(&format!("({})", self.json(field))),
            (_, Kind::True | Kind::False) => {
                Condition::tested(&[&format!("{} = '{}'", self.json(field), kind == Kind::True)], false)
            }
            _ => Condition::tested(&[&format!("jsonb_typeof({}) = '{}'", self.json(field), kind.name())], false),
        }
    }

    /// The condition that one of the parts holds. Questions about the kind of one field become one comparison.
    fn any(self, parts: &[Expr]) -> Condition {
        if let Some(condition) = self.one_of_kinds(parts) {
            return condition;
        }
        match parts {
            [Expr::Not(Expr::Is(guarded, Kind::Text)), Expr::Length(field, 0, most)] if guarded == field => {
                match self.variable(*field) {
                    Some(variable) => Condition::tested(&[&format!("char_length({variable}) <= {most}")], true),
                    None => Condition::any(parts.iter().map(|part| self.condition(part))),
                }
            }
            _ => Condition::any(parts.iter().map(|part| self.condition(part))),
        }
    }

    fn one_of_kinds(self, parts: &[Expr]) -> Option<Condition> {
        let Some(Expr::Is(field, _)) = parts.first() else { return None };
        if self.column(*field).is_some_and(|column| column != Column::Json) {
            return None;
        }
        let (mut kinds, mut may_be_absent) = (Vec::new(), false);
        for part in parts {
            match part {
                Expr::Is(other, Kind::Absent) if other == field => may_be_absent = true,
                Expr::Is(other, Kind::Null | Kind::Number | Kind::Text | Kind::Array | Kind::Object)
                    if other == field =>
                {
                    let Expr::Is(_, kind) = part else { return None };
                    kinds.push(quote(kind.name()));
                }
                _ => return None,
            }
        }
        let test = match kinds.as_slice() {
            [] => return None,
            [kind] => format!("= {kind}"),
            _ => format!("in ({})", kinds.join(", ")),
        };
        Some(Condition::tested(&[&format!("jsonb_typeof({}) {test}", self.json(*field))], may_be_absent))
    }

    /// The condition that a fault in the text, as far as a `jsonb` can still show it, is absent; Postgres itself has
    /// refused the others.
    fn readable(self, fault: Fault) -> Condition {
        let (searched, value, depth) = match self {
            Source::Document => ("whole", "event", MOST_DEPTH),
            Source::Row => ("metadata_text", "sent.metadata", MOST_DEPTH - 1),
        };
        match fault {
            Fault::Json | Fault::Text | Fault::DuplicateKey => Settled(true),
            Fault::Shape if self == Source::Row => Settled(true),
            Fault::Shape => Condition::pair("jsonb_typeof(event) = 'object'", "jsonb_typeof(event) <> 'object'"),
            Fault::Depth => Condition::atom(format!(
                "case\n  when octet_length({searched}) - octet_length(translate({searched}, '{{[', '')) > {depth}\n  then audience_gate.depth({value}) <= {depth}\n  else true\nend"
            )),
            Fault::Number => Condition::atom(format!(
                "case\n  when {searched} ~ '[0-9.]{{{}}}' then not audience_gate.any_number_is_unstorable({value})\n  else true\nend",
                NUMBER_LENGTH + 1
            )),
        }
    }

    fn listed(self, field: Field, list: List) -> Condition {
        let text = self.variable(field).unwrap_or_else(|| self.raw(field));
        let known = match list {
            List::EventTypes if field == Field::EventType => Condition::atom("is_registered"),
            List::EventTypes => Condition::atom(format!(
                "exists (select from public.audience_event_types known where known.id = {text} and known.active)"
            )),
            List::RetentionRules => Condition::atom(format!(
                "exists (select from public.audience_rules known where known.id = {text} and known.active)"
            )),
            List::States => {
                Condition::atom(format!("exists (select from public.audience_states known where known.id = {text})"))
            }
        };
        Condition::all([self.is(field, Kind::Text), known])
    }

    /// The condition that metadata takes up at most this many bytes, with what the gate adds to it for an address.
    fn metadata_within(self, most: u32) -> Condition {
        let spelt = |condition: Condition| condition.written(WIDTH).replace(&" ".repeat(WIDTH), "      ");
        let hash_to_come = match self {
            Source::Row => String::new(),
            Source::Document => format!(
                "\n    when {}\n    then {EMAIL_HASH_BYTES}",
                spelt(Condition::all([self.present(Field::Email), self.present(Field::EmailHash).negated()]))
            ),
        };
        let size = format!(
            "coalesce(octet_length(metadata_text), 0) + case{hash_to_come}\n    when {}\n    then case metadata ->> '{}' when '{}' then 0 when '{}' then {} else {HASH_KIND_BYTES} end\n    else 0\n  end",
            spelt(self.present(Field::EmailHash)),
            email::HASH_KIND,
            email::KEYED,
            email::PLAIN,
            email::KEYED.len() - email::PLAIN.len(),
        );
        Condition::pair(format!("{size} <= {most}"), format!("{size} > {most}"))
    }

    /// An expression as a condition.
    pub fn condition(self, expr: &Expr) -> Condition {
        match *expr {
            Expr::Always | Expr::NoIdReuse | Expr::NoTwinWithin(_) => Settled(true),
            Expr::All(parts) => Condition::all(parts.iter().map(|part| self.condition(part))),
            Expr::Any(parts) => self.any(parts),
            Expr::Not(part) => self.condition(part).negated(),
            Expr::Readable(fault) => self.readable(fault),
            Expr::Present(field) => self.present(field),
            Expr::Is(field, kind) => self.is(field, kind),
            Expr::NonEmptyText(field) => self.on_text(field, |text| format!("ltrim({text}, blank) <> ''")),
            Expr::Uuid(field) if self.column(field) == Some(Column::Typed) => self.present(field),
            Expr::Uuid(field) => self.on_text(field, |text| format!("{text} ~ uuid_form")),
            Expr::Timestamp => Condition::pair("occurred_at is not null", "occurred_at is null"),
            Expr::Length(field, least, most) => {
                self.on_text(field, |text| format!("char_length({text}) between {least} and {most}"))
            }
            Expr::OneOf(field, choices) => {
                let choices: Vec<_> = choices.iter().map(|choice| quote(choice)).collect();
                let test = if let [choice] = choices.as_slice() {
                    format!("= {choice}")
                } else {
                    format!("in ({})", choices.join(", "))
                };
                self.on_text(field, |text| format!("{text} {test}"))
            }
            Expr::Number(field, least, most) => {
                let number = self.json(field);
                let within = match most {
                    Some(most) => format!("{number} between '{least}' and '{most}'"),
                    None => format!("{number} >= '{least}'"),
                };
                Condition::tested(&[&format!("jsonb_typeof({number}) = 'number'"), &within], false)
            }
            Expr::Sha256(field) => self.on_text(field, |text| format!("audience_gate.is_sha256({text})")),
            Expr::Like(field) => self.on_text(field, |text| format!("audience_gate.names_like({text})")),
            Expr::Email if self == Source::Row => Settled(false),
            Expr::Email => Condition::pair("email is not null", "email is null"),
            Expr::Listed(field, list) => self.listed(field, list),
            Expr::OnlyKnownFields if self == Source::Row => Settled(true),
            Expr::OnlyKnownFields => Condition::pair(
                "event - audience_gate.event_fields() = '{}'",
                "event - audience_gate.event_fields() <> '{}'",
            ),
            Expr::MetadataWithin(most) => self.metadata_within(most),
            Expr::OccurredWithin(ahead, behind) => Condition::tested(
                &[
                    &format!("occurred_at >= received_at - interval '{behind} seconds'"),
                    &format!("occurred_at <= received_at + interval '{ahead} seconds'"),
                ],
                false,
            ),
            Expr::EmailAgrees if self == Source::Row => Settled(true),
            Expr::EmailAgrees => Condition::any([
                self.present(Field::Email).negated(),
                self.present(Field::EmailHash).negated(),
                self.on_text(Field::EmailHash, |text| {
                    format!("{text} = encode(sha256(convert_to(email, 'UTF8')), 'hex')")
                }),
            ]),
            // What is looked for in a key of the metadata is in the text of the metadata as a whole.
            Expr::NoScoreKey => self.free_of(
                "lower(metadata_text collate \"C\") like '%score%'",
                "audience_gate.any_key_names_score(metadata)",
            ),
            Expr::NoBlockedJump => self.free_of(
                "lower(metadata_text collate \"C\") like '%prior%state%'",
                "audience_gate.names_blocked_jump(metadata)",
            ),
            Expr::RuleTermsAgree => self.rule_terms_agree(),
            // What is held has been looked for before any rule is applied, once for all three.
            Expr::NoRawEmail => held(Found::EMAIL),
            Expr::NoPersonalValue => held(Found::PERSONAL),
            Expr::NoSecret => held(Found::SECRET),
            // Most events have only keys that the contract and the taxonomy know to be harmless.
            Expr::NoPersonalKey => self.free_of(
                "own_words is not null or (others <> '{}' and audience_gate.may_name_personal_data(others))",
                &format!(
                    "coalesce(\n  audience_gate.any_key_is_personal(\n    audience_gate.keys_to_judge({}, payload_schema), own_words),\n  false\n)",
                    self.json(Field::Metadata)
                ),
            ),
            Expr::TrustedCaller => Condition::pair("caller = 'trusted'", "caller <> 'trusted'"),
            Expr::OwnUser => Condition::any([
                Condition::pair("caller = 'trusted'", "caller <> 'trusted'"),
                self.present(Field::UserId).negated(),
                Condition::tested(&[&["caller = 'user'"], self.is_caller()].concat(), false),
            ]),
            Expr::SiteAccepts => Condition::atom("site_accepts"),
            Expr::CategoryAgrees => Condition::tested(&["registered_category = category"], false),
            Expr::PayloadAgrees => Condition::atom(
                "case\n  when payload_schema is null then true\n  else audience_gate.payload_agrees(payload_schema, metadata)\nend",
            ),
        }
    }

    fn rule_terms_agree(self) -> Condition {
        let [from, to, days] =
            [Field::PriorState, Field::NewState, Field::InactivityDays].map(|field| self.json(field));
        let id = self.raw(Field::RuleId);
        let known = format!(
            "exists (\n  select from public.audience_rules known\n  where known.id = {id} and known.active\n    and coalesce({from} = to_jsonb(known.prior_state), known.prior_state is null)\n    and coalesce({to} = to_jsonb(known.new_state), known.new_state is null)\n    and (known.inactivity_days is null or coalesce(\n      jsonb_typeof({days}) = 'number'\n      and {days} >= to_jsonb(known.inactivity_days),\n      false\n    ))\n)"
        );
        Condition::all([self.is(Field::RuleId, Kind::Text), Condition::atom(known)])
    }

    /// The condition that a costly search finds nothing. It is made only if a cheap one found something.
    fn free_of(self, sign: &str, search: &str) -> Condition {
        let found = format!("case\n  when {sign}\n  then {search}\n  else false\nend");
        Condition::pair(format!("not {found}"), found)
    }

    fn is_caller(self) -> &'static [&'static str] {
        match self {
            Source::Row => &["sent.user_id = caller_id"],
            Source::Document => {
                &["jsonb_typeof(event -> 'user_id') = 'string'", "lower(event ->> 'user_id') = caller_id::text"]
            }
        }
    }
}

/// The condition that nothing of this kind is held.
fn held(kind: Found) -> Condition {
    Condition::pair(format!("held & {} = 0", kind.0), format!("held & {} <> 0", kind.0))
}
