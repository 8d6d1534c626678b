//! The contract as SQL: `audience_gate.violations()` and what it needs.
//!
//! Every atom is total: it yields true or false, never null and never an error, because no SQL operator promises to look
//! at its left side first. Casts stand behind `case`.

use super::{PREAMBLE, fingerprint, taxonomy_sql::quote};
use crate::check::{EMAIL_HASH_BYTES, TEXT_COLUMNS};
use crate::event::{Category, FIELDS, Fault, Field, Kind};
use crate::number::INFINITE_DECIMAL;
use crate::privacy::{PERSONAL_WORDS, PSEUDONYM};
use crate::rule::{Expr, List, Rule};
use crate::rules::{RULES, VERSION};

const HELPERS: &str = include_str!("helpers.sql");
const AUDIT: &str = include_str!("audit.sql");
/// What the atoms ask more than once: looked up first, and once.
const LOOKUPS: &str = r"  columns := concat_ws(E'\n', {{columns}});
  if {{email_is_text}} then
    email := audience_gate.normalised_email(event ->> 'email');
  end if;
  if {{occurred_at_is_text}} then
    occurred_at := audience_gate.moment(event ->> 'occurred_at');
  end if;
  select types.id is not null, types.category, types.payload_schema,
    sites.id is not null and coalesce(origin is null or sites.origins is null or origin = any (sites.origins), false)
  into is_registered, registered_category, payload_schema, site_accepts
  from (
    select case when {{event_type_is_text}} then event ->> 'event_type' end as type_id,
      lower(coalesce(nullif(btrim(event ->> 'site_id', {{blank}}), ''), {{default_site}})) as site_id
  ) sent
  left join public.audience_event_types types on types.id = sent.type_id and types.active
  left join public.audience_sites sites on sites.id = case when {{site_is_sound}} then sent.site_id::uuid end;

";
const BLANK: &str = r"E' \t\n\f\r'";

/// The whole migration.
pub fn render() -> String {
    format!(
        "-- {PREAMBLE}\n\n-- The validation contract, judged in the database.\n\n{}\n{}\n{}\n{}\n{}",
        immutable(
            "contract_fingerprint()",
            &format!("select {}", quote(&fingerprint())),
            "The hash of the contract: engines with the same one judge alike."
        ),
        meaning(),
        violations(),
        rule_text("reason", "Why a rule refuses: what is wrong, why it matters, what to send instead.", |rule| rule
            .reason),
        rule_text("path", "Where a rule looks, as a JSON pointer into the event.", |rule| rule.path)
            + "\n"
            + &filled(AUDIT),
    )
}

/// What the atoms mean, which is part of the fingerprint.
pub fn meaning() -> String {
    filled(HELPERS)
}

fn filled(template: &str) -> String {
    let (email, hash) = PSEUDONYM;
    let words: Vec<_> = PERSONAL_WORDS
        .iter()
        .map(|entry| if *entry == [email] { format!("{email}(?! {hash} )") } else { entry.join(" ") })
        .collect();
    template
        .replace("{{personal_words}}", &words.join("|"))
        .replace("{{telling_words}}", &telling_words())
        .replace("{{infinite}}", INFINITE_DECIMAL)
        .replace("{{version}}", VERSION)
        .replace("{{fields}}", &top_level_fields())
}

fn top_level_fields() -> String {
    let keys: Vec<_> = FIELDS.iter().filter(|(field, ..)| !field.in_metadata()).map(|(_, key, _)| quote(key)).collect();
    format!("array[{}]", keys.join(", "))
}

fn immutable(signature: &str, body: &str, comment: &str) -> String {
    let parameters = signature.replace("rule_id text", "text");
    format!(
        "create or replace function audience_gate.{signature}\nreturns text\nlanguage sql\nimmutable\nparallel safe\nset search_path = ''\nas $$\n  {body}\n$$;\ncomment on function audience_gate.{parameters} is {};\n",
        quote(comment)
    )
}

fn rule_text(name: &str, comment: &str, text: fn(&Rule) -> &'static str) -> String {
    let cases: String =
        RULES.iter().map(|rule| format!("    when {} then {}\n", quote(rule.id), quote(text(rule)))).collect();
    immutable(&format!("{name}(rule_id text)"), &format!("select case rule_id\n{cases}  end"), comment)
}

