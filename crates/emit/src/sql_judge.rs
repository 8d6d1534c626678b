//! The two functions that judge: a document as it was sent, and a row on its way into the table.

use crate::sql::default_site;
use crate::sql_condition::{Condition, WIDTH};
use crate::sql_expr::Source;
use crate::taxonomy_sql::quote;
use crate::units::Unit;
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::vocabulary::{Field, TEXT_COLUMNS};

const JUDGE: &str = include_str!("judge.sql");
/// What an install added to the contract, as the text of two columns.
const OWN_WORDS: &str = "(select array_agg(own.words) from public.audience_personal_words own)";
const OWN_RULES: &str = "exists (select from public.audience_own_rules own where own.mode = 'enforce')";
/// The statement that inserts the row has looked, and found neither: looking again costs a third of judging a row.
const MAY_BE_OWN: &str = "current_setting('audience_gate.nothing_own', true) is distinct from 'yes'";
const UUID_FORM: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/// The variables that are read from a document before it is judged.
pub const PREPARED: &str = "  if jsonb_typeof(event -> 'email') = 'string' then
    email := audience_gate.normalised_email(event ->> 'email');
  end if;
  if jsonb_typeof(event -> 'occurred_at') = 'string' then
    occurred_at := audience_gate.moment(event ->> 'occurred_at');
  end if;
";
/// A time that a column holds, if RFC 3339 can write it: a column can also hold infinity and other years.
const STANDS_FOR_A_TIME: &str = "  occurred_at timestamptz := case
    when sent.occurred_at >= '0001-01-01 00:00+00' and sent.occurred_at < '10000-01-01 00:00+00' then sent.occurred_at
  end;
";

/// The functions that judge by a table of rules: a document as it was sent, and a row on its way into the table.
pub fn judges(rules: &[Rule]) -> [Unit; 2] {
    [Source::Document, Source::Row].map(|source| judge(source, rules))
}

fn judge(source: Source, rules: &[Rule]) -> Unit {
    let (reading, judging): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| matches!(rule.must, Expr::Readable(_)));
    let bound = judging.chunk_by(|left, right| left.category == right.category);
    let statements: String = bound.map(|rules| statements(source, rules)).collect::<Vec<_>>().join("\n");
    let text = |field| source.variable(field).unwrap_or_default();
    let columns: Vec<_> = TEXT_COLUMNS.iter().map(|field| text(*field)).collect();
    let columns: Vec<_> = columns.chunks(6).map(|some| some.join(", ")).collect();
    let template = match source {
        Source::Document => JUDGE
            .replace("{{name}}", "violations")
            .replace("{{event}}", "event jsonb")
            .replace("{{type}}", "jsonb")
            .replace("{{rights}}", "security definer\n")
            .replace("{{whole}}", "event")
            .replace("{{own_words}}", OWN_WORDS)
            .replace("{{own_rules}}", OWN_RULES)
            .replace("{{declared}}", &declared())
            .replace("{{prepared}}", PREPARED)
            .replace("{{comment}}", "The rules that an event violates, in order: event as its sender wrote it, caller visitor, user or trusted. Repeats are not among them: finding one needs the table."),
        Source::Row => JUDGE
            .replace("{{name}}", "row_violations")
            .replace("{{event}}", "sent public.audience_events")
            .replace("{{type}}", "public.audience_events")
            .replace("{{rights}}", "")
            .replace("{{whole}}", "to_jsonb(sent)")
            .replace(
                "{{own_words}}",
                &format!("case\n      when {MAY_BE_OWN}\n      then {OWN_WORDS}\n    end"),
            )
            .replace("{{own_rules}}", &format!("{MAY_BE_OWN}\n      and {OWN_RULES}"))
            .replace("{{declared}}", STANDS_FOR_A_TIME)
            .replace("{{prepared}}", "")
            .replace("{{comment}}", "The rules that a row violates, in order: what violations() says of the same event, without asking what the types of the columns settle."),
    };
    let text = template
        .replace("{{reading}}", &violated(source, &reading, 2))
        .replace("{{rules}}", statements.trim_end())
        .replace("{{parts}}", &columns.join(",\n      "))
        .replace("{{columns}}", &columns.join(",\n    "))
        .replace("{{metadata}}", &source.json(Field::Metadata))
        .replace("{{session}}", &text(Field::SessionId))
        .replace("{{uuid_form}}", UUID_FORM)
        .replace("{{category}}", &text(Field::EventCategory))
        .replace("{{event_type}}", &text(Field::EventType))
        .replace("{{site}}", &site(source));
    let owned = match source {
        Source::Document => text.trim_end().to_owned() + OWNED_BY_THE_GATE,
        Source::Row => text,
    };
    Unit::new(&owned)
}