/// The function that judges: rules of one binding stand together, in the order of the table.
fn violations() -> String {
    let mut body = String::new();
    let (reading, judging): (Vec<_>, Vec<_>) = RULES.iter().partition(|rule| matches!(rule.must, Expr::Readable(_)));
    body += &format!("  violated := {};\n", list(&reading, None));
    body += "  if violated <> '{}' then\n    return violated;\n  end if;\n\n";
    body += &lookups();
    let mut rest = judging.as_slice();
    while let Some(first) = rest.first() {
        let is_alone = |rule: &Rule| asks_tables(&rule.must);
        let count = match is_alone(first) {
            true => 1,
            false => rest.iter().take_while(|rule| rule.category == first.category && !is_alone(rule)).count(),
        };
        let (group, others) = rest.split_at(count);
        rest = others;
        body += &statement(group, first.category);
    }
    format!(
        "create or replace function audience_gate.violations(event jsonb, caller text, caller_id uuid, origin text, received_at timestamptz)\nreturns text[]\nlanguage plpgsql\nstable\nsecurity definer\nset search_path = ''\nas $$\n#variable_conflict use_variable\ndeclare\n  whole text := event::text;\n  metadata jsonb := case when jsonb_typeof(event -> 'metadata') = 'object' then event -> 'metadata' else '{{}}' end;\n  metadata_text text := (event -> 'metadata')::text;\n  columns text;\n  category text := case when jsonb_typeof(event -> 'event_category') = 'string' then event ->> 'event_category' end;\n  email text;\n  occurred_at timestamptz;\n  is_registered boolean;\n  registered_category text;\n  payload_schema jsonb;\n  site_accepts boolean;\n  violated text[];\nbegin\n{body}\n  return violated;\nend;\n$$;\ncomment on function audience_gate.violations(jsonb, text, uuid, text, timestamptz) is {};\n",
        quote(
            "The rules that an event violates, in order: event as its sender wrote it, caller visitor, user or trusted. Everything but repeats, which need the table."
        )
    )
}

fn lookups() -> String {
    let columns: Vec<_> = TEXT_COLUMNS
        .iter()
        .map(|field| format!("case when {} then {} end", Sql(&Expr::Is(*field, Kind::Text)), text(*field)))
        .collect();
    LOOKUPS
        .replace("{{columns}}", &columns.join(",\n    "))
        .replace("{{email_is_text}}", &sql(&Expr::Is(Field::Email, Kind::Text)))
        .replace("{{occurred_at_is_text}}", &sql(&Expr::Is(Field::OccurredAt, Kind::Text)))
        .replace("{{event_type_is_text}}", &sql(&Expr::Is(Field::EventType, Kind::Text)))
        .replace(
            "{{site_is_sound}}",
            &sql(&Expr::Any(&[Expr::Uuid(Field::SiteId), Expr::Not(&Expr::Present(Field::SiteId))])),
        )
        .replace("{{blank}}", BLANK)
        .replace("{{default_site}}", &quote(&default_site()))
}

fn default_site() -> String {
    crate::taxonomy::read()["default_site"]["id"].as_str().unwrap_or_default().to_owned()
}

fn statement(group: &[&Rule], category: Option<Category>) -> String {
    let indent = if category.is_some() { "    " } else { "  " };
    let mut out = String::new();
    if let Some(category) = category {
        out += &format!("  if category = {} then\n", quote(category.name()));
    }
    match group {
        [rule] if asks_tables(&rule.must) => {
            out += &format!(
                "{indent}if {} then\n{indent}  if not {} then\n{indent}    violated := violated || {}::text;\n{indent}  end if;\n{indent}end if;\n",
                Sql(&rule.when),
                Sql(&rule.must),
                quote(rule.id)
            );
        }
        _ => out += &format!("{indent}violated := violated || {};\n", list(group, Some(indent))),
    }
    if category.is_some() {
        out += "  end if;\n";
    }
    out
}

/// The ids of those rules of a group that apply and do not hold.
fn list(group: &[&Rule], indent: Option<&str>) -> String {
    let indent = indent.unwrap_or("  ");
    let cases: Vec<_> = group
        .iter()
        .filter(|rule| !matches!(rule.must, Expr::NoTwinWithin(_)))
        .map(|rule| {
            let violated = match rule.when {
                Expr::Always => format!("not {}", Sql(&rule.must)),
                _ => format!("{} and not {}", Sql(&rule.when), Sql(&rule.must)),
            };
            format!("\n{indent}  case when {violated} then {} end", quote(rule.id))
        })
        .collect();
    format!("array_remove(array[{}\n{indent}]::text[], null)", cases.join(","))
}

/// Whether an expression reads a table, which Postgres runs as a query of its own.
fn asks_tables(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(asks_tables),
        Expr::Not(part) => asks_tables(part),
        Expr::Listed(_, List::States | List::RetentionRules) | Expr::NoBlockedJump | Expr::NoScoreKey => true,
        _ => false,
    }
}

fn json(field: Field) -> String {
    format!("{} -> '{}'", if field.in_metadata() { "metadata" } else { "event" }, field.key())
}

fn text(field: Field) -> String {
    format!("({} ->> '{}')", if field.in_metadata() { "metadata" } else { "event" }, field.key())
}

/// An expression as SQL.
struct Sql<'a>(&'a Expr);

impl std::fmt::Display for Sql<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        out.write_str(&sql(self.0))
    }
}

fn joined(parts: &[Expr], word: &str) -> String {
    format!("({})", parts.iter().map(sql).collect::<Vec<_>>().join(word))
}

fn on_text(field: Field, test: &str) -> String {
    format!("coalesce(jsonb_typeof({}) = 'string' and {} {test}, false)", json(field), text(field))
}

fn sql(expr: &Expr) -> String {
    match *expr {
        Expr::Always => "true".into(),
        Expr::All(parts) => joined(parts, " and "),
        Expr::Any(parts) => joined(parts, " or "),
        Expr::Not(part) => format!("(not {})", sql(part)),
        Expr::Readable(fault) => readable(fault).into(),
        Expr::Present(field) => format!("(coalesce(btrim({}, {BLANK}), '') <> '')", text(field)),
        Expr::Is(field, Kind::Absent) => format!("({} is null)", json(field)),
        Expr::Is(field, kind @ (Kind::True | Kind::False)) => {
            format!("coalesce({} = '{}', false)", json(field), kind == Kind::True)
        }
        Expr::Is(field, kind) => format!("coalesce(jsonb_typeof({}) = '{}', false)", json(field), kind.name()),
        Expr::NonEmptyText(field) => {
            format!("coalesce(jsonb_typeof({}) = 'string' and btrim({}, {BLANK}) <> '', false)", json(field), text(field))
        }
        Expr::Uuid(field) => on_text(field, "~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'"),
        Expr::Timestamp => "(occurred_at is not null)".into(),
        Expr::Length(field, least, most) => format!(
            "coalesce(jsonb_typeof({}) = 'string' and char_length({}) between {least} and {most}, false)",
            json(field), text(field)
        ),
        Expr::OneOf(field, choices) => {
            let choices: Vec<_> = choices.iter().map(|choice| quote(choice)).collect();
            on_text(field, &format!("in ({})", choices.join(", ")))
        }
        Expr::Number(field, least, most) => format!(
            "case when jsonb_typeof({json}) = 'number' then ({json})::numeric >= {least}{} else false end",
            most.map(|most| format!(" and ({})::numeric <= {most}", json(field))).unwrap_or_default(),
            json = json(field)
        ),
        Expr::Sha256(field) => on_text(field, "~ '^[0-9a-f]{64}$'"),
        Expr::Like(field) => format!(
            "coalesce(jsonb_typeof({}) = 'string' and lower({} collate \"C\") ~ '^(like|liked|likes)$|_like$', false)",
            json(field), text(field)
        ),
        Expr::Email => "(email is not null)".into(),
        Expr::Listed(field, list) => listed(field, list),
        Expr::OnlyKnownFields => format!("(event - {} = '{{}}')", top_level_fields()),
        Expr::MetadataWithin(most) => format!(
            "(coalesce(octet_length(metadata_text), 0) + case when {} and not {} then {EMAIL_HASH_BYTES} else 0 end <= {most})",
            Sql(&Expr::Present(Field::Email)), Sql(&Expr::Present(Field::EmailHash))
        ),
        Expr::OccurredWithin(ahead, behind) => format!(
            "coalesce(occurred_at between received_at - interval '{behind} seconds' and received_at + interval '{ahead} seconds', false)"
        ),
        Expr::EmailAgrees => format!(
            "(not {} or not {} or coalesce(jsonb_typeof({}) = 'string' and {} = encode(sha256(convert_to(email, 'UTF8')), 'hex'), false))",
            Sql(&Expr::Present(Field::Email)), Sql(&Expr::Present(Field::EmailHash)), json(Field::EmailHash), text(Field::EmailHash)
        ),
        Expr::NoScoreKey => {
            "(not exists (select from jsonb_object_keys(metadata) key where lower(key collate \"C\") = 'engagement_score' or lower(key collate \"C\") like 'score%'))".into()
        }
        Expr::NoBlockedJump => format!(
            "(not exists (select from public.audience_blocked_jumps jump where jump.from_state = {} and jump.to_state = {}))",
            text(Field::PriorState), text(Field::NewState)
        ),
        Expr::NoRawEmail => {
            "(not case when columns ~ '@|%' then audience_gate.holds_email(columns) else false end and not case when metadata_text ~ '@|%' then audience_gate.any_text_holds_email(event -> 'metadata') else false end)".into()
        }
        Expr::NoPersonalKey => format!(
            "(not case when lower(metadata_text) like any (array[{}]) or metadata_text ~ '[iI][pP]([^a-z]|$)' then audience_gate.any_key_is_personal(event -> 'metadata') else false end)",
            telling_words()
        ),
        Expr::NoPersonalValue => {
            "(not case when columns ~ '{d}' or columns ~ '{p}' then audience_gate.holds_personal_value(columns) else false end and not case when metadata_text ~ '{d}' or metadata_text ~ '{p}' then audience_gate.any_text_is_personal(event -> 'metadata') else false end)"
                .replace("{d}", "[0-9]([ -]?[0-9]){8}")
                .replace("{p}", "([+]|%2[Bb])[1-9]")
        }
        Expr::TrustedCaller => "(caller = 'trusted')".into(),
        Expr::OwnUser => format!(
            "(caller = 'trusted' or not {} or coalesce(caller = 'user' and jsonb_typeof({}) = 'string' and lower({}) = caller_id::text, false))",
            Sql(&Expr::Present(Field::UserId)), json(Field::UserId), text(Field::UserId)
        ),
        Expr::SiteAccepts => "site_accepts".into(),
        Expr::CategoryAgrees => "coalesce(registered_category = category, false)".into(),
        Expr::PayloadAgrees => {
            "case when payload_schema is null then true else audience_gate.payload_agrees(payload_schema, metadata) end".into()
        }
        Expr::NoTwinWithin(_) => "true".into(),
    }
}