/// It reads the registry on behalf of callers who may not.
const OWNED_BY_THE_GATE: &str = "
alter function audience_gate.violations(jsonb, text, uuid, text, timestamptz) owner to audience_gate_owner;
";

/// The variables of a document: its texts, each null if the field is not text.
pub fn declared() -> String {
    let texts: String = TEXT_COLUMNS
        .iter()
        .map(|field| {
            let key = field.key();
            format!("  {key} text := case jsonb_typeof(event -> '{key}') when 'string' then event ->> '{key}' end;\n")
        })
        .collect();
    format!(
        "  uuid_form constant text := '{UUID_FORM}';\n  whole text := event::text;\n{texts}  email text;\n  occurred_at timestamptz;\n"
    )
}

fn site(source: Source) -> String {
    if source == Source::Row {
        return "sent.site_id".into();
    }
    let sound = source.condition(&Expr::Any(&[Expr::Uuid(Field::SiteId), Expr::Not(&Expr::Present(Field::SiteId))]));
    let default = quote(&default_site());
    format!(
        "case\n      when {}\n      then lower(coalesce(nullif(ltrim(event ->> 'site_id', blank), ''), {default}))::uuid\n    end",
        sound.written(8)
    )
}

/// The rules that bind one category, or all of them.
fn statements(source: Source, rules: &[&Rule]) -> String {
    let Some(category) = rules.first().and_then(|rule| rule.category) else { return groups(source, rules, 2) };
    format!("  if category = {} then\n{}  end if;\n", quote(category.name()), groups(source, rules, 4))
}

/// Rules, all in one statement apart from those that read a table. Each of those has one of its own, within another that
/// asks whether it applies: Postgres runs a condition with a query in it as a query, whatever stands before it.
fn groups(source: Source, rules: &[&Rule], indent: usize) -> String {
    let pad = " ".repeat(indent);
    let statement = |group: &[&Rule]| match group {
        [rule] if asks_tables(&rule.must) => {
            let refusal = |indent| {
                let added = format!("{}violated := violated || {}::text;\n", " ".repeat(indent + 2), quote(rule.id));
                when(&source.condition(&rule.must).negated(), indent, &added)
            };
            match source.condition(&rule.when) {
                Condition::Settled(true) => refusal(indent),
                applies => when(&applies, indent, &refusal(indent + 2)),
            }
        }
        _ => format!("{pad}violated := violated || {};\n", violated(source, group, indent)),
    };
    rules.chunk_by(|left, right| !asks_tables(&left.must) && !asks_tables(&right.must)).map(statement).collect()
}

/// Statements that run where a condition holds.
fn when(condition: &Condition, indent: usize, statements: &str) -> String {
    let pad = " ".repeat(indent);
    format!("{pad}if {}\n{pad}then\n{statements}{pad}end if;\n", condition.written(indent + 2))
}

/// The ids of those rules of a group that apply and do not hold.
fn violated(source: Source, group: &[&Rule], indent: usize) -> String {
    let pad = " ".repeat(indent);
    let cases: Vec<_> = group
        .iter()
        .map(|rule| (rule.id, source.condition(&rule.when), source.condition(&rule.must)))
        .filter(|(_, when, must)| when != must)
        .map(|(id, when, must)| (id, Condition::all([when, must.negated()])))
        .filter(|(_, refused)| *refused != Condition::Settled(false))
        .map(|(id, refused)| case(id, &refused, indent + 2))
        .collect();
    format!("array_remove(array[\n{}\n{pad}]::text[], null)", cases.join(",\n"))
}

fn case(id: &str, refused: &Condition, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let id = quote(id);
    let line = format!("{pad}case when {} then {id} end", refused.written(0));
    if line.len() <= WIDTH && !line.contains('\n') {
        return line;
    }
    format!("{pad}case\n{pad}  when {}\n{pad}  then {id}\n{pad}end", refused.written(indent + 4))
}

/// Whether an expression reads a table, which Postgres runs as a query of its own.
fn asks_tables(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(asks_tables),
        Expr::Not(part) => asks_tables(part),
        // The entry of the event's own type is looked up before any rule is applied.
        Expr::Listed(field, List::EventTypes) => *field != Field::EventType,
        Expr::Listed(_, List::States | List::RetentionRules) | Expr::RuleTermsAgree => true,
        _ => false,
    }
}