/// What a `jsonb` can still show of a fault in the text; Postgres itself has refused the others.
fn readable(fault: Fault) -> &'static str {
    match fault {
        Fault::Json | Fault::Text | Fault::DuplicateKey => "true",
        Fault::Shape => "(jsonb_typeof(event) = 'object')",
        Fault::Depth => {
            "case when octet_length(whole) - octet_length(replace(replace(whole, '{', ''), '[', '')) > 32 then audience_gate.depth(event) <= 32 else true end"
        }
        Fault::Number => {
            "case when whole ~ '[0-9.]{65}' then not audience_gate.any_number_is_unstorable(event) else true end"
        }
    }
}

fn listed(field: Field, list: List) -> String {
    match list {
        List::EventTypes => format!("(is_registered and {})", Sql(&Expr::Is(field, Kind::Text))),
        List::RetentionRules => format!(
            "({} and exists (select from public.audience_rules known where known.id = {} and known.active))",
            Sql(&Expr::Is(field, Kind::Text)),
            text(field)
        ),
        List::States => format!(
            "({} and exists (select from public.audience_states known where known.id = {}))",
            Sql(&Expr::Is(field, Kind::Text)),
            text(field)
        ),
    }
}

/// Patterns of which one occurs in every text with a personal key, so that no key of another need be split: the last
/// word of more than two letters of every entry, less those that hold another. `ip` occurs in too many words and is looked for apart.
fn telling_words() -> String {
    let words: Vec<_> =
        PERSONAL_WORDS.iter().filter_map(|entry| entry.iter().rfind(|word| word.len() > 2)).copied().collect();
    let mut patterns: Vec<_> = words
        .iter()
        .filter(|&&word| !words.iter().any(|other| other != &word && word.contains(other)))
        .map(|word| quote(&format!("%{word}%")))
        .collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.join(", ")
}

/// The examples of the table as pgTAP cases.
pub fn render_tests() -> String {
    let mut cases = String::new();
    let mut count = 0;
    for rule in RULES {
        let needs_text =
            matches!(rule.must, Expr::Readable(Fault::Json | Fault::Text | Fault::DuplicateKey | Fault::Number));
        let caller = if matches!(rule.must, Expr::OwnUser | Expr::TrustedCaller) { "visitor" } else { "trusted" };
        let mut case = |event: &str, caller: &str, expected: &str, name: &str| {
            count += 1;
            cases += &format!(
                "select is(\n  (audience_gate.violations({}, '{caller}', null, null, '2026-11-21 12:00+00'))[1],\n  {expected},\n  {}\n);\n",
                quote(event),
                quote(name)
            );
        };
        case(rule.accepts, "trusted", "null", &format!("{} lets its accepted example pass", rule.id));
        if !needs_text && !matches!(rule.must, Expr::NoTwinWithin(_)) {
            case(rule.rejects, caller, &quote(rule.id), &format!("{} refuses its rejected example", rule.id));
        }
    }
    format!(
        "-- {PREAMBLE}\n\nbegin;\nselect plan({});\n\n{cases}\nselect is(\n  audience_gate.contract_fingerprint(),\n  {},\n  'the database judges by the contract of this source'\n);\n\nselect * from finish();\nrollback;\n",
        count + 1,
        quote(&fingerprint())
    )
}
